import hashlib
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from core.domain import values
from core.domain.target import Target
from core.domain.values import Moment, Value, at_path, bounded, canonical, digest, identifier

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4),
)


class Thing(Value):
    count: int
    at: Moment = datetime(2026, 1, 5, tzinfo=UTC)


@pytest.mark.parametrize("given_", [{"count": "3"}, {"count": 3.0}, {"count": True}, {"count": 3, "colour": "red"}, {}, {"count": None}])
def test_a_value_takes_no_guess(given_: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Thing.model_validate(given_)


def test_a_value_does_not_change() -> None:
    with pytest.raises(ValidationError):
        Thing(count=3).count = 4  # type: ignore[misc]


def test_a_time_needs_its_zone_and_becomes_utc() -> None:
    with pytest.raises(ValidationError, match="zone"):
        Thing(count=1, at=datetime(2026, 1, 5))  # noqa: DTZ001
    there = Thing(count=1, at=datetime(2026, 1, 5, 12, tzinfo=timezone(timedelta(hours=2))))
    assert there.at == datetime(2026, 1, 5, 10, tzinfo=UTC)
    assert there.at.tzinfo is UTC


@given(data=st.dictionaries(st.text(max_size=6), JSON, max_size=6))
def test_the_order_of_keys_does_not_matter_to_a_digest(data: dict[str, object]) -> None:
    assert digest(data) == digest(dict(reversed(data.items())))


@given(left=JSON, right=JSON)
def test_what_differs_has_another_canonical_text(left: object, right: object) -> None:
    assert (canonical(left) == canonical(right)) == (_shape(left) == _shape(right))


def _shape(value: object) -> object:
    """Equality that tells True from 1 and does not mind the order of keys."""
    if isinstance(value, dict):
        return frozenset((key, _shape(item)) for key, item in value.items())
    if isinstance(value, list):
        return tuple(map(_shape, value))
    return type(value).__name__, value


def test_numbers_that_json_does_not_have_are_refused() -> None:
    for value in (float("nan"), float("inf")):
        with pytest.raises(ValueError):
            canonical({"a": value})
    with pytest.raises(TypeError):
        canonical({"a": object()})


def test_an_identifier_is_stable_and_bound_to_its_parts() -> None:
    assert identifier("fnd", "a", 1) == identifier("fnd", "a", "1")
    assert identifier("fnd", "a", "b") != identifier("fnd", "ab")
    assert identifier("fnd", "a", "b") != identifier("fnd", "b", "a")


@given(text=st.text(max_size=600), limit=st.integers(1, 400))
def test_bounded_text_is_one_printable_line_of_at_most_its_limit(text: str, limit: int) -> None:
    found = bounded(text, limit)
    assert len(found) <= limit
    assert all(character.isprintable() for character in found)
    assert not set(found) & set("\u202a\u202e\u2066\u200b\ufeff")


def test_a_path_into_nothing_is_none() -> None:
    assert at_path({"spec": {"nodeName": "n"}}, "spec.nodeName") == "n"
    assert at_path({"spec": None}, "spec.nodeName") is None
    assert at_path({"spec": ["n"]}, "spec.nodeName") is None


def test_a_target_says_where_it_lives() -> None:
    pod = Target(cluster="c", kind="Pod", namespace="shop", name="a", uid="u")
    node = Target(cluster="c", kind="Node", name="n", uid="u")
    assert (pod.qualified, node.qualified, pod.path) == ("shop/pod/a", "node/n", "pod/a")


def test_a_digest_is_the_sha256_of_the_one_canonical_text() -> None:
    assert values.canonical({"b": 1, "a": "é"}) == b'{"a":"\xc3\xa9","b":1}'
    assert values.digest({"b": 1, "a": 2}) == hashlib.sha256(b'{"a":2,"b":1}').hexdigest()
    with pytest.raises(ValueError, match="JSON"):
        values.canonical(float("nan"))


@pytest.mark.parametrize(
    ("text", "limit", "kept"),
    [("abc", 3, "abc"), ("abcd", 3, "ab…"), ("a\r\n\tb", 9, "a   b"), ("a\x00b", 9, "ab"), ("a\u202eb", 9, "ab"), ("é\u200b\n", 9, "é ")],
)
def test_text_of_others_is_one_printable_line_of_a_greatest_length(text: str, limit: int, kept: str) -> None:
    assert values.bounded(text, limit) == kept
