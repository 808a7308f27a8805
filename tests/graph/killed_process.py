"""Run by `test_resuming.py`: kills a controller (SIGKILL) at every point where it leaves its own memory, and lets another one continue.

The points are found by a rehearsal, which lives: each call of a port, each checkpoint that was stored, each commit of ours to the ledger.
Then, for each of them, a process dies there and a second one starts on the same files. Prints one line per point, `ok` at its end.

The controller, its flows, ledger, door and checkpoint store are the real ones; agents are twins, and so are judge, people and executor,
who work just when the flow waits for them, so that every rehearsal is alike. A program of its own, because a test runner has threads and
must not fork.
"""

import asyncio
import gc
import importlib.util
import json
import os
import shutil
import signal
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver

from core.domain.ledger import Ledger
from core.domain.outcome import ActionState
from gate import heads, keys
from gate.door import LedgerDoor
from runtime.flows import Flows, Following
from runtime.roles.controller import ROLE, Controller
from tests.runtime.roles.mortal import Point, arm, name_of
from tools import checkpoints
from tools.hand_clock import HandClock
from tools.stores.ledger import SqlLedger, opened
from tools.stores.migrating import migrate

AGENTS = ("finops", "scaling")
OURS = ("controller", "door")
S = ActionState
WAY = {
    S.SUBMITTED: S.NEEDS_APPROVAL,
    S.NEEDS_APPROVAL: S.APPROVED,
    S.APPROVED: S.PERMITTED,
    S.PERMITTED: S.CLAIMED,
    S.CLAIMED: S.SENDING,
    S.SENDING: S.APPLIED,
    S.APPLIED: S.VERIFIED,
}


def makers() -> Any:
    place = Path(__file__).with_name("conftest.py")
    spec = importlib.util.spec_from_file_location("graph_twins", place)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["graph_twins"] = module
    spec.loader.exec_module(module)
    return module


TWINS = makers()


class Place(NamedTuple):
    """The `nth` time that something happens in this process which is no commit to the ledger."""

    name: str
    nth: int = 1


class Steps:
    """What happened in this process, in order, also on disk; and the end of it, at `die_at`."""

    def __init__(self, folder: Path, die_at: Place | None = None) -> None:
        self.folder, self.die_at = folder, die_at
        self.seen: Counter[str] = Counter()

    def come_to(self, name: str) -> None:
        self.seen[name] += 1
        with (self.folder / "steps").open("a") as log:
            log.write(f"{name}\n")
        if self.die_at == (name, self.seen[name]):
            os.kill(os.getpid(), signal.SIGKILL)


class Ports:
    """Agents and their chooser."""

    def __init__(self, steps: Steps) -> None:
        self.steps = steps

    async def consult(self, agent: str, request: Any) -> Any:
        self.steps.come_to(f"consult {agent}")
        return TWINS.answer(agent, TWINS.proposal(agent, agent))

    async def choose(self, request: Any) -> Any:
        self.steps.come_to("choose")
        return TWINS.Route(tuple(TWINS.Choice(agent, "by its words") for agent in AGENTS))


class Door(LedgerDoor):
    """The real door. Judge, people and executor work when somebody waits for them."""

    def __init__(self, ledger: Ledger, clock: Any, steps: Steps) -> None:
        super().__init__(ledger, clock, poll_seconds=0.001)
        self.kept, self.now, self.steps = ledger, clock.now, steps

    async def submit(self, proposal: Any, *, by: str) -> Any:
        self.steps.come_to(f"submit {proposal.action.id}")
        return await super().submit(proposal, by=by)

    async def until(self, action_id: str, *left: ActionState) -> Any:
        self.steps.come_to(f"wait for {action_id} to leave {left[0]}")
        while (row := self.kept.get(action_id)) is not None and row.state in left:
            others_work(self.kept, action_id, row.state, self.now())
        return await super().until(action_id, *left)

    async def standing(self, action_id: str) -> Any:
        self.steps.come_to(f"look at {action_id}")
        return await super().standing(action_id)


def others_work(ledger: Ledger, action_id: str, state: ActionState, now: Any) -> None:
    if state is S.PERMITTED:
        ledger.claim(action_id, "executor-1", now)
    else:
        ledger.move(action_id, state, WAY[state], role="judge", at=now, event={})


class Saver(AsyncSqliteSaver):
    """The real store. Each write is a step once it is on disk."""

    steps: Steps

    async def aput(self, config: Any, checkpoint: Any, metadata: Any, new_versions: Any) -> Any:
        stored = await super().aput(config, checkpoint, metadata, new_versions)
        self.steps.come_to(f"checkpoint {metadata.get('step')} of {config['configurable']['thread_id']}")
        return stored

    async def aput_writes(self, config: Any, writes: Any, task_id: str, task_path: str = "") -> None:
        await super().aput_writes(config, writes, task_id, task_path)
        answered = [row["agent"] for channel, value in writes if channel == "consultations" for row in value]
        what = f"answer of {answered[0]}" if answered else "writes " + " ".join(sorted(channel for channel, _ in writes))
        self.steps.come_to(f"{what} of {config['configurable']['thread_id']}")


def before(steps: Steps, name: str, act: Callable[..., Any]) -> Callable[..., Any]:
    def stepping(*arguments: Any) -> Any:
        steps.come_to(name)
        return act(*arguments)

    return stepping


async def work(folder: Path, steps: Steps) -> None:
    """One life of a controller: carry on what another one left, or take the request in; then follow all actions to their end."""
    ledger, clock = opened(f"sqlite:///{folder / 'ledger.db'}", folder / "audit.jsonl"), HandClock(TWINS.NOON)
    stage, ports, door = TWINS.Stage(), Ports(steps), Door(ledger, clock, steps)
    stage.change(consulting=ports, supervising=ports, gate=door)
    stage.change(redact=before(steps, "redact", stage.context.redact), arbitrate=before(steps, "arbitrate", stage.context.arbitrate))
    async with checkpoints.opened(folder / "checkpoints.db") as real:
        saver = Saver(real.conn, serde=real.serde)
        saver.steps = steps
        flows = Flows(saver, run=stage.context)
        unused: Any = None
        book = heads.HeadBook(heads.file_of(folder, ROLE), keys.signer(folder / "keys", ROLE), ROLE)
        controller = Controller(clock, ledger, door, flows, Following(flows), None, unused, None, unused, unused, book)
        request = TWINS.request()
        if any(row.event == "run.started" for row in ledger.chain()):
            await controller.resume()
        else:
            await controller.run(request)  # nothing was promised yet: who asked asks again
        controller.follow_open()
        for row in ledger.of_run(request.id):
            await controller.following.start(row.action_id)
        response = await flows.response(request.id)
        assert sorted(row["action_id"] for row in response["submitted"]) == sorted(row.action_id for row in ledger.of_run(request.id))
        assert response["missing"] == []
    ledger.close()


def forked(folder: Path, die_at: Point | Place | None) -> int:
    """The exit code of one life."""
    sys.stdout.flush()
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    code = 1
    try:
        if isinstance(die_at, Point):
            arm(die_at, lambda _: None)
        asyncio.run(work(folder, Steps(folder, die_at if isinstance(die_at, Place) else None)))
        code = 0
    finally:
        sys.stderr.flush()
        os._exit(code)


def furnished(root: Path, name: str) -> Path:
    folder = root / name
    folder.mkdir()
    shutil.copy(root / "ledger.db", folder / "ledger.db")
    return folder


def read(folder: Path, ask: Callable[[SqlLedger], Any]) -> Any:
    ledger = opened(f"sqlite:///{folder / 'ledger.db'}", None)
    try:
        return ask(ledger)
    finally:
        ledger.close()


def rehearsed(root: Path) -> list[Point | Place]:
    """Every point of a life that nothing ends: steps in the order they were made, and each commit of ours from both sides."""
    folder = furnished(root, "rehearsal")
    asyncio.run(work(folder, Steps(folder)))  # in this process: what every life needs is then loaded and compiled before the first fork
    gc.collect()
    gc.freeze()
    places: list[Point | Place] = []
    seen: Counter[str] = Counter()
    for name in (folder / "steps").read_text().splitlines():
        seen[name] += 1
        if name.startswith("submit") or "act-scaling0001" not in name:  # one action's thread is like the other's
            places.append(Place(name, seen[name]))
    records: Counter[str] = Counter()
    for row in read(folder, lambda ledger: ledger.chain()):
        if row.role in OURS:
            name = name_of(row.event, row.body)
            records[name] += 1
            places += [Point("before", name, records[name]), Point("after", name, records[name])]
    return places


def wrong(folder: Path) -> list[str]:
    """What the second life left that should not be."""
    rows, chain = read(folder, lambda ledger: (ledger.of_run("run-1"), ledger.chain()))
    steps = (folder / "steps").read_text().splitlines()
    events = Counter(row.event for row in chain)
    found = [f"{row.action_id} is {row.state}" for row in rows if row.state is not S.VERIFIED]
    found += [f"{count} times {event}" for event, count in events.items() if event.startswith("run.") and count != 1]
    if (len(rows), sum(row.role == "door" and row.event == "submitted" for row in chain)) != (len(AGENTS), len(AGENTS)):
        found.append(f"{len(rows)} actions")
    for agent in AGENTS:
        if f"answer of {agent} of run-1" in steps and f"consult {agent}" in steps[steps.index(f"answer of {agent} of run-1") :]:
            found.append(f"{agent} was asked again though its answer was stored")
    return found


def tried(root: Path, number: int, point: Point | Place) -> str:
    """Die there, continue, and look: one line."""
    folder = furnished(root, str(number))
    died, continued = forked(folder, point), forked(folder, None)
    good = (died, continued) == (-signal.SIGKILL, 0)
    problems = wrong(folder) if good else [f"died {died}, continued {continued}"]
    return f"{json.dumps(list(point))} {'; '.join(problems) or 'ok'}"


def main(root: Path) -> int:
    migrate(f"sqlite:///{root / 'ledger.db'}")
    points = list(enumerate(rehearsed(root)))
    helper = os.fork()  # two at a time: they share nothing, and wait for the disk more than they work
    for number, point in points[0 if helper else 1 :: 2]:
        os.write(1, f"{tried(root, number, point)}\n".encode())  # in one piece: two processes write here
    if helper == 0:
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(helper, 0)[1])


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
