"""`day2 schedule` and `day2 report`, on a data folder that nobody serves; and the examples of their page."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from core.domain.errors import InvalidDocument
from core.policy import schedules
from interfaces.rendering import schemas

Day2 = Callable[..., Any]
PAGE = Path(__file__).resolve().parents[3] / "docs" / "schedules.md"
EXAMPLES = re.findall(r"```yaml\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
DOCUMENT = """\
apiVersion: day2.dev/v1alpha1
kind: Schedule
metadata: {name: nightly}
spec: {cron: "30 2 * * *", timeZone: Europe/Berlin, text: look, ceiling: suggest}
"""


@pytest.fixture
def nightly(tmp_path: Path) -> Path:
    file = tmp_path / "nightly.yaml"
    file.write_text(DOCUMENT, encoding="utf-8")
    return file


def document(ran: Any) -> Any:
    assert ran.code == 0, ran.err
    found = json.loads(ran.out)
    jsonschema.validate(found, schemas.of_kind(found["kind"]))
    return found


@pytest.mark.parametrize("example", EXAMPLES)
def test_every_example_of_the_page_is_read_and_fits_the_schema(example: str) -> None:
    from core.policy.marked import parse

    assert schedules.read(example, "example.yaml")
    jsonschema.validate(next(iter(parse(example, "example.yaml"))).data, schemas.of_kind("Schedule"))


def test_the_page_has_examples_and_names_every_field() -> None:
    assert len(EXAMPLES) >= 2
    told = PAGE.read_text(encoding="utf-8")
    missing = [
        item.alias or name
        for name, item in schedules.ScheduleForm.model_fields.items()
        if f"`{item.alias or name}" not in told and f"{item.alias or name}:" not in told
    ]
    assert missing == []


def test_reading_makes_nothing(day2: Day2, tmp_path: Path) -> None:
    home = tmp_path / "home"
    for words in (("schedule", "list"), ("report", "list"), ("report", "weekly")):
        assert document(day2(*words, "-o", "json", "--data-dir", str(home)))["items"] == []
    assert not home.exists()


def test_one_is_added_shown_paused_resumed_run_and_removed(day2: Day2, tmp_path: Path, nightly: Path) -> None:
    def run(*words: str) -> Any:
        return document(day2(*words, "-o", "json", "--data-dir", str(tmp_path / "home")))

    (tmp_path / "home").mkdir(mode=0o700)
    added = run("schedule", "add", "-f", str(nightly))
    assert (added["name"], added["state"], added["source"], len(added["next"])) == ("nightly", "active", "door", 5)
    times = run("schedule", "next", "nightly", "--count", "3")["items"]
    assert len(times) == 3
    assert all(re.fullmatch(r"\w{3} [0-9-]{10} 0[23]:[03]0 CES?T", item["local"]) for item in times)
    paused = run("schedule", "pause", "nightly", "--reason", "the shop moves")
    assert (paused["state"], paused["paused"]["reason"], paused["next"]) == ("paused", "the shop moves", [])
    assert run("schedule", "resume", "nightly")["state"] == "active"
    tick = run("schedule", "run-now", "nightly")
    shown = run("schedule", "get", "nightly")
    assert [item["runId"] for item in shown["ticks"]] == [tick["runId"]]
    assert shown["ticks"][0]["askedBy"].startswith("local:")
    assert run("schedule", "remove", "nightly")["items"] == []


def test_a_dry_run_checks_and_keeps_nothing(day2: Day2, tmp_path: Path, nightly: Path) -> None:
    home = tmp_path / "home"
    found = document(day2("schedule", "add", "-f", str(nightly), "--dry-run=client", "-o", "json", "--data-dir", str(home)))
    assert len(found["next"]) == 5
    assert not home.exists()


def test_a_wrong_one_is_refused_with_its_line_and_what_to_write(day2: Day2, tmp_path: Path, nightly: Path) -> None:
    nightly.write_text(DOCUMENT.replace("30 2 * * *", "30 25 * * *"), encoding="utf-8")
    ran = day2("schedule", "add", "-f", str(nightly), "--data-dir", str(tmp_path / "home"))
    assert ran.code != 0
    assert f"{nightly}:4" in ran.err
    assert "bad hour" in ran.err
    assert "0 3 * * 1-5" in ran.err


def test_one_of_a_file_is_changed_in_its_file(day2: Day2, tmp_path: Path, nightly: Path) -> None:
    folder = tmp_path / "declared"
    folder.mkdir()
    (folder / "own.yaml").write_text(DOCUMENT, encoding="utf-8")
    ran = day2("schedule", "add", "-f", str(nightly), "--objectives", str(folder), "--data-dir", str(tmp_path / "home"))
    assert ran.code != 0
    assert "own.yaml" in ran.err


def test_the_week_is_a_page_without_scripts_and_a_text(day2: Day2, tmp_path: Path) -> None:
    home = str(tmp_path / "home")
    page = day2("report", "weekly", "-o", "html", "--data-dir", home).out
    assert page.startswith("<!doctype html>")
    assert "<svg" in page
    assert "<script" not in page
    assert "src=" not in page
    assert day2("report", "weekly", "-o", "md", "--data-dir", home).out.startswith("# Autonomous runs")


def test_the_schema_that_is_shown_is_the_documents(day2: Day2) -> None:
    found = json.loads(day2("schema", "Schedule").out)
    assert found["properties"]["kind"] == {"const": "Schedule"}
    with pytest.raises(InvalidDocument):
        schedules.read(DOCUMENT.replace("text: look", "txt: look"), "x.yaml")
