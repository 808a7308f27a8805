"""For pytest: how long each test took, as JSON where DAY2_DURATIONS says. The runner of mutants asks the quick ones first."""

import json
import os
from pathlib import Path

import pytest

TAKEN: dict[str, float] = {}


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    TAKEN[report.nodeid] = TAKEN.get(report.nodeid, 0.0) + report.duration


def pytest_sessionfinish(session: pytest.Session) -> None:
    place = os.environ.get("DAY2_DURATIONS")
    if place and not hasattr(session.config, "workerinput"):
        Path(place).write_text(json.dumps({test: round(seconds, 3) for test, seconds in TAKEN.items()}), encoding="utf-8")
