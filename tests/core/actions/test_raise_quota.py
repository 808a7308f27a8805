"""Amounts of a quota go up, each once, and only from what was seen."""

from typing import Any

import pytest

from core.actions.catalogue import parse_action
from core.domain.action import Live
from core.domain.errors import Conflict, InvalidInput, Refused
from core.domain.values import Json


def raised(documents: dict[str, Json], **amount: Any) -> Any:
    return parse_action(documents["raise_quota"] | {"amounts": [{"resource": "pods", "from_hard": "20", "to_hard": "30"} | amount]})


@pytest.mark.parametrize("to", ["20", "19", "0"])
def test_it_goes_up(to: str, documents: dict[str, Json]) -> None:
    with pytest.raises(InvalidInput, match="may only go up"):
        raised(documents, to_hard=to)


@pytest.mark.parametrize(
    ("amounts", "words"),
    [
        ([{"resource": "pods", "from_hard": "1", "to_hard": "2"}] * 2, "twice"),
        ([{"resource": "pods", "from_hard": "lots", "to_hard": "2"}], "quantity"),
        ([], "amounts"),
    ],
)
def test_amounts_are_quantities_and_each_is_named_once(amounts: list[Json], words: str, documents: dict[str, Json]) -> None:
    with pytest.raises(InvalidInput, match=words):
        parse_action(documents["raise_quota"] | {"amounts": amounts})


@pytest.mark.parametrize("spec", [None, {}, {"hard": None}, {"hard": {}}])
def test_a_quota_without_the_amount_is_a_conflict_and_shows_nothing_old(spec: Any, documents: dict[str, Json], cases: Any) -> None:
    live = Live({**cases["raise_quota"].live.object, "spec": spec}, {})
    made = raised(documents)
    with pytest.raises(Conflict, match="pods"):
        made.request(live)
    assert [change.old for change in made.changes(live)] == [None]
    assert made.inverse(live).body["spec"] == {"hard": {"pods": None}}


@pytest.mark.parametrize(("used", "to", "held"), [(None, "40", True), (None, "41", False), ("30", "60", True), ("30", "61", False)])
def test_twice_the_amount_or_the_use_is_the_most(used: Any, to: str, documents: dict[str, Json], cases: Any, *, held: bool) -> None:
    item = cases["raise_quota"].live.object | {"status": {"used": {"pods": used} if used else None}}
    if held:
        assert raised(documents, to_hard=to).request(Live(item, {})).body
    else:
        with pytest.raises(Refused, match="2 times"):
            raised(documents, to_hard=to).request(Live(item, {}))


@pytest.mark.parametrize(
    ("resource", "path"), [("pods", "spec.hard.pods"), ("requests.cpu", "spec.hard[requests.cpu]"), ("count/pods", "spec.hard[count/pods]")]
)
def test_a_resource_with_a_dot_or_a_slash_is_one_key(resource: str, path: str, documents: dict[str, Json], cases: Any) -> None:
    assert [change.path for change in raised(documents, resource=resource).changes(cases["raise_quota"].live)] == [path]
