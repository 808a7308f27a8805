"""A trajectory is one text: the same run gives the same one, and it is read back as it was."""

from collections.abc import Sequence

import pytest
from pydantic import ValidationError

from core.assessing import trajectory
from core.assessing.trajectory import Trajectory
from evals.assessing.corpus import Base


def test_what_is_written_is_read_back(good: Sequence[Base]) -> None:
    for base in good:
        stored = trajectory.text(base.run)
        assert trajectory.read(stored) == base.run
        assert trajectory.text(trajectory.read(stored)) == stored


def test_another_form_is_refused(run: Trajectory) -> None:
    with pytest.raises(ValidationError):
        trajectory.read('{"form":2,' + trajectory.text(run)[1:])


def test_evidence_is_as_old_as_when_its_action_was_judged_last(run: Trajectory) -> None:
    step, item = run.steps[0], run.evidence[0]
    assert step.ruling is not None
    assert run.age_seconds(item, step) == int((step.ruling.at - item.at).total_seconds())
    assert run.age_seconds(item, step.model_copy(update={"ruling": None})) == int((step.submitted_at - item.at).total_seconds())


def test_no_permit_and_no_object_is_in_it(good: Sequence[Base]) -> None:
    for base in good:
        stored = trajectory.text(base.run)
        assert "eyJ" not in stored, "a token"
        assert '"apiVersion"' not in stored
