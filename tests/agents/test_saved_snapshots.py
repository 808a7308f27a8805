"""A look at a cluster that was kept in a file shows what the cluster showed then: the same findings, ids, ages and causes."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from agents.catalogue import AGENTS
from agents.consulting import Consultation, consult, examine
from agents.desk import Desk
from core.cluster.looking import ClusterReader
from core.domain.objective import Objectives
from core.policy import snapshots
from core.policy.snapshots import Saved
from runtime.services import snapshotting
from tests.agents.reliability.conditions.cases import CASES, Case
from tests.agents.reliability.conditions.objects import NOW, cluster, looked_at
from tools.clocks import SystemClock

RELIABILITY = next(agent for agent in AGENTS if agent.name == "reliability")
NAMES = [agent.name for agent in AGENTS]


async def looked(box: Any, name: str, reader: ClusterReader, now: Any, namespaces: tuple[str, ...] = ()) -> Consultation:
    """Without metrics and logs: they are in no snapshot."""
    agent = next(agent for agent in AGENTS if agent.name == name)
    return await consult(
        agent, reader=reader, metrics=None, objectives=Objectives(), prices=None, now=now, run="run-1", namespaces=namespaces, logs=False
    )


async def kept(box: Any, file: Path, namespaces: tuple[str, ...] = ()) -> snapshotting.Source:
    snapshotting.save(file, Saved(await box.reader.snapshot(snapshotting.KINDS, namespaces), "shop", namespaces))
    return snapshotting.opened(file, SystemClock().now())


@pytest.mark.parametrize("name", NAMES)
async def test_the_file_of_the_shop_shows_what_the_shop_showed(box: Callable[..., Any], tmp_path: Path, name: str) -> None:
    shop = box("shop")
    source = await kept(shop, tmp_path / "shop.snap")
    assert source.contents.at is not None
    live = await looked(shop, name, shop.reader, shop.clock.now())
    again = await looked(shop, name, source.reader, source.contents.at)
    assert again.findings == live.findings
    assert again.coverage == live.coverage
    assert [item.action for item in again.proposals] == [item.action for item in live.proposals]


async def test_the_shop_shows_something(box: Callable[..., Any], tmp_path: Path) -> None:
    """So that the test above compares more than nothing with nothing."""
    shop = box("shop")
    source = await kept(shop, tmp_path / "shop.snap")
    found = [await looked(shop, name, source.reader, source.contents.at) for name in NAMES]
    assert sum(len(answer.findings) for answer in found) >= 4
    assert sum(len(answer.coverage.run) for answer in found) >= 60


async def test_one_namespace_of_a_whole_file_is_as_one_namespace_of_the_cluster(box: Callable[..., Any], tmp_path: Path) -> None:
    shop = box("shop")
    source = await kept(shop, tmp_path / "shop.snap")
    namespace = min(item.metadata.namespace for item in (await shop.reader.snapshot(["Pod"])).pods)
    for name in NAMES:
        live = await looked(shop, name, shop.reader, shop.clock.now(), (namespace,))
        assert (await looked(shop, name, source.reader, source.contents.at, (namespace,))).findings == live.findings


async def test_what_was_not_read_stays_unread(box: Callable[..., Any], tmp_path: Path) -> None:
    shop = box("shop")
    whole = await shop.reader.snapshot(snapshotting.KINDS)
    part = {kind: items for kind, items in whole.objects.items() if kind != "Node"}
    file = tmp_path / "part.snap"
    snapshotting.save(file, Saved(type(whole)(whole.cluster, whole.taken_at, part, {"Node": "list nodes is not granted"}), "", ()))
    source = snapshotting.opened(file, SystemClock().now())
    found = await looked(shop, "reliability", source.reader, source.contents.at)
    told = [row for row in found.coverage.not_run if "list nodes is not granted" in row.reason]
    assert any(row.check.startswith("REL-104") for row in told)
    assert ("Node", "list nodes is not granted") in source.contents.unread


@pytest.mark.parametrize("case", CASES, ids=[f"{case.code}-{case.name}" for case in CASES])
def test_every_planted_fault_is_found_in_its_file_too(case: Case) -> None:
    """What is taken out as secret is nothing that a check reads; the quotations in evidence are redacted either way."""
    kept = snapshots.decode(snapshots.encode(Saved(cluster(*case.fault), "", ())), "f").snapshot
    again = examine(RELIABILITY, Desk(kept, NOW, "run-1")).findings
    live = looked_at(case.fault).findings
    assert [(item.id, item.severity, item.title, item.symptom_of) for item in again] == [
        (item.id, item.severity, item.title, item.symptom_of) for item in live
    ]
