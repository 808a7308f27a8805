"""What the doors asked for is begun once, a few at a time, and its end is written down."""

import asyncio
from datetime import UTC, datetime, timedelta

from core.domain.errors import Unavailable
from core.domain.intake import Stage
from core.domain.request import Request
from runtime.receiving import AT_ONCE, Receiving
from tools.hand_clock import HandClock
from tools.stores.front.intake import MemoryIntake

AT = datetime(2026, 11, 27, 9, 0, tzinfo=UTC)


def request(number: int) -> Request:
    return Request(id=f"run-{number}", trigger="chat", by="oidc:ana", at=AT + timedelta(seconds=number))


class Runs:
    """Plays the flow: remembers who began, and ends when told."""

    def __init__(self) -> None:
        self.begun: list[str] = []
        self.go = asyncio.Event()

    async def __call__(self, request: Request) -> None:
        self.begun.append(request.id)
        await self.go.wait()
        if request.id == "run-2":
            raise Unavailable("the registry")
        if request.id == "run-3":
            raise KeyError("a mistake of ours")


async def settled(intake: MemoryIntake, receiving: Receiving) -> None:
    for _ in range(20):
        receiving.look()
        await asyncio.sleep(0)


async def test_a_few_at_a_time_oldest_first_and_each_end_is_written() -> None:
    intake, runs = MemoryIntake(), Runs()
    for number in (1, 2, 3, 4):
        intake.put(request(number), door="api")
    receiving = Receiving(intake, HandClock(AT), runs)
    await settled(intake, receiving)
    assert runs.begun == ["run-1", "run-2"]
    assert len(runs.begun) == AT_ONCE
    runs.go.set()
    await settled(intake, receiving)
    found = {item.request.id: (item.stage, item.note) for item in intake.recent()}
    assert found["run-1"] == found["run-4"] == (Stage.ENDED, "")
    assert found["run-2"][0] is Stage.FAILED
    assert "the registry is unavailable" in found["run-2"][1]
    assert found["run-3"] == (Stage.FAILED, "KeyError: see the controller's log")
    assert sorted(runs.begun) == ["run-1", "run-2", "run-3", "run-4"]


async def test_what_was_working_when_the_process_ended_is_begun_again_by_the_next() -> None:
    intake, first = MemoryIntake(), Runs()
    intake.put(request(1), door="api")
    receiving = Receiving(intake, HandClock(AT), first)
    await settled(intake, receiving)
    await receiving.stop()
    assert [item.stage for item in intake.open()] == [Stage.BEGUN]
    second = Runs()
    second.go.set()
    after = Receiving(intake, HandClock(AT), second)
    await settled(intake, after)
    assert second.begun == ["run-1"]
    assert intake.open() == []
