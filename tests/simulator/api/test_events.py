"""Events that a reporter creates through events.k8s.io: seen in both API groups, checked as the API server checks, and moving no other uid."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest

Json = dict[str, Any]
EVENTS = "/apis/events.k8s.io/v1/namespaces/shop/events"


def event(**over: Any) -> Json:
    found = {
        "apiVersion": "events.k8s.io/v1",
        "kind": "Event",
        "metadata": {"name": "act-1.verified"},
        "eventTime": "2026-11-23T12:20:00.000000Z",
        "reportingController": "day2.dev/notifier",
        "reportingInstance": "finops",
        "action": "scale_workload",
        "reason": "Day2Verified",
        "type": "Normal",
        "regarding": {"apiVersion": "apps/v1", "kind": "Deployment", "namespace": "shop", "name": "web", "uid": "u-1"},
        "note": "act-1 verified",
    } | over
    return {key: value for key, value in found.items() if value is not None}


async def test_an_event_is_created_once_and_seen_in_both_groups(api: httpx.AsyncClient) -> None:
    assert (await api.post(EVENTS, json=event())).status_code == 201
    assert (await api.post(EVENTS, json=event())).status_code == 409
    core = (await api.get("/api/v1/namespaces/shop/events/act-1.verified")).json()
    assert (core["involvedObject"]["name"], core["message"], core["reportingComponent"]) == ("web", "act-1 verified", "day2.dev/notifier")
    assert (await api.get(f"{EVENTS}/act-1.verified")).json()["note"] == "act-1 verified"


@pytest.mark.parametrize(
    "wrong",
    [
        *({name: None} for name in ("eventTime", "reportingController", "reportingInstance", "action", "reason", "type")),
        {"type": "Bad"},
        {"note": "x" * 1025},
        {"reason": "x" * 129},
        {"regarding": {"kind": "Deployment", "namespace": "other", "name": "web"}},
        {"regarding": {"kind": "Node", "name": "n1"}},
    ],
)
async def test_what_the_api_server_refuses_is_refused(api: httpx.AsyncClient, wrong: Json) -> None:
    answer = await api.post(EVENTS, json=event(**wrong))
    assert (answer.status_code, answer.json()["reason"]) == (422, "Invalid"), answer.text
    assert (await api.get(EVENTS)).json()["items"] == []


async def test_events_about_objects_without_a_namespace_stand_in_default(api: httpx.AsyncClient) -> None:
    place = EVENTS.replace("/shop/", "/default/")
    assert (await api.post(place, json=event(regarding={"kind": "Node", "name": "n1", "uid": "u"}))).status_code == 201


async def test_who_reports_moves_no_uid_of_others(api: httpx.AsyncClient, web: Callable[..., Json]) -> None:
    path = "/apis/apps/v1/namespaces/shop/deployments"
    before = (await api.post(path, params={"dryRun": "All"}, json=web())).json()["metadata"]["uid"]
    await api.post(EVENTS, json=event())
    assert (await api.post(path, json=web())).json()["metadata"]["uid"] == before
