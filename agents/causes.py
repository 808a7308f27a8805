"""Which findings are causes, and which only follow from one: a walk from each symptom to the deepest fault that explains it.

Two orders decide. On one workload, the stages of a pod's life: what is never scheduled cannot crash, and what crashes cannot be ready.
Between objects, what needs what: a service its pods, a pod its node and its claims, a caller the service that it calls. Among equal
explanations the object that was changed last comes first: most faults are changes. Pure; called by `agents.consulting` over one agent's
findings.
"""

import re
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from enum import IntEnum
from typing import Any, NamedTuple

from agents.calling import calls
from agents.desk import Desk
from agents.recalling import graph_of
from agents.reporting import derived
from agents.workloads import changed_at, home
from core.cluster.graph import references
from core.cluster.objects import Pod
from core.domain.finding import Finding


class Stage(IntEnum):
    """How far a pod had come when the fault showed, up to what others see of it."""

    MADE = 0
    SCHEDULED = 1
    MOUNTED = 2
    CONFIGURED = 3
    PULLED = 4
    STARTED = 5
    RUNNING = 6
    READY = 7
    ROLLED_OUT = 8
    SERVING = 9


STAGES: Mapping[str, Stage] = {
    code: stage
    for stage, codes in {
        Stage.MADE: "REL-130 REL-131 REL-132",
        Stage.SCHEDULED: "REL-124 REL-125 REL-126 REL-127 REL-128 REL-129",
        Stage.MOUNTED: "REL-120 REL-121 REL-122 REL-123 REL-167",
        Stage.CONFIGURED: "REL-110",
        Stage.PULLED: "REL-105 REL-117",
        Stage.STARTED: "REL-109 REL-111 REL-112 REL-113 REL-114 REL-144",
        Stage.RUNNING: "REL-101 REL-102 REL-108",
        Stage.READY: "REL-103 REL-115 REL-116",
        Stage.ROLLED_OUT: "REL-133 REL-136 REL-138",
        Stage.SERVING: "REL-146 REL-150 REL-157 REL-160 REL-163 REL-173 REL-176 REL-177",
    }.items()
    for code in codes.split()
}
"""Of the codes that can follow from another. What is not here is a fault of its own, always."""

FOLLOWING = frozenset(("REL-120", "REL-163"))
"""What may follow from another object's fault, and explains nothing: a pod that does not go, a quota that is nearly used up."""
BREAKING = frozenset(STAGES) - FOLLOWING | frozenset(
    ("REL-104", "REL-145", "REL-147", "REL-148", "REL-149", "REL-154", "REL-155", "REL-156", "REL-164", "REL-165")
)
"""What can explain others: it stops something. A budget that is too strict or a quota nearly used up stops nothing yet."""
STATIC = frozenset(("REL-116",))
"""Mistakes in a template: they explain what shows at their stage or later, on the same object."""
_WEBHOOK = re.compile(r"failed calling webhook \"(?P<name>[^\"]{1,253})\"")
_LONGEST_WAY = 5
_REFUSED_BY_QUOTA = "REL-130"
_ENDS = frozenset(("Node", "PersistentVolume", "NetworkPolicy"))
"""Kinds from which nothing leads on: a fault is there, or the way ends."""


class Edge(NamedTuple):
    """From an object to one that it needs: `how` says where that stands. Only findings of `least` or a later stage can follow from it."""

    to: tuple[str, str, str]
    least: Stage
    how: str


Place = tuple[str, str, str]
"""Kind, namespace and name."""


def explained(desk: Desk, findings: Sequence[Finding]) -> tuple[Finding, ...]:
    """The same findings; those that another one explains name it, with the way there as evidence."""
    if len(findings) < 2:
        return tuple(findings)
    at: dict[Place, list[Finding]] = {}
    for finding in findings:
        at.setdefault(_place(finding), []).append(finding)
    if not any(finding.code in STAGES for finding in findings):
        return tuple(findings)
    needs = _Needs(desk, tuple(_place(finding) for finding in findings if finding.code == _REFUSED_BY_QUOTA))
    parents = {finding.id: parent for finding in findings if (parent := _explanation(finding, at, needs)) is not None}
    return tuple(_linked(desk, finding, parents, needs) for finding in findings)


class _Parent(NamedTuple):
    finding: Finding
    way: tuple[tuple[Place, str], ...]


def _explanation(finding: Finding, at: Mapping[Place, list[Finding]], needs: "_Needs") -> _Parent | None:
    """The nearest fault that explains it; its own explanation is followed later."""
    stage = STAGES.get(finding.code)
    if stage is None:
        return None
    start = _place(finding)
    own = [other for other in at[start] if other.id != finding.id and finding.code not in FOLLOWING and _earlier(other, stage)]
    if own:
        return _Parent(_first(own), ())
    ahead: deque[tuple[Place, tuple[tuple[Place, str], ...]]] = deque([(start, ())])
    passed = {start}
    while ahead:
        place, way = ahead.popleft()
        edges = [edge for edge in needs.of(place, finding) if edge.to in at or edge.to[0] not in _ENDS]
        for edge in sorted(edges, key=lambda edge: (-needs.changed(edge.to), edge)):
            if edge.to in passed or (place == start and stage < edge.least):
                continue
            passed.add(edge.to)
            longer = (*way, (edge.to, edge.how))
            causes = [other for other in at.get(edge.to, ()) if other.code in BREAKING]
            if causes:
                return _Parent(_first(causes), longer)
            if len(longer) < _LONGEST_WAY:
                ahead.append((edge.to, longer))
    return None


def _earlier(other: Finding, stage: Stage) -> bool:
    own = STAGES.get(other.code)
    return own is not None and other.code not in FOLLOWING and (own < stage or (own == stage and other.code in STATIC))


def _first(causes: Iterable[Finding]) -> Finding:
    """By stage; what has none stops a pod before any."""
    return min(causes, key=lambda each: (STAGES.get(each.code, Stage.MADE), each.code))


def _linked(desk: Desk, finding: Finding, parents: Mapping[str, _Parent], needs: "_Needs") -> Finding:
    """Up to the last explanation. Where explanations go round, two callers of each other, the one that was changed last is the cause."""
    links: list[tuple[Place, str]] = []
    line = [finding]
    while (parent := parents.get(line[-1].id)) is not None:
        links += parent.way or [(_place(parent.finding), f"shows {parent.finding.code} first")]
        if parent.finding in line:
            circle = line[line.index(parent.finding) :]
            line.append(min(circle, key=lambda each: (-needs.changed(_place(each)), each.id)))
            break
        line.append(parent.finding)
    cause = line[-1]
    if cause is finding:
        return finding
    chain = tuple(derived(desk, finding.subject, f"needs {_shown(place)}", how) for place, how in dict.fromkeys(links))
    return finding.model_copy(update={"symptom_of": cause.id, "evidence": (*finding.evidence, *chain)})


def _place(finding: Finding) -> Place:
    return finding.subject.kind, finding.subject.namespace, finding.subject.name


def _shown(place: Place) -> str:
    kind, namespace, name = place
    return f"{namespace}/{kind.lower()}/{name}" if namespace else f"{kind.lower()}/{name}"


class _Needs:
    """What an object needs, by kind. Made once for each examination."""

    def __init__(self, desk: Desk, refused: tuple[Place, ...] = ()) -> None:
        self._refused = refused
        self._snapshot = desk.snapshot
        self._graph = graph_of(desk)
        self._calls: dict[Place, list[tuple[str, str]]] = {}
        for call in calls(desk):
            self._calls.setdefault(self._home(call.pod), []).append((call.namespace, call.service))

    def of(self, place: Place, finding: Finding) -> Iterator[Edge]:
        kind, namespace, name = place
        item = self._snapshot.find(kind, namespace, name)
        if item is None:
            return
        match kind:
            case "Service":
                yield from self._of_service(item)
            case "HorizontalPodAutoscaler":
                yield from self._of_autoscaler(item)
            case "PersistentVolumeClaim":
                yield Edge(("PersistentVolume", "", item.spec.volume_name), Stage.MADE, "spec.volumeName")
            case "ResourceQuota":
                yield from (Edge(there, Stage.SERVING, "status.used") for there in self._refused if there[1] == namespace)
            case "PodDisruptionBudget":
                yield from (
                    Edge(self._home(pod), Stage.SERVING, "spec.selector") for pod in self._graph.selected(namespace, item.spec.selector)
                )
            case "ValidatingWebhookConfiguration" | "MutatingWebhookConfiguration":
                for webhook in item.webhooks:
                    yield from self._of_client(webhook.client_config.service)
            case "APIService":
                yield from self._of_client(item.spec.service)
            case _:
                yield from self._of_workload(place, item, finding)

    def changed(self, place: Place) -> float:
        """When somebody last wrote its spec, in Unix seconds; 0 where nobody knows."""
        item = self._snapshot.find(*place)
        at = changed_at(item.metadata) if item is not None else None
        return at.timestamp() if at is not None else 0.0

    def _of_service(self, service: Any) -> Iterator[Edge]:
        for pod in self._graph.pods_of_service(service):
            yield Edge(self._home(pod), Stage.SERVING, "spec.selector")

    def _of_autoscaler(self, item: Any) -> Iterator[Edge]:
        target = item.spec.scale_target_ref
        yield Edge((target.kind, item.metadata.namespace, target.name), Stage.SERVING, "spec.scaleTargetRef")
        for api in self._snapshot.of("APIService"):
            if api.spec.group.endswith("metrics.k8s.io"):
                yield Edge(("APIService", "", api.metadata.name), Stage.SERVING, "spec.metrics")

    def _of_client(self, service: Any) -> Iterator[Edge]:
        if isinstance(service, dict):
            yield Edge(("Service", str(service.get("namespace")), str(service.get("name"))), Stage.SERVING, "clientConfig.service")
            found = self._snapshot.find("Service", str(service.get("namespace")), str(service.get("name")))
            for edge in self._of_service(found) if found is not None else ():
                yield edge._replace(how="clientConfig.service and its spec.selector")

    def _of_workload(self, place: Place, item: Any, finding: Finding) -> Iterator[Edge]:
        for pod in self._pods(place, item):
            if pod.spec.node_name:
                yield Edge(("Node", "", pod.spec.node_name), Stage.MOUNTED, f"spec.nodeName of pod {pod.metadata.name}")
            for one in references(pod.spec, pod.metadata.namespace):
                if one.kind == "PersistentVolumeClaim":
                    yield Edge((one.kind, one.namespace, one.name), Stage.SCHEDULED, f"spec.{one.field}")
        for namespace, name in self._calls.get(place, ()):
            yield Edge(("Service", namespace, name), Stage.RUNNING, "spec.containers[*].env")
            yield from self._guards_of(namespace, name)
            yield Edge(("Service", "kube-system", "kube-dns"), Stage.RUNNING, "names of services in spec.containers[*].env")
        for text in (one.value for one in finding.evidence):
            if (named := _WEBHOOK.search(text)) is not None:
                yield from self._webhooks(named["name"])

    def _guards_of(self, namespace: str, name: str) -> Iterator[Edge]:
        """Network policies over the pods of a service that is called."""
        for policy in self._snapshot.of("NetworkPolicy"):
            if policy.metadata.namespace == namespace:
                yield Edge(("NetworkPolicy", namespace, policy.metadata.name), Stage.RUNNING, f"policy before service {namespace}/{name}")

    def _webhooks(self, name: str) -> Iterator[Edge]:
        for kind in ("ValidatingWebhookConfiguration", "MutatingWebhookConfiguration"):
            for item in self._snapshot.of(kind):
                if any(webhook.name == name for webhook in item.webhooks):
                    yield Edge((kind, "", item.metadata.name), Stage.MADE, f"the refusal names webhook {name}")

    def _pods(self, place: Place, item: Any) -> tuple[Pod, ...]:
        return (item,) if place[0] == "Pod" else self._snapshot.pods_of(item.metadata.uid)

    def _home(self, pod: Pod) -> Place:
        kind, item = home(self._snapshot, pod)
        return kind, item.metadata.namespace, item.metadata.name
