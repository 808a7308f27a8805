"""The demo: the product's own processes and code path on a simulated cluster, told as scenes. Behind `day2 demo`.

What it adds to `day2 serve` is a cluster, documents, an approver, and a hand on the simulated clock: virtual time moves only while every
open action waits for time to pass, so the story does not depend on how fast this machine is.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple, Protocol

from core.actions.catalogue import parse_proposal
from core.domain.approval import Approval
from core.domain.clock import Clock
from core.domain.errors import Day2Error, Unavailable
from core.domain.ledger import ActionRow, Ledger
from core.domain.outcome import TERMINAL, ActionState
from core.domain.proposal import Proposal
from core.domain.request import Request, RunBudget
from core.domain.verdict import Verdict

Plain = dict[str, Any]

STUCK_SECONDS = 90.0  # of real time without any change: a process is hanging, and waiting longer would hide it
LOOK_SECONDS = 0.02
REQUESTER = "demo"
APPROVER = "demo-approver"


class Scene(NamedTuple):
    """One act of the story: its name, and the values that a renderer shows."""

    name: str
    content: Plain


class Decide(Protocol):
    """A door's way to the ledger: signed by the door. Raises Refused where this person may not decide."""

    def __call__(self, action_id: str, *, by: str, approve: bool, reason: str, groups: tuple[str, ...] = ()) -> Approval: ...


Ask = Callable[[Plain], Awaitable[tuple[bool, str]]]
"""Shows a card to a person; the answer and its reason."""


@dataclass(frozen=True)
class Stage:
    """What the composition root has opened. `advance` moves the simulated clock and returns when its controllers have settled; `alerts`
    returns what the platform team's Alertmanager holds, once the notifier has told all that the ledger says."""

    clock: Clock
    ledger: Ledger
    run: Callable[[Request], Awaitable[Plain]]
    decide: Decide
    advance: Callable[[float], Awaitable[None]]
    agents: Callable[[], Awaitable[list[Plain]]]
    rules: Plain
    audit: Callable[[], Plain]
    alerts: Callable[[], Awaitable[list[Plain]]]
    world: Callable[[], Awaitable[Plain]]


async def demonstrate(stage: Stage, run_id: str, show: Callable[[Scene], Awaitable[None]], ask: Ask) -> Plain:
    """Play it. Returns the report, which holds every scene's content."""
    scenes: dict[str, Plain] = {}

    async def tell(name: str, content: Plain) -> None:
        scenes[name] = content
        await show(Scene(name, content))

    await tell("started", {"world": await stage.world(), "agents": await stage.agents(), "rules": stage.rules, "stop": "armed, not pulled"})
    request = Request(
        id=run_id,
        trigger="demo",
        by=REQUESTER,
        act=True,
        budget=RunBudget(writes=40),
        at=stage.clock.now(),
        text="scan the shop, and act where it is safe",
    )
    response = await stage.run(request)
    await tell("scanned", {"findings": response["findings"], "coverage": response["coverage"], "missing": response["missing"]})
    await tell("planned", {"proposals": [planned(parse_proposal(row)) for row in response["proposals"]]})
    await tell(
        "arbitrated",
        {"held": [{**planned(parse_proposal(row["proposal"])), "by": row["by"], "reason": row["reason"]} for row in response["held"]]},
    )
    await _left(stage, run_id, ActionState.SUBMITTED)
    await tell("judged", {"verdicts": [judged(row) for row in _rows(stage, run_id)]})
    await tell("alerted", {"alerts": await stage.alerts()})
    await tell(
        "approved",
        {"approvals": [await _approval(stage, row, ask) for row in _rows(stage, run_id) if row.state is ActionState.NEEDS_APPROVAL]},
    )
    await settle(stage, run_id)
    await stage.alerts()
    await tell("executed", {"actions": [ended(stage, row) for row in _rows(stage, run_id)]})
    await tell(
        "scored",
        {**score(_rows(stage, run_id)), "held": len(response["held"]), "audit": stage.audit(), "model": {"calls": 0, "usd": "0.00"}},
    )
    return scenes


async def settle(stage: Stage, run_id: str) -> None:
    """Let every action of the run come to its end, moving time only while all of them wait for it. Approvals that nobody gave stay open."""
    seen: object = None
    calm_since = asyncio.get_running_loop().time()
    while open_rows := [row for row in _rows(stage, run_id) if row.state not in TERMINAL and row.state is not ActionState.NEEDS_APPROVAL]:
        now = stage.clock.now()
        state = [(row.action_id, row.state, row.next_look_at) for row in open_rows]
        if state != seen:
            seen, calm_since = state, asyncio.get_running_loop().time()
        elif asyncio.get_running_loop().time() - calm_since > STUCK_SECONDS:
            stuck = ", ".join(f"{row.action_id} is {row.state}" for row in open_rows)
            raise Unavailable("judge or executor", 1.0, reason=stuck, mend="see the log files in the data folder: day2 demo --keep")
        if any(_moves(row, now) for row in open_rows):
            await asyncio.sleep(LOOK_SECONDS)
        else:
            await stage.advance((min(row.next_look_at for row in open_rows if row.next_look_at) - now).total_seconds())


def _moves(row: ActionRow, now: datetime) -> bool:
    """Whether a process has something to do for this action before time must pass."""
    return row.next_look_at is None or row.next_look_at <= now or row.state not in (ActionState.APPLIED, ActionState.UNDOING)


async def _left(stage: Stage, run_id: str, *states: ActionState) -> None:
    end = asyncio.get_running_loop().time() + STUCK_SECONDS
    while any(row.state in states for row in _rows(stage, run_id)):
        if asyncio.get_running_loop().time() > end:
            raise Unavailable("the judge", 1.0, reason="it has not answered", mend="see the log files in the data folder: day2 demo --keep")
        await asyncio.sleep(LOOK_SECONDS)


async def _approval(stage: Stage, row: ActionRow, ask: Ask) -> Plain:
    """First the requester tries to approve its own action, which must be refused; then the approver is asked."""
    card = judged(row) | planned(parse_proposal(row.proposal))
    try:
        stage.decide(row.action_id, by=REQUESTER, approve=True, reason="I asked for it")
    except Day2Error as error:
        refusal = str(error)
    else:
        refusal = ""
    yes, reason = await ask(card)
    stage.decide(row.action_id, by=APPROVER, approve=yes, reason=reason)
    return {"action": row.action_id, "card": card, "selfApproval": refusal, "approved": yes, "by": APPROVER, "reason": reason}


def _rows(stage: Stage, run_id: str) -> list[ActionRow]:
    return stage.ledger.of_run(run_id)


def planned(proposal: Proposal) -> Plain:
    """A proposal as the plan view shows it."""
    action = proposal.action
    return {
        "action": action.id,
        "agent": proposal.agent,
        "kind": action.kind,
        "target": action.target.qualified,
        "sentence": action.sentence(),
        "risk": action.risk.value,
        "reversible": action.reversible,
        "changes": [change.model_dump(mode="json") for change in proposal.changes],
        "why": proposal.why,
        "objective": proposal.objective,
        "priority": proposal.priority,
        "effect": proposal.effect.summary,
        "evidence": [item.id for item in proposal.evidence],
        "expiresAt": proposal.expires_at,
    }


def judged(row: ActionRow) -> Plain:
    """A verdict rule by rule."""
    proposal = parse_proposal(row.proposal)
    base: Plain = {"action": row.action_id, "sentence": proposal.action.sentence(), "state": row.state.value, "note": row.note}
    if not row.verdict:
        return base | {"decision": "", "counts": {}, "reasons": [], "warnings": []}
    verdict = Verdict.model_validate_json(row.verdict)
    counts = {name: sum(result.result == name for result in verdict.results) for name in ("pass", "warn", "fail", "skip", "error")}
    return base | {
        "decision": verdict.decision.value,
        "counts": counts,
        "reasons": [{"rule": item.rule, "result": item.result, "message": item.message} for item in verdict.reasons()],
        "warnings": [{"rule": item.rule, "message": item.message} for item in verdict.results if item.result == "warn"],
        "rules": [{"rule": item.rule, "result": item.result} for item in verdict.results],
    }


def ended(stage: Stage, row: ActionRow) -> Plain:
    """How one action ended, with its way through the ledger and the last looks of the verifier."""
    way = [link for link in stage.ledger.chain() if link.subject == row.action_id]
    return {
        "action": row.action_id,
        "sentence": parse_proposal(row.proposal).action.sentence(),
        "outcome": row.state.value,
        "note": row.note,
        "looks": row.looks,
        "changedAt": row.changed_at,
        "events": len(way),
    }


def score(rows: list[ActionRow]) -> Plain:
    """Outcomes counted, and what verified actions are worth. Nothing is counted that was not verified."""
    counts = {state.value: sum(row.state is state for row in rows) for state in ActionState if any(row.state is state for row in rows)}
    verified = [parse_proposal(row.proposal) for row in rows if row.state is ActionState.VERIFIED]
    savings = [proposal.effect.saving for proposal in verified if proposal.effect.saving is not None]
    return {
        "outcomes": counts,
        "saved": {
            "paper_micro_usd": sum(saving.paper_micro_usd for saving in savings),
            "realisable_micro_usd": sum(saving.realisable_micro_usd for saving in savings),
            "low_micro_usd": sum(saving.low_micro_usd for saving in savings),
            "high_micro_usd": sum(saving.high_micro_usd for saving in savings),
            "per": "month",
            "source": savings[0].source.name if savings and savings[0].source else "",
        },
        "gpuHoursPerDay": sum(proposal.effect.gpu_hours_per_day for proposal in verified),
    }
