"""The desk where alerts are handed in: those that come together share a commit, and so does what follows from them."""

import asyncio
import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from core.domain.errors import Unavailable
from core.domain.incidents import Handed, Taken
from core.domain.ledger import AuditRow, Entry
from runtime.services.alertmanagers import Notification, handed
from runtime.services.intaking import Desk, Rules
from tests.contracts.alertmanagers import AT, alert, notification
from tools.hand_clock import HandClock
from tools.stores.front.incidents import MemoryIncidents
from tools.stores.front.intake import MemoryIntake
from tools.stores.memory import MemoryLedger


class Counted(MemoryIncidents):
    """Knows how often it committed."""

    def __init__(self) -> None:
        super().__init__()
        self.commits: list[int] = []
        self.full = False

    def take(self, many: Sequence[Sequence[Handed]], *, at: datetime, again_within: timedelta) -> list[Taken]:
        if self.full:
            raise Unavailable("the ledger", 5.0, reason="the disk is full")
        self.commits.append(len(many))
        return super().take(many, at=at, again_within=again_within)


class Recorded(MemoryLedger):
    def __init__(self) -> None:
        super().__init__()
        self.commits: list[int] = []

    def record_all(self, entries: Sequence[Entry]) -> list[AuditRow]:
        self.commits.append(len(entries))
        return super().record_all(entries)


class Stand:
    def __init__(self) -> None:
        self.kept, self.ledger, self.intake, self.clock = Counted(), Recorded(), MemoryIntake(), HandClock(AT)
        self.desk = Desk(self.kept, self.intake, self.ledger, self.clock, Rules())

    async def told(self, *alerts: dict[str, Any]) -> Taken:
        return await self.desk.take(handed(Notification.model_validate(notification(*alerts)), self.clock.now()))


async def test_notifications_that_come_together_are_one_commit_and_each_is_told_its_own() -> None:
    stand = Stand()
    found = await asyncio.gather(*(stand.told(alert(pod=f"web{number}-0")) for number in range(40)))
    await stand.desk.settled()
    assert stand.kept.commits == [40]
    assert [one.new for one in found] == [1] * 40
    assert len({one.incidents for one in found}) == 40
    assert stand.ledger.commits == [40]
    assert stand.kept.untold() == []


async def test_what_cannot_be_kept_is_told_to_each_that_waited_and_the_next_is_taken() -> None:
    stand = Stand()
    stand.kept.full = True
    found = await asyncio.gather(*(stand.told(alert()) for _ in range(3)), return_exceptions=True)
    assert [type(one) for one in found] == [Unavailable] * 3
    stand.kept.full = False
    assert (await stand.told(alert())).new == 1


async def test_an_incident_whose_alerts_fell_silent_ends_and_the_chain_says_how() -> None:
    stand = Stand()
    (name,) = (await stand.told(alert())).incidents
    await stand.desk.settled()
    for hours in range(1, 12):
        stand.clock.advance(3600)
        stand.desk.look()
        assert [one.state for one in stand.kept.recent()] == ["open"], hours
    stand.clock.advance(3600)
    stand.desk.look()
    assert [one.state for one in stand.kept.recent()] == ["lapsed"]
    moves = [(row.event, json.loads(row.body)["lapsed"]) for row in stand.ledger.chain() if row.subject == name]
    assert moves == [("incident.opened", 0), ("incident.resolved", 1)]


async def test_what_could_not_be_heard_has_not_fallen_silent() -> None:
    stand = Stand()
    await stand.told(alert())
    await stand.desk.settled()
    stand.clock.advance(24 * 3600)  # nothing listened
    stand.desk = Desk(stand.kept, stand.intake, stand.ledger, stand.clock, Rules())
    stand.clock.advance(4 * 3600 - 60)
    stand.desk.look()
    assert [one.state for one in stand.kept.recent()] == ["open"]
    stand.clock.advance(60)
    stand.desk.look()
    assert [one.state for one in stand.kept.recent()] == ["lapsed"]
