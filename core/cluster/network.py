"""Who may talk to whom under the NetworkPolicies of one look at a cluster, exactly and without asking for each pair. Pure.

Source of the semantics: https://kubernetes.io/docs/concepts/services-networking/network-policies/ and what the API says of each field. What
those leave to the network plugin is decided so: a block of addresses holds a pod where it holds the address that its status names; pods on
their node's network are that node, so no selector matches them and no policy isolates them. Connections are meant, so answers pass.

Pods that no policy can tell apart are one endpoint: same namespace, labels and named ports, and on the same side of every block's border.
Whether any plugin enforces the policies is not known here.
"""

import ipaddress
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from typing import Any, Generic, NamedTuple, TypeVar

import msgspec

from core.cluster import selecting
from core.cluster.objects import LabelSelector, NetworkPolicy, Pod
from core.cluster.snapshot import Snapshot

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Block = ipaddress.IPv4Network | ipaddress.IPv6Network
NAMESPACE_NAME = "kubernetes.io/metadata.name"
PROTOCOLS = ("SCTP", "TCP", "UDP")
LAST_PORT = 65_535


class Span(NamedTuple):
    """Ports of one protocol, both ends included."""

    protocol: str
    first: int
    last: int


Ports = tuple[Span, ...]
"""Sorted, and without overlap."""
EVERY: Ports = tuple(Span(protocol, 1, LAST_PORT) for protocol in PROTOCOLS)
NONE: Ports = ()


class NamedPort(NamedTuple):
    """A container port that has a name."""

    name: str
    protocol: str
    number: int


class Endpoint(NamedTuple):
    """All pods of which the same is true. One that is not `selectable` is a node, or an address outside: only blocks match it."""

    namespace: str
    labels: tuple[tuple[str, str], ...]
    named: tuple[NamedPort, ...]
    selectable: bool
    address: Address | None


class IpBlock(NamedTuple):
    network: Block
    excluded: tuple[Block, ...]

    def holds(self, address: Address | None) -> bool:
        if address is None or address.version != self.network.version or address not in self.network:
            return False
        return not any(address.version == block.version and address in block for block in self.excluded)


class Peer(NamedTuple):
    """`namespaces` is None for those of the policy's own namespace; `pods` is None for all of the chosen namespaces."""

    namespaces: LabelSelector | None
    pods: LabelSelector | None
    block: IpBlock | None


class PortRule(NamedTuple):
    """A range, or a name that the destination's containers give a number."""

    protocol: str
    name: str
    first: int
    last: int


class Rule(NamedTuple):
    """`peers` is None for everybody, `ports` for every port. Empty tuples are rules of which nothing could be read: nobody, nothing."""

    peers: tuple[Peer, ...] | None
    ports: tuple[PortRule, ...] | None


class Policy(NamedTuple):
    """`ingress` or `egress` is None where the policy does not isolate in that direction."""

    namespace: str
    name: str
    selector: LabelSelector
    ingress: tuple[Rule, ...] | None
    egress: tuple[Rule, ...] | None

    def rules(self, side: str) -> tuple[Rule, ...] | None:
        return self.ingress if side == "ingress" else self.egress


class _Expression(msgspec.Struct, frozen=True):
    key: str
    operator: str
    values: tuple[str, ...] | None = ()


class _Selector(msgspec.Struct, frozen=True, rename="camel"):
    match_labels: dict[str, str] | None = None
    match_expressions: tuple[_Expression, ...] | None = None


class _Block(msgspec.Struct, frozen=True, rename={"excluded": "except"}):
    cidr: str
    excluded: tuple[str, ...] | None = None


class _Peer(msgspec.Struct, frozen=True, rename="camel"):
    pod_selector: _Selector | None = None
    namespace_selector: _Selector | None = None
    ip_block: _Block | None = None


class _Port(msgspec.Struct, frozen=True, rename="camel"):
    protocol: str | None = None
    port: int | str | None = None
    end_port: int | None = None


def policy_of(item: NetworkPolicy) -> Policy | None:
    """None where its selector cannot be read: nobody knows then whom it isolates. A peer or port that cannot be read allows nothing."""
    selector = _read(msgspec.to_builtins(item.spec.pod_selector), _Selector)
    if selector is None:
        return None
    types = item.spec.policy_types or (("Ingress", "Egress") if item.spec.egress else ("Ingress",))
    return Policy(
        item.metadata.namespace,
        item.metadata.name,
        _selector(selector),
        tuple(_rule(rule, "from") for rule in item.spec.ingress) if "Ingress" in types else None,
        tuple(_rule(rule, "to") for rule in item.spec.egress) if "Egress" in types else None,
    )


T = TypeVar("T")


def _read(value: object, struct: type[T]) -> T | None:
    try:
        return msgspec.convert(value, struct)
    except (msgspec.ValidationError, RecursionError):
        return None


def _selector(read: _Selector) -> LabelSelector:
    expressions = tuple({"key": one.key, "operator": one.operator, "values": one.values or ()} for one in read.match_expressions or ())
    return LabelSelector(match_labels=read.match_labels or {}, match_expressions=expressions)


def _rule(rule: Mapping[str, Any], side: str) -> Rule:
    peers, ports = rule.get(side), rule.get("ports")
    return Rule(
        tuple(filter(None, map(_peer, _list(peers)))) if peers not in (None, []) else None,
        tuple(filter(None, map(_port, _list(ports)))) if ports not in (None, []) else None,
    )


def _list(value: object) -> Iterable[object]:
    return value if isinstance(value, list | tuple) else ()


def _peer(value: object) -> Peer | None:
    read = _read(value, _Peer)
    if read is None:
        return None
    if read.ip_block is not None:
        block = _block(read.ip_block)
        alone = read.pod_selector is None and read.namespace_selector is None
        return Peer(None, None, block) if block is not None and alone else None
    if read.pod_selector is None and read.namespace_selector is None:
        return None
    namespaces, pods = read.namespace_selector, read.pod_selector
    return Peer(_selector(namespaces) if namespaces is not None else None, _selector(pods) if pods is not None else None, None)


def _block(read: _Block) -> IpBlock | None:
    try:
        excluded = tuple(ipaddress.ip_network(text, strict=False) for text in read.excluded or ())
        return IpBlock(ipaddress.ip_network(read.cidr, strict=False), excluded)
    except ValueError:
        return None


def _port(value: object) -> PortRule | None:
    read = _read(value, _Port)
    if read is None:
        return None
    protocol = read.protocol or "TCP"
    if read.port is None:
        return PortRule(protocol, "", 1, LAST_PORT)
    if isinstance(read.port, str):
        return PortRule(protocol, read.port, 0, 0)
    return PortRule(protocol, "", read.port, read.end_port if read.end_port is not None else read.port)


def address_of(text: str) -> Address | None:
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None


def outside(address: str) -> Endpoint:
    """Someone beyond the cluster. Raises ValueError for what is no address."""
    return Endpoint("", (), (), selectable=False, address=ipaddress.ip_address(address))


def merged(spans: Iterable[Span]) -> Ports:
    """Overlapping and adjoining ranges as one."""
    found: list[Span] = []
    for span in sorted(span for span in spans if span.first <= span.last):
        if found and found[-1].protocol == span.protocol and span.first <= found[-1].last + 1:
            found[-1] = Span(span.protocol, found[-1].first, max(found[-1].last, span.last))
        else:
            found.append(span)
    return tuple(found)


def common(one: Ports, other: Ports) -> Ports:
    """What both hold."""
    if one is EVERY or other is EVERY:
        return other if one is EVERY else one
    return merged(
        Span(left.protocol, max(left.first, right.first), min(left.last, right.last))
        for left in one
        for right in other
        if left.protocol == right.protocol
    )


def holds(ports: Ports, protocol: str, number: int) -> bool:
    return any(span.protocol == protocol and span.first <= number <= span.last for span in ports)


class _Index(Generic[T]):
    """Things with labels, found by a selector without asking each of them."""

    def __init__(self, labels: Mapping[T, Mapping[str, str]]) -> None:
        self._labels = labels
        self._by_pair: dict[tuple[str, str], list[T]] = defaultdict(list)
        for thing, pairs in labels.items():
            for pair in pairs.items():
                self._by_pair[pair].append(thing)

    def matching(self, selector: LabelSelector) -> list[T]:
        exact = [self._by_pair.get(pair, []) for pair in selector.match_labels.items()]
        for expression in selector.match_expressions:
            if expression.get("operator") == "In":
                values = dict.fromkeys(expression["values"])
                exact.append([thing for value in values for thing in self._by_pair.get((expression["key"], value), ())])
        candidates = min(exact, key=len) if exact else list(self._labels)
        return [thing for thing in candidates if selecting.matches(selector, self._labels[thing])]


class _Allowed(NamedTuple):
    """A rule with its selectors resolved: `members` are endpoints by number, None for everybody, addresses outside too."""

    members: frozenset[int] | None
    blocks: tuple[IpBlock, ...]
    ports: tuple[PortRule, ...] | None

    def lets(self, number: int | None, endpoint: Endpoint) -> bool:
        if self.members is None or number in self.members:
            return True
        return any(block.holds(endpoint.address) for block in self.blocks)


class Network:
    """What policies allow between the pods of one snapshot. Everything is worked out on first use."""

    def __init__(self, pods: Iterable[Pod], policies: Iterable[Policy], namespaces: Mapping[str, Mapping[str, str]]) -> None:
        """`namespaces` are labels by name; the label with the name itself is added, as the API server does."""
        self._policies = tuple(policies)
        self._cells = _Cells(self._policies)
        self._given = namespaces
        grouped: dict[Endpoint, list[Pod]] = defaultdict(list)
        shapes: dict[tuple[object, ...], Endpoint] = {}
        alike: dict[object, Endpoint] = {}
        every = tuple(pods)  # kept: an id stands for one object only as long as that lives
        for pod in every:
            address = address_of(pod.status.pod_ip) if pod.status.pod_ip and self._cells.any else None
            cell = self._cells.of(address)
            shape = (pod.metadata.namespace, id(pod.metadata.labels), pod.spec.host_network, cell, *map(id, _ports_of(pod)))
            if shape not in shapes:
                made = _endpoint(pod, address if cell is not None else None)
                shapes[shape] = alike.setdefault((made[:-1], cell), made)
            grouped[shapes[shape]].append(pod)
        self.pods: Mapping[Endpoint, tuple[Pod, ...]] = {endpoint: tuple(found) for endpoint, found in grouped.items()}
        self.endpoints = tuple(self.pods)
        self._numbers = {endpoint: number for number, endpoint in enumerate(self.endpoints)}
        self._members: dict[tuple[str, bytes, bytes], frozenset[int]] = {}
        self._of_pod = {id(pod): endpoint for endpoint, found in self.pods.items() for pod in found}

    def endpoint(self, pod: Pod) -> Endpoint:
        """Of a pod that was given."""
        return self._of_pod[id(pod)]

    def isolated(self, endpoint: Endpoint) -> tuple[bool, bool]:
        """Whether any policy isolates it: against what comes in, against what goes out."""
        number = self._numbers.get(endpoint)
        return number in self._isolating[0], number in self._isolating[1]

    def policies_of(self, endpoint: Endpoint) -> tuple[Policy, ...]:
        return tuple(self._policies[at] for at in self._selecting.get(self._numbers.get(endpoint, -1), ()))

    def selected(self, policy: Policy) -> tuple[Endpoint, ...]:
        """The endpoints that a policy is about."""
        return tuple(self.endpoints[number] for number in self._chosen(policy))

    def allowed(self, source: Endpoint, target: Endpoint) -> Ports:
        """On which ports of the target the source may connect: what the one may send, and the other receive."""
        return common(self.sendable(source, target), self.receivable(source, target))

    def sendable(self, source: Endpoint, target: Endpoint) -> Ports:
        return self._ports(self._isolating[1].get(self._numbers.get(source, -1)), target, target)

    def receivable(self, source: Endpoint, target: Endpoint) -> Ports:
        return self._ports(self._isolating[0].get(self._numbers.get(target, -1)), source, target)

    def open_outside(self, target: Endpoint) -> Ports:
        """On which ports somebody who is no pod may connect: all where nothing isolates it, else what its blocks and open rules say."""
        rules = self._isolating[0].get(self._numbers.get(target, -1))
        if rules is None:
            return EVERY
        heard = [rule.ports for rule in rules if rule.members is None or rule.blocks]
        return EVERY if None in heard else merged(span for ports in heard for span in _resolved(ports or (), target))

    def between(self, source: Pod, target: Pod) -> Ports:
        """As `allowed`, of two pods: nothing keeps a pod from itself, nor the node of a pod from it, nor it from its node."""
        if source is target:
            return EVERY
        same_node = bool(source.spec.node_name) and source.spec.node_name == target.spec.node_name
        if same_node and (source.spec.host_network or target.spec.host_network):
            return EVERY
        return self.allowed(self.endpoint(source), self.endpoint(target))

    def sources(self, target: Endpoint) -> Iterator[tuple[Endpoint, Ports]]:
        """Who in the cluster may connect to it, and on which ports. Costs what it yields, and what its rules name."""
        rules = self._isolating[0].get(self._numbers.get(target, -1))
        for number in self._candidates(rules):
            if ports := self.allowed(self.endpoints[number], target):
                yield self.endpoints[number], ports

    def targets(self, source: Endpoint) -> Iterator[tuple[Endpoint, Ports]]:
        """Whom in the cluster it may connect to, and on which ports."""
        rules = self._isolating[1].get(self._numbers.get(source, -1))
        for number in self._candidates(rules):
            if ports := self.allowed(source, self.endpoints[number]):
                yield self.endpoints[number], ports

    def _candidates(self, rules: list[_Allowed] | None) -> Iterable[int]:
        if rules is None or any(rule.members is None for rule in rules):
            return range(len(self.endpoints))
        found: set[int] = set().union(*(rule.members or () for rule in rules))
        blocks = [block for rule in rules for block in rule.blocks]
        if blocks:
            found.update(at for at, one in enumerate(self.endpoints) if any(block.holds(one.address) for block in blocks))
        return sorted(found)

    def _ports(self, rules: list[_Allowed] | None, other: Endpoint, target: Endpoint) -> Ports:
        if rules is None:
            return EVERY
        number, spans = self._numbers.get(other), list[Span]()
        for rule in rules:
            if rule.lets(number, other):
                if rule.ports is None:
                    return EVERY
                spans += _resolved(rule.ports, target)
        return merged(spans)

    @cached_property
    def _selecting(self) -> Mapping[int, list[int]]:
        """Policies by the endpoints that they select."""
        found: dict[int, list[int]] = defaultdict(list)
        for at, policy in enumerate(self._policies):
            for number in self._chosen(policy):
                found[number].append(at)
        return found

    @cached_property
    def _isolating(self) -> tuple[Mapping[int, list[_Allowed]], Mapping[int, list[_Allowed]]]:
        """The rules for what comes in, and for what goes out, of every endpoint that is isolated in that direction."""
        found: tuple[dict[int, list[_Allowed]], dict[int, list[_Allowed]]] = ({}, {})
        for policy in self._policies:
            for side, rules in zip(found, (policy.ingress, policy.egress), strict=True):
                if rules is not None:
                    made = [self._resolve(policy.namespace, rule) for rule in rules]
                    for number in self._chosen(policy):
                        side.setdefault(number, []).extend(made)
        return found

    def _resolve(self, namespace: str, rule: Rule) -> _Allowed:
        if rule.peers is None:
            return _Allowed(None, (), rule.ports)
        members = [self._named_by(namespace, peer) for peer in rule.peers if peer.block is None]
        return _Allowed(
            members[0] if len(members) == 1 else frozenset().union(*members),
            tuple(peer.block for peer in rule.peers if peer.block is not None),
            rule.ports,
        )

    def _named_by(self, namespace: str, peer: Peer) -> frozenset[int]:
        """Found once for each wording: many policies name the same peers."""
        home = "" if peer.namespaces is not None else namespace
        key = (home, msgspec.json.encode(peer.namespaces), msgspec.json.encode(peer.pods))
        if key not in self._members:
            chosen = [namespace] if peer.namespaces is None else self._namespaces.matching(peer.namespaces)
            self._members[key] = frozenset(number for name in chosen for number in self._in_namespace(name, peer.pods))
        return self._members[key]

    def _in_namespace(self, namespace: str, pods: LabelSelector | None) -> Iterable[int]:
        index = self._by_namespace.get(namespace)
        return index.matching(pods or LabelSelector()) if index is not None else ()

    def _chosen(self, policy: Policy) -> Iterable[int]:
        return self._in_namespace(policy.namespace, policy.selector)

    @cached_property
    def _by_namespace(self) -> Mapping[str, _Index[int]]:
        found: dict[str, dict[int, Mapping[str, str]]] = defaultdict(dict)
        for number, endpoint in enumerate(self.endpoints):
            if endpoint.selectable:
                found[endpoint.namespace][number] = dict(endpoint.labels)
        return {namespace: _Index(labels) for namespace, labels in found.items()}

    @cached_property
    def _namespaces(self) -> _Index[str]:
        names = {endpoint.namespace for endpoint in self.endpoints}
        return _Index({name: {**self._given.get(name, {}), NAMESPACE_NAME: name} for name in sorted(names)})


def _endpoint(pod: Pod, address: Address | None) -> Endpoint:
    on_host = pod.spec.host_network
    named = {NamedPort(port.name, port.protocol or "TCP", port.container_port) for ports in _ports_of(pod) for port in ports if port.name}
    labels = () if on_host else tuple(sorted(pod.metadata.labels.items()))
    return Endpoint(pod.metadata.namespace, labels, tuple(sorted(named)), not on_host, address)


class _Cells:
    """Between the borders of all blocks of all policies, every address is like every other."""

    def __init__(self, policies: Iterable[Policy]) -> None:
        borders: dict[int, set[int]] = {4: set(), 6: set()}
        for policy in policies:
            for rule in (*(policy.ingress or ()), *(policy.egress or ())):
                for block in (peer.block for peer in rule.peers or () if peer.block is not None):
                    for network in (block.network, *block.excluded):
                        borders[network.version] |= {int(network.network_address), int(network.broadcast_address) + 1}
        self._borders = {version: sorted(found) for version, found in borders.items()}
        self.any = any(self._borders.values())

    def of(self, address: Address | None) -> tuple[int, int] | None:
        """None where no block can hold it."""
        at = bisect_right(self._borders[address.version], int(address)) if address is not None else 0
        return (address.version, at) if address is not None and at else None


def _ports_of(pod: Pod) -> tuple[tuple[Any, ...], ...]:
    """The port lists of its containers: equal ones are often the same object (`core.cluster.sharing`)."""
    return tuple(one.ports for one in (*pod.spec.containers, *pod.spec.init_containers))


def _resolved(ports: Iterable[PortRule], target: Endpoint) -> Iterator[Span]:
    for port in ports:
        if not port.name:
            yield Span(port.protocol, port.first, port.last)
        else:
            for named in target.named:
                if named.name == port.name and named.protocol == port.protocol:
                    yield Span(named.protocol, named.number, named.number)


def network_of(snapshot: Snapshot) -> Network:
    """Of all pods that have not ended, under all policies that can be read."""
    pods = (pod for pod in snapshot.pods if pod.status.phase not in ("Succeeded", "Failed"))
    policies = (policy for item in snapshot.of("NetworkPolicy") if (policy := policy_of(item)) is not None)
    return Network(pods, policies, {item.metadata.name: item.metadata.labels for item in snapshot.of("Namespace")})
