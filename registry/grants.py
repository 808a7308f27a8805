"""What agents may do, from configuration: an agent cannot grant itself a capability."""

from collections.abc import Mapping

from core.domain.values import Value
from registry.cards import Card


class Grants(Value):
    """Agent name to capabilities. An agent without a row gets nothing."""

    rows: dict[str, tuple[str, ...]]

    def of(self, agent: str) -> frozenset[str]:
        return frozenset(self.rows.get(agent, ()))

    def limited(self, card: Card) -> Card:
        """The card with only what is granted."""
        granted = self.of(card.name)
        return card.model_copy(update={"capabilities": tuple(item for item in card.capabilities if item.id in granted)})


def grants(rows: Mapping[str, tuple[str, ...]]) -> Grants:
    return Grants(rows=dict(rows))
