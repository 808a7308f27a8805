"""How a test steers the simulator: time, scripted failures, what was asked."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from simulator.control import DroppedError
from simulator.resources import resource
from tests.simulator.api.conftest import Box

Json = dict[str, Any]
DEPLOYMENTS = "/apis/apps/v1/namespaces/shop/deployments"


async def test_time_is_told_and_moved(api: httpx.AsyncClient, box: Box) -> None:
    assert (await api.get("/simulator/clock")).json()["now"] == "2026-11-23T12:20:00.000000Z"
    moved = await api.post("/simulator/clock", json={"advance_seconds": 90})
    assert moved.json()["now"] == "2026-11-23T12:21:30.000000Z"
    for wrong in (-1, "soon", True, None, 10**9):
        assert (await api.post("/simulator/clock", json={"advance_seconds": wrong})).status_code == 400


async def test_a_scripted_status_hits_the_named_calls_so_many_times(api: httpx.AsyncClient) -> None:
    fault = {"match": {"method": "GET", "path_regex": "/deployments$"}, "status": 503, "times": 2, "retry_after": 1}
    await api.post("/simulator/faults", json=fault)
    assert (await api.get("/api/v1/pods")).status_code == 200
    refused = await api.get(DEPLOYMENTS)
    assert (refused.status_code, refused.headers["retry-after"], refused.json()["reason"]) == (503, "1", "ServiceUnavailable")
    assert (await api.get(DEPLOYMENTS)).status_code == 503
    assert (await api.get(DEPLOYMENTS)).status_code == 200


async def test_a_dropped_call_changes_nothing(api: httpx.AsyncClient, box: Box, web: Callable[..., Json]) -> None:
    await api.post("/simulator/faults", json={"match": {"method": "POST", "path_regex": "deployments"}, "drop": True})
    with pytest.raises(DroppedError):
        await api.post(DEPLOYMENTS, json=web())
    assert box.store.list(resource("apps", "deployments")) == []


async def test_a_lost_answer_leaves_the_write_applied(api: httpx.AsyncClient, box: Box, web: Callable[..., Json]) -> None:
    await api.post("/simulator/faults", json={"match": {"method": "POST", "path_regex": "deployments"}, "after_apply_drop": True})
    with pytest.raises(DroppedError):
        await api.post(DEPLOYMENTS, json=web())
    assert len(box.store.list(resource("apps", "deployments"))) == 1
    assert (await api.post(DEPLOYMENTS, json=web())).status_code == 409


async def test_faults_can_be_listed_cleared_and_refused(api: httpx.AsyncClient) -> None:
    await api.post("/simulator/faults", json={"match": {"path_regex": "pods"}, "delay": 0.01})
    assert (await api.get("/simulator/faults")).json() == [{"method": "*", "path_regex": "pods", "action": "delay", "times": 1}]
    assert (await api.get("/api/v1/pods")).status_code == 200
    await api.request("DELETE", "/simulator/faults")
    assert (await api.get("/simulator/faults")).json() == []
    assert (await api.post("/simulator/faults", json={"match": {"path_regex": "("}, "drop": True})).status_code == 400
    assert (await api.post("/simulator/faults", json={"match": {}})).status_code == 400
    assert (await api.post("/simulator/faults", content="nonsense")).status_code == 400


async def test_the_audit_list_can_be_read_on_from_an_id(api: httpx.AsyncClient) -> None:
    await api.get("/api/v1/pods")
    first = (await api.get("/simulator/audit")).json()["items"][-1]
    assert (first["user"], first["verb"], first["resource"], first["code"]) == ("admin", "list", "pods", 200)
    await api.get("/api/v1/namespaces/shop/pods/absent")
    later = (await api.get("/simulator/audit", params={"since": first["id"]})).json()["items"]
    assert [(each["verb"], each["name"], each["code"]) for each in later] == [("get", "absent", 404)]


async def test_the_audit_list_tells_a_delete_that_only_tries_from_one_that_deletes(
    api: httpx.AsyncClient, web: Callable[..., Json]
) -> None:
    await api.post(DEPLOYMENTS, json=web())
    name = f"{DEPLOYMENTS}/{web()['metadata']['name']}"
    for body, params in (({"dryRun": ["All"]}, {}), (None, {"dryRun": "All"}), ({}, {})):
        await api.request("DELETE", name, json=body, params=params)
    told = (await api.get("/simulator/audit")).json()["items"][-3:]
    assert [(each["dryRun"], each["code"]) for each in told] == [(True, 200), (True, 200), (False, 200)]


async def test_the_metrics_application_is_mounted(api: httpx.AsyncClient) -> None:
    assert (await api.get("/prometheus/-/ready")).text == "ready"


async def test_a_body_that_is_too_large_is_refused(api: httpx.AsyncClient) -> None:
    assert (await api.post(DEPLOYMENTS, content=b" " * (3 * 1024 * 1024 + 1))).status_code == 413
