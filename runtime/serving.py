"""The processes of `day2 serve` and of the demo: each role a child of this one, each ending with it.

A child prints one JSON line when it is ready; its standard error goes to a log file of its own in the data folder.
"""

import asyncio
import contextlib
import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Collection, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from core.domain.errors import Unavailable
from runtime.processes import dies_with_parent
from runtime.settings import child_environment

LOGS = "logs"
"""Folder of the children's logs, in the data folder."""
READY_SECONDS = 60.0
STOP_SECONDS = 10.0


@dataclass
class Child:
    """One running role. `ready` is what it said of itself."""

    name: str
    process: asyncio.subprocess.Process
    ready: dict[str, Any]
    log: Path


@dataclass
class Children:
    """All that were started, in order; stopped in reverse."""

    running: list[Child] = field(default_factory=list)

    def named(self, name: str) -> Child:
        return next(child for child in self.running if child.name == name)

    def find(self, name: str) -> Child | None:
        return next((child for child in self.running if child.name == name), None)

    async def any_ends(self, *, besides: Collection[str] = ()) -> Child:
        """The first child that ends, which none should but those `besides`. Without such children it waits for ever."""
        watched = [child for child in self.running if child.name not in besides]
        if not watched:
            await asyncio.Event().wait()
        waits = {asyncio.create_task(child.process.wait()): child for child in watched}
        done, pending = await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        for task in pending:
            task.cancel()
        return waits[done.pop()]

    async def stop(self) -> None:
        for child in reversed(self.running):
            await _stop(child)
        self.running.clear()


@contextlib.asynccontextmanager
async def children() -> AsyncIterator[Children]:
    started = Children()
    try:
        yield started
    finally:
        await asyncio.shield(started.stop())


async def start(family: Children, name: str, module: str, arguments: Sequence[str], logs: Path) -> Child:
    """Start `python -m module` and wait for its ready line. Raises Unavailable with the end of its log when it does not come up."""
    logs.mkdir(parents=True, exist_ok=True, mode=0o700)
    log = logs / f"{name}.log"
    with log.open("ab") as sink:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            module,
            *arguments,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=sink,
            env=child_environment(),
            start_new_session=True,  # Ctrl-C reaches us alone, and we stop them in order
            preexec_fn=dies_with_parent,
        )
    child = Child(name, process, {}, log)
    family.running.append(child)
    child.ready = await _ready(child)
    return child


async def _ready(child: Child) -> dict[str, Any]:
    assert child.process.stdout is not None  # noqa: S101  it was started with a pipe
    try:
        async with asyncio.timeout(READY_SECONDS):
            while line := await child.process.stdout.readline():
                with contextlib.suppress(json.JSONDecodeError):
                    found = json.loads(line)
                    if isinstance(found, dict):
                        return found
    except TimeoutError:
        pass
    lines = child.log.read_text(encoding="utf-8", errors="replace").strip().splitlines()[-2:] if child.log.exists() else []
    raise Unavailable(f"the {child.name} process", 1.0, reason="; ".join(lines)[:300] or "it ended without a word", mend=f"see {child.log}")


async def _stop(child: Child) -> None:
    if child.process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.process.pid, signal.SIGTERM)
        try:
            async with asyncio.timeout(STOP_SECONDS):
                await child.process.wait()
        except TimeoutError:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(child.process.pid, signal.SIGKILL)
            await child.process.wait()
