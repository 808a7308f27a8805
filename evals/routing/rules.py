"""The router that is scored: the supervisor's deterministic rules, with the four agents registered and alive. No model, no registry."""

from datetime import UTC, datetime

from agents.catalogue import AGENTS
from core.domain.request import Request
from evals.routing.scoring import Asked
from graph import supervising
from registry.cards import Card
from registry.membership import Member, State
from runtime.leasing import card_of

NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)  # routing does not look at the time


def members() -> tuple[Member, ...]:
    """The four agents with the cards that they register with."""
    return tuple(_member(card_of(agent)) for agent in AGENTS)


def asked(text: str) -> Asked:
    """Who is asked when a person types this into the chat."""
    route = supervising.choose(Request(id="run-eval", trigger="chat", by="eval", text=text, at=NOON), members())
    return frozenset(choice.agent for choice in route.chosen)


def _member(card: Card) -> Member:
    return Member(card.name, State.READY, card, card.digest(), ("eval",), 15_000)
