"""Choosing agents by name, capability, trigger and words, among who lives."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.domain.request import Request
from graph import supervising
from registry.cards import Capability, Card
from registry.membership import Member, State


def member(name: str, state: State = State.READY, *, words: tuple[str, ...] = (), can: tuple[str, ...] = ()) -> Member:
    rows = tuple(Capability(id=kind, risk="low", reversible=True, rights=()) for kind in can)
    card = Card(name=name, description="x", version="1", words=words, capabilities=rows)
    return Member(name, state, card, card.digest(), ("one",), 1000)


FOUR = tuple(member(name) for name in ("finops", "reliability", "scaling", "security"))


def asked(request: Any, members: tuple[Member, ...] = FOUR, suggested: tuple[str, ...] = ()) -> list[str]:
    return [choice.agent for choice in supervising.choose(request, members, suggested).chosen]


def test_a_name_wins_over_words(make: Any) -> None:
    assert asked(make.request(text="cut our costs", agents=("security",))) == ["security"]


def test_a_capability_by_its_name_goes_to_who_has_it(make: Any) -> None:
    members = (*FOUR[:3], member("security", can=("label_namespace",)))
    assert asked(make.request(text="please label-namespace shop"), members) == ["security"]


@pytest.mark.parametrize("more", [{"text": ""}, {"text": "  "}, {"trigger": "schedule", "text": "cut our costs"}])
def test_a_scan_asks_everybody(make: Any, more: Any) -> None:
    assert asked(make.request(**more)) == ["finops", "reliability", "scaling", "security"]


def test_an_alert_that_no_word_explains_goes_to_reliability(make: Any) -> None:
    assert asked(make.request(trigger="alert", text="XyzFiring instance=a")) == ["reliability"]


def test_the_whole_picture_asks_everybody(make: Any) -> None:
    assert asked(make.request(text="give me an overview")) == ["finops", "reliability", "scaling", "security"]


def test_a_hint_or_a_word_of_caution_does_not_narrow_the_whole_picture(make: Any) -> None:
    assert len(asked(make.request(text="scan the shop, and act where it is safe"))) == 4
    assert len(asked(make.request(text="a report on each node"))) == 4


def test_words_of_two_domains_ask_both_best_first(make: Any) -> None:
    assert asked(make.request(text="the cost, the budget, and a crash and an outage, money")) == ["finops", "reliability"]


def test_nobody_fits_says_who_there_is_and_what_to_ask(make: Any) -> None:
    route = supervising.choose(make.request(text="what a lovely tune"), FOUR)
    assert route.chosen == ()
    assert "finops, reliability, scaling, security" in route.nobody


def test_who_is_not_alive_is_absent_with_the_reason(make: Any) -> None:
    route = supervising.choose(make.request(text="cut our costs"), (member("finops", State.SUSPENDED), *FOUR[1:]))
    assert route.chosen == ()
    assert [choice.agent for choice in route.absent] == ["finops"]
    assert "suspended" in route.nobody


def test_an_unknown_name_is_absent_and_said(make: Any) -> None:
    route = supervising.choose(make.request(agents=("networking",)), FOUR)
    assert "not registered" in route.nobody


def test_an_agent_of_somebody_else_is_found_by_the_words_of_its_card(make: Any) -> None:
    assert asked(make.request(text="our postgres vacuum"), (*FOUR, member("databases", words=("postgres", "mysql")))) == ["databases"]


def test_the_reason_names_the_words(make: Any) -> None:
    (choice,) = supervising.choose(make.request(text="our bill is too high"), FOUR).chosen
    assert "bill" in choice.why


@pytest.mark.parametrize("text", ["billing-ui", "security-api", "cost-service-7f9", "scaling-worker-2"])
def test_the_name_of_a_thing_says_nothing(text: str) -> None:
    assert supervising.scores(text) == {}


@pytest.mark.parametrize(("text", "domain"), [("permisions", "security"), ("overprovisoned", "finops"), ("rollbakc", "reliability")])
def test_a_slip_of_the_finger_is_understood(text: str, domain: str) -> None:
    assert supervising.scores(text).get(domain)


@pytest.mark.parametrize("text", ["who calls the billing api", "the pods of team payments", "namespace search"])
def test_a_domain_word_that_names_a_thing_says_nothing_of_its_domain(text: str) -> None:
    assert not {"finops", "scaling"} & supervising.scores(text).keys()


@pytest.mark.parametrize(("text", "dies"), [("the pods die", True), ("wie sind die rechte", False), ("wo sind die kosten", False)])
def test_a_german_article_is_no_death(text: str, dies: bool) -> None:
    assert ("reliability" in supervising.scores(text)) == dies


@pytest.mark.parametrize(
    "text", ["it doesn't start", "it doesnt start", "it doesn’t start", "FailedMount", "NotReady", "KubePodCrashLooping"]
)
def test_words_are_found_however_people_and_alerts_write_them(text: str) -> None:
    assert supervising.scores(text).get("reliability", 0) >= 2


def test_a_long_hostile_text_is_scored_in_reasonable_steps() -> None:
    assert supervising.scores("crash " * 300 + "x" * 2000 + "-" * 2000).get("reliability")


@given(st.text(max_size=300))
def test_any_text_gives_a_route_with_a_reason(text: str) -> None:
    request = Request(id="run-1", trigger="chat", by="ann", text=text, at=datetime(2026, 1, 5, tzinfo=UTC))
    route = supervising.choose(request, FOUR)
    assert {choice.agent for choice in route.chosen} <= {member.name for member in FOUR}
    assert bool(route.chosen) != bool(route.nobody)
    assert all(choice.why for choice in route.chosen)


def test_routes_do_not_depend_on_the_order_of_members(make: Any) -> None:
    question = make.request(text="costs, crashes, secrets and capacity")
    assert asked(question) == asked(question, tuple(reversed(FOUR)))
