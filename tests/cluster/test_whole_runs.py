"""The three whole runs on the real control plane: real time, and usage from the real Prometheus. The same class as on the simulator."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from agents.catalogue import AGENTS
from core.actions.roles import manifests
from tests.cluster.access import identities
from tests.contracts.whole_runs import Namespaces, Place, WholeRuns, settings_of
from tests.controlplane.stages import PREFIX

if TYPE_CHECKING:
    from tests.controlplane.rig import ControlPlane

GRANTS = {agent.name: agent.capabilities for agent in AGENTS}
MIB = 2**20
NOTHING: Mapping[str, str] = {}
USED_CORES, USED_BYTES = 0.12, 180 * MIB
"""What each pod of the oversized workload uses, and did for eight days; it asks for 1000m and 512Mi."""


def deploy(plane: "ControlPlane", namespace: str, *, cpu: str = "100m", memory: str = "256Mi", notes: Mapping[str, str] = NOTHING) -> str:
    """A Deployment `web` that meets the restricted level; its path. `notes` are what the played nodes go by."""
    strict = {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}
    container = {
        "name": "web",
        "image": "app:1",
        "securityContext": strict,
        "resources": {"requests": {"cpu": cpu, "memory": memory}, "limits": {"memory": memory}},
    }
    pod = {
        "metadata": {"labels": {"app": "web"}, "annotations": {PREFIX + key: value for key, value in notes.items()}},
        "spec": {"securityContext": {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}, "containers": [container]},
    }
    spec = {"replicas": 2, "selector": {"matchLabels": {"app": "web"}}, "template": pod}
    collection = f"/apis/apps/v1/namespaces/{namespace}/deployments"
    body = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}, "spec": spec}
    plane.request("POST", collection, body).raise_for_status()
    plane.until(lambda: plane.get(f"{collection}/web")["status"]["availableReplicas"] == 2, f"web in {namespace}")
    return f"{collection}/web"


def pods(plane: "ControlPlane", namespace: str) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = plane.get(f"/api/v1/namespaces/{namespace}/pods")["items"]
    return items


def crash(plane: "ControlPlane", path: str, namespace: str) -> None:
    """Roll out an image whose process ends at once, and wait until it did so often enough to be a loop."""
    body = {"spec": {"template": {"spec": {"containers": [{"name": "web", "image": "app:crash"}]}}}}
    plane.request("PATCH", path, body, content_type="application/strategic-merge-patch+json").raise_for_status()

    def looping() -> bool:
        return any(status["restartCount"] >= 3 for pod in pods(plane, namespace) for status in pod["status"].get("containerStatuses", ()))

    plane.until(looping, "three restarts")


def remember(plane: "ControlPlane", namespace: str) -> None:
    """Eight days of usage for the pods that run, and the live scrape seen to go on."""
    plane.history({(namespace, pod["metadata"]["name"], "web"): (USED_CORES, USED_BYTES) for pod in pods(plane, namespace)})
    plane.until(
        lambda: bool(plane.query(f'container_memory_working_set_bytes{{namespace="{namespace}"}}')), "the live scrape", timeout_seconds=60
    )


def allow(plane: "ControlPlane", folder: Path) -> dict[str, Path]:
    """Kubeconfigs by identity. Another module may have installed rights for fewer agents before: cluster roles are brought up to date."""
    found = identities(plane, folder, GRANTS)
    for manifest in manifests(GRANTS):
        if manifest["kind"] == "ClusterRole":
            path = f"/apis/rbac.authorization.k8s.io/v1/clusterroles/{manifest['metadata']['name']}"
            plane.request("PUT", path, json.loads(json.dumps(manifest))).raise_for_status()
    return found


@pytest.fixture(scope="module")
def place(control_plane: "ControlPlane", tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    if "prometheus" not in control_plane.pids():
        pytest.skip("Prometheus is not among KUBEBUILDER_ASSETS and not built; `make control-plane` builds it")
    folder = tmp_path_factory.mktemp("runs")
    guarded = {"pod-security.kubernetes.io/enforce": "restricted"}
    with control_plane.namespace(guarded) as broken, control_plane.namespace(guarded) as large, control_plane.namespace() as bare:
        path = deploy(control_plane, broken, notes={"restart-ms": "300ms"})
        deploy(control_plane, large, cpu="1000m", memory="512Mi", notes={"cpu": "120m", "memory": "180Mi"})
        deploy(control_plane, bare)
        namespaces = Namespaces(broken, large, bare)
        remember(control_plane, large)
        crash(control_plane, path, broken)
        kubeconfigs = allow(control_plane, folder)
        yield Place(settings_of(folder, kubeconfigs, namespaces, prometheus=control_plane.prometheus_url), namespaces)


class TestOnControlPlane(WholeRuns):
    """On the control plane of the session."""
