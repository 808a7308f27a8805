"""The generated admission documents: their allow-list is the catalogue's, their form what the API server takes."""

from typing import Any

import pytest

from core.actions import admission
from core.actions.catalogue import CATALOGUE
from core.actions.roles import NAMESPACE, manifests
from core.cluster.kinds import GUARD_KINDS
from core.domain.values import Json

CLIENT = admission.client("https://127.0.0.1:9443", b"-----BEGIN CERTIFICATE-----\n")


def guard() -> Json:
    spec: Json = admission.manifests(CLIENT)[0]["spec"]
    return spec


def expressions(spec: Json) -> str:
    return " ".join(rule["expression"] for rule in spec["validations"])


def test_the_allow_list_has_each_write_of_the_catalogue_and_nothing_else() -> None:
    writes = {str(right) for kind in CATALOGUE.values() for right in kind.rights if right.verb != "get"}
    assert len(admission.operations()) == len(writes)
    assert set(admission.operations()) >= {"apps/deployments:UPDATE", "/pods:DELETE", "/pods/resize:UPDATE", "/nodes:UPDATE"}
    assert all(f"'{operation}'" in expressions(guard()) for operation in admission.operations())
    assert not any(operation.startswith(("/secrets", "rbac", "admissionregistration")) for operation in admission.operations())


def test_an_operation_of_a_read_has_no_name() -> None:
    (read,) = [right for right in CATALOGUE["delete_pod"].rights if right.verb == "get"]
    assert admission.operation(read) == ""


def test_our_own_namespace_and_the_clusters_are_protected() -> None:
    assert {NAMESPACE, "kube-system"} < set(admission.PROTECTED)
    assert all(f"'{name}'" in expressions(guard()) for name in admission.PROTECTED)


def test_every_lock_fails_closed_and_is_bound_to_deny() -> None:
    every = [*admission.manifests(CLIENT), *(item for items in admission.static(CLIENT).values() for item in items)]
    policies = {item["metadata"]["name"]: item for item in every if item["kind"] == "ValidatingAdmissionPolicy"}
    bindings = {item["spec"]["policyName"]: item for item in every if item["kind"] == "ValidatingAdmissionPolicyBinding"}
    assert policies.keys() == bindings.keys()
    assert {item["spec"]["failurePolicy"] for item in policies.values()} == {"Fail"}
    assert all("Deny" in item["spec"]["validationActions"] for item in bindings.values())
    hooks = [hook for item in every for hook in item.get("webhooks", ())]
    assert {(hook["failurePolicy"], hook["sideEffects"]) for hook in hooks} == {("Fail", "NoneOnDryRun")}


def test_every_lock_is_limited_to_us_by_a_match_condition() -> None:
    for item in admission.manifests(CLIENT):
        for part in (item.get("spec") or {}, *item.get("webhooks", ())):
            if "failurePolicy" in part:
                assert "day2" in str(part["matchConditions"])


def test_another_namespace_whose_name_begins_as_ours_is_none_of_our_business() -> None:
    conditions = str(guard()["matchConditions"])
    assert f"system:serviceaccount:{NAMESPACE}:" in conditions
    assert "'system:serviceaccount:day2-'" not in conditions


def test_no_document_names_parameters() -> None:
    assert "paramKind" not in str(admission.manifests(CLIENT))


def test_files_have_the_reserved_ending_a_url_and_a_path_of_their_own() -> None:
    files = admission.static(CLIENT)
    assert all(item["metadata"]["name"].endswith(".static.k8s.io") for items in files.values() for item in items)
    assert all(
        item["spec"]["policyName"].endswith(".static.k8s.io") for items in files.values() for item in items if "policyName" in str(item)
    )
    (hook,) = files["webhooks/permit.yaml"][0]["webhooks"]
    assert hook["clientConfig"]["url"] == "https://127.0.0.1:9443/verify-static"
    (api,) = admission.manifests(CLIENT)[-1]["webhooks"]
    assert api["clientConfig"]["url"] == "https://127.0.0.1:9443/verify"


def test_the_configuration_names_both_folders() -> None:
    document = admission.static_configuration("/etc/kubernetes/day2")
    folders = {plugin["name"]: plugin["configuration"]["staticManifestsDir"] for plugin in document["plugins"]}
    assert folders == {
        "ValidatingAdmissionPolicy": "/etc/kubernetes/day2/policies",
        "ValidatingAdmissionWebhook": "/etc/kubernetes/day2/webhooks",
    }


def test_without_an_address_the_webhook_is_a_service() -> None:
    found = admission.client("", b"ca")
    assert found["service"]["namespace"] == NAMESPACE
    assert "url" not in found


@pytest.mark.parametrize(
    "document",
    [*admission.manifests(CLIENT), *manifests({"scaling": ("scale_workload",)})],
    ids=lambda item: f"{item['kind']}-{item['metadata']['name']}",
)
def test_what_the_preflight_compares_has_a_kind_row(document: Any) -> None:
    others = {"Namespace", "ServiceAccount"}
    assert document["kind"] in GUARD_KINDS or document["kind"] in others
