"""The doors' database to hold to the contracts: none, for the twins; on sqlite; and on Postgres where there is one."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tools.stores.front import opening, tables
from tools.stores.opening import Database


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "database" in metafunc.fixturenames:
        metafunc.parametrize("database", ["memory", "sqlite", "postgres"], indirect=True)
    if "front_url" in metafunc.fixturenames:
        metafunc.parametrize("front_url", ["sqlite", "postgres"], indirect=True)


@pytest.fixture
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database | None]:
    """None: the twin."""
    if request.param == "memory":
        yield None
        return
    found = opening.opened(_url(request, tmp_path))
    yield found
    found.close()


@pytest.fixture
def front_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of one that is empty, for tests that open it more than once."""
    return _url(request, tmp_path)


def _url(request: pytest.FixtureRequest, folder: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{folder / 'front.db'}"
    url: str = request.getfixturevalue("postgres")
    database = opening.opened(url)
    with database.writing() as connection:
        connection.exec_driver_sql(f"TRUNCATE {', '.join(tables.metadata.tables)}")
    database.close()
    return url
