"""SEC-111 and SEC-112: what is open to the outside and should not be. Called by the table of this agent."""

from collections.abc import Iterator, Mapping

from agents.desk import Desk
from agents.recalling import graph_of, once
from agents.reporting import found, seen
from agents.security.admin_accounts import account, is_admin
from agents.security.namespaces import excused
from agents.security.network_policies import network
from agents.security.node_paths import owning
from agents.security.privileged_pods import reaches
from agents.workloads import SYSTEM_NAMESPACES, home
from core.cluster.exposure import Entrance, entrances
from core.domain.finding import Finding, Severity

SENSITIVE, MIGHTY = "SEC-111", "SEC-112"
PORTS: Mapping[int, str] = {
    2375: "the Docker API without TLS",
    2376: "the Docker API",
    2379: "etcd",
    2380: "etcd's peers",
    3306: "MySQL",
    5432: "PostgreSQL",
    5984: "CouchDB",
    6379: "Redis",
    7000: "Cassandra's peers",
    8500: "Consul",
    9042: "Cassandra",
    9200: "Elasticsearch",
    9300: "Elasticsearch's peers",
    10250: "a kubelet",
    11211: "memcached",
    15672: "RabbitMQ's management",
    22: "SSH",
    27017: "MongoDB",
    1433: "SQL Server",
    1521: "Oracle",
    2181: "ZooKeeper",
    5672: "RabbitMQ",
    6443: "a Kubernetes API",
    9092: "Kafka",
}
"""Ports of programs that are made to be spoken to from inside."""


@once
def open_entrances(desk: Desk) -> Iterator[Entrance]:
    """All of the cluster, found once for all checks of a desk."""
    if _may_have(desk):
        yield from entrances(desk.snapshot, graph_of(desk), network(desk))


def _may_have(desk: Desk) -> bool:
    """Most clusters' pods stand behind few entrances: without one there is no network to work out."""
    if desk.snapshot.of("Ingress") or any(
        item.spec.type not in ("", "ClusterIP") or item.spec.external_ips for item in desk.snapshot.of("Service")
    ):
        return True
    return any(
        pod.spec.host_network or any(port.host_port for one in pod.spec.containers for port in one.ports) for pod in desk.snapshot.pods
    )


def _first_of_each(desk: Desk, kinds: tuple[str, ...]) -> Iterator[Entrance]:
    """One pod for each workload behind each object that opens it."""
    told: set[tuple[str, str, str, str]] = set()
    for entrance in open_entrances(desk):
        meta = entrance.item.metadata
        key = (entrance.kind, meta.namespace, meta.name, home(desk.snapshot, entrance.pod)[1].metadata.uid)
        if entrance.kind in kinds and meta.namespace not in SYSTEM_NAMESPACES and key not in told:
            told.add(key)
            yield entrance


def detect_sensitive(desk: Desk) -> Iterator[Finding]:
    told: set[str] = set()
    for entrance in _first_of_each(desk, ("Service",)):
        ports = [port for port in entrance.ports if port.protocol == "TCP" and port.number in PORTS]
        service = entrance.item
        if ports and service.metadata.uid not in told:
            told.add(service.metadata.uid)
            names = ", ".join(f"{port.number} ({PORTS[port.number]})" for port in ports[:3])
            yield found(
                desk,
                SENSITIVE,
                Severity.HIGH,
                desk.snapshot.target("Service", service),
                f"service {service.metadata.name} opens port {names} to the outside: {entrance.how}",
                "Programs of this kind are attacked within hours of being found, and many ask no password inside.",
                seen(desk, "Service", service, "spec.type", service.spec.type or "ClusterIP"),
                seen(desk, "Service", service, "spec.ports", ", ".join(f"{port.protocol} {port.number}" for port in ports)),
                seen(
                    desk, "Service", service, "spec.loadBalancerSourceRanges", ", ".join(service.spec.load_balancer_source_ranges) or "none"
                ),
                seen(desk, "Pod", entrance.pod, "network policies that let the outside in on this port", "yes, or none isolates the pod"),
            )


def detect_mighty(desk: Desk) -> Iterator[Finding]:
    for entrance in _first_of_each(desk, ("Service", "Ingress")):
        namespace = desk.snapshot.find("Namespace", "", entrance.pod.metadata.namespace)
        if namespace is None or excused(namespace):
            continue
        if powers := powers_of(desk, entrance):
            kind, item = entrance.kind, entrance.item
            yield found(
                desk,
                MIGHTY,
                Severity.HIGH,
                desk.snapshot.target(kind, item),
                f"{kind.lower()} {item.metadata.name} leads from outside to pods of {_home(desk, entrance)}, which {powers[0]}",
                "One fault in a program that strangers may speak to, and they own more than that program.",
                seen(desk, kind, item, "spec", entrance.how),
                *(seen(desk, "Pod", entrance.pod, "spec", power) for power in powers[:4]),
            )


def powers_of(desk: Desk, entrance: Entrance) -> tuple[str, ...]:
    """What whoever enters the pod has besides the pod."""
    spec = entrance.pod.spec
    held = [f"set {path}" for path in reaches(spec)] + [f"mount {path} of their node" for path in owning(spec)]
    if is_admin(desk.snapshot, entrance.pod.metadata.namespace, spec) is not None:
        held.append(f"run as {account(spec)}, which may do everything in the cluster")
    return tuple(held)


def _home(desk: Desk, entrance: Entrance) -> str:
    kind, item = home(desk.snapshot, entrance.pod)
    return f"{kind.lower()} {item.metadata.name}"
