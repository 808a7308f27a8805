"""Rules, objectives and autonomy, as the doors offer them."""

from typing import Any, NamedTuple

from pydantic import Field

from core.domain.access import Caller, Right
from core.domain.objective import Objectives
from core.policy.declarations import Grant
from core.policy.engine import Engine
from core.policy.policies import ActionPolicy
from runtime.services import policies
from runtime.services.offering import Nothing, Offer, Ports, Wanted
from runtime.services.policies import Evaluated, Judging
from runtime.services.trusting import Trust


class OneRule(Wanted):
    rule: str = Field(max_length=100)


class Try(Wanted):
    action: dict[str, Any] = Field(description="an action as JSON: kind, target and arguments")
    facts: dict[str, Any] = Field(default_factory=dict, description="facts that matter; others are assumed to be good")


class Scope(Wanted):
    namespaces: tuple[str, ...] = Field(default=(), max_length=100)
    capability: str = Field(default="", max_length=60)


class InForce(NamedTuple):
    """`running` is what the audit chain says of the judge's own rules, None where no judge said so yet."""

    rules: Engine
    running: Judging | None


class Wishes(NamedTuple):
    objectives: Objectives
    grants: tuple[Grant, ...]


class Autonomy(NamedTuple):
    rows: tuple[Trust, ...]
    cluster: str


async def listed(ports: Ports, _caller: Caller, _wanted: Nothing) -> InForce:
    return InForce(ports.rules(), policies.judging(ports.ledger))


async def shown(ports: Ports, _caller: Caller, wanted: OneRule) -> ActionPolicy:
    return policies.named(ports.rules(), wanted.rule)


async def tried(ports: Ports, _caller: Caller, wanted: Try) -> Evaluated:
    return policies.tried(ports.rules(), {"action": wanted.action, "facts": wanted.facts}, "the request")


async def objectives(ports: Ports, _caller: Caller, _wanted: Nothing) -> Wishes:
    return Wishes(ports.declared.objectives, ports.declared.grants)


async def autonomy(ports: Ports, _caller: Caller, wanted: Scope) -> Autonomy:
    return Autonomy(*ports.trust(wanted.namespaces, wanted.capability))


OFFERS = (
    Offer("policies.list", Right.READ, "The rules in force, and whether the judge runs these.", Nothing, listed),
    Offer("policies.get", Right.READ, "One rule: what it protects from, when it speaks, its tests.", OneRule, shown),
    Offer("policies.try", Right.READ, "What the rules in force would say of an action that nobody submitted.", Try, tried),
    Offer("objectives.list", Right.READ, "What people want, and who may do what.", Nothing, objectives),
    Offer("autonomy.list", Right.READ, "How far agents may go by themselves, and by which record.", Scope, autonomy),
)
