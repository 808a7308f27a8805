"""An organisation's rules beside the platform's: they add, override by name, and are tried out dry."""

from pathlib import Path
from typing import Any

import pytest

from core.domain.errors import InvalidDocument
from core.domain.facts import Facts
from core.domain.verdict import Decision, RuleResult, Verdict
from core.policy import engine, packs, testing

BUILTIN = {rule.policy.name for rule in engine.builtin().rules}
DROP = "replicas-drop"


def rule(name: str = "ours", *, when: str = "facts.replicas_after < 2", decision: str = "deny", **more: str) -> str:
    lines = "".join(f"  {field}: {text}\n" for field, text in more.items())
    return (
        f"apiVersion: day2.dev/v1alpha1\nkind: ActionPolicy\nmetadata: {{name: {name}}}\nspec:\n{lines}  why: w\n"
        f"  appliesTo: [scale_workload]\n  decision: {decision}\n  when: {when}\n  message: \"'ours says no'\"\n"
    )


def combined(folder: Path, *rules: str) -> engine.Engine:
    (folder / "ours.yaml").write_text("---\n".join(rules), encoding="utf-8")
    return packs.in_force(folder)


def verdict(rules: engine.Engine, **facts: Any) -> Verdict:
    known = Facts.model_validate({**testing.GOOD_FACTS.model_dump(), **facts})
    results = rules.evaluate({**testing.GOOD_ACTION, "kind": "scale_workload"}, known.model_dump(mode="json"))
    return Verdict(
        action_id="act-0001", action_digest="d", policy_digest=rules.digest, facts=known, results=results, at=testing.GOOD_FACTS.read_at
    )


def of(found: Verdict, name: str) -> RuleResult:
    return next(result for result in found.results if result.rule == name)


def test_an_added_rule_speaks_beside_all_the_others(tmp_path: Path) -> None:
    rules = combined(tmp_path, rule())
    assert {one.policy.name for one in rules.rules} == BUILTIN | {"ours"}
    assert verdict(rules, replicas=2, replicas_after=1, min_replicas_floor=0).decision is Decision.DENY


def test_an_override_stands_in_the_place_of_the_built_in_rule(tmp_path: Path) -> None:
    before = verdict(engine.builtin(), replicas=8, replicas_after=3, has_pdb=False)
    rules = combined(tmp_path, rule(overrides=DROP, reason="batch workers start within seconds", when="facts.replicas_after == 77"))
    assert before.decision is Decision.DENY
    assert {one.policy.name for one in rules.rules} == BUILTIN - {DROP} | {"ours"}
    assert verdict(rules, replicas=8, replicas_after=3, has_pdb=False).decision is Decision.ALLOW


def test_an_override_may_keep_the_name(tmp_path: Path) -> None:
    rules = combined(tmp_path, rule(DROP, overrides=DROP, reason="ours is another one"))
    assert [one.policy.reason for one in rules.rules if one.policy.name == DROP] == ["ours is another one"]


def test_a_dry_rule_reports_and_does_not_decide(tmp_path: Path) -> None:
    found = verdict(combined(tmp_path, rule(when="facts.replicas_after == 4", mode="dry")))
    said = of(found, "ours")
    assert (said.result, said.dry, said.message) == ("fail", True, "ours says no")
    assert (said.would, said.decision, found.decision) == (Decision.DENY, Decision.ALLOW, Decision.ALLOW)
    assert Verdict.model_validate_json(found.model_dump_json()) == found


def test_the_error_of_a_dry_rule_is_shown_and_denies_nothing(tmp_path: Path) -> None:
    found = verdict(combined(tmp_path, rule(when="facts.cpu_milli_p95 > 1", mode="dry")), cpu_milli_p95=None)
    assert (of(found, "ours").result, of(found, "ours").would, found.decision) == ("error", Decision.DENY, Decision.ALLOW)
    assert "is denied" not in of(found, "ours").message


def test_a_dry_override_stands_beside_the_rule_it_would_replace(tmp_path: Path) -> None:
    rules = combined(tmp_path, rule(mode="dry", overrides=DROP, reason="perhaps", when="facts.replicas_after == 77"))
    assert {one.policy.name for one in rules.rules} == BUILTIN | {"ours"}
    assert verdict(rules, replicas=8, replicas_after=3).decision is Decision.DENY


def test_rules_that_are_all_dry_allow_nothing() -> None:
    only = engine.builtin().rules[0].policy.model_copy(update={"mode": "dry", "when": "false"})
    assert verdict(engine.Engine([only])).decision is Decision.DENY


@pytest.mark.parametrize(
    ("rules", "line", "words"),
    [
        ((rule(DROP),), 3, f"there is a built-in rule `{DROP}`"),
        ((rule(DROP, overrides="run-size", reason="r"),), 3, f"there is a built-in rule `{DROP}`"),
        ((rule(DROP, overrides=DROP, reason="r", mode="dry"),), 3, f"there is a built-in rule `{DROP}`"),
        ((rule(overrides="replica-drop", reason="r"),), 5, "there is no built-in rule `replica-drop`"),
        ((rule(overrides="high-risk", reason="r"),), 5, "`high-risk` is locked"),
        ((rule(overrides="high-risk", reason="r", mode="dry"),), 5, "`high-risk` is locked"),
        ((rule("high-risk", overrides="high-risk", reason="r"),), 5, "`high-risk` is locked"),
        ((rule(overrides=DROP),), 4, "both or neither"),
        ((rule(overrides=DROP, reason='" "'),), 4, "both or neither"),
        ((rule(reason="r"),), 4, "both or neither"),
        ((rule(overrides=DROP, reason="r"), rule("other", overrides=DROP, reason="r")), 17, "overrides `replicas-drop` already"),
        ((rule(), rule()), 13, "already declared"),
        ((rule("gate-two-people"),), 3, "the gate's own"),
        ((rule(mode="off"),), 5, "`spec.mode`"),
        ((rule(when="facts.replicas_after <"),), 8, "is not CEL"),
    ],
)
def test_what_is_not_theirs_to_say_is_refused_with_its_line(tmp_path: Path, rules: tuple[str, ...], line: int, words: str) -> None:
    with pytest.raises(InvalidDocument) as refused:
        combined(tmp_path, *rules)
    assert words in str(refused.value)
    assert (refused.value.file, refused.value.line) == (str(tmp_path / "ours.yaml"), line)


def test_what_is_locked_exists_and_is_enforced() -> None:
    assert BUILTIN >= engine.LOCKED
    assert {one.policy.mode for one in engine.builtin().rules} == {"enforce"}
    assert not [one.policy.name for one in engine.builtin().rules if one.policy.overrides]


def test_the_digest_covers_mode_override_and_reason(tmp_path: Path) -> None:
    texts = [
        rule(),
        rule(mode="dry"),
        rule(overrides=DROP, reason="one"),
        rule(overrides=DROP, reason="two"),
        rule(overrides=DROP, reason="one", mode="dry"),
    ]
    assert len({combined(tmp_path, text).digest for text in texts} | {engine.builtin().digest}) == len(texts) + 1
