"""The simulator answers whole sequences of calls as a real API server (1.37) answered them, but for the differences it lists by name."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from simulator.resources import resource
from tests.simulator.api.conftest import make_box
from tests.simulator.api.differences import BY_STEP, DIFFERENCES
from tests.simulator.api.playing import Names, Sequence, play
from tests.simulator.api.recording import Recording, recorded

Json = dict[str, Any]
NAMES = Names("seq-ns", "own-x")
RECORDINGS = [*recorded("families"), *recorded("drawn")]


async def _answers(sequence: Sequence) -> list[Json]:
    box = make_box()
    box.store.create(resource("", "namespaces"), {"metadata": {"name": NAMES.namespace}})
    player = play(sequence, NAMES)
    request = next(player)
    async with box.client() as client:
        while True:
            response = await client.request(**request)
            try:
                request = player.send(response)
            except StopIteration as ended:
                answers: list[Json] = ended.value
                return answers


def replayed(sequence: Sequence) -> list[Json]:
    """How the simulator answers, from a cluster of its own."""
    return asyncio.run(_answers(sequence))


@pytest.mark.parametrize("recording", RECORDINGS, ids=lambda each: each.sequence.name)
def test_answers_as_the_real_api_server_did(recording: Recording) -> None:
    answers = replayed(recording.sequence)
    for step, answer, real in zip(recording.sequence.steps, answers, recording.answers, strict=True):
        known = BY_STEP.get(f"{recording.sequence.name}/{step.name}")
        if known is None:
            assert (step.name, answer) == (step.name, real)
        else:
            assert answer != real, f"mended: take {step.name} of {recording.sequence.name} out of the difference {known!r}"


def test_there_are_hundreds_of_sequences_and_each_difference_is_of_one_of_them() -> None:
    steps = {f"{recording.sequence.name}/{step.name}" for recording in RECORDINGS for step in recording.sequence.steps}
    whole = [each for each in RECORDINGS if not any(f"{each.sequence.name}/{step.name}" in BY_STEP for step in each.sequence.steps)]
    assert BY_STEP.keys() <= steps
    assert len(whole) >= 200


def test_the_page_lists_every_difference_and_no_other() -> None:
    page = (Path(__file__).parents[3] / "docs" / "simulator.md").read_text()
    listed = page.partition("<!-- differences -->")[2].partition("<!-- end -->")[0]
    assert [line for line in listed.splitlines() if line] == [f"- **{each.name}**: {each.about}" for each in DIFFERENCES]
