"""Several processes on one database of the doors, each with a connection of its own, that all do the same at one moment."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from datetime import UTC, datetime, timedelta
from threading import Barrier

import pytest

from core.domain.access import Role
from core.domain.chats import Place, Taken
from core.domain.request import Request
from core.domain.sessions import Session
from core.domain.timetable import Put, Tick, TickState
from core.domain.tokens import Token
from core.domain.webhooks import Target
from runtime.services.alertmanagers import Notification, handed
from tests.contracts.alertmanagers import AT as ALERTED
from tests.contracts.alertmanagers import alert, notification
from tools.stores.front import opening, tables
from tools.stores.front.answers import SqlAnswers
from tools.stores.front.chats import SqlChats
from tools.stores.front.incidents import SqlIncidents
from tools.stores.front.intake import SqlIntake
from tools.stores.front.schedules import SqlTimetable
from tools.stores.front.sessions import SqlSessions
from tools.stores.front.tokens import SqlTokens
from tools.stores.front.webhooks import SqlTargets
from tools.stores.opening import Database

AT = datetime(2026, 11, 27, 9, 0, tzinfo=UTC)
MANY, ROUNDS = 6, 5
DAY = timedelta(days=1)


@pytest.fixture
def several(front_url: str) -> Iterator[list[Database]]:
    with ExitStack() as stack:
        yield [stack.enter_context(closing(opening.opened(front_url))) for _ in range(MANY)]


def at_once(several: list[Database], do: Callable[[Database, int], object]) -> list[list[object]]:
    """What each answered, round by round. `do` gets the round."""
    together = Barrier(len(several))

    def all_rounds(database: Database) -> list[object]:
        try:
            return [(together.wait(60), do(database, number))[1] for number in range(ROUNDS)]
        except Exception:
            together.abort()
            raise

    with ThreadPoolExecutor(len(several)) as pool:
        found = list(pool.map(all_rounds, several))
    return [list(answers) for answers in zip(*found, strict=True)]


def request(number: int) -> Request:
    return Request(id=f"run-{number}", trigger="chat", by="oidc:ana", text="why", at=AT)


def tick(number: int, asked_by: str = "") -> Tick:
    at = AT + timedelta(minutes=number)
    return Tick("s", at, f"run-s{number}", TickState.DUE, at, asked_by=asked_by)


def target(number: int) -> Target:
    return Target(f"siem{number}", "https://siem.example/", (), "siem", "oidc:ana", AT, 0)


ONE_WINS: dict[str, Callable[[Database, int], object]] = {
    "a request": lambda database, number: SqlIntake(database).put(request(number), door="api"),
    "an event of a chat": lambda database, number: SqlChats(database).take(Taken("slack", f"e{number}", "body", AT)),
    "a target": lambda database, number: SqlTargets(database).add(target(number)),
    "a token": lambda database, number: SqlTokens(database).add(Token(f"t{number}", frozenset({Role.SENDER}), "a", AT), f"d{number}"),
    "a tick": lambda database, number: SqlTimetable(database).add([tick(number)]) == 1,
    "a key": lambda database, number: (
        SqlAnswers(database).begin("a", f"k{number}", "d", at=AT, stale_before=AT - DAY, forget_before=AT - DAY) is None
    ),
}


@pytest.mark.parametrize("what", ONE_WINS)
def test_of_those_that_come_at_once_one_is_first_and_the_others_are_told(several: list[Database], what: str) -> None:
    for answers in at_once(several, ONE_WINS[what]):
        assert sorted(map(bool, answers)) == [False] * (MANY - 1) + [True]


def test_a_target_is_claimed_by_one(several: list[Database]) -> None:
    names = {id(database): f"sender-{number}" for number, database in enumerate(several)}
    for number in range(ROUNDS):
        SqlTargets(several[0]).add(target(number))

    def claim(database: Database, number: int) -> object:
        return SqlTargets(database).claim(target(number), names[id(database)], at=AT, until=AT + DAY)

    for answers in at_once(several, claim):
        assert len([answer for answer in answers if answer]) == 1


def test_one_tick_of_a_schedule_is_begun(several: list[Database]) -> None:
    SqlTimetable(several[0]).add([tick(number) for number in range(ROUNDS * MANY)])
    order = {id(database): place for place, database in enumerate(several)}

    def begin(database: Database, number: int) -> object:
        return SqlTimetable(database).begin(f"run-s{number * MANY + order[id(database)]}", AT)

    first, *others = at_once(several, begin)
    assert first.count(True) == 1
    assert not any(answer for answers in others for answer in answers)


def test_the_same_alerts_are_one_incident(several: list[Database]) -> None:
    def take(database: Database, number: int) -> object:
        told = [alert(f"A{one}", pod=f"web{number}-0") for one in range(3)]
        return SqlIncidents(database).take(
            [handed(Notification.model_validate(notification(*told)), ALERTED)], at=ALERTED, again_within=timedelta(minutes=30)
        )[0]

    for answers in at_once(several, take):
        assert sorted(taken.new for taken in answers) == [0] * (MANY - 1) + [3]  # type: ignore[attr-defined]
    kept = SqlIncidents(several[0]).recent()
    assert [(one.alerts, one.firing) for one in kept] == [(3, 3)] * ROUNDS


def test_what_is_put_at_once_is_there_once(several: list[Database]) -> None:
    def put(database: Database, number: int) -> object:
        SqlTimetable(database).put(Put(f"s{number}", "document", "oidc:ana", AT))
        SqlTimetable(database).after(f"s{number}", AT)
        SqlChats(database).keep(f"k{number}", "value")
        SqlSessions(database).open(Session(f"{id(database)}-{number}", "oidc:ana", (), "oidc", AT, AT, AT))
        return SqlChats(database).say(Place("web", "oidc:ana"), "oidc:ana", "line", AT)

    numbers = [number for answers in at_once(several, put) for number in answers]
    assert len(set(numbers)) == MANY * ROUNDS
    assert [item.name for item in SqlTimetable(several[0]).puts()] == [f"s{number}" for number in range(ROUNDS)]


def test_it_is_made_once_where_several_open_it_first(front_url: str, several: list[Database]) -> None:
    with several[0].writing() as connection:
        tables.metadata.drop_all(connection)
    for database in several:
        database.close()
    with ThreadPoolExecutor(MANY) as pool:
        for database in pool.map(opening.opened, [front_url] * MANY):
            database.close()
