"""The assessor at work: it records each finished run once, asks a model for its share, and one that cannot be read stops nobody."""

import contextlib
from collections.abc import AsyncIterator
from typing import Any

import pytest

from core.assessing import opinions
from core.assessing.opinions import Opinion
from core.domain.errors import InvalidInput, Unavailable
from core.domain.model import Question
from core.domain.outcome import ActionState as S
from core.domain.request import Request
from evals.assessing.readers import READERS
from runtime.assessing import Assessor
from runtime.services import assessing, running
from runtime.settings import AssessSettings
from tests.runtime.services.telling import Told

ANSWER: dict[str, Any] = {"findings": [], "held": [], "asked": [], "coverage": {"run": [], "not_run": []}}


class Model:
    """Answers as a reader does; `down` is raised while it is set."""

    def __init__(self, name: str = "attentive") -> None:
        self.read, self.asked, self.down = READERS[name], 0, False
        self.usage: Any = None

    async def ask(self, question: Question, schema: Any) -> Any:
        self.asked += 1
        if self.down:
            raise Unavailable("the model", 1.0)
        assert question.purpose == opinions.PURPOSE
        return schema.model_validate_json(self.read(question).model_dump_json())


class Bench:
    def __init__(self, **settings: Any) -> None:
        self.told, self.model, self.lost = Told(), Model(), set[str]()
        wanted = AssessSettings(**{"sample_percent": 100} | settings)
        self.assessor = Assessor(self.told.ledger, self.told.clock, self.answer, self.models, wanted, "controller")

    async def answer(self, run_id: str) -> dict[str, Any]:
        if run_id in self.lost:
            raise InvalidInput(f"no finished run {run_id}")
        return ANSWER

    @contextlib.asynccontextmanager
    async def models(self) -> AsyncIterator[Any]:
        yield self.model

    def ran(self, run_id: str) -> None:
        now = self.told.clock.now()
        asked = Request(id=run_id, trigger="schedule", by="operator", act=True, at=now).model_dump(mode="json")
        self.told.ledger.record(role="controller", event=running.STARTED, subject=run_id, body=asked, at=now)
        self.told.ledger.record(role="controller", event=running.FINISHED, subject=run_id, body={}, at=now)

    @property
    def said(self) -> list[tuple[str, str, str]]:
        return [(each.run, each.outcome.value, each.model) for each in assessing.recorded(self.told.ledger)]

    async def acted(self) -> str:
        """A run with an action that was written without a verdict, an hour ago."""
        row = self.told.action(S.VERIFIED)
        self.ran(row.run_id)
        self.told.clock.advance(3600)
        return row.action_id


@pytest.fixture
def bench() -> Bench:
    return Bench()


async def test_a_run_is_assessed_once(bench: Bench) -> None:
    bench.ran("run-1")
    assert await bench.assessor.once() == 0
    bench.told.clock.advance(3600)
    assert await bench.assessor.once() == 1
    assert await bench.assessor.once() == 0
    assert bench.said == [("run-1", "sound", "none")]


async def test_another_process_goes_on_where_one_died(bench: Bench) -> None:
    bench.ran("run-1")
    bench.told.clock.advance(3600)
    await bench.assessor.once()
    again = Assessor(bench.told.ledger, bench.told.clock, bench.answer, bench.models, AssessSettings(), "controller")
    assert await again.once() == 0


async def test_what_is_wrong_is_a_miss_of_its_action(bench: Bench) -> None:
    action = await bench.acted()
    await bench.assessor.once()
    assert [outcome for _, outcome, _ in bench.said] == ["flawed"]
    assert [row.subject for row in bench.told.ledger.chain(role="assessor")] == [action]


async def test_people_may_have_it_look_and_lower_nothing() -> None:
    bench = Bench(lowers=False)
    await bench.acted()
    await bench.assessor.once()
    assert [outcome for _, outcome, _ in bench.said] == ["flawed"]
    assert bench.told.ledger.chain(role="assessor") == []


async def test_a_model_sees_its_share_and_no_more() -> None:
    for percent, asked in ((100, 1), (0, 0)):
        bench = Bench(sample_percent=percent)
        await bench.acted()
        await bench.assessor.once()
        assert bench.model.asked == asked


async def test_a_model_that_is_down_leaves_the_word_to_code(bench: Bench) -> None:
    bench.model.down = True
    await bench.acted()
    await bench.assessor.once()
    assert [(outcome, model) for _, outcome, model in bench.said] == [("flawed", "silent")]


async def test_an_answer_that_was_not_read_is_left_aside(bench: Bench) -> None:
    bench.model.read = lambda _: Opinion()
    await bench.acted()
    await bench.assessor.once()
    assert [(outcome, model) for _, outcome, model in bench.said] == [("flawed", "aside")]


async def test_a_run_that_cannot_be_read_is_unknown_and_stops_nobody(bench: Bench) -> None:
    bench.lost.add("run-1")
    bench.ran("run-1")
    bench.ran("run-2")
    bench.told.clock.advance(3600)
    assert await bench.assessor.once() == 2
    assert bench.said == [("run-2", "sound", "none"), ("run-1", "unknown", "none")]


async def test_a_later_answer_that_is_lost_is_no_later_look(bench: Bench) -> None:
    bench.ran("run-1")
    bench.told.clock.advance(60)
    bench.ran("run-2")
    bench.lost.add("run-2")
    assert await bench.assessor.once() == 1
    assert bench.said == [("run-1", "sound", "none")]
