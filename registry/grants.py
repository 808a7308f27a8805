"""What agents may do, from Grant documents: an agent cannot grant itself a capability. Used at registration; the judge checks again."""

from collections.abc import Sequence

from core.policy.declarations import Grant
from registry.cards import Card


def limited(card: Card, grants: Sequence[Grant]) -> Card:
    """The card with only the capabilities that some grant gives this agent, in any namespace."""
    own = [grant for grant in grants if grant.agent == card.name]
    kept = tuple(item for item in card.capabilities if any(item.id in grant.capabilities or "*" in grant.capabilities for grant in own))
    return card.model_copy(update={"capabilities": kept})
