"""The controller assesses what its runs left, where people let it, and goes on where that fails."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from core.domain.errors import Unavailable
from core.domain.request import Request
from runtime.assessing import Assessor
from runtime.roles import controller
from runtime.roles.controller import Controller
from runtime.services import assessing, running
from runtime.settings import AssessSettings, Settings, StoreSettings
from tools.hand_clock import HandClock
from tools.stores.memory import MemoryLedger

NOON = datetime(2026, 11, 27, 12, tzinfo=UTC)
ANSWER: dict[str, Any] = {"findings": [], "held": [], "asked": [], "coverage": {"run": [], "not_run": []}}


async def answer(_: str) -> dict[str, Any]:
    return ANSWER


class Gone(MemoryLedger):
    def chain(self, *_: Any, **__: Any) -> Any:
        raise Unavailable("the ledger", 1.0)


def made(ledger: MemoryLedger, clock: HandClock, *, assessor: bool = True) -> Controller:
    absent: Any = None
    found = Controller(clock, ledger, absent, absent, absent, None, absent, None, absent, absent, absent)
    found.assessor = Assessor(ledger, clock, answer, absent, AssessSettings(sample_percent=0), controller.ROLE) if assessor else None
    return found


def ran(ledger: MemoryLedger, clock: HandClock) -> None:
    asked = Request(id="run-1", trigger="schedule", by="operator", at=clock.now()).model_dump(mode="json")
    ledger.record(role=controller.ROLE, event=running.STARTED, subject="run-1", body=asked, at=clock.now())
    ledger.record(role=controller.ROLE, event=running.FINISHED, subject="run-1", body={}, at=clock.now())
    clock.advance(timedelta(hours=2).total_seconds())


async def test_what_ended_is_on_record_in_the_controllers_own_chain() -> None:
    ledger, clock = MemoryLedger(), HandClock(NOON)
    ran(ledger, clock)
    await made(ledger, clock).assess()
    assert [(row.event, row.subject) for row in ledger.chain(role=controller.ROLE)][-1] == (assessing.ASSESSED, "run-1")


async def test_where_nobody_wants_it_nothing_is_assessed() -> None:
    ledger, clock = MemoryLedger(), HandClock(NOON)
    ran(ledger, clock)
    await made(ledger, clock, assessor=False).assess()
    assert assessing.recorded(ledger) == []


async def test_a_ledger_that_does_not_answer_ends_no_controller() -> None:
    await made(Gone(), HandClock(NOON)).assess()


@pytest.mark.parametrize("enabled", [True, False])
def test_the_settings_decide(enabled: bool, tmp_path: Path) -> None:
    absent: Any = None

    class Reading:
        clock = HandClock(NOON)

    class Flows:
        response = staticmethod(answer)

    reading: Any = Reading()
    flows: Any = Flows()
    settings = Settings(store=StoreSettings(data_dir=tmp_path), assess=AssessSettings(enabled=enabled))
    found = controller._assessor(settings, reading, absent, flows)
    assert (found is not None) is enabled
