"""Looks at probes and their tallies: missing data is neither good nor bad, and is counted apart."""

import math
from datetime import UTC, datetime
from typing import Any

import pytest

from agents.reliability.experiments import probing
from agents.reliability.experiments.probing import Seen, View
from core.cluster.queries import Sample

NOW = datetime(2026, 1, 5, 12, tzinfo=UTC)
ERRORS = {"name": "errors", "metric": "error_ratio", "most": 50}


def sample(value: float, **labels: str) -> Sample:
    return Sample(tuple(sorted(labels.items())), 0.0, value)


def outcome(shop: Any, probe: dict[str, Any], *samples: Sample, pods: Any = None) -> str:
    experiment = shop.experiment(hypothesis=[probe])
    view = View({"web": pods if pods is not None else shop.scene().pods}, {probe["name"]: samples})
    (seen,) = probing.look(experiment, view, "web")
    return str(seen.outcome)


def test_ready_counts_ready_pods(shop: Any) -> None:
    assert outcome(shop, {"name": "r", "ready": 3}) == "pass"
    assert outcome(shop, {"name": "r", "ready": 3}, pods=(shop.pod(1), shop.pod(2), shop.pod(3, ready=False))) == "fail"


def test_pods_that_could_not_be_read_are_no_data(shop: Any) -> None:
    experiment = shop.experiment(hypothesis=[{"name": "r", "ready": 1}])
    assert probing.look(experiment, View({"web": None}, {}), "web")[0].outcome == "no_data"


def test_a_metric_is_judged_by_its_own_service_in_its_unit(shop: Any) -> None:
    assert outcome(shop, ERRORS, sample(0.05, service="web")) == "pass"
    assert outcome(shop, ERRORS, sample(0.051, service="web")) == "fail"
    assert outcome(shop, ERRORS, sample(0.9, service="pay")) == "no_data"
    assert outcome(shop, ERRORS | {"service": "pay"}, sample(0.9, service="pay")) == "fail"


def test_of_pods_the_worst_counts_and_those_of_others_do_not(shop: Any) -> None:
    probe = {"name": "m", "metric": "memory_now", "most": 100}
    assert outcome(shop, probe, sample(50 * 2**20, pod="web-1"), sample(101 * 2**20, pod="web-2")) == "fail"
    assert outcome(shop, probe, sample(50 * 2**20, pod="web-1"), sample(900 * 2**20, pod="pay-1")) == "pass"
    assert outcome(shop, {"name": "m", "metric": "memory_now", "least": 60}, sample(50 * 2**20, pod="web-1")) == "fail"


@pytest.mark.parametrize("value", [math.nan])
def test_what_is_no_number_is_no_data(shop: Any, value: float) -> None:
    assert outcome(shop, ERRORS, sample(value, service="web")) == "no_data"


def tally(*outcomes: Any) -> Any:
    found: Any = {}
    for each in outcomes:
        found = probing.counted(found, [Seen("ready", each, each)], NOW)
    return found["ready"]


def test_failures_in_a_row_are_counted_and_missing_looks_neither_end_nor_lengthen_a_row() -> None:
    assert tally("fail", "pass", "fail")["longest"] == 1
    assert tally("fail", "fail", "pass")["longest"] == 2
    assert tally("fail", "no_data", "fail")["row"] == 2
    assert tally("fail", "no_data")["row"] == 1
    found = tally("pass", "fail", "no_data")
    assert (found["passed"], found["failed"], found["missing"]) == (1, 1, 1)


def test_only_a_critical_probe_ends_it(shop: Any) -> None:
    probes = [{"name": "ready", "ready": 1}, {"name": "slow", "ready": 2, "severity": "warning"}]
    experiment = shop.experiment(hypothesis=probes)
    failed = [Seen("slow", "fail", "bad"), Seen("ready", "pass", "good")]
    tallies = probing.counted(probing.counted({}, failed, NOW), failed, NOW)
    assert probing.broken(experiment, tallies) == ""
    failed = [Seen("ready", "fail", "1 of 2")]
    once = probing.counted(tallies, failed, NOW)
    assert probing.broken(experiment, once) == ""
    assert probing.broken(experiment, probing.counted(once, failed, NOW)) == "ready: 1 of 2"


def test_without_data_the_hypothesis_does_not_hold(shop: Any) -> None:
    experiment = shop.experiment()
    assert probing.holds(experiment, [Seen("ready", "no_data", "not read")]) == ("ready: not read",)
    assert probing.holds(experiment, [Seen("ready", "pass", "3")]) == ()
