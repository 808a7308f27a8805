"""Services and ingresses that lead nowhere. Called by the table of this agent."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from agents.calling import calls
from agents.desk import Desk
from agents.recalling import graph_of, once
from agents.reliability.conditions.signs import Sign, check, on_pod, ours
from agents.reporting import counted, moment, pairs, seen
from agents.workloads import SYSTEM_NAMESPACES, age, changed_at, controlled, leaving, ready
from core.cluster import selecting
from core.cluster.objects import Container, Ingress, LabelSelector, Pod, Service
from core.domain.finding import Severity

PATIENCE = timedelta(minutes=5)
DAY = timedelta(days=1)
_KINDS = ("Namespace", "Pod", "Service", "Deployment", "ReplicaSet", "StatefulSet", "DaemonSet")


@once
def _selecting(desk: Desk) -> Iterator[tuple[Service, tuple[Pod, ...]]]:
    """Services that choose pods by labels, with those that have not ended."""
    graph = graph_of(desk)
    for service in desk.snapshot.of("Service"):
        if ours(service.metadata) and service.spec.selector and service.spec.type != "ExternalName":
            yield service, tuple(pod for pod in graph.pods_of_service(service) if not leaving(pod))


def selects_nothing(desk: Desk) -> Iterator[Sign]:
    """Silent where the workload that it would select has no pods: that is a size, not a selector."""
    for service, chosen in _selecting(desk):
        if chosen or age(service.metadata, desk.now) < PATIENCE or _template_selected(desk, service):
            continue
        near = _nearest(desk, service)
        hint = f"; {near[0]} has {near[1]}" if near else ""
        shown = pairs(service.spec.selector)
        yield Sign(
            "Service",
            service,
            f"selects no pod: nothing has {shown}{hint}",
            "Each request to it fails at once.",
            (seen(desk, "Service", service, "spec.selector", shown),),
        )


def _template_selected(desk: Desk, service: Service) -> bool:
    selector = LabelSelector(match_labels=service.spec.selector)
    return any(
        item.metadata.namespace == service.metadata.namespace and selecting.matches(selector, item.spec.template.metadata.labels)
        for kind in ("Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Job")
        for item in desk.snapshot.of(kind)
    )


def _nearest(desk: Desk, service: Service) -> tuple[str, str] | None:
    """A workload that shares a key of the selector under another value, and is called like the service."""
    for workload in controlled(desk.snapshot):
        labels = workload.item.spec.template.metadata.labels
        differing = {key: labels[key] for key, value in service.spec.selector.items() if key in labels and labels[key] != value}
        same_name = workload.item.metadata.name == service.metadata.name and workload.item.metadata.namespace == service.metadata.namespace
        if differing and same_name:
            return workload.item.metadata.name, pairs(differing)
    return None


def scaled_away(desk: Desk) -> Iterator[Sign]:
    """A workload at zero whose service others still name, changed within a day. Zero for longer, or unused, is a wish."""
    used = _named_services(desk)
    for service, chosen in _selecting(desk):
        if chosen or (service.metadata.namespace, service.metadata.name) not in used:
            continue
        selector = LabelSelector(match_labels=service.spec.selector)
        for workload in controlled(desk.snapshot, ("Deployment", "StatefulSet")):
            meta = workload.item.metadata
            own = meta.namespace == service.metadata.namespace and selecting.matches(selector, workload.item.spec.template.metadata.labels)
            changed = changed_at(meta)
            if own and workload.replicas == 0 and changed is not None and desk.now - changed <= DAY:
                user = used[service.metadata.namespace, service.metadata.name]
                yield Sign(
                    workload.kind,
                    workload.item,
                    f"was scaled to zero, and {user} still sends to its service {service.metadata.name}",
                    "Each request to it fails at once.",
                    (
                        seen(desk, workload.kind, workload.item, "spec.replicas", 0),
                        seen(desk, workload.kind, workload.item, "metadata.managedFields[*].time", moment(changed)),
                    ),
                )


def _named_services(desk: Desk) -> dict[tuple[str, str], str]:
    """By ingresses and by variables: who uses it."""
    used = {(call.namespace, call.service): call.user for call in calls(desk)}
    for ingress in desk.snapshot.of("Ingress"):
        for backend in _backends(ingress):
            used.setdefault((ingress.metadata.namespace, str(backend.get("name", ""))), f"ingress {ingress.metadata.name}")
    return used


def calls_nobody(desk: Desk) -> Iterator[Sign]:
    namespaces = frozenset(desk.namespaces()) - SYSTEM_NAMESPACES
    for call in calls(desk):
        if call.namespace not in namespaces or desk.snapshot.find("Service", call.namespace, call.service) is not None:
            continue
        what = f"is told to call service {call.service} in {call.namespace}, which does not exist"
        evidence = seen(desk, "Pod", call.pod, "spec.containers[*].env", f"{call.service}.{call.namespace}.svc")
        yield on_pod(desk, call.pod, what, "The name does not resolve; each call fails at once.", evidence)


def port_missing(desk: Desk) -> Iterator[Sign]:
    """By name always; by number only where all pods declare ports, and none that one."""
    for service, chosen in _selecting(desk):
        for port in service.spec.ports if chosen else ():
            target = port.get("targetPort", port.get("port"))
            declared = [(one.name, one.container_port) for pod in chosen for container in _all(pod) for one in container.ports]
            if not declared or _declares(declared, target, chosen):
                continue
            what = f"sends port {port.get('port')} to {target}, on which no pod of it listens"
            shown = ", ".join(sorted({f"{name or '-'}:{number}" for name, number in declared})[:6])
            evidence = (
                seen(desk, "Service", service, f"spec.ports[{port.get('name', port.get('port'))}].targetPort", target),
                seen(desk, "Pod", chosen[0], "spec.containers[*].ports", shown),
            )
            yield Sign("Service", service, what, "Connections are refused, though the pods are ready.", evidence)


def _all(pod: Pod) -> Iterator[Container]:
    yield from pod.spec.containers
    yield from (one for one in pod.spec.init_containers if one.restart_policy == "Always")


def _declares(declared: list[tuple[str, int]], target: Any, chosen: tuple[Pod, ...]) -> bool:
    if isinstance(target, str) and not target.isdigit():
        return target in {name for name, _ in declared}
    everybody = all(any(container.ports for container in _all(pod)) for pod in chosen)
    return not everybody or int(target or 0) in {number for _, number in declared}


def nobody_ready(desk: Desk) -> Iterator[Sign]:
    for service, chosen in _selecting(desk):
        if not chosen or any(ready(pod) for pod in chosen) or min(age(pod.metadata, desk.now) for pod in chosen) < PATIENCE:
            continue
        what = f"has no ready pod behind it: {counted(len(chosen), 'pod')}, none ready"
        evidence = tuple(seen(desk, "Pod", pod, "status.conditions[Ready].status", "False") for pod in chosen[:3])
        yield Sign("Service", service, what, "Each request to it fails.", evidence)


def balancer_pending(desk: Desk) -> Iterator[Sign]:
    for service in desk.snapshot.of("Service"):
        waiting = service.spec.type == "LoadBalancer" and not service.status.load_balancer.get("ingress")
        if ours(service.metadata) and waiting and age(service.metadata, desk.now) >= 2 * PATIENCE:
            minutes = int(age(service.metadata, desk.now).total_seconds() // 60)
            what = f"has waited {minutes} minutes for a load balancer"
            evidence = (seen(desk, "Service", service, "status.loadBalancer.ingress", "none"),)
            yield Sign("Service", service, what, "Nobody outside the cluster reaches it.", evidence)


def _backends(ingress: Ingress) -> Iterator[dict[str, Any]]:
    """The services that an ingress sends to, odd entries left out."""
    rules = [rule.get("http") for rule in ingress.spec.rules]
    paths = [path for http in rules if isinstance(http, dict) for path in http.get("paths") or () if isinstance(path, dict)]
    for backend in (ingress.spec.default_backend, *(path.get("backend") for path in paths)):
        service = backend.get("service") if isinstance(backend, dict) else None
        if isinstance(service, dict) and isinstance(service.get("name"), str):
            yield service


def ingress_backend(desk: Desk) -> Iterator[Sign]:
    for ingress in desk.snapshot.of("Ingress"):
        for backend in _backends(ingress) if ours(ingress.metadata) else ():
            service = desk.snapshot.find("Service", ingress.metadata.namespace, backend["name"])
            if service is None:
                what = f"sends to service {backend['name']}, which does not exist"
            elif _port_of(backend) is not None and not _serves(service, _port_of(backend)):
                what = f"sends to port {_port_of(backend)} of service {backend['name']}, which has no such port"
            else:
                continue
            evidence = (seen(desk, "Ingress", ingress, "spec.rules[*].http.paths[*].backend.service", backend["name"]),)
            yield Sign("Ingress", ingress, what, "Requests from outside end in an error page.", evidence)


def _port_of(backend: dict[str, Any]) -> Any:
    port = backend.get("port")
    return port.get("number", port.get("name")) if isinstance(port, dict) else None


def _serves(service: Service, port: Any) -> bool:
    if service.spec.type == "ExternalName":
        return True
    return any(port in (one.get("port"), one.get("name")) for one in service.spec.ports)


def ingress_class(desk: Desk) -> Iterator[Sign]:
    for ingress in desk.snapshot.of("Ingress"):
        name = ingress.spec.ingress_class_name
        if ours(ingress.metadata) and name and desk.snapshot.find("IngressClass", "", name) is None:
            what = f"names ingress class {name}, which does not exist"
            evidence = (seen(desk, "Ingress", ingress, "spec.ingressClassName", name),)
            yield Sign("Ingress", ingress, what, "No controller takes it up; nobody outside reaches what is behind.", evidence)


CHECKS = (
    check(
        "REL-145",
        "service that selects nothing",
        Severity.HIGH,
        (*_KINDS, "Job"),
        selects_nothing,
        looks="Services whose selector matches no pod and no workload's template; the workload called alike that differs in a label.",
        silent="in the first 5 minutes, for services without a selector, and where a workload with those labels has no pods",
        mend="Take back the change of the selector or of the labels.",
    ),
    check(
        "REL-146",
        "workload at zero that others call",
        Severity.HIGH,
        (*_KINDS, "Ingress"),
        scaled_away,
        looks="Workloads scaled to zero within a day, whose service an ingress or a variable of running pods names.",
        silent="a day after the change, and where nobody names the service",
        mend="Scale it up again, or take its name out of who calls it.",
    ),
    check(
        "REL-147",
        "variable that names a service that does not exist",
        Severity.MEDIUM,
        _KINDS,
        calls_nobody,
        looks="Variables of running pods with a host name `<service>.<namespace>.svc` of a namespace that exists.",
        silent="for other forms of host names, and for values from ConfigMaps and Secrets, which are not read",
        mend="Make the service again, or correct the value.",
    ),
    check(
        "REL-148",
        "service port that no pod listens on",
        Severity.HIGH,
        _KINDS,
        port_missing,
        looks="Target ports of services against the ports that the selected pods declare.",
        silent="where pods declare no ports at all: a number may be right without that",
        mend="Take back the change of whichever moved: the service's targetPort or the container's port.",
    ),
    check(
        "REL-150",
        "service without a ready pod",
        Severity.HIGH,
        _KINDS,
        nobody_ready,
        looks="Services that select pods, none of which is ready, all five minutes old or more.",
        silent="in the first 5 minutes of the youngest pod",
        mend="Another finding of the workload behind it mostly says why.",
    ),
    check(
        "REL-151",
        "load balancer that does not come",
        Severity.MEDIUM,
        ("Namespace", "Service"),
        balancer_pending,
        looks="Services of type LoadBalancer without an address after ten minutes.",
        silent="in the first 10 minutes",
        mend="Look at the cloud controller's events and quota; without one, use another type.",
    ),
    check(
        "REL-152",
        "ingress to a service or port that does not exist",
        Severity.HIGH,
        ("Namespace", "Service", "Ingress"),
        ingress_backend,
        looks="Backends of ingresses: the service by name, its port by number or name.",
        silent="for backends that are no services, and for ExternalName services",
        mend="Correct the backend, or make the service.",
    ),
    check(
        "REL-153",
        "ingress of a class that does not exist",
        Severity.MEDIUM,
        ("Namespace", "Ingress", "IngressClass"),
        ingress_class,
        looks="spec.ingressClassName against the classes of the cluster.",
        silent="for ingresses that name no class",
        mend="Correct the name; `kubectl get ingressclass` lists them.",
    ),
)
