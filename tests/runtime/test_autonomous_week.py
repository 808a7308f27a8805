# ruff: noqa: F811  fixtures of the gate's tests are imported, and named again by those who take them
"""A week of schedules in virtual time, over the night on which the clocks change: the scheduler, the run flow, the judge with the built-in
rules and the executor are the product's own; cluster, people and agents are played. Processes die at random calls and awaits.
"""

import asyncio
import contextlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import takewhile
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from core.actions.scale_workload import ScaleWorkload
from core.domain.api_request import ApiRequest
from core.domain.evidence import observe
from core.domain.intake import Stage
from core.domain.objective import Autonomy
from core.domain.outcome import TERMINAL
from core.domain.outcome import ActionState as S
from core.domain.proposal import Effect, Proposal
from core.domain.request import Request
from core.domain.target import Target
from core.domain.timetable import TickState
from core.domain.values import identifier
from core.policy import ticks
from core.policy.arbitration import Arbitration, Surroundings, arbitrate
from core.policy.engine import builtin
from core.policy.schedules import Budget, Schedule, Window, Windows
from gate import permits
from graph.routes import Choice, Route
from runtime.flows import Flows
from tests.gate.conftest import CLUSTER, START, Gate, cluster, deployment, gate, ledger, settle  # noqa: F401  fixtures
from tests.graph.conftest import Stage as Flow
from tests.graph.conftest import answer
from tests.runtime.scheduled import Office

BERLIN = ZoneInfo("Europe/Berlin")
BEGIN = datetime(2027, 3, 25, 0, 5, tzinfo=UTC)
STEP = 600
NAMES = tuple(f"web-{number}" for number in range(8))
NIGHT, DAY = Window(begins="02:00", ends="03:30"), Window(begins="08:00", ends="20:00")


def schedules() -> list[Schedule]:
    def made(name: str, **said: Any) -> Schedule:
        return Schedule(name=name, zone="Europe/Berlin", catch_up="all", overlap="queue", agents=("scaling",), report_to=("inbox",), **said)

    return [
        made("watch", every_seconds=3600, ceiling=Autonomy.OBSERVE, jitter_seconds=900),
        made("night", cron="30 2 * * *", ceiling=Autonomy.AUTO, windows=Windows(write=(NIGHT,)), budget=Budget(writes_per_run=2)),
        made(
            "fix",
            every_seconds=3 * 3600,
            ceiling=Autonomy.GUARDED,
            windows=Windows(write=(DAY,)),
            budget=Budget(writes_per_run=2, writes_per_day=3),
        ),
        made("ask", cron="0 */6 * * *", ceiling=Autonomy.SUGGEST, budget=Budget(writes_per_run=3, writes_per_day=5)),
    ]


class KilledError(BaseException):
    """The process is gone."""


class Fragile:
    """A port over which its process may die, before a call or after it."""

    def __init__(self, port: Any, chance: Random, share: float) -> None:
        self._port, self._chance, self._share = port, chance, share

    def __getattr__(self, name: str) -> Any:
        made = getattr(self._port, name)
        if not callable(made):
            return made

        def call(*given: Any, **named: Any) -> Any:
            self._burn()
            found = made(*given, **named)
            self._burn()
            return found

        return call

    def _burn(self) -> None:
        if self._chance.random() < self._share:
            raise KilledError


class Growing:
    """An agent that would have one pod more of some workloads, whatever was said before."""

    def __init__(self, gate: Gate) -> None:
        self._gate = gate

    async def consult(self, agent: str, request: Request) -> dict[str, Any]:
        await asyncio.sleep(0)
        return answer(agent, *(self._one(agent, request, name) for name in Random(request.id).sample(NAMES, 5)))

    def _one(self, agent: str, request: Request, name: str) -> Proposal:
        now = self._gate.clock.now()
        target = Target(cluster=CLUSTER, group="apps", kind="Deployment", namespace="shop", name=name, uid=f"uid-{name}")
        count = self._gate.cluster.object("Deployment", "shop", name)["spec"]["replicas"]
        made = identifier("act", request.id, name)
        return Proposal(
            action=ScaleWorkload(id=made, target=target, from_replicas=count, to_replicas=count + 1),
            agent=agent,
            run=request.id,
            why="traffic grows",
            evidence=(observe("metric", target, "rate", "12", now),),
            effect=Effect(summary="one more"),
            expires_at=now + timedelta(hours=20),
        )


class Week:
    """The world and those who live in it. `writes` are the forward writes: when, of which run, of which action."""

    def __init__(self, gate: Gate, seed: int, crashes: float) -> None:
        self.gate, self.chance, self.crashes, self.died = gate, Random(seed), crashes, Counter[str]()
        gate.clock.advance(int((BEGIN - START).total_seconds()))
        gate.bench = replace(gate.bench, rules=builtin())
        for name in NAMES:
            gate.cluster.put(deployment(name))
            settle(gate.cluster, name)
        self.office = Office(schedules(), clock=gate.clock, ledger=gate.ledger)  # type: ignore[arg-type]
        self.flow = Flow()
        self.flow.chooser.route = Route((Choice("scaling", "asked for"),))
        self.flow.change(clock=gate.clock, gate=gate.door, consulting=Growing(gate), arbitrate=self._arbitrate)
        self.writes: list[tuple[datetime, str, str]] = []
        gate.cluster.before_store = self._stored
        self.schedulers = [self._scheduler() for _ in range(2)]
        self.approve_at: dict[str, datetime | None] = {}

    async def _arbitrate(self, proposals: Sequence[Proposal], severity_of: Any) -> Arbitration:
        return arbitrate(proposals, now=self.gate.clock.now(), around=Surroundings(severity_of=severity_of))

    def _stored(self, _: ApiRequest) -> None:
        self.writes.append((self.gate.clock.now(), "", ""))

    def _scheduler(self) -> Any:
        plain = self.office.opened()
        made = {name: Fragile(getattr(plain, name), self.chance, self.crashes) for name in ("timetable", "intake", "ledger")}
        return replace(plain, **made)

    async def step(self) -> None:
        self.gate.clock.advance(STEP)
        for number in (0, 1):
            try:
                for run in self.schedulers[number].look():
                    self.schedulers[number].begin(run)
                await self.schedulers[number].follow()
            except KilledError:
                self.died["scheduler"] += 1
                self.schedulers[number] = self._scheduler()
        await self._control()
        self._people()
        for _ in range(2):
            await self._once("judge", self.gate.judge)
            await self._once("executor", self.gate.execute)
            for name in NAMES:
                settle(self.gate.cluster, name)

    async def _control(self) -> None:
        """The controller, which may die at any await of a run; the next one goes on from its checkpoint."""
        for item in self.office.intake.open():
            if item.stage is Stage.WAITING:
                self.office.intake.move(item.request.id, expected=frozenset({item.stage}), to=Stage.BEGUN, at=self.gate.clock.now())
            task = asyncio.create_task(Flows(self.flow.saver, run=self.flow.context).run(item.request))
            if self.chance.random() < 0.2:
                for _ in range(self.chance.randrange(1, 60)):
                    await asyncio.sleep(0)
                if not task.done():
                    task.cancel()
                    self.died["controller"] += 1
            with contextlib.suppress(asyncio.CancelledError):
                self.office.answers[item.request.id] = await task
                self.office.intake.move(item.request.id, expected=frozenset({Stage.BEGUN}), to=Stage.ENDED, at=self.gate.clock.now())

    async def _once(self, role: str, work: Any) -> None:
        bench, hands = self.gate.bench, self.gate.hands
        fragile: Any = Fragile(self.gate.ledger, self.chance, self.crashes / 2)
        self.gate.bench, self.gate.hands = replace(bench, ledger=fragile), replace(hands, ledger=fragile)
        try:
            await work()
        except KilledError:
            self.died[role] += 1
        finally:
            self.gate.bench, self.gate.hands = bench, hands
        if role == "executor" and self.died[role]:
            await self.gate.restart()

    def _people(self) -> None:
        """Of the cards some are approved after hours, and of some nobody takes notice."""
        now = self.gate.clock.now()
        for row in self.gate.ledger.in_states(S.NEEDS_APPROVAL):
            hours = self.chance.choice([1, 3, 8, 30, None])
            when = self.approve_at.setdefault(row.action_id, now + timedelta(hours=hours) if hours else None)
            if when and when <= now and not self.gate.ledger.approvals(row.action_id):
                self.gate.approve(row.action_id, f"person-{self.chance.randrange(3)}")

    def stored(self) -> list[tuple[datetime, str, str]]:
        """Each write with the schedule and the action of the permit that it went with, undo left out."""
        found = []
        for (at, _, _), token in zip(self.writes, self.gate.cluster.permits, strict=True):
            permit = permits.read(token, self.gate.hands.judge)
            row = self.gate.row(permit.action_id)
            tick = self.office.timetable.get(row.run_id)
            assert tick is not None
            if permit.use == "forward":
                found.append((at, tick.schedule, row.action_id))
        return found


@pytest.mark.slow
@pytest.mark.timeout(240)
@pytest.mark.parametrize("seed", [3, 4])
async def test_a_week_alone_runs_every_tick_once_and_writes_nothing_that_it_may_not(gate: Gate, seed: int) -> None:
    week = Week(gate, seed, crashes=0.004)
    for _ in range(7 * 86400 // STEP):
        await week.step()
    end = gate.clock.now()
    wanted = {item.name: item for item in week.office.schedules}
    quiet = [item.model_copy(update={"suspended": True}) for item in week.office.schedules]
    week.office.schedules[:] = quiet
    for _ in range(2 * 86400 // STEP):  # what waits for people ends, one way or the other
        await week.step()

    timetable = week.office.timetable
    for name, schedule in wanted.items():
        rows = list(reversed(timetable.recent(name, 10_000)))
        first = BEGIN + timedelta(seconds=STEP)
        due = takewhile(lambda tick, schedule=schedule: tick + ticks.jitter(schedule, tick) <= end, ticks.forwards(schedule, first))
        assert [tick.at for tick in rows] == list(due), name
        assert Counter(tick.state for tick in rows) <= Counter({TickState.ENDED: len(rows), TickState.SKIPPED: 1}), name
    began = {item.request.id for item in week.office.intake.recent(10_000)}
    ended = {tick.run_id for tick in timetable.recent(limit=10_000) if tick.state is TickState.ENDED}
    assert began == ended == {report.run for report in timetable.reports(limit=10_000)}
    assert timetable.unfinished() == []
    assert all(row.state in TERMINAL for row in gate.ledger.search(limit=10_000))

    stored = week.stored()
    assert {name for _, name, _ in stored} == {"night", "fix", "ask"}
    assert max(Counter(action for _, _, action in stored).values()) == 1
    for at, name, action in stored:
        windows = wanted[name].windows.write
        assert not windows or ticks.open_until(windows, wanted[name], at), (at, name)
        if name == "ask":
            assert gate.ledger.approvals(action)
    assert max(Counter((name, gate.row(action).run_id) for _, name, action in stored).values()) <= 3
    days = Counter((name, at.astimezone(BERLIN).date()) for at, name, _ in stored)
    assert max(count for (name, _), count in days.items() if name == "fix") == 3
    assert max(count for (name, _), count in days.items() if name == "ask") <= 5
    expired = [row for row in gate.ledger.in_states(S.EXPIRED) if not gate.ledger.approvals(row.action_id)]
    assert "nobody approved it in time" in {row.note for row in expired}
    told = {line.state for report in timetable.reports(limit=10_000) for line in report.left}
    assert {"proposed", "expired"} <= told
    assert min(week.died[role] for role in ("scheduler", "controller", "judge", "executor")) >= 1
    assert len(week.office.inbox.got) == len(set(week.office.inbox.got)) >= len(ended) - week.died["scheduler"]
