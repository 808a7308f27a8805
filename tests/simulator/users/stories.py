"""What foreign clients do with a cluster and what they end up with. Each story runs on the simulator and on a real control plane.

A story gets a kubeconfig and an empty namespace, and returns facts without names, times and ids of the run.
"""

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from kubernetes import client, config, watch

Json = dict[str, Any]
OPERATOR = Path(__file__).with_name("operator.py")
GROUP = "users.day2.dev"


def deployment(replicas: int, image: str = "web:1") -> Json:
    labels = {"app": "web"}
    resources = {"requests": {"cpu": "100m", "memory": "64Mi"}}
    pod = {"containers": [{"name": "app", "image": image, "resources": resources}], "terminationGracePeriodSeconds": 1}
    spec = {"replicas": replicas, "selector": {"matchLabels": labels}, "template": {"metadata": {"labels": labels}, "spec": pod}}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web", "labels": labels}, "spec": spec}


class Kubectl:
    """kubectl in one namespace. A call gives its exit code, what it printed and what it complained of."""

    def __init__(self, program: str, kubeconfig: Path, namespace: str) -> None:
        self._program = program
        self._environ = {"HOME": str(kubeconfig.parent), "KUBECONFIG": str(kubeconfig), "PATH": os.environ.get("PATH", "")}
        self._namespace = namespace

    def __call__(self, *arguments: str, text: str | None = None) -> tuple[int, str, str]:
        line = [self._program, "--namespace", self._namespace, *arguments]
        done = subprocess.run(line, env=self._environ, input=text, capture_output=True, text=True, timeout=90, check=False)
        return done.returncode, done.stdout.strip(), done.stderr.strip()


def kubectl_story(kubectl: Kubectl) -> Json:
    """A deployment applied, watched, scaled, contested, drained from a node and deleted."""
    facts: Json = {}
    facts["applied"] = kubectl("apply", "--server-side", "-f", "-", text=json.dumps(deployment(2)))[1]
    facts["applied again"] = kubectl("apply", "--server-side", "-f", "-", text=json.dumps(deployment(2)))[1]
    facts["rolled out"] = kubectl("rollout", "status", "deployment/web", "--timeout=60s")[1].splitlines()[-1]
    facts["got"] = kubectl("get", "deployment", "web", "--no-headers")[1].split()[:4]
    rows = [line.split() for line in kubectl("get", "pods", "-l", "app=web", "--no-headers")[1].splitlines()]
    facts["pods"] = [row[1:4] for row in rows]
    described = kubectl("describe", "deployment", "web")[1]
    facts["described"] = [" ".join(line.split()) for line in described.splitlines() if line.startswith(("Replicas:", "StrategyType:"))]
    facts["described pod"] = "Node:" in kubectl("describe", "pod", "-l", "app=web")[1]
    facts["contested"] = _contested(kubectl)
    facts["scaled"] = kubectl("scale", "deployment/web", "--replicas=3")[1]
    facts["waited"] = kubectl("wait", "deployment/web", "--for=jsonpath={.status.readyReplicas}=3", "--timeout=60s")[1]
    facts["dry run"] = kubectl("scale", "deployment/web", "--replicas=9", "--dry-run=server", "-o", "jsonpath={.spec.replicas}")[1]
    facts["may bob"] = kubectl("auth", "can-i", "list", "pods", "--as=bob")[:2]
    facts["may I"] = kubectl("auth", "can-i", "delete", "nodes")[:2]
    facts |= _drained(kubectl)
    facts["deleted"] = kubectl("delete", "deployment", "web")[1].split(" from ")[0]
    facts["gone"] = kubectl("wait", "pod", "-l", "app=web", "--for=delete", "--timeout=60s")[0]
    return facts


def _contested(kubectl: Kubectl) -> Json:
    """Another manager wants another image: refused, then taken."""
    change = json.dumps(deployment(2, "web:2"))
    refused = kubectl("apply", "--server-side", "--field-manager=other", "-f", "-", text=change)
    taken = kubectl("apply", "--server-side", "--field-manager=other", "--force-conflicts", "-f", "-", text=change)
    kubectl("rollout", "status", "deployment/web", "--timeout=60s")
    return {"refused": (refused[0], refused[2].splitlines()[0]), "taken": taken[1]}


def _drained(kubectl: Kubectl) -> Json:
    node = kubectl("get", "pods", "-l", "app=web", "-o", "jsonpath={.items[0].spec.nodeName}")[1]
    told = kubectl("drain", node, "--pod-selector=app=web", "--ignore-daemonsets", "--delete-emptydir-data", "--timeout=60s")
    left = kubectl("get", "pods", "-l", "app=web", "--field-selector", f"spec.nodeName={node}", "-o", "name")[1]
    marked = kubectl("get", "node", node, "-o", "jsonpath={.spec.unschedulable}")[1]
    again = kubectl("uncordon", node)[1].replace(node, "NODE")
    whole = kubectl("rollout", "status", "deployment/web", "--timeout=60s")[0]
    return {"drained": (told[0], told[1].splitlines()[-1].replace(node, "NODE"), left, marked), "uncordoned": again, "whole again": whole}


def watch_story(kubeconfig: Path, namespace: str) -> list[tuple[str, str, str | None]]:
    """What the official client's watch tells of three config maps, from the version of a list on."""
    loaded = client.Configuration()
    config.load_kube_config(config_file=str(kubeconfig), client_configuration=loaded)
    told: list[tuple[str, str, str | None]] = []
    with client.ApiClient(loaded) as connection:
        core = client.CoreV1Api(connection)
        start = core.list_namespaced_config_map(namespace, label_selector="watched").metadata.resource_version
        changes = threading.Thread(target=_change, args=(core, namespace), daemon=True)
        changes.start()
        stream = watch.Watch()
        for event in stream.stream(
            core.list_namespaced_config_map, namespace, label_selector="watched", resource_version=start, timeout_seconds=20
        ):
            told.append((event["type"], event["object"].metadata.name, (event["object"].data or {}).get("a")))
            if len(told) == 6:
                stream.stop()
        changes.join(timeout=10)
    return told


def _change(core: Any, namespace: str) -> None:
    def body(name: str, watched: bool) -> Json:
        return {"metadata": {"name": name, "labels": {"watched": ""} if watched else {}}, "data": {"a": "1"}}

    for name in ("one", "two"):
        core.create_namespaced_config_map(namespace, body(name, watched=True))
    core.create_namespaced_config_map(namespace, body("other", watched=False))
    core.patch_namespaced_config_map("one", namespace, {"data": {"a": "2"}})
    core.patch_namespaced_config_map("other", namespace, {"metadata": {"labels": {"watched": ""}}})
    core.patch_namespaced_config_map("other", namespace, {"metadata": {"labels": {"watched": None}}})
    core.delete_namespaced_config_map("two", namespace)


def operator_story(kubectl: Kubectl, kubeconfig: Path, namespace: str, *, seconds: float = 60) -> Json:
    """A controller written on kopf sees a custom resource made, changed and deleted; what it leaves behind at each point."""
    kubectl("apply", "--server-side", "-f", "-", text=json.dumps(_definition()))
    kubectl("wait", "crd", f"greetings.{GROUP}", "--for=condition=Established", "--timeout=30s")
    environ = {**os.environ, "KUBECONFIG": str(kubeconfig)}
    line = [sys.executable, "-m", "kopf", "run", str(OPERATOR), "--standalone", "--namespace", namespace, "--quiet"]
    process = subprocess.Popen(line, env=environ, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        greeting = _of_group("Greeting", "hello", spec={"name": "Ann"})
        kubectl("create", "-f", "-", text=json.dumps(greeting))
        made = _until(lambda: _state(kubectl), lambda state: state["status"] == {"told": "Hello, Ann"}, seconds)
        kubectl("patch", "greeting", "hello", "--type=merge", "-p", json.dumps({"spec": {"name": "Bob"}}))
        changed = _until(lambda: _state(kubectl), lambda state: state["status"] == {"told": "Hello, Bob"}, seconds)
        kubectl("delete", "greeting", "hello", "--timeout=30s")
        last = _until(lambda: kubectl("get", "greetings,configmaps", "-o", "name")[1], lambda left: "/hello" not in left, seconds)
        return {"made": made, "changed": changed, "left": [name for name in last.split() if name.endswith("/hello")]}
    finally:
        process.terminate()
        process.communicate(timeout=20)


def _state(kubectl: Kubectl) -> Json:
    code, shown, _ = kubectl("get", "greeting", "hello", "-o", "json")
    if code:
        return {"status": None}
    found = json.loads(shown)
    child = kubectl("get", "configmap", "hello", "-o", "json")
    owned = json.loads(child[1]) if child[0] == 0 else {}
    owners = [(each["kind"], each["name"], each.get("controller")) for each in owned.get("metadata", {}).get("ownerReferences", ())]
    return {
        "status": {"told": (found.get("status") or {}).get("told")},
        "finalizers": found["metadata"].get("finalizers"),
        "child": owned.get("data"),
        "owners": owners,
    }


def _until(look: Callable[[], Any], right: Callable[[Any], bool], seconds: float) -> Any:
    """What is seen when it is right, or at the end of the time."""
    end = time.monotonic() + seconds
    while True:
        seen = look()
        if right(seen) or time.monotonic() > end:
            return seen
        time.sleep(0.3)


def _of_group(kind: str, name: str, **rest: Any) -> Json:
    return {"apiVersion": f"{GROUP}/v1", "kind": kind, "metadata": {"name": name}, **rest}


def _definition() -> Json:
    spec = {"type": "object", "properties": {"name": {"type": "string"}}}
    status = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    schema = {"type": "object", "properties": {"spec": spec, "status": status}}
    version = {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}, "subresources": {"status": {}}}
    names = {"plural": "greetings", "kind": "Greeting", "singular": "greeting"}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"greetings.{GROUP}"},
        "spec": {"group": GROUP, "scope": "Namespaced", "names": names, "versions": [version]},
    }


# -- what both clusters end up with ----------------------------------------------------------------------------------------

KUBECTL: Json = {
    "applied": "deployment.apps/web serverside-applied",
    "applied again": "deployment.apps/web serverside-applied",
    "rolled out": 'deployment "web" successfully rolled out',
    "got": ["web", "2/2", "2", "2"],
    "pods": [["1/1", "Running", "0"], ["1/1", "Running", "0"]],
    "described": ["Replicas: 2 desired | 2 updated | 2 total | 2 available | 0 unavailable", "StrategyType: RollingUpdate"],
    "described pod": True,
    "contested": {
        "refused": (1, 'error: Apply failed with 1 conflict: conflict with "kubectl": .spec.template.spec.containers[name="app"].image'),
        "taken": "deployment.apps/web serverside-applied",
    },
    "scaled": "deployment.apps/web scaled",
    "waited": "deployment.apps/web condition met",
    "dry run": "9",
    "may bob": (1, "no"),
    "may I": (0, "yes"),
    "drained": (0, "node/NODE drained", "", "true"),
    "uncordoned": "node/NODE uncordoned",
    "whole again": 0,
    "deleted": 'deployment.apps "web" deleted',
    "gone": 0,
}
WATCHED = [
    ("ADDED", "one", "1"),
    ("ADDED", "two", "1"),
    ("MODIFIED", "one", "2"),
    ("ADDED", "other", "1"),
    ("DELETED", "other", "1"),
    ("DELETED", "two", "1"),
]
_KEPT = ["kopf.zalando.org/KopfFinalizerMarker"]
_OWNER = [("Greeting", "hello", True)]
OPERATED: Json = {
    "made": {"status": {"told": "Hello, Ann"}, "finalizers": _KEPT, "child": {"text": "Hello, Ann"}, "owners": _OWNER},
    "changed": {"status": {"told": "Hello, Bob"}, "finalizers": _KEPT, "child": {"text": "Hello, Bob"}, "owners": _OWNER},
    "left": [],
}
