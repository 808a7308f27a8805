"""The flow of an experiment over twins: what it asks of the gate and when, what ends it, and what a killed one does again."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from langgraph.checkpoint.memory import InMemorySaver

from agents.reliability.experiments import verdicts
from core.actions.scale_workload import ScaleWorkload
from core.domain.errors import InvalidInput
from core.domain.evidence import observe
from core.domain.outcome import ActionState as Stands
from core.domain.proposal import Effect, Proposal, Trial
from core.domain.submitting import Standing
from core.domain.target import Target
from core.policy import experiments as documents
from graph.build import build_experiment
from graph.trials import ExperimentContext
from tools.hand_clock import HandClock

NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)
IDENTITY = "exp-00000001"
TARGET = Target(cluster="c-1", group="apps", kind="Deployment", namespace="shop", name="store", uid="uid-store")
SPEC = {
    "why": "the shop must go on",
    "target": {"namespace": "shop", "name": "web"},
    "hypothesis": [{"name": "ready", "ready": 2}, {"name": "errors", "severity": "warning", "metric": "error_ratio", "most": 10}],
    "fault": {"kind": "dependency_down", "workload": "store"},
    "duration": "20s",
    "recovery": "10s",
    "blast": {"pods": 2},
}


class Killed(BaseException):
    """The process ends here: no step may catch it."""


def proposal(number: int) -> Proposal:
    action = ScaleWorkload(id=f"act-store{number}", target=TARGET, from_replicas=2, to_replicas=0)
    return Proposal(
        action=action,
        agent="reliability",
        run=IDENTITY,
        why="because",
        evidence=(observe("object", TARGET, "spec.replicas", "2", NOON),),
        effect=Effect(summary="down"),
        expires_at=NOON + timedelta(hours=1),
        experiment=Trial(id=IDENTITY, seconds=20),
    )


@dataclass
class World:
    """Gate, laboratory and executor in one: a ledger of states, leases, and pods that go while the fault stands."""

    clock: HandClock = field(default_factory=lambda: HandClock(NOON))
    states: dict[str, Stands] = field(default_factory=dict)
    leases: dict[str, datetime] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)
    outcomes: Callable[["World"], str] = lambda world: "pass"
    budgets: int | None = 100
    parts: int = 1
    refused: tuple[str, ...] = ()
    decided: Stands = Stands.APPLIED
    stop: str = ""
    kill_at: str = ""

    def tick(self, seconds: float = 1.0) -> None:
        """Time passes, and the executor does what it does by itself."""
        self.clock.advance(seconds)
        for name, state in list(self.states.items()):
            if state is Stands.SUBMITTED:
                self.states[name] = self.decided
                self.leases[name] = self.clock.now() + timedelta(seconds=6)
            elif state is Stands.APPLIED and self.clock.now() >= self.leases[name]:
                self.calls.append(f"undone {name}")
                self.states[name] = Stands.ROLLED_BACK

    def died(self, at: str) -> None:
        self.calls.append(at)
        if self.kill_at in (at, f"{at} {self.calls.count(at)}"):
            self.kill_at = ""
            raise Killed

    @property
    def faulty(self) -> bool:
        return Stands.APPLIED in self.states.values()

    # the gate's door
    async def submit(self, proposal: Proposal, *, by: str) -> Standing:
        self.died(f"submit {proposal.action.id}")
        if proposal.action.id in self.states:
            return Standing(proposal.action.id, Stands.CANCELLED, "", "the same wish is open already", ())
        self.states[proposal.action.id] = Stands.SUBMITTED
        return await self.standing(proposal.action.id)

    async def standing(self, action_id: str) -> Standing:
        self.tick()
        if action_id not in self.states:
            raise InvalidInput(f"no action {action_id}")
        return Standing(action_id, self.states[action_id], "", "so it is", ())

    async def until(self, action_id: str, *left: Stands) -> Standing:
        raise NotImplementedError

    async def cancel(self, action_id: str, *, by: str, reason: str) -> Standing:
        self.calls.append(f"cancel {action_id}")
        if self.states[action_id] in (Stands.SUBMITTED, Stands.NEEDS_APPROVAL):
            self.states[action_id] = Stands.CANCELLED
        return await self.standing(action_id)

    # the laboratory
    async def plan(self, state: Any) -> Any:
        self.died("plan")
        rows = [] if self.refused else [proposal(number).model_dump(mode="json") for number in range(self.parts)]
        return {"refused": list(self.refused), "target": "web", "proposals": rows}

    async def look(self, state: Any) -> Any:
        self.tick(2.0)
        self.died("look")
        outcome = self.outcomes(self)
        return [{"probe": "ready", "outcome": outcome, "words": outcome}, {"probe": "errors", "outcome": "pass", "words": "0"}]

    async def budget(self, state: Any) -> int | None:
        return self.budgets

    def beat(self, actions: Any) -> None:
        for name in actions:
            if self.states.get(name) is Stands.APPLIED:
                self.leases[name] = self.clock.now() + timedelta(seconds=6)

    def release(self, actions: Any) -> None:
        self.died("release")
        for name in actions:
            if self.states.get(name) is Stands.APPLIED:
                self.leases[name] = self.clock.now()

    def record(self, event: str, identity: str, body: Any) -> None:
        self.died(event)

    def stopped(self, state: Any) -> str:
        return self.stop

    async def conclude(self, state: Any) -> Any:
        self.died("conclude")
        experiment = documents.again(state["name"], state["spec"])
        course: Any = {name: state.get(name) for name in verdicts.Course.__annotations__}
        return {"verdict": verdicts.verdict(experiment, course), "ended": state["ended"], "recovered": state["recovered"]}


@dataclass
class Stage:
    """The flow over one store; `play` may be called again, as a new process would."""

    world: World
    saver: InMemorySaver = field(default_factory=InMemorySaver)

    async def play(self) -> Any:
        flow = build_experiment().compile(checkpointer=self.saver)
        config: Any = {"configurable": {"thread_id": IDENTITY}, "recursion_limit": 1000}
        stored = await flow.aget_state(config)
        start: Any = None if stored.values else {"id": IDENTITY, "name": "shop", "spec": SPEC, "by": "ann"}
        context = ExperimentContext(clock=self.world.clock, gate=self.world, laboratory=self.world, pause_seconds=0)
        answer = await flow.ainvoke(start, config, context=context, durability="sync")
        return answer["report"]


def failing_while_faulty(world: World) -> str:
    return "fail" if world.faulty else "pass"


async def test_a_hypothesis_that_holds_passes_and_the_fault_is_taken_back() -> None:
    world = World()
    report = await Stage(world).play()
    assert report["verdict"]["word"] == "pass", report
    assert set(world.states.values()) == {Stands.ROLLED_BACK}
    assert report["recovered"] is True


async def test_the_way_back_is_on_record_before_anything_is_submitted() -> None:
    world = World()
    await Stage(world).play()
    assert world.calls.index("experiment.journal") < world.calls.index("submit act-store0")


async def test_a_critical_probe_that_fails_twice_ends_it_at_once_and_fails() -> None:
    world = World(outcomes=failing_while_faulty)
    report = await Stage(world).play()
    assert report["verdict"]["word"] == "fail"
    assert "a critical probe failed" in report["ended"]
    started, undone = world.calls.index("experiment.injected"), world.calls.index("undone act-store0")
    assert world.calls[started:undone].count("look") == 2


async def test_one_failed_look_alone_neither_ends_nor_fails_it() -> None:
    world = World()
    looks = iter([*(["pass"] * 4), "fail", *(["pass"] * 50)])
    world.outcomes = lambda _: next(looks)
    assert (await Stage(world).play())["verdict"]["word"] == "pass"


async def test_a_probe_without_data_makes_it_inconclusive_and_costs_score() -> None:
    world = World(outcomes=lambda world: "no_data" if world.faulty else "pass")
    report = await Stage(world).play()
    assert report["verdict"]["word"] == "inconclusive"
    assert report["verdict"]["coverage"] < 100
    assert report["verdict"]["score"] < 100


async def test_what_does_not_hold_before_is_never_broken_further() -> None:
    world = World(outcomes=lambda _: "fail")
    report = await Stage(world).play()
    assert (report["verdict"]["word"], world.states) == ("inconclusive", {})


async def test_what_is_refused_submits_nothing() -> None:
    world = World(refused=("shop is not open to experiments",))
    report = await Stage(world).play()
    assert (report["verdict"]["word"], world.states) == ("inconclusive", {})
    assert "not open" in report["verdict"]["reasons"][0]


@pytest.mark.parametrize("decided", [Stands.DENIED, Stands.EXPIRED, Stands.FAILED])
async def test_a_part_that_the_gate_does_not_let_through_ends_it_and_the_rest_is_taken_back(decided: Stands) -> None:
    world = World(parts=2)

    def second(world: World) -> str:
        return "pass"

    world.outcomes = second
    first = world.tick

    def tick(seconds: float = 1.0) -> None:
        world.decided = decided if "submit act-store1" in world.calls else Stands.APPLIED
        first(seconds)

    world.tick = tick  # type: ignore[method-assign]
    report = await Stage(world).play()
    assert report["verdict"]["word"] == "inconclusive"
    assert world.states == {"act-store0": Stands.ROLLED_BACK, "act-store1": decided}


async def test_a_person_who_stops_it_is_heard_while_others_still_decide() -> None:
    world = World(decided=Stands.NEEDS_APPROVAL, stop="stopped by ann: enough")
    report = await Stage(world).play()
    assert report["verdict"]["word"] == "inconclusive"
    assert world.states == {"act-store0": Stands.CANCELLED}


async def test_what_stops_holding_while_people_decide_is_not_broken_further() -> None:
    world = World(decided=Stands.NEEDS_APPROVAL, outcomes=lambda world: "fail" if world.calls.count("look") > 2 else "pass")
    report = await Stage(world).play()
    assert report["verdict"]["word"] == "inconclusive"
    assert world.states == {"act-store0": Stands.CANCELLED}


async def test_a_person_who_stops_it_while_the_fault_stands_has_it_taken_back() -> None:
    world = World()

    def outcomes(world: World) -> str:
        world.stop = "stopped by ann: enough" if world.faulty else ""
        return "pass"

    world.outcomes = outcomes
    report = await Stage(world).play()
    assert (report["verdict"]["word"], report["ended"]) == ("inconclusive", "stopped by ann: enough")
    assert world.states == {"act-store0": Stands.ROLLED_BACK}


async def test_a_short_error_budget_ends_it() -> None:
    world = World(budgets=9)
    report = await Stage(world).play()
    assert "9 % of the error budget" in report["ended"]
    assert world.states == {"act-store0": Stands.ROLLED_BACK}


async def test_what_does_not_come_back_fails() -> None:
    world = World(outcomes=lambda world: "fail" if "experiment.undone" in world.calls else "pass")
    report = await Stage(world).play()
    assert (report["verdict"]["word"], report["recovered"]) == ("fail", False)


async def test_a_fault_that_cannot_be_taken_back_is_a_failure_with_its_name() -> None:
    world = World()

    def outcomes(world: World) -> str:
        if world.calls.count("look") > 6:
            world.states = dict.fromkeys(world.states, Stands.ESCALATED)
        return "pass"

    world.outcomes = outcomes
    report = await Stage(world).play()
    assert report["verdict"]["word"] == "fail"
    assert any("not taken back: act-store0 is escalated" in reason for reason in report["verdict"]["reasons"])


POINTS = (
    "plan",
    "experiment.journal",
    "submit act-store0",
    "experiment.injected",
    "look 1",
    "look 5",
    "release",
    "experiment.undone",
    "conclude",
)


@pytest.mark.parametrize("point", POINTS)
@pytest.mark.parametrize("away", [0, 30], ids=["at-once", "after-the-lease"])
async def test_a_killed_flow_goes_on_and_repeats_no_effect(point: str, away: int) -> None:
    """The fault is made once and taken back once, wherever the process ended and however long nobody was there."""
    world = World(kill_at=point)
    stage = Stage(world)
    with pytest.raises(Killed):
        await stage.play()
    stands = world.faulty or Stands.SUBMITTED in world.states.values()
    world.tick(away)
    report = await stage.play()
    assert world.calls.count("undone act-store0") == 1
    assert world.states == {"act-store0": Stands.ROLLED_BACK}
    unseen = away and stands  # nobody held the lease meanwhile
    assert report["verdict"]["word"] == ("inconclusive" if unseen else "pass"), report
