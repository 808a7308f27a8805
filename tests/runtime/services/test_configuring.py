from pathlib import Path

import pytest

from core.domain.errors import InvalidInput
from runtime import settings
from runtime.services import configuring


def test_every_setting_says_which_source_won(tmp_path: Path) -> None:
    file = tmp_path / "day2.yaml"
    file.write_text("flow: {poll_seconds: 2, consult_seconds: 9}\n", encoding="utf-8")
    loaded = settings.load({"store.data_dir": tmp_path}, environment={"DAY2_FLOW__POLL_SECONDS": "3"}, files=(file,))
    found = {row.key: (row.value, row.source) for row in configuring.view(loaded)}
    assert found["flow.poll_seconds"] == (3.0, "environment DAY2_FLOW__POLL_SECONDS")
    assert found["flow.consult_seconds"] == (9, str(file))
    assert found["store.data_dir"] == (str(tmp_path), "flag")
    assert found["flow.approval_hours"] == (24, "default")


def test_secrets_show_as_dots() -> None:
    loaded = settings.load({"registry.url": "redis://:hush@localhost/0"}, environment={}, files=())
    assert "hush" not in str(configuring.view(loaded))


def test_a_change_keeps_what_else_stands_in_the_file(tmp_path: Path) -> None:
    file = tmp_path / "sub" / "day2.yaml"
    configuring.change(file, "flow.poll_seconds", "0.5")
    configuring.change(file, "model.enabled", "true")
    loaded = settings.load(environment={}, files=(file,)).settings
    assert (loaded.flow.poll_seconds, loaded.model.enabled) == (0.5, True)
    assert [path.name for path in file.parent.iterdir()] == ["day2.yaml"]


def test_comments_of_people_are_not_lost(tmp_path: Path) -> None:
    file = tmp_path / "day2.yaml"
    file.write_text("# why it is so\nflow: {poll_seconds: 2}\n", encoding="utf-8")
    with pytest.raises(InvalidInput, match="comments"):
        configuring.change(file, "flow.poll_seconds", "1")
    assert "why it is so" in file.read_text(encoding="utf-8")
