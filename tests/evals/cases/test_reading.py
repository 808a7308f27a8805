"""Cases are read strictly: a mistake is told with its file, its key and what to do."""

from pathlib import Path

import pytest

from core.actions.catalogue import CATALOGUE
from core.domain.errors import InvalidInput
from evals.cases import reading
from simulator.faults.table import FAULTS

SUITES = {"finops", "reliability", "security", "scaling", "gpu", "conflict", "gate", "healthy", "long-run"}


def written(folder: Path, text: str, name: str = "mine.yaml") -> Path:
    (folder / name).write_text(text)
    return folder


def test_the_shipped_cases_are_many_and_of_every_suite() -> None:
    cases = reading.read()
    assert len(cases) >= 170
    assert {case.suite for case in cases} == SUITES


def test_every_fault_of_the_library_has_a_case() -> None:
    planted = {fault.id for case in reading.read() for fault in case.faults}
    assert planted == {fault.id for fault in FAULTS}


def test_actions_that_cases_expect_are_kinds_of_the_catalogue() -> None:
    named = {done.kind for case in reading.read() for done in case.expect.actions}
    assert named <= set(CATALOGUE)


def test_one_entry_makes_a_case_of_every_value(tmp_path: Path) -> None:
    text = 'defaults: {world: small}\ncases:\n- {each: {days: [1, 2]}, id: "days-{days}", lasts: 1h, seeds: ["{days}"]}\n'
    found = reading.read(written(tmp_path, text))
    assert [(case.id, case.seeds, case.suite) for case in found] == [("days-1", (1,), "own"), ("days-2", (2,), "own")]


def test_what_a_case_says_replaces_the_defaults_key_by_key(tmp_path: Path) -> None:
    text = "defaults: {world: {name: small}, expect: {silent: true}}\ncases:\n- {id: one, world: {change: {web: {replicas: 4}}}}\n"
    (case,) = reading.read(written(tmp_path, text))
    assert case.world.name == "small"
    assert case.world.change == {"web": {"replicas": 4}}
    assert case.expect.silent


def test_files_of_a_case_are_beside_it(tmp_path: Path) -> None:
    (case,) = reading.read(written(tmp_path, "{id: look, world: {manifests: shop}}"))
    assert case.world.manifests == tmp_path / "shop"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("cases: [{id: a, world: small, expects: {}}]", "mine.yaml: cases.0.expects: Extra inputs"),
        ("cases: [{id: a, world: small, faults: [image-mising]}]", "cases.0.faults.0: there is no fault 'image-mising'"),
        ("cases: [{id: a, world: small, lasts: 5 minutes}]", "cases.0.lasts: a time is a number and one of s, m, h, d"),
        ("cases: [{id: a, world: {name: small, file: w.yaml}}]", "cases.0.world: a world is exactly one of"),
        ("cases: [{id: a, world: small, faults: [image-missing]}]", "faults of the library befall"),
        ("cases: [{id: a, world: {manifests: x}, acts: always}]", "stand still"),
        ("cases: [{id: a, world: small, asks: [{kind: reboot, target: Node/a, verdict: [deny]}]}]", "there is no action kind 'reboot'"),
        ("cases: [{id: a, world: small, edits: [{target: Node/a}]}]", "an edit is exactly one of patch, create, delete"),
        ("cases: [a]", "cases.0: a case is a mapping"),
        ("case: []\ncases: []", "case: beside `cases` there is only `defaults`"),
        ("cases: [}", "mine.yaml:1: "),
        ("- a", "a file of cases is a mapping"),
    ],
)
def test_a_mistake_is_told_with_its_place(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        reading.read(written(tmp_path, text))
    assert said in str(caught.value)
    assert caught.value.mend


def test_two_cases_of_one_name_are_refused(tmp_path: Path) -> None:
    written(tmp_path, "{id: one, world: small}", "a.yaml")
    with pytest.raises(InvalidInput, match="two cases are called one"):
        reading.read(written(tmp_path, "{id: one, world: small}", "b.yaml"))


def test_an_empty_folder_and_a_missing_one_are_told(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="no YAML file"):
        reading.read(tmp_path)
    with pytest.raises(InvalidInput, match="there are no cases"):
        reading.read(tmp_path / "gone")


def test_the_quick_suite_takes_one_seed_of_each() -> None:
    quick = reading.chosen(reading.read(), quick=True)
    assert {len(case.seeds) for case in quick} == {1}
    assert all(case.quick for case in quick)


def test_the_quick_suite_has_cases_of_every_suite() -> None:
    assert {case.suite for case in reading.chosen(reading.read(), quick=True)} == SUITES


def test_every_fault_that_real_controllers_make_has_a_case_for_both() -> None:
    real = {case.faults[0].id for case in reading.read() if case.is_real_too}
    assert real == {fault.id for fault in FAULTS if fault.on_rig}
    assert len(real) >= 20


@pytest.mark.parametrize(
    "what",
    [
        "world: small",
        "world: ground",
        "{world: ground, faults: [killed-for-nothing]}",
        "{world: ground, faults: [image-missing], edits: [{target: Node/a, delete: true}]}",
        "{world: ground, faults: [image-missing], people: {frozen: true}}",
        "{world: ground, faults: [image-missing, port-moved]}",
    ],
)
def test_what_else_happens_in_a_case_is_not_laid_on_a_real_control_plane(tmp_path: Path, what: str) -> None:
    body = what.removeprefix("{").removesuffix("}").replace("killed-for-nothing", next(fault.id for fault in FAULTS if not fault.on_rig))
    (found,) = reading.read(written(tmp_path, f"{{id: one, {body}}}"))
    assert not found.is_real_too


def test_a_suite_that_is_not_there_is_told_with_those_that_are() -> None:
    with pytest.raises(InvalidInput) as caught:
        reading.chosen(reading.read(), suites=["money"])
    assert "finops" in caught.value.mend


CAPTURED = """\
kind: Case
case:
  id: run-3fa9
  suite: own
  world: {snapshot: prod.snap}
  expect: {causes: [{target: Deployment/shop/web, codes: [REL-101]}]}
label: {outcome: sound}
trajectory: {run: run-3fa9}
"""


def test_what_was_captured_of_a_live_run_is_a_case(tmp_path: Path) -> None:
    (found,) = reading.read(written(tmp_path, CAPTURED))
    assert (found.id, found.world.snapshot, found.expect.causes[0].target) == ("run-3fa9", tmp_path / "prod.snap", "Deployment/shop/web")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (CAPTURED.replace("  world: {snapshot: prod.snap}\n", ""), "captured without a look at its cluster"),
        ("kind: Case\nlabel: {}\n", "under `case`"),
        (CAPTURED.replace("suite: own", "suite: none"), "case.suite"),
    ],
)
def test_a_captured_case_that_cannot_be_lived_through_says_what_is_missing(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(InvalidInput, match=told):
        reading.read(written(tmp_path, text))
