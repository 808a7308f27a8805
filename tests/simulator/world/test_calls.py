"""What a caller's clients see depends on whom it calls: times add up, failures come through, and who is asked too much makes all wait."""

import copy
from collections.abc import Callable
from math import factorial
from typing import Any

import httpx
import numpy as np
import pytest
import yaml

from core.cluster.queries import Query, Shape
from simulator.controllers.cluster import DEPLOYMENTS, STATEFUL_SETS
from simulator.metrics import calls, queueing
from simulator.worlds import loading
from simulator.worlds.running import start
from simulator.worlds.world import Call
from tests.simulator.world.conftest import Box

Json = dict[str, Any]
Chain = Callable[..., Box]


@pytest.fixture
def chain() -> Chain:
    """edge calls orders, and hints with a fallback; orders calls store twice. Keyword arguments change workloads."""
    document = yaml.safe_load((loading._HERE / "chain.yaml").read_text(encoding="utf-8"))

    def make(seed: int = 7, **changes: Json) -> Box:
        made = copy.deepcopy(document)
        for workload in made["workloads"]:
            workload |= changes.get(workload["name"], {})
        return Box(start(made, seed=seed))

    return make


def failed(box: Box, service: str) -> float:
    history = box.fleet.timeline.histories["apps", service]
    looks = box.now.timestamp() - np.linspace(60, 0, 6, endpoint=False)
    return float(box.fleet.error_ratio(history, looks[None, :])[0])


def latencies(box: Box) -> dict[str, float]:
    return {name: box.p99_ms("apps", name) for name in ("edge", "orders", "hints", "store")}


def scaled_to_nothing(box: Box, name: str) -> None:
    row = STATEFUL_SETS if name == "store" else DEPLOYMENTS
    box.patch(row, "apps", name, lambda obj: obj["spec"].update(replicas=0))
    box.wait(120)


# -- times ------------------------------------------------------------------------------------------------------------


def test_a_slow_callee_makes_all_before_it_slower_and_nobody_else(chain: Chain) -> None:
    before = latencies(chain())
    after = latencies(chain(store={"latency": {"p99_ms": 300, "rps_per_core": 4000, "servers": 8}}))
    assert after["store"] > 250
    assert after["orders"] > before["orders"] + 250
    assert after["edge"] > before["edge"] + 200
    assert after["hints"] == pytest.approx(before["hints"], rel=0.01)


def test_times_add_up_by_how_often_a_call_is_made(chain: Chain) -> None:
    def edge(often: float) -> float:
        box = chain(edge={"calls": [{"to": "hints", "per_request": often}]}, hints={"latency": {"p99_ms": 200, "rps_per_core": 90000}})
        return box.p99_ms("apps", "edge")

    seldom, once, twice = edge(0.05), edge(1), edge(2)
    assert 60 <= seldom < once < twice
    assert once < 60 + 200, "the slowest of both at once is rarer than the slowest of one"
    assert once > 200


def test_a_request_that_calls_nobody_is_as_the_world_says() -> None:
    own = calls.Answers(np.ones(3), np.array([80.0, 100.0, 900.0]), np.full(3, 0.01))
    alone = calls.joined(own, [])
    assert alone.p99_ms == pytest.approx(own.p99_ms)
    assert alone.errors == pytest.approx(own.errors)


def test_means_of_a_call_are_those_of_the_distribution() -> None:
    asked = calls.asked(Call(to="x"), [calls.Answers(np.ones(1), np.array([100.0]), np.zeros(1))], np.zeros(1))
    median = 100.0 / 99 ** (1 / 3.6)
    levels = (np.arange(200_000) + 0.5) / 200_000
    drawn = median * (levels / (1 - levels)) ** (1 / 3.6)
    assert asked.mean_ms[0] == pytest.approx(drawn.mean(), rel=0.005)
    assert asked.square[0] == pytest.approx((drawn**2).mean(), rel=0.02)


# -- failures ---------------------------------------------------------------------------------------------------------


def test_failures_of_a_callee_are_failures_of_its_callers(chain: Chain) -> None:
    box = chain(store={"image": "registry.apps.example/store:errors"})
    assert failed(box, "store") == pytest.approx(0.06, abs=0.005)
    assert failed(box, "orders") == pytest.approx(1 - 0.94**2, abs=0.005), "two calls, either may fail"
    assert failed(box, "edge") == pytest.approx(failed(box, "orders"), abs=0.005)
    assert failed(box, "hints") < 0.001


def test_a_call_that_is_made_seldom_fails_seldom(chain: Chain) -> None:
    box = chain(hints={"image": "registry.apps.example/hints:errors"}, edge={"calls": [{"to": "hints", "per_request": 0.5}]})
    assert failed(box, "edge") == pytest.approx(0.03, abs=0.005)


def test_a_fallback_answers_for_a_callee_that_fails(chain: Chain) -> None:
    assert failed(chain(hints={"image": "registry.apps.example/hints:errors"}), "edge") < 0.005


def test_a_callee_that_is_gone_fails_its_callers_and_comes_back_to_them(chain: Chain) -> None:
    box = chain()
    scaled_to_nothing(box, "store")
    assert failed(box, "orders") > 0.99
    assert failed(box, "edge") > 0.99
    box.patch(STATEFUL_SETS, "apps", "store", lambda obj: obj["spec"].update(replicas=2))
    box.wait(240)
    assert failed(box, "edge") < 0.005


def test_a_fallback_holds_when_the_callee_is_gone_and_nobody_waits_for_it(chain: Chain) -> None:
    box = chain()
    before = box.p99_ms("apps", "edge")
    scaled_to_nothing(box, "hints")
    assert failed(box, "hints") > 0.99
    assert failed(box, "edge") < 0.005
    assert box.p99_ms("apps", "edge") <= before


def test_who_waits_no_longer_than_a_timeout_fails_instead(chain: Chain) -> None:
    slow = {"latency": {"p99_ms": 4000, "rps_per_core": 90000}}
    patient = chain(hints=slow, edge={"calls": [{"to": "hints"}]})
    hasty = chain(hints=slow, edge={"calls": [{"to": "hints", "timeout_ms": 500}]})
    assert patient.p99_ms("apps", "edge") > 3000
    assert failed(patient, "edge") < 0.05
    assert hasty.p99_ms("apps", "edge") < 1600
    assert failed(hasty, "edge") > 0.5


# -- load -------------------------------------------------------------------------------------------------------------


def test_calls_are_load_of_whom_they_reach_and_none_where_the_caller_is_gone(chain: Chain) -> None:
    box = chain()
    times = np.array([box.now.timestamp()])

    def demand(name: str) -> float:
        return float(box.fleet.demand(box.fleet.timeline.histories["apps", name].workload, times)[0])

    assert demand("orders") == pytest.approx(demand("edge"))
    assert demand("store") == pytest.approx(2 * demand("edge"))
    assert demand("hints") == pytest.approx(0.5 * demand("edge"))
    (used, *_) = [box.fleet.cpu_milli(pod, box.now) for pod in box.pods("apps", "store")]
    assert used == pytest.approx(20 + 4 * demand("store") / 2, rel=0.15)
    scaled_to_nothing(box, "orders")
    times = np.array([box.now.timestamp()])
    assert demand("store") == 0
    assert demand("hints") > 0


def test_waiting_grows_without_bound_as_a_pod_fills_up_and_callers_feel_it(chain: Chain) -> None:
    """orders has 3 pods of 600 milli-cores: what each can serve is its rps_per_core times that; 91.5 requests a second come."""

    def at(utilisation: float) -> Box:
        return chain(orders={"latency": {"p99_ms": 90, "servers": 4, "rps_per_core": 91.5 / 3 / 0.6 / utilisation}})

    waits = [at(load).p99_ms("apps", "orders") for load in (0.2, 0.6, 0.9, 0.97)]
    assert waits == sorted(waits)
    assert waits[1] < 1.3 * waits[0]
    assert waits[2] > 2 * waits[0]
    assert waits[3] > 4 * waits[0]
    full = at(1.5)
    assert failed(full, "orders") == pytest.approx(1 / 3, abs=0.02)
    assert failed(full, "edge") == pytest.approx(1 / 3, abs=0.02)


@pytest.mark.parametrize("servers", [1, 2, 4, 8, 32])
@pytest.mark.parametrize("load", [0.3, 0.6, 0.8, 0.9, 0.95])
def test_the_wait_is_near_the_exact_one_of_such_a_queue(servers: int, load: float) -> None:
    """Erlang's C formula, over the service time."""
    offered = servers * load
    full = offered**servers / factorial(servers) / (1 - load)
    waits = full / (sum(offered**each / factorial(each) for each in range(servers)) + full)
    exact = 1 + waits / (servers * (1 - load))
    assert queueing.queue(np.array([load]), servers).times[0] == pytest.approx(exact, rel=0.12)


# -- what is shown, and what is refused -------------------------------------------------------------------------------


async def test_the_metrics_source_has_series_of_who_is_only_called(chain: Chain) -> None:
    box = chain()
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=box.running.metrics_app), base_url="http://prometheus") as http:
        for shape in (Shape.REQUEST_RATE, Shape.ERROR_RATIO, Shape.LATENCY_P99):
            text = Query(shape, "apps", rate_seconds=60).promql()
            found = (await http.post("/api/v1/query", data={"query": text})).json()["data"]["result"]
            assert {row["metric"]["service"] for row in found} == {"edge", "orders", "hints", "store"}
        buckets = await http.post("/api/v1/query", data={"query": 'http_request_duration_seconds_bucket{service="store",le="+Inf"}'})
        assert float(buckets.json()["data"]["result"][0]["value"][1]) > 0


def test_the_same_seed_gives_the_same_answers_and_another_other_ones(chain: Chain) -> None:
    assert latencies(chain(seed=3)) == latencies(chain(seed=3))
    assert latencies(chain(seed=3)) != latencies(chain(seed=4))


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"store": {"calls": [{"to": "ledger"}]}}, "workload apps/store calls ledger, which the world does not have"),
        ({"store": {"calls": [{"to": "other/edge"}]}}, "calls other/edge, which the world does not have"),
        ({"store": {"calls": [{"to": "edge"}]}}, "workloads call one another in a circle: apps/"),
        ({"store": {"calls": [{"to": "store"}]}}, "in a circle: apps/store <- apps/store"),
        ({"store": {"calls": [{"to": "edge", "per_request": 0}]}}, "calls.0.per_request"),
    ],
)
def test_calls_that_cannot_be_are_refused_with_their_names(chain: Chain, changes: Json, told: str) -> None:
    with pytest.raises(loading.WorldError, match=told):
        chain(**changes)


def test_pods_are_looked_at_ahead_only_as_long_as_nothing_moves(chain: Chain) -> None:
    """A mean that was worked out before is the one that is worked out now."""
    box = chain()
    for _ in range(6):
        box.wait(45)
        pods = [pod for name in ("edge", "store") for pod in box.pods("apps", name)]
        known = [box.fleet.cpu_milli(pod, box.now) for pod in pods]
        for kept in box.fleet._ahead:
            kept.clear()
        box.fleet._reaches.clear()
        assert known == [box.fleet.cpu_milli(pod, box.now) for pod in pods]
    scaled_to_nothing(box, "edge")
    assert all(box.fleet.cpu_milli(pod, box.now) < 30 for pod in box.pods("apps", "store"))
