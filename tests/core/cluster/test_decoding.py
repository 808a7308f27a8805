import gc
import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.cluster import decoding
from core.cluster.objects import STRUCTS
from core.domain.errors import Unavailable


def page(*items: Any, **meta: str) -> bytes:
    return json.dumps({"kind": "PodList", "metadata": meta, "items": items}).encode()


def pod(name: str, **parts: Any) -> dict[str, Any]:
    return {"metadata": {"name": name, "namespace": "shop", "annotations": {"x": "y"}}, "spec": {"containers": [{"name": "api"}]}, **parts}


def names(decoded: decoding.Decoded) -> list[str]:
    return [item.metadata.name for item in decoded.items]


def test_a_page_gives_its_items_token_and_version() -> None:
    decoded = decoding.decode_page("Pod", page(pod("a"), pod("b"), **{"continue": "next", "resourceVersion": "12"}))
    assert names(decoded) == ["a", "b"]
    assert (decoded.token, decoded.resource_version, decoded.poisoned) == ("next", "12", ())


@pytest.mark.parametrize("body", [b'{"items": null}', b"{}", b'{"items": [], "metadata": {}}'])
def test_an_empty_list_is_empty(body: bytes) -> None:
    assert decoding.decode_page("Pod", body) == decoding.Decoded()


NULLED = [
    {"spec": {"containers": None}},
    {"spec": None},
    {"status": None},
    {"metadata": {"name": "odd", "namespace": "shop", "labels": None, "ownerReferences": None}},
    {"spec": {"containers": [None, {"name": "api", "resources": {"requests": None}}]}},
    {"status": {"containerStatuses": [{"name": "api", "lastState": None, "restartCount": None}]}},
]


@pytest.mark.parametrize("parts", NULLED, ids=str)
def test_nulls_where_none_should_be_are_taken_out_and_the_object_kept(parts: dict[str, Any]) -> None:
    decoded = decoding.decode_page("Pod", page(pod("a"), pod("odd", **parts), pod("b"), **{"continue": "next"}))
    assert names(decoded) == ["a", "odd", "b"]
    assert (decoded.poisoned, decoded.token) == ((), "next")


POISON: list[tuple[Any, str]] = [
    (pod("odd", spec="text"), "Pod shop/odd"),
    (pod("odd", spec={"containers": [{"name": 7}]}), "Pod shop/odd"),
    (pod("odd", metadata={"name": "odd", "creationTimestamp": "yesterday"}), "Pod odd"),
    ({"metadata": {"name": ["odd"]}}, "Pod"),
    ({"metadata": "odd"}, "Pod"),
    ({}, "Pod"),
    ({"metadata": {"namespace": "shop"}}, "Pod shop"),
    (None, "Pod"),
    ("odd", "Pod"),
    (7, "Pod"),
    ([[]], "Pod"),
]


@pytest.mark.parametrize(("item", "name"), POISON, ids=lambda part: str(part)[:50])
def test_one_bad_object_is_named_with_a_reason_and_costs_nothing_else(item: Any, name: str) -> None:
    decoded = decoding.decode_page("Pod", page(pod("a"), item, pod("b"), **{"continue": "next", "resourceVersion": "12"}))
    assert names(decoded) == ["a", "b"]
    ((who, why),) = decoded.poisoned
    assert who == name
    assert why
    assert (decoded.token, decoded.resource_version) == ("next", "12")


def test_the_name_of_a_poisoned_object_cannot_draw_on_the_screen() -> None:
    hostile = pod("x", metadata={"name": "\x1b[2J\u202e" + "x" * 500, "generation": "text"})
    ((name, _),) = decoding.decode_page("Pod", page(hostile)).poisoned
    assert name.isprintable()
    assert len(name) <= 200


@pytest.mark.parametrize(
    "body", [b"", b"<html>", page(pod("a"))[:-9], b"[]", b'{"items": {}}', b'{"items": 7}', b"\xff" * 9, b'{"items":' + b"[" * 99_999]
)
def test_a_page_that_is_no_list_says_so_and_may_be_asked_for_again(body: bytes) -> None:
    with pytest.raises(Unavailable, match="Pod list"):
        decoding.decode_page("Pod", body)


@pytest.mark.parametrize("body", [page(pod("a")), page(None), b"<html>"], ids=["good", "poisoned", "broken"])
@pytest.mark.parametrize("on", [True, False])
def test_the_garbage_collector_is_as_before(on: bool, body: bytes) -> None:
    before = gc.isenabled()
    try:
        (gc.enable if on else gc.disable)()
        with suppress(Unavailable):
            decoding.decode_page("Pod", body)
        assert gc.isenabled() is on
    finally:
        (gc.enable if before else gc.disable)()


def test_pages_join_in_order_with_the_last_token() -> None:
    first = decoding.decode_page("Pod", page(pod("a"), None, **{"continue": "next"}))
    last = decoding.decode_page("Pod", page(pod("b"), resourceVersion="9"))
    whole = decoding.joined((first, last))
    assert names(whole) == ["a", "b"]
    assert len(whole.poisoned) == 1
    assert (whole.token, whole.resource_version) == ("", "9")
    assert decoding.joined(()) == decoding.Decoded()


@pytest.mark.parametrize("kind", sorted(STRUCTS))
def test_every_kind_decodes_an_object_that_has_only_a_name(kind: str) -> None:
    decoded = decoding.decode_page(kind, page({"metadata": {"name": "bare"}}))
    assert names(decoded) == ["bare"]


anything = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=6),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["metadata", "name", "spec", "status", "containers", "x"]), inner, max_size=4)
    ),
    max_leaves=12,
)


@settings(max_examples=200, deadline=None)
@given(kind=st.sampled_from(sorted(STRUCTS)), items=st.lists(anything, max_size=4))
def test_whatever_stands_in_a_list_the_good_ones_arrive_and_every_item_is_accounted_for(kind: str, items: list[Any]) -> None:
    decoded = decoding.decode_page(kind, page({"metadata": {"name": "first"}}, *items, {"metadata": {"name": "last"}}))
    assert names(decoded)[0] == "first"
    assert names(decoded)[-1] == "last"
    assert len(decoded.items) + len(decoded.poisoned) == len(items) + 2
