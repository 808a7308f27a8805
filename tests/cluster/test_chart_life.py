"""A release from its installation to its removal, on a real API server: what each mode adds, and what is taken away again."""

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from runtime.services import dashboards
from tests.cluster.charted import ACT, CHART, NAMESPACE, RELEASE, Pods, emptied, in_cluster, left, merged

if TYPE_CHECKING:
    from tests.controlplane.rig import ControlPlane

PROPOSE = merged(ACT, {"mode": "propose"})
READ_ONLY = {"day2-reader", "day2-observer"}
LOCKS = ("validatingadmissionpolic", "validatingwebhookconfiguration")


@pytest.fixture
def plane(control_plane: "ControlPlane") -> Iterator["ControlPlane"]:
    with emptied(control_plane):
        yield control_plane


def rights(plane: "ControlPlane") -> set[str]:
    return {name.partition("/")[2] for name in left(plane) if name.startswith("clusterrole.")}


def test_a_release_from_read_only_to_act_and_back_to_nothing(plane: "ControlPlane") -> None:
    """Modes are upgrades of one release: each takes its rights away again."""
    in_cluster(plane, "install", RELEASE, str(CHART))
    assert rights(plane) == READ_ONLY
    assert not [name for name in left(plane) if name.startswith(LOCKS)]

    in_cluster(plane, "upgrade", RELEASE, str(CHART), values=PROPOSE)
    assert rights(plane) == READ_ONLY | {"day2-agent-scaling", "day2-judge-identity", "day2-judge-on", "day2-notifier"} | wide(plane)
    assert len([name for name in left(plane) if name.startswith(LOCKS)]) == 5

    in_cluster(plane, "upgrade", RELEASE, str(CHART), values=ACT)
    assert {"day2-executor-identity", "day2-executor-on"} <= rights(plane)
    assert "deployment.apps/day2-executor" in left(plane)

    in_cluster(plane, "upgrade", RELEASE, str(CHART), values={"mode": "readOnly"})
    assert rights(plane) == READ_ONLY
    assert not [name for name in left(plane) if name.startswith(LOCKS)]
    assert {name for name in left(plane) if name.startswith("deployment")} == {"deployment.apps/day2-controller"}

    in_cluster(plane, "uninstall", RELEASE)
    plane.until(lambda: not [name for name in left(plane) if not name.startswith(("persistentvolumeclaim", "replicaset"))], "all gone", 60)
    assert "persistentvolumeclaim/day2-data" in left(plane), "the audit chains stay"


def test_by_default_one_pod_looks_with_an_account_that_reads(plane: "ControlPlane", tmp_path: Path) -> None:
    """As docs/deploying.md begins, with the processes that the pod would have."""
    in_cluster(plane, "install", RELEASE, str(CHART))
    pods = Pods(plane, tmp_path)
    try:
        assert pods.start("controller")["ready"] == ["controller", "notifier"]
        found = pods.exec("controller", "day2", "scan", "-A", "-o", "json")
        assert found.returncode == 0, found.stderr
        assert json.loads(found.stdout)["coverage"]["run"]
    finally:
        pods.stop()
        in_cluster(plane, "uninstall", RELEASE)


def test_an_installation_asks_the_cluster_where_its_api_server_is(plane: "ControlPlane") -> None:
    """In most clusters somebody keeps this slice; here nobody does."""
    meta = {"name": "kubernetes", "labels": {"kubernetes.io/service-name": "kubernetes"}}
    body = {"apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "metadata": meta, "addressType": "IPv4"}
    slices = "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices"
    plane.request("POST", slices, {**body, "endpoints": [{"addresses": ["10.3.0.7"]}], "ports": [{"port": 6443}]}).raise_for_status()
    try:
        in_cluster(plane, "install", RELEASE, str(CHART), values=merged(ACT, {"networkPolicy": {"apiServer": {"cidrs": []}}}))
        policy = plane.get(f"/apis/networking.k8s.io/v1/namespaces/{NAMESPACE}/networkpolicies/day2-executor")
        assert [peer["ipBlock"]["cidr"] for rule in policy["spec"]["egress"] for peer in rule["to"]] == ["10.3.0.7/32"]
        in_cluster(plane, "uninstall", RELEASE)
    finally:
        plane.request("DELETE", f"{slices}/kubernetes")


STUBS = {
    "servicemonitors.monitoring.coreos.com": ("ServiceMonitor", "v1"),
    "prometheusrules.monitoring.coreos.com": ("PrometheusRule", "v1"),
    "certificates.cert-manager.io": ("Certificate", "v1"),
}
"""Definitions that other products bring. Stubs: they take any content, so only name, version and place are shown to fit."""


@contextlib.contextmanager
def stubs(plane: "ControlPlane") -> Iterator[None]:
    collection = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
    for name, (kind, version) in STUBS.items():
        plural, _, group = name.partition(".")
        schema = {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}}
        served = {"name": version, "served": True, "storage": True, "schema": schema}
        spec = {"group": group, "scope": "Namespaced", "names": {"plural": plural, "kind": kind}, "versions": [served]}
        body = {"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": {"name": name}, "spec": spec}
        plane.request("POST", collection, body).raise_for_status()
    try:
        for name, (_, version) in STUBS.items():
            plural, _, group = name.partition(".")
            plane.until(lambda path=f"/apis/{group}/{version}/{plural}": plane.request("GET", path).is_success, name)  # type: ignore[misc]
        yield
    finally:
        for name in STUBS:
            plane.request("DELETE", f"{collection}/{name}")


def test_with_definitions_of_others_the_whole_chart_is_taken(plane: "ControlPlane") -> None:
    metrics = {"serviceMonitor": True, "prometheusRule": True, "dashboard": True}
    certificate = {"caSecret": "", "caBundle": "", "certManager": {"enabled": True, "issuer": {"name": "ours"}}}
    values = merged(ACT, {"metrics": metrics, "webhook": {**certificate, "replicas": 2}})
    with stubs(plane):
        in_cluster(plane, "install", RELEASE, str(CHART), values=values)
        found = plane.kubectl("get", ",".join(STUBS), "-n", NAMESPACE, "-o", "name").split()
        assert len(found) == len(STUBS)
        in_cluster(plane, "uninstall", RELEASE)
        assert plane.kubectl("get", ",".join(STUBS), "-n", NAMESPACE, "-o", "name") == ""


def test_prometheus_understands_every_query_of_the_dashboard(control_plane: "ControlPlane", prometheus_url: str) -> None:
    panels = dashboards.document()["panels"]
    asked = [target["expr"] for panel in panels for target in panel.get("targets", ())]
    assert len(asked) > 20
    for expression in asked:
        assert control_plane.query(expression) == [], f"{prometheus_url} knows nothing of ours, and takes the question"


def wide(plane: "ControlPlane") -> set[str]:
    """Rights on what lives in no namespace."""
    return {name for name in rights(plane) if name.endswith("-cluster")}
