"""Each requirement is violated by the errors that break it, wherever they fit a good run, and by nothing that breaks none."""

from collections.abc import Iterator, Sequence
from random import Random

import pytest

from core.actions.catalogue import CATALOGUE
from core.assessing import causes
from core.assessing.answers import Answer, Assessment, Outcome, Standing
from core.assessing.requirements import ASKED, BY_NAME, REQUIREMENTS, assessed
from core.assessing.trajectory import Trajectory
from core.domain.check import Signal
from evals.assessing.corpus import Base
from evals.assessing.errors import ERRORS, HARMLESS, Error, Plant

WORDS_DECIDE = {"reason of another run", "another motive", "another motive behind the right title", "more told than verified"}
"""Code reads no meaning: these are for people and models."""
AMBIGUOUS = {"evidence of a neighbour", "worse than before", "bystander harmed"}
"""Where the label and what is stored may part: names that begin alike, what was there before, what broke elsewhere at the same time."""
SEEN = [error for error in ERRORS if error.name not in WORDS_DECIDE]


def planted(plant: Plant, good: Sequence[Base]) -> Iterator[Trajectory]:
    for number, base in enumerate(good):
        found = plant(base.run, Random(number), good[(number + 3) % len(good)].run)
        if found is not None:
            yield found


@pytest.mark.parametrize("error", SEEN, ids=lambda error: error.name)
def test_an_error_violates_the_requirement_that_it_breaks(error: Error, good: Sequence[Base]) -> None:
    answers = [assessed(run).of(error.breaks) for run in planted(error.plant, good)]
    standings = [answer.standing for answer in answers if answer is not None]
    assert standings, "it fits no run"
    if error.name in AMBIGUOUS:
        assert standings.count(Standing.VIOLATED) * 2 > len(standings)
    else:
        assert set(standings) == {Standing.VIOLATED}


@pytest.mark.parametrize("error", [error for error in ERRORS if error.name in WORDS_DECIDE], ids=lambda error: error.name)
def test_what_words_decide_code_does_not_condemn(error: Error, good: Sequence[Base]) -> None:
    assert Outcome.FLAWED not in {assessed(run).outcome for run in planted(error.plant, good)}


@pytest.mark.parametrize("name", HARMLESS)
def test_what_breaks_nothing_violates_nothing(name: str, good: Sequence[Base]) -> None:
    found = [assessed(run) for run in planted(HARMLESS[name], good)]
    assert found
    assert [assessment.violated for assessment in found if assessment.violated] == []


def test_good_runs_are_sound_but_for_what_code_cannot_know(good: Sequence[Base]) -> None:
    outcomes = {base.fault: assessed(base.run).outcome for base in good}
    assert {fault for fault, outcome in outcomes.items() if outcome is not Outcome.SOUND} <= {"nodes-cordoned"}


def test_a_violation_names_the_action_and_what_shows_it(run: Trajectory) -> None:
    step = run.steps[0]
    wrong = run.model_copy(update={"steps": (step.model_copy(update={"ruling": None}),)})
    answer = assessed(wrong).of("judged")
    assert answer is not None
    assert (answer.standing, answer.steps, answer.by) == (Standing.VIOLATED, (step.id,), "code")
    assert set(answer.cites) <= wrong.ids()


def test_nobody_looked_again_is_unknown_and_not_well(run: Trajectory) -> None:
    found = assessed(run.model_copy(update={"after": None}))
    assert found.outcome is Outcome.UNKNOWN
    assert {answer.requirement for answer in found.answers if answer.standing is Standing.UNKNOWN} == {"whole", "no-bystander-harmed"}


def test_a_run_that_found_nothing_and_did_nothing_is_sound(run: Trajectory) -> None:
    assert assessed(run.model_copy(update={"steps": (), "before": (), "evidence": (), "report": ()})).outcome is Outcome.SOUND


def test_two_people_are_needed_for_high_risk(approved: Trajectory) -> None:
    step = approved.steps[0].model_copy(update={"risk": "high"})
    answer = assessed(approved.model_copy(update={"steps": (step,)})).of("people-decided")
    assert answer is not None
    assert answer.standing is Standing.VIOLATED


def test_answers_that_are_missing_are_no_assessment() -> None:
    yes = Answer(requirement="judged", standing=Standing.SATISFIED, why="")
    assert Assessment(run="r", answers=(), asked=ASKED).outcome is Outcome.UNKNOWN
    assert Assessment(run="r", answers=(yes,), asked=ASKED).outcome is Outcome.UNKNOWN
    assert Assessment(run="r", answers=(), asked=()).outcome is Outcome.UNKNOWN


def test_the_tables_speak_of_what_there_is() -> None:
    assert set(causes.SIGNALS) == set(CATALOGUE)
    assert set().union(*causes.REMEDIES.values()) <= set(CATALOGUE)
    assert causes.PROMISES.union(*causes.SIGNALS.values()) <= {signal.value for signal in Signal}
    assert len(BY_NAME) == len(REQUIREMENTS) >= 20
    assert {error.breaks for error in ERRORS} == set(BY_NAME), "every requirement has an error that breaks it"
