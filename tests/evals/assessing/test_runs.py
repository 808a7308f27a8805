"""A good run is lived through anew as it was kept: what the corpus says of the product is what the product does."""

import pytest

from core.assessing import trajectory
from evals.assessing import corpus, runs


@pytest.mark.slow
def test_a_run_lived_through_anew_is_the_one_that_is_kept() -> None:
    kept = {(base.seed, base.fault): base.run for base in corpus.bases()}
    for fault, run in runs.good(1, ["one-pod-wedged", "selector-moved"]):
        assert trajectory.text(run) == trajectory.text(kept[1, fault])
