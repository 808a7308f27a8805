"""Facts about real use: from two sources, for the container that is cut most, over the pods of today and of the past."""

import copy
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from core.actions.containers import Sizes, Sizing
from core.actions.set_requests import SetRequests
from core.cluster.queries import Query, Sample, Series, Shape
from core.domain.errors import Unavailable
from core.domain.outcome import ActionState as S
from core.domain.target import Target
from gate.judging import usage
from tools.metrics.twin import TableMetrics

GIB = 2**30


def smaller() -> SetRequests:
    target = Target(cluster="cluster-1", group="apps", kind="Deployment", namespace="shop", name="cart", uid="uid-cart")
    sizes = Sizing(container="app", from_sizes=Sizes(cpu_milli=500, memory_mib=1024), to_sizes=Sizes(cpu_milli=300, memory_mib=768))
    return SetRequests(id="act-size1", target=target, sizings=(sizes,))


def sample(pod: str, value: float, container: str = "app") -> Sample:
    return Sample((("container", container), ("namespace", "shop"), ("pod", pod)), 0.0, value)


def metrics(now: Any, hours: range) -> TableMetrics:
    times = tuple((now - timedelta(hours=hour)).timestamp() for hour in hours)
    series = Series((("namespace", "shop"), ("pod", "cart-5d9c7b-abcde")), times, tuple(0.1 for _ in times))
    other = Series((("namespace", "shop"), ("pod", "cartographer-5d9c7b-abcde")), tuple(range(10)), tuple(range(10)))
    foreign = (sample("cartographer-5d9c7b-abcde", 99), sample("cart-5d9c7b-abcde", 99, "sidecar"))
    table = TableMetrics(
        {
            Query(Shape.CPU_QUANTILE, "shop"): (sample("cart-5d9c7b-abcde", 0.2101), sample("cart-77aa-fffff", 0.1), *foreign),
            Query(Shape.CPU_QUANTILE, "shop", 0.99): (sample("cart-5d9c7b-abcde", 0.25), *foreign),
            Query(Shape.MEMORY_MAX, "shop"): (sample("cart-5d9c7b-abcde", 0.5 * GIB), sample("cart-77aa-fffff", 0.6 * GIB), *foreign),
        }
    )
    table.series[Query(Shape.CPU_RATE, "shop")] = (series, other)
    beside = series._replace(labels=(*series.labels, ("container", "sidecar")), values=tuple(0.025 for _ in times))
    table.series[Query(Shape.CPU_MAX, "shop", window_seconds=3600)] = (series, beside, other)
    return table


async def facts(gate: Any) -> Any:
    await gate.submit(gate.proposal(smaller()))
    await gate.judge()
    return gate.rules.seen[-1]


async def test_use_is_that_of_the_targets_own_container_now_and_in_the_past(gate: Any) -> None:
    gate.bench = replace(gate.bench, metrics=metrics(gate.clock.now(), range(7 * 24)))
    found = await facts(gate)
    assert (found.cpu_milli_p95, found.cpu_milli_p99, found.memory_mib_max) == (211, 250, 615)
    assert (found.usage_days, found.usage_coverage_percent) == (7, 100)
    assert (found.requests_cpu_milli_before, found.requests_cpu_milli_after) == (500, 300)
    assert (found.requests_memory_mib_before, found.requests_memory_mib_after) == (1024, 768)


@pytest.mark.parametrize("minutes", [0, 15, 30, 59])
async def test_a_week_is_whole_at_whatever_minute_the_judge_looks(gate: Any, minutes: int) -> None:
    gate.clock.advance(minutes * 60)
    assert gate.clock.now().minute == minutes
    gate.bench = replace(gate.bench, metrics=metrics(gate.clock.now(), range(7 * 24)))
    found = await facts(gate)
    assert (found.usage_days, found.usage_coverage_percent, found.usage_age_seconds) == (7, 100, 0)


async def test_a_gap_and_a_short_past_are_seen(gate: Any) -> None:
    gate.bench = replace(gate.bench, metrics=metrics(gate.clock.now(), range(0, 48, 2)))
    found = await facts(gate)
    assert found.usage_days == 1
    assert 45 <= found.usage_coverage_percent <= 55


@pytest.mark.parametrize(("stopped", "age"), [(0, 0), (1, 3600), (6, 6 * 3600)])
async def test_samples_that_ended_are_as_old_as_their_last_hour(gate: Any, stopped: int, age: int) -> None:
    gate.bench = replace(gate.bench, metrics=metrics(gate.clock.now(), range(stopped, 7 * 24)))
    found = await facts(gate)
    assert found.usage_age_seconds == age
    assert found.usage_coverage_percent == 100


async def test_without_a_source_nothing_is_known(gate: Any) -> None:
    gate.bench = replace(gate.bench, metrics=TableMetrics(down=frozenset(Shape)))
    found = await facts(gate)
    assert (found.cpu_milli_p95, found.memory_mib_max, found.usage_days, found.requests_memory_mib_live_max) == (None, None, None, None)


async def test_the_kubelets_are_the_second_source(gate: Any) -> None:
    async def usage(namespace: str) -> list[Any]:
        row = {"metadata": {"name": "cart-0"}, "containers": [{"name": "app", "usage": {"memory": "700Mi", "cpu": "251000000n"}}]}
        second = {"metadata": {"name": "cart-1"}, "containers": [{"name": "app", "usage": {"memory": "600Mi", "cpu": "270m"}}]}
        return [row, second, {"metadata": {"name": "web-0"}, "containers": [{"name": "app", "usage": {"memory": "9Gi", "cpu": "9"}}]}]

    gate.cluster.usage = usage
    found = await facts(gate)
    assert (found.requests_cpu_milli_live_max, found.requests_memory_mib_live_max) == (270, 700)


@pytest.mark.parametrize(("created", "hours"), [("2026-11-23T09:30:00Z", 2), ("2026-11-20T12:00:00Z", 72), (None, None)])
async def test_a_target_is_as_old_as_it_says(gate: Any, created: str | None, hours: int | None) -> None:
    gate.cluster.object("Deployment", "shop", "cart")["metadata"]["creationTimestamp"] = created
    assert (await facts(gate)).age_hours == hours


async def test_a_recent_kill_for_memory_is_a_fact(gate: Any) -> None:
    assert not (await facts(gate)).oom_killed_recently
    status = gate.cluster.object("Pod", "shop", "cart-1")["status"]["containerStatuses"][0]
    status["lastState"] = {"terminated": {"reason": "OOMKilled", "finishedAt": "2026-11-22T12:00:00Z"}}
    gate.ledger.move("act-size1", S.PERMITTED, S.CANCELLED, role="test", at=gate.clock.now(), event={})
    await gate.submit(gate.proposal(smaller().model_copy(update={"id": "act-size2"})))
    await gate.judge()
    assert gate.rules.seen[-1].oom_killed_recently


@pytest.mark.parametrize("answer", [Unavailable("the metrics API"), "plenty"], ids=["down", "nonsense"])
async def test_a_second_source_that_does_not_answer_takes_nothing_from_the_first(gate: Any, answer: Any) -> None:
    async def usage(namespace: str) -> list[Any]:
        if isinstance(answer, Exception):
            raise answer
        return [{"metadata": {"name": "cart-0"}, "containers": [{"name": "app", "usage": {"memory": answer, "cpu": "270m"}}]}]

    gate.cluster.usage = usage
    gate.bench = replace(gate.bench, metrics=metrics(gate.clock.now(), range(7 * 24)))
    found = await facts(gate)
    assert (found.requests_cpu_milli_live_max, found.requests_memory_mib_live_max) == (None, None)
    assert (found.cpu_milli_p95, found.memory_mib_max) == (211, 615)


async def test_a_pod_of_a_maker_whose_names_nobody_knows_has_its_own_past_only(gate: Any) -> None:
    before = gate.pod("import-x7k2p", "import")
    before["metadata"]["ownerReferences"] = [{"kind": "Job", "name": "import", "controller": True}]
    after = copy.deepcopy(before)
    after["spec"]["containers"][0]["resources"]["requests"]["cpu"] = "300m"
    seen = (sample("import-x7k2p", 0.2), sample("import-zzzzz", 0.4), sample("import", 0.8), sample("import-x7k2p-0", 0.9))
    gate.bench = replace(gate.bench, metrics=TableMetrics({Query(Shape.CPU_QUANTILE, "shop"): seen}))
    assert (await usage.used(gate.bench, before, after, before))["cpu_milli_p95"] == 200


@pytest.mark.parametrize(("down", "demand"), [(frozenset(), 125), (frozenset({Shape.CPU_MAX}), None)], ids=["up", "down"])
async def test_fewer_pods_are_judged_by_the_busiest_hour_of_the_targets_own(gate: Any, down: frozenset[Shape], demand: int | None) -> None:
    source = metrics(gate.clock.now(), range(7 * 24))  # it knows of a busier workload too, whose name begins alike
    source.down = down
    gate.bench = replace(gate.bench, metrics=source)
    await gate.submit(gate.proposal(gate.scale(new=1)))
    await gate.judge()
    found = gate.rules.seen[-1]
    assert (found.cpu_milli_room_before, found.cpu_milli_room_after, found.cpu_milli_demand) == (1000, 500, demand)
