"""Applying from the command line: submits to the gate, and starts judge and executor where no `day2 serve` runs on this data folder."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from core.domain.errors import Busy, InvalidInput, Unavailable
from core.domain.ledger import ActionRow
from core.domain.outcome import TERMINAL
from core.domain.proposal import Proposal
from gate import keys
from gate.door import LedgerDoor
from gate.executing.hands import ROLE as EXECUTOR
from runtime import serving
from runtime.ids import RandomIds
from runtime.roles import console, everything, reading
from runtime.roles import planning as bench
from runtime.roles.identifying import account, person
from runtime.services import applying, planning, recording, rehearsing, reversing
from runtime.services.applying import Followed
from runtime.services.rehearsing import Mode, Rehearsal
from runtime.settings import Settings
from tools.stores.locks import RoleLock

Show = Callable[[ActionRow], None]
Answer = TypeVar("Answer")


async def apply(settings: Settings, what: Sequence[str], *, show: Show, wait_for_people: bool, timeout: float | None) -> Followed:
    """A saved plan, or ids of actions that wait here."""
    plan, ids = _named(what)
    if plan is not None:
        async with reading.opened(settings) as view:
            applying.check(plan, cluster=await view.reader.cluster_uid(), now=view.clock.now())
    with console.record(settings, create=plan is not None, signs=True) as kept:
        applying.check_stop(kept.ledger)
        gate = LedgerDoor(kept.ledger, kept.clock)
        wanted = await applying.submit(gate, kept.ledger, plan, by=(await person(settings)).by) if plan else tuple(ids)
        return await _followed(settings, kept, wanted, show, wait_for_people=wait_for_people, timeout=timeout)


def _named(what: Sequence[str]) -> tuple[planning.Sealed | None, list[str]]:
    """A plan, or ids. Raises InvalidInput for more than one plan, or both."""
    ids = [word for word in what if word.startswith("act-")]
    files = [Path(word) for word in what if not word.startswith("act-")]
    if len(files) > 1 or (files and ids):
        raise InvalidInput("one plan at a time, or actions by their ids", mend="day2 apply plan.json")
    return (planning.read(files[0]) if files else None), ids


async def rehearse(settings: Settings, what: Sequence[str], mode: Mode) -> Rehearsal:
    """`apply` without any of it. Raises what `apply` raises before it submits."""
    plan, ids = _named(what)
    with console.record(settings) as kept:
        applying.check_stop(kept.ledger)
        if plan is not None:
            return await _rehearsed(settings, kept, mode, plan.proposals, plan)
        rows = applying.rows_of(kept.ledger, ids)
        known = {row.action_id: recording.get(kept.ledger, row.action_id).proposal for row in rows}
        over = {row.action_id: ended for row in rows if (ended := rehearsing.ended(row, known[row.action_id])) is not None}
        found = await _rehearsed(settings, kept, mode, [item for name, item in known.items() if name not in over], None)
        fresh = {item.proposal.action.id: item for item in found.items}
        return found._replace(items=tuple((fresh | over)[name] for name in ids))


async def rehearse_rollback(settings: Settings, action_id: str, mode: Mode) -> Rehearsal:
    """`roll_back` without any of it."""
    with console.record(settings) as kept:
        applying.check_stop(kept.ledger)
        return await _rehearsed(settings, kept, mode, _reversed(kept, action_id, account()).proposals, None)


async def _rehearsed(
    settings: Settings, kept: console.Record, mode: Mode, proposals: Sequence[Proposal], plan: planning.Sealed | None
) -> Rehearsal:
    cluster = plan.cluster if plan else next((item.action.target.cluster for item in proposals), "")
    if mode == "client":
        if plan is not None:
            applying.check(plan, cluster=plan.cluster, now=kept.clock.now())
        return Rehearsal(mode, cluster, plan.context if plan else "", await rehearsing.rehearse(proposals, None))
    async with reading.opened(settings) as view:
        now_there = await view.reader.cluster_uid()
        if plan is not None:
            applying.check(plan, cluster=now_there, now=view.clock.now())
        async with bench.judging(settings, kept.ledger, view) as found:
            return Rehearsal(mode, now_there, view.context, await rehearsing.rehearse(proposals, partial(bench.previewed, found)))


def _reversed(kept: console.Record, action_id: str, by: str) -> planning.Sealed:
    """The reverse of a verified action, as a plan of its own."""
    found = recording.get(kept.ledger, action_id)
    now = kept.clock.now()
    proposal = reversing.reversed_proposal(found.row, found.proposal, action_id=RandomIds().new("act"), by=by, at=now)
    return planning.Sealed(proposal.action.target.cluster, "", proposal.expires_at, (proposal,))


async def roll_back(settings: Settings, action_id: str, *, show: Show, wait_for_people: bool, timeout: float | None) -> Followed:
    """Submit the reverse of a verified action, and follow it."""
    with console.record(settings, signs=True) as kept:
        applying.check_stop(kept.ledger)
        by = (await person(settings)).by
        wanted = await applying.submit(LedgerDoor(kept.ledger, kept.clock), kept.ledger, _reversed(kept, action_id, by), by=by)
        return await _followed(settings, kept, wanted, show, wait_for_people=wait_for_people, timeout=timeout)


async def _followed(
    settings: Settings, kept: console.Record, ids: Sequence[str], show: Show, *, wait_for_people: bool, timeout: float | None
) -> Followed:
    rows = applying.rows_of(kept.ledger, ids)
    if all(row.state in TERMINAL for row in rows):
        return await applying.follow(kept.ledger, ids, show, wait_for_people=False, timeout=0)
    async with deciders(settings) as family:
        return await while_alive(family, applying.follow(kept.ledger, ids, show, wait_for_people=wait_for_people, timeout=timeout))


async def while_alive(family: serving.Children, following: Coroutine[Any, Any, Answer]) -> Answer:
    """A child that ends while it is waited for is an error at once, not a wait for ever. Raises Unavailable naming its log."""
    task = asyncio.create_task(following)
    if not family.running:
        return await task
    lost = asyncio.create_task(family.any_ends())
    try:
        await asyncio.wait({task, lost}, return_when=asyncio.FIRST_COMPLETED)
        if not task.done():
            child = lost.result()
            raise Unavailable(
                f"the {child.name} process", 1.0, reason=f"it ended with code {child.process.returncode}", mend=f"see {child.log}"
            )
        return task.result()
    finally:
        for each in (task, lost):
            each.cancel()
        await asyncio.gather(task, lost, return_exceptions=True)


@contextlib.asynccontextmanager
async def deciders(settings: Settings) -> AsyncIterator[serving.Children]:
    """Judge and executor at work: those that serve here already, or our own children for as long as this lasts."""
    async with serving.children() as family:
        for role in (keys.JUDGE, EXECUTOR):
            if not _serves(settings, role):
                await everything.start_role(family, role, settings)
        yield family


def _serves(settings: Settings, role: str) -> bool:
    try:
        RoleLock(settings.data_dir, role).take().release()
    except Busy:
        return True
    return False
