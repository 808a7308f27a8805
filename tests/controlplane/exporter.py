"""The `kube_*` series of a cluster, from list calls: names and labels as kube-state-metrics v2 gives them.

`exporter.py KUBECONFIG PORT` serves them on loopback. Its own program, because kube-state-metrics cannot be built as a Go module; only
the standard library, because it runs beside the control plane and should start at once. What no agent reads is left out.
"""

from __future__ import annotations

import http.server
import json
import ssl
import sys
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

Object = dict[str, Any]
Row = tuple[str, dict[str, str], float]
"""A sample: the series' name, its labels, its value."""

SUFFIXES = {"n": 1e-9, "u": 1e-6, "m": 1e-3, "k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12, "Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "Ti": 2**40}
PHASES = ("Pending", "Running", "Succeeded", "Failed", "Unknown")
STATUSES = ("true", "false", "unknown")
REPLICAS = {
    "deployment": {
        "kube_deployment_spec_replicas": "spec.replicas",
        "kube_deployment_status_replicas": "status.replicas",
        "kube_deployment_status_replicas_available": "status.availableReplicas",
        "kube_deployment_status_replicas_ready": "status.readyReplicas",
        "kube_deployment_status_replicas_updated": "status.updatedReplicas",
        "kube_deployment_status_observed_generation": "status.observedGeneration",
        "kube_deployment_metadata_generation": "metadata.generation",
    },
    "statefulset": {"kube_statefulset_replicas": "spec.replicas", "kube_statefulset_status_replicas_ready": "status.readyReplicas"},
    "daemonset": {
        "kube_daemonset_status_desired_number_scheduled": "status.desiredNumberScheduled",
        "kube_daemonset_status_number_ready": "status.numberReady",
    },
    "replicaset": {"kube_replicaset_spec_replicas": "spec.replicas", "kube_replicaset_status_ready_replicas": "status.readyReplicas"},
    "horizontalpodautoscaler": {
        "kube_horizontalpodautoscaler_spec_min_replicas": "spec.minReplicas",
        "kube_horizontalpodautoscaler_spec_max_replicas": "spec.maxReplicas",
        "kube_horizontalpodautoscaler_status_current_replicas": "status.currentReplicas",
        "kube_horizontalpodautoscaler_status_desired_replicas": "status.desiredReplicas",
    },
    "job_name": {"kube_job_status_succeeded": "status.succeeded", "kube_job_status_failed": "status.failed"},
    "poddisruptionbudget": {
        "kube_poddisruptionbudget_status_current_healthy": "status.currentHealthy",
        "kube_poddisruptionbudget_status_desired_healthy": "status.desiredHealthy",
        "kube_poddisruptionbudget_status_pod_disruptions_allowed": "status.disruptionsAllowed",
        "kube_poddisruptionbudget_status_expected_pods": "status.expectedPods",
    },
}
PATHS = {
    "deployment": "/apis/apps/v1/deployments",
    "statefulset": "/apis/apps/v1/statefulsets",
    "daemonset": "/apis/apps/v1/daemonsets",
    "replicaset": "/apis/apps/v1/replicasets",
    "horizontalpodautoscaler": "/apis/autoscaling/v2/horizontalpodautoscalers",
    "job_name": "/apis/batch/v1/jobs",
    "poddisruptionbudget": "/apis/policy/v1/poddisruptionbudgets",
}


def amount(text: object) -> float:
    """A Kubernetes quantity as a number: "250m" is 0.25, "1Ki" is 1024."""
    raw = str(text)
    number = raw.rstrip("numkMGTi") if not raw.endswith("Ki") else raw[:-2]
    return float(number) * SUFFIXES.get(raw[len(number) :], 1)


def unit(resource: str) -> str:
    return {"cpu": "core", "memory": "byte", "ephemeral-storage": "byte"}.get(resource, "integer")


def label_name(name: str) -> str:
    return "".join(letter if letter.isalnum() else "_" for letter in name)


def labels_of(item: Object) -> dict[str, str]:
    return {f"label_{label_name(name)}": value for name, value in (item["metadata"].get("labels") or {}).items()}


def owner_of(item: Object) -> Object:
    return next((owner for owner in item["metadata"].get("ownerReferences") or [] if owner.get("controller")), {})


def at(item: Object, path: str) -> float:
    outer, inner = path.split(".")
    return float((item.get(outer) or {}).get(inner) or 0)


def of_node(node: Object) -> Iterator[Row]:
    base = {"node": node["metadata"]["name"]}
    spec, status = node.get("spec") or {}, node.get("status") or {}
    version = (status.get("nodeInfo") or {}).get("kubeletVersion", "")
    yield "kube_node_info", {**base, "kubelet_version": version, "provider_id": spec.get("providerID", "")}, 1
    yield "kube_node_labels", {**base, **labels_of(node)}, 1
    yield "kube_node_spec_unschedulable", base, float(bool(spec.get("unschedulable")))
    for taint in spec.get("taints") or []:
        yield "kube_node_spec_taint", {**base, "key": taint["key"], "value": taint.get("value", ""), "effect": taint["effect"]}, 1
    for kind in ("capacity", "allocatable"):
        for resource, quantity in (status.get(kind) or {}).items():
            yield f"kube_node_status_{kind}", {**base, "resource": label_name(resource), "unit": unit(resource)}, amount(quantity)
    for condition in status.get("conditions") or []:
        for name in STATUSES:
            row = {**base, "condition": condition["type"], "status": name}
            yield "kube_node_status_condition", row, float(condition["status"].lower() == name)


def of_pod(pod: Object) -> Iterator[Row]:
    meta, spec, status = pod["metadata"], pod["spec"], pod.get("status") or {}
    base = {"namespace": meta["namespace"], "pod": meta["name"], "uid": meta["uid"]}
    owner, node = owner_of(pod), spec.get("nodeName", "")
    made = {"created_by_kind": owner.get("kind", ""), "created_by_name": owner.get("name", "")}
    yield "kube_pod_info", {**base, **made, "node": node, "pod_ip": status.get("podIP", ""), "host_ip": status.get("hostIP", "")}, 1
    whose = {"owner_kind": owner.get("kind", ""), "owner_name": owner.get("name", ""), "owner_is_controller": str(bool(owner)).lower()}
    yield "kube_pod_owner", {**base, **whose}, 1
    yield "kube_pod_labels", {**base, **labels_of(pod)}, 1
    for phase in PHASES:
        yield "kube_pod_status_phase", {**base, "phase": phase}, float(status.get("phase") == phase)
    for condition in status.get("conditions") or []:
        series = {"Ready": "kube_pod_status_ready", "PodScheduled": "kube_pod_status_scheduled"}.get(condition["type"])
        for name in STATUSES if series else ():
            yield str(series), {**base, "condition": name}, float(condition["status"].lower() == name)
    for container in spec["containers"]:
        yield from of_container(container, {**base, "container": container["name"], "node": node})
    for container in status.get("containerStatuses") or []:
        yield from of_container_status(container, {**base, "container": container["name"]})


def of_container(container: Object, base: dict[str, str]) -> Iterator[Row]:
    for kind in ("requests", "limits"):
        for resource, quantity in ((container.get("resources") or {}).get(kind) or {}).items():
            row = {**base, "resource": label_name(resource), "unit": unit(resource)}
            yield f"kube_pod_container_resource_{kind}", row, amount(quantity)


def of_container_status(status: Object, base: dict[str, str]) -> Iterator[Row]:
    yield "kube_pod_container_info", {**base, "image": status["image"], "image_id": status.get("imageID", "")}, 1
    yield "kube_pod_container_status_ready", base, float(status["ready"])
    yield "kube_pod_container_status_restarts_total", base, float(status["restartCount"])
    for state, body in (status.get("state") or {}).items():
        yield f"kube_pod_container_status_{state}", base, 1
        if reason := (body or {}).get("reason"):
            yield f"kube_pod_container_status_{state}_reason", {**base, "reason": reason}, 1
    if last := (status.get("lastState") or {}).get("terminated"):
        yield "kube_pod_container_status_last_terminated_reason", {**base, "reason": last.get("reason", "")}, 1


def of_claim(claim: Object) -> Iterator[Row]:
    spec = claim["spec"]
    base = {"namespace": claim["metadata"]["namespace"], "persistentvolumeclaim": claim["metadata"]["name"]}
    names = {"storageclass": spec.get("storageClassName", ""), "volumename": spec.get("volumeName", "")}
    yield "kube_persistentvolumeclaim_info", {**base, **names}, 1
    size = amount(spec["resources"]["requests"]["storage"])
    yield "kube_persistentvolumeclaim_resource_requests_storage_bytes", base, size


def of_workload(kind: str, item: Object) -> Iterator[Row]:
    base = {"namespace": item["metadata"]["namespace"], kind: item["metadata"]["name"]}
    for series, path in REPLICAS[kind].items():
        yield series, base, at(item, path)
    if kind in ("replicaset", "job_name"):
        owner = owner_of(item)
        series = "kube_replicaset_owner" if kind == "replicaset" else "kube_job_owner"
        yield series, {**base, "owner_kind": owner.get("kind", ""), "owner_name": owner.get("name", "")}, 1


def rows(listed: Callable[[str], list[Object]]) -> Iterator[Row]:
    for node in listed("/api/v1/nodes"):
        yield from of_node(node)
    for pod in listed("/api/v1/pods"):
        yield from of_pod(pod)
    for claim in listed("/api/v1/persistentvolumeclaims"):
        yield from of_claim(claim)
    for kind, path in PATHS.items():
        for item in listed(path):
            yield from of_workload(kind, item)


def exposition(samples: Iterator[Row]) -> str:
    """The text format: families in one piece, each under its type."""
    families: dict[str, list[str]] = {}
    for name, labels, value in samples:
        text = ",".join(f'{key}="{escaped(label)}"' for key, label in labels.items())
        families.setdefault(name, []).append(f"{name}{{{text}}} {value!r}\n")
    return "".join(
        f"# TYPE {name} {'counter' if name.endswith('_total') else 'gauge'}\n{''.join(lines)}" for name, lines in families.items()
    )


def escaped(value: object) -> str:
    return str(value).replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def lister(kubeconfig: Path) -> Callable[[str], list[Object]]:
    config = json.loads(kubeconfig.read_text())
    cluster, token = config["clusters"][0]["cluster"], config["users"][0]["user"]["token"]
    context = ssl.create_default_context(cafile=cluster["certificate-authority"])
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context))

    def listed(path: str) -> list[Object]:
        # Version 0 is answered from the watch cache, whole; a paged list would go to etcd.
        request = urllib.request.Request(f"{cluster['server']}{path}?resourceVersion=0", headers={"Authorization": f"Bearer {token}"})
        with opener.open(request, timeout=10) as answer:
            items: list[Object] = json.load(answer)["items"]
            return items

    return listed


def serve(listed: Callable[[str], list[Object]], port: int) -> None:
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            try:
                code, body = 200, exposition(rows(listed)).encode()
            except OSError as error:  # the API server is not there (yet): the scrape fails, and says so
                code, body = 503, str(error).encode()
            self.send_response(code)
            self.send_header("Content-Type", "text/plain; version=0.0.4")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            """Nothing: one line per scrape helps nobody."""

    http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler).serve_forever()


if __name__ == "__main__":
    serve(lister(Path(sys.argv[1])), int(sys.argv[2]))
