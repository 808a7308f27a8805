"""Webhooks out: every event that is wanted, in order, at least once, signed; nowhere else, and not for ever."""

import asyncio
import contextlib
import hashlib
import hmac
import json
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from core.domain.errors import Conflict, InvalidInput, NotFound, Unavailable
from core.domain.webhooks import Posted, Target
from runtime.services import delivering
from runtime.services.broadcasting import Events
from runtime.services.delivering import Deliveries
from tests.contracts.doors import AT
from tests.contracts.receivers import Receiver
from tools.alerting.webhooks import HttpPoster, MemoryPoster
from tools.hand_clock import HandClock
from tools.stores.front.webhooks import MemoryTargets
from tools.stores.memory import MemoryLedger

SECRET = b"an-old-horse-that-nobody-knows"


class House:
    """Deliveries over twins, with a clock that is moved by hand."""

    def __init__(self, folder: Path, poster: Any = None) -> None:
        self.ledger, self.clock, self.targets = MemoryLedger(), HandClock(AT), MemoryTargets()
        self.poster = poster or MemoryPoster()
        (folder / "secrets").mkdir()
        (folder / "secrets" / "siem").write_bytes(SECRET + b"\n")
        events = Events(self.ledger, look_seconds=0.001)
        self.deliveries = Deliveries(self.targets, self.poster, events, self.ledger, self.clock, folder / "secrets")

    def add(self, url: str = "https://siem.example/in", types: tuple[str, ...] = ()) -> Target:
        return self.deliveries.add("siem", url, types, "siem", by="oidc:ana")

    def record(self, *events: str) -> None:
        for number, event in enumerate(events):
            self.ledger.record(role="controller", event=event, subject=f"run-{number}", body={}, at=AT)

    @property
    def told(self) -> list[str]:
        return [json.loads(body)["type"].removeprefix("dev.day2.") for _, body, _ in self.poster.posts]

    @property
    def target(self) -> Target:
        return self.targets.all()[0]

    @contextlib.asynccontextmanager
    async def living(self) -> AsyncIterator[None]:
        async with self.deliveries.living("https://day2.example"):
            yield

    async def until(self, holds: Callable[[], Any], advance: float = 0) -> None:
        async with asyncio.timeout(30):
            while not holds():
                self.clock.advance(advance)
                await asyncio.sleep(0.002)


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delivering, "LOOK_SECONDS", 0.005)


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path)


async def test_events_are_told_in_order_and_signed_so_that_the_receiver_can_check(house: House) -> None:
    house.record("run.started")
    house.add(types=("dev.day2.run.", "dev.day2.writes.stopped.v1"))
    async with house.living():
        house.record("run.started", "resume", "anchored", "stop", "run.finished")
        await house.until(lambda: house.target.cursor == 6)
    assert house.told == ["run.started.v1", "writes.stopped.v1", "run.finished.v1"]
    url, body, headers = house.poster.posts[0]
    assert url == "https://siem.example/in"
    parts = dict(part.split("=", 1) for part in headers["Day2-Signature"].split(","))
    assert parts["v1"] == hmac.new(SECRET, f"{parts['t']}.".encode() + body, hashlib.sha256).hexdigest()
    assert int(parts["t"]) == int(AT.timestamp())
    assert headers["Content-Type"] == "application/cloudevents+json"
    assert json.loads(body)["source"] == "https://day2.example"
    assert SECRET.decode() not in str(house.targets.all())


async def test_who_was_down_gets_all_of_it_later_and_once_more_after_a_lost_answer(house: House) -> None:
    house.add()
    house.poster.answers = [Unavailable("the webhook"), Posted(500), Posted(302), Posted(200)]
    async with house.living():
        house.record("run.started", "run.finished")
        await house.until(lambda: house.target.cursor == 2, advance=1)
    assert house.told == ["run.started.v1"] * 4 + ["run.finished.v1"]
    assert (house.target.failures, house.target.said, house.target.next_at) == (0, "", None)


async def test_a_restart_goes_on_where_it_was(house: House) -> None:
    house.add()
    async with house.living():
        house.record("run.started")
        await house.until(lambda: house.target.cursor == 1)
    house.record("run.finished")
    async with house.living():
        await house.until(lambda: house.target.cursor == 2)
    assert house.told == ["run.started.v1", "run.finished.v1"]


async def test_the_receiver_says_when_to_come_again(house: House) -> None:
    house.add()
    house.poster.answers = [Posted(429, 90.0), Posted(200)]
    async with house.living():
        house.record("run.started")
        await house.until(lambda: house.target.failures == 1)
        assert house.target.next_at == AT + timedelta(seconds=90)
        house.clock.advance(89)
        await asyncio.sleep(0.05)
        assert len(house.poster.posts) == 1
        house.clock.advance(1)
        await house.until(lambda: house.target.cursor == 1)


@pytest.mark.parametrize(("answer", "attempts"), [(Posted(410), 1), (Posted(503), 100)])
async def test_who_is_gone_or_down_for_a_day_is_dead_and_that_is_reported(house: House, answer: Posted, attempts: int) -> None:
    house.add()
    house.poster.answers = [answer]
    async with house.living():
        house.record("run.started")
        await house.until(lambda: house.target.dead, advance=600)
        assert [row.subject for row in house.ledger.chain() if row.event == "webhook.dead"] == [house.target.name], "before it is dead"
        posts = len(house.poster.posts)
        assert posts == 1 if attempts == 1 else posts > attempts
        house.record("run.finished")
        await asyncio.sleep(0.05)
        assert len(house.poster.posts) == posts
    assert house.target.cursor == 0


async def test_who_is_removed_is_told_no_more_and_who_is_down_delays_nobody(house: House) -> None:
    house.add()
    house.deliveries.add("other", "https://other.example/", (), "siem", by="oidc:ana")

    class Half(MemoryPoster):
        async def post(self, url: str, body: bytes, headers: Any) -> Posted:
            await super().post(url, body, headers)
            return Posted(500 if "siem" in url else 200)

    house.deliveries._poster = house.poster = Half()
    async with house.living():
        house.record("run.started", "run.finished")
        await house.until(lambda: house.targets.all()[0].cursor == 2)
        house.deliveries.remove("siem")
        await asyncio.sleep(0.05)
        house.clock.advance(10_000)
        posts = len(house.poster.posts)
        await asyncio.sleep(0.05)
        assert len(house.poster.posts) == posts
    with pytest.raises(NotFound):
        house.deliveries.remove("siem")


@pytest.mark.parametrize(
    "url",
    [
        "http://siem.example/in",
        "ftp://siem.example/in",
        "https://user:word@siem.example/",
        "https:///in",
        "siem.example",
        "https://siem.example:99999/",
        "https://[::1/",
        "http://127.0.0.1.example/",
        "https://siem.example/\n",
    ],
)
def test_signed_events_go_over_https_to_an_address_without_a_password(house: House, url: str) -> None:
    with pytest.raises(InvalidInput):
        house.add(url)
    assert house.targets.all() == []


def test_a_secret_is_a_file_and_is_never_said(house: House, tmp_path: Path) -> None:
    (tmp_path / "secrets" / "short").write_text("hunter2horse")
    for name in ("none", "short", "../siem", "a/b"):
        with pytest.raises(InvalidInput) as refused:
            house.deliveries.add("x", "https://x.example", (), name, by="oidc:ana")
        assert "hunter2" not in f"{refused.value} {refused.value.mend}"
    with pytest.raises(InvalidInput, match="no event begins"):
        house.add(types=("dev.day2.nothing",))
    house.add()
    with pytest.raises(Conflict):
        house.add()


def test_the_pause_grows_to_ten_minutes() -> None:
    assert [delivering.pause(number) for number in (1, 2, 3, 9, 10, 10_000)] == [2, 4, 8, 512, 600, 600]


async def test_a_real_receiver_is_told_and_a_redirect_is_not_followed(tmp_path: Path) -> None:
    poster = HttpPoster()
    with Receiver() as receiver:
        house = House(tmp_path, poster)
        house.add(f"{receiver.url}/hook")
        async with house.living():
            house.record("run.started")
            await house.until(lambda: house.target.cursor == 1)
        assert [(path, body["subject"]) for path, body in receiver.posts] == [("/hook", "run-0")]
        receiver.code = 302
        assert (await poster.post(f"{receiver.url}/x", b"{}", {})).status == 302
    with pytest.raises(Unavailable):
        await poster.post(f"{receiver.url}/x", b"{}", {})
    await poster.close()
