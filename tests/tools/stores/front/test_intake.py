"""The intake's contract, on sqlite, on Postgres and on its twin."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from core.domain.errors import Corrupt
from core.domain.intake import Intake, Stage
from core.domain.request import Request
from tools.stores.front import opening
from tools.stores.front.intake import MemoryIntake, SqlIntake
from tools.stores.opening import Database

AT = datetime(2026, 11, 27, 9, 0, tzinfo=UTC)


def request(number: int) -> Request:
    return Request(id=f"run-{number}", trigger="chat", by="oidc:ana", text=f"question {number}", at=AT + timedelta(seconds=number))


@pytest.fixture
def intake(database: Database | None) -> Intake:
    return SqlIntake(database) if database else MemoryIntake()


def test_the_same_request_twice_is_one(intake: Intake) -> None:
    assert intake.put(request(1), door="api")
    assert not intake.put(request(1), door="chat", thread="other")
    (asked,) = intake.open()
    assert (asked.request, asked.door, asked.stage) == (request(1), "api", Stage.WAITING)


def test_open_are_the_waiting_and_the_begun_oldest_first(intake: Intake) -> None:
    for number in (3, 1, 2):
        intake.put(request(number), door="api", thread="even" if number == 2 else "odd")
    assert intake.move("run-1", expected=frozenset({Stage.WAITING}), to=Stage.BEGUN, at=AT)
    assert intake.move("run-3", expected=frozenset({Stage.WAITING}), to=Stage.FAILED, at=AT, note="why")
    assert [(item.request.id, item.stage) for item in intake.open()] == [("run-1", Stage.BEGUN), ("run-2", Stage.WAITING)]
    assert [item.request.id for item in intake.recent(thread="odd")] == ["run-3", "run-1"]
    assert [item.request.id for item in intake.recent(1)] == ["run-3"]
    found = intake.get("run-3")
    assert found is not None
    assert found.note == "why"


def test_who_comes_second_moves_nothing(intake: Intake) -> None:
    intake.put(request(1), door="api")
    waiting = frozenset({Stage.WAITING})
    assert intake.move("run-1", expected=waiting, to=Stage.BEGUN, at=AT)
    assert not intake.move("run-1", expected=waiting, to=Stage.BEGUN, at=AT)
    assert not intake.move("run-9", expected=waiting, to=Stage.BEGUN, at=AT)
    assert intake.get("run-9") is None


def test_what_was_put_is_there_after_a_restart(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'front.db'}"
    first = opening.opened(url)
    SqlIntake(first).put(request(1), door="api")
    first.close()
    again = opening.opened(url)
    assert [item.request.id for item in SqlIntake(again).open()] == ["run-1"]
    again.close()
    assert (tmp_path / "front.db").stat().st_mode & 0o777 == 0o600


def _foreign(path: Path) -> None:
    path.write_text("no database, a letter\n" * 50, encoding="ascii")


def _newer(path: Path) -> None:
    from tools.stores.front import tables

    database = opening.opened(f"sqlite:///{path}")
    with database.writing() as connection:
        connection.execute(tables.about.update().values(form=tables.FORM + 1))
    database.close()


@pytest.mark.parametrize("spoil", [_foreign, _newer])
def test_what_is_not_ours_or_newer_is_refused(tmp_path: Path, spoil: Callable[[Path], None]) -> None:
    spoil(tmp_path / "front.db")
    with pytest.raises(Corrupt):
        opening.opened(f"sqlite:///{tmp_path / 'front.db'}")


def test_a_database_of_an_older_form_grows_and_keeps_what_it_has(front_url: str) -> None:
    from core.domain.webhooks import Target
    from tools.stores.front.webhooks import SqlTargets

    old = opening.opened(front_url)
    made = Target("siem", "https://siem.example/", (), "siem", "oidc:ana", AT, 7)
    SqlTargets(old).add(made)
    with old.writing() as connection:
        for statement in (
            "ALTER TABLE front_webhooks DROP COLUMN held_by",
            "ALTER TABLE front_webhooks DROP COLUMN held_until",
            "UPDATE front_about SET form = 1",
        ):
            connection.exec_driver_sql(statement)
    old.close()
    for _ in range(2):
        grown = opening.opened(front_url)
        assert SqlTargets(grown).all() == [made]
        grown.close()
