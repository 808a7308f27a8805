"""Worlds load, are refused with a place, and are the same for the same seed."""

import os
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from simulator.controllers.cluster import DEPLOYMENTS, JOBS, NAMESPACES, NODES, PODS
from simulator.resources import RESOURCES
from simulator.worlds import loading, machines
from simulator.worlds.running import start
from simulator.worlds.world import Fault

Small = Callable[..., Any]
ROOT = Path(__file__).parents[3]


def everything(box: Any) -> bytes:
    """All objects of a cluster as bytes."""
    return b"\n".join(stored.encoded for row in RESOURCES if not row.storage[1] for stored in box.store.list_stored(row))


def test_the_same_seed_is_the_same_cluster_to_the_byte_after_half_an_hour() -> None:
    one, two = start("shop", seed=11), start("shop", seed=11)
    for running in (one, two):
        running.clock.advance(1800)
    assert everything(one) == everything(two)


PRINT_DIGEST = """
import hashlib
from simulator.resources import RESOURCES
from simulator.worlds.running import start
running = start("shop", seed=11)
running.clock.advance(1800)
parts = [stored.encoded for row in RESOURCES if not row.storage[1] for stored in running.store.list_stored(row)]
print(hashlib.sha256(b"\\n".join(parts)).hexdigest())
"""


def test_another_process_with_another_hash_seed_makes_the_same_bytes() -> None:
    def digest(hash_seed: str) -> str:
        ended = subprocess.run(
            [sys.executable, "-c", PRINT_DIGEST],
            env={**os.environ, "PYTHONHASHSEED": hash_seed},
            capture_output=True,
            text=True,
            check=True,
            cwd=ROOT,
        )
        return ended.stdout.strip()

    assert digest("1") == digest("2")


def test_it_does_not_matter_in_which_steps_time_is_advanced() -> None:
    one, two = start("shop", seed=11), start("shop", seed=11)
    one.clock.advance(600)
    for _ in range(60):
        two.clock.advance(10)
    assert everything(one) == everything(two)


def test_two_seeds_are_two_clusters() -> None:
    one, two = start("small", seed=1), start("small", seed=2)
    assert everything(one) != everything(two)
    names = [{pod["metadata"]["name"] for pod in running.store.list(PODS) if "web" in pod["metadata"]["name"]} for running in (one, two)]
    assert names[0].isdisjoint(names[1])


def test_the_shop_stands_at_its_start_with_everything_that_was_planted(shop: Any) -> None:
    assert shop.now == datetime(2026, 11, 23, 12, 20, tzinfo=UTC)
    assert len(shop.store.list(NODES)) == 6
    assert {"shop", "payments", "ml", "platform", "tools"} <= {each["metadata"]["name"] for each in shop.store.list(NAMESPACES)}
    shell = shop.get(PODS, "platform", "debug-shell")
    assert shell["spec"]["hostPID"] is True
    assert shell["spec"]["containers"][0]["securityContext"]["privileged"] is True
    assert "ownerReferences" not in shell["metadata"]
    assert shell["metadata"]["creationTimestamp"] == "2026-11-17T12:20:00Z"
    tools = shop.get(NAMESPACES, None, "tools")["metadata"]["labels"]
    assert not [key for key in tools if key.startswith("pod-security")]


def test_the_payments_namespace_has_nothing_to_complain_of(shop: Any) -> None:
    for pod in shop.store.list(PODS, "payments"):
        spec, container = pod["spec"], pod["spec"]["containers"][0]
        assert shop.condition(pod, "Ready")["status"] == "True"
        assert pod["status"]["containerStatuses"][0]["restartCount"] == 0
        assert spec["automountServiceAccountToken"] is False
        assert spec["serviceAccountName"] not in ("", "default")
        assert {"readinessProbe", "livenessProbe"} <= container.keys()
        assert container["securityContext"]["capabilities"]["drop"] == ["ALL"]
        assert container["resources"]["limits"]["memory"]
        assert not container["image"].endswith(":latest")


def test_the_past_has_the_times_at_which_things_happened(shop: Any) -> None:
    checkout = shop.deployment("shop", "checkout")
    managers = {each["manager"]: each["time"] for each in checkout["metadata"]["managedFields"]}
    assert managers["kubectl-client-side-apply"] == "2026-11-23T11:55:00Z"
    assert "kube-controller-manager" in managers
    assert checkout["metadata"]["creationTimestamp"].startswith("2026-11-14")
    assert len([job for job in shop.store.list(JOBS, "tools") if shop.condition(job, "Complete")]) == 3


def test_bundled_worlds_load() -> None:
    assert {"shop", "small"} <= set(loading.bundled())
    assert loading.load("shop").prices["m6.4xlarge"] > 0


@pytest.mark.parametrize(
    ("document", "place"),
    [
        ({"name": "x", "start": "2026-11-23T12:20:00", "nodes": []}, "start"),
        ({"name": "x", "start": "2026-11-23T12:20:00Z", "nodes": []}, "nodes"),
        (
            {
                "name": "x",
                "start": "2026-11-23T12:20:00Z",
                "nodes": [{"names": ["a"], "cpu_milli": 1, "memory_mib": 1, "instance_type": "t", "colour": 1}],
            },
            "colour",
        ),
    ],
)
def test_a_world_that_is_wrong_is_refused_with_the_place(document: dict[str, Any], place: str) -> None:
    with pytest.raises(loading.WorldError, match=place):
        loading.load(document)


def test_an_unknown_world_names_the_known_ones() -> None:
    with pytest.raises(loading.WorldError, match="shop, small"):
        loading.load("atlantis")


def traces(box: Any) -> list[Any]:
    """What of a fault can be seen: how many objects of each kind, the template, its containers' states, and the workload's behaviour."""
    counts = [len(box.store.list(row)) for row in RESOURCES if row.plural != "events"]
    templates = [each["spec"] for each in box.store.list(DEPLOYMENTS)]
    ready = sorted(str(box.condition(pod, "Ready").get("status")) for pod in box.pods("apps", "web"))
    behaviour = next(each for each in box.running.world.workloads if each.name == "web").model_dump(exclude={"faults"})
    return [counts, templates, ready, behaviour]


@pytest.mark.parametrize("fault", sorted(set(Fault.__args__) - {"gang-stuck", "gpu-idle"}))  # type: ignore[attr-defined]
def test_every_fault_can_be_planted_in_the_small_world(small: Small, fault: str) -> None:
    box, healthy = small(web={"faults": [fault]}).wait(60), small().wait(60)
    assert box.pods("apps", "web")
    assert traces(box) != traces(healthy)


def test_a_namespace_can_be_left_without_pod_security(small: Small) -> None:
    box = small(world={"namespaces": [{"name": "apps", "faults": ["no-psa-labels"]}]})
    labels = box.get(NAMESPACES, None, "apps")["metadata"]["labels"]
    assert not [key for key in labels if key.startswith("pod-security")]


def test_a_deleted_namespace_is_emptied_and_goes(small: Small) -> None:
    box = small()
    box.store.delete(NAMESPACES, None, "apps")
    box.wait(2)
    assert box.get(NAMESPACES, None, "apps")["status"]["phase"] == "Terminating"
    box.wait(120)
    assert box.store.get(NAMESPACES, None, "apps") is None
    assert box.pods("apps", "web") == []


def test_no_two_machines_share_an_address_whatever_their_names_have_in_common(small: Small) -> None:
    pool = {"cpu_milli": 4000, "memory_mib": 16384, "instance_type": "m6.xlarge"}
    names = [f"n-{first}{second}" for first in range(10) for second in range(10)]  # n-12 and n-21 are the same letters
    nodes = [{"names": names, **pool}, {"names": [f"m{name}" for name in names], **pool}]
    found = small(world={"nodes": nodes}).store.list(NODES)
    addresses = {each["address"] for node in found for each in node["status"]["addresses"] if each["type"] == "InternalIP"}
    assert len(addresses) == len({node["spec"]["podCIDR"] for node in found}) == len(found) == 200
    assert len({machines.address(slot) for slot in range(20_000)}) == 20_000
