"""Experiments from the command line: the flow in this process, the gate's processes beside it. It writes no cluster."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from langgraph.checkpoint.base import BaseCheckpointSaver

from agents.reliability.experiments import choosing, faults
from core.domain.errors import InvalidInput
from core.domain.ledger import ActionRow, Ledger
from core.domain.proposal import Proposal
from core.domain.submitting import GateDoor
from core.policy.experiments import Asked
from core.policy.experiments import read as read_document
from gate.door import LedgerDoor
from graph.state import Plain
from graph.trials import ExperimentContext
from runtime.experimenting import Experimenting
from runtime.ids import RandomIds
from runtime.laboratory import Bench
from runtime.roles import console, reading
from runtime.roles.identifying import account
from runtime.roles.reading import Reading
from runtime.services import applying as following
from runtime.services import experiments
from runtime.services.experiments import Trial
from runtime.settings import Settings
from tools import checkpoints
from tools.stores.locks import RoleLock

LOCK = "experiment"
PAUSE_SECONDS = 1.0
Show = Callable[[ActionRow], None]


class Preview(NamedTuple):
    """What an experiment would do here now; with `refused`, it would not begin."""

    asked: Asked
    refused: tuple[str, ...]
    proposals: tuple[Proposal, ...]


def over(settings: Settings, saver: BaseCheckpointSaver[Any], view: Reading, ledger: Ledger, gate: GateDoor) -> Experimenting:
    """The flow of experiments over the ports of one process."""
    bench = Bench(ledger, view.reader, view.metrics, view.clock, view.declared.objectives)
    pause = min(PAUSE_SECONDS, settings.flow.poll_seconds * 10)
    context = ExperimentContext(clock=view.clock, gate=gate, laboratory=bench, pause_seconds=pause)
    return Experimenting(saver, context, ledger, partial(_held, settings.data_dir))


@contextlib.contextmanager
def _held(folder: Path) -> Iterator[None]:
    lock = RoleLock(folder, LOCK).take()
    try:
        yield
    finally:
        lock.release()


def read(path: Path) -> Asked:
    """Raises InvalidDocument with file and line, InvalidInput for a file that is not there."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInput(f"cannot read {path}: {error}", mend="day2 chaos validate FILE") from error
    return read_document(text, str(path))


async def validate(settings: Settings, path: Path) -> Preview:
    """The document against the cluster as it is now. Writes nothing."""
    asked = read(path)
    async with reading.opened(settings) as view:
        with console.record(settings) as kept:
            bench = Bench(kept.ledger, view.reader, view.metrics, view.clock, view.declared.objectives)
            scene = await bench.scene(asked.experiment)
            choice = choosing.choose(asked.experiment, scene)
            if choice.refused:
                return Preview(asked, choice.refused, ())
            try:
                parts = faults.parts(asked.experiment, scene, choice, "exp-preview")
            except InvalidInput as error:
                return Preview(asked, (str(error),), ())
            return Preview(asked, (), faults.proposals(asked.experiment, parts, "exp-preview", view.clock.now()))


async def run(settings: Settings, path: Path, *, told: Callable[[str], None], show: Show) -> Plain:
    """To its report. Judge and executor are those that serve here, or our own children. Raises Busy, InvalidInput, Stopped."""
    from runtime.roles import applying
    from runtime.roles.identifying import person

    asked = read(path)
    async with _opened(settings) as (work, kept), applying.deciders(settings) as family:
        following.check_stop(kept.ledger)
        by = (await person(settings)).by
        return await applying.while_alive(family, _told(work, kept, asked, by, told, show))


async def _told(work: Experimenting, kept: console.Record, asked: Asked, by: str, told: Callable[[str], None], show: Show) -> Plain:
    """The run, with each change of each of its actions shown once."""
    names: list[str] = []

    def begun(identity: str) -> None:
        names.append(identity)
        told(identity)

    running = asyncio.create_task(work.run(asked, by=by, ids=RandomIds(), told=begun))
    shown: dict[str, str] = {}
    try:
        while True:
            done, _ = await asyncio.wait({running}, timeout=following.LOOK_SECONDS)
            for row in await asyncio.to_thread(kept.ledger.of_run, names[0]) if names else ():
                if shown.get(row.action_id) != row.state.value:
                    shown[row.action_id] = row.state.value
                    show(row)
            if done:
                return running.result()
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


@contextlib.asynccontextmanager
async def _opened(settings: Settings) -> AsyncIterator[tuple[Experimenting, console.Record]]:
    settings.data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    async with contextlib.AsyncExitStack() as stack:
        view = await stack.enter_async_context(reading.opened(settings))
        kept = stack.enter_context(console.record(settings, create=True, signs=True))
        saver = await stack.enter_async_context(checkpoints.opened(settings.data_dir / "checkpoints.db"))
        gate = LedgerDoor(kept.ledger, view.clock, poll_seconds=settings.flow.poll_seconds)
        yield over(settings, saver, view, kept.ledger, gate), kept


def trials(settings: Settings) -> list[Trial]:
    with console.record(settings) as kept:
        return experiments.trials(kept.ledger)


async def show(settings: Settings, identity: str) -> tuple[Trial, Plain]:
    """With its whole report, where the flow's store of this folder has it."""
    with console.record(settings) as kept:
        found = experiments.get(kept.ledger, identity)
    store = settings.data_dir / "checkpoints.db"
    if found.finished_at is None or not store.exists():
        return found, {}
    async with _opened(settings) as (work, _):
        return found, await work.report(identity)


def stop(settings: Settings, identity: str, *, reason: str) -> None:
    """Raises InvalidInput for one that is unknown or over."""
    with console.record(settings, signs=True) as kept:
        experiments.stop(kept.ledger, identity, by=account(), reason=reason, at=kept.clock.now())
