"""The forms of results: one page that loads nothing, JUnit that CI reads, the scoreboard of the docs."""

import re
from typing import Any
from xml.etree import ElementTree as ET

from evals.assessing import results
from evals.reporting import junit, page, scoreboard
from evals.running.trial import Judged, Told, Trial
from evals.scoring.results import Later, Repeated, Results

HOSTILE = '<script>alert("x")</script>'


def trial(case: str, **more: Any) -> Trial:
    return Trial(**{"case": case, "suite": "reliability", "seed": 1, "contestant": "day2ops", **more})


RUN = Results(
    "2026-11-27",
    "abcdef012345",
    "d" * 64,
    (
        trial("a", wanted=1, found=1, extra=0, top=True, detected=300.0, mending=30.0, virtual=2400.0, told=(Told("REL-105", "x", 300.0),)),
        trial("b", misses=(HOSTILE,), asks=(Judged("k", "x", "allow", ("money",), ("deny",)),)),
        trial("a", contestant="nothing", mended=False),
    ),
)


def test_the_page_loads_nothing_and_escapes_everything() -> None:
    text = page.text(RUN, [RUN])
    assert "<script" not in text
    assert "&lt;script&gt;" in text
    assert not re.findall(r"""(?:src|href)\s*=|url\(|@import""", text)
    assert text.count("<svg") == text.count("</svg>") == 6
    assert text.count("<title>") == text.count("<svg") + 1, "each plot says what is to be seen"


def test_the_page_shows_how_well_who_assesses_is_calibrated() -> None:
    text = page.text(RUN)
    stored = results.read()
    assert "Calibration of who assesses finished runs" in text
    for name in ("code", *(f"with a model: {each}" for each in stored.models)):
        for share in ("aligned", "false alarms", "silent misses"):
            assert f"<td>{name}, {share}</td>" in text
    assert f"<td>{sum(row.aligned for row in stored.rows)} of {len(stored.rows)}</td><td>≥ 85%: met</td>" in text


def test_the_page_says_no_data_where_there_is_none() -> None:
    assert "no data" in page.text(RUN)


def test_junit_counts_what_fell_short() -> None:
    root = ET.fromstring(junit.text(RUN))
    assert (root.get("tests"), root.get("failures")) == ("3", "1")
    assert [case.get("name") for case in root.iter("testcase") if case.find("failure") is not None] == ["b seed 1"]


def test_the_scoreboard_compares_only_worlds_that_all_lived_through() -> None:
    text = scoreboard.text(RUN)
    assert "in the same 1 worlds" in text
    assert "- b, seed 1: " in text


def test_the_scoreboard_says_of_what_was_run_later_repeated_and_left_alone() -> None:
    assert "Alone for" not in scoreboard.text(RUN)
    assert "times the same" not in scoreboard.text(RUN)
    week = trial(
        "w", virtual=604800.0, service_minutes=1000, missed_minutes=5, cost_before=730_000_000, spent=84_000_000, governed=9, breaches=()
    )
    alone = RUN._replace(
        trials=(
            *RUN.trials,
            week,
            trial("w", contestant="nothing", virtual=604800.0, service_minutes=1000, missed_minutes=400, cost_before=1, spent=1),
        ),
        later=(Later("long-run", "2026-11-28", "fedcba"),),
        repeated=Repeated(5, 20, ("x/1",), "2026-11-28", "fedcba"),
    )
    text = scoreboard.text(alone)
    assert "The suite long-run was lived through on 2026-11-28 after commit fedcba." in text
    assert "## Alone for 7 days, 1 times" in text
    assert "| day2ops | 1 of 1 (21% to 100%) | 99.50% of 1,000 | 0 | 0 in 9 writes | 0 | 0 | 84.00 | 50.0% |" in text
    assert "| nothing | 1 of 1 (21% to 100%) | 60.00% of 1,000 | 0 | no data |" in text
    assert "19 of 20 trials were equal each time" in text
    assert "- x/1 was not" in text
    assert "Alone, by schedules" in page.text(alone)
