"""What the live object says about one write: done, not done, moved by another, or gone."""

from typing import Any

import pytest

from core.domain.api_request import ApiRequest
from gate.executing.fields import Standing, compare, writer


def request(verb: Any = "patch") -> ApiRequest:
    return ApiRequest(
        verb=verb, group="apps", version="v1", resource="deployments", namespace="shop", name="cart", content_type="application/json"
    )


def live(spec: dict[str, Any], uid: str = "uid-1", **metadata: Any) -> dict[str, Any]:
    return {"kind": "Deployment", "metadata": {"name": "cart", "uid": uid, **metadata}, "spec": spec}


BEFORE = live({"replicas": 2, "strategy": {"type": "A", "surge": 1}})
SCALED = live({"replicas": 4, "strategy": {"type": "A", "surge": 1}})
BARE = live({"replicas": 2})

CASES = {
    "as written": (SCALED, SCALED, Standing.DONE),
    "as before": (SCALED, BEFORE, Standing.NOT_DONE),
    "as written, and another field moved": (SCALED, live({"replicas": 4, "strategy": {"type": "B", "surge": 1}}), Standing.DONE),
    "as before, and another field moved": (SCALED, live({"replicas": 2, "paused": True, "strategy": {"type": "B"}}), Standing.NOT_DONE),
    "our field moved": (SCALED, live({"replicas": 7, "strategy": {"type": "A", "surge": 1}}), Standing.MIXED),
    "a field below ours moved": (BARE, live({"replicas": 2, "strategy": {"type": "A", "surge": 2}}), Standing.MIXED),
    "a field above ours went": (
        live({"replicas": 2, "strategy": {"type": "A", "surge": 3}}),
        live({"replicas": 2}),
        Standing.MIXED,
    ),
    "another object": (SCALED, live({"replicas": 4}, uid="uid-2"), Standing.GONE),
    "no object": (SCALED, None, Standing.GONE),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_a_patch_is_told_by_its_own_fields(case: tuple[Any, Any, Standing]) -> None:
    after, now, standing = case
    assert compare(request(), BEFORE, after, now, "uid-1").standing is standing


def test_the_fields_that_were_moved_are_named() -> None:
    assert compare(request(), BEFORE, SCALED, live({"replicas": 7}), "uid-1").moved == ("spec.replicas",)


@pytest.mark.parametrize(
    ("now", "standing"),
    [
        (None, Standing.DONE),
        (live({}, uid="uid-2"), Standing.DONE),
        (live({}, deletionTimestamp="2026-11-23T12:00:00Z"), Standing.DONE),
        (live({}), Standing.NOT_DONE),
    ],
)
def test_a_delete_is_told_by_the_uid(now: Any, standing: Standing) -> None:
    assert compare(request("delete"), BEFORE, {}, now, "uid-1").standing is standing


FIELDS = {
    "f:metadata": {"f:labels": {"f:pod-security.kubernetes.io/enforce": {}}},
    "f:spec": {"f:template": {"f:spec": {"f:containers": {'k:{"name":"app"}': {"f:image": {}}}}}},
}


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("spec.template.spec.containers[app].image", "ann at 2026-11-23T12:00:00Z"),
        ("metadata.labels[pod-security.kubernetes.io/enforce]", "ann at 2026-11-23T12:00:00Z"),
        ("spec.template.spec.containers[web].image", ""),
        ("spec.replicas", ""),
        ("", "ann at 2026-11-23T12:00:00Z"),
    ],
)
def test_the_last_writer_of_a_field_is_found(path: str, found: str) -> None:
    item = live({}, managedFields=[{"manager": "ann", "time": "2026-11-23T12:00:00Z", "fieldsV1": FIELDS}])
    assert writer(item, path) == found


def test_an_object_without_managed_fields_has_no_known_writer() -> None:
    assert writer(live({}), "spec.replicas") == ""


def test_only_the_fields_that_somebody_moved_are_named_and_a_writer_without_a_time_is_older() -> None:
    before, after = live({"replicas": 2, "paused": False}), live({"replicas": 4, "paused": True})
    now = live({"replicas": 7, "paused": True})
    assert compare(request(), before, after, now, "uid-1").moved == ("spec.replicas",)
    owned = {"f:spec": {"f:replicas": {}}}
    now["metadata"]["managedFields"] = [
        {"manager": "timeless", "time": None, "fieldsV1": owned},
        {"manager": "timed", "time": "2026-11-23T12:00:00Z", "fieldsV1": owned},
        {"manager": "empty", "time": "2026-11-23T12:01:00Z", "fieldsV1": None},
    ]
    assert writer(now, "spec.replicas") == "timed at 2026-11-23T12:00:00Z"


HELD = live({}, finalizers=["example.com/a", "example.com/b"], deletionTimestamp="2026-11-23T12:00:00Z")


@pytest.mark.parametrize(
    ("before", "after", "standing"),
    [
        (HELD, live({}), Standing.DONE),
        (HELD, live({}, finalizers=[]), Standing.DONE),
        (HELD, live({}, finalizers=["example.com/b"]), Standing.GONE),
        (live({}), live({}), Standing.GONE),
        ({}, live({}), Standing.GONE),
        (HELD, {}, Standing.DONE),
    ],
    ids=["all went", "an empty list", "one stays", "none was there", "nothing known before", "nothing known after"],
)
def test_an_object_that_is_gone_is_done_where_the_write_took_its_last_finalizer(before: Any, after: Any, standing: Standing) -> None:
    assert compare(request(), before, after, None, "uid-1").standing is standing
