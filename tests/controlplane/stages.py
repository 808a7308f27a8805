"""What a pretended node does to its pods: the KWOK configuration, where a pod's fate follows from its own spec.

So a right fix cures and a wrong one does not. What decides, in this order:

- annotation `rig.day2.dev/state` on the pod (live too): ready, not-ready, image-pull-backoff, crashloop, oom, failed;
- a container image's tag: `:missing` cannot be pulled, `:crash` crash-loops, `:unready` never becomes ready;
- annotation `rig.day2.dev/needs-mi: "600"` with a smaller memory limit: OOMKilled again and again, until a resize or a rollout;
- else ready. Pods of Jobs complete.

Delays are annotations with a duration ("1500ms"): `term-ms` graceful deletion (0), `run-ms` a Job's pod (1 s), `restart-ms` the crash
loop (5 s), `resize-ms` an in-place resize (0.5 s). `resize: Deferred|Infeasible` holds a resize until it is removed.
`not-ready: "true"` on a node takes its Ready away. Usage: `cpu: "150m"` and `memory: "32Mi"`, with a little noise, followed live;
`throttled: "0.3"` is the share of CPU periods in which the container was held back.

Selectors are jq, templates are Go's; a jq error counts as no match, silently. JSON documents are YAML, so JSON is what is written.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final, TypeAlias

PREFIX: Final = "rig.day2.dev/"
MANAGED: Final = ("type", "kwok")
"""The label of nodes that are played here; a node that loses it is a node whose kubelet died."""

Document: TypeAlias = dict[str, Any]


def annotation(name: str) -> str:
    return f'.metadata.annotations["{PREFIX}{name}"]'


def reason_of(condition: str) -> str:
    """jq: the reason of a status condition, "" when it gives none, "none" when it is not there."""
    return f'([.status.conditions[]? | select(.type == "{condition}") | .reason // ""] | first // "none")'


def status_of(condition: str) -> str:
    return f'([.status.conditions[]? | select(.type == "{condition}") | .status] | first // "none")'


MIB: Final = (
    'def mib: if endswith("Gi") then (rtrimstr("Gi") | tonumber) * 1024 elif endswith("Mi") then (rtrimstr("Mi") | tonumber)'
    ' elif endswith("Ki") then (rtrimstr("Ki") | tonumber) / 1024 elif endswith("G") then (rtrimstr("G") | tonumber) * 953.67'
    ' elif endswith("M") then (rtrimstr("M") | tonumber) / 1.048576 else tonumber / 1048576 end; '
)
WANTED: Final = (
    f"({MIB}"
    f'({annotation("needs-mi")} // "0" | tonumber) as $need'
    " | ([.spec.containers[].resources.limits.memory // empty | mib] | min // 1000000000) as $limit"
    ' | ([.spec.containers[].image] | join(",")) as $images'
    f" | if {annotation('state')} then {annotation('state')}"
    ' elif ($images | test(":missing(,|$)")) then "image-pull-backoff"'
    ' elif ($images | test(":crash(,|$)")) then "crashloop"'
    ' elif ($images | test(":unready(,|$)")) then "not-ready"'
    ' elif $need > $limit then "oom" else "ready" end)'
)
STATE: Final = reason_of(f"{PREFIX}State")
"""jq: the state that the pod was last put into; we keep it as a condition of our own."""
ALIVE: Final = '(.metadata.deletionTimestamp == null and .status.phase != "Succeeded" and .status.phase != "Failed")'
SIZED: Final = (
    "([.spec.containers[] | {n: .name, r: (.resources // {})}] == [.status.containerStatuses[]? | {n: .name, r: (.resources // {})}])"
)
RESIZING: Final = '([.status.conditions[]? | select(.type == "PodResizeInProgress")] | length > 0)'
OF_A_JOB: Final = '([.metadata.ownerReferences[]?.kind] | index("Job") != null)'


def becomes(state: str) -> str:
    return f'{ALIVE} and {WANTED} == "{state}" and {STATE} != "{state}"'


def stays(state: str) -> str:
    return f'{ALIVE} and {WANTED} == "{state}" and {STATE} == "{state}"'


# ------------------------------------------------------------------ templates of a pod's status
HEAD: Final = """{{ $now := Now }}{{ $pod := . }}{{ $before := or .status.containerStatuses list }}
observedGeneration: {{ or .metadata.generation 1 }}
"""
ADDRESSES: Final = """
{{ if not .status.podIP }}
{{ with NodeIPsWith .spec.nodeName }}
hostIP: {{ index . 0 | Quote }}
hostIPs: [{ip: {{ index . 0 | Quote }}}]
{{ end }}
{{ with PodIPsWith .spec.nodeName (or .spec.hostNetwork false) .metadata.uid .metadata.name .metadata.namespace }}
podIP: {{ index . 0 | Quote }}
podIPs: [{ip: {{ index . 0 | Quote }}}]
{{ end }}
{{ end }}
startTime: {{ or .status.startTime $now | Quote }}
"""
INIT_CONTAINERS: Final = """
initContainerStatuses:
{{ range .spec.initContainers }}
- name: {{ .name | Quote }}
  image: {{ .image | Quote }}
  imageID: ""
  ready: true
  restartCount: 0
  resources: {{ or .resources dict | toJson }}
  {{ if eq (or .restartPolicy "") "Always" }}
  started: true
  state: {running: {startedAt: {{ $now | Quote }}}}
  {{ else }}
  state: {terminated: {exitCode: 0, reason: Completed, startedAt: {{ $now | Quote }}, finishedAt: {{ $now | Quote }}}}
  {{ end }}
{{ end }}
"""
OTHER_CONDITIONS: Final = """conditions:
{{ range .status.conditions }}{{ if not (hasPrefix "PodResize" .type) }}
- {{ . | toJson }}
{{ end }}{{ end }}
"""
RUNNING: Final = "{running: {startedAt: {{ $now | Quote }}}}"
AS_BEFORE: Final = "{{ $old.state | toJson }}"


def waiting(reason: str, message: str) -> str:
    return f'{{waiting: {{reason: {reason}, message: "{message}"}}}}'


def terminated(code: int, reason: str) -> str:
    times = "startedAt: {{ $now | Quote }}, finishedAt: {{ $now | Quote }}"
    return f"{{terminated: {{exitCode: {code}, reason: {reason}, {times}}}}}"


def conditions(state: str, *, ready: bool) -> str:
    """The five conditions a kubelet keeps, the pod's own readiness gates, and ours that remembers the state."""
    why = 'reason: "", message: ""' if ready else 'reason: "ContainersNotReady", message: "containers with unready status"'
    now = "lastTransitionTime: {{ $now | Quote }}"
    rows = [f'- {{type: {PREFIX}State, status: "True", reason: "{state}", {now}}}']
    rows += [f'- {{type: {name}, status: "True", {now}}}' for name in ("PodReadyToStartContainers", "Initialized")]
    rows += [f'- {{type: {name}, status: "{ready}", {now}, {why}}}' for name in ("Ready", "ContainersReady")]
    gates = f'{{{{ range .spec.readinessGates }}}}\n- {{type: {{{{ .conditionType | Quote }}}}, status: "{ready}", {now}}}\n{{{{ end }}}}'
    return "\nconditions:\n" + "\n".join(rows) + f"\n{gates}\n"


RESOURCES: Final = """
  resources: {{ or $item.resources dict | toJson }}
  {{ with $item.resources }}{{ with .requests }}
  allocatedResources: {{ . | toJson }}
  {{ end }}{{ end }}"""
"""Without these in the status the API server refuses every in-place resize ("node without support for resize")."""


def containers(state: str, *, ready: bool = False, restarted: bool = False, sized: bool = True, last: str | None = None) -> str:
    """Container statuses; restart counts and last states live on from the statuses before."""
    kept = "{{ with $old.lastState }}\n  lastState: {{ . | toJson }}\n  {{ end }}"
    flag = str(ready).lower()
    return (
        "\ncontainerStatuses:\n{{ range $i, $item := .spec.containers }}\n"
        "{{ $old := dict }}{{ if lt $i (len $before) }}{{ $old = index $before $i }}{{ end }}{{ $n := int (or $old.restartCount 0) }}\n"
        "- name: {{ $item.name | Quote }}\n"
        "  image: {{ $item.image | Quote }}\n"
        '  imageID: {{ printf "rig://%s" $item.image | Quote }}\n'
        '  containerID: {{ printf "rig://%s/%s/%d" $pod.metadata.uid $item.name $n | Quote }}\n'
        f"  ready: {flag}\n  started: {flag}\n"
        f"  restartCount: {'{{ add $n 1 }}' if restarted else '{{ $n }}'}\n"
        f"  {f'lastState: {last}' if last else kept}{RESOURCES if sized else ''}\n"
        f"  state: {state}\n{{{{ end }}}}\n"
    )


def event(kind: str, reason: str, message: str) -> Document:
    return {"type": kind, "reason": reason, "message": message}


# ------------------------------------------------------------------ stages
def stage(
    name: str,
    when: str,
    then: Document,
    *,
    kind: str = "Pod",
    delay_ms: int | None = None,
    delay_from: str | None = None,
    weight: int | None = None,
) -> Document:
    spec: Document = {
        "resourceRef": {"apiGroup": "v1", "kind": kind},
        "selector": {"matchExpressions": [{"key": when, "operator": "In", "values": ["true"]}]},
        "next": then,
    }
    if delay_ms is not None:
        spec["delay"] = {"durationMilliseconds": delay_ms}
    if delay_from is not None:
        spec["delay"]["durationFrom"] = {"expressionFrom": annotation(delay_from)}
    if weight is not None:
        spec["weight"] = weight
    return {"apiVersion": "kwok.x-k8s.io/v1alpha1", "kind": "Stage", "metadata": {"name": name}, "spec": spec}


def status(template: str, said: Document | None = None) -> Document:
    return {"statusTemplate": template, **({"event": said} if said else {})}


def replaced(template: str, said: Document | None = None) -> Document:
    """As a merge patch, which replaces lists: the only way to take a condition away."""
    patch = {"subresource": "status", "root": "status", "type": "merge", "template": template}
    return {"patches": [patch], **({"event": said} if said else {})}


def living() -> list[Document]:
    running = INIT_CONTAINERS + ADDRESSES + "phase: Running\n"
    ready_again = HEAD + conditions("ready", ready=True) + containers(AS_BEFORE, ready=True)
    return [
        stage("pod-ready", becomes("ready"), status(HEAD + conditions("ready", ready=True) + containers(RUNNING, ready=True) + running)),
        stage(
            "pod-not-ready",
            becomes("not-ready"),
            status(
                HEAD + conditions("not-ready", ready=False) + containers(RUNNING) + running,
                event("Warning", "Unhealthy", "Readiness probe failed: HTTP probe failed with statuscode: 503"),
            ),
        ),
        # The controller manager sets pods of a lost node unready; a kubelet that is back sets them ready again.
        stage("pod-ready-again", f'{stays("ready")} and {status_of("Ready")} == "False"', status(ready_again), delay_ms=10_000),
        stage("pod-delete", ".metadata.deletionTimestamp != null", {"delete": True}, delay_ms=0, delay_from="term-ms"),
    ]


def ending() -> list[Document]:
    """Pods that come to an end: those of Jobs complete, and a pod can be made to fail."""
    completed = HEAD + conditions("completed", ready=False) + containers(terminated(0, "Completed")) + "phase: Succeeded\n"
    failed = HEAD + conditions("failed", ready=False) + containers(terminated(1, "Error")) + ADDRESSES + "phase: Failed\n"
    done = f'{ALIVE} and {STATE} == "ready" and {OF_A_JOB}'
    return [
        stage("pod-complete", done, status(completed), delay_ms=1_000, delay_from="run-ms", weight=100),
        stage("pod-failed", becomes("failed"), status(failed)),
    ]


def image_missing() -> Document:
    held = containers(waiting("ImagePullBackOff", "Back-off pulling image"), sized=False)
    template = HEAD + conditions("image-pull-backoff", ready=False) + held + ADDRESSES + "phase: Pending\n"
    return stage("pod-image", becomes("image-pull-backoff"), status(template, event("Warning", "Failed", "Error: ImagePullBackOff")))


def restarting(state: str, code: int, reason: str) -> list[Document]:
    """A loop: waiting to start again, the restart count one higher each time, the last end kept."""
    held = containers(waiting("CrashLoopBackOff", "back-off restarting failed container"), restarted=True, last=terminated(code, reason))
    template = HEAD + conditions(state, ready=False) + held + INIT_CONTAINERS + ADDRESSES + "phase: Running\n"
    then = status(template, event("Warning", "BackOff", "Back-off restarting failed container"))
    return [
        stage(f"pod-{state}", becomes(state), then),
        stage(f"pod-{state}-again", stays(state), then, delay_ms=5_000, delay_from="restart-ms"),
    ]


def resizing() -> list[Document]:
    """In-place resize as a kubelet does it: in progress, then done; or pending with a reason while the annotation holds it."""
    differs = f'{ALIVE} and {STATE} == "ready" and ({SIZED} | not)'
    free = f"{annotation('resize')} == null"
    now = "lastTransitionTime: {{ $now | Quote }}, observedGeneration: {{ or .metadata.generation 1 }}"
    begun = HEAD + OTHER_CONDITIONS + f'- {{type: PodResizeInProgress, status: "True", {now}}}\n'
    finished = HEAD + OTHER_CONDITIONS + containers(AS_BEFORE, ready=True)
    completed = event("Normal", "ResizeCompleted", "Pod resize completed")
    stages = [
        stage("pod-resize-begun", f"{differs} and ({RESIZING} | not) and {free}", replaced(begun), weight=50),
        stage(
            "pod-resize-done",
            f"{differs} and {RESIZING} and {free}",
            replaced(finished, completed),
            delay_ms=500,
            delay_from="resize-ms",
            weight=50,
        ),
    ]
    for why in ("Deferred", "Infeasible"):
        when = f'{differs} and {annotation("resize")} == "{why}" and {reason_of("PodResizePending")} != "{why}"'
        text = f'reason: {why}, message: "Node did not have enough capacity: cpu"'
        held = HEAD + OTHER_CONDITIONS + f'- {{type: PodResizePending, status: "True", {text}, {now}}}\n'
        stages.append(stage(f"pod-resize-{why.lower()}", when, replaced(held), weight=50))
    return stages


# ------------------------------------------------------------------ nodes
def node_status(ready: str) -> str:
    """A node's status; `ready` is the body of its Ready condition's line, a template of its own."""
    said = "status: {{ .status | Quote }}, reason: {{ .reason | Quote }}, message: {{ .message | Quote }}"
    return f"""{{{{ $now := Now }}}}
conditions:
{{{{ range NodeConditions }}}}
- {{type: {{{{ .type | Quote }}}}, {{{{ if eq .type "Ready" }}}}{ready or said}{{{{ else }}}}{said}{{{{ end }}}}, \
lastHeartbeatTime: {{{{ $now | Quote }}}}, lastTransitionTime: {{{{ $now | Quote }}}}}}
{{{{ end }}}}
addresses:
- {{type: InternalIP, address: {{{{ NodeIP | Quote }}}}}}
- {{type: Hostname, address: {{{{ NodeName | Quote }}}}}}
daemonEndpoints: {{kubeletEndpoint: {{Port: {{{{ NodePort }}}}}}}}
{{{{ if not .status.capacity }}}}
capacity: {{cpu: "16", memory: 64Gi, pods: "110"}}
allocatable: {{cpu: "16", memory: 64Gi, pods: "110"}}
{{{{ end }}}}
nodeInfo: {{architecture: amd64, bootID: "", containerRuntimeVersion: "containerd://2.1.0", kernelVersion: "6.12.0", kubeProxyVersion: "", \
kubeletVersion: v1.37.2, machineID: "", operatingSystem: linux, osImage: rig, systemUUID: ""}}
phase: Running
"""


def nodes() -> list[Document]:
    failed = 'status: "False", reason: "KubeletNotReady", message: "the node was told to fail"'
    broken = f'{annotation("not-ready")} == "true"'
    ready = status_of("Ready")
    return [
        stage("node-ready", f'({broken} | not) and {ready} != "True"', status(node_status("")), kind="Node"),
        stage("node-not-ready", f'{broken} and {ready} == "True"', status(node_status(failed)), kind="Node"),
    ]


# ------------------------------------------------------------------ usage and metrics
def quantity(name: str, default: str) -> str:
    """CEL: the pod's annotation as a quantity."""
    there = f'"{PREFIX}{name}" in pod.metadata.annotations'
    return f'Quantity({there} ? pod.metadata.annotations["{PREFIX}{name}"] : "{default}")'


def number(name: str) -> str:
    """CEL: the pod's annotation as a number, 0 without it."""
    return f'("{PREFIX}{name}" in pod.metadata.annotations ? double(pod.metadata.annotations["{PREFIX}{name}"]) : 0.0)'


def logs(folder: Path) -> Document:
    """Every container says the same: `current.log`, and `previous.log` for the run before."""
    files = [{"logsFile": str(folder / "current.log"), "previousLogsFile": str(folder / "previous.log"), "follow": False}]
    return {"apiVersion": "kwok.x-k8s.io/v1alpha1", "kind": "ClusterLogs", "metadata": {"name": "all"}, "spec": {"logs": files}}


def usage() -> Document:
    cpu = {"expression": f"{quantity('cpu', '10m')} * (0.9 + 0.2 * Rand())"}
    memory = {"expression": f"{quantity('memory', '32Mi')} * (0.98 + 0.04 * Rand())"}
    usages = [{"usage": {"cpu": cpu, "memory": memory}}]
    return {
        "apiVersion": "kwok.x-k8s.io/v1alpha1",
        "kind": "ClusterResourceUsage",
        "metadata": {"name": "from-annotations"},
        "spec": {"usages": usages},
    }


def metric(name: str, dimension: str, value: str) -> Document:
    pod = [{"name": "namespace", "value": "pod.metadata.namespace"}, {"name": "pod", "value": "pod.metadata.name"}]
    labels = {"container": [{"name": "container", "value": "container.name"}, *pod], "pod": pod, "node": []}[dimension]
    kind = "counter" if name.endswith("_total") else "gauge"
    row: Document = {"name": name, "dimension": dimension, "kind": kind, "help": name, "value": value}
    return {**row, "labels": labels} if labels else row


def metrics() -> Document:
    """The resource endpoint of every node, as cAdvisor's names; metrics-server needs the start times as unix seconds."""
    rows = [
        metric("container_start_time_seconds", "container", "UnixSecond(pod.metadata.creationTimestamp)"),
        metric("container_cpu_usage_seconds_total", "container", 'pod.CumulativeUsage("cpu", container.name)'),
        metric("container_memory_working_set_bytes", "container", 'pod.Usage("memory", container.name)'),
        metric("container_cpu_cfs_periods_total", "container", "SinceSecond(pod) * 10.0"),
        metric("container_cpu_cfs_throttled_periods_total", "container", f"SinceSecond(pod) * 10.0 * {number('throttled')}"),
        metric("pod_cpu_usage_seconds_total", "pod", 'pod.CumulativeUsage("cpu")'),
        metric("pod_memory_working_set_bytes", "pod", 'pod.Usage("memory")'),
        metric("node_cpu_usage_seconds_total", "node", 'node.CumulativeUsage("cpu")'),
        metric("node_memory_working_set_bytes", "node", 'node.Usage("memory")'),
    ]
    return {
        "apiVersion": "kwok.x-k8s.io/v1alpha1",
        "kind": "Metric",
        "metadata": {"name": "metrics-resource"},
        "spec": {"path": "/metrics/nodes/{nodeName}/metrics/resource", "metrics": rows},
    }


def documents(logs_folder: Path) -> list[Document]:
    parallel = {"podPlayStageParallelism": 16, "nodePlayStageParallelism": 8, "nodeLeaseParallelism": 8, "enableDebuggingHandlers": True}
    return [
        *living(),
        *ending(),
        image_missing(),
        *restarting("crashloop", 1, "Error"),
        *restarting("oom", 137, "OOMKilled"),
        *resizing(),
        *nodes(),
        usage(),
        metrics(),
        logs(logs_folder),
        {"apiVersion": "config.kwok.x-k8s.io/v1alpha1", "kind": "KwokConfiguration", "options": parallel},
    ]


def write(path: Path, logs_folder: Path) -> None:
    path.write_text("\n---\n".join(json.dumps(document) for document in documents(logs_folder)) + "\n")
