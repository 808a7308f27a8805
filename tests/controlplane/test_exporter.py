from typing import Any

import pytest

from tests.controlplane.exporter import PATHS, amount, exposition, rows

POD = {
    "metadata": {
        "namespace": "shop",
        "name": "web-1",
        "uid": "u1",
        "labels": {"app.kubernetes.io/name": 'we"b'},
        "ownerReferences": [{"kind": "ReplicaSet", "name": "web", "controller": True}],
    },
    "spec": {"nodeName": "node-1", "containers": [{"name": "app", "resources": {"requests": {"cpu": "250m", "memory": "1Ki"}}}]},
    "status": {
        "phase": "Running",
        "conditions": [{"type": "Ready", "status": "False"}],
        "containerStatuses": [
            {
                "name": "app",
                "image": "app:1",
                "ready": False,
                "restartCount": 4,
                "state": {"waiting": {"reason": "CrashLoopBackOff"}},
                "lastState": {"terminated": {"reason": "OOMKilled"}},
            }
        ],
    },
}
NODE = {
    "metadata": {"name": "node-1"},
    "spec": {"taints": [{"key": "k", "effect": "NoExecute"}]},
    "status": {"capacity": {"cpu": "16", "nvidia.com/gpu": "4"}, "conditions": [{"type": "Ready", "status": "Unknown"}]},
}
DEPLOYMENT = {"metadata": {"namespace": "shop", "name": "web", "generation": 3}, "spec": {"replicas": 2}, "status": {}}


def text(**items: list[dict[str, Any]]) -> str:
    paths = {"pods": "/api/v1/pods", "nodes": "/api/v1/nodes", "deployments": PATHS["deployment"]}
    by_path = {paths[kind]: found for kind, found in items.items()}
    return exposition(rows(lambda path: by_path.get(path, [])))


@pytest.mark.parametrize(
    ("quantity", "number"), [("250m", 0.25), ("1Ki", 1024), ("64Gi", 64 * 2**30), ("2", 2), ("1.5", 1.5), ("5k", 5000), (7, 7)]
)
def test_a_quantity_is_a_number(quantity: object, number: float) -> None:
    assert amount(quantity) == number


@pytest.mark.parametrize(
    "line",
    [
        'kube_pod_container_status_waiting_reason{namespace="shop",pod="web-1",uid="u1",container="app",reason="CrashLoopBackOff"} 1\n',
        'kube_pod_container_status_last_terminated_reason{namespace="shop",pod="web-1",uid="u1",container="app",reason="OOMKilled"} 1\n',
        'kube_pod_container_status_restarts_total{namespace="shop",pod="web-1",uid="u1",container="app"} 4.0\n',
        'kube_pod_status_ready{namespace="shop",pod="web-1",uid="u1",condition="false"} 1.0\n',
        'kube_pod_status_phase{namespace="shop",pod="web-1",uid="u1",phase="Running"} 1.0\n',
        'resource="cpu",unit="core"} 0.25\n',
        'label_app_kubernetes_io_name="we\\"b"} 1\n',
        'owner_kind="ReplicaSet",owner_name="web",owner_is_controller="true"} 1\n',
    ],
)
def test_a_pods_state_becomes_series(line: str) -> None:
    assert line in text(pods=[POD])


def test_a_pod_that_nothing_is_known_of_yet_is_still_told() -> None:
    bare = {"metadata": {"namespace": "n", "name": "p", "uid": "u"}, "spec": {"containers": [{"name": "c"}]}}
    assert 'kube_pod_info{namespace="n",pod="p"' in text(pods=[bare])


def test_nodes_tell_capacity_taints_and_conditions() -> None:
    found = text(nodes=[NODE])
    assert 'kube_node_status_capacity{node="node-1",resource="nvidia_com_gpu",unit="integer"} 4.0\n' in found
    assert 'kube_node_spec_taint{node="node-1",key="k",value="",effect="NoExecute"} 1\n' in found
    assert 'kube_node_status_condition{node="node-1",condition="Ready",status="unknown"} 1.0\n' in found


def test_absent_counts_are_zero_and_counters_are_typed() -> None:
    found = text(deployments=[DEPLOYMENT], pods=[POD])
    assert 'kube_deployment_spec_replicas{namespace="shop",deployment="web"} 2.0\n' in found
    assert 'kube_deployment_status_replicas_ready{namespace="shop",deployment="web"} 0.0\n' in found
    assert "# TYPE kube_pod_container_status_restarts_total counter\n" in found
