"""Good runs: a fault on a simulated cluster, found, mended by judge and executor, looked at again. What a run leaves, as a trajectory.

Each is a fork of this process with the ground of its seed alive, as in `evals.faults.trials`. Only runs that the oracle of the faults
calls whole are kept: every action verified, no ill left, nobody else harmed, and the cure survives.
"""

import asyncio
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from core.assessing import reading, trajectory
from core.assessing.trajectory import Trajectory
from core.domain.ledger import Ledger
from core.domain.request import Request, RunBudget
from core.domain.values import Json
from evals.faults import trials
from evals.judging.trials import in_fork
from runtime.roles.judged import Court
from runtime.services import assessing, running
from runtime.services.scanning import Scan
from simulator.faults import oracle
from simulator.faults.fault import Fault
from simulator.faults.ground import Ground
from simulator.faults.table import BY_ID
from simulator.worlds.running import Running


def good(seed: int, faults: Sequence[str]) -> Iterator[tuple[str, Trajectory]]:
    """The fault and its run, for those that ended well."""
    ground, alive = trials.alive(seed)
    for name in faults:
        told = in_fork(lambda name=name: asyncio.run(_lived(BY_ID[name], ground, alive)))  # type: ignore[misc]
        if told["well"]:
            yield name, trajectory.read(told["trajectory"])


async def _lived(fault: Fault, ground: Ground, alive: Running) -> dict[str, Any]:
    home = fault.victim(ground)
    with tempfile.TemporaryDirectory() as folder:
        async with trials.court_of(alive, Path(folder)) as court:
            before = await trials.seen(court)
            await trials.done(court, alive, fault.inject(ground, home))
            alive.clock.advance(fault.wait_seconds)
            request = Request(
                id=f"run-{ground.seed}-{fault.id}"[:60],
                trigger="schedule",
                by=trials.REQUESTER,
                act=True,
                budget=RunBudget(writes=5),
                at=court.bench.clock.now(),
            )
            ledger = court.bench.ledger
            _record(ledger, request, running.STARTED, request.model_dump(mode="json"))
            found = await trials.scanned(court, ground, "run")
            chosen = [each.model_copy(update={"run": request.id}) for each in trials.remedies(fault, ground, found)]
            response = answer(found, court)
            _record(ledger, request, running.FINISHED, {"findings": len(found.findings), "proposals": len(chosen)})
            rows = await court.mend(chosen, by=trials.REQUESTER, people=trials.PEOPLE, pass_time=alive.clock.advance)
            alive.clock.advance(trials.SETTLING)
            cured = await trials.seen(court)
            later = answer(await trials.scanned(court, ground, "later"), court)
            whole = bool(rows) and {trials.end_of(row) for row in rows} == {"verified"}
            ills = oracle.ills(cured, ground.namespaces) or oracle.harmed(before, cured, fault.moves(ground, home))
            stored = assessing.stored(ledger, request.id, response, later)
            return {"well": whole and not ills, "trajectory": trajectory.text(reading.trajectory(stored))}


def answer(found: Scan, court: Court) -> Json:
    """As the last node of the run flow answers."""
    return {
        "at": court.bench.clock.now().isoformat(),
        "findings": [finding.model_dump(mode="json") for finding in found.findings],
        "held": [],
        "coverage": found.coverage.model_dump(mode="json"),
    }


def _record(ledger: Ledger, request: Request, event: str, body: Json) -> None:
    ledger.record(role="controller", event=event, subject=request.id, body=body, at=request.at)
