import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from core.domain.errors import InvalidDocument, InvalidInput
from core.domain.verdict import Decision
from core.policy.engine import Engine, builtin
from runtime.roles.rulebook import Rulebook
from runtime.services import diagnosing, policies
from tools.hand_clock import HandClock
from tools.stores.memory import MemoryLedger

RULE = """\
apiVersion: day2.dev/v1alpha1
kind: ActionPolicy
metadata: {name: no-fridays}
spec:
  why: nobody is there
  appliesTo: ["*"]
  decision: deny
  when: facts.name == "friday"
  message: "'not on ' + facts.name"
  tests:
    - {name: friday, facts: {name: friday}, expect: deny}
    - {name: monday, facts: {name: monday}, expect: pass}
"""


def test_the_rules_that_come_along_are_sound_and_tested() -> None:
    assert policies.linted(()).sound
    assert policies.tested(()).ok


def test_a_rule_of_ones_own_is_tested_and_joins_the_others(tmp_path: Path) -> None:
    (tmp_path / "own.yaml").write_text(RULE, encoding="utf-8")
    assert [result.ok for result in policies.tested([tmp_path]).results] == [True, True]
    assert len(policies.in_force(tmp_path).rules) == len(builtin().rules) + 1


def test_a_broken_rule_is_a_problem_with_its_line_and_no_crash(tmp_path: Path) -> None:
    (tmp_path / "own.yaml").write_text(RULE.replace("facts.name ==", "facts.nmae =="), encoding="utf-8")
    found = policies.linted([tmp_path])
    assert not found.sound
    assert next(problem.line for problem in found.problems if problem.level == "error") == 8
    (tmp_path / "own.yaml").write_text(RULE.replace("decision:", "decison:"), encoding="utf-8")
    assert not policies.linted([tmp_path]).sound
    with pytest.raises(InvalidDocument, match="did you mean `decision`"):
        policies.tested([tmp_path])


def test_an_action_that_nobody_submitted_is_judged_on_good_facts(tmp_path: Path) -> None:
    file = tmp_path / "action.json"
    file.write_text(json.dumps({"action": {"kind": "scale_workload"}}), encoding="utf-8")
    good = policies.evaluated(builtin(), file)
    assert good.decision is Decision.ALLOW
    file.write_text(json.dumps({"action": {"kind": "scale_workload"}, "facts": {"exists": False}}), encoding="utf-8")
    bad = policies.evaluated(builtin(), file)
    assert bad.decision is Decision.DENY
    assert "exists" not in bad.assumed


@pytest.mark.parametrize("text", ["{", "[]", "{}", '{"action": 1}', '{"action": {}, "facts": []}', '{"action": {}, "facts": {"no": 1}}'])
def test_what_cannot_be_judged_is_refused(tmp_path: Path, text: str) -> None:
    file = tmp_path / "action.json"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(InvalidInput):
        policies.evaluated(builtin(), file)


def test_lint_finds_a_name_that_is_taken_across_files(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(RULE, encoding="utf-8")
    (tmp_path / "b.yaml").write_text(RULE, encoding="utf-8")
    (problem,) = policies.linted([tmp_path]).problems
    assert (problem.file, problem.line) == (str(tmp_path / "b.yaml"), 3)
    (tmp_path / "b.yaml").write_text(RULE.replace("no-fridays", "high-risk"), encoding="utf-8")
    (problem,) = policies.linted([tmp_path]).problems
    assert "there is a built-in rule `high-risk`" in problem.message


def test_two_sets_differ_by_rule_and_field(tmp_path: Path) -> None:
    (tmp_path / "own.yaml").write_text(RULE, encoding="utf-8")
    before = policies.in_force(tmp_path)
    over = RULE.replace("spec:\n", "spec:\n  overrides: run-size\n  reason: r\n  mode: enforce\n").replace("no-fridays", "our-size")
    (tmp_path / "own.yaml").write_text(RULE.replace("spec:", "spec:\n  mode: dry") + "---\n" + over, encoding="utf-8")
    found = policies.differences(before, policies.in_force(tmp_path))
    assert [(item.change, item.rule.name, item.fields) for item in found] == [
        ("changed", "no-fridays", ("mode",)),
        ("added", "our-size", ()),
        ("removed", "run-size", ()),
    ]
    assert policies.differences(before, before) == ()


async def test_what_the_judge_runs_is_read_from_the_audit_chain(tmp_path: Path) -> None:
    ledger, at = MemoryLedger(), datetime(2026, 1, 5, tzinfo=UTC)
    assert policies.judging(ledger) is None
    assert diagnosing.rules_of_the_judge("d", None).state == "skip"
    await Rulebook(tmp_path, ledger, HandClock(at)).begin()
    ledger.record(role="door", event="stop", subject="all", body={"policy": "no judge's"}, at=at)
    running = policies.judging(ledger)
    assert running == policies.Judging(builtin().digest, at, "")
    assert diagnosing.rules_of_the_judge(builtin().digest, running).state == "ok"
    ledger.record(role="judge", event="policy.refused", subject="f", body={"policy": builtin().digest, "reason": "ours.yaml:3: no"}, at=at)
    ledger.record(role="judge", event="denied", subject="act-0001", body={"policy": builtin().digest}, at=at)
    line = diagnosing.rules_of_the_judge("another", policies.judging(ledger))
    assert (line.state, "ours.yaml:3: no" in line.cause) == ("warn", True)


def test_a_dry_rule_decides_nothing_of_an_action_that_nobody_submitted(tmp_path: Path) -> None:
    file = tmp_path / "action.json"
    file.write_text(json.dumps({"action": {"kind": "scale_workload"}}), encoding="utf-8")
    denies = builtin().rules[0].policy.model_copy(update={"name": "ours", "when": "true", "applies_to": ("*",), "mode": "dry"})
    assert policies.evaluated(Engine([*(rule.policy for rule in builtin().rules), denies]), file).decision is Decision.ALLOW
    assert policies.evaluated(Engine([denies]), file).decision is Decision.DENY
