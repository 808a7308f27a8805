"""The official Python client works on the simulator unchanged."""

import threading
from collections.abc import Callable
from typing import Any

import pytest
from kubernetes import client, config, watch
from kubernetes.client import ApiException

from simulator.resources import resource
from tests.simulator.api.conftest import Served

Json = dict[str, Any]


@pytest.fixture
def official(served: Served) -> Any:
    configuration = client.Configuration()
    config.load_kube_config(config_file=str(served.kubeconfig), client_configuration=configuration)
    with client.ApiClient(configuration) as connection:
        yield connection


def test_a_deployment_lives_and_dies(official: Any, web: Callable[..., Json]) -> None:
    apps = client.AppsV1Api(official)
    made = apps.create_namespaced_deployment("shop", web(), field_manager="tests")
    assert (made.metadata.generation, made.spec.strategy.rolling_update.max_surge) == (1, "25%")
    change = {"spec": {"template": {"spec": {"containers": [{"name": "app", "image": "web:2.0"}]}}}}
    shown = apps.patch_namespaced_deployment("web", "shop", change, dry_run="All", field_manager="tests")
    assert shown.spec.template.spec.containers[0].image == "web:2.0"
    assert apps.read_namespaced_deployment("web", "shop").spec.template.spec.containers[0].image == "web:1.0"
    scaled = apps.patch_namespaced_deployment_scale("web", "shop", {"spec": {"replicas": 5}}, field_manager="tests")
    assert scaled.spec.replicas == 5
    assert [each.metadata.name for each in apps.list_deployment_for_all_namespaces(label_selector="app=web").items] == ["web"]
    apps.delete_namespaced_deployment("web", "shop")
    with pytest.raises(ApiException) as gone:
        apps.read_namespaced_deployment("web", "shop")
    assert gone.value.status == 404


def test_a_stale_replace_is_a_conflict(official: Any, web: Callable[..., Json]) -> None:
    apps = client.AppsV1Api(official)
    stale = apps.create_namespaced_deployment("shop", web())
    apps.patch_namespaced_deployment("web", "shop", {"spec": {"replicas": 4}})
    with pytest.raises(ApiException) as refused:
        apps.replace_namespaced_deployment("web", "shop", stale)
    assert refused.value.status == 409


def test_pods_resize_log_and_eviction(official: Any, served: Served, run_pod: Callable[..., Json]) -> None:
    run_pod()
    core = client.CoreV1Api(official)
    change = {"spec": {"containers": [{"name": "app", "resources": {"requests": {"cpu": "250m"}}}]}}
    resized = core.patch_namespaced_pod_resize("web-1", "shop", change)
    assert resized.spec.containers[0].resources.requests["cpu"] == "250m"
    assert core.read_namespaced_pod_log("web-1", "shop", tail_lines=1) == "shop/web-1/app now 3\n"
    eviction = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": "web-1", "namespace": "shop"}}
    core.create_namespaced_pod_eviction("web-1", "shop", eviction, dry_run="All")
    assert core.read_namespaced_pod("web-1", "shop").metadata.deletion_timestamp is None
    core.create_namespaced_pod_eviction("web-1", "shop", eviction)
    assert core.read_namespaced_pod("web-1", "shop").metadata.deletion_timestamp is not None


def test_a_watch_follows_the_store(official: Any, served: Served) -> None:
    core = client.CoreV1Api(official)
    maps = resource("", "configmaps")
    served.box.store.create(maps, {"metadata": {"name": "first", "namespace": "shop"}})
    threading.Timer(0.2, lambda: served.box.store.create(maps, {"metadata": {"name": "second", "namespace": "shop"}})).start()
    seen: list[tuple[str, str]] = []
    stream = watch.Watch()
    for event in stream.stream(core.list_namespaced_config_map, "shop", timeout_seconds=5):
        seen.append((event["type"], event["object"].metadata.name))
        if len(seen) == 2:
            stream.stop()
    assert seen == [("ADDED", "first"), ("ADDED", "second")]


def test_every_stored_kind_can_be_listed_by_its_typed_call(official: Any) -> None:
    for api, call in (
        (client.CoreV1Api, "list_node"),
        (client.CoreV1Api, "list_namespace"),
        (client.CoreV1Api, "list_service_for_all_namespaces"),
        (client.CoreV1Api, "list_event_for_all_namespaces"),
        (client.AutoscalingV2Api, "list_horizontal_pod_autoscaler_for_all_namespaces"),
        (client.BatchV1Api, "list_job_for_all_namespaces"),
        (client.PolicyV1Api, "list_pod_disruption_budget_for_all_namespaces"),
        (client.NetworkingV1Api, "list_network_policy_for_all_namespaces"),
        (client.RbacAuthorizationV1Api, "list_cluster_role"),
        (client.DiscoveryV1Api, "list_endpoint_slice_for_all_namespaces"),
        (client.CoordinationV1Api, "list_lease_for_all_namespaces"),
        (client.StorageV1Api, "list_storage_class"),
    ):
        assert getattr(api(official), call)().metadata.resource_version


def test_version_and_rights(official: Any) -> None:
    assert client.VersionApi(official).get_code().minor == "37"
    review = {"spec": {"resourceAttributes": {"verb": "list", "resource": "pods"}}}
    assert client.AuthorizationV1Api(official).create_self_subject_access_review(review).status.allowed is True
