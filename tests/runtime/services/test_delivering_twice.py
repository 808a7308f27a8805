"""Two consoles over one database: a target is told by one of them, and by the other once that one is gone."""

import asyncio
import contextlib
import json
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from core.domain.webhooks import Posted, Target
from runtime.services import delivering
from runtime.services.broadcasting import Events
from runtime.services.delivering import HELD, Deliveries
from tests.contracts.doors import AT
from tests.contracts.receivers import Receiver
from tools.alerting.webhooks import HttpPoster, MemoryPoster
from tools.hand_clock import HandClock
from tools.stores import ledger as ledgers
from tools.stores.front import opening
from tools.stores.front.webhooks import MemoryTargets, SqlTargets
from tools.stores.memory import MemoryLedger
from tools.stores.migrating import migrate

EVENTS = 60


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delivering, "LOOK_SECONDS", 0.005)


class Hung(MemoryPoster):
    """Takes what it is sent, and never answers."""

    async def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Posted:
        await super().post(url, body, headers)
        await asyncio.Event().wait()
        raise AssertionError


class House:
    """Senders over one ledger, one table of targets and one clock, each with a poster of its own."""

    def __init__(self, folder: Path) -> None:
        self.ledger, self.clock, self.targets = MemoryLedger(), HandClock(AT), MemoryTargets()
        self.secrets = secrets(folder)
        self.stack = contextlib.AsyncExitStack()

    def sender(self, name: str, poster: MemoryPoster) -> Deliveries:
        events = Events(self.ledger, look_seconds=0.001)
        return Deliveries(self.targets, poster, events, self.ledger, self.clock, self.secrets, sender=name)

    def record(self, number: int) -> None:
        self.ledger.record(role="controller", event="run.started", subject=f"run-{number}", body={}, at=AT)

    @property
    def target(self) -> Target:
        return self.targets.all()[0]


def secrets(folder: Path) -> Path:
    (folder / "secrets").mkdir()
    (folder / "secrets" / "siem").write_bytes(b"an-old-horse-that-nobody-knows")
    return folder / "secrets"


def subjects(poster: MemoryPoster) -> list[str]:
    return [json.loads(body)["subject"] for _, body, _ in poster.posts]


async def until(holds: Callable[[], Any]) -> None:
    async with asyncio.timeout(120):
        while not holds():  # noqa: ASYNC110  what it waits for is another process
            await asyncio.sleep(0.002)


async def test_of_two_senders_one_tells_and_the_other_goes_on_when_it_has_ended(tmp_path: Path) -> None:
    house, first, second = House(tmp_path), MemoryPoster(), MemoryPoster()
    one, other = house.sender("one", first), house.sender("other", second)
    one.add("siem", "https://siem.example/in", (), "siem", by="oidc:ana")
    async with other.living("https://day2.example"):
        await until(lambda: house.target.held_by == "other")
        async with one.living("https://day2.example"):
            for number in range(EVENTS):
                house.record(number)
            await until(lambda: house.target.cursor == EVENTS)
            house.clock.advance(HELD.total_seconds() / 2 + 1)  # it is claimed anew before it is over
            await until(lambda: house.target.held_until == house.clock.now() + HELD)
            assert house.target.held_by == "other"
    assert (subjects(first), subjects(second)) == ([], [f"run-{number}" for number in range(EVENTS)])
    assert house.target.held_by == ""
    async with one.living("https://day2.example"):
        house.record(EVENTS)
        await until(lambda: house.target.cursor == EVENTS + 1)
    assert subjects(first) == [f"run-{EVENTS}"]


async def test_who_stood_still_for_longer_than_its_claim_moves_nothing_any_more(tmp_path: Path) -> None:
    house, hung, second = House(tmp_path), Hung(), MemoryPoster()
    one, other = house.sender("one", hung), house.sender("other", second)
    one.add("siem", "https://siem.example/in", (), "siem", by="oidc:ana")
    claimed = house.targets.claim(house.target, "one", at=AT, until=AT + HELD)
    assert claimed is not None
    house.record(0)
    still = asyncio.create_task(one._tell(claimed, "https://day2.example"))
    await until(lambda: hung.posts)
    async with other.living("https://day2.example"):
        house.clock.advance(HELD.total_seconds())
        await until(lambda: house.target.cursor == 1)
        assert not house.targets.keep(claimed._replace(failures=9))
        assert (house.target.failures, house.target.held_by) == (0, "other")
    still.cancel()
    assert subjects(second) == ["run-0"]  # the second time: nobody knows whether the first was taken


@contextlib.contextmanager
def killed_later(folder: Path) -> Iterator["subprocess.Popen[bytes]"]:
    process = subprocess.Popen([sys.executable, str(Path(__file__).with_name("sender_process.py")), str(folder)])
    try:
        yield process
    finally:
        process.kill()
        process.wait()


@pytest.mark.slow
async def test_after_a_kill_the_other_sender_tells_the_rest_and_repeats_at_most_what_was_on_its_way(tmp_path: Path) -> None:
    migrate(f"sqlite:///{tmp_path / 'ledger.db'}")
    ledger, database = ledgers.opened(f"sqlite:///{tmp_path / 'ledger.db'}", None), opening.opened(f"sqlite:///{tmp_path / 'front.db'}")
    targets, poster = SqlTargets(database), HttpPoster()
    clock = HandClock(datetime.now(UTC) + timedelta(minutes=1))  # for whom the claim of who was killed is over
    second = Deliveries(targets, poster, Events(ledger, look_seconds=0.01), ledger, clock, secrets(tmp_path), sender="the-second")
    with Receiver() as receiver, killed_later(tmp_path) as first:
        second.add("siem", f"{receiver.url}/hook", (), "siem", by="oidc:ana")
        for number in range(EVENTS):
            ledger.record(role="controller", event="run.started", subject=f"run-{number}", body={}, at=AT)
        await until(lambda: len(receiver.posts) >= 3)
        first.send_signal(signal.SIGKILL)
        first.wait()
        (target,) = targets.all()
        assert target.held_by == "the-first"
        at = target.held_until or AT
        assert targets.claim(target, "the-second", at=at - timedelta(seconds=1), until=at) is None
        async with second.living("https://day2.example"):
            await until(lambda: targets.all()[0].cursor == EVENTS)
        told = [body["subject"] for _, body in receiver.posts]
    await poster.close()
    database.close()
    ledger.close()
    assert list(dict.fromkeys(told)) == [f"run-{number}" for number in range(EVENTS)]
    assert len(told) <= EVENTS + 1
