"""Lists all pods once, and says what it cost: one side of the LIST_DECODE bench in a process of its own.

`python -m benchmarks.list_client ours|theirs URL` prints one JSON object: CPU-seconds and wall seconds of the listing, the highest
resident memory of the process, and a digest of the fields that both sides must agree on.
"""

import asyncio
import hashlib
import json
import resource
import sys
import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

Row = list[Any]


def ours(url: str) -> Callable[[], Iterable[Row]]:
    """The product's own reader: paged, into slim structs."""
    from tools.hand_clock import HandClock
    from tools.kubernetes.config import Connection
    from tools.kubernetes.snapshots import SnapshotReader
    from tools.kubernetes.transport import connect

    async def listed() -> Any:
        async with connect(Connection(server=url, context="bench")) as client:
            return await SnapshotReader(client, HandClock(datetime(2026, 1, 5, tzinfo=UTC))).snapshot(("Pod",))

    def run() -> Iterable[Row]:
        found = asyncio.run(listed())
        assert not found.poisoned, found.poisoned[:3]
        return map(_our_row, found.pods)

    return run


def _our_row(pod: Any) -> Row:
    restarts = {status.name: status.restart_count for status in pod.status.container_statuses}
    containers = [[c.name, c.image, dict(c.resources.requests), dict(c.resources.limits), restarts[c.name]] for c in pod.spec.containers]
    meta = pod.metadata
    owners = [[owner.kind, owner.name, owner.uid] for owner in meta.owner_references]
    ready = [condition.status for condition in pod.status.conditions if condition.type == "Ready"]
    return [meta.namespace, meta.name, meta.uid, dict(meta.labels), owners, pod.spec.node_name, pod.status.phase, ready, containers]


def theirs(url: str) -> Callable[[], Iterable[Row]]:
    """The official client's own list call and models."""
    from kubernetes import client

    settings = client.Configuration()
    settings.host = url
    settings.no_proxy = "127.0.0.1"
    api = client.CoreV1Api(client.ApiClient(settings))

    def run() -> Iterable[Row]:
        return map(_their_row, api.list_pod_for_all_namespaces().items)

    return run


def _their_row(pod: Any) -> Row:
    restarts = {status.name: status.restart_count for status in pod.status.container_statuses}
    containers = [[c.name, c.image, dict(c.resources.requests), dict(c.resources.limits), restarts[c.name]] for c in pod.spec.containers]
    meta = pod.metadata
    owners = [[owner.kind, owner.name, owner.uid] for owner in meta.owner_references]
    ready = [condition.status for condition in pod.status.conditions if condition.type == "Ready"]
    return [meta.namespace, meta.name, meta.uid, dict(meta.labels), owners, pod.spec.node_name, pod.status.phase, ready, containers]


def peak_mib() -> float:
    """The most memory this process had resident: by the kernel's own mark, because rusage also counts what the parent had at the fork."""
    status = Path("/proc/self/status")
    if status.exists():
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM:"))
        return int(line.split()[1]) / 1024
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most / 2**20 if sys.platform == "darwin" else most / 1024


def main(side: str, url: str) -> None:
    run = {"ours": ours, "theirs": theirs}[side](url)
    cpu, wall = time.process_time(), time.monotonic()
    rows = run()
    cpu, wall = time.process_time() - cpu, time.monotonic() - wall
    peak = peak_mib()
    digest, count = hashlib.sha256(), 0
    for row in rows:
        digest.update(json.dumps(row, sort_keys=True).encode())
        count += 1
    print(json.dumps({"cpu": cpu, "wall": wall, "peak_mib": peak, "count": count, "digest": digest.hexdigest()}))


if __name__ == "__main__":
    main(*sys.argv[1:])
