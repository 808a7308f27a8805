"""`day2 incident`: what alerts were joined to, as the API's process keeps it."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from runtime.services.alertmanagers import Notification, handed
from tests.contracts.alertmanagers import AT, alert, notification
from tools.stores.front import opening
from tools.stores.front.incidents import SqlIncidents

Day2 = Callable[..., Any]


@pytest.fixture
def here(day2: Day2, tmp_path: Path) -> Day2:
    return lambda *words: day2(*words, "--data-dir", str(tmp_path / "data"))


def joined(folder: Path) -> str:
    database = opening.opened(f"sqlite:///{folder / 'data' / 'front.db'}")
    told = Notification.model_validate(notification(alert(), truncated=2))
    (taken,) = SqlIncidents(database).take([handed(told, AT)], at=AT, again_within=timedelta(minutes=30))
    database.close()
    return taken.incidents[0]


def test_incidents_are_listed_and_shown_with_their_timeline(here: Day2, tmp_path: Path) -> None:
    name = joined(tmp_path)
    (item,) = here("incident", "list", "--state", "open", "-o", "json").json["items"]
    assert (item["id"], item["workload"], item["truncated"]) == (name, "checkout", 2)
    assert here("incident", "list", "--state", "resolved", "-o", "json").json["items"] == []
    said = here("incident", "get", name)
    assert said.code == 0, said.err
    assert "1 of 1 alerts fire" in said.out
    assert "left 2 more out" in said.out
    assert "it waits for its run" in said.out


def test_what_is_not_there_is_said(here: Day2) -> None:
    assert "point an Alertmanager here" in here("incident", "list").err
    said = here("incident", "get", "inc-none")
    assert said.code != 0
    assert "no incident 'inc-none'" in said.err
    assert here("incident", "list", "--state", "red").code == 64
