"""The platform team's Alertmanager beside the simulated cluster: what clients tell it, in the cluster's time."""

from typing import Any

import httpx
import pytest

Json = dict[str, Any]
ALERTS = "/alertmanager/api/v2/alerts"


def alert(**over: Any) -> Json:
    return {
        "labels": {"alertname": "Day2Test", "team": "platform", "empty": ""},
        "annotations": {"summary": "s"},
        "startsAt": "2026-11-23T12:20:00.000Z",
        "endsAt": "2026-11-23T12:24:00Z",
    } | over


async def test_an_alert_stands_until_its_end_in_the_clusters_time(api: httpx.AsyncClient) -> None:
    assert (await api.post(ALERTS, json=[alert()])).status_code == 200
    (found,) = (await api.get(ALERTS)).json()
    assert (found["labels"], found["annotations"]) == ({"alertname": "Day2Test", "team": "platform"}, {"summary": "s"})
    assert (found["startsAt"], found["status"]["state"]) == ("2026-11-23T12:20:00Z", "active")
    await api.post("/simulator/clock", json={"advance_seconds": 241})
    assert (await api.get(ALERTS)).json() == []


async def test_the_same_labels_are_the_same_alert_and_its_end_ends_it(api: httpx.AsyncClient) -> None:
    await api.post(ALERTS, json=[alert(), alert(endsAt="2026-11-23T12:30:00Z")])
    assert len((await api.get(ALERTS)).json()) == 1
    await api.post("/simulator/clock", json={"advance_seconds": 60})
    await api.post(ALERTS, json=[alert(endsAt="2026-11-23T12:21:00Z")])
    assert (await api.get(ALERTS)).json() == []


async def test_without_times_it_stands_for_five_minutes(api: httpx.AsyncClient) -> None:
    await api.post(ALERTS, json=[{"labels": {"alertname": "a"}}])
    await api.post("/simulator/clock", json={"advance_seconds": 299})
    assert len((await api.get(ALERTS)).json()) == 1
    await api.post("/simulator/clock", json={"advance_seconds": 2})
    assert (await api.get(ALERTS)).json() == []


@pytest.mark.parametrize(
    "body",
    [
        [{}],
        [{"labels": {"a b": "c"}}],
        [{"labels": {"a": 1}}],
        [{"labels": {"a": "b"}, "startsAt": "2026-11-23T12:30:00Z", "endsAt": "2026-11-23T12:20:00Z"}],
        [{"labels": {"a": "b"}, "endsAt": "soon"}],
        [{"labels": {"a": "b"}, "endsAt": "2026-11-23T12:30:00"}],
        {"labels": {"a": "b"}},
        ["a"],
    ],
)
async def test_what_alertmanager_refuses_is_refused(api: httpx.AsyncClient, body: Any) -> None:
    assert (await api.post(ALERTS, json=body)).status_code == 400
    assert (await api.get(ALERTS)).json() == []


async def test_it_says_that_it_is_there(api: httpx.AsyncClient) -> None:
    assert (await api.get("/alertmanager/api/v2/status")).json()["versionInfo"]
    assert (await api.get("/alertmanager/-/ready")).status_code == 200
