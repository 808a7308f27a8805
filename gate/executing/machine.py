"""The executor's state machine: permitted → claimed → sending → applied → verified, or undone. Looped by `runtime.roles.executor`.

Each step reads the row, does one thing, and moves the row by compare-and-set; a crash between any two leaves a row that `resume` can read.
At most one write is ever sent for an action, because nothing leads back from SENDING: what is not known is read back, never sent again.
"""

import json
import logging
from datetime import timedelta
from typing import NamedTuple

from core.actions import states
from core.domain.api_request import ApiRequest
from core.domain.check import Check, Signal
from core.domain.errors import (
    Conflict,
    Corrupt,
    Day2Error,
    DigestMismatch,
    NotAuthenticated,
    NotAuthorised,
    OutcomeUnknown,
    PermitRefused,
    Refused,
    Unavailable,
)
from core.domain.ledger import ActionRow
from core.domain.outcome import ActionState
from core.domain.permit import Permit
from core.domain.values import Json
from gate import permits, stopping
from gate.executing import fields, undoing, verifying
from gate.executing.hands import Hands, request_of

ATTEMPTS = 3
log = logging.getLogger(__name__)
S = ActionState


class Prepared(NamedTuple):
    """A write that passed every check but its sending."""

    request: ApiRequest
    permit: Permit
    before: Json
    after: Json


async def execute_once(hands: Hands) -> int:
    """One pass over all open work; the number of rows that wait. Raises Corrupt for a damaged ledger: nothing is written then."""
    steps = (
        (S.PERMITTED, _begin),
        (S.UNKNOWN, _read_back),
        (S.APPLIED, _watch),
        (S.UNDOING, undoing.finish),
    )
    if not (work := hands.ledger.in_states(S.CLAIMED, S.SENDING, *dict(steps))):  # most passes: one look
        return 0
    waiting = 0
    _recover(hands, [row for row in work if row.state in (S.CLAIMED, S.SENDING) and row.owner == hands.owner])
    for state, step in steps:
        for row in hands.ledger.in_states(state):
            try:
                if state is not S.PERMITTED and not hands.sent(row):
                    hands.move(
                        row, S.ESCALATED, "no executor signed that it sent this: somebody else wrote the row, or the key was changed"
                    )
                else:
                    await step(hands, row)
            except Corrupt:
                raise
            except Day2Error as error:  # the row stays where it is, and the next pass tries again
                log.warning("%s in %s waits: %s", row.action_id, row.state, error)
                waiting += 1
    return waiting


async def resume(hands: Hands) -> None:
    """After a start: what the executor before us left half done."""
    _recover(hands, hands.ledger.in_states(S.CLAIMED, S.SENDING))


async def let_go(hands: Hands) -> None:
    """Before an end: what a lease holds is taken back now, for nobody may be left who would."""
    now = hands.clock.now()
    for row in hands.ledger.in_states(S.APPLIED):
        if Signal.LEASE_HELD in row.check:
            hands.ledger.observe(row.action_id, looks=verifying.previous(row), next_look_at=now, at=now)
            await execute_once(hands)


def _recover(hands: Hands, rows: list[ActionRow]) -> None:
    """Nothing of a claimed row was sent; of a sending one, it may have been."""
    for row in rows:
        if row.state is S.CLAIMED:
            _back_to_judge(hands, row, "the executor stopped before it sent anything")
        else:
            hands.move(row, S.UNKNOWN, "the executor stopped while it was sending; reading back")


async def _begin(hands: Hands, row: ActionRow) -> None:
    if stopping.reason_to_stop(hands.ledger, agent=row.agent, namespace=row.namespace):
        return
    if _expired(hands, row):
        _back_to_judge(hands, row, "the permit ran out before the executor took it")
        return
    epoch = hands.ledger.claim(row.action_id, hands.owner, hands.clock.now())
    claimed = hands.fresh(row)
    if claimed is None or (claimed.state, claimed.epoch) != (S.CLAIMED, epoch):
        return
    try:
        prepared = await _prepare(hands, claimed)
    except (Conflict, Unavailable, NotAuthenticated) as error:
        _back_to_judge(hands, claimed, str(error), counts=isinstance(error, Conflict))
    except (Refused, NotAuthorised) as error:
        hands.move(claimed, S.FAILED, str(error))
    else:
        await _send(hands, claimed, prepared)


def _expired(hands: Hands, row: ActionRow) -> bool:
    try:
        return permits.read(row.permit, hands.judge).exp <= int(hands.clock.now().timestamp())
    except PermitRefused:
        return False  # claimed and refused below, so that the refusal is on record


def _denied(hands: Hands, row: ActionRow) -> bool:
    """Any denial, genuine or not: the judge tells which, and asking it again does no harm."""
    return any(approval.decision == "denied" for approval in hands.ledger.approvals(row.action_id))


async def _prepare(hands: Hands, row: ActionRow) -> Prepared:
    """Every check again, from the executor's own reading. Raises Refused (it must not run) or Conflict (the judge must look again)."""
    request = request_of(row.request)
    permit = permits.opened(row.permit, hands.judge, await hands.opening(row, request), hands.clock.now())
    before = await hands.live(request) or {}
    metadata = before.get("metadata", {})
    if metadata.get("uid") != row.target_uid and (before or not request.makes):
        raise Refused((f"{request.resource}/{request.name} is gone, or is another object by now",))
    if permit.generation and metadata.get("generation") != permit.generation:
        raise Conflict(f"{request.resource}/{request.name} changed since it was judged")
    await hands.guard(request, row.agent)
    answer = await hands.writer.send(request, agent=row.agent, permit=row.permit, dry_run=True)
    after = {} if request.removes else answer
    if states.post_hash(request.verb, request.body, before, after) != permit.post:
        raise Conflict("the dry run would now change something else than what was judged")
    if row.undo_request:
        _check_undo(hands, row, permit, states.inverse_hash(before, after))
    return Prepared(request, permit, before, after)


def _check_undo(hands: Hands, row: ActionRow, forward: Permit, inverse: str) -> None:
    """The way back is open before the first step is made."""
    undo = permits.read(row.undo_permit, hands.judge)
    request = request_of(row.undo_request)
    if (undo.use, undo.forward, undo.inverse, undo.request) != ("undo", forward.jti, inverse, request.digest()):
        raise DigestMismatch(("the undo permit does not take this back",))


async def _send(hands: Hands, row: ActionRow, prepared: Prepared) -> None:
    now = hands.clock.now()
    if reason := stopping.reason_to_stop(hands.ledger, agent=row.agent, namespace=row.namespace):
        _back_to_judge(hands, row, f"stopped: {reason}", counts=False)
        return
    if _expired(hands, row) or _denied(hands, row):  # reading and the dry run took their time
        _back_to_judge(hands, row, "the permit ran out, or somebody denied it, before it was sent")
        return
    if not hands.ledger.spend(prepared.permit.jti, row.action_id, now):
        hands.move(row, S.FAILED, "the permit was spent before")
        return
    facts = {"at": now.isoformat(), "before": states.desired(prepared.before), "after": states.desired(prepared.after)}
    kept = hands.keep(row, facts)
    if not hands.move(row, S.SENDING, before=kept):
        return
    sending = row._replace(state=S.SENDING, before=kept)
    try:
        await hands.writer.send(prepared.request, agent=row.agent, permit=row.permit)
    except OutcomeUnknown as error:
        hands.move(sending, S.UNKNOWN, str(error))
        return
    except (Refused, NotAuthorised, NotAuthenticated, Conflict, Unavailable) as error:
        hands.move(sending, S.FAILED, f"nothing was stored: {error}")
        return
    await _confirm(hands, sending)


async def _confirm(hands: Hands, row: ActionRow) -> None:
    """The API server said yes: see it. Where it cannot be seen at once, the row is unknown until it can."""
    try:
        seen, _ = await _seen(hands, row)
    except Unavailable as error:
        hands.move(row, S.UNKNOWN, f"the write was accepted, but reading back failed: {error}")
        return
    if seen.standing is fields.Standing.DONE:
        _applied(hands, row)
    else:
        hands.move(row, S.UNKNOWN, f"the write was accepted, but reading back found it {seen.standing}")


async def _read_back(hands: Hands, row: ActionRow) -> None:
    seen, live = await _seen(hands, row)
    settled = hands.clock.now() - row.changed_at >= timedelta(seconds=hands.settle_seconds)
    late = settled and _closed(hands, row)
    match seen.standing:
        case fields.Standing.DONE:
            _applied(hands, row)
        case fields.Standing.NOT_DONE if late and _moved(hands, row, live):
            hands.move(
                row, S.ESCALATED, "the old values stand, but the object was written since: whether ours was one of it cannot be told"
            )
        case fields.Standing.NOT_DONE if late:
            hands.move(row, S.FAILED, "read back: the write was never stored")
        case fields.Standing.MIXED:
            hands.move(row, S.ESCALATED, f"somebody else moved {', '.join(seen.moved)}: whether the write was stored cannot be told")
        case fields.Standing.GONE:
            hands.move(row, S.ESCALATED, "the target is gone: whether the write was stored cannot be told")


def _closed(hands: Hands, row: ActionRow) -> bool:
    """Whether a request that is still on its way could no more be stored: admission refuses an expired permit."""
    try:
        return permits.read(row.permit, hands.judge).exp + permits.SKEW_SECONDS <= int(hands.clock.now().timestamp())
    except PermitRefused:
        return True  # a key that is not known any more opens nothing


def _moved(hands: Hands, row: ActionRow, live: Json | None) -> bool:
    """Whether anybody wrote the object since it was judged: ours may have been stored and taken back. Told by the generation, where the
    kind moves it."""
    try:
        pinned = permits.read(row.permit, hands.judge).generation
    except PermitRefused:
        return True
    return bool(pinned) and (live or {}).get("metadata", {}).get("generation") != pinned


async def _seen(hands: Hands, row: ActionRow) -> tuple[fields.Seen, Json | None]:
    request = request_of(row.request)
    kept = json.loads(row.before)
    live = await hands.live(request)
    return fields.compare(request, kept["before"], kept["after"], live, row.target_uid), live


def _applied(hands: Hands, row: ActionRow) -> None:
    check = Check.model_validate_json(row.check)
    now = hands.clock.now()
    first, last = timedelta(seconds=verifying.first_look_seconds(check)), timedelta(seconds=check.watch_seconds)
    hands.move(row, S.APPLIED, "applied; being verified", next_look_at=now + first, deadline=now + last)


async def _watch(hands: Hands, row: ActionRow) -> None:
    now = hands.clock.now()
    moments = [moment for moment in (row.next_look_at, row.deadline) if moment]
    if moments and min(moments) > now:  # whoever renews a lease moves the next look, and never the deadline
        return
    check = Check.model_validate_json(row.check)
    looks = await verifying.look(hands, row, check)
    match verifying.decide(check, looks, verifying.previous(row), last=row.deadline is None or now >= row.deadline):
        case "verified":
            hands.move(row, S.VERIFIED, verifying.sentence(looks), looks=verifying.kept(looks))
        case "missed":
            await undoing.begin(hands, row._replace(looks=verifying.kept(looks)), verifying.sentence(looks))
        case _:  # wait
            following = now + timedelta(seconds=check.look_every_seconds)
            due = min(following, row.deadline) if row.deadline else following
            hands.ledger.observe(row.action_id, looks=looks, next_look_at=due, at=now)


def _back_to_judge(hands: Hands, row: ActionRow, why: str, *, counts: bool = True) -> None:
    """A fresh look. After three of them that came to nothing the wish has expired."""
    attempts = row.attempts + counts
    if attempts > ATTEMPTS:
        hands.move(row, S.EXPIRED, f"given up after {ATTEMPTS} fresh looks: {why}", attempts=attempts)
    else:
        hands.move(row, S.SUBMITTED, why, attempts=attempts, permit="", undo_permit="", request="", undo_request="", check="")
