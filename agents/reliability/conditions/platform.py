"""Nodes, namespaces, webhooks and API services: what all workloads stand on. Called by the table of this agent."""

import base64
import binascii
import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from cryptography import x509

from agents.desk import Desk
from agents.recalling import graph_of
from agents.reliability.conditions.signs import Sign, check
from agents.reliability.sick_nodes import CORDONED
from agents.reporting import counted, moment, seen, told
from agents.workloads import age, leaving, ready
from core.actions.fence_node import TAINT
from core.cluster import selecting
from core.cluster.capacity import Room, allocatable, usable
from core.cluster.objects import Node, Webhook
from core.cluster.placing import Amounts, total
from core.domain.finding import Severity

DAY = timedelta(days=1)
OVERDUE = timedelta(minutes=10)
PATIENCE = timedelta(minutes=5)
EXPIRES = timedelta(days=14)
NEARLY_FULL = 0.95
OUT_OF_SERVICE: str = TAINT["key"]
MOST_MINORS_APART = 3
"""What the version skew policy allows between kubelet and API server, since 1.28."""
_VERSION = re.compile(r"v1\.(\d{1,3})")
_NAMESPACE_NAME = "kubernetes.io/metadata.name"
_WEBHOOKS = ("ValidatingWebhookConfiguration", "MutatingWebhookConfiguration")


def forgotten_cordon(desk: Desk) -> Iterator[Sign]:
    """By the time that the node controller wrote into the taint."""
    for node in desk.snapshot.nodes:
        since = next((taint.time_added for taint in node.spec.taints if taint.key == CORDONED and taint.time_added), None)
        well = any(one.type == "Ready" and one.status == "True" for one in node.status.conditions)
        if node.spec.unschedulable and well and since is not None and desk.now - since >= DAY:
            what = f"is well and has been cordoned for {(desk.now - since).days} days"
            evidence = (seen(desk, "Node", node, f"spec.taints[{CORDONED}].timeAdded", moment(since)),)
            yield Sign("Node", node, what, "It is paid for, and takes no pod.", evidence)


def still_fenced(desk: Desk) -> Iterator[Sign]:
    """By the Ready condition of its own kubelet: a machine that is off does not answer."""
    for node in desk.snapshot.nodes:
        ready = next((one for one in node.status.conditions if one.type == "Ready" and one.status == "True"), None)
        back = ready is not None and ready.last_transition_time
        if back and desk.now - back >= PATIENCE and any(taint.key == OUT_OF_SERVICE for taint in node.spec.taints):
            what = f"answers again and is still out of service, {int((desk.now - back).total_seconds() // 60)} minutes after it came back"
            evidence = (
                seen(desk, "Node", node, f"spec.taints[{OUT_OF_SERVICE}]", "NoExecute"),
                seen(desk, "Node", node, "status.conditions[Ready].lastTransitionTime", moment(back)),
            )
            yield Sign("Node", node, what, "Every pod that comes there is ended at once, and its volumes are torn off.", evidence)


def _room_of(node: Node) -> Amounts:
    """Nothing where a node says no quantity that can be read."""
    try:
        return allocatable(node)
    except ValueError:
        return Amounts()


def pods_nearly_full(desk: Desk) -> Iterator[Sign]:
    room = Room(desk.snapshot)
    for node in desk.snapshot.nodes:
        held, most = len(room.pods(node.metadata.name)), _room_of(node).pods
        if most and held >= NEARLY_FULL * most:
            evidence = (seen(desk, "Node", node, "status.allocatable[pods]", most),)
            yield Sign(
                "Node", node, f"runs {held} of at most {most} pods", "Nothing more is scheduled there, whatever CPU is free.", evidence
            )


def no_spare_node(desk: Desk) -> Iterator[Sign]:
    """Whether the requests of all pods still fit when the largest node is gone, added up over nodes: fragmentation makes it worse."""
    nodes = [node for node in desk.snapshot.nodes if usable(node) and not any(taint.effect == "NoSchedule" for taint in node.spec.taints)]
    sizes = {node.metadata.name: _room_of(node) for node in nodes}
    if len(nodes) < 2 or not desk.whole or Amounts() in sizes.values():
        return  # of a node of unknown size: what is left without the largest is unknown too
    room = Room(desk.snapshot)
    held = total(room.held(name) for name in sizes)
    largest = max(nodes, key=lambda node: (sizes[node.metadata.name].memory_mib, sizes[node.metadata.name].cpu_milli, node.metadata.name))
    size = sizes[largest.metadata.name]
    left = total(sizes.values()).minus(size)
    short = [name for name in ("cpu_milli", "memory_mib") if getattr(held, name) > getattr(left, name)]
    if short:
        words = {
            "cpu_milli": f"{held.cpu_milli} of {left.cpu_milli} milli-cores",
            "memory_mib": f"{held.memory_mib} of {left.memory_mib} MiB",
        }
        what = f"could not be lost: all pods ask for {', '.join(words[name] for name in short)} that the other nodes have"
        evidence = (seen(desk, "Node", largest, "status.allocatable", f"{size.cpu_milli}m, {size.memory_mib}Mi"),)
        yield Sign("Node", largest, what, "When it fails, some pods have nowhere to go.", evidence)


def version_skew(desk: Desk) -> Iterator[Sign]:
    """Against the newest kubelet: an API server is at least as new."""
    minors = {
        node.metadata.name: int(found[1])
        for node in desk.snapshot.nodes
        if (found := _VERSION.match(node.status.node_info.kubelet_version))
    }
    newest = max(minors.values(), default=0)
    for node in desk.snapshot.nodes:
        minor = minors.get(node.metadata.name, newest)
        if newest - minor > MOST_MINORS_APART:
            what = f"runs kubelet 1.{minor}, {newest - minor} minor versions behind the newest node"
            evidence = (seen(desk, "Node", node, "status.nodeInfo.kubeletVersion", node.status.node_info.kubelet_version),)
            yield Sign("Node", node, what, f"More than {MOST_MINORS_APART} are not supported: pods may be refused or misread.", evidence)


def namespace_stuck(desk: Desk) -> Iterator[Sign]:
    for namespace in desk.snapshot.of("Namespace"):
        going = namespace.metadata.deletion_timestamp
        if going is None or desk.now - going < OVERDUE:
            continue
        reasons = [one for one in namespace.status.conditions if one.status == "True" and one.message]
        minutes = int((desk.now - going).total_seconds() // 60)
        evidence = [seen(desk, "Namespace", namespace, "metadata.deletionTimestamp", moment(going))]
        evidence += [told(desk, "Namespace", namespace, f"status.conditions[{one.type}].message", one.message) for one in reasons[:3]]
        what = f"has been terminating for {minutes} minutes" + (f": {reasons[0].reason}" if reasons else "")
        yield Sign("Namespace", namespace, what, "Its name is not free, and what is left in it still runs or costs.", tuple(evidence))


def webhook_down(desk: Desk) -> Iterator[Sign]:
    """Only where its failure refuses requests."""
    graph = graph_of(desk)
    for kind, item, webhook in _webhooks(desk):
        place = webhook.client_config.service
        if webhook.failure_policy != "Fail" or not isinstance(place, dict):
            continue
        namespace, name = str(place.get("namespace", "")), str(place.get("name", ""))
        service = desk.snapshot.find("Service", namespace, name)
        pods = graph.pods_of_service(service) if service is not None else ()
        if service is not None and (not service.spec.selector or any(ready(pod) for pod in pods)):
            continue
        if service is not None and pods and min(age(pod.metadata, desk.now) for pod in pods) < PATIENCE:
            continue
        why = f"has no ready pod ({counted(len(pods), 'pod')})" if service is not None else "does not exist"
        what = f"refuses what it should check: service {namespace}/{name} of webhook {webhook.name} {why}"
        evidence = (seen(desk, kind, item, f"webhooks[{webhook.name}].clientConfig.service", f"{namespace}/{name}"),)
        yield Sign(kind, item, what, "Every write that it matches fails, also those that would mend it.", evidence)


def webhook_guards_itself(desk: Desk) -> Iterator[Sign]:
    """It matches the creation of its own pods: once they are all gone, they cannot come back."""
    graph = graph_of(desk)
    for kind, item, webhook in _webhooks(desk):
        place = webhook.client_config.service
        if webhook.failure_policy != "Fail" or not isinstance(place, dict) or not _matches_pod_creation(webhook):
            continue
        namespace = desk.snapshot.find("Namespace", "", str(place.get("namespace", "")))
        service = desk.snapshot.find("Service", str(place.get("namespace", "")), str(place.get("name", "")))
        if namespace is None or service is None:
            continue
        labels = {_NAMESPACE_NAME: namespace.metadata.name} | namespace.metadata.labels
        own = [pod for pod in graph.pods_of_service(service) if not leaving(pod)]
        if (
            own
            and selecting.matches(webhook.namespace_selector, labels)
            and selecting.matches(webhook.object_selector, own[0].metadata.labels)
        ):
            what = f"guards the pods that answer it: webhook {webhook.name} matches its own namespace {namespace.metadata.name}"
            evidence = (seen(desk, kind, item, f"webhooks[{webhook.name}].failurePolicy", "Fail"),)
            yield Sign(kind, item, what, "When all of its pods are gone at once, none can be made again without a person.", evidence)


def _matches_pod_creation(webhook: Webhook) -> bool:
    for rule in webhook.rules:
        resources, operations = rule.get("resources") or (), rule.get("operations") or ()
        if {"*", "*/*", "pods"} & set(resources) and {"*", "CREATE"} & set(operations):
            return True
    return False


def _webhooks(desk: Desk) -> Iterator[tuple[str, Any, Webhook]]:
    for kind in _WEBHOOKS:
        for item in desk.snapshot.of(kind):
            for webhook in item.webhooks:
                yield kind, item, webhook


def certificate_ends(desk: Desk) -> Iterator[Sign]:
    """The authorities by which the API server knows its webhooks: public, so agents may read them. Serving certificates are secrets."""
    for kind, item, webhook in _webhooks(desk):
        ends = _first_end(webhook.client_config.ca_bundle)
        if ends is not None and ends - desk.now <= EXPIRES:
            when = "has ended" if ends <= desk.now else f"ends in {(ends - desk.now).days} days"
            evidence = (seen(desk, kind, item, f"webhooks[{webhook.name}].clientConfig.caBundle", f"not after {moment(ends)}"),)
            matters = "From then on the API server trusts its answer no more: each write that it matches fails or passes unchecked."
            yield Sign(kind, item, f"trusts an authority that {when}: webhook {webhook.name}", matters, evidence)


def _first_end(bundle: str) -> Any:
    """The last end among the authorities of a bundle: an old one beside its successor is no fault. None for what is none."""
    try:
        found = x509.load_pem_x509_certificates(base64.b64decode(bundle, validate=True)) if bundle else []
    except (ValueError, binascii.Error):
        return None
    return max((one.not_valid_after_utc for one in found), default=None)


def api_gone(desk: Desk) -> Iterator[Sign]:
    for item in desk.snapshot.of("APIService"):
        for condition in item.status.conditions if item.spec.service else ():
            since = desk.now - condition.last_transition_time if condition.last_transition_time else timedelta()
            if condition.type == "Available" and condition.status == "False" and since >= PATIENCE:
                what = f"is not available: {condition.reason} for {int(since.total_seconds() // 60)} minutes"
                evidence = (
                    seen(desk, "APIService", item, "status.conditions[Available].reason", condition.reason),
                    told(desk, "APIService", item, "status.conditions[Available].message", condition.message),
                )
                matters = "Who asks for this API gets errors; namespaces cannot be deleted, and autoscalers may be blind."
                yield Sign("APIService", item, what, matters, evidence)


CHECKS = (
    check(
        "REL-168",
        "node that was cordoned and forgotten",
        Severity.LOW,
        ("Node",),
        forgotten_cordon,
        looks="Ready nodes that have been unschedulable for a day, by the time in their taint.",
        silent="in the first day, on nodes that are not ready, and where the taint has no time",
        mend="kubectl uncordon, or remove the node.",
    ),
    check(
        "REL-208",
        "node that is back and still out of service",
        Severity.MEDIUM,
        ("Node",),
        still_fenced,
        looks="Ready nodes that carry the taint node.kubernetes.io/out-of-service, which says that their machine is off.",
        silent="in the first five minutes after the node came back, and where its condition has no time",
        mend="kubectl taint node NAME node.kubernetes.io/out-of-service-",
    ),
    check(
        "REL-169",
        "node nearly full of pods",
        Severity.LOW,
        ("Node", "Pod"),
        pods_nearly_full,
        looks="Pods that stand on a node against what its kubelet allows.",
        silent="below 95 %",
        mend="Fewer, larger pods; or a higher maxPods where addresses allow it.",
    ),
    check(
        "REL-170",
        "cluster that cannot lose a node",
        Severity.MEDIUM,
        ("Namespace", "Node", "Pod"),
        no_spare_node,
        looks="Requests of all pods on untainted nodes against what is allocatable without the largest of them.",
        silent="with one node, and where only some namespaces were read",
        mend="Add a node, or ask for less: the findings of the finops agent say where.",
    ),
    check(
        "REL-171",
        "kubelet too far behind",
        Severity.MEDIUM,
        ("Node",),
        version_skew,
        looks="Kubelet versions against the newest among the nodes.",
        silent=f"up to {MOST_MINORS_APART} minor versions",
        mend="Upgrade the node.",
    ),
    check(
        "REL-172",
        "namespace that does not go",
        Severity.MEDIUM,
        ("Namespace",),
        namespace_stuck,
        looks="Namespaces that have been terminating for ten minutes, with the conditions that say what is left.",
        silent="in the first 10 minutes",
        mend="What is left has a finalizer whose controller does not run, or an API that is not available (REL-176).",
    ),
    check(
        "REL-173",
        "webhook that nobody answers",
        Severity.CRITICAL,
        ("Namespace", "Service", "Pod", *_WEBHOOKS),
        webhook_down,
        looks="Webhooks with failurePolicy Fail whose service does not exist or has no ready pod.",
        silent="for failurePolicy Ignore, for URLs, for services without a selector, and in the first 5 minutes of the pods",
        mend="Bring its pods back; if they cannot come back because of it, a person removes the configuration.",
    ),
    check(
        "REL-174",
        "webhook that guards itself",
        Severity.MEDIUM,
        ("Namespace", "Service", "Pod", *_WEBHOOKS),
        webhook_guards_itself,
        looks="Webhooks with failurePolicy Fail that match the creation of the pods that answer them.",
        silent="where a selector leaves out its own namespace or pods",
        mend="Leave out its namespace by a namespaceSelector.",
    ),
    check(
        "REL-175",
        "authority of a webhook that ends",
        Severity.HIGH,
        _WEBHOOKS,
        certificate_ends,
        looks="The caBundle of webhooks: the latest end among its certificates, within 14 days or past.",
        silent="where a successor is in the same bundle, and without a bundle",
        mend="Let whoever issues it renew it; cert-manager's cainjector does that by itself.",
    ),
    check(
        "REL-176",
        "API that is not available",
        Severity.HIGH,
        ("APIService",),
        api_gone,
        looks="APIServices with a service behind them whose condition Available has been False for five minutes.",
        silent="in the first 5 minutes, and for those the API server answers itself",
        mend="Look at the service that is named: metrics-server and adapters are the usual ones.",
    ),
)
