"""The smallest NetworkPolicies by which every connection that is known goes on and every other is cut; simulated before they are shown.

Called by `day2 network policies`. Known are: services that variables of pods name, entrances from outside, what the API server calls, and
DNS. One policy denies by default and lets names be resolved; each workload that talks or is talked to has one of its own. Nobody writes
them to a cluster but a person.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain, count
from typing import NamedTuple

from agents.calling import calls
from agents.desk import Desk
from agents.recalling import graph_of
from agents.security.admin_accounts import mounts_token
from agents.security.exposed import open_entrances
from agents.workloads import CONTROLLED, home, pods_in
from core.cluster import decoding, exposure
from core.cluster.escalation import Rights, account_of
from core.cluster.exposure import Port
from core.cluster.network import NAMESPACE_NAME, Endpoint, Network, Span, common, holds, merged, outside, policy_of
from core.cluster.objects import Pod, Service
from core.domain.values import Json

NEEDED = ("Namespace", "Pod", "Service")
"""Without these nothing can be said."""
_WANTED = (
    "Ingress",
    "NetworkPolicy",
    "ServiceAccount",
    "ValidatingWebhookConfiguration",
    "MutatingWebhookConfiguration",
    "APIService",
    *CONTROLLED,
    "ReplicaSet",
)
"""Without one of these a connection may be overlooked, which is told."""
DNS_NAMESPACE, DNS_LABELS = "kube-system", {"k8s-app": "kube-dns"}
DNS_PORTS = (Port("TCP", 53), Port("UDP", 53))
_DNS_SPANS = [Span(port.protocol, port.number, port.number) for port in DNS_PORTS]
_OF_ONE_POD = frozenset(
    (
        "pod-template-hash",
        "controller-revision-hash",
        "pod-template-generation",
        "controller-uid",
        "job-name",
        "batch.kubernetes.io/controller-uid",
        "batch.kubernetes.io/job-name",
        "batch.kubernetes.io/job-completion-index",
        "statefulset.kubernetes.io/pod-name",
        "apps.kubernetes.io/pod-index",
    )
)
"""Labels that controllers give, and that the next pod does not have."""


class Group(NamedTuple):
    """Pods that one selector means."""

    namespace: str
    labels: tuple[tuple[str, str], ...]


DNS = Group(DNS_NAMESPACE, tuple(DNS_LABELS.items()))
ANYBODY = outside("192.0.2.1")
"""Some address that no pod has: what is open to it is open to everybody."""


class Flow(NamedTuple):
    """A known connection. `source` is None for whoever is outside, or is not known by labels."""

    source: Group | None
    target: Group
    ports: tuple[Port, ...]
    why: str


class Closed(NamedTuple):
    """`broken` and `open` are empty where the policies do what they should; `unknown` says in words what cannot be told from here."""

    namespace: str
    policies: tuple[Json, ...]
    flows: tuple[Flow, ...]
    broken: tuple[str, ...]
    open: tuple[str, ...]
    unknown: tuple[str, ...]

    @property
    def sound(self) -> bool:
        return not self.broken and not self.open


def close(desk: Desk, namespace: str) -> Closed:
    """The policies of one namespace, and what a simulation of them says."""
    flows, unknown = known_flows(desk, namespace)
    made = tuple(policies(namespace, flows, named_resolver=named_resolver(desk)))
    broken, left = simulate(desk, namespace, flows, made)
    return Closed(namespace, made, flows, broken, left, unknown)


def named_resolver(desk: Desk) -> bool:
    """Whether pods by the well-known labels answer for names, and no cache on the nodes stands before them: else anybody may be asked."""
    marks = {(pod.metadata.labels.get("k8s-app"), pod.spec.host_network) for pod in pods_in(desk.snapshot, DNS_NAMESPACE)}
    return (DNS_LABELS["k8s-app"], False) in marks and not any(mark == "node-local-dns" for mark, _ in marks)


def known_flows(desk: Desk, namespace: str) -> tuple[tuple[Flow, ...], tuple[str, ...]]:
    """Those that begin or end in this namespace, each once; and what is called and cannot be told by pods' labels."""
    flows: dict[Flow, None] = {}
    unknown = {
        f"no {kind} could be read: what such objects open or own is not known": None for kind in _WANTED if kind in desk.snapshot.unread
    }
    for flow in (*_calls(desk, namespace, unknown), *_entrances(desk, namespace), *_webhooks(desk, namespace)):
        flows[flow] = None
    grants = Rights(desk.snapshot).grants
    for pod in pods_in(desk.snapshot, namespace):
        if not _stable(pod) and not pod.spec.host_network:
            unknown[f"pod {pod.metadata.name} has no labels of its own: no policy can name it"] = None
        if account_of(pod) in grants and mounts_token(desk.snapshot, namespace, pod.spec):
            unknown[
                f"{home(desk.snapshot, pod)[1].metadata.name} has rights in the cluster: if it uses them, let it reach the API server"
            ] = None
    return tuple(flows), tuple(unknown)


def _calls(desk: Desk, namespace: str, unknown: dict[str, None]) -> Iterator[Flow]:
    for call in calls(desk):
        if namespace not in (call.namespace, call.pod.metadata.namespace):
            continue
        service = desk.snapshot.find("Service", call.namespace, call.service)
        if service is None:
            continue
        targets = list(_targets(desk, service))
        if not targets:
            unknown[f"{call.user} calls {call.namespace}/{call.service}, behind which no pod is known"] = None
        source = None if call.pod.spec.host_network else group_of(desk, call.pod)
        for target, ports in targets:
            yield Flow(source, target, ports, f"{call.user} calls service {call.namespace}/{call.service}")


def _entrances(desk: Desk, namespace: str) -> Iterator[Flow]:
    for entrance in open_entrances(desk):
        if entrance.pod.metadata.namespace == namespace and not entrance.pod.spec.host_network:
            yield Flow(
                None, group_of(desk, entrance.pod), entrance.ports, f"{entrance.kind.lower()} {entrance.item.metadata.name}: {entrance.how}"
            )


def _webhooks(desk: Desk, namespace: str) -> Iterator[Flow]:
    """The API server calls these; its address is not known."""
    clients = [
        (f"webhook {hook.name}", hook.client_config.service)
        for kind in ("ValidatingWebhookConfiguration", "MutatingWebhookConfiguration")
        for item in desk.snapshot.of(kind)
        for hook in item.webhooks
    ]
    clients += [(f"API {item.metadata.name}", item.spec.service) for item in desk.snapshot.of("APIService")]
    for why, named in clients:
        if named is not None and named.get("namespace") == namespace:
            service = desk.snapshot.find("Service", namespace, str(named.get("name")))
            for target, ports in _targets(desk, service) if service is not None else ():
                yield Flow(None, target, ports, why)


def _targets(desk: Desk, service: Service) -> Iterator[tuple[Group, tuple[Port, ...]]]:
    found: dict[Group, dict[Port, None]] = defaultdict(dict)
    for pod in graph_of(desk).pods_of_service(service):
        if pod.status.phase not in ("Succeeded", "Failed") and not pod.spec.host_network:
            found[group_of(desk, pod)].update(dict.fromkeys(exposure.ports_of(service, pod)))
    yield from ((group, tuple(sorted(ports))) for group, ports in found.items() if ports)


def group_of(desk: Desk, pod: Pod) -> Group:
    """By the selector of its workload, and where that has none by the labels that the next pod has too."""
    kind, item = home(desk.snapshot, pod)
    selector = item.spec.selector if kind in CONTROLLED else None
    labels = selector.match_labels if selector is not None and selector.match_labels else _stable(pod)
    return Group(pod.metadata.namespace, tuple(sorted(labels.items())))


def _stable(pod: Pod) -> dict[str, str]:
    return {key: value for key, value in pod.metadata.labels.items() if key not in _OF_ONE_POD}


def policies(namespace: str, flows: Iterable[Flow], *, named_resolver: bool) -> Iterator[Json]:
    """The default first, then one for each group that talks or is talked to, by its name."""
    dns: Json = ({"to": [_peer(DNS, namespace)]} if named_resolver else {}) | {"ports": [_port(port) for port in DNS_PORTS]}
    yield _policy(namespace, "default-deny", (), [], [dns])
    ends: dict[Group, tuple[dict[tuple[Port, ...], dict[Group | None, None]], ...]] = {}
    for flow in flows:
        for at, (group, other) in enumerate(((flow.target, flow.source), (flow.source, flow.target))):
            if group is not None and group.namespace == namespace and group.labels:
                ends.setdefault(group, ({}, {}))[at].setdefault(flow.ports, {})[other] = None
    names: set[str] = set()
    for group in sorted(ends):
        heard, said = (
            [_rule(tuple(peers), ports, namespace, side) for ports, peers in sorted(found.items())]
            for found, side in zip(ends[group], ("from", "to"), strict=True)
        )
        yield _policy(namespace, _name(group, names), group.labels, heard, said)


def _name(group: Group, taken: set[str]) -> str:
    """Of the values of its labels; with a number where that is taken."""
    words = re.sub(r"[^a-z0-9]+", "-", "-".join(value for _, value in group.labels).lower())[:50].strip("-") or "pods"
    name = next(each for number in count(1) if (each := words if number == 1 else f"{words}-{number}") not in taken)
    taken.add(name)
    return name


def _policy(namespace: str, name: str, labels: tuple[tuple[str, str], ...], ingress: list[Json], egress: list[Json]) -> Json:
    spec: Json = {"podSelector": {"matchLabels": dict(labels)} if labels else {}, "policyTypes": ["Ingress", "Egress"]}
    if ingress:
        spec["ingress"] = ingress
    if egress:
        spec["egress"] = egress
    meta = {"name": f"day2-{name}", "namespace": namespace}
    return {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": meta, "spec": spec}


def _rule(peers: tuple[Group | None, ...], ports: Iterable[Port], namespace: str, side: str) -> Json:
    """Somebody who is not known by labels makes the rule one for everybody, on these ports alone."""
    groups = sorted(group for group in peers if group is not None and group.labels)
    rule: Json = {"ports": [_port(port) for port in ports]}
    return rule if len(groups) < len(peers) else {side: [_peer(group, namespace) for group in groups], **rule}


def _peer(group: Group, namespace: str) -> Json:
    peer: Json = {"podSelector": {"matchLabels": dict(group.labels)}}
    return peer if group.namespace == namespace else {"namespaceSelector": {"matchLabels": {NAMESPACE_NAME: group.namespace}}, **peer}


def _port(port: Port) -> Json:
    return {"protocol": port.protocol, "port": port.number}


def simulate(desk: Desk, namespace: str, flows: Iterable[Flow], made: Iterable[Json]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What the policies would break of the flows, and what they would leave open besides, at the ends that stand in this namespace.

    The namespace's policies of today stay in force, since policies only add up: what they allow is counted as meant.
    """
    before = tuple(policy for item in desk.snapshot.of("NetworkPolicy") if (policy := policy_of(item)) is not None)
    added = tuple(policy for item in made if (policy := policy_of(decoding.convert_object("NetworkPolicy", item))) is not None)
    labels = {item.metadata.name: item.metadata.labels for item in desk.snapshot.of("Namespace")}
    pods = [pod for pod in desk.snapshot.pods if pod.status.phase not in ("Succeeded", "Failed")]
    after, was = Network(pods, (*before, *added), labels), Network(pods, before, labels)
    members: dict[Group, list[Endpoint]] = defaultdict(list)
    wanted: dict[tuple[Endpoint | None, Endpoint], list[Span]] = defaultdict(list)
    broken: dict[str, None] = {}
    for group, endpoint in _members(desk, after):
        members[group].append(endpoint)
    for flow in flows:
        spans = [Span(port.protocol, port.number, port.number) for port in flow.ports]
        for target in members[flow.target]:
            for source in members[flow.source] if flow.source is not None else (None,):
                wanted[source, target] += spans
                if not all(_goes(after, namespace, source, target, span) for span in spans):
                    broken[flow.why] = None
    resolvers = members[DNS] if named_resolver(desk) else [ANYBODY]
    for endpoint in after.endpoints:
        if endpoint.namespace == namespace and endpoint.selectable:
            for resolver in resolvers:
                wanted[endpoint, resolver] += _DNS_SPANS
                if not all(holds(after.sendable(endpoint, resolver), *port) for port in DNS_PORTS):
                    broken["names are resolved"] = None
    return tuple(broken), tuple(dict.fromkeys(_left_open(after, was, namespace, wanted)))


def _members(desk: Desk, network: Network) -> Iterator[tuple[Group, Endpoint]]:
    for endpoint, pods in network.pods.items():
        if endpoint.selectable:
            for group in dict.fromkeys(group_of(desk, pod) for pod in pods):
                yield group, endpoint
            resolves = endpoint.namespace == DNS.namespace and set(DNS.labels) <= set(endpoint.labels)
            if resolves and DNS not in {group_of(desk, pod) for pod in pods}:
                yield DNS, endpoint


def _goes(network: Network, namespace: str, source: Endpoint | None, target: Endpoint, span: Span) -> bool:
    """Only the ends of this namespace are asked: what another's policies cut today is none of these policies' doing."""
    if target.namespace == namespace:
        let = network.open_outside(target) if source is None else network.receivable(source, target)
        if not holds(let, span.protocol, span.first):
            return False
    if source is not None and source.namespace == namespace:
        return holds(network.sendable(source, target), span.protocol, span.first)
    return True


def _left_open(
    after: Network, was: Network, namespace: str, wanted: Mapping[tuple[Endpoint | None, Endpoint], list[Span]]
) -> Iterator[str]:
    """What goes and neither a flow nor a policy of today means, seen from both ends."""
    for end in after.endpoints:
        if end.namespace != namespace or not end.selectable:
            continue
        heard = ((source, end, ports, was.receivable(source, end) if was.isolated(end)[0] else ()) for source, ports in after.sources(end))
        said = ((end, target, ports, was.sendable(end, target) if was.isolated(end)[1] else ()) for target, ports in after.targets(end))
        for source, target, ports, ruled in (*heard, *said):
            known = (wanted.get(pair, ()) for pair in ((source, target), (None, target), (source, ANYBODY)))
            if common(ports, merged([*ruled, *chain.from_iterable(known)])) != ports:
                yield f"{_shown(source)} to {_shown(target)}"


def _shown(endpoint: Endpoint) -> str:
    return f"{endpoint.namespace}/{','.join(f'{key}={value}' for key, value in endpoint.labels) or 'pods without labels'}"
