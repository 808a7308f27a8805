"""From looking to verified: one action's whole way through the product's own processes, on the simulated shop.

Agents, registry, judge and executor run as in `day2 serve`, each action by itself: scan, propose, judge, permit, execute, verify. The
cluster's minutes of watching pass in virtual time; everything else is wall time. Of three actions of three kinds the slowest counts.
Starting the processes is reported apart: it happens once, not per action.
"""

import asyncio
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

from core.domain.outcome import ActionState
from core.domain.request import Request
from runtime.roles import demonstration
from runtime.services.demonstrating import Stage, settle

GOAL_SECONDS = 10.0
SEED = 7
ACTIONS = (("reliability", "shop"), ("security", "tools"), ("scaling", "ml"))
"""An agent and the namespace that it looks at: a rollback, a namespace's labels, a gang that is released."""


class Measured(NamedTuple):
    """Wall seconds. `proposed` is the part until the proposals are submitted."""

    kind: str
    proposed: float
    whole: float


def run() -> list[str]:
    """One line. Takes about ten seconds, most of them for starting the processes."""
    started, found = asyncio.run(_measured())
    worst = max(found, key=lambda each: each.whole)
    each = ", ".join(f"{item.kind} {item.whole:.1f} s" for item in found)
    word = "met" if worst.whole <= GOAL_SECONDS else "short"
    told = f"ours {worst.whole:.1f} s wall ({worst.proposed:.1f} s until proposed; {each}; processes up in {started:.1f} s)"
    return [f"FINDING_TO_VERIFIED: {told}, goal {GOAL_SECONDS:.0f} s: {word}"]


async def _measured() -> tuple[float, list[Measured]]:
    with tempfile.TemporaryDirectory(prefix="day2-bench-") as folder:
        begun = time.perf_counter()
        async with demonstration.opened(Path(folder), SEED) as (stage, _):
            started = time.perf_counter() - begun
            return started, [await _action(stage, agent, namespace) for agent, namespace in ACTIONS]


async def _action(stage: Stage, agent: str, namespace: str) -> Measured:
    """The run stops where an action does not end verified: a fast failure is no result."""
    name = f"bench-{agent}"
    request = Request(id=name, trigger="api", by="bench", namespaces=(namespace,), agents=(agent,), act=True, at=stage.clock.now())
    begun = time.perf_counter()
    await stage.run(request)
    proposed = time.perf_counter() - begun
    await settle(stage, name)
    whole = time.perf_counter() - begun
    rows = stage.ledger.of_run(name)
    verified = [row for row in rows if row.state is ActionState.VERIFIED]
    if not verified:
        raise AssertionError(f"{agent} in {namespace}: nothing was verified: {[(row.kind, row.state, row.note) for row in rows]}")
    return Measured(verified[0].kind, proposed, whole)
