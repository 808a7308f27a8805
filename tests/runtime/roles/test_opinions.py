"""The judge's side of the model judge, beside a child that answers as it is told: what is taken, and what each failure costs.

The command is the judge's own; the program is a small one that lies where Python looks first.
"""

import asyncio
import json
import os
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from core.domain.errors import Unavailable
from core.domain.quoting import Quoted
from core.domain.review import Brief, Concern, Review
from runtime.roles.opinions import Opinions

BRIEF = Brief('action: "scale_workload"', (Quoted("ev-1", "replicas 2 → 40"),))
REVIEW = {"review": {"concern": "blast_radius", "cites": ["ev-1"]}}
Asked = list[tuple[int, Any]]


class Reviewer:
    """A judge's opinions, and what its children were asked."""

    def __init__(self, settings: Path, answers: list[Any], patience: float) -> None:
        self.settings = settings
        self.settings.write_text(json.dumps(answers), encoding="utf-8")
        self.opinions = Opinions(self.settings, patience=patience)

    @property
    def asked(self) -> Asked:
        log = self.settings.with_suffix(".log")
        return [tuple(json.loads(line)) for line in log.read_text(encoding="utf-8").splitlines()] if log.exists() else []

    async def review(self) -> Review:
        async with asyncio.timeout(60):
            return await self.opinions.review(BRIEF)


Made = Callable[..., Reviewer]


@pytest.fixture
async def made(reviewer: Path) -> AsyncIterator[Made]:
    every: list[Reviewer] = []

    def make(*answers: Any, patience: float = 30.0) -> Reviewer:
        every.append(Reviewer(reviewer, list(answers), patience))
        return every[-1]

    yield make
    for one in every:
        await one.opinions.close()


def is_there(pid: int) -> bool:
    """Also a dead one that nobody took note of."""
    return Path(f"/proc/{pid}").exists()


async def test_one_child_is_asked_for_every_review_and_shown_fields_and_evidence_alone(made: Made) -> None:
    judge = made(REVIEW, {"review": {"concern": "none"}})
    assert await judge.review() == Review(concern=Concern.BLAST_RADIUS, cites=("ev-1",))
    assert await judge.review() == Review(concern=Concern.NONE)
    (first, question), (second, _) = judge.asked
    assert first == second != os.getpid()
    assert question == {"fields": BRIEF.fields, "evidence": [["ev-1", "replicas 2 → 40"]]}


@pytest.mark.parametrize(
    "answer",
    ["no json", "[]", "7", {}, {"review": None}, {"review": {"concern": "allow_it"}}, {"review": {"concern": "none", "more": 1}}],
    ids=str,
)
async def test_what_is_no_review_ends_the_child_and_nobody_is_asked_for_a_while(made: Made, answer: Any) -> None:
    judge = made(answer, REVIEW)
    with pytest.raises(Unavailable, match="the model judge"):
        await judge.review()
    ((pid, _),) = judge.asked
    assert not is_there(pid)
    with pytest.raises(Unavailable, match="failed a moment ago") as caught:
        await judge.review()
    assert caught.value.retry_after == 30
    assert len(judge.asked) == 1


async def test_a_child_without_a_model_says_why_and_lives_on_but_rests(made: Made) -> None:
    judge = made({"unavailable": "the budget of this hour is spent"}, REVIEW)
    with pytest.raises(Unavailable, match="the budget of this hour is spent"):
        await judge.review()
    with pytest.raises(Unavailable, match="failed a moment ago"):
        await judge.review()
    ((pid, _),) = judge.asked
    assert is_there(pid)
    await judge.opinions.close()
    assert not is_there(pid)


async def test_a_child_that_does_not_answer_is_ended(made: Made) -> None:
    judge = made("silence", patience=1.5)
    with pytest.raises(Unavailable, match="TimeoutError"):
        await judge.review()
    assert not any(is_there(pid) for pid, _ in judge.asked)


async def test_a_child_that_ends_by_itself_is_no_answer(made: Made) -> None:
    judge = made(REVIEW)
    await judge.review()
    await ended(judge.asked[0][0])
    with pytest.raises(Unavailable, match="the model judge"):
        await judge.review()
    assert len(judge.asked) == 1


async def test_closing_ends_the_child_and_does_no_harm_where_there_is_none(made: Made) -> None:
    judge = made(REVIEW, REVIEW)
    await judge.opinions.close()
    await judge.review()
    async with asyncio.timeout(30):
        await judge.opinions.close()
    assert not is_there(judge.asked[0][0])
    await judge.opinions.close()


async def test_closing_after_the_child_ended_by_itself_does_no_harm(made: Made) -> None:
    judge = made(REVIEW)
    await judge.review()
    await ended(judge.asked[0][0])
    await judge.opinions.close()


async def ended(pid: int) -> None:
    """Once the loop took note of it."""
    while is_there(pid):  # noqa: ASYNC110  the loop's own note of it is no event
        await asyncio.sleep(0.01)
    await asyncio.sleep(0.05)


async def test_a_program_that_cannot_be_read_is_no_opinion(made: Made, tmp_path: Path) -> None:
    judge = made(REVIEW)
    (tmp_path / "runtime" / "roles" / "reviewer.py").write_text("raise SystemExit(3)", encoding="utf-8")
    with pytest.raises(Unavailable, match="the model judge"):
        await judge.review()
