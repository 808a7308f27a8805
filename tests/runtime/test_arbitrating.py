"""Arbitration is handed what was read of the cluster, and goes on without it where nothing can be read."""

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from core.actions.scale_workload import ScaleWorkload
from core.actions.set_hpa_bounds import SetHpaBounds
from core.cluster.objects import Autoscaler, Node, Workload
from core.cluster.snapshot import Snapshot
from core.domain.action import Action
from core.domain.errors import Unavailable
from core.domain.evidence import observe
from core.domain.proposal import Effect, Proposal
from core.domain.target import Target
from runtime.arbitrating import arbitrated
from runtime.declared import Declared
from tools.hand_clock import HandClock
from tools.stores.memory import MemoryLedger

NOW = datetime(2026, 1, 5, 12, 0, tzinfo=UTC)


class Reader:
    """Answers every snapshot with the same one, or not at all."""

    def __init__(self, found: Snapshot | None) -> None:
        self.found = found
        self.asked = 0

    async def snapshot(self, kinds: Any, namespaces: Any = ()) -> Snapshot:
        self.asked += 1
        if self.found is None:
            raise Unavailable("the Kubernetes API")
        return self.found


def target(kind: str, name: str, group: str = "apps") -> Target:
    return Target(cluster="c-1", group=group, kind=kind, namespace="shop", name=name, uid=f"u-{name}")


def proposal(action: Action, priority: int, cpu_milli: int = 0) -> Proposal:
    return Proposal(
        action=action,
        agent="scaling",
        run="run-1",
        why="because",
        priority=priority,
        evidence=(observe("object", action.target, "spec.replicas", "4", NOW),),
        effect=Effect(summary="better", capacity_cpu_milli=cpu_milli),
        expires_at=NOW + timedelta(hours=1),
    )


def scale(name: str, priority: int, cpu_milli: int) -> Proposal:
    action = ScaleWorkload(id=f"act-{name}0", target=target("Deployment", name), from_replicas=2, to_replicas=4)
    return proposal(action, priority, cpu_milli)


def cluster() -> Snapshot:
    node = {
        "metadata": {"name": "n1"},
        "status": {"allocatable": {"cpu": "4", "memory": "8Gi"}, "conditions": [{"type": "Ready", "status": "True"}]},
    }
    workload = {"metadata": {"name": "front", "namespace": "shop", "uid": "u-front"}}
    scaler = {
        "metadata": {"name": "scaler", "namespace": "shop", "uid": "u-scaler"},
        "spec": {"scaleTargetRef": {"kind": "Deployment", "name": "front"}},
    }
    objects = {
        "Node": (msgspec.convert(node, Node),),
        "Pod": (),
        "Deployment": (msgspec.convert(workload, Workload),),
        "HorizontalPodAutoscaler": (msgspec.convert(scaler, Autoscaler),),
    }
    return Snapshot("c-1", NOW, objects)


async def outcome(reader: Any, *proposals: Proposal) -> Any:
    return await arbitrated(MemoryLedger(), reader, HandClock(NOW), Declared(), proposals, {})


async def test_what_is_free_on_nodes_comes_from_the_cluster() -> None:
    result = await outcome(Reader(cluster()), scale("left", 10, 3000), scale("right", 90, 3000))
    assert [winner.action.target.name for winner in result.winners] == ["right"]
    assert "it wants 3000m CPU of the open nodes, and 1000m CPU would be left of 4000m CPU free" in result.held[0].reason


async def test_an_autoscaler_of_any_name_is_known_for_its_workloads() -> None:
    bounds = SetHpaBounds(
        id="act-bounds", target=target("HorizontalPodAutoscaler", "scaler", "autoscaling"), from_min=1, from_max=4, to_min=2, to_max=4
    )
    result = await outcome(Reader(cluster()), scale("front", 10, 0), proposal(bounds, 90))
    assert [held.by for held in result.held] == ["act-bounds"]


async def test_a_cluster_that_cannot_be_read_limits_nobody(caplog: pytest.LogCaptureFixture) -> None:
    result = await outcome(Reader(None), scale("left", 10, 3000), scale("right", 90, 3000))
    assert len(result.winners) == 2
    assert "without knowing what is free" in caplog.text


async def test_one_proposal_alone_costs_no_look() -> None:
    reader = Reader(cluster())
    await outcome(reader, scale("left", 10, 9000))
    assert reader.asked == 0
