"""The document `Experiment`: what is refused, in words that help, and what is read as it was written."""

import json
from typing import Any

import pytest

from core.domain.errors import InvalidInput
from core.policy import experiments

GOOD: dict[str, Any] = {
    "why": "the shop must go on",
    "target": {"namespace": "shop", "name": "web"},
    "hypothesis": [{"name": "ready", "ready": 2}],
    "fault": {"kind": "pod_kill"},
    "duration": "30s",
    "blast": {"pods": 1},
}


def read(**changes: Any) -> experiments.Experiment:
    spec = {key: value for key, value in (GOOD | changes).items() if value is not None}
    document = {"apiVersion": "day2.dev/v1alpha1", "kind": "Experiment", "metadata": {"name": "shop"}, "spec": spec}
    return experiments.read(json.dumps(document), "experiment.yaml").experiment


def test_a_good_document_has_the_defaults_that_are_safe() -> None:
    found = read()
    assert (found.seconds, found.recovery) == (30, 120)
    assert found.blast == experiments.Blast(pods=1, percent=100, spread=True)
    assert found.abort == experiments.Abort(failures=2, budget=10)
    assert found.hypothesis[0].severity == "critical"


WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "too-long": ({"duration": "11m"}, "a longer fault is an outage"),
    "too-short": ({"duration": "5s"}, "between 10s and 10m"),
    "no-limit": ({"blast": None}, "blast"),
    "no-pods": ({"blast": {"pods": 0}}, "greater than or equal to 1"),
    "too-many-pods": ({"blast": {"pods": 101}}, "less than or equal to 100"),
    "unknown-fault": ({"fault": {"kind": "meteor"}}, "meteor"),
    "unknown-field": ({"blast": {"pods": 1, "zones": 3}}, "unknown field `zones`"),
    "no-hypothesis": ({"hypothesis": []}, "hypothesis"),
    "only-warnings": ({"hypothesis": [{"name": "a", "ready": 1, "severity": "warning"}]}, "one probe at least is critical"),
    "same-name": ({"hypothesis": [{"name": "a", "ready": 1}, {"name": "a", "ready": 2}]}, "two probes have the same name"),
    "http": ({"hypothesis": [{"name": "a", "http": "http://x"}]}, "unknown field `http`"),
    "both-claims": ({"hypothesis": [{"name": "a", "ready": 1, "metric": "error_ratio", "most": 1}]}, "either `ready` or `metric`"),
    "no-bound": ({"hypothesis": [{"name": "a", "metric": "error_ratio"}]}, "needs `most` or `least`"),
    "a-weeks-metric": ({"hypothesis": [{"name": "a", "metric": "cpu_quantile", "most": 1}]}, "`metric` is one of"),
    "no-subject": ({"target": {"namespace": "shop"}}, "either `name` or `labels`"),
    "two-subjects": ({"target": {"namespace": "shop", "name": "web", "labels": {"a": "b"}}}, "either `name` or `labels`"),
    "looser-abort": ({"abort": {"failures": 3}}, "less than or equal to 2"),
    "smaller-budget": ({"abort": {"budget": 5}}, "greater than or equal to 10"),
    "no-quantity": ({"fault": {"kind": "cpu_pressure", "cpu": "much"}}, "no Kubernetes quantity"),
    "text-for-number": ({"fault": {"kind": "pod_kill", "pods": "1"}}, "integer"),
}


@pytest.mark.parametrize(("changes", "said"), WRONG.values(), ids=WRONG)
def test_what_is_wrong_is_named(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(InvalidInput) as refusal:
        read(**changes)
    assert said in f"{refusal.value} {refusal.value.mend}"


def test_two_experiments_in_one_file_are_refused() -> None:
    text = json.dumps({"apiVersion": "day2.dev/v1alpha1", "kind": "Experiment", "metadata": {"name": "a"}, "spec": GOOD})
    with pytest.raises(InvalidInput, match="2 experiments"):
        experiments.read(text + "\n---\n" + text.replace('"a"', '"b"'), "x.yaml")


def test_what_is_kept_reads_as_what_was_asked() -> None:
    spec = GOOD | {"fault": {"kind": "cpu_pressure", "cpu": "100m"}}
    document = {"apiVersion": "day2.dev/v1alpha1", "kind": "Experiment", "metadata": {"name": "shop"}, "spec": spec}
    asked = experiments.read(json.dumps(document), "x.yaml")
    assert asked.spec == spec
    assert experiments.again("shop", asked.spec) == asked.experiment
