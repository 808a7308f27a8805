"""What is severe asks callers of web doors who they are again; others proved it with the call itself."""

from datetime import timedelta
from pathlib import Path

import pytest

from core.domain.access import Caller, Role
from core.domain.errors import NotAuthenticated
from runtime.services.offering import Offers
from runtime.services.offers.table import OFFERS
from tests.contracts.consoles import World
from tests.contracts.doors import AT


@pytest.mark.parametrize("door", ["console", "chat"])
@pytest.mark.parametrize(("minutes", "asked"), [(0, False), (5, False), (6, True), (None, True)])
async def test_a_severe_approval_needs_a_login_of_the_last_five_minutes(
    tmp_path: Path, door: str, minutes: int | None, asked: bool
) -> None:
    world = World(tmp_path)
    row = await world.action(kind="delete_pod", name="web-1")
    now = world.ports.clock.now()
    at = None if minutes is None else now - timedelta(minutes=minutes)
    me = Caller("oidc:ana@example.org", frozenset({Role.APPROVER}), door, authenticated_at=at)
    offers, wanted = Offers(OFFERS, world.ports), {"action": row.action_id, "reason": "it hangs", "confirm": "web-1"}
    if asked:
        with pytest.raises(NotAuthenticated, match="is severe"):
            await offers.call(me, "actions.approve", wanted)
        assert world.ports.ledger.approvals(row.action_id) == []
    else:
        await offers.call(me, "actions.approve", wanted)


@pytest.mark.parametrize(("door", "kind"), [("api", "delete_pod"), ("console", "scale_workload")])
async def test_others_are_not_asked(tmp_path: Path, door: str, kind: str) -> None:
    world = World(tmp_path)
    row = await world.action(kind=kind, name="web-1")
    me = Caller("oidc:ana@example.org", frozenset({Role.APPROVER}), door, authenticated_at=AT - timedelta(days=1))
    await Offers(OFFERS, world.ports).call(me, "actions.approve", {"action": row.action_id, "reason": "x", "confirm": "web-1"})
    assert len(world.ports.ledger.approvals(row.action_id)) == 1
