"""Nodes are opened for pods that would fit there, and what a namespace waits for is let go: only what is well, only foreign finalizers."""

import pytest

from core.domain.action import Action
from core.domain.values import Json
from tests.agents.reliability.conditions.objects import ago, looked_at, made, merged, node, replica_set, unscheduled, workload

MESSAGE = "0/2 nodes are available: 2 node(s) were unschedulable."
CLOSED = {"spec": {"unschedulable": True, "taints": [{"key": "node.kubernetes.io/unschedulable", "effect": "NoSchedule"}]}}


def opened(*nodes: Json) -> Action | None:
    web = workload(spec={"template": {"spec": {"nodeSelector": {"disk": "fast"}}}})
    own = replica_set(web)
    waits = unscheduled(own, MESSAGE, spec={"nodeSelector": {"disk": "fast"}})
    answer = looked_at([web, own, waits, *nodes])
    return next((item.action for item in answer.proposals if item.action.kind == "uncordon_node"), None)


def closed(name: str, **labels: str) -> Json:
    return merged(node(name, metadata={"labels": labels}), CLOSED)


def test_the_closed_node_that_would_take_them_is_opened() -> None:
    found = opened(closed("node-1"), closed("node-2", disk="fast"))
    assert found is not None
    assert found.target.name == "node-2"


@pytest.mark.parametrize(
    "there",
    [
        closed("node-1", disk="slow"),
        merged(closed("node-1", disk="fast"), {"spec": {"taints": [{"key": "dedicated", "value": "gpu", "effect": "NoSchedule"}]}}),
        merged(
            closed("node-1", disk="fast"),
            {"status": {"conditions": [{"type": "Ready", "status": "False", "lastTransitionTime": ago(minutes=60)}]}},
        ),
        node("node-1", metadata={"labels": {"disk": "fast"}}),
    ],
    ids=["another disk", "another taint", "not ready", "open"],
)
def test_a_node_that_would_not_take_them_or_is_unwell_stays_as_it_is(there: Json) -> None:
    assert opened(there) is None


def leaving(kind: str, name: str, *finalizers: str, minutes: float = 60) -> Json:
    return made(kind, name, namespace="old", metadata={"finalizers": list(finalizers), "deletionTimestamp": ago(minutes=minutes)})


def released(*objects: Json) -> Action | None:
    gone = made("Namespace", "old", namespace=None, metadata={"deletionTimestamp": ago(minutes=90)}, status={"phase": "Terminating"})
    answer = looked_at([gone, *objects])
    return answer.proposals[0].action if answer.proposals else None


def test_a_namespace_goes_by_what_is_held_the_longest() -> None:
    found = released(leaving("ConfigMap", "young", "example.com/a", minutes=20), leaving("Service", "old", "example.com/b", minutes=80))
    assert found is not None
    assert (found.kind, found.target.name) == ("clear_finalizers", "old")


@pytest.mark.parametrize(
    "held",
    [
        leaving("PersistentVolumeClaim", "data", "kubernetes.io/pvc-protection"),
        made("ConfigMap", "kept", namespace="old", metadata={"finalizers": ["example.com/a"]}),
        leaving("ConfigMap", "free"),
    ],
    ids=["Kubernetes' own", "not leaving", "not held"],
)
def test_what_kubernetes_itself_holds_or_nobody_does_stays(held: Json) -> None:
    assert released(held) is None
