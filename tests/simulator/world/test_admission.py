"""A namespace's pod security label keeps out what violates it, and says so where a verifier looks."""

from collections.abc import Callable
from typing import Any

import pytest

from simulator.controllers.admission import ENFORCE, violations
from simulator.controllers.cluster import DEPLOYMENTS, EVENTS, NAMESPACES

Small = Callable[..., Any]
SAFE = {
    "securityContext": {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}},
    "containers": [{"name": "a", "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}}],
}


def container(**context: Any) -> dict[str, Any]:
    return {**SAFE, "containers": [{"name": "a", "securityContext": {**SAFE["containers"][0]["securityContext"], **context}}]}  # type: ignore[index]


def test_a_safe_pod_meets_every_level() -> None:
    assert [list(violations(level, SAFE)) for level in ("privileged", "baseline", "restricted")] == [[], [], []]


@pytest.mark.parametrize(
    ("spec", "level"),
    [
        ({**SAFE, "hostPID": True}, "baseline"),
        ({**SAFE, "volumes": [{"name": "host", "hostPath": {"path": "/"}}]}, "baseline"),
        (container(privileged=True), "baseline"),
        (container(capabilities={"drop": ["ALL"], "add": ["SYS_ADMIN"]}), "baseline"),
        (container(seccompProfile={"type": "Unconfined"}), "baseline"),
        ({**SAFE, "containers": [{**SAFE["containers"][0], "ports": [{"hostPort": 80}]}]}, "baseline"),  # type: ignore[index, dict-item]
        (container(allowPrivilegeEscalation=True), "restricted"),
        (container(capabilities={}), "restricted"),
        (container(runAsNonRoot=False), "restricted"),
        (container(runAsUser=0), "restricted"),
        ({**SAFE, "volumes": [{"name": "disk", "nfs": {}}]}, "restricted"),
        ({**SAFE, "securityContext": {"runAsNonRoot": True}}, "restricted"),
        ({"containers": [{"name": "a"}]}, "restricted"),
    ],
)
def test_each_violation_is_found_at_its_level_and_not_below(spec: dict[str, Any], level: str) -> None:
    below = {"baseline": "privileged", "restricted": "baseline"}[level]
    assert list(violations(level, spec))
    assert not list(violations(below, spec))


def test_a_label_that_is_too_strict_refuses_the_next_pods_and_lets_the_old_ones_run(small: Small) -> None:
    box = small(web={"security": "baseline"})
    box.patch(NAMESPACES, None, "apps", lambda obj: obj["metadata"]["labels"].update({ENFORCE: "restricted"}))
    box.wait(60)
    assert box.deployment("apps", "web")["status"]["readyReplicas"] == 3
    box.set_image("apps", "web", "registry.apps.example/web:v1.5.0")
    box.wait(90)
    deployment = box.deployment("apps", "web")
    assert deployment["status"]["readyReplicas"] == 3, "maxUnavailable keeps the old pods"
    failure = box.condition(deployment, "ReplicaFailure")
    assert failure["reason"] == "FailedCreate"
    assert 'violates PodSecurity "restricted:latest": allowPrivilegeEscalation != false' in failure["message"]
    events = [each for each in box.store.list(EVENTS, "apps") if each["reason"] == "FailedCreate"]
    assert "PodSecurity" in events[0]["message"]


def test_taking_the_label_back_lets_the_rollout_go_on(small: Small) -> None:
    box = small(web={"security": "baseline"})
    box.patch(NAMESPACES, None, "apps", lambda obj: obj["metadata"]["labels"].update({ENFORCE: "restricted"}))
    box.set_image("apps", "web", "registry.apps.example/web:v1.5.0")
    box.wait(60)
    box.patch(NAMESPACES, None, "apps", lambda obj: obj["metadata"]["labels"].update({ENFORCE: "baseline"}))
    box.wait(120)
    deployment = box.deployment("apps", "web")
    assert deployment["status"]["updatedReplicas"] == 3
    assert not box.condition(deployment, "ReplicaFailure")


def test_labelling_tools_as_its_pods_are_refuses_nothing(shop: Any) -> None:
    shop.patch(NAMESPACES, None, "tools", lambda obj: obj["metadata"]["labels"].update({ENFORCE: "restricted"}))
    shop.patch(
        DEPLOYMENTS, "tools", "wiki", lambda obj: obj["spec"]["template"]["metadata"].setdefault("annotations", {}).update(restarted="yes")
    )
    shop.wait(120)
    assert shop.deployment("tools", "wiki")["status"]["readyReplicas"] == 1
    assert not [each for each in shop.store.list(EVENTS, "tools") if each["reason"] == "FailedCreate"]
