"""A stage for each test, over twins, and over sqlite where what is kept matters."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.interfaces.chat.stage import Stage
from tools.stores.front import opening
from tools.stores.front.chats import SqlChats


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    return Stage(tmp_path)


@pytest.fixture
def kept_stage(tmp_path: Path) -> Iterator[Stage]:
    database = opening.opened(f"sqlite:///{tmp_path / 'front.db'}")
    yield Stage(tmp_path, chats=SqlChats(database))
    database.close()
