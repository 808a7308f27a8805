"""Good runs of the development seeds, as they are kept beside the calibration."""

from collections.abc import Sequence

import pytest

from core.assessing.trajectory import Trajectory
from evals.assessing import corpus
from evals.assessing.corpus import Base


@pytest.fixture(scope="session")
def good() -> Sequence[Base]:
    return [base for base in corpus.bases() if base.seed in corpus.DEVELOPMENT]


@pytest.fixture
def run(good: Sequence[Base]) -> Trajectory:
    """A rollout whose image could not be pulled, rolled back."""
    return next(base.run for base in good if base.fault == "image-missing")


@pytest.fixture
def approved(good: Sequence[Base]) -> Trajectory:
    """A wedged pod, deleted after a person said yes."""
    return next(base.run for base in good if base.fault == "one-pod-wedged")
