"""Detecting: all checks and planners of the four agents over one look at 10,000 pods, with the metrics that they ask for.

Each agent gets a snapshot of its own, as in a run, so that every index is built four times. Planners have work: one pod in a hundred
crashes and one in a hundred is killed for memory, one workload in ten asks for far too much, and no namespace has pod security.
Reading and decoding are another bench.
"""

import time
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from agents.catalogue import AGENTS
from agents.consulting import Consultation, examine
from agents.desk import Agent, Desk
from benchmarks import pods
from core.cluster import decoding, objects, quantities
from core.cluster.queries import Query, Sample, Series, Shape
from core.cluster.snapshot import Snapshot

COUNT = 10_000
GOAL = 2.0
ROUNDS = 5
NOW = datetime(2026, 1, 20, 12, 0, tzinfo=UTC)
MADE = datetime(2026, 1, 5, 12, 0, tzinfo=UTC)
_BYTES = 2**20


def run() -> list[str]:
    """One line. Building the cluster takes longer than the measurement; the least of some rounds counts: others share the machine."""
    snapshot = cluster()
    rounds = [measured(snapshot) for _ in range(ROUNDS)]
    seconds, answers = min(rounds, key=lambda each: each[0])
    checks = sum(len(answer.coverage.run) for answer in answers)
    findings, plans = sum(len(answer.findings) for answer in answers), sum(len(answer.proposals) for answer in answers)
    word = "met" if seconds <= GOAL else "short"
    what = f"DETECT ({checks} checks over {COUNT:,} pods, {findings} findings, {plans} proposals, CPU-seconds)"
    spread = ", ".join(f"{each:.2f}" for each, _ in rounds)
    return [f"{what}: ours {seconds:.2f} (rounds {spread}), goal {GOAL:g}: {word}"]


def measured(snapshot: Snapshot) -> tuple[float, list[Consultation]]:
    """CPU-seconds of all checks and planners, and what they answered. On a snapshot and desks of their own: nothing is remembered from the
    round before."""
    fresh = replace(snapshot)
    desks = {agent.name: desk(agent, replace(fresh)) for agent in AGENTS}
    began = time.process_time()
    answers = [examine(agent, desks[agent.name]) for agent in AGENTS]
    seconds = time.process_time() - began
    _complete(answers)
    return seconds, answers


def _complete(answers: list[Consultation]) -> None:
    """A check that did not look must not make the bench faster."""
    missed = [item.check for answer in answers for item in answer.coverage.not_run]
    if missed:
        raise AssertionError(f"not run: {', '.join(missed)}")


def cluster(count: int = COUNT) -> Snapshot:
    return around(decoding.decode_page("Pod", page) for page in pages(pods.encoded(count)))


def around(decoded: Iterable[decoding.Decoded]) -> Snapshot:
    """A cluster of which these are the pods: their owners, nodes, namespaces and autoscalers."""
    found = tuple(_troubled(number, pod) for number, pod in enumerate(pod for page in decoded for pod in page.items))
    groups = {pod.metadata.owner_references[0].uid: pod for pod in found}
    deployments = tuple(_deployment(uid, pod) for uid, pod in groups.items())
    names = sorted({pod.metadata.namespace for pod in found})
    kinds: dict[str, tuple[Any, ...]] = {
        "Pod": found,
        "ReplicaSet": tuple(_replica_set(uid, pod, age) for uid, pod in groups.items() for age in (0, 1)),
        "Deployment": deployments,
        "HorizontalPodAutoscaler": tuple(_autoscaler(item) for item in deployments[::10]),
        "Namespace": tuple(objects.Namespace(metadata=objects.Meta(name=name, uid=f"ns-{name}")) for name in names),
        "Node": tuple(_node(f"node-{number}") for number in range(pods.nodes_for(len(found)))),
        "ConfigMap": tuple(objects.ConfigMap(metadata=objects.Meta(name=f"config-{number}", namespace=names[0])) for number in range(2000)),
    }
    return Snapshot("bench", NOW, kinds)


def pages(encoded: list[bytes]) -> list[bytes]:
    return [b'{"items":[' + b",".join(encoded[start : start + 500]) + b"]}" for start in range(0, len(encoded), 500)]


def _troubled(number: int, pod: objects.Pod) -> objects.Pod:
    """Every hundredth pod crashes, every hundredth was killed for memory."""
    if number % 100 not in (0, 50):
        return pod
    reason = "OOMKilled" if number % 100 else "Error"
    ended = objects.ContainerState(terminated=objects.Terminated(reason=reason, exit_code=137 if number % 100 else 1, finished_at=NOW))
    waiting = objects.ContainerState(waiting=objects.Waiting(reason="CrashLoopBackOff"))
    first = msgspec.structs.replace(pod.status.container_statuses[0], ready=False, restart_count=9, state=waiting, last_state=ended)
    statuses = (first, *pod.status.container_statuses[1:])
    return msgspec.structs.replace(pod, status=msgspec.structs.replace(pod.status, container_statuses=statuses))


def _meta(pod: objects.Pod, name: str, uid: str, owner: objects.OwnerReference | None, revision: int) -> objects.Meta:
    return objects.Meta(
        name=name,
        namespace=pod.metadata.namespace,
        uid=uid,
        creation_timestamp=NOW - timedelta(hours=3) if owner and revision > 1 else MADE,
        annotations={"deployment.kubernetes.io/revision": str(revision)},
        owner_references=(owner,) if owner else (),
    )


def _app(pod: objects.Pod) -> str:
    return pod.metadata.labels["app.kubernetes.io/name"]


def _spec(pod: objects.Pod, replicas: int) -> objects.WorkloadSpec:
    return objects.WorkloadSpec(replicas=replicas, template=objects.PodTemplate(spec=pod.spec))


def _deployment(uid: str, pod: objects.Pod) -> objects.Workload:
    status = objects.WorkloadStatus(replicas=8, updated_replicas=8, ready_replicas=8, available_replicas=8)
    return objects.Workload(metadata=_meta(pod, _app(pod), f"d-{uid}"[:64], None, 2), spec=_spec(pod, 8), status=status)


def _replica_set(uid: str, pod: objects.Pod, age: int) -> objects.Workload:
    owner = objects.OwnerReference(kind="Deployment", name=_app(pod), uid=f"d-{uid}"[:64], controller=True)
    name = pod.metadata.owner_references[0].name
    if age:
        return objects.Workload(metadata=_meta(pod, f"{name}-old", f"old-{uid}"[:64], owner, 1), spec=_spec(pod, 0))
    return objects.Workload(metadata=_meta(pod, name, uid, owner, 2), spec=_spec(pod, 8))


def _autoscaler(item: objects.Workload) -> objects.Autoscaler:
    metric = {"type": "Resource", "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 60}}}
    reference = objects.ScaleTarget(kind="Deployment", name=item.metadata.name)
    spec = objects.AutoscalerSpec(scale_target_ref=reference, min_replicas=8, max_replicas=16, metrics=(metric,))
    meta = objects.Meta(name=item.metadata.name, namespace=item.metadata.namespace, uid=f"h-{item.metadata.uid}"[:64])
    return objects.Autoscaler(metadata=meta, spec=spec, status=objects.AutoscalerStatus(current_replicas=8, desired_replicas=8))


def _node(name: str) -> objects.Node:
    room: objects.Resources = {"cpu": "64", "memory": "256Gi", "pods": "250"}
    well = (objects.Condition(type="Ready", status="True"),)
    return objects.Node(metadata=objects.Meta(name=name, uid=f"n-{name}"), status=objects.NodeStatus(allocatable=room, conditions=well))


def desk(agent: Agent, snapshot: Snapshot) -> Desk:
    """With an answer to every question."""
    by_namespace: dict[str, list[objects.Pod]] = {}
    for pod in snapshot.pods:
        by_namespace.setdefault(pod.metadata.namespace, []).append(pod)
    asked = {query for row in agent.detectors for query in row.queries(snapshot)}
    spans = {span for row in agent.detectors for span in row.ranges(snapshot)}
    samples = {query: _samples(query, by_namespace[query.namespace]) if query.namespace else _of_nodes(snapshot) for query in asked}
    series = {
        span: tuple(_series(pod, span.span_seconds, span.step_seconds) for pod in by_namespace[span.query.namespace][:40]) for span in spans
    }
    return Desk(snapshot, NOW, "bench", samples=samples, series=series)


def _of_nodes(snapshot: Snapshot) -> tuple[Sample, ...]:
    """What is counted of hardware: nothing went wrong on any node."""
    names = [node.metadata.name for node in snapshot.nodes]
    return tuple(Sample((("Hostname", name), ("instance", name)), NOW.timestamp(), 0.0) for name in names)


def _samples(query: Query, group: list[objects.Pod]) -> tuple[Sample, ...]:
    return tuple(
        Sample(
            (("container", container.name), ("namespace", pod.metadata.namespace), ("pod", pod.metadata.name)),
            NOW.timestamp(),
            _value(query, pod, container),
        )
        for pod in group
        for container in pod.spec.containers
    )


def _value(query: Query, pod: objects.Pod, container: objects.Container) -> float:
    """Seven tenths of what the container asks for; of one workload in ten, a tenth."""
    if query.shape is Shape.SAMPLES:
        return query.window_seconds / 30
    share = 0.1 if _app(pod).endswith("7") else 0.7
    if query.shape in (Shape.MEMORY_NOW, Shape.MEMORY_MAX):
        return quantities.memory_mib(container.resources.requests["memory"]) * _BYTES * share
    return quantities.cpu_milli(container.resources.requests["cpu"]) / 1000 * share


def _series(pod: objects.Pod, span: int, step: int) -> Series:
    end = NOW.timestamp()
    times = tuple(end - span + index * step for index in range(span // step + 1))
    labels = (("namespace", pod.metadata.namespace), ("pod", pod.metadata.name))
    return Series(labels, times, tuple(0.05 + 0.05 * (int(at) // 3600 % 24 in range(9, 17)) for at in times))
