"""From a verdict that allows to the permits: one for exactly this request, one for exactly its way back."""

from datetime import datetime, timedelta
from typing import NamedTuple

from core.actions import checks, states
from core.actions.catalogue import parse_proposal
from core.domain.action import Action, Guards, Live
from core.domain.api_request import ApiRequest
from core.domain.check import Check
from core.domain.errors import Conflict
from core.domain.facts import Facts
from core.domain.ledger import ActionRow
from core.domain.permit import FORWARD_SECONDS, UNDO_MARGIN_SECONDS, Permit
from core.domain.values import Json, canonical, digest
from gate import permits
from gate.judging.sources import Bench


class Reading(NamedTuple):
    """What the judge read for one verdict. `request` and `after` are there when the dry run went through."""

    facts: Facts
    live: Live | None
    request: ApiRequest | None
    after: Json | None


def mint(bench: Bench, row: ActionRow, action: Action, reading: Reading, verdict: str) -> dict[str, str]:
    """The columns of a permitted row. Raises Conflict where the rules allowed what was never previewed, or what changes nothing."""
    if reading.live is None or reading.request is None or reading.after is None:
        raise Conflict("nothing is permitted that was not previewed")
    before = {} if reading.request.makes else reading.live.object
    after = {} if reading.request.removes else reading.after
    if reading.request.verb == "patch" and not states.delta(states.desired(before), states.desired(after)):
        raise Conflict("the write would change nothing")
    slo = bench.objectives.slo(row.namespace)
    check = action.check(reading.live, Guards(latency_p99_ms=slo.latency_p99_ms, error_per_mille=slo.error_per_mille))
    undo_request = action.inverse(reading.live)
    if (trial := parse_proposal(row.proposal).experiment) and undo_request:
        check = checks.leased(check.target, trial.seconds)
    forward = _forward(bench, row, action, reading.request, before, after, verdict)
    undo = _undo(bench, forward, undo_request, check, states.inverse_hash(before, after)) if undo_request else None
    return {
        "permit": permits.mint(forward, bench.key),
        "undo_permit": permits.mint(undo, bench.key) if undo else "",
        "request": canonical(reading.request).decode(),
        "undo_request": canonical(undo_request).decode() if undo_request else "",
        "check": canonical(check).decode(),
    }


def _forward(bench: Bench, row: ActionRow, action: Action, request: ApiRequest, before: Json, after: Json, verdict: str) -> Permit:
    now = bench.clock.now()  # once: of two looks, the second may lie in the next second, and the permit would live too long
    return Permit(
        jti=bench.ids.new("permit"),
        use="forward",
        iss=permits.ISSUER,
        agent=row.agent,
        action_id=row.action_id,
        action_digest=row.digest,
        verdict_digest=digest(verdict),
        cluster=action.target.cluster,
        uid=action.target.uid,
        generation=int(before.get("metadata", {}).get("generation") or 0) if action.moves_generation else 0,
        request=request.digest(),
        line=request.line,
        pre=states.pre_hash(action, before),
        post=states.post_hash(request.verb, request.body, before, after),
        iat=_seconds(now),
        exp=_seconds(within(row, now + timedelta(seconds=FORWARD_SECONDS))),
    )


def _undo(bench: Bench, forward: Permit, request: ApiRequest, check: Check, inverse: str) -> Permit:
    """Lives through the forward permit's own time, the watch, and a margin."""
    life = FORWARD_SECONDS + check.watch_seconds + UNDO_MARGIN_SECONDS
    own = {
        "jti": bench.ids.new("permit"),
        "use": "undo",
        "forward": forward.jti,
        "request": request.digest(),
        "line": request.line,
        "inverse": inverse,
    }
    return forward.model_copy(update=own | {"pre": "", "post": "", "generation": 0, "exp": forward.iat + life})


def within(row: ActionRow, moment: datetime) -> datetime:
    """This moment, or the end of the window of the schedule that the action came from, where that is earlier."""
    until = parse_proposal(row.proposal).leash.until
    return min(moment, until) if until else moment


def _seconds(moment: datetime) -> int:
    return int(moment.timestamp())
