"""Taking an action back, with the undo permit that was minted beside its forward one: the judge may be down.

Only what we wrote is taken back, and only while it still holds what we wrote. Who moved it since is named, and nothing is forced.
"""

import json
from datetime import timedelta

from core.actions import states
from core.domain.api_request import ApiRequest
from core.domain.errors import Conflict, NotAuthorised, OutcomeUnknown, PermitRefused, Refused
from core.domain.ledger import ActionRow
from core.domain.outcome import ActionState
from core.domain.permit import Permit
from core.domain.values import Json
from gate import permits, stopping
from gate.executing import fields
from gate.executing.fields import Seen, Standing
from gate.executing.hands import Hands, request_of

S = ActionState


async def begin(hands: Hands, row: ActionRow, why: str) -> None:
    """APPLIED to UNDOING, and the undo is sent; or to ESCALATED with the reason. A stop of everything leaves the row as it is,
    and so does a guard that is not whole (Refused)."""
    if not row.undo_request:
        hands.move(row, S.ESCALATED, f"it missed ({why}) and cannot be taken back", looks=row.looks)
        return
    if stopping.reason_to_stop(hands.ledger, agent=row.agent, namespace=row.namespace, undo=True):
        return
    seen, live = await _seen(hands, row)
    if seen.standing is not Standing.DONE or live is None:
        hands.move(row, S.ESCALATED, f"it missed ({why}); no undo: {_said(seen, live)}", looks=row.looks)
        return
    await hands.guard(request_of(row.undo_request), row.agent)
    if hands.move(row, S.UNDOING, f"taking it back: {why}", looks=row.looks):
        await _send(hands, row._replace(state=S.UNDOING, note=f"taking it back: {why}"), live)


async def finish(hands: Hands, row: ActionRow) -> None:
    """UNDOING after a crash or a lost reply: read back; what was not stored after all is sent again, to the same state."""
    if stopping.reason_to_stop(hands.ledger, agent=row.agent, namespace=row.namespace, undo=True):
        return
    seen, live = await _seen(hands, row)
    match seen.standing:
        case Standing.NOT_DONE:
            hands.move(row, S.ROLLED_BACK, _reason(row))
        case Standing.DONE if live is not None:
            if hands.clock.now() - row.changed_at >= timedelta(seconds=hands.settle_seconds):
                await hands.guard(request_of(row.undo_request), row.agent)
                await _send(hands, row, live)
        case _:
            hands.move(row, S.ESCALATED, f"the undo cannot be seen through: {_said(seen, live)}")


async def _send(hands: Hands, row: ActionRow, live: Json) -> None:
    request = request_of(row.undo_request)
    try:
        permit = await _opened(hands, row, request)
        if request.verb == "delete":  # of what we made: exactly that one
            named = {key: live["metadata"].get(key) for key in ("uid", "resourceVersion")}
            request = request.model_copy(update={"body": {**dict(request.body), "preconditions": named}})
        preview = await hands.writer.send(request, agent=row.agent, permit=row.undo_permit, dry_run=True)
        if not states.undo_matches(permit.inverse, live, {} if request.verb == "delete" else preview):
            raise Conflict("the undo would now change something else than what we changed")
        if stopping.reason_to_stop(hands.ledger, agent=row.agent, namespace=row.namespace, undo=True):
            return  # stopped since we looked; `finish` takes it up again
        hands.ledger.spend(permit.jti, row.action_id, hands.clock.now())
        await hands.writer.send(request, agent=row.agent, permit=row.undo_permit)
    except OutcomeUnknown:
        return  # `finish` reads back
    except (Refused, NotAuthorised, Conflict) as error:
        hands.move(row, S.ESCALATED, f"the undo was refused: {error}")
        return
    seen, _ = await _seen(hands, row)
    if seen.standing is Standing.NOT_DONE:
        hands.move(row, S.ROLLED_BACK, _reason(row))


async def _opened(hands: Hands, row: ActionRow, request: ApiRequest) -> Permit:
    """An undo opens only after its forward permit was spent. It may be offered again by the same row while its write is not stored."""
    forward = permits.read(row.permit, hands.judge)
    if not hands.ledger.spent(forward.jti):
        raise PermitRefused(("the forward permit was never used",))
    return permits.opened(row.undo_permit, hands.judge, await hands.opening(row, request, undo_of=forward.jti), hands.clock.now())


async def _seen(hands: Hands, row: ActionRow) -> tuple[Seen, Json | None]:
    request = request_of(row.request)
    kept = json.loads(row.before)
    live = await hands.live(request)
    return fields.compare(request, kept["before"], kept["after"], live, row.target_uid), live


def _said(seen: Seen, live: Json | None) -> str:
    if seen.standing is Standing.MIXED and live is not None:
        return "; ".join(f"{path} was moved by {fields.writer(live, path) or 'an unknown writer'}" for path in seen.moved)
    return {Standing.GONE: "the target is gone", Standing.NOT_DONE: "somebody else took it back already"}.get(
        seen.standing, str(seen.standing)
    )


def _reason(row: ActionRow) -> str:
    return row.note.replace("taking it back", "taken back", 1)
