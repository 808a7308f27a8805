"""kubectl works on the simulator unchanged."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from simulator.resources import resource
from tests.simulator.api.conftest import Served

Json = dict[str, Any]
Kubectl = Callable[..., str]


@pytest.fixture
def run(served: Served, kubectl: str, tmp_path: Path) -> Kubectl:
    """Runs kubectl on the box and returns what it printed; fails with its words when it fails."""

    def call(*arguments: str, text: str | None = None) -> str:
        environ = {"HOME": str(tmp_path), "KUBECONFIG": str(served.kubeconfig), "PATH": "/usr/bin:/bin"}
        done = subprocess.run([kubectl, *arguments], env=environ, input=text, capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    return call


def test_apply_changes_only_what_the_file_changed(run: Kubectl, served: Served, web: Callable[..., Json]) -> None:
    assert "created" in run("apply", "-f", "-", text=json.dumps(web()))
    assert "unchanged" in run("apply", "-f", "-", text=json.dumps(web()))
    run("-n", "shop", "scale", "deployment/web", "--replicas=6")
    changed = web(image="web:2.0")
    del changed["spec"]["replicas"]
    assert "configured" in run("apply", "-f", "-", text=json.dumps(changed))
    stored = served.box.store.get(resource("apps", "deployments"), "shop", "web")
    assert stored
    assert stored["spec"]["template"]["spec"]["containers"][0]["image"] == "web:2.0"


def test_get_and_describe(run: Kubectl, served: Served, run_pod: Callable[..., Json]) -> None:
    run_pod()
    event = {"metadata": {"name": "e", "namespace": "shop"}, "involvedObject": {"kind": "Pod", "name": "web-1", "namespace": "shop"}}
    served.box.store.create(resource("", "events"), {**event, "type": "Warning", "reason": "BackOff", "message": "Back-off restarting"})
    lines = run("-n", "shop", "get", "pods").splitlines()
    assert lines[0].split() == ["NAME", "READY", "STATUS", "RESTARTS", "AGE"]
    assert lines[1].split()[:4] == ["web-1", "1/1", "Running", "0"]
    assert json.loads(run("-n", "shop", "get", "pod", "web-1", "-o", "json"))["kind"] == "Pod"
    told = run("-n", "shop", "describe", "pod", "web-1")
    assert "Back-off restarting" not in told or "BackOff" in told
    assert "web:1.0" in told


def test_label_logs_and_delete(run: Kubectl, served: Served, run_pod: Callable[..., Json]) -> None:
    run_pod()
    run("-n", "shop", "label", "pod", "web-1", "tier=front")
    assert run("-n", "shop", "get", "pods", "-l", "tier=front", "-o", "name") == "pod/web-1\n"
    assert run("-n", "shop", "logs", "web-1", "--tail=1") == "shop/web-1/app now 3\n"
    run("-n", "shop", "delete", "pod", "web-1", "--grace-period=0", "--force")
    assert served.box.store.list(resource("", "pods")) == []


def test_cordon_and_taint(run: Kubectl, served: Served) -> None:
    nodes = resource("", "nodes")
    served.box.store.create(nodes, {"metadata": {"name": "n1"}})
    run("cordon", "n1")
    run("taint", "node", "n1", "dedicated=x:NoSchedule")
    stored = served.box.store.get(nodes, None, "n1")
    assert stored
    assert stored["spec"] == {"unschedulable": True, "taints": [{"key": "dedicated", "value": "x", "effect": "NoSchedule"}]}
    assert "SchedulingDisabled" in run("get", "nodes")


def test_set_image_and_server_dry_run(run: Kubectl, served: Served, web: Callable[..., Json]) -> None:
    served.box.store.create(resource("apps", "deployments"), web())
    run("-n", "shop", "set", "image", "deployment/web", "app=web:3.0")
    shown = run("-n", "shop", "scale", "deployment/web", "--replicas=9", "--dry-run=server", "-o", "json")
    assert json.loads(shown)["spec"]["template"]["spec"]["containers"][0]["image"] == "web:3.0"
    stored = served.box.store.get(resource("apps", "deployments"), "shop", "web")
    assert stored
    assert stored["spec"]["replicas"] == 2


def test_explain_and_api_resources(run: Kubectl) -> None:
    assert "KIND:       Deployment" in run("explain", "deployment.spec")
    listed = run("api-resources")
    assert "horizontalpodautoscalers" in listed
    assert "poddisruptionbudgets" in listed


def test_what_kubectl_sends_as_protobuf_is_understood(run: Kubectl, served: Served) -> None:
    run("create", "namespace", "made")
    run("-n", "made", "create", "configmap", "c", "--from-literal=key=value")
    run("-n", "made", "create", "secret", "generic", "s", "--from-literal=key=value")
    run("-n", "made", "create", "role", "r", "--verb=get,list", "--resource=pods")
    run("-n", "made", "create", "rolebinding", "r", "--role=r", "--user=bob")
    run("-n", "made", "create", "quota", "q", "--hard=cpu=2,pods=4")
    store = served.box.store
    assert store.list(resource("", "configmaps"), "made")[0]["data"] == {"key": "value"}
    assert store.list(resource("", "secrets"), "made")[0]["data"] == {"key": "dmFsdWU="}
    assert store.list(resource("", "resourcequotas"), "made")[0]["spec"] == {"hard": {"cpu": "2", "pods": "4"}}
    assert run("auth", "can-i", "list", "pods", "-n", "made", "--as=bob") == "yes\n"
    assert "admin" in run("auth", "whoami")


def test_drain_evicts_and_cordons(run: Kubectl, served: Served, run_pod: Callable[..., Json]) -> None:
    served.box.store.create(resource("", "nodes"), {"metadata": {"name": "n1"}})
    run_pod(ownerReferences=[{"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "x", "uid": "u", "controller": True}])
    run("drain", "n1", "--dry-run=server", "--force")
    assert "deletionTimestamp" not in served.box.store.list(resource("", "pods"))[0]["metadata"]
