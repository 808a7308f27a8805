"""Which proposals go on when they cannot all. Called by the run graph after every agent has spoken; it decides nothing about safety.

Proposals conflict when they touch one workload (also through its autoscaler or its pods), when together they want more of a capacity
than is free of it (`core.policy.contention`), or when one undoes what was done a short while ago. The objective's priority settles it,
then the severity of what was found, then the expected effect, then the action's id: the same proposals in any order give the same
winners. Everybody else is told why. What gives capacity back is never held for it, and is counted only when it is there.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from core.cluster import quantities
from core.domain.action import Change
from core.domain.finding import Severity
from core.domain.ledger import ActionRow
from core.domain.outcome import ActionState
from core.domain.proposal import Proposal
from core.domain.target import Target
from core.policy import contention
from core.policy.contention import Pool

UNDOING_WITHIN = timedelta(hours=1)
_AUTOSCALER = "HorizontalPodAutoscaler"
_SCALED = frozenset({"Deployment", "StatefulSet", _AUTOSCALER})
_CHANGED_NOTHING = frozenset({ActionState.DENIED, ActionState.EXPIRED, ActionState.CANCELLED, ActionState.FAILED, ActionState.ROLLED_BACK})


class Recent(NamedTuple):
    """An action that was submitted lately: what it moved, and for whom."""

    action_id: str
    agent: str
    target: Target
    changes: tuple[Change, ...]
    priority: int
    at: datetime


class Held(NamedTuple):
    """`by` is the id of the action that won, or that was done a short while ago; empty where nobody won against it."""

    proposal: Proposal
    by: str
    reason: str


class Arbitration(NamedTuple):
    winners: tuple[Proposal, ...]
    held: tuple[Held, ...]


class Surroundings(NamedTuple):
    """What was read and a proposal does not say. `workload_of`: uid of a pod, an autoscaler or a ReplicaSet to its workload's."""

    workload_of: Mapping[str, str] = {}
    severity_of: Mapping[str, Severity] = {}
    pools: tuple[Pool, ...] = ()


NOTHING_KNOWN = Surroundings()


def arbitrate(
    proposals: Iterable[Proposal], *, recent: Sequence[Recent] = (), now: datetime, around: Surroundings = NOTHING_KNOWN
) -> Arbitration:
    """The winners, best first, and the held ones in the same order, each with its reason."""
    winners: list[Proposal] = []
    held: list[Held] = []
    for proposal in sorted(proposals, key=lambda item: rank(item, around)):
        obstacle = (
            _expired(proposal, now)
            or _undoes(proposal, recent, now, around)
            or _same_workload(proposal, winners, around)
            or _no_capacity(proposal, winners, around)
        )
        if obstacle:
            held.append(obstacle)
        else:
            winners.append(proposal)
    return Arbitration(tuple(winners), tuple(held))


def rank(proposal: Proposal, around: Surroundings = NOTHING_KNOWN) -> tuple[int, int, int, int, str]:
    """Sorts the strongest claim first."""
    order = list(Severity)
    severities = [order.index(around.severity_of[finding]) for finding in proposal.findings if finding in around.severity_of]
    saving = proposal.effect.saving.paper_micro_usd if proposal.effect.saving else 0
    return -proposal.priority, min(severities, default=len(order)), -proposal.effect.gpu_hours_per_day, -saving, proposal.action.id


def recent_from(rows: Iterable[ActionRow]) -> tuple[Recent, ...]:
    """Rows of the ledger as arbitration sees them. What changed nothing, and what was undone, is nobody's to protect."""
    return tuple(_recent(row) for row in rows if row.state not in _CHANGED_NOTHING)


def _recent(row: ActionRow) -> Recent:
    kept = json.loads(row.proposal)
    changes = tuple(Change.model_validate(change) for change in kept.get("changes", ()))
    return Recent(
        row.action_id, row.agent, Target.model_validate(kept["action"]["target"]), changes, kept.get("priority", 0), row.changed_at
    )


def _expired(proposal: Proposal, now: datetime) -> Held | None:
    if proposal.expires_at > now:
        return None
    return Held(proposal, "", "it expired before its turn; look again")


def _undoes(proposal: Proposal, recent: Sequence[Recent], now: datetime, around: Surroundings) -> Held | None:
    for done in sorted(recent, key=lambda item: (-item.priority, item.action_id)):
        fresh = now - done.at < UNDOING_WITHIN
        if not fresh or proposal.priority > done.priority or not same_workload(done.target, proposal.action.target, around):
            continue
        path = next((new.path for new in proposal.changes for old in done.changes if _opposite(old, new)), None)
        if path:
            minutes = int((now - done.at).total_seconds() // 60)
            reason = f"it would undo {path}, which {done.agent} moved {minutes} min ago for an objective of priority {done.priority}"
            return Held(proposal, done.action_id, reason)
    return None


def _same_workload(proposal: Proposal, winners: Sequence[Proposal], around: Surroundings) -> Held | None:
    winner = next((item for item in winners if same_workload(item.action.target, proposal.action.target, around)), None)
    if winner is None:
        return None
    if winner.action.intent_key() == proposal.action.intent_key():
        return Held(proposal, winner.action.id, f"{winner.agent} asks for the same; one is enough")
    return Held(proposal, winner.action.id, f"both change {winner.action.target.qualified}: {_why(winner, proposal, around)}")


def _no_capacity(proposal: Proposal, winners: Sequence[Proposal], around: Surroundings) -> Held | None:
    """A wish for more than all of a firm pool is for the judge, who refuses it with the rule: nobody waits for it."""
    if _beyond(proposal, around):
        return None
    for pool in around.pools:
        wants = contention.wanted(proposal, pool)
        takers = [item for item in winners if contention.wanted(item, pool) > 0 and not _beyond(item, around)]
        left = pool.free - sum(contention.wanted(item, pool) for item in takers)
        if takers and wants > 0 and wants > left:
            asked, rest, free = (contention.shown(amount, pool.resource) for amount in (wants, max(left, 0), max(pool.free, 0)))
            why = _why(takers[0], proposal, around)
            return Held(proposal, takers[0].action.id, f"it wants {asked} of {pool.name}, and {rest} would be left of {free} free: {why}")
    return None


def _beyond(proposal: Proposal, around: Surroundings) -> bool:
    return any(pool.firm and contention.wanted(proposal, pool) > max(pool.free, 0) for pool in around.pools)


def _why(winner: Proposal, loser: Proposal, around: Surroundings) -> str:
    names = ("priority", "severity", "GPU hours freed", "saving")
    for name, mine, theirs in zip(names, rank(winner, around), rank(loser, around), strict=False):
        if mine != theirs:
            values = f" {winner.priority} against {loser.priority}" if name == "priority" else ""
            return f"{winner.agent} goes first by {name}{values}"
    return f"{winner.agent} goes first by id, all else being equal"


def same_workload(left: Target, right: Target, around: Surroundings = NOTHING_KNOWN) -> bool:
    """Whether two objects move the same pods. An autoscaler and a workload of one name are taken for one, also without the snapshot."""
    if left.cluster != right.cluster:
        return False
    if around.workload_of.get(left.uid, left.uid) == around.workload_of.get(right.uid, right.uid):
        return True
    one_scales = (left.kind == _AUTOSCALER) != (right.kind == _AUTOSCALER)
    return one_scales and {left.kind, right.kind} <= _SCALED and (left.namespace, left.name) == (right.namespace, right.name)


def _opposite(old: Change, new: Change) -> bool:
    if old.path != new.path:
        return False
    if new.new == old.old and new.old == old.new:
        return True
    steps = [_step(old), _step(new)]
    return None not in steps and steps[0] * steps[1] < 0  # type: ignore[operator]


def _step(change: Change) -> int | None:
    """The direction of a change of a number or a quantity: -1, 0 or 1; None where it has none."""
    before, after = _number(change.old), _number(change.new)
    return None if before is None or after is None else (after > before) - (after < before)


def _number(value: Any) -> Any:
    try:
        return None if isinstance(value, bool) else quantities.parse(value)
    except ValueError:
        return None
