"""What whoever is on trial has before him: the case, the cluster as its admin sees it, and the only way to let time pass."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from core.domain.model import Usage
from core.domain.verdict import Decision, Verdict
from core.policy.engine import builtin
from evals.cases.case import Case
from evals.running import meters
from evals.running.scenes import Scene
from evals.running.trial import Judged
from runtime.roles.judged import Court
from simulator.controllers import interruptions
from simulator.faults import oracle
from simulator.faults.ground import Home
from simulator.faults.oracle import Objects
from simulator.faults.writes import Write, path

Json = dict[str, Any]
MINUTE = 60.0
PACKS = {rule.policy.name: rule.policy.pack for rule in builtin().rules}


@dataclass
class Claims:
    """What verified actions said that they would save, in micro-USD a month, and what the meter said: `before` is the cost just before the
    first of them, `spent` the sum over `seconds` of it since the last was verified."""

    said: int | None = None
    before: int | None = None
    spent: float = 0.0
    seconds: float = 0.0

    def add(self, saving: int, before: int | None) -> None:
        self.said = (self.said or 0) + saving
        self.before = before if self.before is None else self.before
        self.spent = self.seconds = 0.0

    @property
    def metered(self) -> int | None:
        """None where no time passed since, or nothing has a price."""
        return round(self.before - self.spent / self.seconds) if self.before is not None and self.seconds else None


@dataclass
class Stage:
    """`spared` are workloads that fault and cure may touch, `breaches` those `budgets` of others that were seen broken.

    `wrote` is when a contestant that sends his own writes sent each, in Unix seconds. `asked` is what he
    used of a model; None where he asked none. `spent` is the cost of now, in micro-USD a month, summed over the seconds of a case with
    schedules.
    """

    case: Case
    scene: Scene
    court: Court
    begun: datetime
    spared: tuple[Home, ...] = ()
    breaches: set[str] = field(default_factory=set)
    budgets: frozenset[str] = frozenset()
    wrote: list[float] = field(default_factory=list)
    asked: Usage | None = None
    actions: list[Judged] = field(default_factory=list)
    held: list[str] = field(default_factory=list)
    claims: Claims = field(default_factory=Claims)
    spent: float = 0.0
    verified_at: float | None = None
    acted_at: float | None = None

    @property
    def now(self) -> float:
        """Seconds since the case began."""
        return (self.scene.running.clock.now() - self.begun).total_seconds()

    def pass_time(self, seconds: float) -> None:
        """Minute by minute, with a look at everybody's budgets."""
        spared, left = meters.keys(self.spared), seconds
        while left > 0:
            step = min(left, MINUTE)
            self.scene.running.clock.advance(step)
            if not interruptions.is_unsettled(self.scene.running.cluster):  # what the market takes, nobody here broke
                self.breaches |= self.budgets & set(meters.broken_budgets(self.scene.running, spared))
            if (self.case.schedules or self.claims.said is not None) and (cost := self.cost()) is not None:
                self.spent += cost * step
                self.claims.spent += cost * step
                self.claims.seconds += step
            left -= step

    def cost(self) -> int | None:
        """What pods reserve now, in micro-USD a month. None without prices."""
        prices = self.court.bench.prices
        return meters.monthly(self.scene.running, prices) if prices else None

    async def until(self, moment: float) -> None:
        self.pass_time(max(0.0, moment - self.now))

    async def done(self, writes: Sequence[Write]) -> None:
        """By somebody else than the contestant. Raises RuntimeError where the API server refuses: then the case did not happen."""
        for write in writes:
            self.pass_time(write.after_seconds)
            if refused := await self._send(write):
                raise RuntimeError(f"{write.method} {write.path}: {refused[:300]}")

    async def write(self, write: Write) -> str:
        """By a contestant of his own. Why it was refused; empty where it was stored."""
        self.wrote.append(self.scene.running.clock.now().timestamp())
        return await self._send(write)

    async def _send(self, write: Write) -> str:
        headers = {"Content-Type": write.content_type}
        answer = await self.court.admin.request(write.method, write.path, json=write.body, headers=headers)
        return "" if answer.is_success else answer.text

    async def seen(self) -> Objects:
        return {kind: (await self.court.admin.get(path(kind))).json()["items"] for kind in oracle.KINDS}

    async def get(self, kind: str, namespace: str, name: str) -> Json | None:
        answer = await self.court.admin.get(path(kind, namespace, name))
        found: Json | None = answer.json() if answer.is_success else None
        return found

    async def read(self, place: str, headers: Mapping[str, str] | None = None) -> Json:
        """Whatever the API server answers: the object, or a Status that says why not."""
        found: Json = (await self.court.admin.get(place, headers=dict(headers or {}))).json()
        return found

    async def text(self, place: str, asked: Mapping[str, str]) -> str:
        """As `read`, of what is no JSON."""
        found: str = (await self.court.admin.get(place, params=dict(asked))).text
        return found

    async def listed(self, kind: str, namespace: str = "") -> list[Json]:
        items: list[Json] = (await self.court.admin.get(path(kind, namespace))).json()["items"]
        return items


def said(verdict: Verdict) -> tuple[str, tuple[str, ...]]:
    """The decision, and the packs whose rules made it."""
    spoke = sorted({PACKS.get(result.rule, "gate") for result in verdict.results if result.decision is not Decision.ALLOW})
    return str(verdict.decision), tuple(spoke)
