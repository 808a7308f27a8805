"""Pods of one page share equal parts; nobody who reads them can tell."""

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.cluster import decoding, objects

FULL: dict[str, Any] = {
    "metadata": {
        "name": "a",
        "namespace": "shop",
        "labels": {"app": "cart"},
        "annotations": {"note": "x"},
        "ownerReferences": [{"kind": "ReplicaSet", "name": "cart-1", "uid": "u", "controller": True}],
        "managedFields": [{"manager": "kubelet", "operation": "Update", "time": "2026-01-05T12:00:00Z", "fieldsV1": {"f:a": {}}}],
        "creationTimestamp": "2026-01-05T12:00:00Z",
    },
    "spec": {
        "nodeName": "n1",
        "serviceAccountName": "runner",
        "hostPID": True,
        "nodeSelector": {"disk": "ssd"},
        "tolerations": [{"key": "gpu", "operator": "Exists"}],
        "affinity": {"podAntiAffinity": {}},
        "securityContext": {"runAsNonRoot": True},
        "containers": [
            {
                "name": "api",
                "image": "api:1",
                "resources": {"requests": {"cpu": "1"}, "limits": {"memory": 1024}},
                "env": [{"name": "A", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}}],
                "envFrom": [{"configMapRef": {"name": "c"}}],
                "ports": [{"containerPort": 80, "hostPort": 8080}],
                "securityContext": {"privileged": True, "capabilities": {"add": ["NET_ADMIN"]}},
                "livenessProbe": {"httpGet": {"path": "/"}},
                "resizePolicy": [{"resourceName": "cpu", "restartPolicy": "NotRequired"}],
            }
        ],
        "initContainers": [{"name": "mesh", "image": "mesh:1", "restartPolicy": "Always"}],
        "volumes": [
            {"name": "v", "hostPath": {"path": "/x"}},
            {"name": "t", "projected": {"sources": []}},
            {"name": "c", "configMap": {"name": "c"}},
        ],
    },
    "status": {
        "phase": "Running",
        "conditions": [{"type": "Ready", "status": "True", "lastTransitionTime": "2026-01-05T12:00:01Z", "message": "m"}],
        "containerStatuses": [
            {
                "name": "api",
                "image": "api:1",
                "imageID": "api@sha256:1",
                "restartCount": 2,
                "state": {"running": {"startedAt": "2026-01-05T12:00:00Z"}},
                "lastState": {"terminated": {"reason": "OOMKilled", "exitCode": 137}},
                "resources": {"requests": {"cpu": "1"}},
            }
        ],
        "initContainerStatuses": [{"name": "mesh", "resources": None}],
    },
}


def page(*items: Any) -> bytes:
    return json.dumps({"items": items}).encode()


def plain(item: Any) -> Any:
    return msgspec.to_builtins(msgspec.json.decode(json.dumps(item), type=objects.Pod))


@pytest.mark.parametrize("part", ["metadata", "spec", "status"])
def test_a_shared_pod_reads_as_one_decoded_alone(part: str) -> None:
    bare = {"metadata": {"name": "bare"}}
    decoded = decoding.decode_page("Pod", page(FULL, bare, FULL))
    assert [msgspec.to_builtins(item)[part] for item in decoded.items] == [plain(item)[part] for item in (FULL, bare, FULL)]
    assert all(isinstance(item, objects.Pod) for item in decoded.items)


def test_copies_share_what_is_heavy_and_keep_their_own_names() -> None:
    other = {**FULL, "metadata": {**FULL["metadata"], "name": "b"}}
    first, second = decoding.decode_page("Pod", page(FULL, other)).items
    assert (first.metadata.name, second.metadata.name) == ("a", "b")
    assert first.spec.containers[0].env is second.spec.containers[0].env
    assert first.metadata.annotations is second.metadata.annotations


def test_a_null_that_one_field_allows_does_not_leak_into_another_of_the_same_name() -> None:
    odd = {"metadata": {"name": "odd"}, "spec": {"containers": [{"name": "api", "resources": None}]}}
    decoded = decoding.decode_page("Pod", page(FULL, odd))
    assert decoded.items[1].spec.containers[0].resources == objects.ResourceRequirements()
    assert decoded.poisoned == ()


def test_a_pod_without_any_section_stays_without_after_another_page() -> None:
    for _ in range(2):
        decoded = decoding.decode_page("Pod", page({"metadata": {"name": "bare"}}))
        assert decoded.items[0].spec.node_name == ""
        assert decoded.items[0].spec.containers == ()


paths = st.sampled_from(
    [(section, key) for section in ("metadata", "spec", "status") for key in FULL[section]]
    + [("spec", "containers", 0, key) for key in FULL["spec"]["containers"][0]]
    + [("status", "containerStatuses", 0, key) for key in FULL["status"]["containerStatuses"][0]]
)
odd_values = st.sampled_from([None, {}, [], "text", 7, True, [None], {"a": None}, [{}], ["x"]])


@settings(max_examples=300, deadline=None)
@given(path=paths, value=odd_values)
def test_an_odd_value_anywhere_is_read_or_refused_as_if_the_pod_stood_alone(path: tuple[Any, ...], value: Any) -> None:
    odd = json.loads(json.dumps(FULL))
    place = odd
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    decoded = decoding.decode_page("Pod", page(odd, FULL))
    try:
        alone = [msgspec.to_builtins(decoding.decode_object("Pod", json.dumps(odd).encode()))]
    except ValueError:
        alone = []
    assert [msgspec.to_builtins(item) for item in decoded.items] == [*alone, plain(FULL)]
