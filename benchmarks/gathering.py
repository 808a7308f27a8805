"""A verdict with all its facts: the judge's whole look at an action over HTTPS, on the simulated shop, and its rules.

As `day2 plan` asks it, with the judge's own identity: target, owners, budget, autoscaler, quota, headroom, usage from two sources, access
reviews, history and the server's dry run. There is no goal: what it costs depends on the API server. Reported is our own process, without
the simulator's, which runs beside it.
"""

import asyncio
import json
import statistics
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

from agents.catalogue import AGENTS
from core.domain.proposal import Proposal
from gate.judging.sources import Bench
from runtime.roles import demonstration, looking, planning, reading
from runtime.services import scanning
from tools.stores.memory import MemoryLedger

SEED = 7
ROUNDS = 10


class Cost(NamedTuple):
    """Milliseconds of one verdict."""

    cpu: float
    wall: float


def run() -> list[str]:
    """One line. Takes about twenty seconds, most of them for starting the shop."""
    kinds, costs = asyncio.run(_measured())
    cpu, wall = statistics.median(cost.cpu for cost in costs), statistics.median(cost.wall for cost in costs)
    slow = sorted(cost.wall for cost in costs)[len(costs) * 95 // 100]
    what = f"VERDICT_WITH_FACTS ({len(costs)} verdicts on {kinds} kinds of actions, over HTTPS from the simulator)"
    return [f"{what}: ours {cpu:.1f} CPU-ms, {wall:.1f} ms of the wall at the median, {slow:.1f} ms at p95: reported"]


async def _measured() -> tuple[int, list[Cost]]:
    with tempfile.TemporaryDirectory(prefix="day2-bench-") as name:
        folder = Path(name)
        async with demonstration.opened(folder, SEED):
            cluster = json.loads((folder / "admin.kubeconfig").read_text(encoding="utf-8"))["clusters"][0]["cluster"]
            settings = demonstration.settings_of(folder, cluster["server"])
            async with reading.opened(settings) as view, planning.judging(settings, MemoryLedger(), view) as bench:
                proposals = (await looking.seen(view, (), scanning.chosen((), [agent.name for agent in AGENTS]), None)).proposals
                for proposal in proposals:  # once beforehand: connections, schemas
                    await planning.previewed(bench, proposal)
                costs = [await _cost(bench, proposal) for _ in range(ROUNDS) for proposal in proposals]
                return len({proposal.action.kind for proposal in proposals}), costs


async def _cost(bench: Bench, proposal: Proposal) -> Cost:
    cpu, wall = time.process_time(), time.perf_counter()
    verdict = await planning.previewed(bench, proposal)
    if verdict.facts.dry_run_ok is None:
        raise AssertionError(f"{proposal.action.sentence()}: nothing was gathered")
    return Cost((time.process_time() - cpu) * 1000, (time.perf_counter() - wall) * 1000)
