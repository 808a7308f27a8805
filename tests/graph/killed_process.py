"""Run by `test_resuming.py`: forks a process per port call that dies in it, and another that continues. Prints `<n> <calls> ok` each.

A program of its own, because a test runner has threads and must not fork.
"""

import asyncio
import importlib.util
import os
import sys
from collections import Counter
from pathlib import Path
from typing import Any

from runtime.flows import Flows
from tools import checkpoints

AGENTS = ("finops", "reliability", "security", "scaling")


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


class Ports:
    """Every port call is written down, then kills the process when its number has come. The gate's rows are files: they outlive us."""

    def __init__(self, folder: Path, die_at: int) -> None:
        self.folder, self.die_at, self.calls = folder, die_at, 0

    def call(self, name: str) -> None:
        self.calls += 1
        if self.calls == self.die_at:
            os._exit(9)
        with (self.folder / "calls").open("a") as log:
            log.write(f"{name}\n")

    async def consult(self, agent: str, request: Any) -> Any:
        if self.calls + 1 == self.die_at:
            self.die_at = 0
            await asyncio.sleep(0.3)  # the others answer meanwhile, and are stored
            os._exit(9)
        self.call(f"consult {agent}")
        return TWINS.answer(agent, TWINS.proposal(agent, agent))

    async def choose(self, request: Any) -> Any:
        self.call("choose")
        return TWINS.Route(tuple(TWINS.Choice(agent, "by its words") for agent in AGENTS))

    async def submit(self, proposal: Any, *, by: str) -> Any:
        self.call(f"submit {proposal.action.id}")
        row = self.folder / proposal.action.id
        if row.exists():
            return TWINS.Stands(proposal.action.id, TWINS.Standing.CANCELLED, "", "submitted before", ())
        row.touch()
        return await self.standing(proposal.action.id)

    async def standing(self, action_id: str) -> Any:
        return TWINS.Stands(action_id, TWINS.Standing.SUBMITTED, "", "", ())


async def run(folder: Path, die_at: int) -> Any:
    ports = Ports(folder, die_at)
    stage = TWINS.Stage()
    stage.change(consulting=ports, supervising=ports, gate=ports)
    async with checkpoints.opened(folder / "checkpoints.db") as saver:
        return await Flows(saver, run=stage.context).run(TWINS.request())


def forked(folder: Path, die_at: int) -> int:
    """The exit code of a process that runs the flow: 9 when it died as told, 0 when the response holds, 1 when it does not."""
    sys.stdout.flush()
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    response = asyncio.run(run(folder, die_at))
    whole = [row["state"] for row in response["submitted"]] == ["submitted"] * 4 and not response["missing"]
    os._exit(0 if whole else 1)


def main(root: Path) -> None:
    for die_at in range(1, 10):
        folder = root / str(die_at)
        folder.mkdir()
        died, continued = forked(folder, die_at), forked(folder, 0)
        calls = Counter((folder / "calls").read_text().splitlines())
        agents_again = [name for name, count in calls.items() if name.startswith("consult") and count > 1]
        rows = len(list(folder.glob("act-*")))
        good = (died, continued, rows, agents_again) == (9, 0, 4, [])
        print(die_at, died, continued, rows, dict(calls), "ok" if good else "WRONG")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
