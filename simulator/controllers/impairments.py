"""Ready pods that answer nobody all the same: cut off by network policies, with a configuration they cannot use, without what they need.

Annotations of a template (prefix `simulator.day2.dev/`): `reads: MAP/KEY=VALUE` is the one text of that key it works with, `needs: NAME` a
workload of its namespace that must have a ready pod. Network policies add up: pods are cut where one selects them for ingress and none of
those that do lets anybody in.
"""

from collections import defaultdict

from simulator.controllers.cluster import CONFIG_MAPS, PODS, PREFIX, Cluster, Json
from simulator.controllers.disruption import labelled
from simulator.controllers.pods import is_ready
from simulator.resources import resource

POLICIES = resource("networking.k8s.io", "networkpolicies")
READS, NEEDS = f"{PREFIX}reads", f"{PREFIX}needs"


def impaired(cluster: Cluster) -> frozenset[str]:
    """Uids of such pods now."""
    pods, found = cluster.all(PODS), set[str]()
    policies: dict[str, list[Json]] = defaultdict(list)
    for policy in cluster.all(POLICIES):
        if "Ingress" in policy["spec"].get("policyTypes", ("Ingress",)):
            policies[policy["metadata"]["namespace"]].append(policy["spec"])
    for pod in pods:
        meta = pod["metadata"]
        notes, space = meta.get("annotations", {}), meta["namespace"]
        about = [spec for spec in policies[space] if labelled(spec.get("podSelector", {}), meta.get("labels", {}))]
        if about and not any(spec.get("ingress") for spec in about):
            found.add(meta["uid"])
        if (READS in notes and not _reads(cluster, space, notes[READS])) or (NEEDS in notes and not _has(pods, space, notes[NEEDS])):
            found.add(meta["uid"])
    return frozenset(found)


def _reads(cluster: Cluster, namespace: str, text: str) -> bool:
    place, _, value = text.partition("=")
    name, _, key = place.partition("/")
    wanted = (namespace, name)
    found = [item for item in cluster.all(CONFIG_MAPS) if (item["metadata"]["namespace"], item["metadata"]["name"]) == wanted]
    return any(item.get("data", {}).get(key) == value for item in found)


def _has(pods: list[Json], namespace: str, name: str) -> bool:
    return any(
        is_ready(pod) and "deletionTimestamp" not in pod["metadata"]
        for pod in pods
        if pod["metadata"]["namespace"] == namespace and pod["metadata"]["name"].startswith(f"{name}-")
    )
