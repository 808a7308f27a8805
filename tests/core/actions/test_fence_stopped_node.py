"""What proves that a machine is stopped, and what does not."""

from typing import Any

import pytest

from core.actions.catalogue import parse_action
from core.actions.fence_stopped_node import SHUTDOWN, stopped
from core.domain.action import Live
from core.domain.errors import Refused
from core.domain.values import Json

NODE: Json = {"metadata": {"uid": "uid-n1"}, "spec": {}}
OFF = {"type": "InfrastructureReady", "status": "False", "reason": "InstanceStopped"}


def machine(*conditions: Json, uid: str = "uid-n1") -> Json:
    return {"status": {"nodeRef": {"uid": uid}, "conditions": list(conditions)}}


@pytest.mark.parametrize(
    ("said", "proof"),
    [
        (machine(OFF), True),
        (machine(OFF | {"reason": "InstanceTerminated"}), True),
        (machine({"type": "Ready", "status": "True"}, OFF), True),
        (machine(OFF | {"status": "True"}), False),
        (machine(OFF | {"reason": "Deleting"}), False),
        (machine(OFF | {"type": "Ready"}), False),
        (machine(OFF, uid="uid-of-before"), False),
        (machine(), False),
        ({"status": {"nodeRef": {"uid": "uid-n1"}}}, False),
        ({}, False),
        (None, False),
    ],
)
def test_a_machine_of_this_very_node_must_say_so(said: Any, proof: bool) -> None:
    assert stopped(NODE, said) is proof


def test_the_cloud_controllers_taint_is_proof_by_itself() -> None:
    assert stopped({**NODE, "spec": {"taints": [{"key": "other"}, {"key": SHUTDOWN}]}}, None)
    assert not stopped({**NODE, "spec": {"taints": None}}, None)


def test_the_machine_is_read_by_its_name_and_only_where_one_is_named(documents: dict[str, Json]) -> None:
    named = parse_action(documents["fence_stopped_node"])
    (target,) = named.related()
    assert (target.kind, target.group, target.namespace, target.name) == ("Machine", "cluster.x-k8s.io", "shop", "pool-a-1")
    assert parse_action(documents["fence_stopped_node"] | {"machine": "", "machine_namespace": ""}).related() == ()


def test_a_node_is_taken_back_without_asking_whether_its_machine_is_stopped(documents: dict[str, Json], cases: Any) -> None:
    live = cases["fence_stopped_node"].live
    taints = [{"key": "node.kubernetes.io/out-of-service", "value": "nodeshutdown", "effect": "NoExecute"}]
    back = {**live.object, "spec": {"taints": taints}, "status": {"conditions": [{"type": "Ready", "status": "True"}]}}
    lifting = parse_action(documents["fence_stopped_node"] | {"lift": True})
    assert lifting.request(Live(back, {})).body
    with pytest.raises(Refused):
        parse_action(documents["fence_stopped_node"]).request(Live(back, {}))
