"""The simulator answers as a real API server (1.37) answered the same calls: codes, reasons, messages, details, whole objects.

Recorded by `record.py`. Left out of the comparison: what controllers wrote meanwhile, token volumes of pods, and texts that quote
a parser of another language.
"""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from simulator.resources import resource
from tests.simulator.api.conftest import make_box
from tests.simulator.api.record import EVERY, sent, told
from tests.simulator.api.steps import comparable

RECORDED = json.loads(Path(__file__).with_name("recorded.json").read_text())


async def _replay() -> dict[str, Any]:
    box = make_box()
    box.store.create(resource("", "namespaces"), {"metadata": {"name": "rec-ns"}})
    answers: dict[str, Any] = {}
    async with box.client() as admin, box.client("executor-token") as executor:
        clients = {"admin": admin, "executor": executor}
        for step in EVERY:
            clients[step.identity].headers["User-Agent"] = "recorder/1"
            response = await clients[step.identity].request(**sent(step, "rec-ns", "own-x"))
            answers[step.name] = comparable(step, response.status_code, told(response), "rec-ns", "own-x")
    return answers


@pytest.fixture(scope="module")
def answers() -> dict[str, Any]:
    return asyncio.run(_replay())


@pytest.mark.parametrize("name", [step.name for step in EVERY])
def test_answers_as_the_real_api_server_did(answers: dict[str, Any], name: str) -> None:
    assert answers[name] == RECORDED[name]


def test_every_recorded_answer_is_still_asked_for() -> None:
    assert RECORDED.keys() == {step.name for step in EVERY}
