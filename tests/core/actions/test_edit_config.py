"""One key of a ConfigMap is written, where it is there and is what was seen."""

from typing import Any

import pytest

from core.actions.catalogue import parse_action
from core.domain.action import Live
from core.domain.errors import Conflict, Day2Error
from core.domain.values import Json


def test_what_it_was_and_becomes_is_shown_in_bounds(documents: dict[str, Json], cases: Any) -> None:
    live = cases["edit_config"].live
    (change,) = parse_action(documents["edit_config"]).changes(live)
    assert (change.old, change.new) == ("retries: 3", "retries: many")
    long = {**live.object, "data": {"app.yaml": "x" * 100_000}}
    (cut,) = parse_action(documents["edit_config"]).changes(Live(long, live.related))
    assert len(cut.old) < 2_000


@pytest.mark.parametrize("data", [None, {}, {"other": "stays"}], ids=["no data", "empty", "another key"])
def test_a_key_that_is_not_there_is_not_made(data: Any, documents: dict[str, Json], cases: Any) -> None:
    live = cases["edit_config"].live
    with pytest.raises(Day2Error):
        parse_action(documents["edit_config"]).request(Live({**live.object, "data": data}, live.related))


def test_another_text_than_was_seen_is_a_conflict(documents: dict[str, Json], cases: Any) -> None:
    live = cases["edit_config"].live
    with pytest.raises(Conflict):
        parse_action(documents["edit_config"]).request(Live({**live.object, "data": {"app.yaml": "retries: 4"}}, live.related))
