"""A run that is killed and continued: who finished is not asked again, what was submitted is not submitted again, nothing is lost."""

import asyncio
import contextlib
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from langgraph.checkpoint.memory import InMemorySaver

from core.domain.outcome import ActionState as Standing
from core.domain.request import Request
from runtime.flows import Following
from runtime.roles.controller import Controller
from tools.stores.memory import MemoryLedger

AGENTS = ("finops", "reliability", "security", "scaling")
POINTS = ("redact", "choose", "arbitrate", "submit", "submitted", "respond")  # an agent's death in this process is a finding instead


class Deadly:
    """Wraps the ports of a stage; dies at one point, once."""

    def __init__(self, stage: Any, make: Any, point: str) -> None:
        self.stage, self.make, self.point = stage, make, point
        self.spent = False

    def reach(self, point: str) -> None:
        if point == self.point and not self.spent:
            self.spent = True
            raise self.make.Killed

    def install(self) -> None:
        context, agents, gate = self.stage.context, self.stage.agents, self.stage.gate
        agents.answers = {name: self.agent(name) for name in AGENTS}
        self.stage.change(redact=self.before("redact", context.redact), arbitrate=self.before("arbitrate", context.arbitrate))
        self.stage.change(supervising=self, clock=self)
        self.submit_inside, gate.submit = gate.submit, self.submit
        self.choose_inside, self.now_inside = context.supervising.choose, context.clock.now

    def before(self, point: str, work: Any) -> Any:
        def run(*arguments: Any) -> Any:
            self.reach(point)
            return work(*arguments)

        return run

    def agent(self, name: str) -> Any:
        async def work(_: Any) -> Any:
            return self.make.answer(name, self.make.proposal(name, name))

        return work

    async def choose(self, request: Any) -> Any:
        self.reach("choose")
        return await self.choose_inside(request)

    def now(self) -> Any:
        self.reach("respond")
        return self.now_inside()

    async def submit(self, proposal: Any, *, by: str) -> Any:
        self.reach("submit")
        standing = await self.submit_inside(proposal, by=by)
        self.reach("submitted")
        return standing


@pytest.mark.parametrize("point", POINTS)
async def test_a_run_killed_at_any_point_goes_on_and_does_nothing_twice(stage: Any, make: Any, point: str) -> None:
    stage.choose(*AGENTS)
    deadly = Deadly(stage, make, point)
    deadly.install()
    with pytest.raises(make.Killed):
        await stage.flows().run(make.request())
    finished = {row["agent"] for row in await consulted(stage)}
    asked_before = list(stage.agents.asked)
    response = await stage.flows().run(make.request())
    assert set(stage.agents.asked[len(asked_before) :]).isdisjoint(finished)
    assert response["missing"] == []
    assert sorted(row["agent"] for row in response["proposals"]) == sorted(AGENTS)
    assert [row["state"] for row in response["submitted"]] == ["submitted"] * 4
    assert list(stage.gate.states.values()) == [Standing.SUBMITTED] * 4


async def test_after_a_stop_in_one_agent_only_that_one_is_asked_again(stage: Any, make: Any) -> None:
    async def hangs(_: Any) -> Any:
        await asyncio.Event().wait()

    stage.choose(*AGENTS)
    stage.agents.answers["scaling"] = hangs
    running = asyncio.create_task(stage.flows().run(make.request()))
    async with asyncio.timeout(60):
        while len(await consulted(stage)) < 3:  # noqa: ASYNC110  the store says nothing when it is written
            await asyncio.sleep(0.005)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    del stage.agents.answers["scaling"]
    response = await stage.flows().run(make.request())
    assert response["missing"] == []
    assert {name: stage.agents.asked.count(name) for name in AGENTS} == {"finops": 1, "reliability": 1, "security": 1, "scaling": 2}


async def test_an_agent_that_ends_its_task_in_the_worst_way_becomes_a_finding(stage: Any, make: Any) -> None:
    async def dies(_: Any) -> Any:
        raise make.Killed

    stage.choose(*AGENTS)
    stage.agents.answers["scaling"] = dies
    response = await stage.flows().run(make.request())
    assert [row["agent"] for row in response["missing"]] == ["scaling"]
    assert len(response["proposals"]) == 3


async def test_an_action_submitted_just_before_the_kill_is_reported_as_it_stands(stage: Any, make: Any) -> None:
    stage.choose("finops")
    Deadly(stage, make, "submitted").install()
    with pytest.raises(make.Killed):
        await stage.flows().run(make.request())
    await stage.gate.say("act-finops0001", Standing.VERIFIED)
    (row,) = (await stage.flows().run(make.request()))["submitted"]
    assert row == {"action_id": "act-finops0001", "state": "verified", "note": ""}


class Dying(InMemorySaver):
    """Stores what a step wrote, and dies before the checkpoint of `step`."""

    def __init__(self, step: int, death: type[BaseException]) -> None:
        super().__init__()
        self.step, self.death = step, death

    async def aput(self, config: Any, checkpoint: Any, metadata: Any, new_versions: Any) -> Any:
        if metadata["step"] == self.step:
            self.step = -2
            raise self.death
        return await super().aput(config, checkpoint, metadata, new_versions)


@pytest.mark.parametrize("step", [-1, 0, 1])
async def test_an_action_whose_follower_died_before_a_checkpoint_is_followed_on(stage: Any, make: Any, step: int) -> None:
    """Before step 1 the judge's answer is stored, and no step is left to do: that is no end."""
    stage.saver = Dying(step, make.Killed)
    await stage.gate.submit(make.proposal("finops"), by="ann")
    await stage.gate.say("act-cart0001", Standing.NEEDS_APPROVAL)
    with pytest.raises(make.Killed):
        await stage.flows().follow("act-cart0001")
    await stage.gate.say("act-cart0001", Standing.VERIFIED)
    assert await stage.flows().follow("act-cart0001") is Standing.VERIFIED


def controller(stage: Any, ledger: MemoryLedger) -> Controller:
    """The real one over twins, as a process of its own would have it."""
    flows = stage.flows()
    unused: Any = None
    book: Any = SimpleNamespace(keep=lambda *_, **__: None)
    return Controller(stage.context.clock, ledger, stage.gate, flows, Following(flows), None, unused, None, unused, unused, book)


def events(ledger: MemoryLedger) -> list[str]:
    return [row.event for row in ledger.chain()]


async def served(stage: Any, ledger: MemoryLedger, until: str) -> None:
    """Serve until the chain has this record."""
    stop = asyncio.Event()
    serving = asyncio.create_task(controller(stage, ledger).serve(stop, 0.01))
    async with asyncio.timeout(60):
        while until not in events(ledger):  # noqa: ASYNC110  the ledger says nothing when it is written
            await asyncio.sleep(0.005)
    stop.set()
    await serving


@pytest.mark.parametrize("point", POINTS)
async def test_a_controller_that_starts_carries_on_the_run_that_a_killed_one_left(stage: Any, make: Any, point: str) -> None:
    stage.choose(*AGENTS)
    Deadly(stage, make, point).install()
    ledger = MemoryLedger()
    with contextlib.suppress(make.Killed):
        await controller(stage, ledger).run(make.request())
    if "run.started" not in events(ledger):
        await controller(stage, ledger).run(make.request())
    await served(stage, ledger, "run.finished")
    assert events(ledger) == ["run.started", "run.finished"]
    assert list(stage.gate.states.values()) == [Standing.SUBMITTED] * 4


async def test_a_run_that_cannot_go_on_is_said_and_does_not_stop_the_next_one(
    stage: Any, make: Any, caplog: pytest.LogCaptureFixture
) -> None:
    ledger = MemoryLedger()
    stage.change(redact=breaks)
    for name in ("run-1", "run-2"):
        with pytest.raises(ZeroDivisionError):
            await controller(stage, ledger).run(make.request(id=name, text=name))
    stage.change(redact=lambda text: breaks(text) if text == "run-1" else text)
    await controller(stage, ledger).resume()
    assert [row.subject for row in ledger.chain() if row.event == "run.finished"] == ["run-2"]
    assert "run-1 cannot be carried on" in caplog.text


def breaks(text: str) -> str:
    raise ZeroDivisionError(text)


async def test_the_record_of_a_run_holds_no_secret_and_is_never_cut(stage: Any, make: Any) -> None:
    ledger = MemoryLedger()
    await controller(stage, ledger).run(make.request(text="password: Xk29fjQ0pLmz81 " + "é" * 3000))
    assert "Xk29fjQ0pLmz81" not in "".join(row.body for row in ledger.chain())
    assert Request.model_validate_json(ledger.chain()[0].body).id == "run-1"


async def consulted(stage: Any) -> list[Any]:
    """Consultations that are in the checkpoint store."""
    saved = await stage.saver.aget_tuple({"configurable": {"thread_id": "run-1"}})
    if saved is None:
        return []
    stored = list(saved.checkpoint["channel_values"].get("consultations", []))
    return stored + [row for _, channel, value in saved.pending_writes if channel == "consultations" for row in value]


@pytest.mark.slow
def test_a_controller_killed_at_every_point_is_continued_by_another_one_on_the_same_files(tmp_path: Path) -> None:
    """SIGKILL at every port call, stored checkpoint and commit that a rehearsal came to; see `killed_process.py`."""
    command = [sys.executable, "-m", "tests.graph.killed_process", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=100, check=False, cwd=Path(__file__).parents[2])
    assert done.returncode == 0, done.stderr[-2000:]
    lines = done.stdout.splitlines()
    assert len(lines) > 50
    assert [line for line in lines if not line.endswith(" ok")] == []
    points = "\n".join(lines)
    assert all(kind in points for kind in ("consult finops", "checkpoint 0 of run-1", "checkpoint 0 of act-finops0001", "run.finished"))
