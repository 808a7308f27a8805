"""Alerts that come in: read, made safe, joined and committed to this machine's disk before each is answered.

The application is the one that is served, in a process of its own (`alert_server.py`), reached over loopback with a sender's token: told
is that process's CPU, its reading of HTTP included and no client's part. Notifications come eight at a time, as from several Alertmanagers:
of twenty alerts each, as a group is, and of one alert each, which is the worst. Half of the alerts repeat what was told before. What
follows the answers, records and runs, is waited for within the time.
"""

import asyncio
import contextlib
import json
import random
import re
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from core.domain.values import digest
from interfaces.api.routes import BASE
from runtime.ids import RandomIds
from runtime.roles import console
from runtime.services.broadcasting import Events
from runtime.services.delivering import Deliveries
from runtime.services.intaking import Desk, Rules
from runtime.services.offering import Beyond, Ports
from runtime.settings import Settings
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
    return [_line("ALERT_INTAKE", "groups of 20", grouped), _line("ALERT_INTAKE_SINGLE", "one alert a notification", single)]


def _line(name: str, what: str, found: tuple[float, float]) -> str:
    cpu, wall = found
    word = "met" if cpu >= GOAL else "short"
    return f"{name} ({what}, durable alerts per CPU-second; by the wall {wall:,.0f}): ours {cpu:,.0f}, goal {GOAL:,}: {word}"


def _measured(*, notifications: int, each: int) -> tuple[float, float]:
    """Alerts for each second of the server's CPU, and of the wall."""
    with tempfile.TemporaryDirectory(prefix="day2-bench-") as name:
        folder, token = Path(name) / "data", Path(name) / "token"
        command = [sys.executable, "-m", "benchmarks.alert_server", str(folder), str(token)]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
            port = int(_said(server))
            try:
                rates = asyncio.run(_rates(server, port, token.read_text(), told(notifications, each)))
            finally:
                server.communicate()  # it ends with its input
        _check(folder, notifications * each // 2)
    return rates[0] * each, rates[1] * each


async def _rates(server: "subprocess.Popen[str]", port: int, token: str, bodies: list[bytes]) -> tuple[float, float]:
    """Notifications for each second of the server's CPU, and of the wall."""
    cpu, wall = _cpu(server), time.perf_counter()
    await asyncio.gather(*(_send(port, token, bodies[number::AT_ONCE]) for number in range(AT_ONCE)))
    cpu = await asyncio.to_thread(_cpu, server) - cpu
    return len(bodies) / cpu, len(bodies) / (time.perf_counter() - wall)


def _cpu(server: "subprocess.Popen[str]") -> float:
    assert server.stdin is not None
    server.stdin.write("\n")
    server.stdin.flush()
    return float(_said(server))


def _said(server: "subprocess.Popen[str]") -> str:
    assert server.stdout is not None
    return server.stdout.readline()


async def _send(port: int, token: str, bodies: list[bytes]) -> None:
    """On one connection, each when the one before is answered."""
    reading, writing = await asyncio.open_connection("127.0.0.1", port)
    for body in bodies:
        head = f"POST {BASE}/alerts/alertmanager HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {token}\r\n"
        writing.write(f"{head}Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body)
        answer = await reading.readuntil(b"\r\n\r\n")
        length = re.search(rb"content-length: (\d+)", answer)
        said = await reading.readexactly(int(length[1]) if length else 0)
        if not answer.startswith(b"HTTP/1.1 202"):
            raise AssertionError(answer + said)
    writing.close()


def _check(folder: Path, alerts: int) -> None:
    with contextlib.closing(opening.opened(f"sqlite:///{folder / 'front.db'}")) as database:
        if sum(incident.alerts for incident in SqlIncidents(database).recent(limit=100_000)) != alerts:
            raise AssertionError("what was answered is not what was kept")


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
