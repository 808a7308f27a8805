"""Plans and savings, as the doors offer them: what agents would do about findings, and putting that before the judge."""

from typing import NamedTuple

from pydantic import Field

from core.domain.access import Caller, Right
from core.domain.errors import InvalidInput
from core.domain.ledger import ActionRow
from core.domain.money import Saving
from core.domain.outcome import ActionState
from runtime.services import applying, recording
from runtime.services.offering import Nothing, Offer, Ports, Wanted
from runtime.services.planning import Plan, Sealed

KNOWN = 1000


class For(Wanted):
    findings: tuple[str, ...] = Field(default=(), max_length=50, description="fnd-...; empty: whatever is found")
    namespaces: tuple[str, ...] = Field(default=(), max_length=100)
    agents: tuple[str, ...] = Field(default=(), max_length=10)


class Submit(For):
    findings: tuple[str, ...] = Field(min_length=1, max_length=50, description="fnd-...: what is to be mended")


class Submitted(NamedTuple):
    """Actions that stand before the judge now, or stood there before."""

    plan: Plan
    rows: tuple[ActionRow, ...]


class Saved(NamedTuple):
    """One action's claim, and what became of it: proposed, approved, realised, reverted or dropped."""

    row: ActionRow
    stage: str
    saving: Saving


_STAGES = {
    ActionState.SUBMITTED: "proposed",
    ActionState.NEEDS_APPROVAL: "proposed",
    ActionState.APPROVED: "approved",
    ActionState.PERMITTED: "approved",
    ActionState.VERIFIED: "realised",
    ActionState.ROLLED_BACK: "reverted",
    ActionState.DENIED: "dropped",
    ActionState.EXPIRED: "dropped",
    ActionState.CANCELLED: "dropped",
    ActionState.FAILED: "dropped",
}
"""The rest is on its way: applied."""


async def previewed(ports: Ports, _caller: Caller, wanted: For) -> Plan:
    return await ports.plan(wanted.namespaces, wanted.agents, wanted.findings)


async def submitted(ports: Ports, caller: Caller, wanted: Submit) -> Submitted:
    """Planned anew from the cluster as it is, so nothing that a caller says becomes an action. Raises Stopped, Conflict, InvalidInput."""
    applying.check_stop(ports.ledger)
    plan = await ports.plan(wanted.namespaces, wanted.agents, wanted.findings)
    if not plan.items:
        held = "; ".join(item.reason for item in plan.held) or "no agent has an action for it"
        raise InvalidInput(f"nothing to submit: {held}"[:300], mend="read the finding: it may need a person")
    proposals = tuple(item.proposal for item in plan.items)
    ids = await applying.submit(ports.gate, ports.ledger, Sealed(plan.cluster, plan.context, plan.expires_at, proposals), by=caller.by)
    return Submitted(plan, applying.rows_of(ports.ledger, ids))


async def savings(ports: Ports, _caller: Caller, _wanted: Nothing) -> list[Saved]:
    found = []
    for row in recording.actions(ports.ledger, limit=KNOWN):
        try:
            saving = recording.proposal_of(row.proposal).effect.saving
        except InvalidInput:
            continue
        if saving is not None:
            found.append(Saved(row, _STAGES.get(row.state, "applied"), saving))
    return found


OFFERS = (
    Offer("plans.preview", Right.READ, "What agents would do about findings, as diffs, with what the judge would say now.", For, previewed),
    Offer("plans.submit", Right.PROPOSE, "Put what would mend these findings before the judge.", Submit, submitted, writes=True),
    Offer("savings.list", Right.READ, "What actions claimed to save, and what became of it.", Nothing, savings),
)
