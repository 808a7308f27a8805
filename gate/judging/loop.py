"""The judge's loop: submitted and approved actions, oldest first, each from fresh facts. Called by `runtime.roles.judge`.

A verdict opens nothing. Where it allows, forward and undo permit are minted from the very reading that the rules saw.
"""

import logging
from datetime import timedelta
from typing import Any

from pydantic import ValidationError

from core.actions.catalogue import parse_proposal
from core.domain.action import Action
from core.domain.approval import Approval
from core.domain.errors import Conflict, Corrupt, Day2Error, InvalidInput, Refused
from core.domain.ledger import ActionRow
from core.domain.outcome import ActionState
from core.domain.values import bounded, canonical
from core.domain.verdict import Decision, RuleResult, Verdict
from gate import approvals, stopping
from gate.judging import canaries, minting, reviewing
from gate.judging.facts import gather
from gate.judging.sources import Bench

ROLE = "judge"
WAITING = (ActionState.SUBMITTED, ActionState.NEEDS_APPROVAL, ActionState.APPROVED, ActionState.PERMITTED)
log = logging.getLogger(__name__)
S = ActionState


async def judge_once(bench: Bench) -> int:
    """One pass; the number of actions that could not be judged for now. Raises Corrupt for a damaged ledger: nothing is permitted then."""
    if not (waits := bench.ledger.in_states(*WAITING)):  # most passes: one look, and the clock is not asked
        return 0
    expire(bench, waits)
    hear_people(bench)
    waiting = 0
    for row in bench.ledger.in_states(S.SUBMITTED, S.APPROVED):
        try:
            await judge(bench, row)
        except Corrupt:
            raise
        except Day2Error as error:  # nothing was decided: the row waits, and its own expiry ends that
            log.warning("%s waits for the judge: %s", row.action_id, error)
            waiting += 1
    return waiting


def expire(bench: Bench, rows: list[ActionRow]) -> None:
    """Two clocks: silence of people, and a wish that nobody carried out. Neither is ever consent."""
    now = bench.clock.now()
    for row in rows:
        if row.expires_at <= now:
            why = "nobody approved it in time" if row.state is S.NEEDS_APPROVAL else "it was not carried out in time"
            _move(bench, row, S.EXPIRED, why)


def hear_people(bench: Bench) -> None:
    """Approvals that are new since the last look send the action to a fresh one; one denial ends it."""
    for row in bench.ledger.in_states(S.NEEDS_APPROVAL):
        try:
            action = _action(row)
            known = Verdict.model_validate_json(row.verdict).facts.approvals
        except (InvalidInput, ValidationError):
            _move(bench, row, S.DENIED, "what stands in the ledger is not what was submitted")
            continue
        counted = _count(bench, row, action)
        if row.owner == canaries.MARK:
            if said := canaries.hear(bench, row, counted):
                _move(bench, row, S.DENIED, said)
        elif counted.denied is not None:
            _deny(bench, row, counted.denied)
        elif len(counted.approved_by) >= approvals.people_needed(action.risk) and set(counted.approved_by) - set(known):
            until = minting.within(row, bench.clock.now() + bench.execution_time)
            _move(bench, row, S.APPROVED, f"approved by {', '.join(counted.approved_by)}", expires_at=until)


async def judge(bench: Bench, row: ActionRow) -> None:
    """One verdict. Raises Unavailable while the cluster cannot be read."""
    try:
        action = _action(row)
    except InvalidInput as error:
        _move(bench, row, S.DENIED, f"it is not one of the catalogue's actions: {error}")
        return
    if (action.digest(), action.id, action.target.uid) != (row.digest, row.action_id, row.target_uid):
        _move(bench, row, S.DENIED, "what stands in the ledger is not what was submitted")
        return
    try:
        reading = await gather(bench, row, action, _count(bench, row, action))
    except (ValueError, TypeError, KeyError, AttributeError) as error:  # the cluster answered what no API server answers
        log.exception("%s: facts that cannot be read", row.action_id)
        _move(bench, row, S.DENIED, f"what stands in the cluster cannot be understood: {type(error).__name__}")
        return
    results = bench.rules.judge(action, reading.facts) + floor(action, reading.facts.approvals)
    opinion = await reviewing.second_opinion(bench, row, action, reading.facts)
    if (denied := _count(bench, row, action).denied) is not None:  # people may have spoken since they were last heard
        _deny(bench, row, denied)
        return
    verdict = Verdict(
        action_id=row.action_id,
        action_digest=row.digest,
        policy_digest=bench.rules.digest,
        facts=reading.facts,
        results=results + opinion.results,
        review=opinion.review,
        at=bench.clock.now(),
    )
    text = canonical(verdict).decode()
    match verdict.decision:
        case Decision.ALLOW:
            try:
                minted = minting.mint(bench, row, action, reading, text)
            except (Conflict, Refused) as error:
                _move(bench, row, S.DENIED, str(error), verdict=text)
                return
            until = minting.within(row, max(row.expires_at, bench.clock.now() + timedelta(minutes=5)))
            _move(bench, row, S.PERMITTED, "permitted", verdict=text, expires_at=until, **minted)
        case Decision.NEEDS_APPROVAL:
            until = minting.within(row, bench.clock.now() + bench.approval_time)
            if _move(bench, row, S.NEEDS_APPROVAL, _why(verdict), verdict=text, expires_at=until) and row.state is S.SUBMITTED:
                canaries.place(bench, row)
        case _:
            _move(bench, row, S.DENIED, _why(verdict), verdict=text)


def floor(action: Action, approved_by: tuple[str, ...]) -> tuple[RuleResult, ...]:
    """What no set of rules can take away: high risk takes two people."""
    needed = approvals.people_needed(action.risk)
    if needed < 2 or len(approved_by) >= needed:
        return ()
    message = f"{action.risk} risk takes {needed} people; {len(approved_by)} approved"
    return (RuleResult(rule="gate-two-people", result="fail", on_fail=Decision.NEEDS_APPROVAL, message=message),)


def _deny(bench: Bench, row: ActionRow, denied: Approval) -> None:
    until = bench.clock.now() + bench.denial_holds
    _move(bench, row, S.DENIED, f"denied by {denied.by} until {until:%Y-%m-%dT%H:%MZ}: {denied.reason}")


def _count(bench: Bench, row: ActionRow, action: Action) -> approvals.Count:
    found = bench.ledger.approvals(row.action_id)
    owners = tuple(grant.owner for grant in bench.grants if grant.agent == row.agent and grant.owner)
    wish = approvals.Wish(row.action_id, row.digest, row.submitted_by, action.target.cluster, action.risk, owners)
    since = min((item.at for item in found), default=bench.clock.now()) - approvals.AN_HOUR
    earlier = bench.ledger.decisions(since) if found else ()
    paused = stopping.paused(bench.ledger) if found else ()
    return approvals.count(found, wish, approvals.Hearing(bench.doors, bench.clock.now(), earlier, bench.cards_per_hour, paused))


def _action(row: ActionRow) -> Action:
    return parse_proposal(row.proposal).action


def _why(verdict: Verdict) -> str:
    reasons = verdict.reasons()
    return "; ".join(f"{result.rule}: {result.message}" for result in reasons[:3]) if reasons else "no rule spoke"


def _move(bench: Bench, row: ActionRow, to: ActionState, note: str, **columns: Any) -> bool:
    said = bounded(note, 400)
    event = {"note": said, "policy": bench.rules.digest}
    return bench.ledger.move(row.action_id, row.state, to, role=ROLE, at=bench.clock.now(), event=event, note=said, **columns)
