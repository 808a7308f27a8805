"""Which pods somebody outside the cluster can reach, through which entrance, and on which of their ports. Pure; used by the security agent.

Entrances are services of type LoadBalancer and NodePort or with external addresses, ingresses, and ports or the network of a node. One that
its owner narrowed (an internal load balancer, source ranges) is none, nor is one whose traffic the pod's network policies do not let in.
Whether a firewall stands before the nodes is not known here; routes of the Gateway API are not read.
"""

import ipaddress
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from core.cluster.graph import Graph
from core.cluster.network import EVERY, LAST_PORT, Endpoint, Network, Ports, Span, common, merged
from core.cluster.objects import Ingress, Pod, Service
from core.cluster.snapshot import Snapshot

INTERNAL = ("internal", "true", "vnet")
"""Values by which providers are told that a load balancer is for the inside."""


class Port(NamedTuple):
    """Of a pod."""

    protocol: str
    number: int


class Entrance(NamedTuple):
    """`kind` and `item` are what opens it: a Service, an Ingress, or the pod itself. `ports` are the pod's that it leads to."""

    kind: str
    item: Any
    how: str
    pod: Pod
    ports: tuple[Port, ...]


def entrances(snapshot: Snapshot, graph: Graph, network: Network) -> Iterator[Entrance]:
    """One for each pod behind each; ports that policies close are left out, and so are entrances that lead to none."""
    for service in snapshot.of("Service"):
        if how := opened(service):
            for pod in _living(graph.pods_of_service(service)):
                yield from _entrance("Service", service, how, pod, ports_of(service, pod), network.open_outside(network.endpoint(pod)))
    strangers: dict[Endpoint, Ports] = {}
    for ingress in snapshot.of("Ingress"):
        for service in {name: found for name in backends(ingress) if (found := _service(snapshot, ingress, name)) is not None}.values():
            for pod in _living(graph.pods_of_service(service)):
                endpoint = network.endpoint(pod)
                if endpoint not in strangers:
                    strangers[endpoint] = _strangers(network, endpoint)
                yield from _entrance("Ingress", ingress, "an ingress", pod, ports_of(service, pod), strangers[endpoint])
    for pod in _living(snapshot.pods):
        if pod.spec.host_network or any(port.host_port for one in pod.spec.containers for port in one.ports):
            let = EVERY if pod.spec.host_network else network.open_outside(network.endpoint(pod))
            yield from _entrance("Pod", pod, "its node's network", pod, _on_node(pod), let)


def _entrance(kind: str, item: Any, how: str, pod: Pod, ports: Iterable[Port], let: Ports) -> Iterator[Entrance]:
    through = tuple(port for port in ports if common((Span(port.protocol, port.number, port.number),), let))
    if through:
        yield Entrance(kind, item, how, pod, through)


def _living(pods: Iterable[Pod]) -> Iterator[Pod]:
    return (pod for pod in pods if pod.status.phase not in ("Succeeded", "Failed"))


def opened(service: Service) -> str:
    """How a service is reached from outside; empty where it is not, or only by whom its owner named."""
    spec = service.spec
    if spec.type == "LoadBalancer" and not _narrowed(service):
        return "type LoadBalancer"
    if spec.type == "NodePort":
        return "type NodePort"
    return f"external address {spec.external_ips[0]}" if spec.external_ips else ""


def _narrowed(service: Service) -> bool:
    for key, value in service.metadata.annotations.items():
        named = "internal" in key or "load-balancer-type" in key or key.endswith("-scheme")
        if named and value.lower() in INTERNAL:
            return True
    ranges = service.spec.load_balancer_source_ranges
    return bool(ranges) and not any(_everybody(each) for each in ranges)


def _everybody(text: str) -> bool:
    try:
        return ipaddress.ip_network(text.strip(), strict=False).prefixlen == 0
    except ValueError:
        return False


def backends(ingress: Ingress) -> Iterator[str]:
    """The services that it names."""
    rules = (rule.get("http") for rule in ingress.spec.rules)
    paths = (path for http in rules if isinstance(http, dict) for path in _dicts(http.get("paths")))
    for backend in (ingress.spec.default_backend, *(path.get("backend") for path in paths)):
        service = backend.get("service") if isinstance(backend, dict) else None
        if isinstance(service, dict) and isinstance(service.get("name"), str):
            yield service["name"]


def _dicts(value: object) -> Iterator[dict[str, Any]]:
    return (each for each in value if isinstance(each, dict)) if isinstance(value, list) else iter(())


def _service(snapshot: Snapshot, ingress: Ingress, name: str) -> Service | None:
    found: Service | None = snapshot.find("Service", ingress.metadata.namespace, name)
    return found


def ports_of(service: Service, pod: Pod) -> Iterator[Port]:
    """What the service's ports are on this pod. A name that no container has leads nowhere."""
    for port in service.spec.ports:
        protocol = str(port.get("protocol") or "TCP")
        wanted = port.get("targetPort") or port.get("port")
        if isinstance(wanted, str) and wanted.isdecimal() and len(wanted) <= 5:
            wanted = int(wanted)
        if isinstance(wanted, str):
            named = (each for one in (*pod.spec.containers, *pod.spec.init_containers) for each in one.ports if each.name == wanted)
            yield from (Port(protocol, each.container_port) for each in named if (each.protocol or "TCP") == protocol)
        elif isinstance(wanted, int) and 0 < wanted <= LAST_PORT:
            yield Port(protocol, wanted)


def _on_node(pod: Pod) -> Iterator[Port]:
    for one in pod.spec.containers:
        for port in one.ports:
            if port.host_port or pod.spec.host_network:
                yield Port(port.protocol or "TCP", port.container_port)


def _strangers(network: Network, endpoint: Endpoint) -> Ports:
    """What pods of other namespaces may reach, where the one that serves ingresses will be: all that anybody of them may, and outsiders."""
    heard = list(network.open_outside(endpoint))
    if network.isolated(endpoint)[0]:
        heard += [span for source, ports in network.sources(endpoint) if source.namespace != endpoint.namespace for span in ports]
    return merged(heard)
