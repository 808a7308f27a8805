"""A sick node from suspicion to a verified recovery, on a simulated cluster with the real judge and executor; and what stops it."""

from pathlib import Path
from typing import Any

import pytest

from core.actions.fence_stopped_node import SHUTDOWN
from core.cluster.machines import Machine
from core.domain.outcome import ActionState
from gate.audit import verify_ledger
from runtime.services import healings
from tests.agents.conftest import small
from tests.contracts.healed import Killed, Surgery, attach, pods_on, trail
from tests.contracts.mended import Ward, ward
from tools.machines.twin import TableMachines

POOL = {"cpu_milli": 16000, "memory_mib": 65536, "instance_type": "m6.4xlarge"}
MERGE = {"Content-Type": "application/merge-patch+json"}


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


async def fall_ill(cluster: Ward, how: str) -> None:
    """`node-1`, while pods stand on it."""
    body = {"metadata": {"annotations": {"simulator.day2.dev/node": how}}}
    answer = await cluster.admin.patch("/api/v1/nodes/node-1", json=body, headers=MERGE)
    assert answer.is_success, answer.text
    cluster.pass_time(400)


async def taint(cluster: Ward, node: str, key: str) -> None:
    path = f"/api/v1/nodes/{node}"
    spec = (await cluster.admin.get(path)).json()["spec"]
    body = {"spec": {"taints": [*spec.get("taints", ()), {"key": key, "effect": "NoSchedule"}]}}
    answer = await cluster.admin.patch(path, json=body, headers={"Content-Type": "application/strategic-merge-patch+json"})
    assert answer.is_success, answer.text


async def test_a_machine_that_its_provider_says_is_stopped_is_fenced_without_a_person_and_another_one_is_asked_for_once(
    tmp_path: Path,
) -> None:
    async with ward(world("lost"), tmp_path) as cluster:
        await attach(cluster, "data-store-0", "node-1")
        await taint(cluster, "node-1", SHUTDOWN)
        cluster.pass_time(200)
        machines = TableMachines({"node-1": Machine("off", "stopped")})
        surgery = Surgery(cluster, machines)
        done = await surgery.heal(await surgery.episode("node-1"))
        assert trail(done) == ["suspected", "confirmed", "cordoned", "fenced", "released", "replaced", "healed"], done.why
        assert surgery.submitted == ["cordon_node", "fence_stopped_node"]
        assert cluster.approved == []
        assert machines.asked == {"heal-0001": "node-1"}


async def test_a_machine_that_runs_is_not_fenced_by_the_word_of_whoever_proposes(tmp_path: Path) -> None:
    """The provider that the flow asks says off, and no object in the cluster does: the judge reads for itself."""
    async with ward(world("lost"), tmp_path) as cluster:
        cluster.pass_time(200)
        surgery = Surgery(cluster, TableMachines({"node-1": Machine("off", "stopped")}))
        done = await surgery.heal(await surgery.episode("node-1"))
        assert trail(done)[-1] == "escalated"
        assert "no provider says" in done.why
        assert "fence_stopped_node was denied" in done.why


async def test_a_node_whose_kubelet_answers_is_emptied_pod_by_pod_within_the_budgets(tmp_path: Path) -> None:
    """Ill is not lost: nothing is fenced."""
    async with ward(world(), tmp_path) as cluster:
        await fall_ill(cluster, "disk-pressure")
        before = len(await pods_on(cluster, "node-1"))
        surgery = Surgery(cluster)
        done = await surgery.heal(await surgery.episode("node-1", asked="its disk is failing"))
        assert trail(done) == ["suspected", "confirmed", "cordoned", "drained", "released", "replaced", "healed"], done.why
        assert before
        assert surgery.submitted == ["cordon_node", *["evict_pod"] * before]
        assert await pods_on(cluster, "node-1") == []


async def test_a_drain_that_a_budget_blocks_is_a_persons_after_fifteen_minutes_and_no_pod_was_forced(tmp_path: Path) -> None:
    blocked = {name: {"pdb_min_available": count} for name, count in (("web", 3), ("worker", 2), ("store", 2))}
    async with ward(world(**blocked), tmp_path) as cluster:
        await fall_ill(cluster, "disk-pressure")
        before = len(await pods_on(cluster, "node-1"))
        surgery = Surgery(cluster)
        done = await surgery.heal(await surgery.episode("node-1", asked="its disk is failing"))
        assert trail(done) == ["suspected", "confirmed", "cordoned", "escalated"]
        assert "not empty after 15 minutes" in done.why
        assert "apps/" in done.why, "the budget is named"
        assert surgery.submitted == ["cordon_node"]
        assert len(await pods_on(cluster, "node-1")) == before
        assert (done.since - done.stamps[2].at).total_seconds() < 16 * 60


async def test_a_person_who_says_no_ends_it_and_nothing_is_asked_again(tmp_path: Path) -> None:
    async with ward(world("lost"), tmp_path) as cluster:
        cluster.pass_time(200)
        surgery = Surgery(cluster, no=lambda row: row.kind == "fence_node")
        done = await surgery.heal(await surgery.episode("node-1"))
        assert trail(done) == ["suspected", "confirmed", "cordoned", "escalated"]
        assert surgery.submitted == ["cordon_node", "fence_node"]
        assert "fence_node was denied" in done.why
        assert "its machine still runs" in done.why


async def test_a_gpu_that_fell_off_the_bus_and_a_persons_word_empty_a_node_that_says_it_is_well(tmp_path: Path) -> None:
    pool = {**POOL, "gpus": 4, "names": [f"node-{number}" for number in range(1, 6)], "faults": {"node-1": "gpu-xid"}}
    async with ward(small(world={"nodes": [pool]}), tmp_path) as cluster:
        surgery = Surgery(cluster)
        done = await surgery.heal(await surgery.episode("node-1", asked="jobs die there"))
        assert trail(done) == ["suspected", "confirmed", "cordoned", "drained", "released", "replaced", "healed"], done.why
        assert "XID 79" in done.stamps[1].why
        assert "evict_pod" in surgery.submitted


async def test_one_sign_alone_is_no_diagnosis(tmp_path: Path) -> None:
    async with ward(world(), tmp_path) as cluster:
        surgery = Surgery(cluster)
        done = await surgery.heal(await surgery.episode("node-1", asked="a feeling"))
        assert trail(done) == ["suspected", "escalated"]
        assert "only one sign" in done.why
        assert surgery.submitted == []


async def test_a_node_that_comes_back_before_it_was_touched_is_left_alone(tmp_path: Path) -> None:
    async with ward(world("lost"), tmp_path) as cluster:
        cluster.pass_time(70)
        surgery = Surgery(cluster)
        episode = await surgery.episode("node-1")
        body = {"metadata": {"annotations": {"simulator.day2.dev/node": None}}}
        answer = await cluster.admin.patch("/api/v1/nodes/node-1", json=body, headers=MERGE)
        assert answer.is_success, answer.text
        cluster.pass_time(60)
        done = await surgery.heal(episode)
        assert trail(done) == ["suspected", "recovered"]
        assert surgery.submitted == []


async def test_where_many_nodes_are_sick_none_is_touched(tmp_path: Path) -> None:
    faults = {f"node-{number}": "lost" for number in (1, 2)}
    many = small(world={"nodes": [{"names": [f"node-{number}" for number in range(1, 6)], **POOL, "faults": faults}]})
    async with ward(many, tmp_path) as cluster:
        cluster.pass_time(200)
        surgery = Surgery(cluster)
        done = await surgery.heal(await surgery.episode("node-1"))
        assert trail(done) == ["suspected", "confirmed", "held"]
        assert "2 of 5 nodes of pool m6.4xlarge are not well" in done.why
        assert surgery.submitted == []


async def test_never_two_at_once_in_one_pool(tmp_path: Path) -> None:
    """Of twelve nodes two may be sick. The second episode comes while the first is at work, and is held; so is the next: cooling down."""
    faults = {f"node-{number}": "lost" for number in (1, 2)}
    two = small(world={"nodes": [{"names": [f"node-{number}" for number in range(1, 13)], **POOL, "faults": faults}]})
    async with ward(two, tmp_path) as cluster:
        cluster.pass_time(200)
        first = Surgery(cluster, killed_at=("after cordoned", 1))
        with pytest.raises(Killed):
            await first.heal(await first.episode("node-1"))
        second = Surgery(cluster)
        held = await second.heal(await second.episode("node-2", identity="heal-0002"))
        assert trail(held) == ["suspected", "confirmed", "held"]
        assert "heal-0001 changes this pool" in held.why
        first.killed_at = ("", 0)
        assert trail(await first.heal(healings.episodes(cluster.ledger)[0]))[-1] == "healed"
        later = await second.heal(await second.episode("node-2", identity="heal-0003"))
        assert "cools down" in later.why
        assert second.submitted == []


STAGES = ("confirmed", "cordoned", "fenced", "released", "replaced", "healed")
POINTS = [
    *((f"{when} {stage}", 1) for stage in STAGES for when in ("before", "after")),
    *((f"{when} submit", number) for number in (1, 2) for when in ("before", "after")),
    *(("sleep", number) for number in (1, 4, 9)),
]


@pytest.mark.parametrize("point", POINTS, ids=[f"{name}-{number}".replace(" ", "-") for name, number in POINTS])
async def test_killed_at_any_transition_it_goes_on_and_repeats_no_effect(tmp_path: Path, point: tuple[str, int]) -> None:
    async with ward(world("lost"), tmp_path) as cluster:
        await attach(cluster, "data-store-0", "node-1")
        cluster.pass_time(200)
        surgery = Surgery(cluster, killed_at=point)
        episode = await surgery.episode("node-1")
        with pytest.raises(Killed):
            await surgery.heal(episode)
        surgery.killed_at = ("", 0)
        done = await surgery.heal(episode)
        assert trail(done) == ["suspected", *STAGES], done.why
        rows = cluster.ledger.of_run(episode.id)
        assert sorted(row.kind for row in rows) == ["cordon_node", "fence_node"]
        assert {row.state for row in rows} == {ActionState.VERIFIED}
        (kept,) = healings.episodes(cluster.ledger)
        assert trail(kept) == trail(done)
        assert verify_ledger(cluster.ledger).whole
