"""Server-side apply, custom resources and tokens, beyond what is recorded."""

from datetime import timedelta
from typing import Any

import httpx

from simulator.resources import resource
from tests.simulator.api.conftest import Box

Json = dict[str, Any]
APPLY = {"Content-Type": "application/apply-patch+yaml"}
CONFIG = "/api/v1/namespaces/shop/configmaps/c"
ACCOUNTS = "/api/v1/namespaces/shop/serviceaccounts"


def config(**data: str) -> Json:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c"}, "data": data}


async def apply(api: httpx.AsyncClient, manager: str, body: Json, **query: str) -> httpx.Response:
    return await api.patch(CONFIG, params={"fieldManager": manager, **query}, json=body, headers=APPLY)


async def test_an_apply_that_changes_nothing_keeps_the_version(api: httpx.AsyncClient) -> None:
    first = (await apply(api, "ann", config(a="1"))).json()
    again = (await apply(api, "ann", config(a="1"))).json()
    assert again == first


async def test_two_appliers_of_one_value_share_it_and_the_last_one_takes_it_away(api: httpx.AsyncClient) -> None:
    await apply(api, "ann", config(a="1"))
    assert (await apply(api, "ben", config(a="1"))).status_code == 200
    assert (await apply(api, "ann", config())).json()["data"] == {"a": "1"}
    assert not (await apply(api, "ben", config())).json().get("data")


async def test_a_dry_run_of_an_apply_stores_nothing(api: httpx.AsyncClient, box: Box) -> None:
    assert (await apply(api, "ann", config(a="1"), dryRun="All")).status_code == 201
    assert box.store.list(resource("", "configmaps"), "shop") == []


async def test_a_definition_serves_its_kind_until_it_is_deleted(api: httpx.AsyncClient) -> None:
    schema = {"openAPIV3Schema": {"type": "object", "properties": {"spec": {"type": "object"}}}}
    names = {"plural": "things", "kind": "Thing"}
    version = {"name": "v1", "served": True, "storage": True, "schema": schema}
    spec = {"group": "tests.day2.dev", "scope": "Namespaced", "names": names, "versions": [version]}
    made = {"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": {"name": "things.tests.day2.dev"}}
    definitions = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
    things = "/apis/tests.day2.dev/v1/namespaces/shop/things"
    assert (await api.get(things)).status_code == 404
    assert (await api.post(definitions, json={**made, "spec": spec})).status_code == 201
    thing = {"apiVersion": "tests.day2.dev/v1", "kind": "Thing", "metadata": {"name": "t"}}
    assert (await api.post(things, json=thing)).status_code == 201
    assert "things" in str((await api.get("/openapi/v3/apis/tests.day2.dev/v1")).json()["paths"])
    await api.delete(f"{definitions}/things.tests.day2.dev")
    assert (await api.get(things)).status_code == 404


async def test_a_token_is_its_account_until_its_time_is_over(api: httpx.AsyncClient, box: Box) -> None:
    await api.post(ACCOUNTS, json={"metadata": {"name": "robot"}})
    token = (await api.post(f"{ACCOUNTS}/robot/token", json={"spec": {"expirationSeconds": 600}})).json()["status"]["token"]
    who = "/apis/authentication.k8s.io/v1/selfsubjectreviews"
    async with box.client(token) as robot:
        told = (await robot.post(who, json={})).json()["status"]["userInfo"]
        assert told["username"] == "system:serviceaccount:shop:robot"
        box.clock.advance(timedelta(minutes=11).total_seconds())
        assert (await robot.post(who, json={})).status_code == 401


async def test_the_token_of_a_deleted_account_is_nobodys(api: httpx.AsyncClient, box: Box) -> None:
    await api.post(ACCOUNTS, json={"metadata": {"name": "robot"}})
    token = (await api.post(f"{ACCOUNTS}/robot/token", json={})).json()["status"]["token"]
    await api.delete(f"{ACCOUNTS}/robot")
    async with box.client(token) as robot:
        assert (await robot.get("/api")).status_code == 401


async def test_a_long_list_is_whole_however_it_is_sent(api: httpx.AsyncClient, box: Box) -> None:
    row = resource("", "configmaps")
    for number in range(2_001):
        box.store.create(row, {"metadata": {"name": f"c-{number:04}", "namespace": "shop"}})
    plain = await api.get("/api/v1/configmaps", headers={"Accept-Encoding": "identity"})
    zipped = await api.get("/api/v1/configmaps", headers={"Accept-Encoding": "gzip"})
    names = [each["metadata"]["name"] for each in plain.json()["items"]]
    assert names == [f"c-{number:04}" for number in range(2_001)]
    assert zipped.json() == plain.json()
