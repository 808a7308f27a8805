"""What only pods have: logs, binding, eviction, resize, graceful deletion."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from simulator.resources import resource
from tests.simulator.api.conftest import Box

Json = dict[str, Any]
PODS, BUDGETS, NODES = resource("", "pods"), resource("policy", "poddisruptionbudgets"), resource("", "nodes")
POD = "/api/v1/namespaces/shop/pods/web-1"
STRATEGIC = {"Content-Type": "application/strategic-merge-patch+json"}
EVICTION: Json = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": "web-1", "namespace": "shop"}}


def budget(box: Box, allowed: int, **spec: Any) -> None:
    made = {
        "metadata": {"name": "web", "namespace": "shop"},
        "spec": {"minAvailable": 3, "selector": {"matchLabels": {"app": "web"}}, **spec},
    }
    status = {"disruptionsAllowed": allowed, "desiredHealthy": 3, "currentHealthy": 3, "observedGeneration": 1}
    box.store.create(BUDGETS, {**made, "status": status})


def resources(**amounts: str) -> Json:
    return {"spec": {"containers": [{"name": "app", "resources": {"requests": amounts}}]}}


async def test_logs_by_container_previous_and_tail(api: httpx.AsyncClient, box: Box, run_pod: Callable[..., Json]) -> None:
    made = run_pod()
    assert (await api.get(f"{POD}/log")).text == "shop/web-1/app now 1\nshop/web-1/app now 2\nshop/web-1/app now 3\n"
    assert (await api.get(f"{POD}/log", params={"tailLines": 1})).text == "shop/web-1/app now 3\n"
    assert (await api.get(f"{POD}/log", params={"limitBytes": 4})).text == "shop"
    none = await api.get(f"{POD}/log", params={"previous": "true"})
    assert none.json()["message"] == 'previous terminated container "app" in pod "web-1" not found'
    made["status"]["containerStatuses"][0]["lastState"] = {"terminated": {"exitCode": 1}}
    box.store.update(PODS, made, subresource="status")
    assert (await api.get(f"{POD}/log", params={"previous": "true", "tailLines": 1})).text == "shop/web-1/app before 3\n"
    assert (await api.get(f"{POD}/log", params={"container": "other"})).status_code == 400


async def test_a_container_that_waits_has_no_log(api: httpx.AsyncClient, box: Box, run_pod: Callable[..., Json]) -> None:
    made = run_pod()
    made["status"]["containerStatuses"][0]["state"] = {"waiting": {"reason": "ImagePullBackOff"}}
    box.store.update(PODS, made, subresource="status")
    answer = await api.get(f"{POD}/log")
    assert answer.json()["message"] == 'container "app" in pod "web-1" is waiting to start: ImagePullBackOff'


async def test_a_binding_puts_a_pod_on_a_node_once(api: httpx.AsyncClient, box: Box, a_pod: Callable[..., Json]) -> None:
    box.store.create(PODS, a_pod())
    body = {"metadata": {"name": "web-1"}, "target": {"kind": "Node", "name": "n1"}}
    assert (await api.post(f"{POD}/binding", json=body)).status_code == 201
    bound = (await api.get(POD)).json()
    assert bound["spec"]["nodeName"] == "n1"
    assert bound["status"]["conditions"][0]["type"] == "PodScheduled"
    assert (await api.post(f"{POD}/binding", json=body)).status_code == 409


async def test_an_exhausted_budget_refuses_the_eviction_and_says_why(
    api: httpx.AsyncClient, box: Box, run_pod: Callable[..., Json]
) -> None:
    run_pod()
    budget(box, 0)
    for query in ("", "?dryRun=All"):
        refused = await api.post(f"{POD}/eviction{query}", json=EVICTION)
        assert refused.status_code == 429
        assert refused.json()["message"] == "Cannot evict pod as it would violate the pod's disruption budget."
        cause = refused.json()["details"]["causes"][0]
        assert cause == {"reason": "DisruptionBudget", "message": "The disruption budget web needs 3 healthy pods and has 3 currently"}


async def test_an_eviction_spends_the_budget_and_starts_a_graceful_end(
    api: httpx.AsyncClient, box: Box, run_pod: Callable[..., Json]
) -> None:
    run_pod()
    budget(box, 1)
    assert (await api.post(f"{POD}/eviction?dryRun=All", json=EVICTION)).status_code == 201
    assert box.store.list(BUDGETS)[0]["status"]["disruptionsAllowed"] == 1
    assert "deletionTimestamp" not in box.store.list(PODS)[0]["metadata"]
    assert (await api.post(f"{POD}/eviction", json=EVICTION)).status_code == 201
    assert box.store.list(BUDGETS)[0]["status"]["disruptionsAllowed"] == 0
    assert box.store.list(PODS)[0]["metadata"]["deletionGracePeriodSeconds"] == 30


async def test_eviction_preconditions_are_checked_before_the_budget_is_spent(
    api: httpx.AsyncClient, box: Box, run_pod: Callable[..., Json]
) -> None:
    made = run_pod()
    budget(box, 1)
    stale = {**EVICTION, "deleteOptions": {"preconditions": {"resourceVersion": "1"}}}
    refused = await api.post(f"{POD}/eviction", json=stale)
    assert refused.status_code == 409
    assert "the ResourceVersion in the precondition (1) does not match" in refused.json()["message"]
    assert box.store.list(BUDGETS)[0]["status"]["disruptionsAllowed"] == 1
    meta = made["metadata"]
    exact = {**EVICTION, "deleteOptions": {"preconditions": {"uid": meta["uid"], "resourceVersion": meta["resourceVersion"]}}}
    assert (await api.post(f"{POD}/eviction", json=exact)).status_code == 201


async def test_a_pod_that_is_not_ready_may_go_when_the_budget_allows_it(
    api: httpx.AsyncClient, box: Box, run_pod: Callable[..., Json]
) -> None:
    run_pod(ready=False)
    budget(box, 0, unhealthyPodEvictionPolicy="AlwaysAllow")
    assert (await api.post(f"{POD}/eviction", json=EVICTION)).status_code == 201


async def test_a_resize_changes_resources_and_ignores_the_rest(api: httpx.AsyncClient, run_pod: Callable[..., Json]) -> None:
    run_pod()
    asked = resources(cpu="250m")
    asked["spec"]["containers"][0]["image"] = "other:1"
    answer = await api.patch(f"{POD}/resize", json=asked, headers=STRATEGIC)
    assert answer.status_code == 200, answer.text
    container = answer.json()["spec"]["containers"][0]
    assert (container["resources"]["requests"]["cpu"], container["image"]) == ("250m", "web:1.0")
    assert answer.json()["metadata"]["generation"] == 2


async def test_a_resize_keeps_the_quality_of_service_class(api: httpx.AsyncClient, run_pod: Callable[..., Json]) -> None:
    run_pod()
    refused = await api.patch(f"{POD}/resize", json=resources(cpu="500m", memory="128Mi"), headers=STRATEGIC)
    assert refused.status_code == 422
    assert "Pod QOS Class may not change as a result of resizing" in refused.json()["message"]


async def test_a_resize_beyond_the_node_is_forbidden_with_its_cause(api: httpx.AsyncClient, box: Box, a_pod: Callable[..., Json]) -> None:
    box.store.create(NODES, {"metadata": {"name": "n1"}, "status": {"allocatable": {"cpu": "16", "memory": "64Gi"}}})
    made = a_pod(node="n1")
    del made["spec"]["containers"][0]["resources"]["limits"]["cpu"]
    status = {"phase": "Running", "containerStatuses": [{"name": "app", "resources": {}}]}
    box.store.create(PODS, {**made, "status": status})
    refused = await api.patch(f"{POD}/resize?dryRun=All", json=resources(cpu="20"), headers=STRATEGIC)
    assert refused.status_code == 403
    assert refused.json()["details"]["causes"][0]["reason"] == "NodeCapacity"
    assert "cpu, requested: 20000, allocatable: 16000" in refused.json()["message"]


async def test_a_resize_needs_a_kubelet_that_reports_resources(api: httpx.AsyncClient, box: Box, a_pod: Callable[..., Json]) -> None:
    box.store.create(PODS, {**a_pod(node="n1"), "status": {"phase": "Running", "containerStatuses": [{"name": "app"}]}})
    refused = await api.patch(f"{POD}/resize", json=resources(cpu="250m"), headers=STRATEGIC)
    assert refused.status_code == 422
    assert "Pod running on node without support for resize" in refused.json()["message"]


@pytest.mark.parametrize(("query", "left"), [("", True), ("?gracePeriodSeconds=0", False), ("?dryRun=All", True)])
async def test_deletion_is_graceful_unless_told_otherwise(
    api: httpx.AsyncClient, box: Box, run_pod: Callable[..., Json], query: str, left: bool
) -> None:
    run_pod()
    answer = await api.delete(f"{POD}{query}")
    assert answer.status_code == 200
    assert bool(box.store.list(PODS)) is left
    if query == "":
        assert answer.json()["metadata"]["deletionTimestamp"] == "2026-11-23T12:20:30Z"
    if "dryRun" in query:
        assert "deletionTimestamp" not in box.store.list(PODS)[0]["metadata"]
