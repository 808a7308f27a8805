"""Judge and executor as processes of their own, started as `day2 serve` starts them: one of a kind, quiet, and gone with their parent.

What a kill (SIGKILL) at each point does is in `test_kill_points.py`.
"""

import asyncio
import contextlib
import subprocess
import sys
from typing import Any

import pytest

from core.domain.errors import Busy
from core.domain.outcome import ActionState
from core.policy.redaction import redact
from tools.stores.locks import RoleLock

S = ActionState
pytestmark = pytest.mark.slow


async def test_an_undo_works_with_the_judge_down(house: Any) -> None:
    house.server.settles = False
    action = await house.submit()
    house.start("judge")
    assert await house.until(lambda: house.row(action).state is S.PERMITTED)
    house.end("judge")
    house.start("executor")
    assert await house.until_ended(action)
    assert house.row(action).state is S.ROLLED_BACK


async def test_a_second_executor_is_told_that_there_is_one(house: Any) -> None:
    house.start("executor")
    first = house.running["executor"]
    with pytest.raises(AssertionError, match=f"process {first.pid} is already the executor"):
        house.start("executor")
    assert house.running["executor"].wait(90) == 1
    house.running["executor"] = first


async def test_processes_end_cleanly_when_they_are_told(house: Any) -> None:
    for role in ("judge", "executor"):
        house.start(role)
        assert house.end(role) == 0


async def test_no_permit_stands_in_a_log(house: Any) -> None:
    action = await house.submit()
    house.start("judge")
    house.start("executor")
    assert await house.until_ended(action)
    told = "".join((house.folder / f"{role}.log").read_text(encoding="utf-8") for role in ("judge", "executor"))
    assert not any(permit in told for permit in house.server.effects)
    assert redact(told) == told


async def test_an_executor_ends_with_the_process_that_started_it(house: Any) -> None:
    program = (
        "import json, os, pathlib, subprocess, sys; path = pathlib.Path(sys.argv[1]);"
        "told = json.loads(path.read_text()) | {'parent': os.getpid()}; path.write_text(json.dumps(told));"
        "child = subprocess.Popen([sys.executable, '-m', 'runtime.roles.executor', '--settings', str(path)], stdout=subprocess.PIPE);"
        "print(json.loads(child.stdout.readline())['pid'], flush=True); sys.stdin.read()"
    )
    house.start("executor")
    house.end("executor")
    settings = str(house.folder / "executor.json")
    command = [sys.executable, "-c", program, settings]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as parent:  # noqa: ASYNC220  it is killed, not awaited
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        with pytest.raises(Busy, match=str(child)):
            RoleLock(house.folder, "executor").take()
        parent.kill()
        parent.wait()
    for _ in range(400):
        with contextlib.suppress(Busy):
            RoleLock(house.folder, "executor").take().release()
            return
        await asyncio.sleep(0.05)
    raise AssertionError(f"process {child} outlived its parent")
