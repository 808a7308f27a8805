import json
from pathlib import Path

import pytest

from core.domain.errors import InvalidDocument, InvalidInput
from core.domain.verdict import Decision
from core.policy.engine import builtin
from runtime.services import policies

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
