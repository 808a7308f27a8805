"""A gang works only when all its pods run, and gives its GPUs back when it is suspended."""

from typing import Any

from simulator.controllers.cluster import DEPLOYMENTS, JOBS, NODES, PODS
from simulator.controllers.gangs import GROUPS


def gpus_held(box: Any, namespace: str, workload: str) -> int:
    pods = [pod for pod in box.pods(namespace, workload) if pod["spec"].get("nodeName")]
    return sum(int(pod["spec"]["containers"][0]["resources"]["limits"]["nvidia.com/gpu"]) for pod in pods)


def test_three_of_four_pods_hold_gpus_for_nothing(shop: Any) -> None:
    pods = shop.pods("ml", "train-embeddings")
    pending = [pod for pod in pods if not pod["spec"].get("nodeName")]
    assert (len(pods), len(pending), gpus_held(shop, "ml", "train-embeddings")) == (4, 1, 3)
    told = shop.condition(pending[0], "PodScheduled")
    assert told["reason"] == "Unschedulable"
    assert "Insufficient cpu" in told["message"]
    assert told["lastTransitionTime"] == "2026-11-23T09:20:00Z"
    shop.wait(3600)
    job = shop.get(JOBS, "ml", "train-embeddings")
    assert job["status"].get("succeeded", 0) == 0
    assert job["status"]["active"] == 4


def test_suspending_the_job_frees_the_gpus(shop: Any) -> None:
    shop.patch(JOBS, "ml", "train-embeddings", lambda obj: obj["spec"].update(suspend=True))
    shop.wait(30)
    assert shop.pods("ml", "train-embeddings") == []
    job = shop.get(JOBS, "ml", "train-embeddings")
    assert shop.condition(job, "Suspended")["status"] == "True"
    assert job["status"].get("active", 0) == 0
    shop.patch(DEPLOYMENTS, "ml", "llm-serving", lambda obj: obj["spec"].update(replicas=3))
    shop.wait(200)
    assert shop.deployment("ml", "llm-serving")["status"]["readyReplicas"] == 3


def test_a_resumed_gang_with_room_for_all_finishes(shop: Any) -> None:
    shop.patch(JOBS, "ml", "train-embeddings", lambda obj: obj["spec"].update(suspend=True))
    shop.patch(DEPLOYMENTS, "ml", "llm-serving", lambda obj: obj["spec"].update(replicas=0))
    shop.wait(60)
    shop.patch(JOBS, "ml", "train-embeddings", lambda obj: obj["spec"].update(suspend=False))
    shop.wait(60)
    assert gpus_held(shop, "ml", "train-embeddings") == 4
    segment = next(each for each in shop.fleet.timeline.histories["ml", "train-embeddings"].segments if each.end == float("inf"))
    assert segment.condition.working
    shop.wait(7300)
    job = shop.get(JOBS, "ml", "train-embeddings")
    assert job["status"]["succeeded"] == 4
    assert shop.condition(job, "Complete")["status"] == "True"
    assert all(pod["status"]["phase"] == "Succeeded" for pod in shop.pods("ml", "train-embeddings"))
    assert shop.store.list(PODS, "ml")


def _member(name: str, group: str = "ring") -> dict[str, Any]:
    amounts = {"nvidia.com/gpu": "1", "cpu": "100m"}
    container = {"name": "work", "image": "train:1", "resources": {"requests": amounts, "limits": {"nvidia.com/gpu": "1"}}}
    toleration = {"key": "nvidia.com/gpu", "operator": "Exists"}
    spec = {"containers": [container], "schedulingGroup": {"podGroupName": group}, "tolerations": [toleration]}
    return {"metadata": {"name": name, "namespace": "ml"}, "spec": spec}


def _free_gpus(box: Any) -> int:
    """GPUs that nobody asked for, after the shop's own gang has let go of its own."""
    box.patch(JOBS, "ml", "train-embeddings", lambda obj: obj["spec"].update(suspend=True))
    box.wait(60)
    total = sum(int(node["status"]["allocatable"].get("nvidia.com/gpu", 0)) for node in box.store.list(NODES))
    pods = [pod for pod in box.store.list(PODS) if pod["spec"].get("nodeName")]
    asked = [each.get("resources", {}).get("limits", {}).get("nvidia.com/gpu", 0) for pod in pods for each in pod["spec"]["containers"]]
    return total - sum(map(int, asked))


def _bound(box: Any) -> int:
    return sum(1 for pod in box.store.list(PODS, "ml") if pod["metadata"]["name"].startswith("ring-") and pod["spec"].get("nodeName"))


def test_a_pod_group_is_bound_as_a_whole_or_not_at_all(shop: Any) -> None:
    free = _free_gpus(shop)
    gang = {"schedulingPolicy": {"gang": {"minCount": free + 1}}}
    shop.store.create(GROUPS, {"metadata": {"name": "ring", "namespace": "ml"}, "spec": gang})
    for number in range(free + 1):
        shop.store.create(PODS, _member(f"ring-{number}"))
    shop.wait(60)
    told = shop.condition(shop.get(GROUPS, "ml", "ring"), "PodGroupInitiallyScheduled")
    assert _bound(shop) == 0
    assert (told["status"], told["message"]) == ("False", f"minCount ({free + 1}) cannot be satisfied: {free} scheduled, 0 remaining")
    shop.patch(GROUPS, "ml", "ring", lambda obj: obj["spec"].update(schedulingPolicy={"gang": {"minCount": free}}))
    shop.wait(600)
    assert _bound(shop) == free
    assert shop.condition(shop.get(GROUPS, "ml", "ring"), "PodGroupInitiallyScheduled")["status"] == "True"


def test_a_gang_whose_members_are_not_there_yet_waits(shop: Any) -> None:
    assert _free_gpus(shop) > 0
    shop.store.create(GROUPS, {"metadata": {"name": "ring", "namespace": "ml"}, "spec": {"schedulingPolicy": {"gang": {"minCount": 2}}}})
    shop.store.create(PODS, _member("ring-0"))
    shop.wait(60)
    assert _bound(shop) == 0
