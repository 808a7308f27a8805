"""A second CEL engine, by other authors in another language, must say the same: on every embedded test, and on facts nobody thought of.

Where the two are known to differ is named here, and shown to differ still: a rule that leans on it would be found by the tests above.
"""

from typing import Any

import cel
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.domain.facts import Facts
from core.policy import engine, expressions, lint, testing

RULES = engine.builtin().rules
CASES = [(rule, test) for rule in RULES for test in rule.policy.tests]
SECOND = {source: cel.compile(source) for rule in RULES for source in (rule.policy.when, rule.policy.message)}
GOOD = testing.GOOD_FACTS.model_dump(mode="json")
NUMBERS = st.integers(-5, 130) | st.sampled_from([300, 900, 3600, 21_600, 90_000, -(10**9), 10**9, 2**53, 2**62])
PATHS = (
    "spec.replicas",
    "spec.template.spec.containers[api].resources.limits.memory",
    "spec.template.spec.containers[api].image",
    "spec.template.spec.volumes[data].name",
    "metadata.labels[pod-security.kubernetes.io/enforce]",
    "metadata.generation",
    "é.👍",
)
WORDS = st.sampled_from(
    ["", "shop", "baseline", "restricted", "privileged", "StatefulSet", "Secret", "suggest", "auto", "u-1", "approver-a", "é 👍"]
)
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "changes": st.lists(st.builds(dict, path=st.sampled_from(PATHS), old=st.none(), new=st.none() | NUMBERS), max_size=3),
    "rights_missing": st.lists(WORDS, max_size=2),
    "evidence_elsewhere": st.lists(WORDS, max_size=2),
    "approvals": st.lists(WORDS, max_size=3),
    "labels": st.dictionaries(WORDS, WORDS, max_size=2),
}
ARGUMENTS: dict[str, st.SearchStrategy[Any]] = {
    "risk": st.sampled_from(["low", "medium", "high"]),
    "reversible": st.booleans(),
    "sizings": st.lists(st.just({"container": "api"}), max_size=3),
}
DIFFER = {
    "an error inside exists() is absorbed by the first engine alone": "[{}, {'n': 2}].exists(e, e.n > 1)",
    "the first engine counts characters, the second bytes": "size('é') == 1",
    "the first engine knows time zones": "timestamp('2026-01-05T12:00:00Z').getHours('Europe/Paris') == 13",
}


def value_of(name: str) -> st.SearchStrategy[Any]:
    """Of a fact's own type, null where it may be, or gone altogether (`...`)."""
    field = Facts.model_fields[name]
    if name in VALUES:
        found = VALUES[name]
    elif "int" in str(field.annotation):
        found = NUMBERS
    else:
        found = st.booleans() if "bool" in str(field.annotation) else WORDS
    return found | st.just(...) | (st.none() if field.default is None else st.nothing())


def second(source: str, variables: dict[str, Any]) -> tuple[Any, bool]:
    """What the other engine says, and whether it is an error: anything but a truth value or a text is one for us."""
    try:
        return SECOND[source].execute(variables), False
    except (LookupError, TypeError, ValueError, RuntimeError, OverflowError):
        return None, True


def agree(rule: engine.Rule, action: dict[str, Any], facts: dict[str, Any]) -> None:
    inputs, variables = expressions.Inputs(action, facts), {"action": action, "facts": facts}
    for expression, ours, sort in (
        (rule.when, rule.when.truth(inputs), bool),
        (rule.message, rule.message.text(inputs), str),
    ):
        theirs, failed = second(expression.source, variables)
        said = None if failed or not isinstance(theirs, sort) else theirs
        assert said == (None if ours.error else ours.value), f"{rule.policy.name}: {expression.source}: {ours}, and the other {theirs}"


@pytest.mark.parametrize(("rule", "test"), CASES, ids=[f"{rule.policy.name}: {test.name}" for rule, test in CASES])
def test_both_engines_agree(rule: engine.Rule, test: Any) -> None:
    agree(rule, *testing.case(rule.policy, test))


@pytest.mark.parametrize("rule", RULES, ids=[rule.policy.name for rule in RULES])
def test_both_engines_agree_on_facts_that_nobody_thought_of(rule: engine.Rule) -> None:
    """The facts that the rule reads are drawn, or missing; `when` and `message` are asked whatever the other says."""
    names = [name for name in lint.facts_read(rule.policy) if name in Facts.model_fields]
    kinds = st.sampled_from(["scale_workload", "set_requests", "delete_pod"] if "*" in rule.policy.applies_to else rule.policy.applies_to)
    drawn = st.fixed_dictionaries({name: value_of(name) for name in names})

    @settings(max_examples=30, derandomize=True, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(facts=drawn, kind=kinds, arguments=st.fixed_dictionaries(ARGUMENTS))
    def check(facts: dict[str, Any], kind: str, arguments: dict[str, Any]) -> None:
        known = {name: value for name, value in {**GOOD, **facts}.items() if value is not ...}
        agree(rule, {**testing.GOOD_ACTION, **arguments, "kind": kind}, known)

    check()


@pytest.mark.parametrize("source", DIFFER.values(), ids=DIFFER)
def test_where_the_engines_are_known_to_differ_they_still_do(source: str) -> None:
    ours = expressions.Expression(source).truth(expressions.Inputs({}, {}))
    try:
        theirs = cel.compile(source).execute({})
    except (LookupError, TypeError, ValueError, RuntimeError, OverflowError):
        theirs = None
    assert ours.value is True
    assert theirs is not True
