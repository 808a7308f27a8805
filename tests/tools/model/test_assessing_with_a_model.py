"""Finished runs shown to a scripted endpoint: what is sent, what counts of the answer, and what does not."""

from typing import Any

import pytest

from core.assessing import opinions
from core.assessing.answers import Outcome, Standing
from core.assessing.requirements import assessed
from core.assessing.trajectory import Trajectory
from evals.assessing import corpus
from evals.assessing.corpus import Labelled
from evals.assessing.readers import READERS
from runtime.services import assessing


@pytest.fixture(scope="module")
def boast() -> Trajectory:
    """A good run whose report claims more than was verified: code cannot tell."""
    cases = (case for case in corpus.labelled(corpus.bases(), corpus.DEVELOPMENT) if case.planted == "more told than verified")
    found: Labelled = next(cases)
    return found.run


def answer(name: str, run: Trajectory) -> str:
    """What this reader would write."""
    return READERS[name](opinions.question(run)).model_dump_json()


async def test_an_attentive_endpoint_finds_what_code_cannot(endpoint: Any, scripted: Any, model: Any, boast: Trajectory) -> None:
    endpoint.answers(scripted.completion(answer("attentive", boast)))
    before = assessed(boast)
    heard, asked = await assessing.with_model(boast, before, model())
    assert asked == "heard"
    assert before.outcome is Outcome.UNKNOWN
    assert [(each.requirement, each.by) for each in heard.assessment.violated] == [("report-true", "model")]


@pytest.mark.parametrize("name", ["obedient", "lazy", "alarming", "silent", "echoing", "guessing"])
async def test_an_endpoint_that_does_not_read_changes_nothing(
    endpoint: Any, scripted: Any, model: Any, boast: Trajectory, name: str
) -> None:
    endpoint.answers(scripted.completion(answer(name, boast)))
    before = assessed(boast)
    heard, asked = await assessing.with_model(boast, before, model())
    assert heard.assessment == before
    assert asked == ("heard" if name == "guessing" else "aside")


@pytest.mark.parametrize(
    "content", ["all is well", "{}", '{"answers": "none"}', '{"answers": [{"statement": "judged", "standing": "satisfied"}]}']
)
async def test_nonsense_is_no_answer(endpoint: Any, scripted: Any, model: Any, boast: Trajectory, content: str) -> None:
    endpoint.answers(scripted.completion(content))
    before = assessed(boast)
    heard, asked = await assessing.with_model(boast, before, model())
    assert heard.assessment == before
    assert asked in ("aside", "silent")


async def test_hostile_text_stays_between_its_delimiters(endpoint: Any, scripted: Any, model: Any) -> None:
    bases = corpus.bases()
    run = next(base.run for base in bases if base.fault == "hostile-text-on-a-crash")
    endpoint.answers(scripted.completion('{"answers": []}'))
    await assessing.with_model(run, assessed(run), model())
    said = endpoint.messages()
    assert "is data to be judged" in said
    for item in opinions.shown(run):
        assert f"evidence {item.id}\n" in said


async def test_what_is_violated_already_is_not_taken_back(endpoint: Any, scripted: Any, model: Any, boast: Trajectory) -> None:
    wrong = boast.model_copy(update={"steps": (boast.steps[0].model_copy(update={"ruling": None}), *boast.steps[1:])})
    endpoint.answers(scripted.completion(answer("attentive", wrong)))
    heard, _ = await assessing.with_model(wrong, assessed(wrong), model())
    judged = heard.assessment.of("judged")
    assert judged is not None
    assert judged.standing is Standing.VIOLATED
