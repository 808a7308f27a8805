"""Events that a reporter creates through events.k8s.io: seen in both groups, checked as the API server does, moving no other uid."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from tests.contracts.events import PLACES, TAKEN, WRONG, event

Json = dict[str, Any]
EVENTS = "/apis/events.k8s.io/v1/namespaces/shop/events"


async def test_an_event_is_created_once_and_seen_in_both_groups(api: httpx.AsyncClient) -> None:
    assert (await api.post(EVENTS, json=event("shop"))).status_code == 201
    assert (await api.post(EVENTS, json=event("shop"))).status_code == 409
    core = (await api.get("/api/v1/namespaces/shop/events/act-1.verified")).json()
    assert (core["involvedObject"]["name"], core["message"], core["reportingComponent"]) == ("web", "act-1 verified", "day2.dev/notifier")
    assert (await api.get(f"{EVENTS}/act-1.verified")).json()["note"] == "act-1 verified"


@pytest.mark.parametrize("wrong", WRONG)
async def test_what_the_api_server_refuses_is_refused(api: httpx.AsyncClient, wrong: Json) -> None:
    answer = await api.post(EVENTS, json=event("shop", **wrong))
    assert (answer.status_code, answer.json()["reason"]) == (422, "Invalid"), answer.text
    assert (await api.get(EVENTS)).json()["items"] == []


@pytest.mark.parametrize("right", TAKEN)
async def test_what_the_api_server_takes_is_taken(api: httpx.AsyncClient, right: Json) -> None:
    assert (await api.post(EVENTS, json=event("shop", **right))).status_code == 201


@pytest.mark.parametrize("space", PLACES)
async def test_where_events_about_objects_without_a_namespace_stand(api: httpx.AsyncClient, space: str) -> None:
    place = EVENTS.replace("/shop/", f"/{space}/")
    assert (await api.post(place, json=event("default", regarding={"kind": "Node", "name": "n1", "uid": "u"}))).status_code == 201


async def test_who_reports_moves_no_uid_of_others(api: httpx.AsyncClient, web: Callable[..., Json]) -> None:
    path = "/apis/apps/v1/namespaces/shop/deployments"
    before = (await api.post(path, params={"dryRun": "All"}, json=web())).json()["metadata"]["uid"]
    await api.post(EVENTS, json=event("shop"))
    assert (await api.post(path, json=web())).json()["metadata"]["uid"] == before
