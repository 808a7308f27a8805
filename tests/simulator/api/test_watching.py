"""Watches tell what changed, once, in order, and say when they cannot."""

import asyncio
import json
from collections.abc import Callable
from typing import Any

import httpx

from simulator.resources import resource
from tests.simulator.api.conftest import Box

Json = dict[str, Any]
CONFIG_MAPS = resource("", "configmaps")
PATH = "/api/v1/namespaces/shop/configmaps"


def put(box: Box, name: str, namespace: str = "shop", **labels: str) -> None:
    old = box.store.get(CONFIG_MAPS, namespace, name)
    if old is None:
        box.store.create(CONFIG_MAPS, {"metadata": {"name": name, "namespace": namespace, "labels": labels}})
    else:
        box.store.update(CONFIG_MAPS, {**old, "metadata": {**old["metadata"], "labels": labels}})


async def watched(api: httpx.AsyncClient, during: Callable[[], None] | None = None, **query: str) -> list[Json]:
    """The events of a watch (of one second, when nothing else is asked), in which `during` happens."""
    asked = asyncio.create_task(api.get(PATH, params={"watch": "1", "timeoutSeconds": "1", **query}))
    await asyncio.sleep(0.05)
    if during:
        during()
    response = await asked
    return [json.loads(line) for line in response.text.splitlines()]


def told(events: list[Json]) -> list[tuple[str, str]]:
    return [(each["type"], each["object"]["metadata"].get("name", "")) for each in events]


async def test_a_watch_without_a_version_shows_what_is_there_and_then_what_comes(api: httpx.AsyncClient, box: Box) -> None:
    put(box, "a")
    events = await watched(api, lambda: put(box, "b"))
    assert told(events) == [("ADDED", "a"), ("ADDED", "b")]


async def test_a_watch_from_a_version_tells_each_later_change_once(api: httpx.AsyncClient, box: Box) -> None:
    put(box, "a")
    version = str(box.store.version())
    put(box, "a", x="1")

    def later() -> None:
        put(box, "other", namespace="default")
        box.store.delete(CONFIG_MAPS, "shop", "a")

    events = await watched(api, later, resourceVersion=version)
    assert told(events) == [("MODIFIED", "a"), ("DELETED", "a")]
    versions = [int(each["object"]["metadata"]["resourceVersion"]) for each in events]
    assert versions == sorted(versions)
    assert versions[0] > int(version)


async def test_an_object_that_enters_or_leaves_the_selection_is_added_or_deleted(api: httpx.AsyncClient, box: Box) -> None:
    put(box, "a", tier="back")

    def moves() -> None:
        put(box, "a", tier="front")
        put(box, "a", tier="front", more="1")
        put(box, "a", tier="back")

    events = await watched(api, moves, labelSelector="tier=front", resourceVersion=str(box.store.version()))
    assert told(events) == [("ADDED", "a"), ("MODIFIED", "a"), ("DELETED", "a")]


async def test_a_forgotten_version_ends_the_watch_with_an_error_event(api: httpx.AsyncClient, box: Box) -> None:
    put(box, "a")
    put(box, "b")
    box.store.forget_changes()
    events = await watched(api, resourceVersion="2")
    assert [(each["type"], each["object"]["code"], each["object"]["reason"]) for each in events] == [("ERROR", 410, "Expired")]


async def test_initial_events_end_with_a_marked_bookmark(api: httpx.AsyncClient, box: Box) -> None:
    put(box, "a")
    events = await watched(api, sendInitialEvents="true", allowWatchBookmarks="true", resourceVersionMatch="NotOlderThan")
    assert told(events)[0] == ("ADDED", "a")
    assert events[1]["type"] == "BOOKMARK"
    assert events[1]["object"]["metadata"]["annotations"] == {"k8s.io/initial-events-end": "true"}
    assert events[1]["object"]["metadata"]["resourceVersion"] == str(box.store.version())


async def test_a_bookmark_carries_the_version_when_nothing_of_ours_happens(api: httpx.AsyncClient, box: Box) -> None:
    put(box, "a")
    version = str(box.store.version())
    events = await watched(
        api, lambda: put(box, "other", namespace="default"), resourceVersion=version, allowWatchBookmarks="true", timeoutSeconds="3"
    )
    assert [each["type"] for each in events] == ["BOOKMARK"]
    assert events[0]["object"]["metadata"]["resourceVersion"] == str(box.store.version())


async def test_a_selector_that_cannot_be_read_is_an_error_event(api: httpx.AsyncClient) -> None:
    events = await watched(api, labelSelector="a===b")
    assert events[0]["type"] == "ERROR"


async def test_a_table_watch_sends_tables(api: httpx.AsyncClient, box: Box) -> None:
    put(box, "a")
    api.headers["Accept"] = "application/json;as=Table;v=v1;g=meta.k8s.io"
    events = await watched(api)
    assert events[0]["object"]["kind"] == "Table"
