"""A run that is killed and continued: who finished is not asked again, what was submitted is not submitted again, nothing is lost."""

import asyncio
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from core.domain.outcome import ActionState as Standing

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
    async with asyncio.timeout(5):
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


async def consulted(stage: Any) -> list[Any]:
    """Consultations that are in the checkpoint store."""
    saved = await stage.saver.aget_tuple({"configurable": {"thread_id": "run-1"}})
    if saved is None:
        return []
    stored = list(saved.checkpoint["channel_values"].get("consultations", []))
    return stored + [row for _, channel, value in saved.pending_writes if channel == "consultations" for row in value]


@pytest.mark.slow
def test_a_killed_process_is_continued_by_another_one_on_the_same_files(tmp_path: Path) -> None:
    """`os._exit` in every port call, sqlite underneath; the child prints one line per continued run."""
    script = Path(__file__).with_name("killed_process.py")
    done = subprocess.run([sys.executable, str(script), str(tmp_path)], capture_output=True, text=True, timeout=100, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    lines = done.stdout.splitlines()
    assert len(lines) == 9
    assert all(line.endswith("ok") for line in lines), done.stdout
