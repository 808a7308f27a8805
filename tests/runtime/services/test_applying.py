"""Following actions: each change is told once, and every way to stop waiting has its answer."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from core.actions.catalogue import parse_action
from core.domain.errors import Conflict, InvalidInput, Stopped
from core.domain.evidence import observe
from core.domain.ledger import ActionRow, StopRow
from core.domain.outcome import ActionState
from core.domain.proposal import Effect, Proposal
from gate.door import LedgerDoor
from runtime.services import applying
from runtime.services.planning import Sealed
from tools.hand_clock import HandClock
from tools.stores.memory import MemoryLedger

NOW = datetime(2026, 1, 1, tzinfo=UTC)
S = ActionState
TARGET = {"cluster": "c-1", "group": "apps", "kind": "Deployment", "namespace": "shop", "name": "cart", "uid": "u-1"}


def proposal(action_id: str = "act-0001", to: int = 2) -> Proposal:
    action = parse_action({"id": action_id, "kind": "scale_workload", "target": TARGET, "from_replicas": 4, "to_replicas": to})
    seen = (observe("object", action.target, "spec.replicas", "4", NOW),)
    return Proposal(
        action=action, agent="finops", run="run-1", why="w", evidence=seen, effect=Effect(summary="s"), expires_at=NOW + timedelta(hours=1)
    )


def plan(*proposals: Proposal, cluster: str = "c-1", expires: datetime | None = NOW + timedelta(hours=1)) -> Sealed:
    return Sealed(cluster, "prod", expires, proposals)


@pytest.fixture
def ledger() -> MemoryLedger:
    return MemoryLedger()


def submitted(ledger: MemoryLedger, *proposals: Proposal) -> tuple[str, ...]:
    return asyncio.run(applying.submit(LedgerDoor(ledger, HandClock(NOW)), ledger, plan(*proposals), by="local:somebody"))


def moving(ledger: MemoryLedger, *states: ActionState) -> Callable[[ActionRow], None]:
    """A listener that moves the action on each time it is told of it."""
    left = list(states)
    told: list[str] = []

    def show(row: ActionRow) -> None:
        told.append(row.state.value)
        if left:
            assert ledger.move(row.action_id, row.state, left.pop(0), role="judge", at=NOW, event={})

    show.told = told  # type: ignore[attr-defined]
    return show


def follow(ledger: MemoryLedger, ids: tuple[str, ...], show: Callable[[ActionRow], None], **how: Any) -> applying.Followed:
    return asyncio.run(applying.follow(ledger, ids, show, **{"wait_for_people": True, "timeout": None} | how))


def test_each_change_is_told_once_to_the_end(ledger: MemoryLedger) -> None:
    ids = submitted(ledger, proposal())
    show = moving(ledger, S.PERMITTED, S.CLAIMED, S.SENDING, S.APPLIED, S.VERIFIED)
    found = follow(ledger, ids, show)
    assert (found.complete, found.rows[0].state) == (True, S.VERIFIED)
    assert show.told == ["submitted", "permitted", "claimed", "sending", "applied", "verified"]  # type: ignore[attr-defined]


def test_people_are_waited_for_only_when_wanted(ledger: MemoryLedger) -> None:
    ids = submitted(ledger, proposal())
    found = follow(ledger, ids, moving(ledger, S.NEEDS_APPROVAL), wait_for_people=False)
    assert (found.complete, found.timed_out, found.rows[0].state) == (False, False, S.NEEDS_APPROVAL)


def test_waiting_ends_with_its_time(ledger: MemoryLedger) -> None:
    found = follow(ledger, submitted(ledger, proposal()), moving(ledger), timeout=0)
    assert (found.complete, found.timed_out) == (False, True)


def test_applying_a_plan_twice_follows_what_was_submitted_before(ledger: MemoryLedger) -> None:
    assert submitted(ledger, proposal()) == submitted(ledger, proposal()) == ("act-0001",)
    assert len(ledger.in_states(S.SUBMITTED)) == 1


def test_the_same_wish_under_another_id_is_named(ledger: MemoryLedger) -> None:
    submitted(ledger, proposal("act-0001"))
    with pytest.raises(Conflict, match="the same wish is open"):
        submitted(ledger, proposal("act-0002"))


def test_a_plan_is_for_one_cluster_and_for_its_time() -> None:
    applying.check(plan(proposal()), cluster="c-1", now=NOW)
    with pytest.raises(Conflict, match="c-2"):
        applying.check(plan(proposal()), cluster="c-2", now=NOW)
    with pytest.raises(InvalidInput, match="expired"):
        applying.check(plan(proposal()), cluster="c-1", now=NOW + timedelta(hours=1))
    with pytest.raises(InvalidInput, match="nothing to apply"):
        applying.check(plan(), cluster="c-1", now=NOW)


def test_a_stop_of_all_stops_here_and_a_narrower_one_is_the_judges(ledger: MemoryLedger) -> None:
    ledger.stop(StopRow("agent=scaling", "all", "b", "r", NOW))
    applying.check_stop(ledger)
    ledger.stop(StopRow("all", "forward", "b", "incident", NOW))
    with pytest.raises(Stopped, match="incident"):
        applying.check_stop(ledger)


def test_an_unknown_action_is_said(ledger: MemoryLedger) -> None:
    with pytest.raises(InvalidInput, match="no action 'act-none'"):
        applying.rows_of(ledger, ["act-none"])
