"""A second CEL engine, by other authors in another language, must say the same on every embedded test."""

from typing import Any

import cel
import pytest

from core.policy import engine, expressions, testing

CASES = [(rule, test) for rule in engine.builtin().rules for test in rule.policy.tests]


def second(source: str, variables: dict[str, Any]) -> tuple[Any, bool]:
    try:
        return cel.compile(source).execute(variables), False
    except (KeyError, TypeError, ValueError, RuntimeError, OverflowError):
        return None, True


@pytest.mark.parametrize(("rule", "test"), CASES, ids=[f"{rule.policy.name}: {test.name}" for rule, test in CASES])
def test_both_engines_agree(rule: engine.Rule, test: Any) -> None:
    action, facts = testing.case(rule.policy, test)
    inputs = expressions.Inputs(action, facts)
    variables = {"action": action, "facts": facts}
    if not rule.policy.covers(action["kind"]):
        return
    ours = rule.when.truth(inputs)
    theirs, failed = second(rule.policy.when, variables)
    assert failed == bool(ours.error) or (ours.error and not isinstance(theirs, bool))
    if ours.error:
        return
    assert theirs is ours.value
    if ours.value:
        assert second(rule.policy.message, variables) == (rule.message.text(inputs).value, False)
