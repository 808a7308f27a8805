"""The ground of the attempts: the guard as objects of the API, and as files. All are marked `bypass`: `make test-bypass` runs them."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.cluster.conftest import asked_for

if TYPE_CHECKING:
    from tests.cluster.bypass.ground import Ground
    from tests.cluster.guarded import Guarded

HERE = Path(__file__).resolve().parent


def pytest_ignore_collect(config: pytest.Config) -> bool | None:
    """The table is long: a run that would deselect all of it does not even read it."""
    return True if not asked_for(config) or config.option.markexpr == "not cluster" else None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker("bypass")


@pytest.fixture(scope="module")
def ground(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ground]:
    """Its parameter is one of `attempts.MODES`."""
    from tests.cluster.bypass.ground import standing

    folder = tmp_path_factory.mktemp("bypass")
    with _guard(request, tmp_path_factory.mktemp("guard")) as guard, standing(guard, request.param, folder) as found:
        yield found


@contextlib.contextmanager
def _guard(request: pytest.FixtureRequest, folder: Path) -> Iterator[Guarded]:
    from tests.cluster.guarded import guarded

    if request.param == "static":
        yield request.getfixturevalue("static_guard")
    else:
        with guarded(request.getfixturevalue("control_plane"), folder) as found:
            yield found
