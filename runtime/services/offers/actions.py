"""Actions, as the doors offer them: listed, shown, explained, taken back."""

from typing import NamedTuple

from pydantic import Field

from core.domain.access import Caller, Right
from core.domain.errors import InvalidInput, Unavailable
from core.domain.ledger import ActionRow
from core.domain.outcome import ActionState
from core.policy import explaining
from core.policy.explaining import Explanation
from runtime.services import recording
from runtime.services.offering import Offer, Ports, Wanted
from runtime.services.recording import Recorded


class Which(Wanted):
    state: tuple[str, ...] = Field(default=(), max_length=20, description="only in these states")
    agent: str = Field(default="", max_length=60)
    namespaces: tuple[str, ...] = Field(default=(), max_length=100)
    limit: int = Field(default=50, ge=1, le=1000)


class OneAction(Wanted):
    action: str = Field(max_length=64, description="act-...")


class Cancel(OneAction):
    reason: str = Field(min_length=1, max_length=200)


class Explained(NamedTuple):
    """The verdict rule by rule, with the facts that each rule read."""

    recorded: Recorded
    explanation: Explanation


async def listed(ports: Ports, _caller: Caller, wanted: Which) -> list[ActionRow]:
    states = recording.states(wanted.state)
    return recording.actions(ports.ledger, wanted=states, agent=wanted.agent, namespaces=wanted.namespaces, limit=wanted.limit)


async def shown(ports: Ports, _caller: Caller, wanted: OneAction) -> Recorded:
    return recording.get(ports.ledger, wanted.action, ports.history.way)


async def explained(ports: Ports, _caller: Caller, wanted: OneAction) -> Explained:
    found = recording.get(ports.ledger, wanted.action, ports.history.way)
    if found.verdict is None:
        state = found.row.state.value
        raise Unavailable(
            "the verdict", 5.0, reason=f"{wanted.action} is {state} and was not judged yet", mend="is the judge running? day2 serve"
        )
    return Explained(found, explaining.explain(found.verdict, ports.rules()))


async def cancelled(ports: Ports, caller: Caller, wanted: Cancel) -> Recorded:
    """Raises InvalidInput for what cannot be taken back any more."""
    recording.get(ports.ledger, wanted.action, ports.history.way)
    standing = await ports.gate.cancel(wanted.action, by=caller.by, reason=wanted.reason)
    if standing.state is not ActionState.CANCELLED:
        verb = "rollback" if standing.state is ActionState.VERIFIED else "get"
        raise InvalidInput(f"{wanted.action} is {standing.state.value} and cannot be cancelled", mend=f"day2 action {verb} {wanted.action}")
    return recording.get(ports.ledger, wanted.action, ports.history.way)


OFFERS = (
    Offer("actions.list", Right.READ, "Actions, newest first.", Which, listed),
    Offer("actions.get", Right.READ, "One action with its evidence, verdict, approvals and way.", OneAction, shown),
    Offer("actions.explain", Right.READ, "A verdict rule by rule, with the facts that each rule read.", OneAction, explained),
    Offer("actions.cancel", Right.PROPOSE, "Take a wish back that was not carried out yet.", Cancel, cancelled, writes=True),
)
