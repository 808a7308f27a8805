"""A model may tighten, by words that it was shown; it takes nothing back, and what was not read counts for nothing."""

from typing import Any

import pytest
from pydantic import ValidationError

from core.assessing import opinions
from core.assessing.answers import Standing
from core.assessing.opinions import CONTROLS, WORDS, Asked, Opinion, Said
from core.assessing.requirements import assessed
from core.assessing.trajectory import Trajectory
from evals.assessing.readers import READERS


def said(name: str, standing: Standing, *cites: str, quote: str = "") -> Said:
    return Said(statement=Asked(name), standing=standing, cites=cites, quote=quote)


def controls(run: Trajectory) -> tuple[Said, ...]:
    """Both right."""
    return tuple(said(name, truth) for name, (_, truth) in opinions.controls(run).items())


def against(run: Trajectory, name: str = "right-reason", **over: Any) -> Said:
    first = opinions.shown(run)[0]
    return said(name, Standing.VIOLATED, *over.get("cites", (first.id,)), quote=over.get("quote", first.text[:40]))


def test_a_violation_with_a_true_quote_counts(run: Trajectory) -> None:
    found = opinions.heard(run, assessed(run), Opinion(answers=(*controls(run), against(run)))).assessment
    answer = found.of("right-reason")
    assert answer is not None
    assert (answer.standing, answer.by) == (Standing.VIOLATED, "model")
    assert set(answer.cites) <= {item.id for item in opinions.shown(run)}


@pytest.mark.parametrize(
    "over",
    [{"cites": ()}, {"cites": ("ev-nobody",)}, {"quote": "this looks very wrong to me"}, {"quote": "roll"}, {"quote": ""}],
    ids=["no id", "an id that was not shown", "words of its own", "a word", "no words"],
)
def test_a_violation_that_rests_on_nothing_shown_is_none(run: Trajectory, over: dict[str, Any]) -> None:
    before = assessed(run)
    assert opinions.heard(run, before, Opinion(answers=(*controls(run), against(run, **over)))).assessment == before


def test_nothing_is_taken_back(run: Trajectory) -> None:
    step = run.steps[0].model_copy(update={"kind": "restart_rollout"})
    wrong = run.model_copy(update={"steps": (step,)})
    before = assessed(wrong)
    fine = tuple(said(name, Standing.SATISFIED) for name in WORDS)
    assert before.violated
    assert opinions.heard(wrong, before, Opinion(answers=(*controls(wrong), *fine))).assessment == before


@pytest.mark.parametrize("name", CONTROLS)
def test_a_wrong_control_leaves_the_whole_answer_aside(run: Trajectory, name: str) -> None:
    turned = {Standing.SATISFIED: Standing.VIOLATED, Standing.VIOLATED: Standing.SATISFIED}
    answers = tuple(
        each if each.statement != name else each.model_copy(update={"standing": turned[each.standing]}) for each in controls(run)
    )
    heard = opinions.heard(run, assessed(run), Opinion(answers=(*answers, against(run))))
    assert heard.aside
    assert heard.assessment == assessed(run)


def test_the_same_words_for_everything_are_no_reading(run: Trajectory) -> None:
    heard = opinions.heard(run, assessed(run), Opinion(answers=(*controls(run), against(run), against(run, "whole"))))
    assert heard.aside
    assert heard.assessment == assessed(run)


@pytest.mark.parametrize("name", [name for name in READERS if name not in ("attentive", "hasty")])
def test_who_answers_without_reading_changes_nothing(name: str, run: Trajectory, approved: Trajectory) -> None:
    for each in (run, approved):
        assert opinions.heard(each, assessed(each), READERS[name](opinions.question(each))).assessment == assessed(each)


def test_the_controls_differ_and_one_of_them_holds(run: Trajectory, approved: Trajectory) -> None:
    truths = {
        tuple(truth for _, truth in opinions.controls(run.model_copy(update={"run": f"run-{number}"})).values()) for number in range(9)
    }
    assert len(truths) == 2
    assert all(set(each) == {Standing.SATISFIED, Standing.VIOLATED} for each in truths)


def test_what_only_code_decides_cannot_be_answered() -> None:
    with pytest.raises(ValidationError):
        Opinion.model_validate_json('{"answers": [{"statement": "judged", "standing": "satisfied"}]}')


def test_a_prompt_holds_all_that_is_shown(run: Trajectory) -> None:
    asked = opinions.question(run)
    assert len(asked.instruction) <= 2000
    assert len(asked.evidence) <= opinions.SHOWN
    assert {step.id for step in run.steps} <= {item.id for item in asked.evidence}
