"""Deployments roll, stall and go back as the real controllers make them."""

from collections.abc import Callable
from typing import Any

import pytest

from simulator.controllers.cluster import DEPLOYMENTS, EVENTS, PODS, REPLICA_SETS, STATEFUL_SETS
from simulator.controllers.deployments import REVISION

Small = Callable[..., Any]


def ready(box: Any, name: str) -> int:
    return int(box.deployment("apps", name)["status"].get("readyReplicas", 0))


def test_a_new_image_rolls_out_without_going_below_the_allowed_number(small: Small) -> None:
    box = small()
    box.set_image("apps", "web", "registry.apps.example/web:v1.5.0")
    fewest = 3
    for _ in range(60):
        box.wait(2)
        fewest = min(fewest, ready(box, "web"))
    status = box.deployment("apps", "web")["status"]
    assert (status["readyReplicas"], status["updatedReplicas"], status["replicas"]) == (3, 3, 3)
    assert fewest == 3, "maxUnavailable 25 % of 3 rounds down to none"
    assert {pod["spec"]["containers"][0]["image"] for pod in box.pods("apps", "web")} == {"registry.apps.example/web:v1.5.0"}


def test_a_crashing_image_stalls_the_rollout_and_the_old_pods_go_on_serving(small: Small) -> None:
    box = small()
    box.set_image("apps", "web", "registry.apps.example/web:crash")
    box.wait(700)
    deployment = box.deployment("apps", "web")
    assert box.condition(deployment, "Progressing")["reason"] == "ProgressDeadlineExceeded"
    assert deployment["status"]["readyReplicas"] == 3
    crashing = [pod for pod in box.pods("apps", "web") if pod["spec"]["containers"][0]["image"].endswith(":crash")]
    status = crashing[0]["status"]["containerStatuses"][0]
    assert status["state"]["waiting"]["reason"] == "CrashLoopBackOff"
    assert status["lastState"]["terminated"]["exitCode"] == 1
    assert status["restartCount"] >= 5


@pytest.mark.parametrize("tag", ["crash", "missing", "unready"])
def test_the_right_image_cures_and_another_bad_one_does_not(small: Small, tag: str) -> None:
    box = small()
    box.set_image("apps", "web", f"registry.apps.example/web:{tag}")
    box.wait(120)
    assert box.deployment("apps", "web")["status"]["updatedReplicas"] == 1
    box.set_image("apps", "web", "registry.apps.example/web2:missing")
    box.wait(120)
    assert box.deployment("apps", "web")["status"].get("unavailableReplicas", 0) >= 1
    box.set_image("apps", "web", "registry.apps.example/web:v1.4.3")
    box.wait(120)
    status = box.deployment("apps", "web")["status"]
    assert (status["readyReplicas"], status["updatedReplicas"], status.get("unavailableReplicas", 0)) == (3, 3, 0)


def test_the_shop_begins_with_a_stalled_rollout_of_checkout(shop: Any) -> None:
    deployment = shop.deployment("shop", "checkout")
    assert deployment["metadata"]["annotations"][REVISION] == "2"
    assert box_revisions(shop) == {"1": (1, "v2.3.9"), "2": (2, "v2.4.0")}
    assert shop.condition(deployment, "Progressing")["status"] == "False"
    assert shop.condition(deployment, "Available")["status"] == "True", "one old pod is enough with maxUnavailable 2"


def box_revisions(box: Any) -> dict[str, tuple[int, str]]:
    sets = [each for each in box.store.list(REPLICA_SETS, "shop") if each["metadata"]["name"].startswith("checkout-")]
    image = {each["metadata"]["name"]: each["spec"]["template"]["spec"]["containers"][0]["image"].rpartition(":")[2] for each in sets}
    return {each["metadata"]["annotations"][REVISION]: (each["spec"]["replicas"], image[each["metadata"]["name"]]) for each in sets}


def test_going_back_to_the_old_template_reuses_its_replica_set_and_restores_service(shop: Any) -> None:
    old = next(
        each
        for each in shop.store.list(REPLICA_SETS, "shop")
        if each["metadata"]["annotations"].get(REVISION) == "1" and "checkout" in each["metadata"]["name"]
    )
    template = {"metadata": {**old["spec"]["template"]["metadata"]}, "spec": old["spec"]["template"]["spec"]}
    template["metadata"]["labels"] = {key: text for key, text in template["metadata"]["labels"].items() if key != "pod-template-hash"}
    shop.patch(DEPLOYMENTS, "shop", "checkout", lambda obj: obj["spec"].update(template=template))
    before = shop.p99_ms("shop", "checkout")
    shop.wait(120)
    deployment = shop.deployment("shop", "checkout")
    assert deployment["status"]["readyReplicas"] == 3
    assert shop.condition(deployment, "Progressing")["reason"] == "NewReplicaSetAvailable"
    assert deployment["metadata"]["annotations"][REVISION] == "3"
    assert box_revisions(shop) == {"3": (3, "v2.3.9"), "2": (0, "v2.4.0")}
    assert before > 1000 > 250 > shop.p99_ms("shop", "checkout")


def test_restarting_a_rollout_does_not_cure_a_broken_image(shop: Any) -> None:
    def stamp(obj: dict[str, Any]) -> None:
        obj["spec"]["template"]["metadata"].setdefault("annotations", {})["kubectl.kubernetes.io/restartedAt"] = "2026-11-23T12:21:00Z"

    shop.patch(DEPLOYMENTS, "shop", "checkout", stamp)
    shop.wait(300)
    assert shop.deployment("shop", "checkout")["status"]["readyReplicas"] == 1


def test_events_tell_what_happened_in_the_real_words(small: Small) -> None:
    box = small()
    box.set_image("apps", "web", "registry.apps.example/web:crash")
    box.wait(60)
    told = {(each["reason"], each["involvedObject"]["kind"]) for each in box.store.list(EVENTS, "apps")}
    wanted = {
        ("ScalingReplicaSet", "Deployment"),
        ("SuccessfulCreate", "ReplicaSet"),
        ("Scheduled", "Pod"),
        ("Pulled", "Pod"),
        ("BackOff", "Pod"),
    }
    assert wanted <= told


def test_a_stateful_set_replaces_its_pods_from_the_highest_down(small: Small) -> None:
    box = small()

    def change(obj: dict[str, Any]) -> None:
        obj["spec"]["template"]["spec"]["containers"][0]["image"] = "registry.apps.example/store:v16.3"

    box.patch(STATEFUL_SETS, "apps", "store", change)
    box.wait(5)
    images = {pod["metadata"]["name"]: pod["spec"]["containers"][0]["image"] for pod in box.pods("apps", "store")}
    assert images["store-0"].endswith("v16.2")
    box.wait(120)
    assert all(pod["spec"]["containers"][0]["image"].endswith("v16.3") for pod in box.pods("apps", "store"))
    status = box.get(STATEFUL_SETS, "apps", "store")["status"]
    assert (status["readyReplicas"], status["currentRevision"] == status["updateRevision"]) == (2, True)


def test_a_wedged_pod_stays_unready_until_it_is_deleted(small: Small) -> None:
    box = small(web={"faults": ["unready-forever"]})
    box.wait(600)
    sick = [pod for pod in box.pods("apps", "web") if box.condition(pod, "Ready")["status"] == "False"]
    assert len(sick) == 1
    box.running.cluster.delete_pod(box.get(PODS, "apps", sick[0]["metadata"]["name"]))
    box.wait(60)
    assert ready(box, "web") == 3
    assert sick[0]["metadata"]["name"] not in {pod["metadata"]["name"] for pod in box.pods("apps", "web")}


def test_old_replica_sets_are_forgotten_beyond_the_history_limit(small: Small) -> None:
    box = small()
    box.patch(DEPLOYMENTS, "apps", "web", lambda obj: obj["spec"].update(revisionHistoryLimit=2))
    for number in range(5):
        box.set_image("apps", "web", f"registry.apps.example/web:v2.{number}.0")
        box.wait(90)
    sets = [each for each in box.store.list(REPLICA_SETS, "apps") if each["metadata"]["name"].startswith("web-")]
    assert len(sets) == 3
    assert box.deployment("apps", "web")["metadata"]["annotations"][REVISION] == "6"


def test_the_missing_key_cures_the_new_image_too(shop: Any) -> None:
    def give(obj: dict[str, Any]) -> None:
        obj["spec"]["template"]["spec"]["containers"][0]["env"] = [{"name": "PAYMENT_TIMEOUT", "value": "30s"}]

    shop.patch(DEPLOYMENTS, "shop", "checkout", give)
    shop.wait(120)
    assert shop.deployment("shop", "checkout")["status"]["readyReplicas"] == 3
