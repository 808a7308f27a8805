"""Lists: selectors, pages, forms and compression."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from simulator.resources import resource
from tests.contracts.events import event
from tests.simulator.api.conftest import Box

Json = dict[str, Any]
CONFIG_MAPS = "/api/v1/namespaces/shop/configmaps"
TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json"


@pytest.fixture
def labelled(box: Box) -> None:
    for name, labels in (("a", {"tier": "front"}), ("b", {"tier": "back", "old": "1"}), ("c", {}), ("d", {"tier": "front", "old": "2"})):
        box.store.create(resource("", "configmaps"), {"metadata": {"name": name, "namespace": "shop", "labels": labels}})


async def names(api: httpx.AsyncClient, path: str, **query: str) -> list[str]:
    response = await api.get(path, params=query)
    assert response.status_code == 200, response.text
    return [each["metadata"]["name"] for each in response.json()["items"]]


@pytest.mark.parametrize(
    ("selector", "wanted"),
    [
        ("tier=front", ["a", "d"]),
        ("tier==front,old", ["d"]),
        ("tier!=front", ["b", "c"]),
        ("!tier", ["c"]),
        ("tier in (front, back)", ["a", "b", "d"]),
        ("tier notin (front)", ["b", "c"]),
        ("tier in (front),!old", ["a"]),
        ("", ["a", "b", "c", "d"]),
    ],
)
@pytest.mark.usefixtures("labelled")
async def test_a_label_selector_chooses(api: httpx.AsyncClient, selector: str, wanted: list[str]) -> None:
    assert await names(api, CONFIG_MAPS, labelSelector=selector) == wanted


async def test_field_selectors_of_pods_and_events(
    api: httpx.AsyncClient, box: Box, run_pod: Callable[..., Json], a_pod: Callable[..., Json]
) -> None:
    run_pod("on-n1", "n1")
    box.store.create(resource("", "pods"), a_pod("nowhere"))
    pods = "/api/v1/pods"
    assert await names(api, pods, fieldSelector="spec.nodeName=n1") == ["on-n1"]
    assert await names(api, pods, fieldSelector="spec.nodeName=") == ["nowhere"]
    assert await names(api, pods, fieldSelector="status.phase!=Running,metadata.namespace=shop") == ["nowhere"]
    assert await names(api, pods, fieldSelector="metadata.name=on-n1") == ["on-n1"]
    event = {
        "metadata": {"name": "e", "namespace": "shop"},
        "involvedObject": {"kind": "Pod", "name": "on-n1", "uid": "u"},
        "reason": "BackOff",
    }
    box.store.create(resource("", "events"), event)
    about = "involvedObject.name=on-n1,involvedObject.kind=Pod,reason=BackOff"
    assert await names(api, "/api/v1/namespaces/shop/events", fieldSelector=about) == ["e"]
    assert await names(api, "/api/v1/namespaces/shop/events", fieldSelector="involvedObject.uid=x") == []


@pytest.mark.usefixtures("labelled")
async def test_pages_follow_each_other_and_say_how_much_is_left(api: httpx.AsyncClient) -> None:
    first = (await api.get(CONFIG_MAPS, params={"limit": 3})).json()
    assert [each["metadata"]["name"] for each in first["items"]] == ["a", "b", "c"]
    assert first["metadata"]["remainingItemCount"] == 1
    last = (await api.get(CONFIG_MAPS, params={"limit": 3, "continue": first["metadata"]["continue"]})).json()
    assert [each["metadata"]["name"] for each in last["items"]] == ["d"]
    assert "continue" not in last["metadata"]
    assert last["metadata"]["resourceVersion"] == first["metadata"]["resourceVersion"]


@pytest.mark.usefixtures("labelled")
async def test_a_page_whose_version_is_forgotten_has_expired(api: httpx.AsyncClient, box: Box) -> None:
    first = (await api.get(CONFIG_MAPS, params={"limit": 1})).json()
    box.store.create(resource("", "configmaps"), {"metadata": {"name": "e", "namespace": "shop"}})
    box.store.forget_changes()
    late = await api.get(CONFIG_MAPS, params={"limit": 1, "continue": first["metadata"]["continue"]})
    assert (late.status_code, late.json()["reason"]) == (410, "Expired")
    broken = await api.get(CONFIG_MAPS, params={"continue": "nonsense"})
    assert broken.status_code == 400


@pytest.mark.usefixtures("labelled")
async def test_items_of_a_list_do_not_repeat_their_kind(api: httpx.AsyncClient) -> None:
    listed = (await api.get(CONFIG_MAPS)).json()
    assert (listed["kind"], listed["apiVersion"]) == ("ConfigMapList", "v1")
    assert all("kind" not in each for each in listed["items"])
    assert (await api.get(f"{CONFIG_MAPS}/a")).json()["kind"] == "ConfigMap"


async def test_a_table_has_the_columns_kubectl_shows(api: httpx.AsyncClient, run_pod: Callable[..., Json]) -> None:
    run_pod("web-1", "n1")
    table = (await api.get("/api/v1/namespaces/shop/pods", headers={"Accept": TABLE})).json()
    columns = [each["name"] for each in table["columnDefinitions"] if each["priority"] == 0]
    assert (table["kind"], columns) == ("Table", ["Name", "Ready", "Status", "Restarts", "Age"])
    assert table["rows"][0]["cells"][:5] == ["web-1", "1/1", "Running", "0", "0s"]
    assert table["rows"][0]["object"]["metadata"]["name"] == "web-1"


async def test_each_kind_fills_its_columns(api: httpx.AsyncClient, box: Box, web: Callable[..., Json]) -> None:
    box.store.create(resource("apps", "deployments"), web())
    for path in ("/apis/apps/v1/deployments", "/api/v1/namespaces", "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings"):
        table = (await api.get(path, headers={"Accept": TABLE})).json()
        assert all(len(row["cells"]) == len(table["columnDefinitions"]) for row in table["rows"])
        assert table["rows"]


async def test_metadata_only(api: httpx.AsyncClient, box: Box, web: Callable[..., Json]) -> None:
    box.store.create(resource("apps", "deployments"), web())
    accept = "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io"
    listed = (await api.get("/apis/apps/v1/deployments", headers={"Accept": accept})).json()
    assert listed["kind"] == "PartialObjectMetadataList"
    assert listed["items"][0].keys() == {"kind", "apiVersion", "metadata"}


async def test_a_long_list_is_compressed_when_asked_for(api: httpx.AsyncClient, box: Box) -> None:
    for number in range(40):
        box.store.create(
            resource("", "configmaps"), {"metadata": {"name": f"c{number}", "namespace": "shop"}, "data": {"text": "x" * 5000}}
        )
    packed = await api.get(CONFIG_MAPS, headers={"Accept-Encoding": "gzip"})
    plain = await api.get(CONFIG_MAPS, headers={"Accept-Encoding": "identity"})
    assert packed.headers["content-encoding"] == "gzip"
    assert "content-encoding" not in plain.headers
    assert packed.json() == plain.json()


async def test_usage_is_served_as_metrics(api: httpx.AsyncClient) -> None:
    listed = (await api.get("/apis/metrics.k8s.io/v1beta1/namespaces/shop/pods")).json()
    assert (listed["kind"], listed["items"][0]["containers"][0]["usage"]["cpu"]) == ("PodMetricsList", "120m")
    assert (await api.get("/apis/metrics.k8s.io/v1beta1/nodes/n1")).json()["usage"]["memory"] == "1Gi"
    assert (await api.get("/apis/metrics.k8s.io/v1beta1/nodes/none")).status_code == 404


async def test_one_kind_in_two_versions(api: httpx.AsyncClient, box: Box) -> None:
    spec = {
        "scaleTargetRef": {"kind": "Deployment", "name": "web"},
        "minReplicas": 2,
        "maxReplicas": 5,
        "targetCPUUtilizationPercentage": 70,
    }
    old = "/apis/autoscaling/v1/namespaces/shop/horizontalpodautoscalers"
    made = await api.post(old, json={"metadata": {"name": "h"}, "spec": spec})
    assert made.status_code == 201
    new = (await api.get("/apis/autoscaling/v2/namespaces/shop/horizontalpodautoscalers/h")).json()
    assert new["spec"]["metrics"][0]["resource"]["target"] == {"type": "Utilization", "averageUtilization": 70}
    assert (await api.get(f"{old}/h")).json()["spec"]["targetCPUUtilizationPercentage"] == 70
    seen = event("shop", metadata={"name": "e"}, note="seen")
    assert (await api.post("/apis/events.k8s.io/v1/namespaces/shop/events", json=seen)).status_code == 201
    assert (await api.get("/api/v1/namespaces/shop/events/e")).json()["message"] == "seen"
