from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.domain.facts import Facts
from core.domain.verdict import Decision, RuleResult, Verdict

AT = datetime(2026, 1, 5, tzinfo=UTC)
RESULTS = st.builds(
    RuleResult,
    rule=st.sampled_from(["one", "two", "three"]),
    result=st.sampled_from(["pass", "warn", "fail", "skip", "error"]),
    on_fail=st.sampled_from([Decision.NEEDS_APPROVAL, Decision.DENY]),
)


def verdict(*results: RuleResult) -> Verdict:
    facts = Facts(read_at=AT, cluster="c", exists=True)
    return Verdict(action_id="act-0001", action_digest="a", policy_digest="p", facts=facts, results=results, at=AT)


def test_a_verdict_without_rules_denies() -> None:
    assert verdict().decision is Decision.DENY


@given(results=st.lists(RESULTS, min_size=1), dry=st.lists(RESULTS))
def test_dry_rules_change_no_verdict_and_make_none(results: list[RuleResult], dry: list[RuleResult]) -> None:
    on_trial = [result.model_copy(update={"dry": True}) for result in dry]
    assert verdict(*results, *on_trial).decision is verdict(*results).decision
    assert verdict(*results, *on_trial).reasons() == verdict(*results).reasons()
    assert verdict(*on_trial).decision is Decision.DENY


@given(results=st.lists(RESULTS, min_size=1), more=RESULTS)
def test_one_more_rule_never_loosens_a_verdict(results: list[RuleResult], more: RuleResult) -> None:
    before, after = verdict(*results).decision, verdict(*results, more).decision
    assert before.tightened_by(after) is after


@given(results=st.lists(RESULTS))
def test_a_rule_that_cannot_be_evaluated_denies(results: list[RuleResult]) -> None:
    broken = RuleResult(rule="broken", result="error", on_fail=Decision.NEEDS_APPROVAL)
    assert verdict(*results, broken).decision is Decision.DENY


@given(results=st.lists(RESULTS, min_size=1))
def test_the_reasons_are_what_made_the_decision_strictest_first(results: list[RuleResult]) -> None:
    found = verdict(*results)
    reasons = found.reasons()
    assert bool(reasons) == (found.decision is not Decision.ALLOW)
    if reasons:
        assert reasons[0].decision is found.decision
    order = [list(Decision).index(reason.decision) for reason in reasons]
    assert order == sorted(order, reverse=True)


@given(left=st.sampled_from(Decision), right=st.sampled_from(Decision))
def test_combining_keeps_the_stricter_whichever_comes_first(left: Decision, right: Decision) -> None:
    assert left.tightened_by(right) is right.tightened_by(left)
    assert left.tightened_by(left) is left


@given(results=st.lists(RESULTS))
def test_a_kept_verdict_reads_back_the_same(results: list[RuleResult]) -> None:
    found = verdict(*results)
    assert Verdict.model_validate_json(found.model_dump_json()) == found


@pytest.mark.parametrize(
    ("result", "decision"),
    [
        ("pass", Decision.ALLOW),
        ("warn", Decision.ALLOW),
        ("skip", Decision.ALLOW),
        ("fail", Decision.NEEDS_APPROVAL),
        ("error", Decision.DENY),
    ],
)
def test_a_rule_by_itself_decides_by_its_result(result: Any, decision: Decision) -> None:
    found = RuleResult(rule="one", result=result, on_fail=Decision.NEEDS_APPROVAL)
    assert found.decision is found.would is decision
    on_trial = found.model_copy(update={"dry": True})
    assert (on_trial.decision, on_trial.would) == (Decision.ALLOW, decision)
