"""Real judge and executor processes against a real port; the executor is killed (SIGKILL) at every step of the way, and started again."""

import asyncio
import contextlib
import signal
import subprocess
import sys
from typing import Any

import pytest

from core.domain.errors import Busy
from core.domain.outcome import ActionState
from core.policy.redaction import redact
from gate import audit, keys, permits
from tools.stores.locks import RoleLock
from tools.stores.sink import Sink

S = ActionState
pytestmark = pytest.mark.slow
WAY_OUT = (
    "claimed",
    "spent",
    "claimed-sending",
    "claimed-sending:done",
    "before-send",
    "after-send",
    "sending-applied",
    "sending-applied:done",
)
WAY_BACK = ("applied-undoing", "applied-undoing:done", "before-undo", "after-undo", "undoing-rolled_back", "undoing-rolled_back:done")


def check_the_promises(house: Any, action: str) -> None:
    judge = keys.verifier(house.folder / "keys", keys.JUDGE)
    used = [permits.read(token, judge) for token in house.server.effects]
    assert len([permit for permit in used if permit.use == "forward"]) <= 1, "one action had two effects"
    assert len([permit for permit in used if permit.use == "undo"]) <= 1
    assert all(house.ledger.spent(permit.jti) for permit in used)
    report = audit.verify_ledger(house.ledger, head=house.ledger.head(), sink=Sink(house.folder / "audit.jsonl").rows())
    assert report.whole, report.problems
    events = [row.event for row in house.ledger.chain() if row.subject == action]
    assert events[0] == "submitted"
    assert events[-1] == house.row(action).state
    assert not used or "applied" in events


async def killed_and_resumed(house: Any, failpoint: str) -> str:
    action = str(await house.submit())
    house.start("executor", failpoint=failpoint)
    assert await house.until(lambda: house.ended("executor") is not None), f"the executor never came to {failpoint}: {house.row(action)}"
    assert house.ended("executor") == -signal.SIGKILL
    house.start("executor")
    assert await house.until_ended(action), house.row(action)
    check_the_promises(house, action)
    return action


@pytest.mark.parametrize("failpoint", WAY_OUT)
async def test_killed_on_the_way_out_the_action_is_still_done_once(house: Any, failpoint: str) -> None:
    action = await killed_and_resumed(house, failpoint)
    row = house.row(action)
    assert row.state in (S.VERIFIED, S.FAILED)
    assert house.server.deployment["spec"]["replicas"] == (4 if row.state is S.VERIFIED else 2)
    assert len(house.server.effects) == (row.state is S.VERIFIED)
    if failpoint not in ("claimed-sending:done", "before-send"):
        assert row.state is S.VERIFIED


@pytest.mark.parametrize("failpoint", WAY_BACK)
async def test_killed_on_the_way_back_the_undo_is_still_done_once(house: Any, failpoint: str) -> None:
    house.server.settles = False
    action = await killed_and_resumed(house, failpoint)
    assert house.row(action).state is S.ROLLED_BACK
    assert house.server.deployment["spec"]["replicas"] == 2
    assert len(house.server.effects) == 2


async def test_killed_while_the_reply_was_lost_it_is_read_back(house: Any) -> None:
    house.server.drop_replies = 1
    action = await killed_and_resumed(house, "sending-unknown:done")
    assert house.row(action).state is S.VERIFIED
    assert len(house.server.effects) == 1


async def test_the_judge_may_be_killed_at_any_time(house: Any) -> None:
    house.start("judge")
    house.running["judge"].kill()
    house.running["judge"].wait()
    action = await house.submit()
    house.start("executor")
    assert house.row(action).state is S.SUBMITTED
    house.start("judge")
    assert await house.until_ended(action)
    assert house.row(action).state is S.VERIFIED
    check_the_promises(house, action)


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
    assert house.running["executor"].wait(20) == 1
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
