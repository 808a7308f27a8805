"""What a real Alertmanager makes of our alerts: it holds, routes, repeats and ends them, and loses none when it is started again."""

import asyncio
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from core.domain.alert import Alert
from core.domain.outcome import ActionState
from gate.audit import verify_ledger
from gate.door import LedgerDoor
from runtime import serving
from runtime.roles import everything
from runtime.services import alerting
from runtime.settings import AlertSettings
from tests.cluster.access import kubeconfigs
from tests.cluster.conftest import absent
from tests.cluster.guarded import Guarded, free_port, guarded
from tests.cluster.test_guarded_runs import Clock
from tests.cluster.test_notifier import ended, settings_of, sudden, train
from tests.contracts.receivers import Receiver
from tests.controlplane.alertmanager import Alertmanager, NotBuiltError, alertmanager
from tools.alerting.alertmanager import Alertmanagers
from tools.clocks import HttpClock

if TYPE_CHECKING:
    from tests.controlplane.rig import ControlPlane

pytestmark = pytest.mark.timeout(300)
ROOT = Path(__file__).resolve().parents[2]
NAME = "Day2BudgetIntercepted"
AGAIN_SECONDS, HOLD = 1200, timedelta(hours=1)
ACTION = "act-gpumanaged"


def documented() -> dict[str, Any]:
    """The configuration that docs/alerts.md shows."""
    page = (ROOT / "docs" / "alerts.md").read_text()
    block = page.partition("## Routes")[2].partition("```yaml\n")[2].partition("```")[0]
    found: dict[str, Any] = yaml.safe_load(block)
    return found


@pytest.fixture
def pages() -> Iterator[Receiver]:
    with Receiver() as found:
        yield found


@pytest.fixture
def chat() -> Iterator[Receiver]:
    with Receiver() as found:
        yield found


@pytest.fixture
def manager(tmp_path: Path, pages: Receiver, chat: Receiver) -> Iterator[Alertmanager]:
    """With the documented routes, told without a wait to receivers of this test."""
    config = documented()
    for receiver in config["receivers"]:
        for hook in receiver["webhook_configs"]:
            hook["url"] = {"platform-pager": pages, "platform-chat": chat}[receiver["name"]].url
    for route in (config["route"], *config["route"]["routes"]):
        route |= {"group_wait": "0s", "group_interval": "1s"}
    folder = tmp_path / "alertmanager"
    folder.mkdir()
    try:
        with alertmanager(folder, config, free_port()) as found:
            yield found
    except NotBuiltError as error:
        absent(["alertmanager"], str(error))


def until(holds: Callable[[], Any], what: str, seconds: float = 60) -> Any:
    end = time.monotonic() + seconds
    while not (found := holds()):
        assert time.monotonic() < end, what
        time.sleep(0.05)
    return found


def told(receiver: Receiver, status: str, name: str = NAME) -> list[dict[str, Any]]:
    """Alerts that Alertmanager's web hook delivered in this status."""
    alerts = [alert for _, said in receiver.posts for alert in said["alerts"]]
    return [alert for alert in alerts if (alert["status"], alert["labels"]["alertname"]) == (status, name)]


# ------------------------------------------------------------------ routes
async def test_each_kind_of_alert_takes_the_documented_route(manager: Alertmanager, pages: Receiver, chat: Receiver) -> None:
    channel = Alertmanagers([manager.url], again_seconds=60)
    now = datetime.now(UTC)
    made = [
        Alert(name=name, severity=kind.severity, grave=kind.grave, labels={"team": "platform"}, summary=kind.meaning, starts_at=now)
        for name, kind in alerting.KINDS.items()
    ]
    await channel.tell(made, [], now)
    await channel.close()
    for name, kind in alerting.KINDS.items():
        right, wrong = (pages, chat) if kind.grave else (chat, pages)
        (alert, *_) = await asyncio.to_thread(until, lambda name=name, right=right: told(right, "firing", name), f"{name} is not told")
        assert alert["labels"] == {"alertname": name, "severity": kind.severity, "source": "day2ops", "team": "platform"}
        assert alert["annotations"]["summary"] == kind.meaning
        assert told(wrong, "firing", name) == []


# ------------------------------------------------------------------ the whole way
@pytest.fixture(scope="module")
def guard(control_plane: "ControlPlane", tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guarded]:
    folder = tmp_path_factory.mktemp("alertmanager")
    with guarded(control_plane, folder) as found:
        found.files |= kubeconfigs(control_plane, folder, ("notifier",))
        yield found


@pytest.fixture
def clock() -> Iterator[Clock]:
    """Behind by more than an alert is held: so it can be let pass within the time of Alertmanager, which has its own clock."""
    found = Clock()
    found.ahead = -(HOLD + timedelta(minutes=5))
    yield found
    found.close()


async def test_an_intercepted_gpu_request_fires_is_repeated_outlives_a_restart_of_alertmanager_and_resolves(
    guard: Guarded, namespace: str, tmp_path: Path, clock: Clock, manager: Alertmanager, pages: Receiver
) -> None:
    path = await asyncio.to_thread(train, guard.plane, namespace)
    before = await asyncio.to_thread(guard.plane.get, path)
    alerts = AlertSettings(alertmanager=(manager.url,), again_seconds=AGAIN_SECONDS, hold_minutes=HOLD.seconds // 60)
    settings = settings_of(guard, namespace, tmp_path, manager.url).model_copy(update={"clock": clock.url, "alerts": alerts})
    with everything.ledger(settings) as ledger:
        async with serving.children() as family:
            for role in ("judge", "executor", "notifier"):
                await everything.start_role(family, role, settings)
            wish = await asyncio.to_thread(sudden, guard.plane, path, namespace, ACTION)
            await LedgerDoor(ledger, HttpClock(clock.url)).submit(wish, by="somebody@example.com")
            assert (await ended(ledger, ACTION)).state is ActionState.DENIED

            async def standing(since: str = "") -> dict[str, Any]:
                """As Alertmanager's API has it, when it was sent after that end."""
                find = lambda: [alert for alert in manager.alerts(NAME) if alert["endsAt"] > since]  # noqa: E731
                (alert,) = await asyncio.to_thread(until, find, f"Alertmanager holds {manager.alerts(NAME)}")
                found: dict[str, Any] = alert
                return found

            first = await standing()
            assert first["status"]["state"] == "active"
            assert first["labels"] == {
                "alertname": NAME, "severity": "critical", "source": "day2ops", "team": "platform",
                "action": ACTION, "agent": "scaling", "capability": "scale_workload", "namespace": namespace,
            }  # fmt: skip
            assert "GPUs and its allowance is 2" in first["annotations"]["description"]
            # repeated: its end moves on
            clock.ahead += timedelta(seconds=AGAIN_SECONDS)
            second = await standing(first["endsAt"])
            assert (second["fingerprint"], second["startsAt"]) == (first["fingerprint"], first["startsAt"])
            # Alertmanager keeps no alerts on disk: it is told again
            await asyncio.to_thread(manager.stop)
            await asyncio.to_thread(manager.start)
            assert manager.alerts(NAME) == []
            clock.ahead += timedelta(seconds=AGAIN_SECONDS)
            third = await standing(second["endsAt"])
            assert third["labels"] == first["labels"]
            # a page has what people route by
            (page, *_) = await asyncio.to_thread(until, lambda: told(pages, "firing"), "nobody was paged")
            assert page["labels"] == first["labels"]
            # over
            clock.ahead = timedelta(0)
            await asyncio.to_thread(until, lambda: not manager.alerts(NAME), "it never ends")
            (page, *_) = await asyncio.to_thread(until, lambda: told(pages, "resolved"), "nobody was told of its end")
            assert page["labels"] == first["labels"]
        records = [(link.role, link.event) for link in ledger.chain() if link.subject == ACTION]
        assert records[:2] == [("door", "submitted"), ("judge", "denied")]
        assert [event for role, event in records if role == alerting.ROLE and event.startswith("alert")] == [alerting.SENT, alerting.OVER]
        assert verify_ledger(ledger).whole
    after = await asyncio.to_thread(guard.plane.get, path)
    assert (after["spec"], after["metadata"]["generation"]) == (before["spec"], before["metadata"]["generation"])
