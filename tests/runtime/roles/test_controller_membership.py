"""Whom the controller counts as an agent: its own, and those to whom people granted something; for no more than that."""

from typing import Any

import pytest

from core.domain.errors import Unavailable
from core.policy.declarations import Grant
from registry.cards import Capability, Card
from registry.membership import Member, State
from runtime.roles.controller import Membership


def member(name: str, *capabilities: str, instance: str = "one") -> Member:
    rows = tuple(Capability(id=item, risk="low", reversible=True, rights=()) for item in capabilities)
    card = Card(name=name, description="x", version="1.0", capabilities=rows)
    return Member(name, State.READY, card, card.digest(), (instance,), 5_000)


def grant(agent: str, *capabilities: str) -> Grant:
    return Grant.model_validate({"name": f"{agent}-grant", "agent": agent, "capabilities": capabilities}, strict=False)


class Registered:
    """A registry that says this, or does not answer."""

    def __init__(self, *found: Member, answers: bool = True) -> None:
        self._found, self._answers = found, answers

    async def members(self) -> tuple[Member, ...]:
        if not self._answers:
            raise Unavailable("the registry", 1.0)
        return self._found


OWN = (member("finops", "set_requests"),)
GRANTS = (grant("finops", "set_requests"), grant("network", "create_network_policy"))


def known(*found: Member, **more: Any) -> Membership:
    registry: Any = Registered(*found, **more)
    return Membership(registry, OWN, GRANTS)


async def test_registering_alone_gives_no_voice() -> None:
    assert [item.name for item in await known(*OWN, member("stranger", "set_requests")).members()] == ["finops"]


async def test_an_agent_of_others_is_asked_where_people_granted_it_something() -> None:
    found = await known(*OWN, member("network", "create_network_policy")).members()
    assert [item.name for item in found] == ["finops", "network"]


async def test_a_card_shows_no_more_than_people_granted() -> None:
    (found,) = await known(member("finops", "set_requests", "drain_node")).members()
    assert [item.id for item in found.card.capabilities] == ["set_requests"]


@pytest.mark.parametrize("empty", [known(), known(member("stranger")), known(answers=False), Membership(None, OWN, GRANTS)])
async def test_where_nobody_we_know_lives_the_agents_of_this_process_work(empty: Membership) -> None:
    assert await empty.members() == OWN


async def test_an_instance_of_a_stranger_is_not_asked_through_the_queue() -> None:
    found = known(member("finops", instance="here"), member("stranger", instance="there"))
    assert await found.elsewhere("here") == frozenset()
    assert await known(member("finops", instance="there")).elsewhere("here") == {"finops"}
