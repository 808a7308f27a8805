"""Cards: what an agent says of itself, bounded by what people grant it."""

from collections.abc import Callable

import pytest
from pydantic import ValidationError

from core.actions.catalogue import CATALOGUE
from core.policy.declarations import Grant
from registry.cards import EXTENSION, Card, capability
from registry.grants import limited

MakeCard = Callable[..., Card]


def test_versions_are_compared_as_numbers(card: MakeCard) -> None:
    assert card(version="1.10").later_than(card(version="1.9"))
    assert not card(version="1.9").later_than(card(version="1.10"))
    assert not card(version="1.9").later_than(card(version="1.9"))


def test_the_digest_changes_with_any_promise(card: MakeCard) -> None:
    assert card().digest() == card().digest()
    assert card().digest() != card(capabilities=()).digest()


@pytest.mark.parametrize("name", ["", "Finops", "fin ops", "fin:ops", "a" * 42, "../x"])
def test_a_name_is_fit_for_a_key(card: MakeCard, name: str) -> None:
    with pytest.raises(ValidationError):
        card(name=name)


def test_the_agent_card_carries_the_capabilities_in_its_extension(card: MakeCard) -> None:
    shown = card().agent_card()
    (extension,) = shown["capabilities"]["extensions"]
    assert extension["uri"] == EXTENSION
    assert [row["id"] for row in extension["params"]["capabilities"]] == ["set_requests"]
    assert shown["supportedInterfaces"] == []


@pytest.mark.parametrize("kind", sorted(CATALOGUE))
def test_a_capability_says_what_the_catalogue_says(kind: str) -> None:
    row = capability(kind)
    assert (row.id, row.risk, row.reversible) == (kind, CATALOGUE[kind].risk.value, CATALOGUE[kind].reversible)
    assert row.rights


def grant(agent: str, *capabilities: str) -> Grant:
    return Grant.model_validate({"name": f"{agent}-grant", "agent": agent, "capabilities": capabilities}, strict=False)


def test_a_card_keeps_only_what_is_granted_to_its_own_agent(card: MakeCard) -> None:
    own = card(capabilities=("set_requests", "scale_workload"))
    kept = limited(own, [grant("finops", "set_requests"), grant("security", "scale_workload")])
    assert [item.id for item in kept.capabilities] == ["set_requests"]


def test_without_a_grant_an_agent_can_nothing(card: MakeCard) -> None:
    assert limited(card(), []).capabilities == ()


def test_a_star_grants_all_that_the_agent_has_and_no_more(card: MakeCard) -> None:
    kept = limited(card(capabilities=("set_requests",)), [grant("finops", "*")])
    assert [item.id for item in kept.capabilities] == ["set_requests"]
