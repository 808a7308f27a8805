"""Services that were pointed away from their pods, and the way back to what worked last. Called by the table of this agent.

What worked last is known from one of two sources: the manifest that `kubectl apply` left on the Service, where the live object departs
from it; or the one workload that fits, where the Service was changed after that workload's pods began. Where the workload moved away from
the Service instead, its rollout is what goes back.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

from agents import rolling_back
from agents.desk import Desk
from agents.proposing import propose
from agents.recalling import graph_of
from agents.remedies import Remedy, point
from agents.reporting import counted, pairs
from agents.workloads import Controlled, changed_at, controlled, leaving, ready, rollout_of
from core.cluster import selecting
from core.cluster.objects import LabelSelector, Pod, PodTemplate, Service
from core.domain.finding import Finding
from core.domain.proposal import Proposal

LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
_LARGEST = 64 * 1024
Target = int | str


def correct_selector(desk: Desk, finding: Finding) -> Proposal | None:
    service = _service(desk, finding)
    if service is None or any(not leaving(pod) for pod in graph_of(desk).pods_of_service(service)):
        return None
    declared = _labels(_declared(service).get("selector"))
    if declared and declared != service.spec.selector and any(map(ready, _chosen(desk, service, declared))):
        return _pointed(desk, finding, service, declared, {}, "what was last applied to it")
    drifted = [workload for workload in _of(desk, service) if _later(service, workload)]
    like = [workload for workload in drifted if workload.item.metadata.name == service.metadata.name and _shares(service, workload)]
    like = like or [workload for workload in drifted if _differs(service, workload)]
    if len(like) != 1 or not any(map(ready, like[0].pods)):
        return None
    labels = like[0].item.spec.template.metadata.labels
    wanted = {key: labels[key] for key in service.spec.selector if key in labels}
    own = {pod.metadata.uid for pod in like[0].pods}
    if any(pod.metadata.uid not in own for pod in _chosen(desk, service, wanted)):
        return None
    return _pointed(desk, finding, service, wanted, {}, f"the labels of {like[0].name}, which was there before the Service was changed")


def correct_port(desk: Desk, finding: Finding) -> Proposal | None:
    service = _service(desk, finding)
    if service is None:
        return None
    chosen = [pod for pod in graph_of(desk).pods_of_service(service) if not leaving(pod)]
    ports = _listening(pod.spec for pod in chosen)
    declared = {port.get("port"): port.get("targetPort") for port in _declared(service).get("ports") or () if isinstance(port, dict)}
    wanted = {}
    for port in service.spec.ports:
        number, target = int(port.get("port") or 0), port.get("targetPort", port.get("port"))
        if not _serves(ports, target) and (better := _better(ports, port, declared.get(number))) is not None:
            wanted[number] = better
    since = changed_at(service.metadata)
    told = any(target == declared.get(number) for number, target in wanted.items())
    moved = told or (since is not None and all(since > begun for begun in _begun(chosen)))
    if not wanted or not moved or not any(map(ready, chosen)):
        return None
    return _pointed(
        desk, finding, service, service.spec.selector, wanted, "what was last applied to it" if told else "the port they declare"
    )


def undo_departure(desk: Desk, finding: Finding) -> Proposal | None:
    """Back to the revision whose pods this Service chose, on the ports that it sends to."""
    service = _service(desk, finding)
    for workload in _of(desk, service) if service else ():
        rollout = rollout_of(desk.snapshot, workload.item.metadata.uid)
        if service is None or rollout is None or rollout.previous is None:
            continue
        now, before = rollout.current.spec.template, rollout.previous.spec.template
        if _fits(service, before) and not _fits(service, now):
            return rolling_back.plan_for(desk, finding, rollout)
    return None


def _service(desk: Desk, finding: Finding) -> Service | None:
    return desk.snapshot.find("Service", finding.subject.namespace, finding.subject.name)


def _declared(service: Service | None) -> Mapping[str, Any]:
    """The spec that `kubectl apply` wrote down. Whoever may write the Service may write this too, so it proves nothing by itself."""
    text = service.metadata.annotations.get(LAST_APPLIED, "") if service else ""
    try:
        found = json.loads(text) if 0 < len(text) <= _LARGEST else {}
    except (ValueError, RecursionError):
        return {}
    spec = found.get("spec") if isinstance(found, dict) else None
    return spec if isinstance(spec, dict) else {}


def _labels(found: object) -> dict[str, str]:
    """Empty for what is no selector."""
    return found if isinstance(found, dict) and all(isinstance(value, str) for value in found.values()) else {}


def _of(desk: Desk, service: Service) -> Iterator[Controlled]:
    return (workload for workload in controlled(desk.snapshot) if workload.item.metadata.namespace == service.metadata.namespace)


def _differs(service: Service, workload: Controlled) -> bool:
    """It has every key that the Service chooses by, and another value under one of them."""
    labels = workload.item.spec.template.metadata.labels
    return service.spec.selector.keys() <= labels.keys() and any(labels[key] != value for key, value in service.spec.selector.items())


def _shares(service: Service, workload: Controlled) -> bool:
    """It has some key that the Service chooses by."""
    return bool(service.spec.selector.keys() & workload.item.spec.template.metadata.labels.keys())


def _later(service: Service, workload: Controlled) -> bool:
    """Whether the Service was written after the workload's pods began: then it is the Service that moved."""
    since = changed_at(service.metadata)
    return since is not None and all(since > begun for begun in _begun(workload.pods))


def _begun(pods: Iterable[Pod]) -> Iterator[datetime]:
    return (pod.metadata.creation_timestamp for pod in pods if pod.metadata.creation_timestamp is not None)


def _chosen(desk: Desk, service: Service, labels: Mapping[str, str]) -> Iterator[Pod]:
    selector = LabelSelector(match_labels=dict(labels))
    for pod in desk.snapshot.pods:
        here = pod.metadata.namespace == service.metadata.namespace and not leaving(pod)
        if here and selecting.matches(selector, pod.metadata.labels):
            yield pod


def _listening(specs: Iterator[Any]) -> tuple[tuple[str, int], ...]:
    """Name and number of every declared port, each once."""
    found = {(port.name, port.container_port) for spec in specs for container in spec.containers for port in container.ports}
    return tuple(sorted(found))


def _serves(ports: tuple[tuple[str, int], ...], target: Any) -> bool:
    return any(str(target) in (name, str(number)) for name, number in ports)


def _better(ports: tuple[tuple[str, int], ...], port: Mapping[str, Any], declared: Any) -> Target | None:
    """What was applied last, else the port of the same name, else the only one. By name where the target was one."""
    if isinstance(declared, int | str) and _serves(ports, declared):
        return declared
    named = [(name, number) for name, number in ports if name and name == port.get("name")]
    one = named or list(ports)
    if len(one) != 1:
        return None
    name, number = one[0]
    return name if name and isinstance(port.get("targetPort"), str) else number


def _fits(service: Service, template: PodTemplate) -> bool:
    ports = _listening(iter((template.spec,)))
    chooses = selecting.matches(LabelSelector(match_labels=service.spec.selector), template.metadata.labels)
    return chooses and all(_serves(ports, port.get("targetPort", port.get("port"))) for port in service.spec.ports if ports)


def _pointed(
    desk: Desk, finding: Finding, service: Service, selector: Mapping[str, str], targets: Mapping[int, Target], source: str
) -> Proposal:
    remedy: Remedy = point(desk, finding, service, selector, targets)
    count = sum(ready(pod) for pod in _chosen(desk, service, selector))
    what = ", ".join(f"port {port} to {target}" for port, target in sorted(targets.items())) or pairs(selector)
    return propose(
        desk,
        finding,
        *remedy,
        why=f"{finding.title}. Back to {what}: {source}.",
        expect=f"{counted(count, 'ready pod')} behind {service.metadata.name} again; no pod is touched",
    )
