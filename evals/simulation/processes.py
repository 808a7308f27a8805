"""Processes of the simulated world: they die without any clean-up, and their ways to ledger, cluster and time fail as the table says.

A process that died keeps none of its ports: what its cancelled tasks still try reaches nothing, as after a SIGKILL. A request that was
sent before is on the wire, and arrives all the same.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, cast

from core.domain.errors import Corrupt, Day2Error, Unavailable
from core.domain.ledger import Ledger
from core.domain.values import identifier
from runtime.roles.simulated import Answered, Around, Asked

if TYPE_CHECKING:
    from evals.simulation.world import World

WRITES = frozenset({"submit", "move", "observe", "claim", "spend", "approve", "stop", "resume", "record"})
CLIENT_TIMEOUT = 30.0
_now_running: ContextVar["Process | None"] = ContextVar("process", default=None)


class Died(BaseException):
    """This process is dead. Nothing catches it."""


class Process:
    """One life of a role."""

    def __init__(self, name: str, world: "World") -> None:
        self.name = name
        self.world = world
        self.alive = True
        self.tasks: list[asyncio.Task[Any]] = []
        self._ids = 0
        skew = world.faults.skew_seconds
        self.skew = world.chance.uniform(-skew, skew)

    def boundary(self, point: str) -> None:
        """A place where a process may die: before and after each call that leaves it."""
        if not self.alive:
            raise Died
        if self.world.happens(self.world.faults.crash):
            self.die(point)
            raise Died

    def owns(self, task: "asyncio.Task[Any]") -> None:
        """It is cancelled with this process. What has ended is let go from time to time."""
        self.tasks.append(task)
        if len(self.tasks) % 64 == 0:
            self.tasks = [item for item in self.tasks if not item.done()]

    def die(self, point: str) -> None:
        self.world.note(self.name, f"dies at {point}")
        self.end()

    def end(self) -> None:
        """No more ports, and every task is cancelled."""
        self.alive = False
        mine = asyncio.current_task()
        for task in self.tasks:
            if task is not mine and not task.done():
                task.cancel()

    def new(self, prefix: str) -> str:
        """`Ids`: the same in each replay, and never given twice."""
        self._ids += 1
        return identifier(prefix, self.world.seed, self.name, id_of_life(self), self._ids)

    def now(self) -> datetime:
        """`Clock`: true time, with this host's error."""
        return self.world.true_time() + timedelta(seconds=self.skew)

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    def around(self) -> Around:
        """Every port of this process."""
        ledger = cast("Ledger", LedgerEdge(self))
        return Around(ledger, self.answer, self, None, self, self.world.declared)

    async def answer(self, asked: Asked) -> Answered:
        """One request over the network, there and back."""
        world, faults = self.world, self.world.faults
        loop = asyncio.get_running_loop()
        self.boundary(f"request {asked.method} {asked.path}")
        writes = asked.method in ("PATCH", "DELETE") and asked.query.get("dryRun") != "All" and b'"dryRun"' not in asked.body
        if world.cut(self.name, "api"):
            await asyncio.sleep(world.chance.uniform(0, 2))
            self.boundary("refused connection")
            raise ConnectionRefusedError("the network is cut")
        if not writes and world.happens(faults.pause):
            await asyncio.sleep(world.chance.uniform(1, 60))
        if writes:
            self.boundary("before the write")
            undo = world.watch.sent(self, asked)
            if undo and world.spoils(asked):
                return await self._spoiled(asked)
        rarely = 0.3 if asked.method == "POST" else 1.0  # one lost access review ends an action: more of it would hide the rest
        if world.happens(faults.refused * rarely):
            return Answered(world.chance.choice((429, 500, 503, 504)), b'{"message":"busy"}', {"Retry-After": "2"})
        if asked.method in ("PATCH", "DELETE") and world.happens(faults.conflict):
            return Answered(409, b'{"message":"the object has been modified","code":409}')
        behind = world.chance.uniform(0, faults.stale_seconds) if asked.method == "GET" and world.happens(faults.stale) else 0.0
        reply: asyncio.Future[Answered] = loop.create_future()
        held = writes and world.happens(faults.late)
        there = world.chance.uniform(20, 110) if held else world.chance.uniform(0, faults.delay_seconds)
        loop.call_later(there, self._deliver, asked, behind, reply)
        if there > CLIENT_TIMEOUT:
            await asyncio.sleep(CLIENT_TIMEOUT)
            raise TimeoutError("no answer in time")
        found = await reply
        if world.happens(faults.lost_reply * rarely):
            self.boundary("reply lost")
            if world.happens(0.5):
                raise ConnectionResetError("the connection broke")
            return Answered(world.chance.choice((502, 504)), b'{"message":"no reply"}')
        await asyncio.sleep(world.chance.uniform(0, faults.delay_seconds / 4))
        self.boundary(f"reply {asked.method} {asked.path}")
        return found

    async def _spoiled(self, asked: Asked) -> Answered:
        """Not stored, stored without a reply, or stored after we gave up."""
        world, loop = self.world, asyncio.get_running_loop()
        way, nobody = world.chance.randrange(3), loop.create_future()
        if way == 0:
            return Answered(world.chance.choice((500, 503, 504)), b'{"message":"busy"}')
        if way == 1:
            self._deliver(asked, 0.0, nobody)
            raise ConnectionResetError("the connection broke")
        loop.call_later(world.chance.uniform(1, CLIENT_TIMEOUT - 5), self._deliver, asked, 0.0, nobody)
        raise TimeoutError("no answer in time")

    def _deliver(self, asked: Asked, behind: float, reply: "asyncio.Future[Answered]") -> None:
        """The server has it, whatever became of who asked."""
        found = self.world.cluster.answer(asked, behind=behind)
        if asked.method == "GET":
            self.world.watch.shown(self, asked, behind)
        if not reply.done():
            reply.set_result(found)


def id_of_life(process: Process) -> int:
    """How many lives of this name there were before."""
    return process.world.lives.index(process)


class LedgerEdge:
    """A process's way to the ledger: the whole port, each call of which may fail, be lost after its commit, or be the last."""

    def __init__(self, process: Process) -> None:
        self._process = process
        self._ledger = process.world.open_ledger()

    def __getattr__(self, name: str) -> Callable[..., Any]:
        method = getattr(self._ledger, name)

        def call(*args: Any, **kwargs: Any) -> Any:
            return self._call(name, method, args, kwargs)

        return call

    def _call(self, name: str, method: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        process, world = self._process, self._process.world
        process.boundary(f"ledger.{name}")
        if world.cut(process.name, "ledger"):
            raise Unavailable("the ledger", 1.0, reason="the network is cut")
        if world.cut(process.name, "lost"):
            raise Corrupt("the ledger is gone", mend="restore it")
        if name in WRITES and world.cut(process.name, "full"):
            raise Unavailable("the ledger", 5.0, reason="the disk is full")
        world.let_others_in(process)
        found = method(*args, **kwargs)
        if name in WRITES:
            world.committed(process, name, args, kwargs, found)
            if world.happens(world.faults.unknown_commit):
                raise Unavailable("the ledger", 1.0, reason="the connection broke at the commit")
            process.boundary(f"ledger.{name} committed")
        return found


def task_factory(loop: asyncio.AbstractEventLoop, coroutine: Any, **kwargs: Any) -> "asyncio.Task[Any]":
    """Tasks belong to the process that made them, however deep inside a library."""
    task = asyncio.Task(coroutine, loop=loop, **kwargs)
    process = _now_running.get()
    if process is not None:
        process.owns(task)
        if not process.alive:
            task.cancel()
    return task


async def keep_alive(world: "World", name: str, work: Callable[[Process], Awaitable[None]]) -> None:
    """What an init system does: start it again, after a while, for ever."""
    while True:
        process = Process(name, world)
        world.lives.append(process)
        try:
            await asyncio.wait({asyncio.create_task(_life(process, work))})
        finally:
            process.end()
        world.note(name, "starts again")
        await asyncio.sleep(world.chance.uniform(0.5, 20))


async def _life(process: Process, work: Callable[[Process], Awaitable[None]]) -> None:
    _now_running.set(process)
    process.tasks.append(cast("asyncio.Task[Any]", asyncio.current_task()))
    try:
        await work(process)
    except Died:
        return
    except Day2Error as error:
        process.world.note(process.name, f"ends: {type(error).__name__}")
    except Exception as error:  # noqa: BLE001  a role that ends by a defect is what is looked for here
        if process.alive:
            process.world.watch.broken("role", f"{process.name} ended with {type(error).__name__}: {error}")


START = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
