"""What the audit chain keeps of experiments, and asking one to stop."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from core.domain.errors import InvalidInput
from core.domain.ledger import Ledger
from runtime.services import experiments
from tools.stores.memory import MemoryLedger

NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)
SPEC: dict[str, Any] = {"fault": {"kind": "pod_kill"}}
FIRST, SECOND = "exp-00000001", "exp-00000002"


@pytest.fixture
def ledger() -> Ledger:
    found = MemoryLedger()
    for number, name in enumerate((FIRST, SECOND)):
        experiments.start(found, name, name="shop", spec=SPEC, by="ann", at=NOON + timedelta(minutes=number))
    return found


def finish(ledger: Ledger, name: str, **body: Any) -> None:
    ledger.record(role="controller", event=experiments.FINISHED, subject=name, body={"word": "pass"} | body, at=NOON + timedelta(hours=1))


def test_the_newest_stands_first_and_what_has_not_ended_is_known(ledger: Ledger) -> None:
    finish(ledger, FIRST)
    assert [row.id for row in experiments.trials(ledger)] == [SECOND, FIRST]
    assert [row.id for row in experiments.unfinished(ledger)] == [SECOND]
    found = experiments.get(ledger, FIRST)
    assert (found.summary["word"], found.finished_at, found.spec) == ("pass", NOON + timedelta(hours=1), SPEC)
    assert [link.event for link in found.way] == ["experiment.started", "experiment.finished"]


def test_an_unknown_one_is_refused(ledger: Ledger) -> None:
    with pytest.raises(InvalidInput, match="no experiment"):
        experiments.get(ledger, "exp-nothing")


def test_a_document_that_would_not_be_kept_whole_is_refused(ledger: Ledger) -> None:
    with pytest.raises(InvalidInput, match="longer than"):
        experiments.start(ledger, "exp-00000003", name="long", spec={"why": "x" * 4000}, by="ann", at=NOON)


def test_a_stop_is_heard_by_who_listens_and_by_who_listens_later(ledger: Ledger) -> None:
    early = experiments.Heard(ledger)
    assert early.stop(FIRST) == ""
    experiments.stop(ledger, FIRST, by="bob", reason="customers complain", at=NOON)
    for heard in (early, experiments.Heard(ledger)):
        assert heard.stop(FIRST) == "stopped by bob: customers complain"
        assert heard.stop(SECOND) == ""


def test_what_is_over_cannot_be_stopped(ledger: Ledger) -> None:
    finish(ledger, FIRST)
    with pytest.raises(InvalidInput, match="is over"):
        experiments.stop(ledger, FIRST, by="bob", reason="late", at=NOON)
