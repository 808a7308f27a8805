"""Whether a run is worse than another: pairs, McNemar's exact test, and cases that are lost."""

from pathlib import Path
from typing import Any

import pytest

from core.domain.errors import InvalidInput
from evals.running.trial import Trial
from evals.scoring import results
from evals.scoring.comparing import McNemar, compared
from evals.scoring.results import Later, Repeated, Results


def trial(case: str, *, passed: bool = True, seed: int = 1, **more: Any) -> Trial:
    parts: dict[str, Any] = {"case": case, "suite": "reliability", "seed": seed, "contestant": "day2ops"}
    return Trial(**{**parts, "misses": () if passed else ("no finding",), **more})


def test_the_probability_is_the_tail_of_a_fair_coin() -> None:
    assert McNemar("all", 20, worse=5, better=0).probability == pytest.approx(1 / 32)
    assert McNemar("all", 20, worse=4, better=1).probability == pytest.approx(6 / 32)
    assert McNemar("all", 20, worse=0, better=0).probability == 1.0


def test_the_same_run_is_no_worse() -> None:
    found = compared([trial("a"), trial("b", passed=False)], [trial("a"), trial("b", passed=False)])
    assert not found.changes
    assert not found.is_worse


def test_a_case_that_passed_on_every_seed_and_passes_on_none_is_lost_and_named() -> None:
    before = [trial("a", seed=1), trial("a", seed=2), trial("b", seed=1)]
    after = [trial("a", seed=1, passed=False), trial("a", seed=2, passed=False), trial("b", seed=1)]
    found = compared(before, after)
    assert found.is_worse
    assert found.lost == ("a",)
    assert [(change.name, change.better, change.why) for change in found.changes] == [
        ("a/1", False, ("no finding",)),
        ("a/2", False, ("no finding",)),
    ]


def test_one_seed_of_several_is_noise_by_itself() -> None:
    before = [trial("a", seed=seed) for seed in range(5)]
    found = compared(before, [trial("a", seed=seed, passed=seed != 0) for seed in range(5)])
    assert found.changes
    assert not found.is_worse


def test_five_losses_without_a_gain_are_beyond_noise() -> None:
    before = [trial(f"c{number}", seed=seed) for number in range(5) for seed in (1, 2)]
    after = [trial(f"c{number}", seed=seed, passed=seed == 1) for number in range(5) for seed in (1, 2)]
    found = compared(before, after)
    assert found.lost == ()
    assert found.is_worse
    assert [test.name for test in found.tests if test.is_worse] == ["all", "reliability"]


def test_a_trial_with_a_model_is_never_lost_by_one_flip() -> None:
    found = compared([trial("a", tokens=900)], [trial("a", passed=False, tokens=900)])
    assert not found.is_worse


def test_gains_are_no_loss_and_what_has_no_pair_is_counted() -> None:
    found = compared([trial("a", passed=False), trial("gone")], [trial("a"), trial("new")])
    assert not found.is_worse
    assert found.unpaired == 2


def test_a_baseline_that_gets_worse_is_no_regression_of_the_product() -> None:
    assert not compared([trial("a", contestant="restart")], [trial("a", passed=False, contestant="restart")]).lost


def test_results_survive_their_file(tmp_path: Path) -> None:
    kept = Results("2026-11-27", "abc", "d" * 64, (trial("a"), trial("b", passed=False, writes=3)))
    again = Repeated(5, 2, ("b/1",), "2026-11-28", "def")
    for each in (kept, kept._replace(later=(Later("gpu", "2026-11-28", "def"),), repeated=again)):
        results.write(each, tmp_path / "runs" / "one.json")
        assert results.read(tmp_path / "runs" / "one.json") == each


def test_a_suite_that_is_run_again_takes_the_place_of_its_older_trials_alone() -> None:
    old = Results("2026-11-27", "abc", "d" * 64, (trial("a"), trial("b", suite="gpu", passed=False), trial("c", suite="gpu")))
    newer = Results("2026-11-28", "def", "e" * 64, (trial("b", suite="gpu"),))
    found = old.renewed("gpu", newer).renewed("gpu", newer)
    assert found.trials == (trial("a"), trial("b", suite="gpu"))
    assert (found.commit, found.later) == ("abc", (Later("gpu", "2026-11-28", "def"),))


def test_trials_that_differ_in_more_than_their_seconds_are_named() -> None:
    rounds = [[trial("a", wall=1.0), trial("b", writes=1), trial("c")], [trial("a", wall=2.0), trial("b", writes=2)]]
    assert results.repeated(rounds, "2026-11-27", "abc") == Repeated(2, 3, ("b/1", "c/1"), "2026-11-27", "abc")


@pytest.mark.parametrize("text", ["", "{}", '{"kind": "FindingList"}', '{"kind": "EvalResults", "metadata": {}}'])
def test_what_is_no_results_is_told(tmp_path: Path, text: str) -> None:
    file = tmp_path / "r.json"
    file.write_text(text)
    with pytest.raises(InvalidInput) as caught:
        results.read(file)
    assert "day2 eval run" in caught.value.mend
