"""Faults on a living ground: a few of each sort at once, all of them in the slow tests. What is stored is what a run gives."""

from pathlib import Path

import pytest

from evals.faults import page, results
from evals.faults.trials import quiet, tried
from simulator.faults.table import FAULTS

ROOT = Path(__file__).parents[3]
FEW = ("image-missing", "selector-moved", "quota-of-pods-used-up", "secret-deleted", "budget-never-lets-go", "slow-start")
SEED = 3
"""Not one of the stored grounds."""


def test_a_healthy_ground_is_told_of_nothing() -> None:
    assert quiet(SEED) == ()


@pytest.mark.parametrize("name", FEW)
def test_a_fault_is_found_with_its_cause_and_mended_where_it_can_be(name: str) -> None:
    (row,) = tried(SEED, [name])
    assert row.right, row
    assert row.elsewhere == ()
    assert row.mended or not row.mendable, row
    assert row.harmed == ()


def test_the_same_trial_gives_the_same_row() -> None:
    assert list(tried(SEED, ["port-moved", "image-crashes"])) == list(tried(SEED, ["port-moved", "image-crashes"]))


def test_the_page_is_made_of_the_stored_results_and_they_are_of_every_fault() -> None:
    stored = results.read()
    assert (ROOT / "docs/faults.md").read_text(encoding="utf-8") == page.text(stored), 'make eval-faults ARGS="--page"'
    assert {(row.fault, row.seed) for row in stored.rows} == {(fault.id, seed) for fault in FAULTS for seed in stored.seeds}


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_every_fault_is_found_with_its_cause_on_another_ground() -> None:
    rows = list(tried(SEED, [fault.id for fault in FAULTS]))
    assert sum(row.right for row in rows) >= 0.95 * len(rows), [row for row in rows if not row.right]
    assert [row for row in rows if row.elsewhere] == []
    assert [row for row in rows if row.mendable and not row.mended] == []
    assert [row for row in rows if row.harmed] == []
