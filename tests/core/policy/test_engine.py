from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from core.domain.action import Action
from core.domain.errors import InvalidDocument, InvalidInput
from core.domain.facts import Facts
from core.domain.verdict import Decision, RuleResult
from core.policy import engine, expressions, lint, packs, policies, testing
from core.policy.policies import ActionPolicy

GOOD = testing.GOOD_FACTS


def policy(when: str, *, name: str = "rule", message: str = "'said'", decision: str = "deny", **rest: Any) -> ActionPolicy:
    kinds = rest.pop("kinds", ("*",))
    return ActionPolicy(name=name, why="why", applies_to=kinds, decision=decision, when=when, message=message, **rest)  # type: ignore[arg-type]


def judge(*rules: ActionPolicy, action: dict[str, Any] | None = None, **facts: Any) -> tuple[RuleResult, ...]:
    plain = {**GOOD.model_dump(mode="json"), **facts}
    return engine.Engine(rules).evaluate({**testing.GOOD_ACTION, **(action or {})}, plain)


def test_true_is_bad_news() -> None:
    assert [result.result for result in judge(policy("true", name="a"), policy("false", name="b"))] == ["fail", "pass"]


@pytest.mark.parametrize(
    "when",
    [
        "facts.nothing_of_that_name",
        "facts.replicas / 0 == 1",
        "facts.oom_killed_recently * 2 > 1",
        "facts.replicas",
        "'yes'",
        "null",
        "facts.generation + 9223372036854775807 + 1 > 0",
        "facts.labels.app == 'x'",
        "[1, 2]",
        "timestamp(facts.name) < timestamp(facts.read_at)",
    ],
)
def test_what_is_neither_true_nor_false_is_an_error_and_an_error_denies(when: str) -> None:
    (result,) = judge(policy(when, decision="warn"))
    assert result.result == "error"
    assert result.decision is Decision.DENY
    assert "could not be evaluated" in result.message


@pytest.mark.parametrize("decision", ["deny", "needs_approval", "warn"])
def test_an_unknown_value_in_arithmetic_denies(decision: str) -> None:
    (result,) = judge(policy("facts.memory_mib_max * 12 > 100", decision=decision), memory_mib_max=None)
    assert result.decision is Decision.DENY


def test_a_rule_that_costs_too_much_denies_and_the_others_still_speak() -> None:
    bomb = "true"
    for name in "abcdefg":
        bomb = f"[0,1,2,3,4,5,6,7,8,9].all({name}, {bomb})"
    costly, plain = judge(policy(bomb, name="bomb"), policy("true", name="plain"))
    assert (costly.result, costly.decision) == ("error", Decision.DENY)
    assert plain.result == "fail"


def test_every_rule_is_asked_also_after_a_denial() -> None:
    rules = [policy("true", name=f"r{number}") for number in range(5)]
    assert len(judge(*rules)) == 5


def test_rules_for_other_kinds_are_skipped_and_results_come_by_name() -> None:
    results = judge(policy("true", name="z", kinds=("delete_pod",)), policy("true", name="a", kinds=("set_requests", "resize_pod")))
    assert [(result.rule, result.result) for result in results] == [("a", "fail"), ("z", "skip")]


def test_a_warning_never_stops_an_action() -> None:
    (result,) = judge(policy("true", decision="warn"))
    assert (result.result, result.decision) == ("warn", Decision.ALLOW)


@pytest.mark.parametrize(
    ("approvals", "needed", "result"),
    [
        ([], 1, "fail"),
        (["approver-a"], 1, "pass"),
        (["approver-a"], 2, "fail"),
        (["approver-a", "approver-a"], 2, "fail"),
        (["approver-a", "approver-b"], 2, "pass"),
        (["asker"], 1, "fail"),
        (["asker", "approver-a"], 2, "fail"),
        ([""], 1, "fail"),
    ],
)
def test_approval_takes_distinct_people_other_than_who_asked(approvals: list[str], needed: int, result: str) -> None:
    (found,) = judge(policy("true", decision="needs_approval", approvers=needed), approvals=approvals, requested_by="asker")
    assert found.result == result


def test_no_approval_lifts_a_denial() -> None:
    (found,) = judge(policy("true"), approvals=["approver-a", "approver-b", "approver-c"])
    assert found.decision is Decision.DENY


def test_a_message_that_cannot_be_made_leaves_the_reason_of_the_rule() -> None:
    (result,) = judge(policy("true", message="facts.nothing + 'x'"))
    assert (result.result, result.message) == ("fail", "why")


def test_cluster_text_in_a_message_is_bounded_and_printable() -> None:
    (result,) = judge(policy("true", message="facts.dry_run_message"), dry_run_message="a\u202eb\x1b[31m\n" + "x" * 5000)
    assert len(result.message) <= 400
    assert "\x1b" not in result.message
    assert "\n" not in result.message
    assert "\u202e" not in result.message


def test_a_rule_sees_what_the_kind_says_of_itself(make_action: Callable[..., Action]) -> None:
    rules = engine.Engine([policy("action.risk == 'medium' && action.reversible && action.knob == 7 && action.target.uid != ''")])
    (result,) = rules.judge(make_action(knob=7), GOOD)
    assert result.result == "fail"


def test_the_environment_holds_two_variables_and_no_way_out() -> None:
    for name in ("open", "now", "getenv", "http.Get", "resource.Get", "env", "os.environ", "__import__"):
        with pytest.raises(ValueError, match="undeclared reference"):
            judge(policy(f"{name}('x') == 'y'"))


def test_the_digest_changes_with_any_rule_and_not_with_their_order_or_tests() -> None:
    one, two = policy("true", name="a"), policy("false", name="b")
    assert engine.Engine([one, two]).digest == engine.Engine([two, one]).digest
    assert engine.Engine([one]).digest != engine.Engine([one, two]).digest
    assert engine.Engine([one]).digest != engine.Engine([one.model_copy(update={"when": "true "})]).digest


def test_one_name_twice_is_refused() -> None:
    with pytest.raises(InvalidInput, match="two rules named `rule`"):
        engine.Engine([policy("true"), policy("false")])


def test_a_folder_with_a_broken_expression_names_file_and_line(tmp_path: Path) -> None:
    head = "apiVersion: day2.dev/v1alpha1\nkind: ActionPolicy\nmetadata: {name: r}\n"
    text = head + "spec:\n  why: w\n  appliesTo: ['*']\n  decision: deny\n  when: fcts.exists\n  message: \"'m'\"\n"
    (tmp_path / "r.yaml").write_text(text)
    with pytest.raises(InvalidDocument, match=r"r\.yaml:8: `spec\.when` is not CEL.*fcts"):
        packs.in_force(tmp_path)


ABSENCE_HAS_A_MEANING = {
    "budget_left_micro_usd": "no budget was set",
    "monthly_cost_delta_micro_usd": "nobody could price it: cost-unknown warns",
    "gpu_allowance": "no allowance was set",
    "evidence_age_seconds": "nothing was confirmed: evidence-unconfirmed warns",
    "seconds_since_opposite": "never moved the other way",
    "limits_memory_mib_after": "no limit",
    "requests_cpu_milli_live_max": "no second source: cpu-headroom holds the cut by the first",
    "requests_memory_mib_live_max": "no second source: memory-one-source warns",
    "requests_memory_mib_before": "no request was set, so nothing is cut",
    "requests_cpu_milli_before": "no request was set, so nothing is cut",
}
ABSENCE_IN_ONE_RULE = {
    "capacity-free": {"requests_cpu_milli_after", "requests_memory_mib_after"},  # what asks for nothing fits anywhere
    "room-for-demand": {"cpu_milli_demand"},  # demand-unknown asks a person
    # raising memory after a kill must not wait for metrics; a cut is held by memory-headroom, which errs
    "memory-limit-unknown": {"memory_mib_max"},  # its absence is what the rule is about
    "memory-limit-headroom": {"memory_mib_max", "requests_memory_mib_after"},
}
SPEAKING = [(rule, test) for rule in engine.builtin().rules for test in rule.policy.tests if test.expect in ("deny", "needs_approval")]


@pytest.mark.parametrize(("rule", "test"), SPEAKING, ids=[f"{rule.policy.name}: {test.name}" for rule, test in SPEAKING])
def test_taking_a_fact_away_never_loosens_a_rule(rule: engine.Rule, test: policies.RuleTest) -> None:
    """Missing knowledge is never good news, but where its absence is itself a statement."""
    optional = {name for name, field in Facts.model_fields.items() if field.default is None} - set(ABSENCE_HAS_A_MEANING)
    action, facts = testing.case(rule.policy, test)
    people = engine.approvers(facts)
    before = rule.judge(action["kind"], expressions.Inputs(action, facts), people)
    for name in (optional & set(lint.facts_read(rule.policy))) - ABSENCE_IN_ONE_RULE.get(rule.policy.name, set()):
        after = rule.judge(action["kind"], expressions.Inputs(action, {**facts, name: None}), people)
        assert before.decision.tightened_by(after.decision) is after.decision, name
        gone = {key: value for key, value in facts.items() if key != name}
        missing = rule.judge(action["kind"], expressions.Inputs(action, gone), people)
        assert before.decision.tightened_by(missing.decision) is missing.decision, name


WITHOUT_EFFECT_ON_A_GOOD_ACTION = {
    *ABSENCE_HAS_A_MEANING,
    "name",  # only in messages
    "namespace",
    "dry_run_message",
    "denied_until",
    "namespace_gpus_used",  # the other half of each rule is already false for the good action
    "min_replicas_floor",
    "replicas",
    "has_pdb",
    "pods_violating_after",
    "memory_mib_max",
    "replicas_ready",
    "owner_kind",
    "cpu_milli_room_before",
    "cpu_milli_room_after",
    "requests_cpu_milli_after",
    "cpu_milli_demand",
    "autoscaler_min",
    "autoscaler_pods",
    "hpa_min_before",
    "age_hours",
    "unscheduled",
    "chaos_allowed",  # of faults only
    "error_budget_percent",
}

GOOD_FOR: dict[str, dict[str, Any]] = {"clear_finalizers": {"deleting": True}, "uncordon_node": {"seconds_since_opposite": 90_000}}
"""What a good action of these kinds meets: an object that does not go, a node that we closed ourselves yesterday."""

ONLY_FOR = {
    "disruptions_allowed": {"delete_pod", "evict_pod", "drain_node"},
    "replicas_after": {"scale_workload"},
    "autoscaled_by": {"scale_workload"},
    "requests_memory_mib_after": {"set_requests", "resize_pod"},
}
"""Facts that decide on a good action of these kinds; on others they only matter once something else is amiss."""


ALWAYS_A_PERSONS = "cut_network"


@pytest.mark.parametrize(
    "kind", sorted({kind for rule in engine.builtin().rules for kind in rule.policy.applies_to} - {"*", ALWAYS_A_PERSONS})
)
def test_a_good_action_is_denied_when_a_fact_that_decides_is_missing(kind: str) -> None:
    """Fail-open fuzz: each fact that some rule reads is deleted from good facts in turn."""
    rules = engine.builtin()
    action = {**testing.GOOD_ACTION, "kind": kind}
    good = {**GOOD.model_dump(mode="json"), "pods_touched": 1, **GOOD_FOR.get(kind, {})}
    read = {name for rule in rules.rules if rule.policy.covers(kind) for name in lint.facts_read(rule.policy)}
    assert {result.decision for result in rules.evaluate(action, good)} == {Decision.ALLOW}
    elsewhere = {name for name, kinds in ONLY_FOR.items() if kind not in kinds}
    for name in read - WITHOUT_EFFECT_ON_A_GOOD_ACTION - elsewhere:
        gone = {key: value for key, value in good.items() if key != name}
        assert Decision.DENY in {result.decision for result in rules.evaluate(action, gone)}, name
