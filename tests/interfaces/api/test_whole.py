"""The whole product on a simulated cluster: an alert comes in at the console's process, and what was found about it is read there."""

import asyncio
from pathlib import Path
from typing import Any

import httpx
import pytest

from runtime.roles import everything, machines
from runtime.settings import Settings
from tests.contracts.alertmanagers import AT, alert, notification
from tests.runtime import test_experiments as worlds

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


async def answered(settings: Settings) -> dict[str, Any]:
    """The incident once its run has answered, with the types of the events on the way."""
    made, _ = machines.issue(settings, "alertmanager", ["sender"], lasts=None)
    stop = asyncio.Event()
    async with everything.opened(settings, children=("judge", "executor", "console")) as running:
        serving = asyncio.create_task(running.controller.serve(stop, 0.2))
        own = (settings.data_dir / "console.token").read_text(encoding="ascii")
        async with httpx.AsyncClient(base_url=running.children.named("console").ready["url"], timeout=60) as client:
            told = notification(alert(namespace="kill", pod="web-7d9f8c6b5d-x2x4z", starts=AT))
            sender, me = ({"Authorization": f"Bearer {secret}"} for secret in (made.secret, own))
            taken = await client.post("/api/v1/alerts/alertmanager", json=told, headers=sender)
            assert taken.status_code == 202, taken.text
            again = await client.post("/api/v1/alerts/alertmanager", json=told, headers=sender)
            assert again.json()["repeated"] == 1
            (name,) = taken.json()["incidents"]
            assert (await client.get(f"/api/v1/incidents/{name}", headers=sender)).status_code == 403
            types = await until_finished(client, me)
            found = (await client.get(f"/api/v1/incidents/{name}", headers=me)).json()
        stop.set()
        await serving
    return found | {"types": types}


async def until_finished(client: httpx.AsyncClient, headers: dict[str, str]) -> list[str]:
    types = []
    async with asyncio.timeout(120), client.stream("GET", "/api/v1/events?after=0", headers=headers) as answer:
        async for line in answer.aiter_lines():
            if line.startswith("event: "):
                types.append(line.removeprefix("event: dev.day2."))
                if types[-1] == "run.finished.v1":
                    break
    return types


def test_an_alert_is_an_incident_with_one_run_whose_answer_it_shows(tmp_path: Path) -> None:
    with worlds.running(tmp_path) as (_, settings):
        web = settings.web.model_copy(update={"listen": "127.0.0.1:0"})
        found = asyncio.run(answered(settings.model_copy(update={"web": web})))
    assert found["types"] == ["incident.opened.v1", "run.started.v1", "run.finished.v1"]
    assert found["investigation"]["trigger"] == "alert"
    assert found["investigation"]["finishedAt"]
    assert found["run"] == found["investigation"]["id"]
    assert [row["event"] for row in found["timeline"] if row["subject"] == found["run"]] == ["investigated", "answered"]
