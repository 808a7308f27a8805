from pathlib import Path

import pytest

from core.domain.errors import InvalidDocument
from core.policy import engine, loading, testing

RULE = """\
apiVersion: day2.dev/v1alpha1
kind: ActionPolicy
metadata: {name: no-mondays}
spec:
  why: Nobody wants surprises on a Monday.
  appliesTo: ["*"]
  decision: deny
  when: timestamp(facts.read_at).getDayOfWeek() == 1
  message: "'it is Monday'"
  tests:
    - {name: a Monday, expect: deny}
    - {name: a Sunday, facts: {read_at: "2026-01-04T12:00:00Z"}, expect: pass}
"""


def test_without_a_folder_the_built_in_rules_hold() -> None:
    assert loading.load().digest == engine.builtin().digest


def test_a_folder_adds_rules_to_the_built_in_ones(tmp_path: Path) -> None:
    (tmp_path / "ours.yaml").write_text(RULE)
    rules = loading.load(tmp_path)
    assert len(rules.rules) == len(engine.builtin().rules) + 1
    results = rules.evaluate(testing.GOOD_ACTION, testing.GOOD_FACTS.model_dump(mode="json"))
    assert [(result.rule, result.message) for result in results if result.result == "fail"] == [("no-mondays", "it is Monday")]


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("no-mondays", "emergency-stop", "there is a built-in rule `emergency-stop`"),
        ("expect: deny", "expect: pass", r"ours\.yaml:10: rule no-mondays: no test expects"),
        ("2026-01-04", "2026-01-05", r"ours\.yaml:12: rule no-mondays: test `a Sunday` expects pass and got deny"),
        ("facts.read_at", "facts.red_at", r"ours\.yaml:8: .*facts\.red_at"),
    ],
)
def test_rules_that_are_wrong_are_refused_with_their_place(tmp_path: Path, old: str, new: str, words: str) -> None:
    (tmp_path / "ours.yaml").write_text(RULE.replace(old, new))
    with pytest.raises(InvalidDocument, match=words):
        loading.load(tmp_path)


def test_a_folder_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidDocument, match="cannot be read"):
        loading.load(tmp_path / "none")
