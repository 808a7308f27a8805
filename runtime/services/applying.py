"""Put planned actions before the judge and follow them to their end. Behind `day2 apply`; the gate decides, this only watches."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import NamedTuple

from core.domain.errors import Conflict, InvalidInput, Stopped
from core.domain.ledger import ActionRow, Ledger
from core.domain.outcome import TERMINAL, ActionState
from core.domain.submitting import GateDoor
from runtime.services.planning import Sealed

LOOK_SECONDS = 0.2


class Followed(NamedTuple):
    """`complete` is False where the time ran out, or people are waited for."""

    rows: tuple[ActionRow, ...]
    complete: bool
    timed_out: bool


def check(plan: Sealed, *, cluster: str, now: datetime) -> None:
    """Raises InvalidInput for an expired or empty plan, Conflict for another cluster."""
    if not plan.proposals:
        raise InvalidInput("the plan has nothing to apply", mend="day2 scan shows what was found and what was not looked at")
    if plan.cluster != cluster:
        raise Conflict(
            f"the plan was made for cluster {plan.cluster[:40]}, and this is {cluster[:40]}", mend=f"choose it: --context {plan.context}"
        )
    if plan.expires_at is not None and plan.expires_at <= now:
        raise InvalidInput(f"the plan expired at {plan.expires_at:%Y-%m-%dT%H:%MZ}", mend="make it again: day2 plan -O plan.json")


def check_stop(ledger: Ledger) -> None:
    """Raises Stopped while everything is stopped; a narrower stop is the judge's to apply."""
    row = next((row for row in ledger.stops() if row.scope == "all"), None)
    if row is not None:
        raise Stopped((f"the emergency stop is on: {row.reason} ({row.by})",), mend='a person resumes: day2 resume --reason "..."')


async def submit(gate: GateDoor, ledger: Ledger, plan: Sealed, *, by: str) -> tuple[str, ...]:
    """Ids to follow. What was submitted before is followed, not submitted again; a wish that is open under another id is named."""
    ids = []
    for proposal in plan.proposals:
        standing = await gate.submit(proposal, by=by)
        if standing.state is ActionState.CANCELLED and ledger.get(proposal.action.id) is None:
            raise Conflict(f"{proposal.action.id} ({proposal.action.sentence()}): {standing.note}", mend="day2 action list")
        ids.append(proposal.action.id)
    return tuple(ids)


def rows_of(ledger: Ledger, ids: Sequence[str]) -> tuple[ActionRow, ...]:
    """Raises InvalidInput for an id that the ledger does not have."""
    rows = []
    for name in ids:
        row = ledger.get(name)
        if row is None:
            raise InvalidInput(f"no action {name[:40]!r}", mend="day2 action list")
        rows.append(row)
    return tuple(rows)


async def follow(
    ledger: Ledger, ids: Sequence[str], show: Callable[[ActionRow], None], *, wait_for_people: bool, timeout: float | None
) -> Followed:
    """Each change of state is shown once, until all have ended; `timeout` in seconds of real time."""
    shown: dict[str, ActionState] = {}
    loop = asyncio.get_running_loop()
    end = None if timeout is None else loop.time() + timeout
    while True:
        rows = await asyncio.to_thread(rows_of, ledger, ids)
        for row in rows:
            if shown.get(row.action_id) is not row.state:
                shown[row.action_id] = row.state
                show(row)
        open_rows = [row for row in rows if row.state not in TERMINAL]
        if not open_rows:
            return Followed(rows, complete=True, timed_out=False)
        if not wait_for_people and all(row.state is ActionState.NEEDS_APPROVAL for row in open_rows):
            return Followed(rows, complete=False, timed_out=False)
        if end is not None and loop.time() >= end:
            return Followed(rows, complete=False, timed_out=True)
        await asyncio.sleep(LOOK_SECONDS)
