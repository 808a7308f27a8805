"""Pods are placed on nodes that take them and have room; a closed node must not be missed."""

from typing import Any

import pytest

from gate.judging import amounts
from gate.judging.room import Room, accepts, pinned

Json = dict[str, Any]
OWNED = [{"kind": "ReplicaSet", "name": "cart-1", "controller": True}]


def node(name: str, cpu: str = "4", memory: str = "16Gi", gpus: int = 0, pods: int = 110, **spec: Any) -> Json:
    has = {"cpu": cpu, "memory": memory, "nvidia.com/gpu": str(gpus), "pods": str(pods)}
    labels = {"kubernetes.io/hostname": name, **spec.pop("labels", {})}
    status = {"allocatable": has, "conditions": [{"type": "Ready", "status": "True"}]}
    return {"kind": "Node", "metadata": {"name": name, "labels": labels}, "spec": spec, "status": status}


def pod(on: str = "", cpu: str = "1", memory: str = "1Gi", gpus: int = 0, owners: Any = OWNED, **spec: Any) -> Json:
    asked = {"cpu": cpu, "memory": memory} | ({"nvidia.com/gpu": str(gpus)} if gpus else {})
    placed = {"nodeName": on} if on else {}
    return {"metadata": {"ownerReferences": owners}, "spec": {"containers": [{"resources": {"requests": asked}}], **placed, **spec}}


def test_as_many_find_a_node_as_there_is_room_for() -> None:
    room = Room([node("a"), node("b")], [pod("a", cpu="3")])
    assert room.homeless([pod()] * 5) == 0
    assert room.homeless([pod()] * 7) == 2


def test_room_in_pieces_holds_no_large_pod() -> None:
    room = Room([node("a"), node("b")], [pod("a", cpu="2"), pod("b", cpu="2")])
    assert room.homeless([pod(cpu="3")]) == 1


@pytest.mark.parametrize(
    ("closed", "coming"),
    [
        (node("a", unschedulable=True), pod()),
        (node("a", taints=[{"key": "gpu", "value": "present", "effect": "NoSchedule"}]), pod()),
        (node("a"), pod(nodeSelector={"disk": "local"})),
        (node("a", memory="512Mi"), pod()),
        (node("a", pods=0), pod()),
        (node("a", gpus=1), pod(gpus=2)),
        (node("a") | {"status": {}}, pod()),
    ],
    ids=["cordoned", "tainted", "not selected", "no memory", "no place", "too few GPUs", "not ready"],
)
def test_a_node_that_does_not_take_a_pod_is_no_room(closed: Json, coming: Json) -> None:
    assert Room([closed], []).homeless([coming]) == 1


def test_selected_and_tolerated_nodes_are_room() -> None:
    taint = {"key": "gpu", "value": "present", "effect": "NoSchedule"}
    wanted = pod(tolerations=[{"key": "gpu", "operator": "Exists"}], nodeSelector={"disk": "local"})
    assert accepts(node("a", taints=[taint], labels={"disk": "local"}), wanted)
    assert accepts(node("a", taints=[taint | {"effect": "PreferNoSchedule"}]), pod())


def test_a_pinned_pod_finds_room_on_its_node_alone() -> None:
    room = Room([node("a"), node("b")], [pod("a", cpu="4")])
    assert [room.homeless([pinned(pod(), name)]) for name in "ab"] == [1, 0]


def test_required_node_affinity_is_one_of_its_terms() -> None:
    terms = [{"matchExpressions": [{"key": "disk", "operator": "In", "values": [value]}]} for value in ("local", "fast")]
    wanted = pod(affinity={"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": terms}}})
    assert accepts(node("a", labels={"disk": "fast"}), wanted)
    assert not accepts(node("a"), wanted)


def test_a_node_whose_pods_have_room_elsewhere_may_close() -> None:
    assert Room([node(name) for name in "abc"], [pod("a"), pod("b"), pod("c")]).without("a") == 0


def test_its_own_pods_would_not_come_up_again() -> None:
    room = Room([node(name) for name in "abc"], [pod("a", cpu="2"), pod("b", cpu="3"), pod("c", cpu="3")])
    assert room.without("a") == 1


def test_one_more_node_could_not_be_lost() -> None:
    held = [pod(name, cpu="2") for name in "abc"]
    assert Room([node(name) for name in "abc"], held).without("a") == 1
    assert Room([node(name) for name in "abcd"], held).without("d") == 1


def test_the_only_other_node_of_its_sort_could_not_be_lost_though_fuller_ones_could() -> None:
    local = {"disk": "local"}
    nodes = [node("a", labels=local), node("b", labels=local), *(node(name, cpu="40", memory="160Gi") for name in "cd")]
    bound, full = pod("b", nodeSelector=local), [pod("c", cpu="8", memory="16Gi"), pod("c"), pod("d")]
    assert Room(nodes, [bound, *full]).without("a") == 1
    assert Room([*nodes, node("e", labels=local)], [bound, *full]).without("a") == 0
    assert Room(nodes, full).without("a") == 0


def test_what_fits_nowhere_either_way_is_not_the_closed_nodes_fault() -> None:
    pinned = pod("b", cpu="2", nodeSelector={"kubernetes.io/hostname": "b"})
    assert Room([node(name) for name in "abc"], [pinned]).without("a") == 0


def test_pods_that_go_with_their_node_need_no_other() -> None:
    stays = pod("a", cpu="4", owners=[{"kind": "DaemonSet", "name": "agent", "controller": True}])
    assert Room([node(name, cpu="5") for name in "abc"], [stays, pod("a", owners=[])]).without("a") == 0


def test_each_other_node_keeps_a_reserve() -> None:
    assert Room([node("a"), node("b", cpu="10")], [pod("a", cpu="9100m")]).without("a") == 1
    assert Room([node("a"), node("b", cpu="10")], [pod("a", cpu="8")]).without("a") == 0


def test_the_last_node_leaves_its_pods_nowhere() -> None:
    assert Room([node("a")], [pod("a")]).without("a") == 1


def test_a_pod_holds_what_its_init_containers_need_before_and_its_sidecars_beside() -> None:
    first = [{"resources": {"requests": {"cpu": "3"}}}, {"restartPolicy": "Always", "resources": {"requests": {"cpu": "500m"}}}]
    assert amounts.size(pod(initContainers=first))[:2] == (3500, 1024)
    assert amounts.size(pod(initContainers=first[1:]))[:2] == (1500, 1024)


def test_a_node_is_missed_when_the_last_other_of_its_sort_is_lost_though_fuller_ones_of_another_sort_are_there() -> None:
    """Two large nodes carry each other; the small ones are fuller by every amount, and what is lost there finds room anyway."""
    large = [node(name, cpu="16", memory="64Gi") for name in ("large-1", "large-2")]
    small = [node(name, cpu="8", memory="16Gi") for name in ("small-1", "small-2")]
    pods = [pod(name, cpu="5", memory="4Gi") for name in ("large-1", "large-2")]
    pods += [pod(name, cpu="1", memory="1Gi") for name in ("small-1", "small-2") for _ in range(6)]
    assert Room([*small, *large], pods).without("large-1") > 0
    third = node("large-3", cpu="16", memory="64Gi")
    assert Room([*small, *large, third], pods).without("large-1") == 0
