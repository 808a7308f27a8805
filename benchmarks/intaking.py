"""Alerts that come in: read, made safe, joined and committed to this machine's disk before each is answered.

The application is the one that is served, called by ASGI in this process, so that the whole cost of ours is one core's; the client's part
(a request made, an answer read) is in it too. Notifications come eight at a time, as from several Alertmanagers: of twenty alerts each, as
a group is, and of one alert each, which is the worst. Half of the alerts repeat what was told before. What follows the answers, records
and runs, is waited for within the time.
"""

import asyncio
import contextlib
import json
import random
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx

from core.domain.values import digest
from interfaces.api.routes import BASE
from interfaces.web.app import build
from interfaces.web.callers import LocalToken
from interfaces.web.house import House
from runtime.ids import RandomIds
from runtime.roles import console
from runtime.services.broadcasting import Events
from runtime.services.delivering import Deliveries
from runtime.services.intaking import Desk, Rules
from runtime.services.offering import Beyond, Offers, Ports
from runtime.services.offers.table import OFFERS
from runtime.settings import AccessSettings, Settings, load
from tests.contracts import doors
from tools.alerting.webhooks import MemoryPoster
from tools.clocks import SystemClock
from tools.stores import ledger as ledgers
from tools.stores.front import opening
from tools.stores.front.answers import SqlAnswers
from tools.stores.front.incidents import SqlIncidents
from tools.stores.front.intake import SqlIntake
from tools.stores.front.tokens import SqlTokens
from tools.stores.front.webhooks import SqlTargets

GOAL = 1_000
AT_ONCE = 8
AT = datetime.now(UTC)
TOKEN = "bench"


def run() -> list[str]:
    """Two lines."""
    grouped = _measured(notifications=400, each=20)
    single = _measured(notifications=2_000, each=1)
    word = "met" if grouped[0] >= GOAL else "short"
    wall = f"by the wall {grouped[1]:,.0f}"
    return [
        f"ALERT_INTAKE (groups of 20, durable alerts per CPU-second; {wall}): ours {grouped[0]:,.0f}, goal {GOAL:,}: {word}",
        f"ALERT_INTAKE_SINGLE (one alert a notification, the same): ours {single[0]:,.0f} (by the wall {single[1]:,.0f}): reported",
    ]


def _measured(*, notifications: int, each: int) -> tuple[float, float]:
    with tempfile.TemporaryDirectory(prefix="day2-bench-") as name:
        settings = load({"store.data_dir": Path(name) / "data"}, environment={}, files=()).settings
        return asyncio.run(_rate(settings, notifications, each))


async def _rate(settings: Settings, notifications: int, each: int) -> tuple[float, float]:
    with contextlib.ExitStack() as stack:
        ports = opened(settings, stack)
        app = build(House(Offers(OFFERS, ports), settings, "http://bench", (LocalToken(TOKEN, AccessSettings(), "api"),)))
        bodies = told(notifications, each)
        headers = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"}
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://bench", headers=headers) as client:
            cpu, wall = time.process_time(), time.perf_counter()
            await asyncio.gather(*(_send(client, bodies[number::AT_ONCE]) for number in range(AT_ONCE)))
            await ports.beyond.desk.settled()
            cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
        kept = ports.beyond.desk.kept.recent(limit=100_000)
        if sum(incident.alerts for incident in kept) != notifications * each // 2:
            raise AssertionError("what was answered is not what was kept")
    return notifications * each / cpu, notifications * each / wall


async def _send(client: httpx.AsyncClient, bodies: list[bytes]) -> None:
    for body in bodies:
        answer = await client.post(f"{BASE}/alerts/alertmanager", content=body)
        if answer.status_code != 202:
            raise AssertionError(answer.text)


def opened(settings: Settings, stack: contextlib.ExitStack) -> Ports:
    """The stores that are served, on this disk; the rest is of no matter here."""
    with console.record(settings, create=True):
        pass
    ledger = stack.enter_context(contextlib.closing(ledgers.opened(settings.ledger_url, settings.audit_sink)))
    database = stack.enter_context(contextlib.closing(opening.opened(settings.front_url)))
    clock, events, intake = SystemClock(), Events(ledger), SqlIntake(database)
    machines = Beyond(
        tokens=SqlTokens(database),
        answers=SqlAnswers(database),
        events=events,
        desk=Desk(SqlIncidents(database), intake, ledger, clock, Rules()),
        deliveries=Deliveries(SqlTargets(database), MemoryPoster(), events, ledger, clock, settings.data_dir),
    )
    return doors.ports(settings.data_dir, ledger=ledger, clock=clock, intake=intake, ids=RandomIds(), machines=machines)


def told(notifications: int, each: int) -> list[bytes]:
    """Of 200 workloads; every second notification repeats the one before."""
    dice = random.Random(7)
    found: list[bytes] = []
    for number in range(notifications // 2):
        place = dice.randrange(200)
        body = json.dumps(_notification([_alert(number * each + one, place) for one in range(each)])).encode()
        found += [body, body]
    return found


def _notification(alerts: list[dict[str, Any]]) -> dict[str, Any]:
    return {"version": "4", "groupKey": "{}:{}", "truncatedAlerts": 0, "status": "firing", "receiver": "day2", "alerts": alerts}


def _alert(number: int, place: int) -> dict[str, Any]:
    labels = {
        "alertname": "KubePodCrashLooping",
        "namespace": f"team-{place % 17}",
        "pod": f"app-{place}-7d9f8c6b5d-x{number % 10}b4z",
        "container": "web",
        "severity": "warning",
        "prometheus": "monitoring/k8s",
        "uid": digest(str(number))[:36],
    }
    return {
        "status": "firing",
        "labels": labels,
        "annotations": {"summary": "Pod is crash looping.", "description": "Pod is in waiting state (reason: CrashLoopBackOff)."},
        "startsAt": (AT + timedelta(milliseconds=number)).isoformat(),
        "endsAt": "0001-01-01T00:00:00Z",
        "generatorURL": "http://prometheus.example/graph?g0.expr=x",
        "fingerprint": f"{number:016x}",
    }
