"""What is null, absent, odd or just at its limit in the objects that actions meet."""

import copy
from typing import Any

import pytest

from core.actions import aiming, delete_pod, label_namespace, rollback_rollout, set_requests
from core.actions.catalogue import parse_action
from core.domain.action import Live
from core.domain.errors import Conflict, InvalidInput, Refused


@pytest.mark.parametrize(
    ("text", "revision"),
    [("7", 7), ("999999999", 999_999_999), ("1000000000", 0), ("٣", 0), ("-1", 0), ("", 0), ("7a", 0), (None, 0)],
)
def test_a_revision_is_a_number_of_at_most_nine_digits_or_none(text: Any, revision: int) -> None:
    item = {"metadata": {"annotations": {rollback_rollout.REVISION: text}}}
    assert rollback_rollout._revision(item) == revision


@pytest.mark.parametrize("item", [{}, {"metadata": None}, {"metadata": {"annotations": None}}])
def test_what_names_no_revision_has_none(item: Any) -> None:
    assert rollback_rollout._revision(item) == 0


def test_templates_without_their_parts_are_empty_ones() -> None:
    assert rollback_rollout._template({"spec": {}}) == {"metadata": {"labels": {}}}
    assert rollback_rollout._template({"spec": {"template": {"metadata": None}}}) == {"metadata": {"labels": {}}}
    assert rollback_rollout._template({"spec": {"template": {"metadata": {"labels": None}}}}) == {"metadata": {"labels": {}}}
    for template in ({}, {"spec": None}, {"spec": {"containers": None}}):
        assert rollback_rollout._images(template) == {}
        assert rollback_rollout._without_images(template)["spec"]["containers"] == []
    assert set_requests._pod_spec({"spec": {"template": None}}) == {}
    assert label_namespace._labels({"metadata": None}) == label_namespace._labels({}) == {}


def test_the_controller_of_an_older_replica_set_counts_and_no_other_owner(cases: Any) -> None:
    action, live = cases["rollback_rollout"]
    older = copy.deepcopy(live.related["cart-6"])
    older["metadata"]["ownerReferences"].insert(0, {"kind": "Backup", "uid": "uid-other"})
    assert action.request(Live(live.object, {"cart-6": older}))
    for meta in (None, {"uid": "uid-cart-6", "ownerReferences": None}):
        with pytest.raises(Conflict):
            action.request(Live(live.object, {"cart-6": older | {"metadata": meta}}))
    assert action.changes(Live({"spec": {}}, live.related))


def test_a_pod_is_owned_by_its_controller() -> None:
    owners = [{"kind": "Backup", "name": "b"}, {"kind": "ReplicaSet", "name": "cart-7", "controller": True}]
    assert delete_pod._owner({"metadata": {"ownerReferences": owners}}) == "ReplicaSet/cart-7"
    assert (
        delete_pod._owner({"metadata": {"ownerReferences": owners[:1]}}) == delete_pod._owner({"metadata": {"ownerReferences": None}}) == ""
    )


def test_what_is_deleted_or_cordoned_is_told_as_a_change(cases: Any) -> None:
    (gone,) = cases["delete_pod"].action.changes(cases["delete_pod"].live)
    assert (gone.path, gone.old, gone.new) == ("metadata.uid", "uid-cart-7-x", None)
    (closed,) = cases["cordon_node"].action.changes(cases["cordon_node"].live)
    assert (closed.path, closed.new) == ("spec.unschedulable", True)


def test_a_right_to_write_comes_with_the_right_to_read() -> None:
    told = [str(right) for right in aiming.rights("patch", ("apps", "deployments"), subresource="scale")]
    assert len(told) == 2
    assert told[0].startswith("patch ")
    assert told[1].startswith("get ")
    assert "scale" in told[0]
    assert "scale" not in told[1]


def test_what_moved_on_is_told_with_both_values() -> None:
    with pytest.raises(Conflict, match=r"^the limit is 5 now; the proposal saw not set"):
        aiming.seen("the limit", None, 5)
    with pytest.raises(Conflict, match="is not set now; the proposal saw 5"):
        aiming.seen("the limit", 5, None)
    aiming.seen("the limit", 5, 5)


def test_an_object_without_metadata_is_another_one(cases: Any) -> None:
    action, _ = cases["scale_workload"]
    with pytest.raises(Conflict, match="is not the object"):
        action.standing(Live({"metadata": None}, {}))


def resize(documents: Any, live: Live, **sizes: tuple[int | None, int]) -> Any:
    """From what was seen to what is wanted, of the container `api`."""
    seen = {name: before for name, (before, _) in sizes.items() if before is not None}
    sizing = {"container": "api", "from_sizes": seen, "to_sizes": {name: after for name, (_, after) in sizes.items()}}
    return parse_action(documents["resize_pod"] | {"sizings": [sizing]}).request(live)


@pytest.mark.parametrize(("old", "new", "stays"), [(1000, 700, True), (1000, 699, False), (1000, 1001, True)])
def test_a_memory_limit_falls_by_thirty_per_cent_and_no_more(old: int, new: int, *, stays: bool, cases: Any, documents: Any) -> None:
    live = copy.deepcopy(cases["resize_pod"].live)
    live.object["spec"]["containers"][0]["resources"] = {"requests": {"cpu": "1"}, "limits": {"memory": f"{old}Mi"}}
    live.object["status"]["containerStatuses"][0]["resources"] = {"requests": {"cpu": "1"}}
    if stays:
        assert resize(documents, live, memory_limit_mib=(old, new))
    else:
        with pytest.raises(Refused, match="at most 30"):
            resize(documents, live, memory_limit_mib=(old, new))


def test_a_limit_that_was_not_there_or_is_left_alone_falls_by_nothing(cases: Any, documents: Any) -> None:
    live = copy.deepcopy(cases["resize_pod"].live)
    live.object["spec"]["containers"][0]["resources"] = {"requests": {"cpu": "1"}}
    assert resize(documents, live, memory_limit_mib=(None, 10))
    assert resize(documents, live, cpu_milli=(1000, 500))


def test_a_resize_to_a_request_above_its_limit_is_refused(cases: Any, documents: Any) -> None:
    live = copy.deepcopy(cases["resize_pod"].live)
    live.object["spec"]["containers"][0]["resources"] = {"requests": {"cpu": "1"}, "limits": {"cpu": "2"}}
    with pytest.raises(Refused, match="above its limit"):
        resize(documents, live, cpu_milli=(1000, 2001))


def test_a_resize_that_was_under_way_once_is_none_now(cases: Any, documents: Any) -> None:
    live = copy.deepcopy(cases["resize_pod"].live)
    live.object["status"]["conditions"] = [{"type": "PodResizePending", "status": "False"}]
    assert cases["resize_pod"].action.request(live)


def test_a_sidecar_is_reported_among_the_containers_that_start_first(cases: Any, documents: Any) -> None:
    live = copy.deepcopy(cases["resize_pod"].live)
    live.object["spec"]["initContainers"] = [{"name": "mesh", "restartPolicy": "Always", "resources": {"requests": {"cpu": "1"}}}]
    live.object["status"]["initContainerStatuses"] = [{"name": "mesh", "resources": {"requests": {"cpu": "1"}}}]
    sizing = {"container": "mesh", "from_sizes": {"cpu_milli": 1000}, "to_sizes": {"cpu_milli": 500}}
    action = parse_action(documents["resize_pod"] | {"sizings": [sizing]})
    assert action.request(live)
    live.object["status"] |= {"initContainerStatuses": None, "containerStatuses": None}
    with pytest.raises(Refused, match="does not report"):
        action.request(live)


@pytest.mark.parametrize("kind", ["set_requests", "resize_pod"])
def test_a_container_is_named_once(kind: str, documents: Any) -> None:
    document = documents[kind]
    with pytest.raises(InvalidInput, match="named twice"):
        parse_action(document | {"sizings": document["sizings"] * 2})
