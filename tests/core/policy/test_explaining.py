from core.domain.verdict import Decision, Verdict
from core.policy import engine, testing
from core.policy.explaining import explain

RULES = engine.builtin()


def verdict(policy_digest: str = RULES.digest, **facts: object) -> Verdict:
    known = testing.GOOD_FACTS.model_copy(update=facts)
    results = RULES.evaluate(testing.GOOD_ACTION, known.model_dump(mode="json"))
    return Verdict(action_id="act-0001", action_digest="d", policy_digest=policy_digest, facts=known, results=results, at=known.read_at)


def test_the_strictest_rules_come_first_and_say_what_they_read() -> None:
    explanation = explain(verdict(memory_mib_max=700, autonomy="suggest", oom_killed_recently=None), RULES)
    assert explanation.decision is Decision.DENY
    assert [(line.rule, line.result) for line in explanation.lines[:3]] == [
        ("no-cut-after-oom", "error"),
        ("autonomy-suggest", "fail"),
        ("memory-headroom", "fail"),
    ]
    assert explanation.lines[2].read == {"memory_mib_max": 700, "requests_memory_mib_after": 768, "requests_memory_mib_before": 1024}
    assert {line.rule for line in explanation.deciding()} == {"no-cut-after-oom", "memory-headroom"}


def test_the_counts_add_up_to_all_rules() -> None:
    explanation = explain(verdict(), RULES)
    assert sum(explanation.counts.values()) == len(RULES.rules)
    assert explanation.deciding() == ()
    assert explanation.same_rules


def test_a_verdict_by_other_rules_is_explained_and_says_so() -> None:
    explanation = explain(verdict(policy_digest="older"), engine.Engine([RULES.rules[0].policy]))
    assert not explanation.same_rules
    assert {line.known for line in explanation.lines} == {True, False}
    assert len(explanation.lines) == len(RULES.rules)
