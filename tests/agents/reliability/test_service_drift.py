"""A Service goes back to what worked last where that is known, and stays as it is where it would be a guess."""

import json

import pytest

from agents.reliability.service_drift import LAST_APPLIED
from core.actions.set_service import SetService
from core.domain.action import Action
from core.domain.values import Json
from tests.agents.reliability.conditions.objects import ago, container, looked_at, merged, pod, replica_set, service, workload

LISTENS = {"spec": {"containers": [container(ports=[{"name": "http", "containerPort": 8080}])]}}
WEB = workload(spec={"template": LISTENS})
SET = replica_set(WEB, spec={"template": LISTENS})
FAMILY = [WEB, SET, pod(SET, **LISTENS)]


def written(minutes: float) -> Json:
    return {"managedFields": [{"manager": "someone", "operation": "Update", "time": ago(minutes=minutes)}]}


def drifted(*, minutes: float = 30, applied: Json | None = None, **spec: object) -> Json:
    """A Service that was written so long ago; the pods are two hours old."""
    manifest = {LAST_APPLIED: json.dumps({"kind": "Service", "spec": applied})} if applied is not None else {}
    found = service(metadata={**written(minutes), "annotations": manifest})
    return {**found, "spec": {**found["spec"], **spec}}


def action(*objects: Json) -> Action | None:
    answer = looked_at(objects)
    assert {finding.code for finding in answer.findings} & {"REL-145", "REL-148"}
    return answer.proposals[0].action if answer.proposals else None


def corrected(*objects: Json) -> SetService:
    found = action(*objects)
    assert isinstance(found, SetService)
    return found


def test_a_selector_that_was_changed_after_its_pods_began_goes_back_to_their_labels() -> None:
    assert corrected(*FAMILY, drifted(selector={"app": "wbe"})).to_selector == {"app": "web"}


def test_a_selector_goes_back_to_what_was_last_applied_however_old_the_change_is() -> None:
    service_ = drifted(minutes=9999, selector={"app": "web", "tier": "none"}, applied={"selector": {"app": "web"}})
    assert corrected(*FAMILY, service_).to_selector == {"app": "web"}


@pytest.mark.parametrize(
    "applied",
    [
        {"selector": {"app": "nobody"}},
        {"selector": {"app": 7}},
        {"selector": "app=web"},
        {},
    ],
    ids=["chooses nobody", "no text", "no map", "nothing"],
)
def test_a_manifest_that_does_not_help_is_not_followed(applied: Json) -> None:
    assert action(*FAMILY, drifted(minutes=9999, selector={"app": "wbe"}, applied=applied)) is None


def test_a_manifest_that_is_no_json_is_not_followed() -> None:
    broken = merged(drifted(minutes=9999, selector={"app": "wbe"}), {"metadata": {"annotations": {LAST_APPLIED: "{"}}})
    assert action(*FAMILY, broken) is None


def test_a_selector_that_is_older_than_the_pods_did_not_drift() -> None:
    assert action(*FAMILY, drifted(minutes=600, selector={"app": "wbe"})) is None


def test_two_workloads_that_fit_are_a_guess_and_the_one_of_the_same_name_is_not() -> None:
    other = workload(name="api", labels={"app": "api"})
    own = replica_set(other)
    both = [*FAMILY, other, own, pod(own, "api-1", metadata={"labels": {"app": "api"}})]
    assert corrected(*both, drifted(selector={"app": "wbe"})).to_selector == {"app": "web"}
    named = merged(drifted(selector={"app": "wbe"}), {"metadata": {"name": "front", "uid": "service-front"}})
    assert action(*both, named) is None


def test_a_workload_without_a_ready_pod_is_nothing_to_point_at() -> None:
    assert action(WEB, SET, pod(SET, is_ready=False, **LISTENS), drifted(selector={"app": "wbe"})) is None


@pytest.mark.parametrize(("target", "to"), [(9999, 8080), ("web", "http")], ids=["number", "name"])
def test_a_port_that_was_changed_after_the_pods_began_goes_to_the_one_they_declare(target: int | str, to: int | str) -> None:
    found = corrected(*FAMILY, drifted(ports=[{"port": 80, "protocol": "TCP", "targetPort": target}]))
    assert found.from_selector == found.to_selector
    assert [(port.port, port.from_target, port.to_target) for port in found.ports] == [(80, target, to)]


def test_of_two_declared_ports_the_one_of_the_same_name_is_taken_and_without_one_nothing() -> None:
    two = {"spec": {"containers": [container(ports=[{"name": "http", "containerPort": 8080}, {"name": "admin", "containerPort": 9090}])]}}
    family = [workload(spec={"template": two}), replica_set(WEB, spec={"template": two}), pod(SET, **two)]
    port = {"port": 80, "protocol": "TCP", "targetPort": 9999}
    assert corrected(*family, drifted(ports=[{**port, "name": "admin"}])).ports[0].to_target == 9090
    assert action(*family, drifted(ports=[{**port, "name": "web"}])) is None
    applied = {"ports": [{"port": 80, "targetPort": 8080}]}
    assert corrected(*family, drifted(minutes=9999, ports=[{**port, "name": "web"}], applied=applied)).ports[0].to_target == 8080


def test_a_rollout_that_left_the_port_goes_back_and_the_service_stays() -> None:
    moved = {"spec": {"containers": [container(ports=[{"name": "http", "containerPort": 7070}])]}}
    now = merged(replica_set(WEB, spec={"template": moved}), {"metadata": {"annotations": {"deployment.kubernetes.io/revision": "2"}}})
    now["metadata"]["creationTimestamp"] = ago(hours=1)
    before = merged(replica_set(WEB, replicas=0, spec={"template": LISTENS}), {"metadata": {"name": "older", "uid": "older"}})
    before["metadata"]["creationTimestamp"] = ago(days=9)
    young = pod(now, hours=1, **moved)
    found = action(workload(spec={"template": moved}), now, before, young, drifted(minutes=9999))
    assert found is not None
    assert found.kind == "rollback_rollout"


def test_a_key_that_its_namesake_does_not_have_is_left_out() -> None:
    assert corrected(*FAMILY, drifted(selector={"app": "web", "tier": "none"})).to_selector == {"app": "web"}
    named = merged(drifted(selector={"app": "web", "tier": "none"}), {"metadata": {"name": "front", "uid": "service-front"}})
    assert action(*FAMILY, named) is None
