"""`day2 alerts` and the doctor's lines about them, on a ledger with something to tell and an Alertmanager that is not there."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from core.domain.outcome import ActionState as S
from runtime.services import alert_rules
from tests.contracts.receivers import Receiver

Day2 = Callable[..., Any]


@pytest.fixture
def here(day2: Day2, past: Any) -> Day2:
    return lambda *words: day2(*words, "--data-dir", str(past.folder))


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as found:
        yield found


def escalated(past: Any) -> None:
    past.asked("act-esc1")
    past.move("act-esc1", S.APPROVED, S.PERMITTED, S.CLAIMED, S.SENDING, S.UNKNOWN, S.ESCALATED, note="the target is gone")


def test_what_stands_is_listed_newest_first_with_who_was_told(here: Day2, past: Any) -> None:
    escalated(past)
    assert here("stop", "--reason", "drill").code == 0
    found = here("alerts", "list", "-o", "json").json["items"]
    assert [(row["alertname"], row["grave"], row["told"]) for row in found] == [
        ("Day2EmergencyStop", True, []),
        ("Day2ActionEscalated", True, []),
    ]
    assert found[1]["description"] == "“the target is gone”"
    table = here("alerts", "list").out
    assert "nobody" in table
    assert "Day2EmergencyStop" in table


def test_where_nothing_stands_the_list_is_empty(here: Day2) -> None:
    said = here("alerts", "list")
    assert (said.code, "nothing stands" in said.err) == (0, True)


def test_the_rules_are_yaml_for_kubectl(day2: Day2) -> None:
    assert yaml.safe_load(day2("alerts", "rules").out) == alert_rules.document()
    assert day2("alerts", "rules", "-o", "json").json["kind"] == "PrometheusRule"


def lines(here: Day2) -> dict[str, Any]:
    return {row["check"]: row for row in here("doctor", "-o", "json").json["items"]}


def test_the_doctor_says_what_is_configured_reached_and_told(here: Day2, past: Any, receiver: Receiver, tmp_path: Path) -> None:
    assert (lines(here)["alerts"]["state"], lines(here)["notifier"]["state"]) == ("skip", "skip")
    (tmp_path / "day2.yaml").write_text(f"alerts: {{alertmanager: ['{receiver.url}']}}\n")
    assert lines(here)["alerts"]["state"] == "ok"
    escalated(past)
    told = lines(here)["alerts"]
    assert (told["state"], told["cause"]) == ("warn", "1 not told yet")
    receiver.code = 503
    dead = lines(here)["alerts"]
    assert (dead["state"], dead["cause"]) == ("warn", "Alertmanager 1 answers HTTP 503")
    assert receiver.posts == [], "a doctor sends nothing"


def test_pages_that_cannot_be_read_are_a_line_and_no_crash(here: Day2, tmp_path: Path) -> None:
    (tmp_path / "day2.yaml").write_text(f"alerts: {{pages_file: {tmp_path / 'nowhere'}}}\n")
    line = lines(here)["alerts"]
    assert (line["state"], "cannot read" in line["cause"]) == ("warn", True)
