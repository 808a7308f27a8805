"""Both Prometheus adapters against a Prometheus HTTP API (the simulator's), and against one that misbehaves."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from core.cluster.queries import Query, Shape
from core.domain.errors import InvalidInput, Unavailable
from tests.contracts.simulated import Simulated, simulated
from tools.metrics.instant import PlainMetrics
from tools.metrics.prometheus import PrometheusMetrics

NOW = datetime(2026, 11, 23, 12, 20, tzinfo=UTC)
SHAPES = [shape for shape in Shape if shape is not Shape.TARGETS_UP]


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulated]:
    with simulated(tmp_path_factory.mktemp("shop"), "shop") as running:
        yield running


def adapters(shop: Simulated) -> tuple[PlainMetrics, PrometheusMetrics]:
    url = f"{shop.url}/prometheus"
    return PlainMetrics(url, ca_file=shop.ca), PrometheusMetrics(url, ca_file=shop.ca)


@pytest.mark.parametrize("shape", SHAPES)
async def test_both_adapters_read_the_same_numbers(shop: Simulated, shape: Shape) -> None:
    plain, through_client = adapters(shop)
    query = Query(shape, "ml" if shape is Shape.GPU_UTILISATION else "shop", window_seconds=86_400)
    mine, theirs = await plain.instant(query, NOW), await through_client.instant(query, NOW)
    await plain.close()
    assert mine == theirs
    assert mine, f"the source has no {shape}"


async def test_a_range_has_one_value_a_step(shop: Simulated) -> None:
    plain, through_client = adapters(shop)
    query = Query(Shape.REQUEST_RATE, "shop")
    mine = await plain.range(query, NOW - timedelta(hours=6), NOW, 3600)
    theirs = await through_client.range(query, NOW - timedelta(hours=6), NOW, 3600)
    await plain.close()
    assert mine == theirs
    assert all(len(series.times) == len(series.values) == 7 for series in mine)


async def test_a_namespace_without_pods_has_no_data_and_no_error(shop: Simulated) -> None:
    plain, _ = adapters(shop)
    assert await plain.instant(Query(Shape.CPU_RATE, "nowhere"), NOW) == ()
    await plain.close()


async def test_a_source_that_is_not_there_is_unavailable() -> None:
    for metrics in (PlainMetrics("http://127.0.0.1:9"), PrometheusMetrics("http://127.0.0.1:9")):
        with pytest.raises(Unavailable, match="Prometheus"):
            await metrics.instant(Query(Shape.CPU_RATE, "shop"), NOW)


@pytest.mark.parametrize("address", ["", "prometheus:9090", "file:///etc/passwd", "http://"])
def test_an_address_that_is_none_is_refused_with_an_example(address: str) -> None:
    for adapter in (PlainMetrics, PrometheusMetrics):
        with pytest.raises(InvalidInput) as refused:
            adapter(address)
        assert "http://prometheus:9090" in refused.value.mend


@pytest.mark.parametrize("namespace", ["", 'shop"} or {x="', "Shop", "a" * 64, "../x"])
def test_a_name_that_is_no_namespace_never_reaches_a_query(namespace: str) -> None:
    with pytest.raises(ValueError, match="namespace"):
        Query(Shape.CPU_RATE, namespace).promql()
