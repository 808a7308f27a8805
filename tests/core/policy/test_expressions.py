"""What an expression answers, and what is no answer."""

import pytest

from core.policy.expressions import MAX_SOURCE, Expression, ExpressionError, Inputs

INPUTS = Inputs({"kind": "scale_workload"}, {"replicas": 2, "name": "cart"})


@pytest.mark.parametrize(
    ("source", "value", "error"),
    [
        ("facts.replicas > 1", True, ""),
        ("facts.replicas > 2", False, ""),
        ("facts.replicas", None, "the rule answered INT"),
        ("facts.name", None, "the rule answered STRING"),
        ("null", None, "the rule answered NULL"),
    ],
)
def test_truth_is_true_or_false_and_nothing_else(source: str, value: bool | None, error: str) -> None:
    assert tuple(Expression(source).truth(INPUTS)) == (value, error)


@pytest.mark.parametrize("source", ["facts.nothing > 1", "facts.name > 1", "1 / (facts.replicas - 2) > 0"])
def test_what_cannot_be_told_says_why_in_the_engines_words(source: str) -> None:
    for asked in (Expression(source).truth, Expression(source).text):
        value, error = asked(INPUTS)
        assert value is None
        assert error
        assert not error.startswith("the rule answered")


@pytest.mark.parametrize(("source", "value", "error"), [("facts.name + '!'", "cart!", ""), ("true", None, "the rule answered BOOL")])
def test_text_is_text(source: str, value: str | None, error: str) -> None:
    assert tuple(Expression(source).text(INPUTS)) == (value, error)


def test_an_expression_that_spends_its_budget_is_no_answer_of_either_sort() -> None:
    many = Inputs({}, {"many": list(range(2000))})
    source = "facts.many.all(a, facts.many.all(b, facts.many.all(c, a + b + c >= 0)))"
    for asked in (Expression(source).truth, Expression(f"{source} ? 'a' : 'b'").text):
        value, error = asked(many)
        assert value is None
        assert error


def test_an_expression_has_a_greatest_length_and_keeps_its_text() -> None:
    longest = "true" + " " * (MAX_SOURCE - 4)
    assert Expression(longest).source == longest
    with pytest.raises(ExpressionError, match="longer than"):
        Expression(longest + " ")


@pytest.mark.parametrize("source", ["", "facts.", "secrets.all", "facts.replicas ++ 1"])
def test_what_is_no_expression_is_told_on_one_line(source: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        Expression(source)
    assert str(caught.value).strip()
    assert "\n" not in str(caught.value)
    assert not str(caught.value).startswith(("INVALID_ARGUMENT", "ERROR"))
