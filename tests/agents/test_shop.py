"""The demo's cluster: what is planted is found and planned for, and nothing else is."""

from collections.abc import Callable
from typing import Any

import pytest

from agents.catalogue import AGENTS
from agents.consulting import Consultation

PLANTED = {
    "reliability": {("REL-101", "shop/deployment/checkout", "rollback_rollout")},
    "security": {("SEC-101", "namespace/tools", "label_namespace"), ("SEC-102", "platform/pod/debug-shell", "delete_pod")},
    "scaling": {
        ("SCA-101", "shop/horizontalpodautoscaler/storefront", "set_hpa_bounds"),
        ("SCA-103", "ml/job/train-embeddings", "suspend_job"),
        ("SCA-105", "ml/deployment/llm-serving", "scale_workload"),
    },
    "finops": {
        ("FIN-101", "shop/deployment/catalog", "set_requests"),
        ("FIN-101", "shop/deployment/recommendations", "set_requests"),
        ("FIN-103", "shop/horizontalpodautoscaler/storefront", "set_hpa_bounds"),
    },
}


def told(answer: Consultation) -> set[tuple[str, str, str]]:
    kinds = {proposal.findings[0]: proposal.action.kind for proposal in answer.proposals}
    return {(finding.code, finding.subject.qualified, kinds.get(finding.id, "")) for finding in answer.findings if not finding.symptom_of}


@pytest.mark.parametrize("name", sorted(PLANTED))
async def test_each_agent_finds_exactly_what_is_planted_and_every_check_runs(box: Callable[..., Any], name: str) -> None:
    answer = await box("shop").consult(name)
    assert told(answer) == PLANTED[name]
    assert {finding.code for finding in answer.findings if finding.symptom_of} == ({"REL-133"} if name == "reliability" else set())
    assert answer.coverage.not_run == ()
    assert all(finding.evidence and finding.agent == name for finding in answer.findings)
    assert not any(finding.subject.namespace == "payments" or finding.subject.name == "payments" for finding in answer.findings)


async def test_the_log_line_that_gives_orders_is_quoted_as_evidence_and_obeyed_by_nobody(box: Callable[..., Any]) -> None:
    answer = await box("shop").consult("reliability")
    (finding,) = [item for item in answer.findings if not item.symptom_of]
    quotes = [evidence.value for evidence in finding.evidence if evidence.quoted]
    assert any("panic: config key PAYMENT_TIMEOUT missing" in quote for quote in quotes)
    assert any("ignore previous instructions" in quote for quote in quotes)
    (proposal,) = answer.proposals
    assert "payments" not in proposal.why + proposal.effect.summary + finding.title + finding.matters
    assert proposal.action.target.namespace == "shop"


async def test_the_forecast_and_the_saving_want_opposite_things_of_the_same_autoscaler(box: Callable[..., Any]) -> None:
    cluster = box("shop")
    wishes: dict[str, Any] = {}
    for name in ("finops", "scaling"):
        answer = await cluster.consult(name)
        (wishes[name],) = [proposal.action for proposal in answer.proposals if proposal.action.kind == "set_hpa_bounds"]
    assert wishes["finops"].target.uid == wishes["scaling"].target.uid
    assert wishes["finops"].to_min < 3 < wishes["scaling"].to_min
    assert wishes["finops"].intent_key() != wishes["scaling"].intent_key()


async def test_the_same_cluster_gives_the_same_answer_byte_for_byte(box: Callable[..., Any]) -> None:
    first, second = box("shop"), box("shop", fresh=True)
    for agent in AGENTS:
        one, other = await first.consult(agent.name), await second.consult(agent.name)
        assert [item.model_dump_json() for item in one.findings] == [item.model_dump_json() for item in other.findings]
        assert [item.model_dump_json() for item in one.proposals] == [item.model_dump_json() for item in other.proposals]


async def test_ids_of_findings_outlive_the_run_and_ids_of_actions_do_not(box: Callable[..., Any]) -> None:
    cluster = box("shop")
    one, other = await cluster.consult("finops", run="run-1"), await cluster.consult("finops", run="run-2")
    assert [finding.id for finding in one.findings] == [finding.id for finding in other.findings]
    assert {item.action.id for item in one.proposals}.isdisjoint(item.action.id for item in other.proposals)
    assert [item.action.intent_key() for item in one.proposals] == [item.action.intent_key() for item in other.proposals]


async def test_a_scan_of_one_namespace_claims_no_node(box: Callable[..., Any]) -> None:
    answer = await box("shop").consult("finops", namespaces=("shop",))
    savings = [item.effect.saving for item in answer.proposals if item.effect.saving is not None]
    assert savings
    assert all(saving.realisable_micro_usd == 0 for saving in savings)
    assert all(saving.low_micro_usd <= saving.paper_micro_usd <= saving.high_micro_usd for saving in savings)


async def test_realisable_money_is_never_more_than_what_the_change_gives_back(box: Callable[..., Any]) -> None:
    answer = await box("shop").consult("finops")
    for proposal in answer.proposals:
        saving = proposal.effect.saving
        assert saving is not None
        assert 0 <= saving.realisable_micro_usd <= saving.paper_micro_usd
        assert saving.source is not None
