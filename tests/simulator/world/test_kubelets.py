"""Pods do what their spec says: memory, resizes, deletion, and nodes that fall ill."""

from collections.abc import Callable
from typing import Any

import pytest

from simulator.controllers import scheduling
from simulator.controllers.cluster import DEPLOYMENTS, NODES, PDBS, PODS

Small = Callable[..., Any]


def container(pod: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = pod["status"]["containerStatuses"][0]
    return found


def resize(box: Any, pod: dict[str, Any], **amounts: dict[str, str]) -> None:
    """What the resize subresource stores."""

    def change(obj: dict[str, Any]) -> None:
        for field, wanted in amounts.items():
            obj["spec"]["containers"][0]["resources"].setdefault(field, {}).update(wanted)

    box.patch(PODS, pod["metadata"]["namespace"], pod["metadata"]["name"], change)


def test_a_container_above_its_memory_limit_is_killed_again_and_again(small: Small) -> None:
    box = small(worker={"faults": ["oom"]})
    pod = box.pods("apps", "worker")[0]
    assert container(pod)["lastState"]["terminated"]["reason"] == "OOMKilled"
    assert container(pod)["lastState"]["terminated"]["exitCode"] == 137
    before = container(pod)["restartCount"]
    box.wait(700)
    assert container(box.pods("apps", "worker")[0])["restartCount"] > before


def test_more_memory_cures_what_is_killed_and_a_restart_does_not(small: Small) -> None:
    box = small(worker={"faults": ["oom"]})

    def more(obj: dict[str, Any]) -> None:
        obj["spec"]["template"]["spec"]["containers"][0]["resources"] = {
            "requests": {"cpu": "400m", "memory": "1Gi"},
            "limits": {"memory": "1Gi"},
        }

    def again(obj: dict[str, Any]) -> None:
        obj["spec"]["template"]["metadata"].setdefault("annotations", {})["kubectl.kubernetes.io/restartedAt"] = "now"

    box.patch(DEPLOYMENTS, "apps", "worker", again)
    box.wait(300)
    assert any(container(pod)["restartCount"] > 0 for pod in box.pods("apps", "worker"))
    box.patch(DEPLOYMENTS, "apps", "worker", more)
    box.wait(600)
    assert [container(pod)["restartCount"] for pod in box.pods("apps", "worker")] == [0, 0]


def test_a_resize_converges_in_place_without_a_restart(small: Small) -> None:
    box = small()
    pod = box.pods("apps", "worker")[0]
    resize(box, pod, requests={"cpu": "600m"})
    box.wait(1)
    assert box.condition(box.pods("apps", "worker")[0], "PodResizeInProgress")["status"] == "True"
    box.wait(3)
    after = box.pods("apps", "worker")[0]
    assert container(after)["resources"]["requests"]["cpu"] == "600m"
    assert container(after)["allocatedResources"]["cpu"] == "600m"
    assert container(after)["restartCount"] == 0
    assert container(after)["containerID"] == container(pod)["containerID"]
    assert not box.condition(after, "PodResizeInProgress")


def test_a_resize_beyond_the_node_waits_as_infeasible(small: Small) -> None:
    box = small()
    resize(box, box.pods("apps", "worker")[0], requests={"cpu": "40"})
    box.wait(10)
    pod = box.pods("apps", "worker")[0]
    assert box.condition(pod, "PodResizePending")["reason"] == "Infeasible"
    assert container(pod)["resources"]["requests"]["cpu"] == "400m"


def test_a_resize_without_room_is_deferred_and_goes_on_when_there_is_room(small: Small) -> None:
    box = small(big={"replicas": 2, "cpu_request_milli": 12000, "cpu": {"busy_milli": 100}})
    resize(box, box.pods("apps", "worker")[0], requests={"cpu": "9"})
    box.wait(10)
    assert box.condition(box.pods("apps", "worker")[0], "PodResizePending")["reason"] == "Deferred"
    box.patch(DEPLOYMENTS, "apps", "big", lambda obj: obj["spec"].update(replicas=0))
    box.wait(120)
    assert container(box.pods("apps", "worker")[0])["resources"]["requests"]["cpu"] == "9"


def test_a_deleted_pod_ends_gracefully_and_is_replaced_under_a_new_name(small: Small) -> None:
    box = small()
    pod = box.pods("apps", "web")[0]
    box.store.delete(PODS, "apps", pod["metadata"]["name"], grace_seconds=30)
    box.wait(1)
    assert "deletionTimestamp" in box.get(PODS, "apps", pod["metadata"]["name"])["metadata"]
    box.wait(40)
    assert box.store.get(PODS, "apps", pod["metadata"]["name"]) is None
    assert len(box.pods("apps", "web")) == 3


def test_a_budget_counts_what_may_go(small: Small) -> None:
    box = small()
    assert box.get(PDBS, "apps", "web")["status"]["disruptionsAllowed"] == 1
    box.store.delete(PODS, "apps", box.pods("apps", "web")[0]["metadata"]["name"], grace_seconds=30)
    box.wait(1)
    status = box.get(PDBS, "apps", "web")["status"]
    assert (status["currentHealthy"], status["disruptionsAllowed"], status["expectedPods"]) == (2, 0, 3)
    box.wait(60)
    assert box.get(PDBS, "apps", "web")["status"]["disruptionsAllowed"] == 1


def test_nothing_new_goes_to_a_cordoned_node(small: Small) -> None:
    box = small()
    box.patch(NODES, None, "node-1", lambda obj: obj["spec"].update(unschedulable=True))
    box.patch(DEPLOYMENTS, "apps", "web", lambda obj: obj["spec"].update(replicas=8))
    box.wait(60)
    old = {pod["metadata"]["name"] for pod in box.pods("apps", "web")[:3]}
    assert len(old) == 3
    new = [pod for pod in box.pods("apps", "web") if pod["metadata"]["creationTimestamp"] > "2026-11-23T12"]
    assert {pod["spec"]["nodeName"] for pod in new} == {"node-2"}


@pytest.mark.parametrize(("fault", "kind", "status"), [("memory-pressure", "MemoryPressure", "True"), ("not-ready", "Ready", "False")])
def test_a_sick_node_says_so_and_is_tainted(small: Small, fault: str, kind: str, status: str) -> None:
    box = small(
        world={
            "nodes": [
                {"names": ["node-1", "node-2"], "cpu_milli": 16000, "memory_mib": 65536, "instance_type": "m6", "faults": {"node-1": fault}}
            ]
        }
    )
    node = box.get(NODES, None, "node-1")
    assert box.condition(node, kind)["status"] == status
    assert any(taint["effect"] == "NoSchedule" for taint in node["spec"]["taints"])
    assert not box.get(NODES, None, "node-2")["spec"].get("taints")


def test_pods_leave_a_lost_node_after_five_minutes(small: Small) -> None:
    box = small()
    box.patch(NODES, None, "node-1", lambda obj: obj["metadata"].setdefault("annotations", {}).update({"simulator.day2.dev/node": "lost"}))
    box.wait(120)
    node = box.get(NODES, None, "node-1")
    assert box.condition(node, "Ready")["status"] == "Unknown"
    assert any(pod["spec"]["nodeName"] == "node-1" for pod in box.pods("apps", "web"))
    box.wait(400)
    assert box.deployment("apps", "web")["status"]["readyReplicas"] == 3
    alive = [pod for pod in box.pods("apps", "web") if "deletionTimestamp" not in pod["metadata"]]
    assert {pod["spec"]["nodeName"] for pod in alive} == {"node-2"}


def test_what_fits_nowhere_says_why_in_the_schedulers_words(small: Small) -> None:
    box = small(huge={"cpu_request_milli": 20000})
    pod = box.pods("apps", "huge")[0]
    told = box.condition(pod, "PodScheduled")
    assert told["reason"] == "Unschedulable"
    assert told["message"].startswith("0/2 nodes are available: 2 Insufficient cpu.")


def test_no_node_is_ever_given_more_than_it_has(shop: Any) -> None:
    shop.set_floor("shop", "storefront", 12)
    shop.wait(600)
    for node in shop.store.list(NODES):
        free = scheduling.allocatable(node)
        for pod in shop.store.list(PODS):
            if pod["spec"].get("nodeName") == node["metadata"]["name"] and pod["status"].get("phase") not in ("Succeeded", "Failed"):
                for key, amount in scheduling.demand(pod).items():
                    free[key] = free.get(key, 0) - amount
        assert min(free.values()) >= 0, node["metadata"]["name"]


def test_fencing_a_lost_node_frees_its_pods_at_once(small: Small) -> None:
    box = small()
    box.patch(NODES, None, "node-1", lambda obj: obj["metadata"].setdefault("annotations", {}).update({"simulator.day2.dev/node": "lost"}))
    box.wait(400)
    stuck = [pod for pod in box.store.list(PODS, "apps") if "deletionTimestamp" in pod["metadata"]]
    assert stuck, "nobody ends pods on a machine that does not answer"
    taint = {"key": "node.kubernetes.io/out-of-service", "value": "nodeshutdown", "effect": "NoExecute"}
    box.patch(NODES, None, "node-1", lambda obj: obj["spec"]["taints"].append(taint))
    box.wait(120)
    assert not [pod for pod in box.store.list(PODS, "apps") if "deletionTimestamp" in pod["metadata"]]
    assert len(box.pods("apps", "store")) == 2


def tainting(**taint: str) -> Any:
    return lambda obj: obj["spec"].setdefault("taints", []).append({"effect": "NoExecute", **taint})


def on(box: Any, node: str) -> set[str]:
    """Names of the pods that stand there and stay."""
    return {
        pod["metadata"]["name"]
        for pod in box.store.list(PODS, "apps")
        if pod["spec"].get("nodeName") == node and "deletionTimestamp" not in pod["metadata"]
    }


def test_a_taint_that_a_pod_does_not_tolerate_takes_it_at_once_whoever_put_it_there(small: Small) -> None:
    box = small()
    assert on(box, "node-1")
    box.patch(NODES, None, "node-1", tainting(key="example.com/maintenance"))
    box.wait(1)
    assert not on(box, "node-1")


def test_of_what_tolerates_a_taint_the_shortest_time_counts_from_when_it_was_seen_there(small: Small) -> None:
    box = small()
    for name, tolerations in {
        "stays": [{"key": "example.com/slow", "operator": "Exists"}],
        "leaves": [{"key": "example.com/slow", "operator": "Exists", "tolerationSeconds": 120}],
        "never": [{"key": "example.com/slow", "operator": "Exists", "tolerationSeconds": -1}],
    }.items():
        spec = {
            "nodeName": "node-1",
            "containers": [{"name": "main", "image": "registry.apps.example/main:v1"}],
            "tolerations": tolerations,
        }
        box.store.create(PODS, {"metadata": {"name": name, "namespace": "apps"}, "spec": spec})
    box.wait(60)
    box.patch(NODES, None, "node-1", tainting(key="example.com/slow"))
    box.wait(110)
    assert on(box, "node-1") == {"stays", "leaves"}
    box.wait(20)
    assert on(box, "node-1") == {"stays"}


def test_a_taint_that_goes_in_time_takes_nobody_and_one_that_comes_again_counts_anew(small: Small) -> None:
    box = small()
    spec = {
        "nodeName": "node-1",
        "containers": [{"name": "main", "image": "registry.apps.example/main:v1"}],
        "tolerations": [{"key": "example.com/slow", "operator": "Exists", "tolerationSeconds": 120}],
    }
    box.store.create(PODS, {"metadata": {"name": "patient", "namespace": "apps"}, "spec": spec})
    box.wait(30)
    for _ in range(2):
        box.patch(NODES, None, "node-1", tainting(key="example.com/slow"))
        box.wait(90)
        assert "patient" in on(box, "node-1")
        box.patch(NODES, None, "node-1", lambda obj: obj["spec"].pop("taints"))
        box.wait(60)
    assert "patient" in on(box, "node-1")


def test_pods_wait_300_seconds_for_a_lost_node_by_tolerations_of_their_own(small: Small) -> None:
    box = small()
    there = on(box, "node-1")
    box.patch(NODES, None, "node-1", lambda obj: obj["metadata"].setdefault("annotations", {}).update({"simulator.day2.dev/node": "lost"}))
    box.wait(50 + 280)
    assert on(box, "node-1") == there
    box.wait(60)
    assert not on(box, "node-1")


def with_init(image: str) -> dict[str, Any]:
    main = {"name": "main", "image": "registry.apps.example/main:v1"}
    init = {"name": "prepare", "image": image}
    return {"metadata": {"name": "staged", "namespace": "apps"}, "spec": {"initContainers": [init], "containers": [main]}}


def test_a_pod_starts_after_its_init_containers(small: Small) -> None:
    box = small()
    box.store.create(PODS, with_init("registry.apps.example/prepare:v1"))
    box.wait(20)
    pod = box.get(PODS, "apps", "staged")
    assert pod["status"]["initContainerStatuses"][0]["state"]["terminated"]["reason"] == "Completed"
    assert box.condition(pod, "Initialized")["status"] == "True"
    assert box.condition(pod, "Ready")["status"] == "True"


@pytest.mark.parametrize(("tag", "state"), [("crash", "CrashLoopBackOff"), ("missing", "ImagePullBackOff"), ("unready", None)])
def test_an_init_container_that_fails_or_hangs_keeps_the_pod_from_starting(small: Small, tag: str, state: str | None) -> None:
    box = small()
    box.store.create(PODS, with_init(f"registry.apps.example/prepare:{tag}"))
    box.wait(60)
    pod = box.get(PODS, "apps", "staged")
    assert pod["status"]["phase"] == "Pending"
    init = pod["status"]["initContainerStatuses"][0]["state"]
    assert init.get("waiting", {}).get("reason") == state
    assert container(pod)["state"]["waiting"]["reason"] == "PodInitializing"
    assert box.condition(pod, "Initialized")["message"] == "containers with incomplete status: [prepare]"
