"""Pass, fail or inconclusive: and a look without data never makes anything better."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.reliability.experiments.probing import nothing
from agents.reliability.experiments.verdicts import verdict

PROBES = [{"name": "ready", "ready": 2}, {"name": "slow", "severity": "warning", "metric": "latency_p99", "most": 100}]


def tally(passed: int = 10, failed: int = 0, missing: int = 0, longest: int = 0) -> Any:
    return nothing() | {"passed": passed, "failed": failed, "missing": missing, "longest": longest, "worst": "1 pod ready"}


def course(**changes: Any) -> Any:
    known: dict[str, Any] = {"refused": [], "unsteady": [], "injected": True, "ended": "", "recovered": True, "leftovers": []}
    return known | {"tallies": {"ready": tally(), "slow": tally()}} | changes


CASES: dict[str, tuple[dict[str, Any], str, str]] = {
    "all-well": ({}, "pass", "held while the fault stood"),
    "fell": ({"tallies": {"ready": tally(8, 2, longest=2), "slow": tally()}}, "fail", "failed 2 looks in a row (1 pod ready)"),
    "one-miss": ({"tallies": {"ready": tally(9, 1, longest=1), "slow": tally()}}, "pass", "held"),
    "a-warning-fell": ({"tallies": {"ready": tally(), "slow": tally(0, 10, longest=10)}}, "pass", "held"),
    "stays-broken": ({"recovered": False}, "fail", "did not hold again"),
    "nobody-saw": ({"recovered": None}, "inconclusive", "nobody saw"),
    "left-over": ({"leftovers": ["act-1 is escalated"]}, "fail", "was not taken back"),
    "left-over-of-nothing": ({"injected": False, "leftovers": ["act-1 is escalated"]}, "fail", "was not taken back"),
    "stopped": ({"ended": "stopped by ann: enough"}, "inconclusive", "it ended early"),
    "fell-and-stopped": ({"ended": "x", "tallies": {"ready": tally(8, 2, longest=2)}}, "fail", "in a row"),
    "blind": ({"tallies": {"ready": tally(0, 0, 10), "slow": tally()}}, "inconclusive", "had data at 0 of 10"),
    "half-blind": ({"tallies": {"ready": tally(7, 0, 3), "slow": tally()}}, "inconclusive", "had data at 7 of 10"),
    "hardly-blind": ({"tallies": {"ready": tally(8, 0, 2), "slow": tally()}}, "pass", "held"),
    "too-few-looks": ({"tallies": {"ready": tally(2), "slow": tally(2)}}, "inconclusive", "had data at 2 of 2"),
    "no-looks": ({"tallies": {}}, "inconclusive", "had data at 0 of 0"),
    "refused": ({"injected": False, "refused": ["shop is not open"], "tallies": {}}, "inconclusive", "shop is not open"),
    "unsteady": ({"injected": False, "unsteady": ["ready: 1"], "tallies": {}}, "inconclusive", "did not hold before"),
    "denied": ({"injected": False, "ended": "scale is denied", "tallies": {}}, "inconclusive", "scale is denied"),
}


@pytest.mark.parametrize(("changes", "word", "reason"), CASES.values(), ids=CASES)
def test_the_verdict(shop: Any, changes: dict[str, Any], word: str, reason: str) -> None:
    found = verdict(shop.experiment(hypothesis=PROBES), course(**changes))
    assert (found["word"], any(reason in said for said in found["reasons"])) == (word, True), found


counts = st.tuples(st.integers(0, 20), st.integers(0, 20), st.integers(0, 20))


@given(counts, counts, st.integers(1, 20))
def test_a_look_without_data_never_raises_score_coverage_or_verdict(shop: Any, ready: Any, slow: Any, more: int) -> None:
    experiment = shop.experiment(hypothesis=PROBES)
    worth = ["fail", "inconclusive", "pass"]

    def found(missing: int) -> Any:
        return verdict(experiment, course(tallies={"ready": tally(ready[0], ready[1], ready[2] + missing), "slow": tally(*slow)}))

    with_data, without = found(0), found(more)
    assert without["score"] <= with_data["score"]
    assert without["coverage"] <= with_data["coverage"]
    assert worth.index(without["word"]) <= worth.index(with_data["word"]) or with_data["word"] == "inconclusive"
