"""What is measured of GPUs and links: each planted fault is found on its node, and its healthy twin is silent."""

from collections.abc import Callable
from typing import Any

import pytest

NODES = {"names": [f"node-{number}" for number in range(1, 5)], "cpu_milli": 16000, "memory_mib": 65536, "instance_type": "m6.4xlarge"}
GPUS = {"names": ["gpu-1", "gpu-2"], "cpu_milli": 32000, "memory_mib": 131072, "gpus": 4, "instance_type": "g6.12xlarge"}
FAULTS = {
    "gpu-xid": ("REL-201", "gpu-2", "XID 79"),
    "gpu-ecc": ("REL-202", "gpu-2", "3 uncorrectable memory errors on GPU 0"),
    "nic-errors": ("REL-203", "node-2", "2.00 % broken frames"),
    "fabric-down": ("REL-204", "node-2", "4 times within an hour"),
    "gpu-lost": ("REL-205", "gpu-2", "3 of its 4 nvidia.com/gpu"),
}


def world(small: Callable[..., dict[str, Any]], **faults: str) -> dict[str, Any]:
    pools = [{**pool, "faults": {name: fault for name, fault in faults.items() if name in pool["names"]}} for pool in (NODES, GPUS)]
    return small(world={"nodes": pools, "prices": {"m6.4xlarge": 768000, "g6.12xlarge": 4602000}})


@pytest.mark.parametrize("fault", FAULTS)
async def test_a_fault_of_the_hardware_is_found_on_its_node_alone(
    fault: str, box: Callable[..., Any], small: Callable[..., dict[str, Any]]
) -> None:
    code, node, words = FAULTS[fault]
    cluster = box(world(small, **{node: fault}))
    answer = await cluster.consult("reliability")
    told = [finding for finding in answer.findings if finding.code.startswith("REL-2")]
    assert [(finding.code, finding.subject.name) for finding in told] == [(code, node)]
    assert words in told[0].title
    assert told[0].evidence
    assert not [row for row in answer.coverage.not_run if row.check.startswith("REL-2")]


async def test_well_hardware_is_silent(box: Callable[..., Any], small: Callable[..., dict[str, Any]]) -> None:
    answer = await box(world(small)).consult("reliability")
    assert [finding.code for finding in answer.findings if finding.code.startswith("REL-2")] == []
    assert {f"REL-20{number}" for number in range(1, 8)} <= {row.split()[0] for row in answer.coverage.run}
