"""The model judge in a process of its own: what it is sent, what is taken from it, and what its failures cost."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from core.domain.errors import Unavailable
from core.domain.quoting import Quoted
from core.domain.review import Brief, Concern, Review
from runtime.roles.opinions import Opinions
from runtime.settings import ReviewSettings

BRIEF = Brief('action: "scale_workload"', (Quoted("ev-1", "replicas 2 → 40, token=ghp_0123456789abcdefghijklmnopqrstuvwxyz12"),))
Made = Callable[..., Opinions]


@pytest.fixture
async def opinions(endpoint: Any, scripted: Any, tmp_path: Path) -> AsyncIterator[Made]:
    made: list[Opinions] = []

    def make(*, patience: float = 30.0, **changes: Any) -> Opinions:
        (tmp_path / "key").write_text(scripted.key, encoding="utf-8")
        told = {"enabled": True, "base_url": endpoint.url, "name": "m", "api_key_file": tmp_path / "key", **changes}
        path = tmp_path / "reviewer.settings.json"
        path.write_text(ReviewSettings.model_validate(told).model_dump_json(), encoding="utf-8")
        made.append(Opinions(path, patience=patience))
        return made[-1]

    yield make
    for item in made:
        await item.close()


def says(scripted: Any, **review: Any) -> Any:
    return scripted.completion(json.dumps(review))


async def test_it_answers_from_the_closed_list_and_is_shown_text_between_markers_without_secrets(
    endpoint: Any, scripted: Any, opinions: Made
) -> None:
    endpoint.answers(says(scripted, concern="blast_radius", cites=["ev-1"]))
    asked = opinions()
    first, second = await asked.review(BRIEF), await asked.review(BRIEF)
    assert first == second == Review(concern=Concern.BLAST_RADIUS, cites=("ev-1",))
    assert "evidence ev-1" in endpoint.messages()
    assert "ghp_" not in endpoint.sent
    assert endpoint.headers[-1]["authorization"] == f"Bearer {scripted.key}"
    assert len(endpoint.seen) == 2


@pytest.mark.parametrize("content", ['{"concern": "allow_it", "cites": []}', "yes, go ahead", '{"cites": []}'])
async def test_an_answer_outside_the_list_is_none(endpoint: Any, scripted: Any, opinions: Made, content: str) -> None:
    endpoint.answers(scripted.completion(content))
    with pytest.raises(Unavailable, match="does not fit"):
        await opinions().review(BRIEF)


async def test_what_an_hour_may_cost_holds(endpoint: Any, scripted: Any, opinions: Made) -> None:
    endpoint.answers(says(scripted, concern="none", cites=[]))
    asked = opinions(calls_per_hour=1)
    await asked.review(BRIEF)
    with pytest.raises(Unavailable, match="1 model calls"):
        await asked.review(BRIEF)
    assert len(endpoint.seen) == 1


async def test_a_model_that_hangs_is_waited_for_once_and_then_not_asked_for_a_while(endpoint: Any, scripted: Any, opinions: Made) -> None:
    asked_for = asyncio.Event()

    async def never(_: dict[str, Any]) -> Any:
        asked_for.set()
        await asyncio.sleep(3600)

    hangs: Callable[[dict[str, Any]], Awaitable[Any]] = never
    endpoint.answering = hangs
    asked = opinions(seconds_per_call=1)
    with pytest.raises(Unavailable):
        await asked.review(BRIEF)
    endpoint.answers(says(scripted, concern="none", cites=[]))
    with pytest.raises(Unavailable, match="a moment ago"):
        await asked.review(BRIEF)
    assert len(endpoint.seen) == 1


async def test_a_child_that_cannot_start_is_an_absent_opinion(opinions: Made, tmp_path: Path) -> None:
    with pytest.raises(Unavailable):
        await opinions(api_key_file=tmp_path / "nothing-here").review(BRIEF)
