"""What a failed probe becomes: a finding, with a proposal where one mends it, else what a person should do."""

from datetime import UTC, datetime
from typing import Any

from agents.reliability.experiments import weaknesses
from agents.reliability.experiments.probing import nothing
from core.actions.catalogue import parse_proposal

NOW = datetime(2026, 1, 5, 12, tzinfo=UTC)
FELL: Any = {"ready": nothing() | {"passed": 3, "failed": 2, "longest": 2, "worst": "0 pods ready"}}


def found(shop: Any, tallies: Any = FELL, *, kind: Any = None, **scene: Any) -> Any:
    experiment = shop.experiment(fault=kind or {"kind": "pod_kill"})
    return weaknesses.found(experiment, shop.scene(**scene), tallies, "exp-00000001", NOW)


def test_a_probe_that_held_is_no_weakness(shop: Any) -> None:
    assert found(shop, {"ready": nothing() | {"passed": 9, "failed": 1, "longest": 1}}) == ()


def test_a_lone_pod_is_found_with_a_second_one_proposed(shop: Any) -> None:
    (weak,) = found(shop, workloads=(shop.deployment("web", 1),))
    assert (weak.finding.code, weak.finding.severity.value) == ("REL-191", "high")
    assert "0 pods ready" in weak.finding.title
    action = parse_proposal(weak.proposal.model_dump_json()).action
    assert (action.kind, action.from_replicas, action.to_replicas) == ("scale_workload", 1, 2)
    assert weak.proposal.experiment is None
    assert weak.finding.id in weak.proposal.findings


def test_several_pods_or_an_autoscaler_get_words_and_no_proposal(shop: Any) -> None:
    assert found(shop)[0].proposal is None
    assert found(shop, workloads=(shop.deployment("web", 1),), autoscaled=True)[0].proposal is None


def test_a_missing_disruption_budget_is_named_where_it_would_have_helped(shop: Any) -> None:
    keep = shop.item("PodDisruptionBudget", "keep", spec={"selector": {"matchLabels": {"app": "web"}}}, status={})
    assert "PodDisruptionBudget" in found(shop)[0].finding.matters
    assert "PodDisruptionBudget" not in found(shop, budgets=(keep,))[0].finding.matters
    assert "PodDisruptionBudget" not in found(shop, kind={"kind": "cpu_pressure", "cpu": "200m"})[0].finding.matters
