"""What reaches an Alertmanager, and what is said where none answers."""

from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from core.domain.alert import Alert
from core.domain.errors import Unavailable
from tests.contracts.receivers import Receiver
from tools.alerting.alertmanager import Alertmanagers, posted

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
ALERT = Alert(
    name="Day2ActionEscalated",
    severity="critical",
    grave=True,
    labels={"team": "platform", "action": "act-1", "namespace": ""},
    summary="a person must look",
    description="“odd”",
    starts_at=NOW,
)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as found:
        yield found


@pytest.fixture
async def managers(receiver: Receiver) -> AsyncIterator[Alertmanagers]:
    found = Alertmanagers([f"{receiver.url}/"], again_seconds=60)
    yield found
    await found.close()


async def test_what_stands_is_posted_with_an_end_ahead_and_what_is_over_with_its_end(managers: Alertmanagers, receiver: Receiver) -> None:
    later = NOW + timedelta(minutes=10)
    await managers.tell([ALERT], [ALERT.model_copy(update={"labels": {"action": "act-2"}})], later)
    ((path, (standing, over)),) = receiver.posts
    assert path == "/api/v2/alerts"
    assert standing == {
        "labels": {"team": "platform", "action": "act-1", "alertname": "Day2ActionEscalated", "severity": "critical", "source": "day2ops"},
        "annotations": {"summary": "a person must look", "description": "“odd”"},
        "startsAt": "2026-11-23T12:00:00.000Z",
        "endsAt": "2026-11-23T12:14:00.000Z",
    }
    assert over["endsAt"] == "2026-11-23T12:10:00.000Z"


def test_an_alert_never_ends_before_it_starts() -> None:
    body = posted(ALERT, NOW - timedelta(minutes=1))
    assert body["startsAt"] <= body["endsAt"]


async def test_a_refusal_is_said_without_the_address(managers: Alertmanagers, receiver: Receiver) -> None:
    receiver.code = 503
    with pytest.raises(Unavailable, match="HTTP 503") as caught:
        await managers.tell([ALERT], [], NOW)
    assert str(receiver.port) not in str(caught.value)
    assert await managers.reachable() == ["Alertmanager 1 answers HTTP 503"]


async def test_one_of_several_that_hears_is_enough_and_each_that_does_not_is_named(receiver: Receiver) -> None:
    both = Alertmanagers(["http://127.0.0.1:9", receiver.url])
    await both.tell([ALERT], [], NOW)
    assert len(receiver.alerts("Day2ActionEscalated")) == 1
    assert await both.reachable() == ["Alertmanager 1 does not answer: ConnectError"]
    await both.close()


async def test_a_token_is_read_at_each_call(receiver: Receiver, tmp_path: Path) -> None:
    file = tmp_path / "token"
    found = Alertmanagers([receiver.url], token_file=file)
    for word in ("one", "two"):
        file.write_text(f"{word}\n")
        await found.tell([ALERT], [], NOW)
    assert [headers["authorization" if "authorization" in headers else "Authorization"] for headers in receiver.headers] == [
        "Bearer one",
        "Bearer two",
    ]
    file.unlink()
    with pytest.raises(Unavailable, match="FileNotFoundError"):
        await found.tell([ALERT], [], NOW)
    await found.close()
