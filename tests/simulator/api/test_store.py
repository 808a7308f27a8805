"""The store keeps versions, generations and owners as an API server does."""

from collections.abc import Callable
from typing import Any

import pytest

from simulator.errors import ApiError
from simulator.history import KEPT_CHANGES
from simulator.resources import resource
from tests.simulator.api.conftest import Box

Json = dict[str, Any]
DEPLOYMENTS, SETS, PODS = resource("apps", "deployments"), resource("apps", "replicasets"), resource("", "pods")
NAMESPACES, CONFIG_MAPS = resource("", "namespaces"), resource("", "configmaps")


def owned_by(owner: Json, **more: Any) -> list[Json]:
    return [
        {
            "apiVersion": owner["apiVersion"],
            "kind": owner["kind"],
            "name": owner["metadata"]["name"],
            "uid": owner["metadata"]["uid"],
            **more,
        }
    ]


def test_each_write_moves_the_version_and_a_write_without_change_does_not(box: Box, web: Callable[..., Json]) -> None:
    first = box.store.create(DEPLOYMENTS, web())
    again = box.store.update(DEPLOYMENTS, first)
    assert again["metadata"]["resourceVersion"] == first["metadata"]["resourceVersion"]
    first["metadata"]["labels"]["tier"] = "front"
    changed = box.store.update(DEPLOYMENTS, first)
    assert int(changed["metadata"]["resourceVersion"]) > int(first["metadata"]["resourceVersion"])
    assert box.store.version() == int(changed["metadata"]["resourceVersion"])


def test_a_stale_version_is_a_conflict_in_the_real_words(box: Box, web: Callable[..., Json]) -> None:
    old = box.store.create(DEPLOYMENTS, web())
    box.store.update(DEPLOYMENTS, {**old, "spec": {**old["spec"], "replicas": 5}})
    with pytest.raises(ApiError) as refused:
        box.store.update(DEPLOYMENTS, {**old, "spec": {**old["spec"], "replicas": 6}})
    assert (refused.value.code, refused.value.reason) == (409, "Conflict")
    assert "the object has been modified; please apply your changes to the latest version and try again" in refused.value.message


def test_generation_moves_with_the_spec_and_not_with_status_or_labels(box: Box, web: Callable[..., Json]) -> None:
    made = box.store.create(DEPLOYMENTS, web())
    made["status"] = {"replicas": 2}
    assert box.store.update(DEPLOYMENTS, made, subresource="status")["metadata"]["generation"] == 1
    labelled = box.store.get(DEPLOYMENTS, "shop", "web")
    assert labelled
    labelled["metadata"]["labels"]["x"] = "y"
    assert box.store.update(DEPLOYMENTS, labelled)["metadata"]["generation"] == 1
    labelled = box.store.get(DEPLOYMENTS, "shop", "web")
    assert labelled
    labelled["spec"]["replicas"] = 9
    assert box.store.update(DEPLOYMENTS, labelled)["metadata"]["generation"] == 2


def test_spec_and_status_are_written_apart(box: Box, web: Callable[..., Json]) -> None:
    made = box.store.create(DEPLOYMENTS, web(replicas=2))
    both = {**made, "spec": {**made["spec"], "replicas": 7}, "status": {"replicas": 1}}
    after = box.store.update(DEPLOYMENTS, both, subresource="status")
    assert (after["spec"]["replicas"], after["status"]) == (2, {"replicas": 1})
    after = box.store.update(DEPLOYMENTS, {**after, "spec": {**after["spec"], "replicas": 7}, "status": {"replicas": 99}})
    assert (after["spec"]["replicas"], after["status"]) == (7, {"replicas": 1})


def test_what_is_read_once_never_changes(box: Box, web: Callable[..., Json]) -> None:
    made = box.store.create(DEPLOYMENTS, web())
    view = box.store.list(DEPLOYMENTS)[0]
    made["spec"]["replicas"] = 9
    box.store.update(DEPLOYMENTS, made)
    assert view["spec"]["replicas"] == 2
    copied = box.store.get(DEPLOYMENTS, "shop", "web")
    assert copied
    copied["spec"]["replicas"] = 1
    assert box.store.list(DEPLOYMENTS)[0]["spec"]["replicas"] == 9


def test_lists_are_ordered_by_namespace_and_name(box: Box) -> None:
    for namespace, name in (("shop", "b"), ("default", "z"), ("shop", "a"), ("shop-2", "a")):
        box.store.create(CONFIG_MAPS, {"metadata": {"name": name, "namespace": namespace}})
    every = [(each["metadata"]["namespace"], each["metadata"]["name"]) for each in box.store.list(CONFIG_MAPS)]
    assert every == [("default", "z"), ("shop", "a"), ("shop", "b"), ("shop-2", "a")]
    assert [each["metadata"]["name"] for each in box.store.list(CONFIG_MAPS, "shop")] == ["a", "b"]


def test_ids_follow_from_the_seed(another_box: Callable[[int], Box], web: Callable[..., Json]) -> None:
    def made(seed: int) -> tuple[str, str]:
        meta = another_box(seed).store.create(PODS, {"metadata": {"generateName": "web-", "namespace": "shop"}, "spec": {}})["metadata"]
        return meta["uid"], meta["name"]

    assert made(1) == made(1) != made(2)


def test_a_dry_run_stores_nothing_and_uses_up_no_id(box: Box, another_box: Callable[[int], Box], web: Callable[..., Json]) -> None:
    before = box.store.version()
    shown = box.store.create(DEPLOYMENTS, web(), dry_run=True)
    assert "resourceVersion" not in shown["metadata"]
    assert box.store.version() == before
    assert box.store.get(DEPLOYMENTS, "shop", "web") is None
    real = box.store.create(DEPLOYMENTS, web())
    assert real["metadata"]["uid"] == another_box(7).store.create(DEPLOYMENTS, web())["metadata"]["uid"]
    assert box.store.delete(DEPLOYMENTS, "shop", "web", dry_run=True)
    assert box.store.get(DEPLOYMENTS, "shop", "web") is not None


def test_dependents_go_with_their_owner(box: Box, web: Callable[..., Json]) -> None:
    deploy = box.store.create(DEPLOYMENTS, web())
    made = box.store.create(SETS, {"metadata": {"name": "web-1", "namespace": "shop", "ownerReferences": owned_by(deploy)}, "spec": {}})
    box.store.create(PODS, {"metadata": {"name": "p", "namespace": "shop", "ownerReferences": owned_by(made)}, "spec": {}})
    box.store.delete(DEPLOYMENTS, "shop", "web")
    assert box.store.list(SETS) == []
    assert box.store.list(PODS) == []


def test_orphans_stay_and_lose_the_reference(box: Box, web: Callable[..., Json]) -> None:
    deploy = box.store.create(DEPLOYMENTS, web())
    box.store.create(SETS, {"metadata": {"name": "web-1", "namespace": "shop", "ownerReferences": owned_by(deploy)}, "spec": {}})
    box.store.delete(DEPLOYMENTS, "shop", "web", propagation="Orphan")
    assert "ownerReferences" not in box.store.list(SETS)[0]["metadata"]


def test_foreground_deletion_waits_for_the_dependents(box: Box, a_pod: Callable[..., Json], web: Callable[..., Json]) -> None:
    deploy = box.store.create(DEPLOYMENTS, web())
    box.store.create(PODS, a_pod("p", "n1", ownerReferences=owned_by(deploy, blockOwnerDeletion=True)))
    marked = box.store.delete(DEPLOYMENTS, "shop", "web", propagation="Foreground")
    assert marked
    assert marked["metadata"]["finalizers"] == ["foregroundDeletion"]
    assert box.store.list(PODS)[0]["metadata"]["deletionGracePeriodSeconds"] == 30
    box.store.delete(PODS, "shop", "p")
    assert box.store.get(DEPLOYMENTS, "shop", "web") is None


def test_a_dependent_with_another_living_owner_stays(box: Box, web: Callable[..., Json]) -> None:
    one, other = box.store.create(DEPLOYMENTS, web("one")), box.store.create(DEPLOYMENTS, web("other"))
    references = owned_by(one) + owned_by(other)
    box.store.create(CONFIG_MAPS, {"metadata": {"name": "c", "namespace": "shop", "ownerReferences": references}})
    box.store.delete(DEPLOYMENTS, "shop", "one")
    assert box.store.list(CONFIG_MAPS)[0]["metadata"]["ownerReferences"] == owned_by(other)


def test_a_finalizer_holds_an_object_until_it_is_removed(box: Box) -> None:
    made = box.store.create(CONFIG_MAPS, {"metadata": {"name": "c", "namespace": "shop", "finalizers": ["example.test/hold"]}})
    marked = box.store.delete(CONFIG_MAPS, "shop", "c")
    assert marked
    assert "deletionTimestamp" in marked["metadata"]
    del made["metadata"]["finalizers"], made["metadata"]["resourceVersion"]
    box.store.update(CONFIG_MAPS, made)
    assert box.store.get(CONFIG_MAPS, "shop", "c") is None


def test_a_namespace_goes_when_its_finalizer_does(box: Box) -> None:
    marked = box.store.delete(NAMESPACES, None, "shop")
    assert marked
    assert marked["status"]["phase"] == "Terminating"
    box.store.update(NAMESPACES, {**marked, "spec": {}})
    assert box.store.get(NAMESPACES, None, "shop") is not None
    box.store.update(NAMESPACES, {**marked, "spec": {}, "metadata": {"name": "shop"}}, subresource="finalize")
    assert box.store.get(NAMESPACES, None, "shop") is None


def test_a_pod_on_a_node_is_marked_and_ends_with_its_kubelet(box: Box, a_pod: Callable[..., Json]) -> None:
    box.store.create(PODS, a_pod("p", "n1"))
    marked = box.store.delete(PODS, "shop", "p", grace_seconds=30)
    assert marked
    assert marked["metadata"]["deletionTimestamp"] == "2026-11-23T12:20:30Z"
    shorter = box.store.delete(PODS, "shop", "p", grace_seconds=5)
    assert shorter
    assert shorter["metadata"]["deletionGracePeriodSeconds"] == 5
    box.store.delete(PODS, "shop", "p")
    assert box.store.get(PODS, "shop", "p") is None


def test_changes_are_remembered_from_a_version_on_until_they_are_forgotten(box: Box) -> None:
    since = box.store.version()
    box.store.create(CONFIG_MAPS, {"metadata": {"name": "c", "namespace": "shop"}})
    box.store.delete(CONFIG_MAPS, "shop", "c")
    assert [change.type for change in box.store.watch(CONFIG_MAPS, since)] == ["ADDED", "DELETED"]
    box.store.forget_changes()
    with pytest.raises(ApiError, match="too old resource version"):
        box.store.watch(CONFIG_MAPS, since)
    assert box.store.watch(CONFIG_MAPS, box.store.version()) == []


def test_only_so_many_changes_are_remembered(box: Box) -> None:
    since = box.store.version()
    for number in range(KEPT_CHANGES + 1):
        made = box.store.get(CONFIG_MAPS, "shop", "c") or {"metadata": {"name": "c", "namespace": "shop"}}
        write = box.store.update if "uid" in made["metadata"] else box.store.create
        write(CONFIG_MAPS, {**made, "data": {"n": str(number)}})
    with pytest.raises(ApiError, match="too old resource version"):
        box.store.watch(CONFIG_MAPS, since)
    assert len(box.store.watch(CONFIG_MAPS, since + 1)) == KEPT_CHANGES
