"""Are the rules' own tests any good? Each rule is broken in every small way, and its embedded tests must notice."""

import re
from collections.abc import Iterator

import pytest

from core.policy import engine, expressions, policies, testing

SWAPS = (("<", "<="), (">", ">="), ("&&", "||"), ("||", "&&"), ("* 12", "* 10"), ("* 11", "* 10"), ("* 4", "* 1"), ("!facts", "facts"))


def mutants(source: str) -> Iterator[str]:
    yield from ("true", "false")
    for old, new in SWAPS:
        pattern = re.escape(old) + ("(?!=)" if old in "<>" else "")
        for found in re.finditer(pattern, source):
            yield source[: found.start()] + new + source[found.end() :]


RULES = [rule.policy for rule in engine.builtin().rules]


@pytest.mark.parametrize("policy", RULES, ids=[policy.name for policy in RULES])
def test_a_broken_rule_fails_its_own_tests(policy: policies.ActionPolicy) -> None:
    survivors = []
    for source in mutants(policy.when):
        try:
            survived = testing.run([policy.model_copy(update={"when": source})]).ok
        except expressions.ExpressionError:
            continue
        if survived:
            survivors.append(source)
    assert survivors == []
