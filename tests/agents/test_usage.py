"""Bringing the metrics' pods home to their workloads, and the arithmetic of autoscalers."""

import math
from datetime import UTC, datetime

import pytest

from agents.autoscaling import Autoscaled, cpu_target
from agents.sizes import Size, of_pod, read
from agents.usage import Homes, Owner, Totals, by_container, by_workload, totals
from agents.workloads import Controlled
from core.cluster import objects
from core.cluster.queries import Sample, Series
from core.cluster.snapshot import Snapshot

NOW = datetime(2026, 11, 23, tzinfo=UTC)


def named(name: str) -> objects.Workload:
    return objects.Workload(metadata=objects.Meta(name=name, namespace="apps", uid=f"u-{name}"))


SNAPSHOT = Snapshot(
    "c",
    NOW,
    {
        "Deployment": (named("web"), named("web-cache")),
        "StatefulSet": (named("store"),),
        "DaemonSet": (named("agent"),),
        "Job": (named("train"),),
    },
)


@pytest.mark.parametrize(
    ("pod", "owner"),
    [
        ("web-6d5f7c9b8d-x2x4z", Owner("Deployment", "apps", "web")),
        ("web-cache-6d5f7c9b8d-x2x4z", Owner("Deployment", "apps", "web-cache")),
        ("store-0", Owner("StatefulSet", "apps", "store")),
        ("agent-7k2lp", Owner("DaemonSet", "apps", "agent")),
        ("train-9mm4c", Owner("Job", "apps", "train")),
        ("gone-6d5f7c9b8d-x2x4z", None),
        ("web", None),
        ("", None),
    ],
)
def test_a_pod_that_is_gone_is_known_by_the_shape_of_its_name(pod: str, owner: Owner | None) -> None:
    assert Homes(SNAPSHOT).of("apps", pod) == owner
    assert Homes(SNAPSHOT).of("elsewhere", pod) is None


def sample(pod: str, value: float, container: str = "app") -> Sample:
    return Sample((("container", container), ("namespace", "apps"), ("pod", pod)), 0.0, value)


def test_values_are_kept_by_workload_and_container_and_nonsense_is_left_out() -> None:
    samples = (sample("store-0", 1.0), sample("store-1", 2.0, "proxy"), sample("store-1", math.nan), sample("stranger", 9.0))
    store = Owner("StatefulSet", "apps", "store")
    assert by_workload(Homes(SNAPSHOT), samples) == {store: (1.0, 2.0)}
    assert by_container(Homes(SNAPSHOT), samples) == {(store, "app"): (1.0,), (store, "proxy"): (2.0,)}


def line(pod: str, times: tuple[float, ...], values: tuple[float, ...]) -> Series:
    return Series((("namespace", "apps"), ("pod", pod)), times, values)


def test_series_are_added_time_by_time_also_where_their_times_differ() -> None:
    series = (
        line("store-0", (0.0, 1.0), (1.0, 2.0)),
        line("store-1", (0.0, 1.0), (10.0, 20.0)),
        line("store-2", (1.0, 2.0), (100.0, math.inf)),
    )
    assert totals(Homes(SNAPSHOT), series) == {Owner("StatefulSet", "apps", "store"): Totals((0.0, 1.0), (11.0, 122.0))}


@pytest.mark.parametrize(
    ("cores", "replicas"),
    [(0.0, 0), (0.3, 1), (0.3001, 2), (0.9, 3), (3.15, 11)],
)
def test_replicas_are_the_load_over_request_times_target(cores: float, replicas: int) -> None:
    under = Autoscaled(Controlled("Deployment", named("web"), ()), objects.Autoscaler(), request_milli=500, target_percent=60)
    assert under.needed(cores) == replicas


@pytest.mark.parametrize(
    ("metric", "target"),
    [
        ({"type": "Resource", "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 60}}}, 60),
        ({"type": "Resource", "resource": {"name": "memory", "target": {"type": "Utilization", "averageUtilization": 60}}}, 0),
        ({"type": "Resource", "resource": {"name": "cpu", "target": {"type": "AverageValue", "averageValue": "1"}}}, 0),
        ({"type": "Resource", "resource": None}, 0),
        ({"type": "Resource", "resource": {"name": "cpu", "target": {"averageUtilization": True}}}, 0),
        ({}, 0),
    ],
)
def test_only_a_cpu_utilisation_target_says_what_a_load_needs(metric: dict[str, object], target: int) -> None:
    assert cpu_target(objects.Autoscaler(spec=objects.AutoscalerSpec(metrics=(metric,)))) == target


def test_an_autoscaler_that_follows_two_things_is_not_second_guessed() -> None:
    cpu = {"type": "Resource", "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 60}}}
    assert cpu_target(objects.Autoscaler(spec=objects.AutoscalerSpec(metrics=(cpu, {"type": "Pods"})))) == 0


def test_a_quantity_that_is_none_counts_as_not_asked_for() -> None:
    assert read({"cpu": "many", "memory": "1e99", "nvidia.com/gpu": "-1"}) == Size(0, 0, 0)
    assert read({"cpu": "250m", "memory": "1Gi", "nvidia.com/gpu": 2}) == Size(250, 1024, 2)


def test_a_large_init_container_decides_what_the_scheduler_sets_aside() -> None:
    def container(cpu: str) -> objects.Container:
        requests: objects.Resources = {"cpu": cpu}
        return objects.Container(name="c", resources=objects.ResourceRequirements(requests=requests))

    spec = objects.PodSpec(containers=(container("200m"), container("300m")), init_containers=(container("2"),))
    assert of_pod(spec).cpu_milli == 2000
