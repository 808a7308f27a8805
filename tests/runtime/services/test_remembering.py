"""The history of runs says what reading the whole chain says, and reads each record once."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from core.domain.errors import InvalidInput, Unavailable
from core.domain.request import Request
from runtime.services import remembering, running
from runtime.services.remembering import History
from tools.stores.memory import MemoryLedger

AT = datetime(2026, 11, 27, 9, 0, tzinfo=UTC)


def begin(ledger: MemoryLedger, number: int, *, ended: bool = True) -> None:
    at = AT + timedelta(minutes=number)
    asked = Request(id=f"run-{number}", trigger="chat", by="oidc:ana@example.org", text=f"question {number}", at=at)
    ledger.record(role="controller", event="run.started", subject=asked.id, body=asked.model_dump(mode="json"), at=at)
    if ended:
        ledger.record(role="controller", event="run.finished", subject=asked.id, body={"findings": number}, at=at + timedelta(seconds=5))


class Counting(MemoryLedger):
    def __init__(self) -> None:
        super().__init__()
        self.read: list[int] = []

    def chain(self, start: int = 1, limit: int = 10_000, *, role: str = "") -> Any:
        rows = super().chain(start, limit, role=role)
        self.read += [row.place for row in rows]
        return rows


def test_it_says_what_the_whole_chain_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remembering, "PAGE", 3)
    ledger = MemoryLedger()
    history = History(ledger)
    for number in range(10):
        begin(ledger, number, ended=number != 4)
        assert history.runs(3) == running.runs(ledger, 3)
    assert history.runs(since=AT + timedelta(minutes=6)) == running.runs(ledger, since=AT + timedelta(minutes=6))
    assert [history.run(f"run-{number}") for number in range(10)] == [running.get(ledger, f"run-{number}") for number in range(10)]
    with pytest.raises(InvalidInput, match="no run"):
        history.run("run-none")


def test_each_record_is_read_once_for_all_lists() -> None:
    ledger = Counting()
    history = History(ledger)
    for number in range(5):
        begin(ledger, number)
        history.runs()
    assert ledger.read == sorted(set(ledger.read))
    ledger.record(role="controller", event="run.finished", subject="run-0", body={"findings": 9}, at=AT)
    assert history.runs()[-1].summary == {"findings": 9}


def test_a_store_that_is_away_loses_nothing() -> None:
    ledger = MemoryLedger()
    history = History(ledger)
    begin(ledger, 1)
    ledger.down = Unavailable("the ledger")
    with pytest.raises(Unavailable):
        history.runs()
    ledger.down = None
    assert [run.id for run in history.runs()] == ["run-1"]
