from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from core.cluster import capacity
from core.cluster.objects import PodSpec
from core.cluster.placing import Amounts

Make = Callable[..., Any]


def node(name: str, *, cpu: str = "4", memory: str = "8Gi", gpus: str = "0", ready: str = "True", **spec: Any) -> dict[str, Any]:
    has = {"cpu": cpu, "memory": memory, "nvidia.com/gpu": gpus, "pods": "10"}
    conditions = [{"type": "Ready", "status": ready}]
    return {
        "metadata": {"name": name, "labels": spec.pop("labels", {})},
        "spec": spec,
        "status": {"allocatable": has, "conditions": conditions},
    }


def container(cpu: str, memory: str = "0", **rest: Any) -> dict[str, Any]:
    return {"name": "c", "resources": {"requests": {"cpu": cpu, "memory": memory}}, **rest}


SPECS: list[tuple[dict[str, Any], Amounts]] = [
    ({"containers": [container("1", "1Gi"), container("500m", "512Mi")]}, Amounts(1500, 1536, 0, 1)),
    ({"containers": [container("1")], "initContainers": [container("3")]}, Amounts(3000, 0, 0, 1)),
    ({"containers": [container("1")], "initContainers": [container("500m")]}, Amounts(1000, 0, 0, 1)),
    ({"containers": [container("1")], "initContainers": [container("1", restartPolicy="Always"), container("2")]}, Amounts(3000, 0, 0, 1)),
    ({"containers": [container("1")], "initContainers": [container("2"), container("1", restartPolicy="Always")]}, Amounts(2000, 0, 0, 1)),
    ({"containers": [{"name": "c", "resources": {"limits": {"cpu": "2", "nvidia.com/gpu": 2}}}]}, Amounts(2000, 0, 2, 1)),
    ({"containers": [{"name": "c"}]}, Amounts(0, 0, 0, 1)),
]


@pytest.mark.parametrize(("spec", "expected"), SPECS, ids=str)
def test_a_pod_holds_the_larger_of_its_start_and_its_run(spec: dict[str, Any], expected: Amounts) -> None:
    assert capacity.pod_amounts(msgspec.convert(spec, PodSpec)) == expected


def test_what_is_free_leaves_out_pods_that_ended_or_are_not_placed(snapshot: Make, pod: Make) -> None:
    done = {**pod("done", cpu="2", node="n1"), "status": {"phase": "Succeeded"}}
    world = snapshot(Node=[node("n1")], Pod=[pod("a", cpu="1", memory="1Gi", node="n1"), done, pod("waiting", cpu="2")])
    assert capacity.Room(world).free("n1") == Amounts(3000, 7168, 0, 9)
    assert capacity.free_cpu_milli(world) == 3000


def test_nodes_that_take_no_pods_have_nothing_free(snapshot: Make) -> None:
    world = snapshot(Node=[node("a", unschedulable=True), node("b", ready="Unknown"), node("c")])
    assert capacity.free_cpu_milli(world) == 4000


def test_gpus_are_counted_where_they_are_held(snapshot: Make, pod: Make) -> None:
    world = snapshot(Node=[node("n1", gpus="4")], Pod=[pod("a", gpus="2", node="n1"), pod("b", gpus="1")])
    assert capacity.gpus_held(world.pods) == 2
    assert capacity.Room(world).free("n1").gpus == 2


RS = ("ReplicaSet", "rs")


def test_a_node_can_go_when_its_pods_fit_elsewhere(snapshot: Make, pod: Make) -> None:
    world = snapshot(Node=[node("n1"), node("n2")], Pod=[pod("a", cpu="3", node="n1", owner=RS), pod("b", cpu="1", node="n2", owner=RS)])
    assert capacity.repack(world).removable == ("n2",)


def test_right_sizing_frees_a_node_only_when_it_is_packed_again(snapshot: Make, pod: Make) -> None:
    pods = [pod("a", cpu="3", node="n1", owner=RS), pod("b", cpu="3", node="n2", owner=RS)]
    world = snapshot(Node=[node("n1"), node("n2")], Pod=pods)
    assert capacity.repack(world).removable == ()
    assert capacity.repack(world, {"uid-b": Amounts(cpu_milli=500)}).removable == ("n2",)


STUCK: list[tuple[dict[str, Any], str]] = [
    ({"owner": None}, "no controller"),
    ({"volumes": [{"name": "v", "emptyDir": {}}]}, "keeps data"),
    ({"volumes": [{"name": "v", "hostPath": {"path": "/x"}}]}, "keeps data"),
    ({"affinity": {"podAntiAffinity": {}}}, "affinity"),
    ({"nodeSelector": {"disk": "ssd"}}, "do not fit"),
    ({"cpu": "9"}, "do not fit"),
    ({"gpus": "1"}, "do not fit"),
]


@pytest.mark.parametrize(("parts", "reason"), STUCK, ids=str)
def test_a_node_stays_for_a_reason_that_is_said(parts: dict[str, Any], reason: str, snapshot: Make, pod: Make) -> None:
    stuck = pod("a", **{"cpu": "1", "owner": RS, "node": "n1", **parts})
    world = snapshot(Node=[node("n1", gpus="1"), node("n2")], Pod=[stuck, pod("b", cpu="2", node="n2", owner=None)])
    packing = capacity.repack(world)
    assert packing.removable == ()
    assert reason in dict(packing.kept)["n1"]


def test_taints_keep_pods_out_unless_they_tolerate_them(snapshot: Make, pod: Make) -> None:
    tainted = node("n2", taints=[{"key": "gpu", "value": "yes", "effect": "NoSchedule"}, {"key": "soft", "effect": "PreferNoSchedule"}])
    for toleration, fits in (
        ({"key": "gpu", "operator": "Equal", "value": "yes"}, True),
        ({"key": "gpu", "value": "no"}, False),
        ({"key": "gpu", "operator": "Exists", "effect": "NoSchedule"}, True),
        ({"key": "gpu", "operator": "Exists", "effect": "NoExecute"}, False),
        ({"operator": "Exists"}, True),
        ({"key": "other", "operator": "Exists"}, False),
    ):
        guest = pod("a", cpu="1", node="n1", owner=RS, tolerations=[toleration])
        world = snapshot(Node=[node("n1"), tainted], Pod=[guest, pod("b", cpu="2", node="n2", owner=None)])
        assert (capacity.repack(world).removable == ("n1",)) is fits, toleration


def test_the_last_node_stays_and_daemons_go_with_their_node(snapshot: Make, pod: Make) -> None:
    pods = [pod(f"d{n}", cpu="3", node=f"n{n}", owner=("DaemonSet", "ds")) for n in (1, 2)]
    packing = capacity.repack(snapshot(Node=[node("n1"), node("n2")], Pod=pods))
    assert packing.removable == ("n1",)
    assert dict(packing.kept) == {"n2": "it is the last node"}


def test_pods_moved_once_are_moved_again_and_never_lost(snapshot: Make, pod: Make) -> None:
    pods = [pod("a", cpu="1", node="n1", owner=RS), pod("b", cpu="2", node="n2", owner=RS), pod("c", cpu="3", node="n3", owner=RS)]
    packing = capacity.repack(snapshot(Node=[node("n1"), node("n2"), node("n3")], Pod=pods))
    assert packing.removable == ("n1",)


def test_an_odd_quantity_does_not_stop_the_count(snapshot: Make, pod: Make) -> None:
    world = snapshot(Node=[node("n1")], Pod=[pod("a", cpu="a lot", node="n1")])
    assert capacity.free_cpu_milli(world) == 4000
    assert capacity.gpus_held(world.pods) == 0
