"""What stands between pods that should talk: network policies, DNS settings, the cluster's own DNS. Called by the table of this agent."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import msgspec

from agents.calling import calls
from agents.desk import Desk
from agents.recalling import graph_of
from agents.reliability.conditions.signs import Sign, check, on_pod, pods
from agents.reporting import counted, pairs, seen
from agents.workloads import age, ready
from core.cluster import selecting
from core.cluster.objects import LabelSelector, NetworkPolicy, Pod
from core.domain.finding import Severity

PATIENCE = timedelta(minutes=5)
_DNS = {"k8s-app": "kube-dns"}
_NAMESPACE_NAME = "kubernetes.io/metadata.name"


def cut_path(desk: Desk) -> Iterator[Sign]:
    """A pod that is told to call a service, all of whose pods are isolated by policies none of which lets that pod in."""
    graph = graph_of(desk)
    told: set[tuple[str, str]] = set()
    for call in calls(desk):
        service = desk.snapshot.find("Service", call.namespace, call.service)
        servers = graph.pods_of_service(service) if service is not None else ()
        policies = list(_isolating(desk, servers[0])) if servers else []
        if not policies or any(_lets_in(desk, policy, call.pod) for policy in policies) or (policies[0].metadata.uid, call.user) in told:
            continue
        told.add((policies[0].metadata.uid, call.user))
        labels = pairs(call.pod.metadata.labels)
        yield Sign(
            "NetworkPolicy",
            policies[0],
            f"lets nobody of {call.user} reach {call.namespace}/{call.service}, which its pods are told to call",
            "The connection times out; nothing says that it was refused.",
            (
                seen(desk, "NetworkPolicy", policies[0], "spec.ingress", f"{len(policies[0].spec.ingress)} rules, none for {call.user}"),
                seen(desk, "Pod", call.pod, "metadata.labels", labels),
            ),
        )


def _isolating(desk: Desk, pod: Pod) -> Iterator[NetworkPolicy]:
    """Policies that select a pod for ingress. Without types, a policy is one for ingress."""
    for policy in desk.snapshot.of("NetworkPolicy"):
        for_ingress = "Ingress" in policy.spec.policy_types or not policy.spec.policy_types
        if (
            policy.metadata.namespace == pod.metadata.namespace
            and for_ingress
            and selecting.matches(policy.spec.pod_selector, pod.metadata.labels)
        ):
            yield policy


def _lets_in(desk: Desk, policy: NetworkPolicy, pod: Pod) -> bool:
    """Ports are not weighed: a rule for any port of the pod counts. Address blocks count as if they held it."""
    for rule in policy.spec.ingress:
        peers = rule.get("from")
        if not peers:
            return True
        if any(_is_peer(desk, policy, peer, pod) for peer in peers if isinstance(peer, dict)):
            return True
    return False


def _is_peer(desk: Desk, policy: NetworkPolicy, peer: dict[str, Any], pod: Pod) -> bool:
    if "ipBlock" in peer:
        return True
    namespaces, chosen = _selector(peer.get("namespaceSelector")), _selector(peer.get("podSelector"))
    if namespaces is None:
        return pod.metadata.namespace == policy.metadata.namespace and selecting.matches(chosen, pod.metadata.labels)
    namespace = desk.snapshot.find("Namespace", "", pod.metadata.namespace)
    labels = {_NAMESPACE_NAME: pod.metadata.namespace} | (namespace.metadata.labels if namespace is not None else {})
    return selecting.matches(namespaces, labels) and (chosen is None or selecting.matches(chosen, pod.metadata.labels))


def _selector(value: Any) -> LabelSelector | None:
    """None where there is none. Raises msgspec's error for what no API server would have taken; the check is then reported as not run."""
    return None if value is None else msgspec.convert(value, LabelSelector)


def no_names(desk: Desk) -> Iterator[Sign]:
    """A pod with DNS settings by which no service's name resolves, though it is told to call one."""
    callers = {(call.pod.metadata.namespace, call.pod.metadata.name) for call in calls(desk)}
    cluster_dns = {
        service.spec.cluster_ip
        for service in desk.snapshot.of("Service")
        if service.metadata.namespace == "kube-system" and service.metadata.labels.get("k8s-app") == _DNS["k8s-app"]
    } - {"", "None"}
    for pod in pods(desk):
        if (pod.metadata.namespace, pod.metadata.name) not in callers:
            continue
        servers = (pod.spec.dns_config or {}).get("nameservers") or ()
        if pod.spec.dns_policy == "Default" or (pod.spec.dns_policy == "ClusterFirst" and pod.spec.host_network):
            what = f"cannot resolve the services it is told to call: its dnsPolicy is {pod.spec.dns_policy}" + (
                " with hostNetwork" if pod.spec.host_network else ""
            )
        elif pod.spec.dns_policy == "None" and not servers:
            what = "cannot resolve anything: its dnsPolicy is None and it names no server"
        elif pod.spec.dns_policy == "None" and cluster_dns and not cluster_dns & set(servers or ()):
            what = "cannot resolve the services it is told to call: its dnsPolicy is None and its servers are not the cluster's"
        else:
            continue
        yield on_pod(desk, pod, what, "Each call by name fails.", seen(desk, "Pod", pod, "spec.dnsPolicy", pod.spec.dns_policy))


def dns_down(desk: Desk) -> Iterator[Sign]:
    """The cluster's own DNS, by its well-known label. Clusters with DNS elsewhere have no such service."""
    graph = graph_of(desk)
    for service in desk.snapshot.of("Service"):
        if service.metadata.namespace != "kube-system" or service.metadata.labels.get("k8s-app") != _DNS["k8s-app"]:
            continue
        servers = graph.pods_of_service(service)
        waited = age(service.metadata, desk.now) >= PATIENCE
        if waited and not any(ready(pod) for pod in servers):
            what = f"has no ready pod: {counted(len(servers), 'pod')} of the cluster's DNS, none ready"
            evidence = tuple(seen(desk, "Pod", pod, "status.conditions[Ready].status", "False") for pod in servers[:3])
            shown = evidence or (seen(desk, "Service", service, "spec.selector", "no pod"),)
            yield Sign("Service", service, what, "No name resolves anywhere in the cluster.", shown)


CHECKS = (
    check(
        "REL-154",
        "network policy that cuts a path in use",
        Severity.HIGH,
        ("Namespace", "Pod", "Service", "NetworkPolicy", "Deployment", "ReplicaSet", "StatefulSet", "DaemonSet"),
        cut_path,
        looks="Pods that a variable tells to call a service, whose pods are isolated by policies none of which lets the caller in.",
        silent="where the caller is not known by a variable, for address blocks, and by port",
        mend="Add the caller to the policy's ingress rules, or take back the policy.",
    ),
    check(
        "REL-155",
        "DNS settings by which no service resolves",
        Severity.HIGH,
        ("Namespace", "Pod", "Service", "Deployment", "ReplicaSet", "StatefulSet", "DaemonSet"),
        no_names,
        looks="dnsPolicy Default, ClusterFirst with hostNetwork, and None without the cluster's server, of pods told to call a service.",
        silent="for pods that no variable tells to call a service",
        mend="ClusterFirst, or ClusterFirstWithHostNet where the pod uses its node's network.",
    ),
    check(
        "REL-156",
        "cluster DNS that is down",
        Severity.CRITICAL,
        ("Namespace", "Pod", "Service"),
        dns_down,
        looks="The service with label k8s-app=kube-dns in kube-system, and whether any pod behind it is ready.",
        silent="in the first 5 minutes of the service, and where DNS is not run in the cluster",
        mend="Look at those pods first: nothing else is well before they are.",
    ),
)
