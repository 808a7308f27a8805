"""Patches as pure functions, against their definitions."""

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.errors import ApiError
from simulator.patching import json_patch, managed_fields, merge_patch, strategic
from simulator.schemas.nodes import of_kind

Json = dict[str, Any]
scalars = st.one_of(st.booleans(), st.integers(-5, 5), st.text("ab", max_size=2))
names = st.sampled_from(["a", "b", "c", "spec", "labels"])
values = st.recursive(
    scalars, lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(names, inner, max_size=3)), max_leaves=8
)
objects = st.dictionaries(names, values, max_size=4)
patches = st.dictionaries(names, st.one_of(values, st.none()), max_size=4)
containers = st.lists(
    st.fixed_dictionaries({"name": st.sampled_from("pqrs")}, optional={"image": st.text("xyz", max_size=2)}),
    max_size=4,
    unique_by=lambda each: each["name"],
)


@given(objects, objects)
def test_a_merge_patch_made_from_two_objects_turns_one_into_the_other(one: Json, other: Json) -> None:
    assert merge_patch.merge(one, _merge_patch_between(one, other)) == other


def _merge_patch_between(one: Json, other: Json) -> Json:
    patch: Json = dict.fromkeys(one.keys() - other.keys())
    for field, value in other.items():
        before = one.get(field)
        if isinstance(value, dict) and isinstance(before, dict):
            patch[field] = _merge_patch_between(before, value)
        elif field not in one or value != before or type(value) is not type(before):
            patch[field] = value
    return patch


@given(objects, patches)
def test_a_merge_patch_twice_is_a_merge_patch_once_and_changes_no_argument(target: Json, patch: Json) -> None:
    before = copy.deepcopy((target, patch))
    once = merge_patch.merge(target, patch)
    assert merge_patch.merge(once, patch) == once
    assert (target, patch) == before


@given(containers, containers)
def test_a_strategic_patch_keeps_every_container_it_does_not_name(live: list[Json], wanted: list[Json]) -> None:
    merged = strategic.merge({"containers": live}, {"containers": wanted})["containers"]
    by_name = {each["name"]: each for each in merged}
    assert len(by_name) == len(merged)
    for each in live:
        named = next((other for other in wanted if other["name"] == each["name"]), {})
        assert by_name[each["name"]] == {**each, **named}
    assert {each["name"] for each in merged} == {each["name"] for each in [*live, *wanted]}


@given(containers, containers)
def test_a_strategic_patch_twice_is_a_strategic_patch_once(live: list[Json], wanted: list[Json]) -> None:
    once = strategic.merge({"containers": live}, {"containers": wanted})
    assert strategic.merge(once, {"containers": wanted}) == once


def test_strategic_directives() -> None:
    live = {"containers": [{"name": "a", "image": "1"}, {"name": "b"}], "finalizers": ["x", "y"], "strategy": {"type": "R", "rolling": {}}}
    patch = {
        "containers": [{"name": "b", "$patch": "delete"}, {"name": "a", "$patch": "replace", "args": ["z"]}],
        "$deleteFromPrimitiveList/finalizers": ["x"],
        "strategy": {"$retainKeys": ["type"], "type": "Recreate"},
    }
    assert strategic.merge(live, patch) == {
        "containers": [{"name": "a", "args": ["z"]}],
        "finalizers": ["y"],
        "strategy": {"type": "Recreate"},
    }
    assert strategic.merge(live, {"containers": [{"$patch": "replace"}, {"name": "c"}]})["containers"] == [{"name": "c"}]
    with pytest.raises(ApiError, match="Unknown patch type"):
        strategic.merge(live, {"$patch": "explode"})
    with pytest.raises(ApiError, match="does not contain declared merge key"):
        strategic.merge(live, {"containers": [{"image": "2"}]})


def test_ports_merge_by_what_they_carry() -> None:
    container = strategic.merge(
        {"ports": [{"containerPort": 80}]}, {"ports": [{"containerPort": 81}, {"containerPort": 80, "name": "web"}]}
    )
    assert container["ports"] == [{"containerPort": 81}, {"containerPort": 80, "name": "web"}]
    service = strategic.merge({"ports": [{"port": 80, "name": "a"}]}, {"ports": [{"port": 80, "targetPort": 8080}]})
    assert service["ports"] == [{"port": 80, "name": "a", "targetPort": 8080}]


def test_json_patch_operations() -> None:
    def patched(*operations: Json) -> Any:
        return json_patch.apply({"a": [1, 2], "b": {"c/d": 1}}, list(operations))

    assert patched({"op": "add", "path": "/a/-", "value": 3})["a"] == [1, 2, 3]
    assert patched({"op": "add", "path": "/a/0", "value": 0})["a"] == [0, 1, 2]
    assert patched({"op": "remove", "path": "/a/0"})["a"] == [2]
    assert patched({"op": "replace", "path": "/b/c~1d", "value": 2})["b"] == {"c/d": 2}
    assert patched({"op": "move", "from": "/a/0", "path": "/b/x"}) == {"a": [2], "b": {"c/d": 1, "x": 1}}
    assert patched({"op": "copy", "from": "/a", "path": "/z"})["z"] == [1, 2]
    assert patched({"op": "test", "path": "/a/0", "value": 1})["a"] == [1, 2]


@pytest.mark.parametrize(
    "operation",
    [
        {"op": "test", "path": "/a/0", "value": 9},
        {"op": "remove", "path": "/none"},
        {"op": "add", "path": "/a/7", "value": 1},
        {"op": "replace", "path": "/a/7", "value": 1},
        {"op": "jump", "path": "/a"},
        {"op": "add", "path": "/none/below", "value": 1},
    ],
)
def test_a_json_patch_that_cannot_be_done_is_refused(operation: Json) -> None:
    with pytest.raises(ApiError) as refused:
        json_patch.apply({"a": [1]}, [operation])
    assert refused.value.code == 422


def test_ownership_moves_with_each_write_and_ends_with_the_field() -> None:
    def write(old: Json | None, new: Json, manager: str) -> Json:
        node = of_kind("apps", "v1", "Deployment")
        entries = managed_fields.record(old, new, node, manager=manager, subresource="", moment="2026-01-01T00:00:00Z")
        return {**new, "metadata": {**new["metadata"], "managedFields": entries}}

    def owners(obj: Json) -> dict[str, Json]:
        return {each["manager"]: each["fieldsV1"] for each in obj["metadata"]["managedFields"]}

    first = write(None, {"metadata": {"labels": {"a": "1"}}, "spec": {"replicas": 1, "paused": True}}, "ann")
    second = write(first, {"metadata": {"labels": {"a": "1"}}, "spec": {"replicas": 2, "paused": True}}, "ben")
    assert owners(second)["ben"] == {"f:spec": {"f:replicas": {}}}
    assert "f:replicas" not in owners(second)["ann"]["f:spec"]
    third = write(second, {"metadata": {"labels": {"a": "1"}}, "spec": {"paused": True}}, "cat")
    assert set(owners(third)) == {"ann"}
    assert write(third, third, "dan")["metadata"]["managedFields"] == third["metadata"]["managedFields"]
