"""`day2 eval` from the outside: own cases, documents that fit their schemas, exit codes, files."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from interfaces.rendering import schemas

Day2 = Callable[..., Any]
CASES = """\
defaults: {world: {name: small}}
cases:
- {id: quiet, expect: {silent: true}}
- {id: waste, world: {change: {web: {replicas: 4, faults: [overprovisioned]}}}, acts: never, expect: {findings: [{code: FIN-101}]}}
"""
WRONG = "{id: waste, world: {name: small}, acts: never, expect: {findings: [{code: FIN-101}]}}"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "cases").mkdir()
    (tmp_path / "cases" / "mine.yaml").write_text(CASES)
    return tmp_path


def run(day2: Day2, folder: Path, *more: str) -> Any:
    return day2("eval", "run", str(folder / "cases"), "--jobs", "1", "--data-dir", str(folder / "data"), *more)


def fits(text: str, kind: str) -> Any:
    document = json.loads(text)
    assert document["kind"] == kind
    jsonschema.validate(document, schemas.of_kind(kind))
    return document


def test_own_cases_are_run_kept_and_reported(day2: Day2, folder: Path) -> None:
    first = fits(run(day2, folder, "-o", "json", "-O", str(folder / "a.json")).out, "EvalReport")
    assert (first["metadata"]["passed"], first["metadata"]["trials"]) == (2, 2)
    assert list((folder / "data" / "evals" / "trials").glob("*.json"))
    again = day2("eval", "report", "-o", "json", "--html", str(folder / "r.html"), "--data-dir", str(folder / "data"))
    assert fits(again.out, "EvalReport") == first
    assert "<svg" in (folder / "r.html").read_text()


def test_the_data_folder_is_below_the_home_and_not_below_where_the_command_ran(
    day2: Day2, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home, here = folder / "home", folder / "here"
    home.mkdir()
    here.mkdir()
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.chdir(here)
    day2("eval", "run", str(folder / "cases"), "--only", "quiet", "--jobs", "1", "--data-dir", "~/data")
    assert list((home / "data" / "evals" / "trials").glob("*.json"))
    assert not list(here.iterdir())


def test_a_regression_fails_the_gate_and_is_named(day2: Day2, folder: Path) -> None:
    before, after, data = str(folder / "a.json"), str(folder / "b.json"), ("--data-dir", str(folder / "data"))
    run(day2, folder, "-O", before)
    (folder / "cases" / "mine.yaml").write_text(WRONG)
    assert run(day2, folder, "-O", after, "--detailed-exitcode", "--junit", str(folder / "r.xml")).code == 2
    assert 'failures="1"' in (folder / "r.xml").read_text()
    gate = day2("eval", "gate", after, "--baseline", before, "-o", "json", *data)
    assert gate.code == 1
    assert fits(gate.out, "EvalComparison")["lost"] == ["waste"]
    assert day2("eval", "gate", before, "--baseline", before, *data).code == 0
    assert day2("eval", "compare", before, after, "--detailed-exitcode", *data).code == 2


def test_cases_are_listed_and_none_is_run(day2: Day2, folder: Path) -> None:
    listed = fits(run(day2, folder, "--list", "-o", "json").out, "EvalCaseList")
    assert [item["case"] for item in listed["items"]] == ["quiet", "waste"]
    assert not (folder / "data" / "evals").exists()


def test_a_mistake_in_a_case_is_told_with_its_place(day2: Day2, folder: Path) -> None:
    (folder / "cases" / "mine.yaml").write_text("{id: quiet, world: {name: small}, expected: {}}")
    said = run(day2, folder)
    assert said.code == 1
    assert "mine.yaml: expected: Extra inputs" in said.err
    assert "mend:" in said.err


def test_an_unknown_baseline_is_told(day2: Day2, folder: Path) -> None:
    said = run(day2, folder, "--against", "magic")
    assert said.code == 1
    assert "reactive" in said.err
