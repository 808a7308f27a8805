"""Ledgers to hold to the contract: the twin, sqlite, and Postgres where there is one."""

import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from core.domain.approval import Approval
from core.domain.ledger import ActionRow, Ledger
from core.domain.outcome import ActionState
from tools.stores import admissions
from tools.stores.ledger import SqlLedger, opened
from tools.stores.memory import MemoryLedger
from tools.stores.migrating import migrate
from tools.stores.opening import Database

START = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


@pytest.fixture
def start() -> datetime:
    return START


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'ledger.db'}"


@pytest.fixture(scope="session")
def empty_ledger(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A ledger of the newest form: copied, because making one takes longer than most tests."""
    path = tmp_path_factory.mktemp("ledger") / "ledger.db"
    migrate(f"sqlite:///{path}")
    return path


@pytest.fixture
def sqlite(url: str, tmp_path: Path, empty_ledger: Path) -> Iterator[SqlLedger]:
    shutil.copy(empty_ledger, tmp_path / "ledger.db")
    found = opened(url, tmp_path / "audit.jsonl")
    yield found
    found.close()


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "ledger" in metafunc.fixturenames:
        metafunc.parametrize("ledger", ["memory", "sqlite", "postgres"], indirect=True)


@pytest.fixture
def ledger(request: pytest.FixtureRequest) -> Iterator[Ledger]:
    if request.param == "memory":
        yield MemoryLedger()
    elif request.param == "sqlite":
        yield request.getfixturevalue("sqlite")
    else:
        yield request.getfixturevalue("on_postgres")


@pytest.fixture
def on_postgres(postgres: str) -> Iterator[SqlLedger]:
    """A new one."""
    database = Database(postgres)
    with database.writing() as connection:
        admissions.admissions.metadata.drop_all(connection)  # all tables: the webhook's are the ledger's too
        connection.exec_driver_sql("DROP TABLE IF EXISTS alembic_version")
    database.close()
    migrate(postgres)
    found = opened(postgres, None)
    yield found
    found.close()


@pytest.fixture
def row() -> Callable[..., ActionRow]:
    """An action row; a number makes it another action on another wish."""

    def made(number: int = 1, **changes: Any) -> ActionRow:
        told: dict[str, Any] = dict.fromkeys(ActionRow._fields, "")
        told |= {
            "action_id": f"act-000{number}",
            "digest": f"digest-{number}",
            "intent_key": f"intent-{number}",
            "run_id": "run-1",
            "agent": "scaling",
            "kind": "scale_workload",
            "target_uid": "uid-1",
            "namespace": "shop",
            "proposal": "{}",
            "state": ActionState.SUBMITTED,
            "submitted_by": "operator",
            "submitted_at": START + timedelta(seconds=number),
            "changed_at": START + timedelta(seconds=number),
            "expires_at": START + timedelta(hours=1),
            "next_look_at": None,
            "deadline": None,
            "epoch": 0,
            "attempts": 0,
        }
        return ActionRow(**told | changes)

    return made


@pytest.fixture
def approval() -> Callable[..., Approval]:
    def made(by: str = "ann", **changes: Any) -> Approval:
        told = {
            "id": f"approval-{by}",
            "action_id": "act-0001",
            "action_digest": "digest-1",
            "decision": "approved",
            "by": by,
            "door": "cli",
            "reason": "looked at it",
            "at": START,
            "expires_at": START + timedelta(hours=8),
        }
        return Approval(**told | changes)

    return made
