"""What a mirror makes of a watch's lines."""

import json
from typing import Any

import pytest

from core.cluster import decoding
from core.cluster.mirror import SHARED_BY, Mirror
from core.domain.errors import Unavailable

Json = dict[str, Any]


def told(change: str, item: Json) -> bytes:
    return json.dumps({"type": change, "object": item}).encode()


def pod(name: str, version: int = 1, **more: Any) -> Json:
    return {"metadata": {"name": name, "namespace": "shop", "resourceVersion": str(version), "labels": {"app": "cart"}}, **more}


def names(mirror: Mirror) -> list[str]:
    return [item.metadata.name for item in mirror.items]


@pytest.fixture
def mirror() -> Mirror:
    return Mirror("Pod")


def test_added_modified_deleted(mirror: Mirror) -> None:
    mirror.heed([told("ADDED", pod("a", 2)), told("ADDED", pod("b", 3)), told("MODIFIED", pod("a", 4, spec={"nodeName": "n"}))])
    assert names(mirror) == ["a", "b"]
    assert mirror.items[0].spec.node_name == "n"
    mirror.heed([told("DELETED", pod("a", 5))])
    assert (names(mirror), mirror.version, mirror.moves) == (["b"], "5", 4)


def test_a_pod_is_as_the_decoder_of_lists_makes_it(mirror: Mirror) -> None:
    item = pod("a", spec={"containers": [{"name": "main", "image": "i", "env": [{"name": "A", "value": "b"}]}]})
    mirror.heed([told("ADDED", item)])
    listed = decoding.decode_page("Pod", json.dumps({"items": [item]}).encode())
    assert mirror.items == listed.items


def test_pods_that_share_stay_right_when_sharing_begins_anew(mirror: Mirror) -> None:
    mirror.heed(told("ADDED", pod(f"p-{number}", spec={"nodeName": f"n-{number % 3}"})) for number in range(SHARED_BY + 5))
    assert [item.spec.node_name for item in mirror.items[-4:]] == [f"n-{number % 3}" for number in range(SHARED_BY + 1, SHARED_BY + 5)]


def test_a_bookmark_moves_the_version_only(mirror: Mirror) -> None:
    mark = {"kind": "Pod", "metadata": {"resourceVersion": "90", "creationTimestamp": None}, "spec": {"containers": None}, "status": {}}
    mirror.heed([told("ADDED", pod("a", 2)), told("BOOKMARK", mark)])
    assert (names(mirror), mirror.version, mirror.moves) == (["a"], "90", 1)


@pytest.mark.parametrize(
    ("status", "expired"),
    [
        ({"kind": "Status", "metadata": {}, "status": "Failure", "code": 410, "reason": "Expired"}, True),
        ({"kind": "Status", "metadata": {}, "status": "Failure", "reason": "Gone"}, True),
        ({"kind": "Status", "metadata": {}, "status": "Failure", "code": 500, "message": "etcd"}, False),
    ],
)
def test_an_error_ends_it_and_what_follows_is_not_heeded(mirror: Mirror, status: Json, expired: bool) -> None:
    ended = mirror.heed([told("ADDED", pod("a", 2)), told("ERROR", status), told("ADDED", pod("b", 3))])
    assert ended is not None
    assert ended.expired is expired
    assert names(mirror) == ["a"]


def test_one_odd_object_is_named_and_costs_nothing_else(mirror: Mirror) -> None:
    odd = pod("odd", 3, spec={"containers": 7})
    mirror.heed([told("ADDED", pod("odd", 1)), told("ADDED", pod("a", 2)), told("MODIFIED", odd), told("ADDED", pod("b", 4))])
    assert names(mirror) == ["a", "b"], "its earlier form is not shown as if it were the present one"
    assert [name for name, _ in mirror.poisoned] == ["Pod shop/odd"]
    assert mirror.version == "4"
    mirror.heed([told("MODIFIED", pod("odd", 5))])
    assert (names(mirror), mirror.poisoned) == (["a", "b", "odd"], ())


def test_an_odd_object_that_is_deleted_is_gone(mirror: Mirror) -> None:
    mirror.heed([told("ADDED", pod("odd", 3, spec={"containers": 7})), told("DELETED", pod("odd", 4, spec={"containers": 7}))])
    assert (mirror.items, mirror.poisoned) == ((), ())


def test_nulls_where_none_are_promised_are_lived_with(mirror: Mirror) -> None:
    mirror.heed([told("ADDED", pod("a", 2, spec={"containers": None}, status=None))])
    assert names(mirror) == ["a"]


def test_a_streamed_list_replaces_what_was_held_once_it_is_whole(mirror: Mirror) -> None:
    mirror.replace(decoding.decode_page("Pod", json.dumps({"metadata": {"resourceVersion": "5"}, "items": [pod("old")]}).encode()))
    mirror.expire()
    mirror.begin()
    mirror.heed([told("ADDED", pod("new", 6))])
    assert (names(mirror), mirror.version) == (["old"], ""), "not whole yet: a watch may not go on from here"
    mark = {"metadata": {"resourceVersion": "7", "annotations": {"k8s.io/initial-events-end": "true"}}}
    mirror.heed([told("BOOKMARK", mark)])
    assert (names(mirror), mirror.version, mirror.whole) == (["new"], "7", True)


@pytest.mark.parametrize(
    "line", [b"<html>", b'{"type":"ADDED"}', b'{"type":"SUNSET","object":{}}', b'{"type":"BOOKMARK","object":[]}', b"\xff\xfe"]
)
def test_what_is_no_event_is_not_believed(mirror: Mirror, line: bytes) -> None:
    with pytest.raises(Unavailable, match="a line of the watch of Pod cannot be read"):
        mirror.heed([line])
