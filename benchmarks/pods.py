"""A big cluster's pods as an API server lists them, for the other benches.

About 8.2 KB each, a quarter of it managedFields. Same seed, same bytes."""

import json
import random
from typing import Any

Json = dict[str, Any]
_IMAGES = tuple(f"images.example/team-{number}/service-{number}@sha256:{number:064x}" for number in range(40))


def pod(number: int, seed: int = 0, *, nodes: int = 200) -> Json:
    """One pod of a Deployment with two containers, running on one of so many nodes."""
    alike, dice = random.Random(seed * 1_000_003 + number // 8), random.Random(seed * 1_000_003 + number)
    token = f"kube-api-access-{number:05x}"
    app, space = f"service-{number // 8 % 400}", f"team-{number // 200 % 50}"
    labels = {"app.kubernetes.io/name": app, "app.kubernetes.io/part-of": space, "pod-template-hash": f"{number // 8:010x}", "tier": "web"}
    owner = {
        "apiVersion": "apps/v1",
        "kind": "ReplicaSet",
        "name": f"{app}-{number // 8:010x}",
        "uid": f"{number // 8:032x}",
        "controller": True,
        "blockOwnerDeletion": True,
    }
    names = ("main", "proxy")
    containers = [_container(name, alike, number // 8, token) for name in names]
    return {
        "metadata": {
            "name": f"{app}-{number // 8:010x}-{number:05x}",
            "generateName": f"{app}-{number // 8:010x}-",
            "namespace": space,
            "uid": f"{number + 10**9:032x}",
            "resourceVersion": str(10**6 + number),
            "generation": 1,
            "creationTimestamp": _moment(number),
            "labels": labels,
            "annotations": {"prometheus.io/scrape": "true", "checksum/config": f"{alike.getrandbits(256):064x}", "note": "x" * 200},
            "ownerReferences": [owner],
            "managedFields": [_managed("kube-controller-manager", "Update", ""), _managed("kubelet", "Update", "status")],
        },
        "spec": {
            "nodeName": f"node-{number % nodes}",
            "containers": containers,
            "volumes": [
                {"name": "config", "configMap": {"name": app, "defaultMode": 420}},
                {
                    "name": token,
                    "projected": {"sources": [{"serviceAccountToken": {"expirationSeconds": 3607, "path": "token"}}], "defaultMode": 420},
                },
            ],
            "serviceAccountName": app,
            "serviceAccount": app,
            "restartPolicy": "Always",
            "terminationGracePeriodSeconds": 30,
            "dnsPolicy": "ClusterFirst",
            "schedulerName": "default-scheduler",
            "securityContext": {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}},
            "enableServiceLinks": True,
            "preemptionPolicy": "PreemptLowerPriority",
            "priority": 0,
            "tolerations": [
                {"key": f"node.kubernetes.io/{what}", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300}
                for what in ("not-ready", "unreachable")
            ],
        },
        "status": _status(containers, dice, number),
    }


def _container(name: str, dice: random.Random, number: int, token: str) -> Json:
    probe = {
        "httpGet": {"path": "/healthz", "port": 8080, "scheme": "HTTP"},
        "timeoutSeconds": 1,
        "periodSeconds": 10,
        "failureThreshold": 3,
    }
    cpu = f"{dice.choice((50, 100, 250, 500, 1000))}m"
    return {
        "name": name,
        "image": _IMAGES[number % len(_IMAGES)],
        "ports": [{"name": "http", "containerPort": 8080, "protocol": "TCP"}],
        "env": [{"name": f"SETTING_{index}", "value": f"value-{index}"} for index in range(6)]
        + [{"name": "POD_NAME", "valueFrom": {"fieldRef": {"apiVersion": "v1", "fieldPath": "metadata.name"}}}],
        "resources": {"requests": {"cpu": cpu, "memory": f"{dice.choice((64, 128, 512))}Mi"}, "limits": {"memory": "1Gi"}},
        "volumeMounts": [
            {"name": "config", "mountPath": "/etc/config", "readOnly": True},
            {"name": token, "readOnly": True, "mountPath": "/var/run/secrets/kubernetes.io/serviceaccount"},
        ],
        "livenessProbe": {**probe, "successThreshold": 1},
        "readinessProbe": {**probe, "successThreshold": 1},
        "terminationMessagePath": "/dev/termination-log",
        "terminationMessagePolicy": "File",
        "imagePullPolicy": "IfNotPresent",
        "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
    }


def _status(containers: list[Json], dice: random.Random, number: int) -> Json:
    at = _moment(number + 7)
    kinds = ("PodReadyToStartContainers", "Initialized", "Ready", "ContainersReady", "PodScheduled")
    conditions = [
        {"type": kind, "status": "True", "lastProbeTime": None, "lastTransitionTime": at, "observedGeneration": 1} for kind in kinds
    ]
    statuses = [
        {
            "name": container["name"],
            "state": {"running": {"startedAt": at}},
            "lastState": {},
            "ready": True,
            "restartCount": dice.choice((0, 0, 0, 1)),
            "image": container["image"],
            "imageID": container["image"],
            "containerID": f"containerd://{dice.getrandbits(256):064x}",
            "started": True,
            "allocatedResources": container["resources"]["requests"],
            "resources": container["resources"],
        }
        for container in containers
    ]
    address = f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"
    return {
        "phase": "Running",
        "conditions": conditions,
        "hostIP": "10.255.0.1",
        "hostIPs": [{"ip": "10.255.0.1"}],
        "podIP": address,
        "podIPs": [{"ip": address}],
        "startTime": at,
        "containerStatuses": statuses,
        "qosClass": "Burstable",
    }


def _moment(number: int) -> str:
    return f"2026-01-{number // 8 % 28 + 1:02}T{number % 24:02}:{number % 60:02}:{number // 60 % 60:02}Z"


def _managed(manager: str, operation: str, subresource: str) -> Json:
    names = ("main", "proxy") if manager == "kube-controller-manager" else ()
    leaf: Json = {}
    fields: Json = {
        f'k:{{"name":"{name}"}}': {
            ".": leaf,
            **{f"f:{key}": leaf for key in ("image", "imagePullPolicy", "name", "terminationMessagePath", "terminationMessagePolicy")},
            "f:env": {".": leaf, **{f'k:{{"name":"SETTING_{index}"}}': {".": leaf, "f:name": leaf, "f:value": leaf} for index in range(6)}},
            "f:resources": {
                ".": leaf,
                "f:limits": {".": leaf, "f:memory": leaf},
                "f:requests": {".": leaf, "f:cpu": leaf, "f:memory": leaf},
            },
        }
        for name in names
    }
    status = {
        f'k:{{"type":"{kind}"}}': {".": leaf, "f:lastTransitionTime": leaf, "f:status": leaf, "f:type": leaf}
        for kind in ("Ready", "Initialized")
    }
    whole = (
        {"f:spec": {"f:containers": fields}}
        if names
        else {"f:status": {"f:conditions": status, "f:containerStatuses": leaf, "f:podIP": leaf}}
    )
    entry = {
        "manager": manager,
        "operation": operation,
        "apiVersion": "v1",
        "time": "2026-01-05T12:00:00Z",
        "fieldsType": "FieldsV1",
        "fieldsV1": whole,
    }
    return {**entry, "subresource": subresource} if subresource else entry


def nodes_for(count: int) -> int:
    """Fifty pods on each, and 200 at least."""
    return max(200, count // 50)


def encoded(count: int, seed: int = 0) -> list[bytes]:
    """The JSON of each pod, compact as the API server writes it."""
    nodes = nodes_for(count)
    return [json.dumps(pod(number, seed, nodes=nodes), separators=(",", ":")).encode() for number in range(count)]
