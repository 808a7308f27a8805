import pytest

from core.policy import engine, lint, testing

KINDS = {"turn_knob": frozenset({"id", "kind", "target", "knob"}), "push_button": frozenset({"id", "kind", "target"})}
TESTS = "[{name: quiet, expect: pass}, {name: loud, facts: {protected: true}, expect: deny}]"


def rule(*, when: str = "facts.protected", message: str = "\"'m'\"", kinds: str = "['*']", tests: str = TESTS) -> str:
    return (
        "apiVersion: day2.dev/v1alpha1\nkind: ActionPolicy\nmetadata: {name: r}\nspec:\n  why: w\n"
        f"  appliesTo: {kinds}\n  decision: deny\n  when: {when}\n  message: {message}\n  tests: {tests}\n"
    )


def test_a_good_rule_has_no_problems() -> None:
    assert lint.lint_text(rule(), "r.yaml", KINDS) == ()


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        (rule(when="facts.protcted"), 8, "facts.protcted"),
        (rule(when="fact.protected"), 8, "undeclared reference to 'fact"),
        (rule(when="facts.protected &&"), 8, "Syntax error"),
        (rule(when="facts.replicas < '3'"), 8, "no matching overload"),
        (rule(when="facts.replicas * 1.2 > 3.0"), 8, "no matching overload"),
        (rule(when="facts.replicas"), 8, "must answer true or false"),
        (rule(when="facts.name"), 8, "must answer true or false"),
        (rule(when="action.nob == 1", kinds="[turn_knob]"), 8, "action.nob"),
        (rule(when="action.knob == 1", kinds="[push_button]"), 8, "action.knob"),
        (rule(when="action.target.nmespace == 'x'"), 8, "action.target.nmespace"),
        (rule(message="facts.replicas"), 9, "must answer a text"),
        (rule(message="\"'x' + facts.replicas\""), 9, "no matching overload"),
        (rule(tests="[]"), 10, "lets through"),
        (rule(tests="[{name: quiet, expect: pass}]"), 10, "no test expects `deny`"),
        (rule(tests="[{name: a, expect: deny}, {name: b, facts: {protected: true}, expect: pass}]"), 10, "expects deny and got pass"),
        (rule(tests="[{name: a, expect: pass}, {name: b, facts: {protcted: true}, expect: deny}]"), 10, "got invalid"),
        (rule(tests="[{name: a, expect: pass}, {name: b, facts: {protected: 1}, expect: deny}]"), 10, "got invalid"),
        (rule().replace("decision", "decison"), 7, "did you mean `decision`"),
    ],
)
def test_a_mistake_in_a_rule_is_a_problem_with_its_line(text: str, line: int, words: str) -> None:
    found = lint.lint_text(text, "r.yaml", KINDS)
    assert [problem for problem in found if problem.line == line and words in problem.message], found
    assert all(str(problem).startswith("r.yaml:") for problem in found)


def test_a_kind_that_nobody_made_yet_is_a_note() -> None:
    found = lint.lint_text(rule(kinds="[turn_knob, turn_nob]"), "r.yaml", KINDS)
    assert [(problem.level, problem.line) for problem in found if "turn_nob" in problem.message] == [("note", 6)]


def test_names_inside_messages_are_no_names() -> None:
    assert lint.lint_text(rule(when="facts.protected || facts.name == 'facts.nonsense action.nonsense'"), "r.yaml", KINDS) == ()


def test_the_facts_a_rule_reads_are_known() -> None:
    policy = next(rule.policy for rule in engine.builtin().rules if rule.policy.name == "gpu-allowance")
    assert lint.facts_read(policy) == ("gpu_allowance", "namespace_gpus_after", "namespace_gpus_used")


def test_a_report_names_rules_without_tests() -> None:
    policy = engine.builtin().rules[0].policy.model_copy(update={"tests": ()})
    report = testing.run([policy])
    assert report.untested == (policy.name,)
    assert not report.ok
