"""The generated RBAC: our own accounts hold no write verb, and each agent exactly what its kinds need."""

from typing import Any

import pytest

from core.actions import roles
from core.actions.catalogue import CATALOGUE, rights
from core.domain.values import Json

READING = {"get", "list", "watch"}
GRANTS = {"finops": ("set_requests", "scale_workload"), "reliability": ("delete_pod", "cordon_node"), "security": ("label_namespace",)}


def rules_of(manifests: tuple[Json, ...], **subject: str) -> list[Json]:
    """Rules of every role that is bound to the subject."""
    bound = {
        item["roleRef"]["name"]
        for item in manifests
        if item["kind"].endswith("Binding") and any(subject.items() <= each.items() for each in item["subjects"])
    }
    return [rule for item in manifests if item["kind"].endswith("Role") and item["metadata"]["name"] in bound for rule in item["rules"]]


def granted(rules: list[Json]) -> set[str]:
    """As `Right` writes it: "patch apps/deployments"."""
    return {
        f"{verb} {group}/{resource}" if group else f"{verb} {resource}"
        for rule in rules
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
    }


@pytest.mark.parametrize("legacy", [False, True])
@pytest.mark.parametrize("account", ["reader", "judge", "executor"])
def test_our_own_accounts_hold_no_write_verb(account: str, legacy: bool) -> None:
    verbs = {verb for rule in rules_of(roles.manifests(GRANTS, legacy=legacy), name=account) for verb in rule["verbs"]}
    others = {verb for verb in verbs - READING if not verb.startswith(("impersonate:", "impersonate-on:"))}
    assert others == ({"impersonate"} if legacy and account != "reader" else set()) | ({"create"} if account == "judge" else set())


def test_the_judge_creates_access_reviews_and_nothing_else() -> None:
    creating = {item for item in granted(rules_of(roles.manifests(GRANTS), name="judge")) if item.startswith("create")}
    assert creating == {"create authorization.k8s.io/subjectaccessreviews"}


@pytest.mark.parametrize("legacy", [False, True])
def test_the_executor_may_be_the_agents_and_the_judge_only_their_previews(legacy: bool) -> None:
    manifests = roles.manifests(GRANTS, legacy=legacy)
    for account, prefix in (("executor", "day2:agent:"), ("judge", "day2:preview:")):
        users = [rule["resourceNames"] for rule in rules_of(manifests, name=account) if "users" in rule["resources"]]
        assert users == [[prefix + name for name in sorted(GRANTS)]]
    extras = {
        name: [rule for rule in rules_of(manifests, name=name) if roles.PERMIT_EXTRA in rule["resources"]] for name in ("executor", "judge")
    }
    assert len(extras["executor"]) == 1
    assert extras["judge"] == []


def test_the_two_forms_of_impersonation_are_never_installed_together() -> None:
    new, old = (str(roles.manifests(GRANTS, legacy=legacy)) for legacy in (False, True))
    assert "'impersonate'" not in new
    assert "impersonate:" not in old
    assert "impersonate-on" not in old


def test_without_an_agent_nobody_may_be_impersonated() -> None:
    for legacy in (False, True):
        assert not any("users" in rule["resources"] for item in roles.manifests({}, legacy=legacy) for rule in item.get("rules", ()))


def test_the_webhook_holds_nothing_and_the_notifier_creates_events() -> None:
    manifests = roles.manifests(GRANTS, namespaces=("shop",))
    assert rules_of(manifests, name=roles.WEBHOOK) == []
    assert granted(rules_of(manifests, name=roles.NOTIFIER)) == {"create events.k8s.io/events"}
    spaces = {
        item["metadata"]["namespace"] for item in manifests if item["kind"] == "RoleBinding" and item["roleRef"]["name"] == "day2-notifier"
    }
    assert spaces == {"shop", "default"}


def test_impersonation_is_limited_to_the_writes_of_the_catalogue() -> None:
    on = {
        item.removeprefix("impersonate-on:user-info:")
        for item in granted(rules_of(roles.manifests(GRANTS), name="executor"))
        if "-on:" in item
    }
    assert on == {str(right) for right in rights() if right.verb != "get"}


@pytest.mark.parametrize("agent", sorted(GRANTS))
def test_an_agent_and_its_preview_have_exactly_what_the_kinds_need(agent: str) -> None:
    manifests = roles.manifests(GRANTS)
    needed = {str(right) for kind in GRANTS[agent] for right in CATALOGUE[kind].rights if right.verb != "get"}
    for user in (f"day2:agent:{agent}", f"day2:preview:{agent}"):
        assert granted(rules_of(manifests, name=user)) == needed


def test_no_role_reads_secrets_or_reaches_into_pods() -> None:
    everything = {resource for item in roles.manifests(GRANTS) for rule in item.get("rules", ()) for resource in rule["resources"]}
    assert not any(
        word in resource.replace("volumeattachments", "")
        for resource in everything
        for word in ("secrets", "exec", "attach", "proxy", "portforward", "token", "*")
    )


def test_managed_namespaces_bind_inside_them_and_only_nodes_stay_cluster_wide() -> None:
    manifests = roles.agent_roles(GRANTS, namespaces=("web", "shop"))
    inside = [item for item in manifests if item["kind"] == "RoleBinding"]
    wide = [item for item in manifests if item["kind"] == "ClusterRoleBinding"]
    assert {(item["metadata"]["namespace"], item["roleRef"]["name"]) for item in inside} == {
        (space, f"day2-agent-{agent}") for space in ("shop", "web") for agent in ("finops", "reliability")
    }
    assert {item["roleRef"]["name"] for item in wide} == {"day2-agent-reliability-cluster", "day2-agent-security-cluster"}
    labelling = [rule for item in manifests for rule in item.get("rules", ()) if rule["resources"] == ["namespaces"]]
    assert [rule["resourceNames"] for rule in labelling] == [["shop", "web"]]


def test_every_manifest_can_be_installed_in_the_given_order() -> None:
    seen: set[tuple[str, str]] = set()
    for item in roles.manifests(GRANTS, namespaces=("shop",)):
        reference: Any = item.get("roleRef")
        assert item["apiVersion"]
        assert reference is None or (reference["kind"], reference["name"]) in seen
        seen.add((item["kind"], item["metadata"]["name"]))
