"""Which runs are assessed and when, what is recorded of them, and that it can only lower."""

from datetime import timedelta
from typing import Any

import pytest

from core.assessing.answers import Answer, Assessment, Standing
from core.assessing.opinions import Heard
from core.assessing.requirements import ASKED
from core.domain.errors import InvalidInput
from core.domain.outcome import ActionState as S
from core.domain.request import Request
from runtime.services import alerting, assessing, measuring, running
from runtime.services.alerting import Limits
from runtime.services.assessing import Due, Journal
from runtime.services.measuring import Tally
from tests.runtime.services.telling import Told

AN_HOUR = timedelta(hours=1)
ANSWER: dict[str, Any] = {"findings": [], "held": [], "asked": ["finops"], "coverage": {"run": ["FIN-101"], "not_run": []}}


@pytest.fixture
def told() -> Told:
    return Told()


def ran(told: Told, run_id: str, **over: Any) -> None:
    """Begun and finished now."""
    asked = Request(id=run_id, trigger="schedule", by="operator", act=True, at=told.clock.now(), **over)
    told.ledger.record(role="controller", event=running.STARTED, subject=run_id, body=asked.model_dump(mode="json"), at=told.clock.now())
    told.ledger.record(role="controller", event=running.FINISHED, subject=run_id, body={}, at=told.clock.now())


def due(told: Told, journal: Journal | None = None) -> list[Due]:
    found = journal or Journal()
    found.catch_up(told.ledger)
    return found.due(told.ledger, told.clock.now(), AN_HOUR)


def flawed(run_id: str, *steps: str) -> Heard:
    answer = Answer(requirement="judged", standing=Standing.VIOLATED, why="written without a verdict", steps=steps)
    return Heard(Assessment(run=run_id, answers=(answer,), asked=ASKED))


def test_a_run_is_due_when_another_has_looked_again(told: Told) -> None:
    ran(told, "run-1")
    assert due(told) == []
    told.clock.advance(60)
    ran(told, "run-2")
    assert due(told) == [Due("run-1", "run-2")]


def test_or_when_nobody_has_for_so_long(told: Told) -> None:
    ran(told, "run-1")
    told.clock.advance(3600)
    assert due(told) == [Due("run-1", "")]


@pytest.mark.parametrize(("own", "later", "looked"), [({}, {"namespaces": ("shop",)}, False), ({}, {"agents": ("finops",)}, False),
    ({"namespaces": ("shop",)}, {}, True), ({"namespaces": ("shop",)}, {"namespaces": ("shop", "web")}, True)])  # fmt: skip
def test_who_looks_at_less_has_not_looked_again(told: Told, own: dict[str, Any], later: dict[str, Any], looked: bool) -> None:
    ran(told, "run-1", **own)
    told.clock.advance(60)
    ran(told, "run-2", **later)
    assert (Due("run-1", "run-2") in due(told)) is looked


def test_a_later_answer_of_fewer_agents_or_checks_is_no_later_look() -> None:
    assert assessing.looked_again(ANSWER, ANSWER) == ANSWER
    assert assessing.looked_again(ANSWER, None) is None
    assert assessing.looked_again(ANSWER, ANSWER | {"asked": []}) is None
    assert assessing.looked_again(ANSWER, ANSWER | {"coverage": {"run": [], "not_run": []}}) is None


def test_a_run_with_an_action_that_waits_is_not_over(told: Told) -> None:
    row = told.action(S.NEEDS_APPROVAL)
    ran(told, row.run_id)
    told.clock.advance(7200)
    assert due(told) == []


def test_what_was_assessed_is_not_again_and_what_is_history_never(told: Told) -> None:
    journal = Journal()
    ran(told, "run-1")
    told.clock.advance(3600)
    assert due(told, journal) == [Due("run-1", "")]
    assessing.record(told.ledger, flawed("run-1"), "none", told.clock.now(), role="controller", lowers=True)
    assert due(told, journal) == []
    ran(told, "run-2")
    told.clock.advance(8 * 24 * 3600)
    assert due(told, journal) == []


@pytest.mark.parametrize(("lowers", "misses"), [(True, ["act-1", "act-2"]), (False, [])])
def test_each_action_that_is_wrong_is_a_miss_where_that_may_lower(told: Told, lowers: bool, misses: list[str]) -> None:
    assessing.record(told.ledger, flawed("run-1", "act-1", "act-2"), "heard", told.clock.now(), role="controller", lowers=lowers)
    assert [row.subject for row in told.ledger.chain(role="assessor")] == misses
    (said,) = assessing.recorded(told.ledger)
    assert (said.run, said.outcome, said.violated, said.model) == ("run-1", "flawed", {"judged": "written without a verdict"}, "heard")


def test_a_sound_run_leaves_no_miss(told: Told) -> None:
    fine = tuple(Answer(requirement=name, standing=Standing.SATISFIED, why="") for name in ASKED)
    found = Heard(Assessment(run="run-1", answers=fine, asked=ASKED))
    assessing.record(told.ledger, found, "none", told.clock.now(), role="controller", lowers=True)
    assert told.ledger.chain(role="assessor") == []


def test_the_share_that_a_model_sees_is_of_the_ids() -> None:
    names = [f"run-{number}" for number in range(2000)]
    assert not any(assessing.sampled(name, 0) for name in names)
    assert all(assessing.sampled(name, 100) for name in names)
    share = sum(assessing.sampled(name, 10) for name in names) / len(names)
    assert 0.07 < share < 0.13
    assert [name for name in names if assessing.sampled(name, 10)] == [name for name in names if assessing.sampled(name, 10)]


def test_what_never_ran_cannot_be_assessed(told: Told) -> None:
    with pytest.raises(InvalidInput, match="no run"):
        assessing.stored(told.ledger, "run-nobody", ANSWER)


def test_a_run_is_read_whole_and_without_secrets(told: Told) -> None:
    row = told.action(S.VERIFIED)
    asked = Request(id=row.run_id, trigger="chat", by="operator", text="password=hunter2-hunter2", act=True, at=told.clock.now())
    told.ledger.record(
        role="controller", event=running.STARTED, subject=row.run_id, body=asked.model_dump(mode="json"), at=told.clock.now()
    )
    told.ledger.record(role="controller", event=running.FINISHED, subject=row.run_id, body={}, at=told.clock.now())
    run, _ = assessing.by_code(assessing.stored(told.ledger, row.run_id, ANSWER))
    (step,) = run.steps
    assert (step.id, step.state) == (row.action_id, S.VERIFIED)
    assert (step.moves[0].event, step.moves[-1].event) == ("submitted", "verified")
    assert "hunter2" not in run.model_dump_json()


def assess(told: Told, number: int, *, wrong: bool, asked: assessing.Asked = "none") -> None:
    fine = tuple(Answer(requirement=name, standing=Standing.SATISFIED, why="") for name in ASKED)
    found = flawed(f"run-{number}") if wrong else Heard(Assessment(run=f"run-{number}", answers=fine, asked=ASKED))
    told.clock.advance(60)
    assessing.record(told.ledger, found, asked, told.clock.now(), role="controller", lowers=True)


def names(told: Told) -> list[str]:
    return [alert.name for alert, _ in alerting.standing(told.ledger, told.clock.now(), Limits())]


def test_a_flawed_run_is_told_for_a_while(told: Told) -> None:
    assess(told, 1, wrong=False)
    assert names(told) == []
    assess(told, 2, wrong=True)
    ((alert, _),) = alerting.standing(told.ledger, told.clock.now(), Limits())
    assert (alert.name, alert.grave, alert.labels["run"]) == ("Day2RunFlawed", False, "run-2")
    assert "judged" in alert.description
    told.clock.advance(3700)
    assert names(told) == []


def test_more_flawed_runs_than_before_are_drift_until_it_is_as_before(told: Told) -> None:
    for number in range(40):
        assess(told, number, wrong=False)
    for number in range(40, 50):
        assess(told, number, wrong=True)
    told.clock.advance(3700)
    assert names(told) == ["Day2AssessmentDrift"]
    for number in range(50, 75):
        assess(told, number, wrong=False)
    assert names(told) == []


def test_a_model_whose_answers_are_left_aside_is_told(told: Told) -> None:
    for number in range(10):
        assess(told, number, wrong=False, asked="aside" if number % 2 else "heard")
    assert names(told) == ["Day2AssessmentDrift"]


def test_alerts_and_numbers_listen_to_what_is_recorded(told: Told) -> None:
    assert alerting.ASSESSED == assessing.ASSESSED
    assess(told, 1, wrong=True, asked="heard")
    assess(told, 2, wrong=False)
    tally = Tally()
    tally.catch_up(told.ledger)
    assert tally.assessed == {("flawed", "heard"): 1, ("sound", "none"): 1}
    assert set(measuring.OUTCOMES) >= {outcome for outcome, _ in tally.assessed}
