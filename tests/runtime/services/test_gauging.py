"""How the gate itself is: said of what the record holds, and of nothing else."""

from datetime import timedelta
from pathlib import Path

import pytest

from core.domain.access import Role
from core.domain.outcome import ActionState
from runtime.services.gauging import A_WEEK, Health
from tests.contracts.consoles import World
from tests.contracts.doors import caller

S = ActionState


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


async def health(world: World) -> Health:
    found: Health = await world.house.offers.call(caller(Role.VIEWER), "gate.health")
    return found


def recorded(world: World, event: str, **body: str) -> None:
    world.ports.ledger.record(role="executor", event=event, subject="guard", body=body, at=world.ports.clock.now())


async def test_of_nothing_nothing_is_said(world: World) -> None:
    found = await health(world)
    assert found.guard.state == "unknown"
    assert (found.rules, found.records, found.canaries.approved_at, found.care.wait_seconds) == (None, 0, None, None)


async def test_the_guard_is_what_the_executor_saw_last(world: World) -> None:
    recorded(world, "guard.altered", found="the webhook is gone")
    assert (await health(world)).guard[::2] == ("altered", "the webhook is gone")
    recorded(world, "guard.restored", found="")
    assert (await health(world)).guard.state == "whole"
    recorded(world, "guard.altered", found="another")
    await world.action(S.APPLIED)  # it was looked at before this write
    assert (await health(world)).guard.state == "whole"


async def test_hasty_and_expired_decisions_are_counted_of_a_week(world: World) -> None:
    approver = caller(Role.APPROVER)
    for name, seconds in (("fast", 1), ("slow", 600), ("slower", 5 * 3600)):
        row = await world.action(name=name)
        world.ports.clock.advance(seconds)  # type: ignore[attr-defined]
        if seconds < 4 * 3600:
            await world.house.offers.call(approver, "actions.approve", {"action": row.action_id, "reason": "read it"})
    await world.action(S.EXPIRED, name="nobody")
    care = (await health(world)).care
    assert (care.decisions, care.people, care.hasty, care.expired, care.asked) == (2, 1, 1, 1, 3)
    assert dict(care.waits) == {"under 10 s": 1, "under 1 min": 0, "under 10 min": 0, "under 1 h": 1, "under 4 h": 0, "longer": 0}
    world.ports.clock.advance((A_WEEK + timedelta(hours=2)).total_seconds())  # type: ignore[attr-defined]
    assert (await health(world)).care.decisions == 0


async def test_a_canary_that_waits_is_known_to_nobody(world: World) -> None:
    row = await world.action(name="cluster-dns")
    ledger, now = world.ports.ledger, world.ports.clock.now()
    before = (await health(world)).canaries
    ledger.record(role="judge", event="canary.approved", subject=row.action_id, body={"by": "oidc:ana@example.org"}, at=now)
    after = (await health(world)).canaries
    assert (before.approved, after.approved, after.approved_at) == (0, 1, now)
