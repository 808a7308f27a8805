"""What chats show of one action, as the doors offer it."""

from pydantic import Field

from core.actions.catalogue import parse_proposal
from core.domain.access import Caller, Right
from core.domain.errors import Conflict, InvalidInput
from core.domain.outcome import TERMINAL, ActionState
from runtime.services import applying, carding, editing
from runtime.services.carding import Carded
from runtime.services.offering import Offer, Ports, Wanted
from runtime.services.planning import Sealed


class OneCard(Wanted):
    action: str = Field(max_length=64, description="act-...")


async def shown(ports: Ports, _caller: Caller, wanted: OneCard) -> Carded:
    return await carding.carded(ports, wanted.action)


class Edit(Wanted):
    action: str = Field(max_length=64, description="act-...")
    changes: tuple[str, ...] = Field(min_length=1, max_length=20, description="path=value of arguments, such as to_replicas=3")


async def edited(ports: Ports, caller: Caller, wanted: Edit) -> str:
    """The id of the new action. The old one is cancelled first: two of them never run."""
    row = ports.ledger.get(wanted.action)
    if row is None or row.state in TERMINAL:
        said = f"{wanted.action} is {row.state.value}: there is nothing to edit any more" if row else f"no action {wanted.action!r}"
        raise InvalidInput(said, mend="day2 action list")
    old = parse_proposal(row.proposal)
    new = editing.edited_action(old.action, wanted.changes, ports.ids.new("act"))
    changed = new.changes(await editing.live(ports.reader, new))
    proposal = editing.edited_proposal(old, new, changes=changed, by=caller.by, at=ports.clock.now())
    taken_back = await ports.gate.cancel(wanted.action, by=caller.by, reason=f"edited into {new.id}")
    if taken_back.state is not ActionState.CANCELLED:
        raise Conflict(f"{wanted.action} is {taken_back.state.value}: it was not edited", mend=f"day2 action get {wanted.action}")
    sealed = Sealed(new.target.cluster, "", proposal.expires_at, (proposal,))
    await applying.submit(ports.gate, ports.ledger, sealed, by=caller.by)
    return new.id


OFFERS = (
    Offer("cards.get", Right.READ, "One action with all that a person needs to decide, in any state.", OneCard, shown),
    Offer(
        "actions.edit", Right.PROPOSE, "Another wish in the place of one that waits: the judge looks at it anew.", Edit, edited, writes=True
    ),
)
