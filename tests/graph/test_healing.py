"""A sick node from suspicion to a verified recovery, on a simulated cluster with the real judge and executor; and what stops it."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from tests.agents.conftest import small
from tests.contracts.healed import Killed, Surgery, attach, pods_on, trail
from tests.contracts.mended import ward

POOL = {"cpu_milli": 16000, "memory_mib": 65536, "instance_type": "m6.4xlarge"}


def world(fault: str = "", *, nodes: int = 5, **more: Any) -> dict[str, Any]:
    """`node-1` has the fault."""
    names = [f"node-{number}" for number in range(1, nodes + 1)]
    return small(world={"nodes": [{"names": names, **POOL, "faults": {"node-1": fault} if fault else {}}]}, **more)


async def test_a_lost_node_is_fenced_with_two_people_and_its_pods_and_volumes_go_elsewhere(tmp_path: Path) -> None:
    async with ward(world("lost"), tmp_path) as cluster:
        await attach(cluster, "data-store-0", "node-1")
        cluster.pass_time(200)
        surgery = Surgery(cluster)
        done = await surgery.heal(await surgery.episode("node-1"))
        assert trail(done) == ["suspected", "confirmed", "cordoned", "fenced", "released", "replaced", "healed"], done.why
        assert surgery.submitted == ["cordon_node", "fence_node"]
        assert len(cluster.approved) == 2
        assert await pods_on(cluster, "node-1") == []
