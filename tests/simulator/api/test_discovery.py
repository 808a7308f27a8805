"""What is advertised is served: every verb of every resource answers, or says by name that the simulator does not do it."""

import asyncio
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

import httpx

from simulator.resources import SERVED

Json = dict[str, Any]
METHODS = {"create": "POST", "update": "PUT", "patch": "PATCH", "delete": "DELETE", "deletecollection": "DELETE"}
MERGE = {"Content-Type": "application/merge-patch+json"}


class Advertised(NamedTuple):
    group_version: str
    name: str
    namespaced: bool
    verb: str

    def path(self, name: str) -> str:
        root = f"/apis/{self.group_version}" if "/" in self.group_version else f"/api/{self.group_version}"
        plural, _, subresource = self.name.partition("/")
        scope = "/namespaces/shop" if self.namespaced else ""
        whole = self.verb in ("list", "watch", "deletecollection") or (self.verb == "create" and not subresource)
        return f"{root}{scope}/{plural}" + ("" if whole else f"/{name}") + (f"/{subresource}" if subresource else "")


async def advertised(api: httpx.AsyncClient) -> list[Advertised]:
    """Every verb of the legacy discovery documents."""
    versions = ["v1"]
    for group in (await api.get("/apis")).json()["groups"]:
        versions += [each["groupVersion"] for each in group["versions"]]
    found: list[Advertised] = []
    for version in versions:
        listed = (await api.get(f"/apis/{version}" if "/" in version else f"/api/{version}")).json()
        found += [Advertised(version, each["name"], each["namespaced"], verb) for each in listed["resources"] for verb in each["verbs"]]
    return found


async def exercised(api: httpx.AsyncClient, each: Advertised) -> httpx.Response:
    query = {"watch": "1", "timeoutSeconds": "1", "resourceVersion": "999999"} if each.verb == "watch" else {}
    body: Json | None = {} if each.verb in ("create", "update", "patch") else None
    headers = MERGE if each.verb == "patch" else {}
    return await api.request(METHODS.get(each.verb, "GET"), each.path("absent"), params=query, json=body, headers=headers)


async def test_each_advertised_verb_answers_or_names_itself_as_not_done(api: httpx.AsyncClient) -> None:
    every = await advertised(api)
    answers = await asyncio.gather(*(exercised(api, each) for each in every))
    not_done: list[str] = []
    for each, answer in zip(every, answers, strict=True):
        assert answer.status_code not in (405, 500), (each, answer.text)
        assert "could not find the requested resource" not in answer.text, each
        if answer.status_code == 501:
            assert each.name in answer.text, answer.text
            not_done.append(f"{each.name}:{each.verb}")
    subresources = {each.split("/")[1].split(":")[0] for each in not_done if "/" in each}
    assert subresources == {"exec", "attach", "portforward", "proxy"}
    assert [each for each in not_done if "/" not in each] == []


async def test_every_served_resource_is_advertised(api: httpx.AsyncClient) -> None:
    told = {(each.group_version, each.name) for each in await advertised(api)}
    assert {(row.api_version, row.plural) for row in SERVED} <= told


async def test_aggregated_discovery_tells_the_same(api: httpx.AsyncClient) -> None:
    accept = {"Accept": "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json"}
    found: set[tuple[str, str]] = set()
    for path in ("/api", "/apis"):
        answer = await api.get(path, headers=accept)
        assert "as=APIGroupDiscoveryList" in answer.headers["content-type"]
        found |= set(_aggregated(answer.json()))
    assert found == {(each.group_version, each.name) for each in await advertised(api)}


def _aggregated(document: Json) -> Iterator[tuple[str, str]]:
    for group in document["items"]:
        for version in group["versions"]:
            name = group["metadata"].get("name", "")
            shown = f"{name}/{version['version']}" if name else version["version"]
            for each in version["resources"]:
                yield shown, each["resource"]
                yield from ((shown, f"{each['resource']}/{below['subresource']}") for below in each.get("subresources", ()))


async def test_openapi_says_that_dry_run_and_validation_are_understood(api: httpx.AsyncClient) -> None:
    index = (await api.get("/openapi/v3")).json()["paths"]
    assert {"api/v1", "apis/apps/v1"} <= index.keys()
    document = (await api.get(index["apis/apps/v1"]["serverRelativeURL"])).json()
    patch = document["paths"]["/apis/apps/v1/namespaces/{namespace}/deployments/{name}"]["patch"]
    assert {each["name"] for each in patch["parameters"]} >= {"dryRun", "fieldValidation"}
    assert patch["x-kubernetes-group-version-kind"] == {"group": "apps", "version": "v1", "kind": "Deployment"}
    assert (await api.get("/openapi/v2", headers={"Accept": "application/json"})).json()["swagger"] == "2.0"


async def test_version_and_health(api: httpx.AsyncClient) -> None:
    assert re.fullmatch(r"v1\.37\.\d+", (await api.get("/version")).json()["gitVersion"])
    for path in ("/healthz", "/livez", "/readyz", "/readyz/ping"):
        assert (await api.get(path)).text == "ok"
