"""One seed from start to end, and many. Called by `day2 sim`, by the tests and by the runner of the planted defects."""

import asyncio
import contextlib
import gc
import hashlib
import logging
import random
import threading
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from evals.simulation import faults, processes
from evals.simulation.loop import SeededLoop
from evals.simulation.promises import Broken
from evals.simulation.world import World, sql_folder


class Outcome(NamedTuple):
    """What became of one seed. `trace` is the digest of its tape; `seconds` are virtual."""

    seed: int
    broken: tuple[Broken, ...]
    trace: str
    seconds: float
    faults: str
    tape: tuple[str, ...]
    effects: int
    ends: dict[str, int]

    @property
    def kept(self) -> bool:
        return not self.broken


def run(seed: int) -> Outcome:
    """Live through one world. The same seed gives the same outcome, tape and all."""
    table = faults.draw(seed)
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(sql_folder()) if table.sql else None
        loop = stack.enter_context(_loop(seed))
        world = World(seed, table, loop, folder)
        try:
            loop.run_until_complete(world.live())
        except Exception as error:  # noqa: BLE001  a world that cannot go on is a finding too
            world.watch.broken("world", f"{type(error).__name__}: {error}")
        if threading.active_count() > 1 and threading.current_thread() is threading.main_thread():
            world.watch.broken("threads", "a thread was started")
        return _outcome(world)


def settled() -> None:
    """Before many seeds: what was loaded stays for good, so the collector need not walk through it in each world."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)


def many(seeds: Iterable[int]) -> Iterator[Outcome]:
    return (run(seed) for seed in seeds)


def _outcome(world: World) -> Outcome:
    ends: dict[str, int] = {}
    for row in world.oracle.search(limit=1000):
        ends[row.state.value] = ends.get(row.state.value, 0) + 1
    effects = sum(write.by.startswith("day2:") and write.stored for write in world.cluster.writes)
    trace = hashlib.sha256("\n".join(world.tape).encode()).hexdigest()[:16]
    return Outcome(world.seed, tuple(world.watch.found), trace, world.loop.time(), world.faults.named(), tuple(world.tape), effects, ends)


@contextlib.contextmanager
def _loop(seed: int) -> Iterator[SeededLoop]:
    """A loop of its own, silent: dead processes leave tasks and exceptions behind that nobody asks for.

    Libraries draw from the interpreter's own source of chance (langgraph, how long a node waits before it is tried again): it is seeded
    too, and left as it was found.
    """
    loop = SeededLoop(seed)
    before = random.getstate()
    random.seed(f"{seed}:libraries")
    loop.set_task_factory(processes.task_factory)
    loop.set_exception_handler(_ignore)
    logging.disable(logging.CRITICAL)
    asyncio.set_event_loop(loop)
    try:
        yield loop
        _drain(loop)
    finally:
        random.setstate(before)
        asyncio.set_event_loop(None)
        logging.disable(logging.NOTSET)
        loop.close()


def _drain(loop: SeededLoop) -> None:
    """Let what is left see that it is over."""
    left = asyncio.all_tasks(loop)
    for task in left:
        task.cancel()
    if left:
        loop.run_until_complete(asyncio.gather(*left, return_exceptions=True))


def _ignore(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """See `_loop`."""
