"""Rules, objectives and autonomy, as the doors offer them."""

import asyncio
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from pydantic import Field

from core.domain.access import Caller, Right
from core.domain.objective import Objectives
from core.policy.declarations import Grant
from core.policy.engine import Engine
from core.policy.policies import ActionPolicy
from runtime.services import policies, simulating
from runtime.services.offering import Nothing, Offer, Ports, Wanted
from runtime.services.policies import Difference, Evaluated, Judging
from runtime.services.simulating import Simulation
from runtime.services.trusting import Trust

MOST_REPLAYED = 2000
"""Actions from the newest that a door replays; the command line looks at more."""


class OneRule(Wanted):
    rule: str = Field(max_length=100)


class Try(Wanted):
    action: dict[str, Any] = Field(description="an action as JSON: kind, target and arguments")
    facts: dict[str, Any] = Field(default_factory=dict, description="facts that matter; others are assumed to be good")


class Replay(Wanted):
    rules: str = Field(default="", max_length=100_000, description="ActionPolicy documents in YAML, in the place of your own; empty: none")
    days: int = Field(default=30, ge=1, le=90, description="how far back verdicts are replayed")


class Scope(Wanted):
    namespaces: tuple[str, ...] = Field(default=(), max_length=100)
    capability: str = Field(default="", max_length=60)


class InForce(NamedTuple):
    """`running` is what the audit chain says of the judge's own rules, None where no judge said so yet."""

    rules: Engine
    running: Judging | None


class Replayed(NamedTuple):
    """`changes` are the rules themselves, against those in force."""

    found: Simulation
    since: datetime
    changes: tuple[Difference, ...]


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


async def simulated(ports: Ports, _caller: Caller, wanted: Replay) -> Replayed:
    """Beside the loop that serves everybody: a second of work, or two."""
    candidate, since = policies.written(wanted.rules), ports.clock.now() - timedelta(days=wanted.days)
    found = await asyncio.to_thread(simulating.simulate, ports.ledger, candidate, since=since, most=MOST_REPLAYED)
    return Replayed(found, since, policies.differences(ports.rules(), candidate))


async def objectives(ports: Ports, _caller: Caller, _wanted: Nothing) -> Wishes:
    return Wishes(ports.declared.objectives, ports.declared.grants)


async def autonomy(ports: Ports, _caller: Caller, wanted: Scope) -> Autonomy:
    return Autonomy(*ports.trust(wanted.namespaces, wanted.capability))


OFFERS = (
    Offer("policies.list", Right.READ, "The rules in force, and whether the judge runs these.", Nothing, listed),
    Offer("policies.get", Right.READ, "One rule: what it protects from, when it speaks, its tests.", OneRule, shown),
    Offer("policies.try", Right.READ, "What the rules in force would say of an action that nobody submitted.", Try, tried),
    Offer(
        "policies.simulate", Right.READ, "Past verdicts under other rules: which would be others now, and by which rule.", Replay, simulated
    ),
    Offer("objectives.list", Right.READ, "What people want, and who may do what.", Nothing, objectives),
    Offer("autonomy.list", Right.READ, "How far agents may go by themselves, and by which record.", Scope, autonomy),
)
