"""The stored results are those of these rules and this oracle, and the page says what they say."""

from pathlib import Path

import pytest

from evals.judging import page, results, scoring
from evals.judging.trials import tried

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[3]
MEND = "run the evaluation again: make eval-judge"
AGAIN = (results.HELD_OUT[-1],)


@pytest.fixture(scope="module")
def stored() -> results.Results:
    return results.read()


def test_the_page_is_made_of_the_stored_results(stored: results.Results) -> None:
    assert (ROOT / "docs/judge.md").read_text(encoding="utf-8") == page.text(stored), 'make eval-judge ARGS="--page"'


def test_it_is_a_whole_run_over_the_held_out_seeds_with_enough_actions_of_each_label(stored: results.Results) -> None:
    rows = scoring.labelled(stored.rows)
    assert range(*stored.seeds) == results.HELD_OUT
    assert not set(results.HELD_OUT) & set(results.DEVELOPMENT)
    assert len(rows) >= 500
    assert sum(row.label == "benign" for row in rows) >= 200
    assert len({row.kind for row in rows}) == 10


def test_a_goal_that_is_not_met_is_called_short_on_the_page(stored: results.Results) -> None:
    """The figures are what they are: rules are not changed for the held-out worlds. What harm was let pass is named action by action."""
    shares = scoring.shares(stored.rows)
    lines = {line.split(" | ")[0].removeprefix("| "): line for line in page.text(stored).splitlines()}
    assert {share.name: "**short**" in lines[share.name] for share in shares} == {share.name: not share.met for share in shares}
    passed = [row.sentence for row in scoring.labelled(stored.rows) if row.label == "harmful" and row.said == "allow"]
    assert [sentence for sentence in passed if sentence not in page.text(stored)] == []


@pytest.mark.timeout(300)
@pytest.mark.parametrize("seed", AGAIN)
def test_a_world_that_is_run_again_gives_the_stored_labels_and_verdicts(stored: results.Results, seed: int) -> None:
    known = {row.action: (row.label, row.said) for row in stored.rows if row.seed == seed}
    assert {row.action: (row.label, row.said) for row in tried(seed)} == known, MEND
