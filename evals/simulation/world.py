"""One simulated world: the loop, the fault table, the cluster, the ledger, the roles as processes, and who watches them."""

import asyncio
import contextlib
import tempfile
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from functools import cache, partial
from pathlib import Path
from random import Random
from typing import Any

from core.domain.errors import Corrupt, Day2Error, Unavailable
from core.domain.outcome import TERMINAL, ActionState
from core.domain.request import Request, RunBudget
from evals.simulation import faults as fault_tables
from evals.simulation import processes, scenery
from evals.simulation.agents import AGENTS, Agents
from evals.simulation.cluster import Cluster, Write
from evals.simulation.faults import Faults
from evals.simulation.loop import SeededLoop
from evals.simulation.people import GOOD_WISHES, REQUESTER, Crowd
from evals.simulation.processes import START, Process
from evals.simulation.promises import Watch
from evals.simulation.registry import Leases
from registry.membership import Member
from runtime.roles import simulated
from runtime.roles.simulated import Asked

SETTLE_SECONDS = 30.0
CONSULT_SECONDS = 60.0
QUIET_AFTER = 260.0
"""By then every request was made; a world where all has ended then need not wait for the rest of its faults."""
LONGEST = 45 * 60.0
"""Virtual seconds after the faults by which everything must have ended."""


class World:
    """Build with a seed, then `run`. `tape` is what happened, in order; the same seed writes the same tape."""

    def __init__(self, seed: int, table: Faults, loop: SeededLoop, folder: Path | None) -> None:
        self.seed = seed
        self.faults = table
        self.loop = loop
        self.folder = folder
        self.chance = Random(f"{seed}:world")  # noqa: S311  a simulation, not a secret
        self.tape: list[str] = []
        self.calm_after = fault_tables.CALM_AFTER
        self.calm = False
        self.healthy = seed % 20 == 7
        self.wish_time = self.chance.choice(GOOD_WISHES)
        self.declared = scenery.declared(self.chance)
        self.two_people_for = "delete_pod" if self.chance.random() < 0.3 else ""
        self.approval_time = timedelta(minutes=self.chance.choice((5, 15, 30)))
        self.cluster = Cluster(self.unix, simulated.held_keys().public if table.admission else b"")
        self.memory = None if folder else simulated.memory_ledger()
        self.oracle: Any = self.memory or self._view()
        self.saver = simulated.Checkpoints()
        self.lives: list[Process] = []
        self.changed = asyncio.Event()
        self.pending: list[Callable[[], Any]] = []
        self.requests: list[Request] = []
        self.responses: dict[str, dict[str, Any]] = {}
        self.followed: dict[str, ActionState] = {}
        self._spoilt: set[str] = set()
        self.leases = Leases(self)
        self.watch = Watch(self)
        self.cluster.arrived = self.watch.arrived
        self._unavailable: Path | None = None

    # --- time and chance

    def unix(self) -> float:
        return START.timestamp() + self.loop.time()

    def true_time(self) -> datetime:
        return START + timedelta(seconds=self.loop.time())

    def happens(self, share: float) -> bool:
        return share > 0 and not self.calm and self.chance.random() < share

    def spoils(self, asked: Asked) -> bool:
        """Whether this undo fails, once for each target at most. Most undos are sent in the calm, so this fault goes on in it."""
        if not self.faults.undo_fails or asked.path in self._spoilt or self.chance.random() >= self.faults.undo_fails:
            return False
        self._spoilt.add(asked.path)
        return True

    def cut(self, who: str, what: str) -> bool:
        return not self.calm and any(window.covers(who, what, self.loop.time()) for window in self.faults.windows)

    def note(self, who: str, what: str) -> None:
        self.tape.append(f"{self.loop.time():.3f} {who}: {what}")

    # --- the ledger

    def open_ledger(self) -> Any:
        return self.memory or self._sql()

    def _sql(self) -> Any:
        assert self.folder is not None  # noqa: S101  a world has one or the other
        return simulated.sql_ledger(self.folder)

    def _view(self) -> Any:
        assert self.folder is not None  # noqa: S101
        return simulated.sql_view(self.folder)

    def committed(self, process: Process, name: str, args: tuple[Any, ...], kwargs: dict[str, Any], found: Any) -> None:
        self.note(process.name, _told(name, args, kwargs, found))
        self.watch.committed(name, args, found)
        self.changed.set()
        self.changed = asyncio.Event()

    # --- others in between

    def later(self, deed: Callable[[], Any]) -> None:
        """Somebody does this after a while, or between two calls of a process."""
        self.pending.append(deed)
        self.loop.call_later(self.chance.uniform(0.5, 20), self._do, deed)

    def let_others_in(self, process: Process) -> None:
        if self.pending and process.name != "door" and self.happens(self.faults.interleave):
            self._do(self.pending[0])

    def _do(self, deed: Callable[[], Any]) -> None:
        if deed not in self.pending:
            return
        self.pending.remove(deed)
        try:
            self.watch.said(deed())
        except Day2Error as error:
            self.note("person", f"{type(error).__name__}: {str(error)[:80]}")
        except processes.Died:
            self.note("person", "the door died")

    # --- the roles

    async def judge(self, process: Process) -> None:
        step = simulated.judge(process.around(), simulated.rules(self.two_people_for), approval_time=self.approval_time)
        await self._repeat(process, step)

    async def executor(self, process: Process) -> None:
        step = simulated.executor(process.around(), settle_seconds=SETTLE_SECONDS)
        await self._repeat(process, step)

    async def _repeat(self, process: Process, step: simulated.Step) -> None:
        """As `runtime.roles.deciders.every`, but a pass that could see nothing new is not made."""
        while True:
            changed = self.changed
            try:
                waiting = await step()
            except Unavailable as error:
                self.note(process.name, f"waits: {error.system}")
                waiting = 1
            patience = 3.0 if waiting else self.chance.uniform(10, 30)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(changed.wait(), patience)
            await asyncio.sleep(self.chance.uniform(0.05, 3 if self.chance.random() < 0.8 else 20))

    async def controller(self, process: Process) -> None:
        saver = self.saver.seen_by(lambda what: process.boundary(f"checkpoint {what}"))
        working = simulated.controller_of(
            process.around(),
            saver,
            Agents(process),
            partial(self.members, process),
            poll_seconds=self.chance.uniform(2, 30),
            consult_seconds=CONSULT_SECONDS,
        )
        following = asyncio.create_task(working.serve(asyncio.Event(), self.chance.uniform(5, 30)))
        begun: set[str] = set()
        running: set[asyncio.Task[None]] = set()
        while not following.done():
            for request in self.requests:
                if request.id not in begun and request.id not in self.responses:
                    begun.add(request.id)
                    for _ in range(1 + self.happens(self.faults.duplicate)):
                        running.add(asyncio.create_task(self._one_run(working, request)))
            await asyncio.wait({following}, timeout=self.chance.uniform(1, 10))
        following.result()

    async def _one_run(self, working: Any, request: Request) -> None:
        """The gateway of a request asks again until there is an answer."""
        while request.id not in self.responses:
            try:
                self.responses[request.id] = await working.run(request)
            except (Unavailable, Corrupt) as error:
                self.note("gateway", f"{request.id}: {type(error).__name__}")
                await asyncio.sleep(5)
            except Exception as error:  # noqa: BLE001  a run that ends by a defect is what is looked for here
                self.watch.broken("role", f"{request.id} ended with {type(error).__name__}: {error}")
                return

    async def members(self, process: Process) -> Sequence[Member]:
        return self.leases.members(process)

    async def agent(self, process: Process) -> None:
        await self.leases.keep(process)

    async def door(self, process: Process) -> None:
        crowd = Crowd(self, process)
        self.cluster.stored = partial(_both, crowd.revert, self.cluster_saw)
        await asyncio.gather(crowd.decide(), crowd.stop_and_resume(), crowd.edit())

    def cluster_saw(self, write: Write) -> None:
        self.note(write.by, f"{'writes' if write.stored else 'repeats'} {'/'.join(write.key)}")
        self._controllers.saw(write)
        self.watch.wrote(write)

    # --- from start to end

    async def live(self) -> None:
        scenery.furnish(self.cluster, self.chance, healthy=self.healthy)
        self._controllers = scenery.Controllers(self.cluster, self.chance, self.faults.ill)
        self.cluster.stored = self.cluster_saw
        roles = {"judge": self.judge, "executor": self.executor, "controller": self.controller, "door": self.door}
        if self.faults.two_controllers:
            roles["controller-2"] = self.controller
        for name in AGENTS:
            roles[f"agent-{name}"] = self.agent
        kept = [asyncio.create_task(processes.keep_alive(self, name, work)) for name, work in roles.items()]
        script = asyncio.create_task(self._story())
        await script
        jumped = self.faults.jump_seconds  # an approval's time may have been set by a clock that was so far ahead
        await self._until(lambda: self.all_ended() or bool(self.watch.found), self.loop.time() + LONGEST + jumped)
        await asyncio.sleep(60)
        if not self.watch.found:  # what was cut short has no proper end
            self.watch.finish()
        for process in self.lives:
            process.end()
        for task in kept:
            task.cancel()
        await asyncio.gather(*kept, return_exceptions=True)

    async def _until(self, over: Callable[[], bool], deadline: float) -> None:
        while self.loop.time() < deadline and not over():  # noqa: ASYNC110  it is virtual time, and everybody's doing
            await asyncio.sleep(20)

    async def _story(self) -> None:
        """Requests, clock jumps and the loss of the ledger; then calm."""
        for number in range(self.chance.randrange(1, 3)):
            at = self.chance.uniform(1, 200)
            self.loop.call_later(at, self._ask, number)
        for _ in range(2 if self.faults.jump_seconds else 0):
            self.loop.call_later(self.chance.uniform(20, 400), self._jump)
        for window in self.faults.windows:
            if window.what == "lost" and self.folder:
                self.loop.call_later(window.start, self._lose)
                self.loop.call_later(window.end, self._restore)
        await self._until(lambda: bool(self.watch.found) or (self.loop.time() > QUIET_AFTER and self.all_ended()), self.calm_after)
        self.calm = True
        self._restore()
        for process in self.lives:
            process.skew = max(-2.0, min(2.0, process.skew))
        self.note("world", "calm")

    def _ask(self, number: int) -> None:
        request = Request(
            id=f"run-{self.seed}-{number}",
            trigger="chat",
            by=REQUESTER,
            text=f"mend what is broken, password={scenery.CANARY}",
            agents=AGENTS,
            act=True,
            budget=RunBudget(writes=4),
            at=self.true_time(),
        )
        self.requests.append(request)

    def _jump(self) -> None:
        alive = [process for process in self.lives if process.alive and process.name in ("executor", "judge", "door")]
        if alive and not self.calm:
            chosen = self.chance.choice(alive)
            chosen.skew += self.chance.uniform(-self.faults.jump_seconds, self.faults.jump_seconds)
            self.note(chosen.name, f"its clock jumps to {chosen.skew:+.0f} s")

    def _lose(self) -> None:
        if self.folder and not self.calm:
            (self.folder / "ledger.db").rename(self.folder / "away")

    def _restore(self) -> None:
        if self.folder and (self.folder / "away").exists():
            (self.folder / "away").rename(self.folder / "ledger.db")

    def all_ended(self) -> bool:
        waits = [row for row in self.oracle.search(limit=1000) if row.state not in TERMINAL]
        return not waits and all(request.id in self.responses for request in self.requests)


def _both(first: Callable[[Write], None], second: Callable[[Write], None], write: Write) -> None:
    first(write)
    second(write)


def _told(name: str, args: tuple[Any, ...], kwargs: dict[str, Any], found: Any) -> str:
    """One line about a commit, without tokens."""
    subject = getattr(args[0], "action_id", args[0]) if args else kwargs.get("event", "")
    more = str(args[2]) if name == "move" else getattr(args[0], "decision", "") if name == "approve" else ""
    return f"{name} {str(subject)[:40]} {more} -> {found if isinstance(found, bool | int | None) else 'done'}"


@cache
def _empty_ledger() -> bytes:
    """An SQL ledger, migrated once for every world of this process."""
    with tempfile.TemporaryDirectory(prefix="day2-sim-", dir=_fast()) as name:
        simulated.migrate(Path(name))
        return (Path(name) / "ledger.db").read_bytes()


def _fast() -> Path | None:
    """Memory, where this machine offers it as a folder."""
    place = Path("/dev/shm")  # noqa: S108  the standard place for it on Linux; a folder with a random name is made there
    return place if place.is_dir() else None


@contextlib.contextmanager
def sql_folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="day2-sim-", dir=_fast()) as name:
        path = Path(name) / "ledger.db"
        path.touch(0o600)
        path.write_bytes(_empty_ledger())
        yield Path(name)
