"""A controller that is killed (SIGKILL) while its fault stands: somebody else takes the fault back, and nothing is done twice."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from core.cluster.kinds import KINDS
from core.domain.ledger import ActionRow, Ledger
from core.domain.outcome import ActionState
from core.domain.values import Json, at_path, canonical
from runtime import serving
from runtime.roles import deciding, everything, reading
from runtime.services import experiments as kept
from runtime.settings import Settings
from tests.contracts import experiments
from tests.runtime import test_experiments as worlds

PATIENCE_SECONDS = 60.0
ROOT = Path(__file__).resolve().parents[2]


def started(settings: Settings, what: str, *children: str) -> "subprocess.Popen[bytes]":
    told = settings.data_dir.parent / "settings.json"
    told.write_text(settings.model_dump_json(), encoding="utf-8")
    command = [sys.executable, "-m", "tests.runtime.experiment_process", str(told), what, *children]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE)


async def until(found: Callable[[], Awaitable[Any]], what: str) -> Any:
    give_up = time.monotonic() + PATIENCE_SECONDS
    while not (answer := await found()):
        assert time.monotonic() < give_up, f"waited for {what}"
        await asyncio.sleep(0.05)
    return answer


class Watcher:
    """Sees ledger and cluster from outside, and is the person who approves."""

    def __init__(self, settings: Settings, ledger: Ledger, view: reading.Reading) -> None:
        self.ledger, self.view = ledger, view
        self._decide = deciding.door(settings, ledger, view.clock, name="test")

    async def row(self, *states: ActionState) -> ActionRow | None:
        rows = self.ledger.in_states(ActionState.NEEDS_APPROVAL, *states)
        for row in rows:
            if row.state is ActionState.NEEDS_APPROVAL and not self.ledger.approvals(row.action_id):
                self._decide(row.action_id, by=experiments.APPROVER, approve=True, reason="well bounded")
        return next((row for row in rows if row.state in states), None)

    async def web(self) -> Json:
        found = await self.view.reader.get(KINDS["Deployment"], "cpu", "web")
        assert found is not None
        return found


@pytest.mark.slow
@pytest.mark.timeout(180)
@pytest.mark.parametrize("children", [(), ("judge", "executor")], ids=["the-executor-lives", "the-executor-dies-with-it"])
def test_the_fault_of_a_killed_controller_is_taken_back_and_nothing_is_done_twice(tmp_path: Path, children: tuple[str, ...]) -> None:
    with worlds.running(tmp_path, rate=1.0) as (_, settings):
        asked = experiments.document("cpu", {"kind": "cpu_pressure", "cpu": "100m"}, [experiments.ready(2)], duration="10m")
        document = {"apiVersion": "day2.dev/v1alpha1", "kind": "Experiment", "metadata": {"name": "cpu"}, "spec": asked.spec}
        (tmp_path / "experiment.yaml").write_text(json.dumps(document), encoding="utf-8")
        everything.prepare(settings)
        asyncio.run(_killed(settings, tmp_path / "experiment.yaml", children))


async def _killed(settings: Settings, document: Path, children: tuple[str, ...]) -> None:
    async with serving.children() as family, reading.opened(settings) as view:
        for role in () if children else ("judge", "executor"):
            await everything.start_role(family, role, settings)
        with everything.ledger(settings) as ledger:
            watcher = Watcher(settings, ledger, view)
            before = await watcher.web()
            controller = await asyncio.to_thread(started, settings, str(document), *children)
            try:
                row = await until(lambda: watcher.row(ActionState.APPLIED), "the fault")
                await asyncio.sleep(8)  # longer than one lease: it is being renewed
                assert (await watcher.row(ActionState.APPLIED)) is not None
                faulty = await watcher.web()
                assert at_path(faulty, "spec.template.spec") != at_path(before, "spec.template.spec")
            finally:
                os.kill(controller.pid, signal.SIGKILL)
                await asyncio.to_thread(controller.communicate)
            dead = time.monotonic()
            await until(lambda: watcher.row(ActionState.ROLLED_BACK), "the way back")
            seconds = time.monotonic() - dead
            after = await watcher.web()
            assert seconds <= 10, seconds
            assert canonical(at_path(after, "spec")) == canonical(at_path(before, "spec"))
            await asyncio.sleep(3)  # the Deployment's own controller annotates it, which moves its generation too
            settled = (await watcher.web())["metadata"]["generation"]
            (trial,) = kept.unfinished(ledger)
            for role in ("judge", "executor") if children else ():
                await everything.start_role(family, role, settings)
            again = await asyncio.to_thread(started, settings, trial.id)
            answer, _ = await asyncio.to_thread(again.communicate, timeout=PATIENCE_SECONDS)
            report = json.loads(answer.splitlines()[-1])
            assert report["verdict"]["word"] == "inconclusive", report["verdict"]
            assert "did not stay applied" in report["ended"]
            assert report["leftovers"] == []
            assert [item.action_id for item in ledger.of_run(trial.id)] == [row.action_id]
            assert (await watcher.web())["metadata"]["generation"] == settled
            sys.stderr.write(f"taken back {seconds:.1f} s after the kill\n")
