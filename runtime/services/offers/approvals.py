"""People's decisions, as the doors offer them."""

from pydantic import Field

from core.domain import people
from core.domain.access import Caller, Right
from runtime.services import approving, batching
from runtime.services.approving import Decided, Decision, Queue
from runtime.services.batching import Batched
from runtime.services.offering import Offer, Ports, Wanted


class Mine(Wanted):
    mine: bool = Field(default=False, description="only what this person may still decide")


class Decide(Wanted):
    action: str = Field(max_length=64, description="act-...")
    reason: str = Field(min_length=1, max_length=people.LONGEST * 2, description="why; kept in the audit chain")
    confirm: str = Field(default="", max_length=300, description="name of the object, where the risk is high or nothing can be undone")


class Batch(Wanted):
    actions: tuple[str, ...] = Field(min_length=1, max_length=batching.MOST, description="act-..., of one kind and of low risk")
    reason: str = Field(min_length=1, max_length=people.LONGEST * 2, description="why; kept in the audit chain with each of them")


async def waiting(ports: Ports, caller: Caller, wanted: Mine) -> Queue:
    decided = ports.ledger.decisions(ports.clock.now() - approving.AN_HOUR)
    cards = approving.waiting(ports.ledger, ports.people_needed)
    return approving.queue(cards, decided, per_hour=ports.cards_per_hour, only_for=caller.by if wanted.mine else "")


async def approve(ports: Ports, caller: Caller, wanted: Decide) -> Decided:
    return _decided(ports, caller, wanted, approve=True)


async def deny(ports: Ports, caller: Caller, wanted: Decide) -> Decided:
    return _decided(ports, caller, wanted, approve=False)


async def batch(ports: Ports, caller: Caller, wanted: Batch) -> Batched:
    """Each is decided as it would be by itself. Nothing is approved where they are not of one kind."""
    cards = batching.together(approving.waiting(ports.ledger, ports.people_needed), wanted.actions)
    return batching.each(cards, lambda action: _decided(ports, caller, Decide(action=action, reason=wanted.reason), approve=True))


def _decided(ports: Ports, caller: Caller, wanted: Decide, *, approve: bool) -> Decided:
    said = Decision(caller.by, approve, wanted.reason, wanted.confirm, caller.groups, caller.door, caller.authenticated_at)
    now, per_hour = ports.clock.now(), ports.cards_per_hour
    return approving.decide(ports.ledger, ports.decide, ports.people_needed, wanted.action, said, now=now, per_hour=per_hour)


OFFERS = (
    Offer("approvals.list", Right.READ, "What waits for a person, high risk first, with all that is needed to decide.", Mine, waiting),
    Offer(
        "actions.approve", Right.DECIDE, "Approve one action, bound to its digest. Who asked for it cannot.", Decide, approve, writes=True
    ),
    Offer(
        "approvals.batch",
        Right.DECIDE,
        "Approve several of one kind and of low risk with one reason. Each keeps its own record.",
        Batch,
        batch,
        writes=True,
    ),
    Offer("actions.deny", Right.DECIDE, "Deny one action. That is its end.", Decide, deny, writes=True),
)
