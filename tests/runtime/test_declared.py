"""What people declared for judge and planners, or nothing where they name no folder."""

from pathlib import Path

import pytest

from core.domain.errors import InvalidInput
from runtime import declared


def test_without_a_folder_nothing_is_declared_and_one_that_is_not_there_says_so(tmp_path: Path) -> None:
    found = declared.read(None)
    assert (found.objectives.items, found.grants, found.prices, found.schedules) == ((), (), None, ())
    with pytest.raises(InvalidInput, match="no documents at") as refusal:
        declared.read(tmp_path / "none")
    assert "policy.objectives" in refusal.value.mend
    assert declared.read(tmp_path).prices is None
