"""The notifier as `day2 serve` starts it: on a simulated cluster with its own identity, killed, and beside a dead Alertmanager."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from core.actions.roles import NOTIFIER, manifests
from core.domain.errors import InvalidInput, Unavailable
from core.domain.ledger import Ledger, StopRow
from core.domain.outcome import ActionState as S
from runtime import serving
from runtime.roles import everything, notifier
from runtime.settings import AlertSettings, FlowSettings, GateSettings, KubernetesSettings, Settings, StoreSettings, TelemetrySettings, load
from tests.contracts.receivers import Receiver
from tests.contracts.simulated import Simulated, simulated
from tests.runtime.services.telling import deployment, submit
from tools.hand_clock import HandClock
from tools.kubernetes import config, transport
from tools.kubernetes.installing import install

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulated]:
    with simulated(tmp_path_factory.mktemp("notifier"), identities=("reader", "judge", "executor", NOTIFIER)) as found:
        asyncio.run(_prepare(found))
        yield found


async def _prepare(found: Simulated) -> None:
    async with transport.connect(config.load(found.kubeconfigs["admin"])) as admin:
        await install(admin, manifests({}))
        (await admin.post("/api/v1/namespaces", json={"metadata": {"name": "ml"}})).raise_for_status()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as found:
        yield found


@pytest.fixture
def settings(cluster: Simulated, receiver: Receiver, tmp_path: Path) -> Settings:
    return Settings(
        kubernetes=KubernetesSettings(kubeconfig=cluster.kubeconfigs["reader"], notifier_kubeconfig=cluster.kubeconfigs[NOTIFIER]),
        store=StoreSettings(data_dir=tmp_path / "data"),
        flow=FlowSettings(poll_seconds=0.02),
        gate=GateSettings(guard="off"),
        alerts=AlertSettings(alertmanager=(receiver.url,)),
        telemetry=TelemetrySettings(notifier_listen="127.0.0.1:0", controller_listen=""),
    )


@pytest.fixture
def ledger(settings: Settings) -> Iterator[Ledger]:
    with everything.ledger(settings, create=True) as found:
        yield found


@pytest.fixture
async def family() -> AsyncIterator[serving.Children]:
    async with serving.children() as found:
        yield found


def escalate(ledger: Ledger, action_id: str) -> None:
    now = datetime.now(UTC)
    submit(ledger, HandClock(now), action_id, deployment(action_id))
    for old, new in (
        (S.SUBMITTED, S.PERMITTED),
        (S.PERMITTED, S.CLAIMED),
        (S.CLAIMED, S.SENDING),
        (S.SENDING, S.UNKNOWN),
        (S.UNKNOWN, S.ESCALATED),
    ):
        assert ledger.move(action_id, old, new, role="executor", at=now, event={"note": "the target is gone"}, note="the target is gone")


async def until(holds: Callable[[], Any]) -> Any:
    end = asyncio.get_running_loop().time() + 60
    while not (found := holds()):
        assert asyncio.get_running_loop().time() < end
        await asyncio.sleep(0.05)
    return found


def recorded(ledger: Ledger) -> list[str]:
    return [row.event for row in ledger.chain(role="notifier") if row.event != "anchored"]


async def test_it_tells_alertmanager_writes_events_as_itself_and_shows_its_numbers(
    cluster: Simulated, settings: Settings, ledger: Ledger, receiver: Receiver, family: serving.Children
) -> None:
    await everything.start_role(family, NOTIFIER, settings)
    escalate(ledger, "act-esc001")
    await until(lambda: receiver.alerts("Day2ActionEscalated"))
    await until(lambda: recorded(ledger).count("event.written") == 2)
    async with transport.connect(config.load(cluster.kubeconfigs["admin"])) as admin:
        item = (await admin.get("/apis/events.k8s.io/v1/namespaces/ml/events/act-esc001.escalated")).json()
        asked = (await admin.get("/simulator/audit")).json()["items"]
    assert (item["regarding"]["name"], item["reason"]) == ("llm-serving", "Day2Escalated")
    (mine,) = [row for row in asked if row["name"] == "" and row["resource"] == "events" and row["path"].endswith("/ml/events")][-1:]
    assert mine["user"] == "system:serviceaccount:day2-system:notifier"
    port = family.named(NOTIFIER).ready["port"]
    standing, text = 'day2_alerts_standing{alertname="Day2ActionEscalated",channel="alertmanager"} 1.0', ""
    async with httpx.AsyncClient(trust_env=False) as client, asyncio.timeout(30):
        while standing not in text:  # the numbers are those of its last look
            await asyncio.sleep(0.05)
            text = (await client.get(f"http://127.0.0.1:{port}/metrics")).text
    assert 'day2_actions_total{capability="scale_workload",outcome="escalated"} 1.0' in text


async def test_killed_it_goes_on_where_the_ledger_says(
    settings: Settings, ledger: Ledger, receiver: Receiver, family: serving.Children
) -> None:
    await everything.start_role(family, NOTIFIER, settings)
    ledger.stop(StopRow("all", "all", "jane", "incident", datetime.now(UTC)))
    await until(lambda: "alert.sent" in recorded(ledger))
    child = family.named(NOTIFIER)
    child.process.kill()
    await child.process.wait()
    family.running.remove(child)
    assert ledger.resume("all", "jane", "over", datetime.now(UTC))
    await everything.start_role(family, NOTIFIER, settings)
    await until(lambda: "alert.over" in recorded(ledger))
    assert recorded(ledger) == ["alert.sent", "alert.over"]
    last = receiver.alerts("Day2EmergencyStop")[-1]
    assert datetime.fromisoformat(last["endsAt"]) <= datetime.now(UTC)


async def test_a_dead_alertmanager_stops_neither_it_nor_its_events(
    settings: Settings, ledger: Ledger, receiver: Receiver, family: serving.Children
) -> None:
    receiver.code = 500
    await everything.start_role(family, NOTIFIER, settings)
    escalate(ledger, "act-dead01")
    await until(lambda: recorded(ledger).count("event.written") == 2)
    assert "alert.sent" not in recorded(ledger)
    receiver.code = 200
    await until(lambda: "alert.sent" in recorded(ledger))
    log = family.named(NOTIFIER).log.read_text()
    assert "HTTP 500" in log
    assert str(receiver.port) not in log


async def test_a_second_one_is_told_that_there_is_one(settings: Settings, ledger: Ledger, family: serving.Children) -> None:
    await everything.start_role(family, NOTIFIER, settings)
    with pytest.raises(Unavailable, match="already the notifier"):
        await everything.start_role(family, NOTIFIER, settings)


async def test_unusable_pages_are_said_at_the_start_without_the_address(
    settings: Settings, ledger: Ledger, family: serving.Children, tmp_path: Path
) -> None:
    path = tmp_path / "pages"
    path.write_text("nonsense://secret-word\n")
    wanted = settings.model_copy(update={"alerts": AlertSettings(pages_file=path)})
    with pytest.raises(Unavailable, match="line 1 is no address") as caught:
        await everything.start_role(family, NOTIFIER, wanted)
    kept = (settings.data_dir / "notifier.settings.json").read_text() + family.named(NOTIFIER).log.read_text()
    assert "secret-word" not in f"{caught.value} {kept}"


def test_it_is_handed_no_identity_but_its_own(settings: Settings) -> None:
    shared = everything.role_settings(settings, NOTIFIER)
    given = everything._notifying(settings.model_copy(update={"kubernetes": KubernetesSettings(kubeconfig=Path("admin"))}), shared)
    assert given.events_kubeconfig is None, "without one of its own it writes no Events"


@pytest.mark.parametrize(
    "given",
    [
        {"alerts.alertmanager": "ftp://alertmanager"},
        {"alerts.alertmanager": "https://jane:secret-word@alertmanager"},
        {"alerts.labels": "team"},
        {"telemetry.notifier_listen": "nowhere"},
    ],
)
def test_settings_that_cannot_be_used_are_refused_without_being_repeated(given: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput) as caught:
        load(given, environment={}, files=())
    assert "secret-word" not in str(caught.value)


async def test_day2_serve_starts_it_again_and_goes_on(settings: Settings, ledger: Ledger, family: serving.Children) -> None:
    await everything.start_role(family, NOTIFIER, settings)
    keeping = asyncio.create_task(everything._kept_up(family, settings, again_seconds=0.1))
    ended = asyncio.create_task(family.any_ends(besides=(NOTIFIER,)))
    first = family.named(NOTIFIER)
    first.process.kill()
    await until(lambda: (found := family.find(NOTIFIER)) is not None and found is not first and found.ready)
    assert not ended.done(), "its end is no reason to stop the others"
    keeping.cancel()
    ended.cancel()
    await asyncio.gather(keeping, ended, return_exceptions=True)


def test_its_settings_are_json_that_it_reads_back(settings: Settings) -> None:
    given = everything._notifying(settings, everything.role_settings(settings, NOTIFIER))
    assert notifier.NotifierSettings.model_validate_json(json.dumps(given.model_dump(mode="json"))) == given
