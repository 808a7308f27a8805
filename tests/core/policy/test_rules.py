from pathlib import Path
from typing import Any

import pytest

from core.actions.catalogue import CATALOGUE, parse_action
from core.domain.facts import Facts
from core.domain.verdict import Decision, Verdict
from core.policy import engine, lint, pages, testing

RULES = engine.builtin()
EMBEDDED = [(rule.policy, test) for rule in RULES.rules for test in rule.policy.tests]


def decide(action: dict[str, Any], **facts: Any) -> tuple[Decision, set[str]]:
    """The built-in rules over a story: the decision, and the rules that made it."""
    known = Facts.model_validate_json(
        Facts.model_validate({**testing.GOOD_FACTS.model_dump(), "autonomy": "guarded", **facts}).model_dump_json()
    )
    results = RULES.evaluate(testing.merged(testing.GOOD_ACTION, action), known.model_dump(mode="json"))
    verdict = Verdict(
        action_id="act-0001", action_digest="d", policy_digest=RULES.digest, facts=known, results=results, at=testing.GOOD_FACTS.read_at
    )
    return verdict.decision, {result.rule for result in verdict.reasons()}


@pytest.mark.parametrize(("policy", "test"), EMBEDDED, ids=[f"{policy.name}: {test.name}" for policy, test in EMBEDDED])
def test_embedded(policy: Any, test: Any) -> None:
    report = testing.run([policy.model_copy(update={"tests": (test,)})])
    assert report.failed == ()


def test_there_are_at_least_twenty_four_rules_and_each_is_tested_on_both_sides() -> None:
    assert len(RULES.rules) >= 24
    assert lint.builtin() == tuple(problem for problem in lint.builtin() if problem.level == "note")
    assert all(len(rule.policy.tests) >= 2 for rule in RULES.rules)


FAMILIES = {
    "safety": ("trust", "approval"),
    "blast radius": ("blast_radius",),
    "money and GPU": ("money",),
    "sizes": ("sizing",),
    "room, now and at the peak": ("capacity",),
    "what is missing meanwhile": ("rollouts",),
    "windows": ("windows",),
    "protected objects": ("target",),
    "evidence and its age": ("evidence",),
    "oscillation": ("oscillation",),
    "GitOps and other owners": ("ownership",),
    "data loss": ("data_loss",),
    "experiments": ("experiments",),
    "pod security": ("security",),
    "cross-tenant": ("tenancy",),
}


def test_every_family_of_dangers_has_rules_that_stop_an_action() -> None:
    stopping = {rule.policy.pack for rule in RULES.rules if rule.policy.decision != "warn"}
    assert {pack for names in FAMILIES.values() for pack in names} == stopping


def test_no_rule_speaks_on_the_good_action() -> None:
    decision, reasons = decide({})
    assert (decision, reasons) == (Decision.ALLOW, set())


def test_facts_that_nobody_filled_deny_every_kind() -> None:
    empty = Facts(read_at=testing.GOOD_FACTS.read_at, cluster="c-1", exists=False).model_dump(mode="json")
    for kind in ("set_requests", "scale_workload", "delete_pod", "cordon_node", "suspend_job", "set_hpa_bounds", "anything"):
        results = RULES.evaluate({**testing.GOOD_ACTION, "kind": kind}, empty)
        assert Decision.DENY in {result.decision for result in results}


SIZES = {"container": "api", "from_sizes": {"cpu_milli": 2000}, "to_sizes": {"cpu_milli": 600}}


@pytest.mark.parametrize(
    "arguments",
    [
        {"kind": "set_requests", "sizings": [SIZES]},
        {"kind": "scale_workload", "from_replicas": 4, "to_replicas": 3},
        {"kind": "restart_rollout"},
    ],
    ids=lambda arguments: str(arguments["kind"]),
)
def test_the_rules_read_the_catalogues_own_actions(arguments: dict[str, Any]) -> None:
    action = parse_action({"id": "act-0001", "target": testing.GOOD_ACTION["target"], **arguments})
    results = RULES.judge(action, testing.GOOD_FACTS)
    assert {result.result for result in results} <= {"pass", "skip"}


def test_the_rules_read_only_arguments_that_the_catalogue_has() -> None:
    assert [problem for problem in lint.builtin(lint.kind_fields(CATALOGUE)) if problem.level == "error"] == []


class TestTheDemoStory:
    def test_a_crashing_rollout_is_rolled_back_without_a_person(self) -> None:
        facts = {"rollout_in_progress": True, "replicas_ready": 1, "previous_healthy_seconds": 9 * 86_400, "pods_touched": 3}
        assert decide({"kind": "rollback_rollout"}, **facts) == (Decision.ALLOW, set())

    def test_requests_are_cut_where_there_is_room(self) -> None:
        facts = {"requests_cpu_milli_after": 460, "requests_memory_mib_after": 640, "cpu_milli_p95": 380, "cpu_milli_p99": 430}
        assert decide({"kind": "set_requests"}, **facts) == (Decision.ALLOW, set())

    def test_a_namespace_gets_its_pod_security_labels(self) -> None:
        facts = {"pod_security_before": "", "pod_security_after": "baseline", "pods_touched": 0, "replicas": None}
        assert decide({"kind": "label_namespace", "risk": "low"}, **facts) == (Decision.ALLOW, set())

    def test_deleting_a_bare_privileged_pod_asks_a_person(self) -> None:
        facts = {"privileged": True, "has_pdb": False, "disruptions_allowed": None, "pods_touched": 1, "replicas": None}
        decision, reasons = decide({"kind": "delete_pod", "reversible": False}, **facts)
        assert decision is Decision.NEEDS_APPROVAL
        assert "irreversible" in reasons
        assert decide({"kind": "delete_pod", "reversible": False}, **facts, approvals=("approver-a",)) == (Decision.ALLOW, set())

    def test_raising_the_autoscalers_floor_before_the_peak_goes_ahead(self) -> None:
        facts = {"hpa_min_before": 3, "hpa_min_after": 8, "hpa_max_after": 14, "monthly_cost_delta_micro_usd": 90_000_000}
        assert decide({"kind": "set_hpa_bounds"}, **facts) == (Decision.ALLOW, set())

    def test_a_gang_that_never_starts_is_suspended(self) -> None:
        facts = {"pods_touched": 4, "replicas": None, "namespace_gpus_used": 3, "namespace_gpus_after": 0}
        assert decide({"kind": "suspend_job"}, **facts) == (Decision.ALLOW, set())

    def test_more_gpus_than_the_allowance_is_denied(self) -> None:
        facts = {"replicas": 1, "replicas_after": 3, "namespace_gpus_used": 3, "namespace_gpus_after": 7, "gpu_allowance": 6}
        assert decide({"kind": "scale_workload"}, **facts) == (Decision.DENY, {"gpu-allowance"})


def test_the_pages_are_those_of_the_rules() -> None:
    folder = Path(__file__).parents[3] / "docs" / "rules"
    assert {path.name: path.read_text(encoding="utf-8") for path in folder.glob("*.md")} == pages.pages(rule.policy for rule in RULES.rules)
