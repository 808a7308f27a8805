"""Jobs, CronJobs and DaemonSets, and what else a world may hold."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from simulator.controllers.cluster import CRON_JOBS, DAEMON_SETS, JOBS, NODES, PODS
from simulator.controllers.cronjobs import next_time
from simulator.controllers.fates import number
from simulator.resources import by_kind, resource

Small = Callable[..., Any]
MONDAY = datetime(2026, 11, 23, 12, 20, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("schedule", "wanted"),
    [
        ("0 3 * * *", "2026-11-24T03:00"),
        ("*/15 * * * *", "2026-11-23T12:30"),
        ("20 12 * * *", "2026-11-24T12:20"),
        ("0 9-17/4 * * 1-5", "2026-11-23T13:00"),
        ("0 0 1 1 *", "2027-01-01T00:00"),
        ("30 6 * * 0", "2026-11-29T06:30"),
        ("30 6 * * 7", "2026-11-29T06:30"),
        ("0 0 29 2 *", "2028-02-29T00:00"),
    ],
)
def test_a_schedule_names_its_next_time(schedule: str, wanted: str) -> None:
    found = next_time(schedule, MONDAY)
    assert found is not None
    assert found.isoformat().startswith(wanted)


def test_a_schedule_that_never_comes_has_no_next_time() -> None:
    assert next_time("0 0 31 2 *", MONDAY) is None


def test_a_cron_job_runs_at_its_time_and_keeps_three(shop: Any) -> None:
    shop.patch(CRON_JOBS, "tools", "reports", lambda obj: obj["spec"].update(schedule="*/10 * * * *"))
    shop.wait(3600)
    jobs = shop.store.list(JOBS, "tools")
    assert len([job for job in jobs if shop.condition(job, "Complete")]) == 3
    assert shop.get(CRON_JOBS, "tools", "reports")["status"]["lastScheduleTime"] == "2026-11-23T13:20:00Z"


def test_a_suspended_cron_job_starts_nothing(shop: Any) -> None:
    before = {job["metadata"]["name"] for job in shop.store.list(JOBS, "tools")}
    shop.patch(CRON_JOBS, "tools", "reports", lambda obj: obj["spec"].update(schedule="*/10 * * * *", suspend=True))
    shop.wait(1800)
    assert {job["metadata"]["name"] for job in shop.store.list(JOBS, "tools")} == before


def test_a_job_whose_pods_crash_fails_after_its_retries(small: Small) -> None:
    box = small(once={"kind": "Job", "image": "registry.apps.example/once:crash", "age_hours": 0.001, "run_seconds": 30})
    box.wait(3600)
    job = box.get(JOBS, "apps", "once")
    assert box.condition(job, "Failed")["reason"] == "BackoffLimitExceeded"
    assert job["status"]["failed"] == 7


def test_a_daemon_set_follows_the_nodes(shop: Any) -> None:
    assert shop.get(DAEMON_SETS, "platform", "log-shipper")["status"]["numberReady"] == 6
    new = {**shop.get(NODES, None, "general-1"), "metadata": {"name": "general-9", "labels": {"kubernetes.io/hostname": "general-9"}}}
    shop.store.create(NODES, new)
    shop.wait(60)
    assert shop.get(DAEMON_SETS, "platform", "log-shipper")["status"]["numberReady"] == 7
    shop.store.delete(NODES, None, "general-9")
    shop.wait(60)
    assert shop.get(DAEMON_SETS, "platform", "log-shipper")["status"]["desiredNumberScheduled"] == 6
    assert not [pod for pod in shop.store.list(PODS, "platform") if pod["spec"].get("nodeName") == "general-9"]


def test_a_flapping_node_comes_and_goes(small: Small) -> None:
    pool = {"names": ["node-1", "node-2"], "cpu_milli": 16000, "memory_mib": 65536, "instance_type": "m6", "faults": {"node-2": "flapping"}}
    box = small(world={"nodes": [pool]})
    seen = set()
    for _ in range(10):
        box.wait(60)
        seen.add(box.condition(box.get(NODES, None, "node-2"), "Ready")["status"])
    assert seen == {"True", "False"}


def test_a_world_may_hold_any_further_object(small: Small) -> None:
    claim = {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": "left-over", "namespace": "apps"},
        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "100Gi"}}},
    }
    box = small(world={"objects": [{"age_hours": 960, "object": claim}]})
    found = box.get(resource("", "persistentvolumeclaims"), "apps", "left-over")
    assert found["metadata"]["creationTimestamp"].startswith("2026-10-14")


@pytest.mark.parametrize("text", ["²", "9" * 5000, "-1", "1e3", "", "{}", None])
def test_an_annotation_that_is_no_number_counts_as_not_given(text: str | None) -> None:
    assert number(text, 5) == 5


def test_a_hostile_annotation_does_not_stop_the_cluster(small: Small) -> None:
    box = small()
    notes = {
        "simulator.day2.dev/ready-seconds": "9" * 5000,
        "scheduling.day2.dev/min-available": "²",
        "simulator.day2.dev/term-seconds": "x",
    }
    pod = {
        "metadata": {"name": "odd", "namespace": "apps", "annotations": notes},
        "spec": {"containers": [{"name": "odd", "image": "registry.apps.example/odd:v1"}]},
    }
    box.store.create(PODS, pod)
    box.wait(30)
    assert box.condition(box.get(PODS, "apps", "odd"), "Ready")["status"] == "True"


POISON: list[dict[str, Any]] = [
    {"apiVersion": "batch/v1", "kind": "CronJob", "spec": {"schedule": "every day", "jobTemplate": {}}},
    {"apiVersion": "batch/v1", "kind": "CronJob", "spec": {"schedule": "0 0 * * jan", "jobTemplate": {"spec": {}}}},
    {"apiVersion": "apps/v1", "kind": "Deployment", "spec": {"replicas": 1, "selector": {}}},
    {"apiVersion": "apps/v1", "kind": "StatefulSet", "spec": {"replicas": 1}},
    {"apiVersion": "apps/v1", "kind": "ReplicaSet", "spec": {"replicas": 2}},
    {"apiVersion": "batch/v1", "kind": "Job", "spec": {"parallelism": 1}},
    {"apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "spec": {"minAvailable": "half"}},
    {"apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler", "spec": {"maxReplicas": 3}},
    {"apiVersion": "v1", "kind": "Service", "spec": {"selector": {"app": "x"}, "ports": [{}]}},
    {
        "apiVersion": "v1",
        "kind": "Pod",
        "spec": {"containers": [{"name": "odd", "image": "x:1", "resources": {"requests": {"cpu": "lots"}}}]},
    },
]


@pytest.mark.parametrize("body", POISON, ids=lambda body: body["kind"])
def test_a_malformed_object_does_not_stop_the_rest(small: Small, body: dict[str, Any]) -> None:
    box = small()
    box.store.create(by_kind(body["apiVersion"], body["kind"]), {**body, "metadata": {"name": "poison", "namespace": "apps"}})
    box.set_image("apps", "web", "registry.apps.example/web:v9.0.0")
    box.wait(120)
    assert box.deployment("apps", "web")["status"]["updatedReplicas"] == 3
    assert box.deployment("apps", "web")["status"]["readyReplicas"] == 3
