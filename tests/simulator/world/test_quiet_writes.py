"""What is written often and read seldom says what it would say had it been written each time."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from simulator.clock import parse
from simulator.controllers.cluster import DEPLOYMENTS, ENDPOINTS, HPAS, LEASES, NODES, PDBS, PODS, PREFIX
from simulator.patching import managed_fields

Small = Callable[..., Any]


def renewed(box: Any, node: str) -> Any:
    return parse(box.get(LEASES, "kube-node-lease", node)["spec"]["renewTime"])


def test_a_lease_is_as_young_as_its_last_beat_whenever_it_is_read(small: Small) -> None:
    box = small()
    for seconds in (35, 3600, 7):
        box.wait(seconds)
        assert box.now - renewed(box, "node-1") < timedelta(seconds=10)
        listed = {lease["metadata"]["name"]: lease for lease in box.store.list(LEASES, "kube-node-lease")}
        assert listed["node-2"]["spec"]["renewTime"] == box.get(LEASES, "kube-node-lease", "node-2")["spec"]["renewTime"]


def test_who_watches_is_told_of_each_beat(small: Small) -> None:
    box = small()
    seen: list[int] = []
    stop = box.store.subscribe(lambda: seen.append(box.store.version()))
    version = box.store.version()
    box.wait(60)
    stop()
    assert len(box.store.watch(LEASES, version)) == 2 * 6
    assert len(seen) >= 12


def test_the_lease_of_a_lost_node_ends_with_the_node_and_is_noticed_in_time(small: Small) -> None:
    box = small()
    box.wait(600)
    lost = box.now
    box.patch(NODES, None, "node-2", lambda obj: obj["metadata"].setdefault("annotations", {}).update({f"{PREFIX}node": "lost"}))
    box.wait(40)
    assert box.condition(box.get(NODES, None, "node-2"), "Ready")["status"] == "True"
    box.wait(20)
    assert box.condition(box.get(NODES, None, "node-2"), "Ready")["status"] == "Unknown"
    assert lost - timedelta(seconds=10) <= renewed(box, "node-2") <= lost


def test_budgets_and_endpoints_follow_every_change_of_their_pods(small: Small) -> None:
    box = small()

    def seen() -> tuple[int, int, int]:
        budget = box.get(PDBS, "apps", "web")["status"]
        subsets = box.get(ENDPOINTS, "apps", "web").get("subsets") or [{}]
        return budget["expectedPods"], budget["currentHealthy"], len(subsets[0].get("addresses", ()))

    assert seen() == (3, 3, 3)
    box.patch(DEPLOYMENTS, "apps", "web", lambda obj: obj["spec"].update(replicas=5))
    box.wait(60)
    assert seen() == (5, 5, 5)
    pod = box.pods("apps", "web")[0]["metadata"]["name"]
    box.patch(PODS, "apps", pod, lambda obj: obj["metadata"].setdefault("annotations", {}).update({f"{PREFIX}state": "not-ready"}))
    box.wait(60)
    assert seen() == (5, 4, 4)
    box.patch(PDBS, "apps", "web", lambda obj: obj["spec"].update(minAvailable=4))
    box.wait(5)
    assert box.get(PDBS, "apps", "web")["status"]["disruptionsAllowed"] == 0
    box.store.delete(ENDPOINTS, "apps", "web")
    box.wait(5)
    assert seen() == (5, 4, 4)


def test_a_status_that_changes_its_values_keeps_its_owner_and_moves_its_time(small: Small) -> None:
    box = small(web={"hpa": {"min_replicas": 2, "max_replicas": 6}})
    hpa = box.get(HPAS, "apps", "web")
    box.wait(840)
    later = box.get(HPAS, "apps", "web")
    assert later["status"] != hpa["status"]
    (before,), (after,) = ([each for each in item["metadata"]["managedFields"] if each.get("subresource")] for item in (hpa, later))
    assert after["time"] > before["time"]
    full = managed_fields.record(
        None, {"status": later["status"]}, box.store.kinds.node(HPAS), manager="m", subresource="status", moment="now"
    )
    assert after["fieldsV1"] == full[0]["fieldsV1"]


def test_items_that_come_go_or_change_their_key_are_owned_anew() -> None:
    same = managed_fields._has_same_fields
    entry = {"type": "Ready", "status": "True"}
    assert same({"conditions": [entry]}, {"conditions": [{**entry, "status": "False"}]})
    assert not same({"conditions": [entry]}, {"conditions": [{**entry, "type": "Other"}]})
    assert not same({"conditions": [entry]}, {"conditions": [entry, {**entry, "type": "Other"}]})
    assert not same({"conditions": [entry]}, {"conditions": [{**entry, "reason": "new"}]})
    assert not same({"names": ["a"]}, {"names": ["b"]})
    assert not same({"a": {"b": 1}}, {"a": 1})
    assert not same({"a": 1}, {"a": None})
