"""Each fault from end to end on the simulator: made, seen by the probes, taken back, and the object as it was before."""

import asyncio
import contextlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from core.actions.catalogue import CATALOGUE
from core.actions.roles import manifests
from core.cluster.kinds import KINDS
from core.domain.outcome import ActionState
from core.domain.values import Json, at_path, canonical
from runtime.settings import Settings
from tests.contracts import experiments
from tests.contracts.experiments import ready
from tests.contracts.simulated import Simulated, simulated
from tools.kubernetes import config, transport
from tools.kubernetes.installing import install

WEB: dict[str, Any] = {
    "name": "web",
    "replicas": 3,
    "image": "registry.apps.example/web:v1.4.2",
    "cpu_request_milli": 100,
    "cpu_limit_milli": 1000,
    "memory_request_mib": 64,
    "memory_limit_mib": 320,
    "ready_seconds": 3,
    "service": True,
    "traffic": {"base_rps": 90, "night_rps": 40},
    "cpu": {"idle_milli": 10, "per_rps_milli": 8},
    "memory": {"base_mib": 100, "needs_mib": 200},
    "latency": {"p99_ms": 80, "rps_per_core": 300},
}
OPEN = {"day2.dev/chaos": "allowed"}


class Case(NamedTuple):
    """One fault in a namespace of its own. `touched` is the object that is written, with the way to the field."""

    namespace: str
    fault: Json
    probes: list[Json]
    touched: tuple[str, str, str]
    word: str
    more: Json = {}


ERRORS = {"name": "errors", "metric": "error_ratio", "most": 100}
SLOW = {"name": "slow", "metric": "throttled_ratio", "most": 300, "severity": "warning"}
CASES = (
    Case("kill", {"kind": "pod_kill"}, [ready(3)], ("Pod", "", "metadata.uid"), "fail"),
    Case("cordon", {"kind": "node_cordon"}, [ready(3)], ("Node", "", "spec.unschedulable"), "pass"),
    Case("drain", {"kind": "node_drain"}, [ready(3)], ("Node", "", "spec.unschedulable"), "fail"),
    Case("cpu", {"kind": "cpu_pressure", "cpu": "100m"}, [ready(2), SLOW], ("Deployment", "web", "spec.template.spec"), "pass"),
    Case(
        "memory",
        {"kind": "memory_pressure", "memory": "128Mi"},
        [ready(3)],
        ("Deployment", "web", "spec.template.spec"),
        "fail",
        {"duration": "3m"},
    ),
    Case("network", {"kind": "network_cut"}, [ERRORS], ("NetworkPolicy", "", ""), "fail"),
    Case(
        "config",
        {"kind": "config_corruption", "map": "settings", "key": "app.mode", "value": "nonsense"},
        [ERRORS],
        ("ConfigMap", "settings", "data"),
        "fail",
    ),
    Case("dependency", {"kind": "dependency_down", "workload": "store"}, [ERRORS], ("Deployment", "store", "spec.replicas"), "fail"),
    Case("image", {"kind": "image_pull_failure"}, [ready(3)], ("Deployment", "web", "spec.template.spec"), "fail"),
)
FAULTS = {case.namespace: case for case in CASES}
MORE: dict[str, Json] = {
    "config": {"template_annotations": {"simulator.day2.dev/reads": "settings/app.mode=on"}},
    "dependency": {"template_annotations": {"simulator.day2.dev/needs": "store"}},
    "image": {"max_unavailable": 1},
    **{key: {"ready_seconds": 30} for key in ("kill", "drain")},  # long enough for two looks also on a busy machine
}
WORLD = {
    "name": "experiments",
    "start": "2026-11-23T12:20:00Z",
    "history_days": 1,
    "nodes": [
        {
            "names": [f"node-{number}" for number in range(1, 7)],
            "cpu_milli": 16000,
            "memory_mib": 65536,
            "instance_type": "m6.4xlarge",
            "labels": OPEN,
            "zones": ["a", "b", "c"],
        }
    ],
    "namespaces": [
        *({"name": name, "labels": OPEN, "network_policy": False} for name in (*FAULTS, "shop", "kube-system")),
        {"name": "shut", "network_policy": False},
    ],
    "config_maps": {"config/settings": {"app.mode": "on", "other": "stays"}},
    "workloads": [
        *({**WEB, "namespace": case.namespace, **MORE.get(case.namespace, {})} for case in CASES),
        {**WEB, "namespace": "shop"},
        {**WEB, "namespace": "shut"},
        {**WEB, "name": "store", "namespace": "dependency", "replicas": 1, "traffic": None},
    ],
}


@contextlib.contextmanager
def running(folder: Path, rate: float = 5.0) -> Iterator[tuple[Simulated, Settings]]:
    """The simulated cluster with the product's rights in it; virtual time passes by itself."""
    (folder / "world.yaml").write_text(json.dumps(WORLD), encoding="utf-8")
    with simulated(folder, world=str(folder / "world.yaml"), rate=rate) as cluster:
        asyncio.run(_allow(cluster.kubeconfigs["admin"]))
        url = f"{cluster.url}/prometheus"
        yield cluster, experiments.settings_of(folder, cluster.kubeconfigs, prometheus=url, ca=cluster.ca, clock=cluster.url)


async def _allow(kubeconfig: Path) -> None:
    async with transport.connect(config.load(kubeconfig)) as admin:
        await install(admin, manifests({"reliability": tuple(CATALOGUE)}))


@pytest.mark.slow
@pytest.mark.timeout(420)
def test_each_fault_is_made_seen_and_taken_back(tmp_path: Path) -> None:
    with running(tmp_path) as (_, settings):
        problems = asyncio.run(_all(settings))
    assert problems == []


async def _all(settings: Settings) -> list[str]:
    async with experiments.opened(settings) as bench:
        return [f"{case.namespace}: {problem}" for case in CASES for problem in await _one(bench, case)]


async def _one(bench: experiments.Bench, case: Case) -> list[str]:
    before = await _touched(bench, case)
    report = await bench.run(experiments.document(case.namespace, case.fault, case.probes, **case.more))
    rows = [bench.product.ledger.get(item["id"]) for item in report["actions"]]
    after, problems = await _touched(bench, case), []
    if report["verdict"]["word"] != case.word:
        problems.append(f"the verdict is {report['verdict']}")
    if report["leftovers"] or report["recovered"] is not True:
        problems.append(f"left {report['leftovers']}, recovered {report['recovered']}")
    for row in rows:
        assert row is not None
        if not row.before:
            problems.append(f"{row.kind} never came to its write: {row.state}: {row.note}")
            continue
        kept = json.loads(row.before)
        if kept["before"] == kept["after"]:
            problems.append(f"{row.kind} wrote nothing")
        if row.state not in (ActionState.ROLLED_BACK, ActionState.VERIFIED) or (row.undo_permit and row.state is ActionState.VERIFIED):
            problems.append(f"{row.kind} ended as {row.state}: {row.note}")
    if case.touched[0] != "Pod" and canonical(before) != canonical(after):
        problems.append(f"{case.touched} was {before} and is {after}")
    if case.word == "fail" and not report["findings"]:
        problems.append("a probe failed, and nothing was found")
    seconds = report["undone_seconds"]
    if case.touched[0] != "Pod" and case.namespace != "drain" and seconds > 10:
        problems.append(f"taking it back took {seconds} s")
    return problems


async def _touched(bench: experiments.Bench, case: Case) -> Any:
    """The fields that the fault writes; of nodes and policies, those of all of them."""
    kind, name, path = case.touched
    if kind in ("Node", "NetworkPolicy"):
        found = await bench.product.reading.reader.list(KINDS[kind], "" if kind == "Node" else case.namespace)
        return [(item["metadata"]["name"], at_path(item, path)) for item in found]
    return at_path(await bench.get(kind, case.namespace, name) or {}, path) if name else None
