"""The oracle of the fault library sees what is wrong with a cluster, and whom a cure harmed, from the live objects alone."""

import copy
from collections.abc import Callable
from typing import Any

import pytest

from simulator.controllers.cluster import NODES, SERVICES
from simulator.faults import oracle
from simulator.faults.ground import Home
from simulator.resources import RESOURCES

Small = Callable[..., Any]
Json = dict[str, Any]
WORKER = Home("Deployment", "apps", "worker", "worker", "registry.apps.example/worker:v3.0.1", 2)


def seen(box: Any) -> dict[str, list[Json]]:
    rows = {row.kind: row for row in reversed(RESOURCES)}
    return {kind: copy.deepcopy(box.store.list(rows[kind])) for kind in oracle.KINDS}


def test_a_healthy_cluster_has_no_ills(small: Small) -> None:
    assert oracle.ills(seen(small()), ["apps"]) == ()


@pytest.mark.parametrize("fault", ["crash-after-rollout", "image-missing", "unready-forever"])
def test_pods_that_are_not_ready_are_seen(fault: str, small: Small) -> None:
    found = oracle.ills(seen(small(web={"faults": [fault]})), ["apps"])
    assert any(line.startswith("apps/deployment/web: ") for line in found)


def test_a_service_that_leads_nowhere_is_seen(small: Small) -> None:
    box = small()
    box.patch(SERVICES, "apps", "web", lambda obj: obj["spec"].update(selector={"app": "other"}))
    box.patch(SERVICES, "apps", "store", lambda obj: obj["spec"]["ports"][0].update(targetPort=9999))
    assert oracle.ills(seen(box), ["apps"]) == ("apps/service/store: nobody listens on 9999", "apps/service/web: no ready pod behind it")


def test_a_sick_node_is_an_ill_until_it_takes_no_pods(small: Small) -> None:
    box = small(world={"nodes": [{"names": ["node-1", "node-2"], "cpu_milli": 16000, "memory_mib": 65536, "instance_type": "m6.4xlarge"}]})
    note = {"simulator.day2.dev/node": "disk-pressure"}
    box.patch(NODES, None, "node-1", lambda obj: obj["metadata"].setdefault("annotations", {}).update(note))
    assert "node/node-1: takes pods with DiskPressure" in oracle.ills(seen(box.wait(60)), ["apps"])
    box.patch(NODES, None, "node-1", lambda obj: obj["spec"].update(unschedulable=True))
    assert oracle.ills(seen(box.wait(60)), ["apps"]) == ()


def test_pods_of_others_that_go_or_restart_are_harm_and_those_of_the_victim_are_not(small: Small) -> None:
    box = small()
    before = seen(box)
    lost = box.pods("apps", "worker")[0]["metadata"]["name"]
    box.store.delete(oracle_row(), "apps", lost, grace_seconds=0)
    after = seen(box.wait(60))
    for pod in after["Pod"]:
        if pod["metadata"]["name"] == "store-0":
            pod["status"]["containerStatuses"][0]["restartCount"] += 1
    assert oracle.harmed(before, after, []) == ("apps/store-0 was restarted", f"apps/{lost} is gone")
    assert oracle.harmed(before, after, [WORKER]) == ("apps/store-0 was restarted",)


def oracle_row() -> Any:
    return next(row for row in RESOURCES if row.kind == "Pod")
