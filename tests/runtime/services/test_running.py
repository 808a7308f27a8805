from datetime import UTC, datetime

import pytest

from core.domain.errors import InvalidInput
from runtime.services import running
from tools.stores.memory import MemoryLedger

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def ledger(*events: tuple[str, str]) -> MemoryLedger:
    kept = MemoryLedger()
    for event, run in events:
        kept.record(role="controller", event=event, subject=run, body={"trigger": "chat", "by": "b", "text": "t", "findings": 3}, at=NOW)
    return kept


def test_a_run_that_began_and_ended() -> None:
    (run,) = running.runs(ledger(("run.started", "run-1"), ("run.finished", "run-1")))
    assert (run.id, run.trigger, run.finished_at, run.summary["findings"]) == ("run-1", "chat", NOW, 3)


def test_a_run_whose_process_died_is_not_finished() -> None:
    assert running.get(ledger(("run.started", "run-1")), "run-1").finished_at is None


def test_an_unknown_run_is_said() -> None:
    with pytest.raises(InvalidInput, match="no run 'run-9'"):
        running.get(ledger(), "run-9")
