"""SEC-110, SEC-113 and SEC-114: namespaces that take connections from everywhere, and policies that do not do what they were written for.

Called by the table of this agent.
"""

from collections.abc import Iterator
from datetime import timedelta

from agents.desk import Desk
from agents.recalling import once
from agents.reporting import counted, derived, found, pairs, seen
from agents.security.namespaces import excused, inhabited, unseen_template
from agents.workloads import SYSTEM_NAMESPACES, age, pods_in, templates
from core.cluster import selecting
from core.cluster.network import Network, Policy, Rule, network_of, policy_of
from core.cluster.objects import Namespace, NetworkPolicy, Pod, PodTemplate
from core.domain.finding import Finding, Severity

OPEN, IDLE, UNDONE = "SEC-110", "SEC-113", "SEC-114"
PATIENCE = timedelta(hours=1)
"""A policy may come before the pods that it is for."""
_OTHERS = {
    "cilium": "Cilium",
    "calico": "Calico",
    "antrea": "Antrea",
    "istio": "Istio",
    "proxyv2": "Istio",
    "ztunnel": "Istio",
    "linkerd": "Linkerd",
    "consul": "Consul",
}
"""What has policies of kinds of its own, by a word of an image's name."""


def network(desk: Desk) -> Network:
    """Who may talk to whom, worked out once for all checks of a desk."""
    return _networks(desk)[0]


@once
def _networks(desk: Desk) -> Iterator[Network]:
    yield network_of(desk.snapshot)


def detect_open(desk: Desk) -> Iterator[Finding]:
    guarded = {item.metadata.namespace for item in desk.snapshot.of("NetworkPolicy")}
    for namespace in inhabited(desk):
        if excused(namespace):
            continue
        pods = [pod for pod in pods_in(desk.snapshot, namespace.metadata.name) if not pod.spec.host_network]
        if namespace.metadata.name in guarded:
            bare = [pod for pod in pods if not network(desk).isolated(network(desk).endpoint(pod))[0]]
        else:
            bare = pods
        if bare:
            yield _open(desk, namespace, bare, len(pods))


def others(desk: Desk) -> tuple[str, ...]:
    """What runs in this cluster and has policies of its own kinds, which are not read here."""
    return _others(desk)


@once
def _others(desk: Desk) -> Iterator[str]:
    images = {one.image for pod in desk.snapshot.pods for one in (*pod.spec.containers, *pod.spec.init_containers)}
    yield from sorted({name for image in images for word, name in _OTHERS.items() if word in image})


def _open(desk: Desk, namespace: Namespace, bare: list[Pod], total: int) -> Finding:
    name, subject = namespace.metadata.name, desk.snapshot.target("Namespace", namespace)
    which = "its" if len(bare) == total else f"{len(bare)} of its"
    evidence = [
        seen(
            desk, "Pod", bare[0], "metadata.labels", f"{pairs(bare[0].metadata.labels) or 'none'}; no NetworkPolicy for Ingress selects it"
        ),
    ]
    if others(desk):
        evidence.append(derived(desk, subject, "runs in this cluster, and its own policies are not read", ", ".join(others(desk))))
    return found(
        desk,
        OPEN,
        Severity.INFO if others(desk) else Severity.LOW,
        subject,
        f"namespace {name} has no policy that denies by default: {which} {counted(total, 'pod')} take connections from everywhere",
        "Whoever enters any pod of the cluster can try every port of these.",
        *evidence,
    )


def detect_idle(desk: Desk) -> Iterator[Finding]:
    for item in _ours(desk):
        name, selector = item.metadata.namespace, item.spec.pod_selector
        if not (selector.match_labels or selector.match_expressions) or age(item.metadata, desk.now) < PATIENCE or policy_of(item) is None:
            continue
        here: list[Pod | PodTemplate] = [*pods_in(desk.snapshot, name), *templates(desk.snapshot, name)]
        if not here or unseen_template(desk, name) or any(selecting.matches(selector, each.metadata.labels) for each in here):
            continue
        yield found(
            desk,
            IDLE,
            Severity.LOW,
            desk.snapshot.target("NetworkPolicy", item),
            f"network policy {item.metadata.name} selects none of the {counted(len(here), 'pod and template')} of its namespace",
            "What it was written to guard is guarded by nothing, and its rules let nobody in.",
            seen(desk, "NetworkPolicy", item, "spec.podSelector", _selected(item)),
        )


def _selected(item: NetworkPolicy) -> str:
    rest = ", ".join(f"{each.get('key')} {each.get('operator')}" for each in item.spec.pod_selector.match_expressions)
    return ", ".join(filter(None, (pairs(item.spec.pod_selector.match_labels), rest)))


def detect_undone(desk: Desk) -> Iterator[Finding]:
    """Of a policy whose own words contradict each other, or that takes back what another denies by default."""
    read = [(item, policy) for item in _ours(desk) if (policy := policy_of(item)) is not None]
    denying = {(policy.namespace, side): item for item, policy in read for side in ("ingress", "egress") if denies_all(policy, side)}
    for item, policy in read:
        for side in ("ingress", "egress"):
            how = contradicted(policy, side)
            denied = denying.get((policy.namespace, side))
            if not how and denied is not None and _everyone(policy) and any(_opens(rule) for rule in policy.rules(side) or ()):
                how = f"opens to everybody what {denied.metadata.name} denies by default"
            if how:
                yield _undone(desk, item, side, how)
                break


def denies_all(policy: Policy, side: str) -> bool:
    """Isolates every pod of its namespace, and allows nothing."""
    return _everyone(policy) and policy.rules(side) == ()


def contradicted(policy: Policy, side: str) -> str:
    """Why rules of one direction do nothing beside another of them; empty where they all count."""
    rules = policy.rules(side) or ()
    if any(_opens(rule) for rule in rules) and any(rule.peers for rule in rules):
        return "has a rule without peers and ports beside rules that name peers, which do nothing then"
    blocks = [peer.block for rule in rules if rule.ports is None for peer in rule.peers or () if peer.block is not None]
    for whole in blocks:
        if whole.network.prefixlen == 0 and not whole.excluded:
            narrow = [block for block in blocks if block.network.prefixlen and block.network.version == whole.network.version]
            if narrow:
                return f"allows {whole.network} beside {narrow[0].network}, which does nothing then"
    return ""


def _everyone(policy: Policy) -> bool:
    return not (policy.selector.match_labels or policy.selector.match_expressions)


def _opens(rule: Rule) -> bool:
    return rule.peers is None and rule.ports is None


def _undone(desk: Desk, item: NetworkPolicy, side: str, how: str) -> Finding:
    rules = item.spec.ingress if side == "ingress" else item.spec.egress
    return found(
        desk,
        UNDONE,
        Severity.MEDIUM,
        desk.snapshot.target("NetworkPolicy", item),
        f"network policy {item.metadata.name} {how}",
        "It reads as if it kept somebody out, and keeps out nobody.",
        seen(desk, "NetworkPolicy", item, f"spec.{side}", f"{counted(len(rules), 'rule')}, one of them for everybody on every port"),
    )


def _ours(desk: Desk) -> Iterator[NetworkPolicy]:
    for item in sorted(desk.snapshot.of("NetworkPolicy"), key=lambda item: (item.metadata.namespace, item.metadata.name)):
        if item.metadata.namespace not in SYSTEM_NAMESPACES:
            yield item
