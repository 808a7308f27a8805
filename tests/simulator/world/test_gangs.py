"""A gang works only when all its pods run, and gives its GPUs back when it is suspended."""

from typing import Any

from simulator.controllers.cluster import DEPLOYMENTS, JOBS, PODS


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
