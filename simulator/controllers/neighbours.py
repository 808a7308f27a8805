"""What pods that are there already say against a node: anti-affinity, required affinity, topology spread, ports. Asked by the scheduler.

Source of the words: the framework plug-ins of kube-scheduler.
"""

from collections import Counter
from collections.abc import Iterator

from simulator.controllers.cluster import PODS, Cluster, Json

_REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"


class Around:
    """The pods that stand, by node, as one pod that waits meets them."""

    def __init__(self, cluster: Cluster, pod: Json, nodes: list[Json]) -> None:
        self._pod = pod
        self._nodes = {node["metadata"]["name"]: node["metadata"].get("labels", {}) for node in nodes}
        affinity = pod["spec"].get("affinity", {})
        self._apart = affinity.get("podAntiAffinity", {}).get(_REQUIRED) or ()
        self._together = affinity.get("podAffinity", {}).get(_REQUIRED) or ()
        self._spread = [
            each
            for each in pod["spec"].get("topologySpreadConstraints") or ()
            if each.get("whenUnsatisfiable", "DoNotSchedule") == "DoNotSchedule"
        ]
        self._ports = set(_host_ports(pod))
        self._standing: list[Json] = [each for each in cluster.all(PODS) if _stands(each)] if self._asks() else []

    def _asks(self) -> bool:
        return bool(self._apart or self._together or self._spread or self._ports)

    def obstacles(self, node: Json) -> list[str]:
        if not self._asks():
            return []
        name = node["metadata"]["name"]
        if self._ports & {port for pod in self._standing if pod["spec"]["nodeName"] == name for port in _host_ports(pod)}:
            return ["node(s) didn't have free ports for the requested pod ports"]
        if any(self._count(each, each.get("labelSelector")).get(self._nodes[name].get(each["topologyKey"])) for each in self._apart):
            return ["node(s) didn't match pod anti-affinity rules"]
        if not all(self._near(each, name) for each in self._together):
            return ["node(s) didn't match pod affinity rules"]
        if any(self._uneven(each, name) for each in self._spread):
            return ["node(s) didn't match pod topology spread constraints"]
        return []

    def _count(self, rule: Json, selector: Json | None) -> Counter[str | None]:
        """Pods of the selector by their node's value of the topology key."""
        spaces = rule.get("namespaces") or [self._pod["metadata"]["namespace"]]
        chosen = (pod for pod in self._standing if pod["metadata"]["namespace"] in spaces and _selected(selector, pod))
        return Counter(self._nodes.get(pod["spec"]["nodeName"], {}).get(rule["topologyKey"]) for pod in chosen)

    def _near(self, rule: Json, name: str) -> bool:
        """The first of a group that asks for its own company may go anywhere."""
        found = self._count(rule, rule.get("labelSelector"))
        value = self._nodes[name].get(rule["topologyKey"])
        return bool(found.get(value)) or (not found and _selected(rule.get("labelSelector"), self._pod))

    def _uneven(self, rule: Json, name: str) -> bool:
        key = rule["topologyKey"]
        if key not in self._nodes[name]:
            return True
        found = self._count(rule, rule.get("labelSelector"))
        domains = {labels[key] for labels in self._nodes.values() if key in labels}
        least = min(found.get(value, 0) for value in domains)
        if len(domains) < (rule.get("minDomains") or 0):
            least = 0
        return found.get(self._nodes[name][key], 0) + 1 - least > int(rule.get("maxSkew", 1))


def _stands(pod: Json) -> bool:
    return bool(pod["spec"].get("nodeName")) and pod.get("status", {}).get("phase") not in ("Succeeded", "Failed")


def _selected(selector: Json | None, pod: Json) -> bool:
    if selector is None:
        return False
    labels = pod["metadata"].get("labels", {})
    if not (selector.get("matchLabels") or {}).items() <= labels.items():
        return False
    return all(_expressed(each, labels) for each in selector.get("matchExpressions") or ())


def _expressed(expression: Json, labels: dict[str, str]) -> bool:
    value, operator = labels.get(expression["key"]), expression["operator"]
    if operator in ("Exists", "DoesNotExist"):
        return (value is not None) is (operator == "Exists")
    return (value in (expression.get("values") or ())) is (operator == "In")


def _host_ports(pod: Json) -> Iterator[tuple[int, str]]:
    for container in pod["spec"].get("containers", ()):
        for port in container.get("ports") or ():
            if port.get("hostPort"):
                yield port["hostPort"], port.get("protocol", "TCP")
