"""The scheduler: binds pending pods to nodes that fit, or says why none does in the real scheduler's words.

Fit is requests (CPU, memory, extended resources, pod count), taints, nodeSelector, required node affinity, cordon, claims and what
`neighbours` says of the pods that are there; a gang fits as a whole (`gangs`). Among the fitting, the node with fewest siblings of the
same owner wins, then the least allocated, then the first by name: same cluster, same binding. Where room is all that is missing, pods
of a lower priority go.
"""

from collections import Counter
from contextlib import suppress
from datetime import datetime, timedelta
from functools import lru_cache

from core.cluster import quantities
from simulator.controllers import events, gangs, neighbours, volumes
from simulator.controllers.cluster import NODES, PODS, Cluster, Json, earliest
from simulator.controllers.conditions import put

SOURCE = "default-scheduler"
RETRY = timedelta(minutes=5)
"""How often a pod that fits nowhere is tried again, and its event repeated, without a change of the cluster."""
_BLOCKING = ("NoSchedule", "NoExecute")
Amounts = dict[str, int]


def reconcile(cluster: Cluster) -> datetime | None:
    pending = [pod for pod in cluster.all(PODS) if _waits(pod)]
    if not pending:
        return None
    nodes = cluster.all(NODES)
    used = {node["metadata"]["name"]: Counter[str]() for node in nodes}
    for pod in cluster.all(PODS):
        if pod["spec"].get("nodeName") in used and pod.get("status", {}).get("phase") not in ("Succeeded", "Failed"):
            used[pod["spec"]["nodeName"]].update(demand(pod))
    pending.sort(key=_turn)
    held = (
        gangs.held(cluster, pending, lambda members: _fit(members, nodes, used)) if any(gangs.group_of(pod)[1] for pod in pending) else {}
    )
    cluster.each(pending, lambda _, pod: _place(cluster, pod, nodes, used, held.get(pod["metadata"]["uid"], "")))
    told: dict[str, datetime] = cluster.memo.get("unscheduled", {})
    waiting = {pod["metadata"]["uid"] for pod in pending}
    cluster.memo["unscheduled"] = {uid: at for uid, at in told.items() if uid in waiting}
    return earliest(*(at + RETRY for at in cluster.memo["unscheduled"].values()))


def _waits(pod: Json) -> bool:
    return not pod["spec"].get("nodeName") and "deletionTimestamp" not in pod["metadata"] and not pod["spec"].get("schedulingGates")


def _turn(pod: Json) -> tuple[int, str, str, str]:
    meta = pod["metadata"]
    return -pod["spec"].get("priority", 0), meta["creationTimestamp"], meta["namespace"], meta["name"]


def _fit(members: list[Json], nodes: list[Json], used: dict[str, Counter[str]]) -> int:
    """How many of a gang's pods find a node at once, by what they ask for."""
    taken = {name: Counter(amounts) for name, amounts in used.items()}
    placed = 0
    for pod in members:
        need = demand(pod)
        node = next((each for each in nodes if not obstacles(pod, need, each, taken[each["metadata"]["name"]])), None)
        if node is not None:
            taken[node["metadata"]["name"]].update(need)
            placed += 1
    return placed


def _place(cluster: Cluster, pod: Json, nodes: list[Json], used: dict[str, Counter[str]], held: str = "") -> None:
    hindered = held or volumes.hindrance(cluster, pod)
    if hindered:
        return _refuse(cluster, pod, len(nodes), Counter(), hindered)
    reasons: Counter[str] = Counter()
    fitting: list[Json] = []
    crowded: list[Json] = []
    need = demand(pod)
    tied = list(volumes.terms(cluster, pod))
    around = neighbours.Around(cluster, pod, nodes)
    for node in nodes:
        why = obstacles(pod, need, node, used[node["metadata"]["name"]])
        if not why and not all(affine(term, node) for term in tied):
            why = ["node(s) didn't match PersistentVolume's node affinity"]
        why = why or around.obstacles(node)
        reasons.update(why)
        if not why:
            fitting.append(node)
        elif all(each.startswith("Insufficient") for each in why):
            crowded.append(node)
    if not fitting:
        nominated = _make_room(cluster, pod, need, crowded, used)
        if nominated in used:
            used[nominated].update(need)  # whoever comes after it does not get what it was promised
        return _refuse(cluster, pod, len(nodes), reasons, nominated=nominated)
    beside = _siblings(cluster, pod)
    name = min(fitting, key=lambda node: _score(need, beside, node, used))["metadata"]["name"]
    used[name].update(need)
    _bind(cluster, pod, name)
    return None


def _siblings(cluster: Cluster, pod: Json) -> Counter[str]:
    """Pods of the same owner by node."""
    owners = pod["metadata"].get("ownerReferences", [])
    return Counter(each["spec"].get("nodeName", "") for each in (cluster.owned(PODS, owners[0]["uid"]) if owners else ()))


def _score(need: Amounts, beside: Counter[str], node: Json, used: dict[str, Counter[str]]) -> tuple[int, float, str]:
    name = node["metadata"]["name"]
    free = allocatable(node)
    share = sum(used[name][key] / free[key] for key in ("cpu", "memory") if free.get(key))
    gpu_node_for_nothing = 2.0 if free.get("nvidia.com/gpu") and not need.get("nvidia.com/gpu") else 0.0
    return beside[name], share + gpu_node_for_nothing, name


def _bind(cluster: Cluster, pod: Json, node: str) -> None:
    meta = pod["metadata"]
    status = dict(pod.get("status", {}))
    status["conditions"] = put(status.get("conditions", []), "PodScheduled", "True", cluster.now)
    cluster.update(
        PODS, {**pod, "spec": {**pod["spec"], "nodeName": node}, "status": status}, subresource="binding", manager="kube-scheduler"
    )
    events.record(cluster, pod, "Scheduled", f"Successfully assigned {meta['namespace']}/{meta['name']} to {node}", source=SOURCE)


def _refuse(cluster: Cluster, pod: Json, total: int, reasons: Counter[str], hindered: str = "", nominated: str = "") -> None:
    listed = hindered or ", ".join(sorted(f"{count} {why}" for why, count in reasons.items()))
    helpless = ", ".join(sorted(_preemption(total, reasons)))
    message = f"0/{total} nodes are available: {listed}. preemption: 0/{total} nodes are available: {helpless}."
    if not total:
        message = "no nodes available to schedule pods"
    status = dict(pod.get("status", {}))
    status["phase"] = "Pending"
    if nominated:
        status["nominatedNodeName"] = nominated
    status["conditions"] = put(status.get("conditions", []), "PodScheduled", "False", cluster.now, reason="Unschedulable", message=message)
    told: dict[str, datetime] = cluster.memo.setdefault("unscheduled", {})
    again = told.get(pod["metadata"]["uid"], cluster.now - RETRY) + RETRY <= cluster.now
    if not again and status == pod.get("status"):
        return
    told[pod["metadata"]["uid"]] = cluster.now
    cluster.set_status(PODS, pod, status, manager="kube-scheduler")
    events.record(cluster, pod, "FailedScheduling", message, source=SOURCE, warning=True)


def _make_room(cluster: Cluster, pod: Json, need: Amounts, crowded: list[Json], used: dict[str, Counter[str]]) -> str:
    """Preemption: of one node, the fewest and least important pods below the pod's priority, whose going leaves room. That node's name."""
    priority, nominated = pod["spec"].get("priority", 0), str(pod.get("status", {}).get("nominatedNodeName", ""))
    if priority <= 0 or pod["spec"].get("preemptionPolicy") == "Never":
        return ""
    best: list[Json] = []
    for node in crowded:
        name: str = node["metadata"]["name"]
        chosen = _victims(cluster, node, need, used[name], priority)
        if chosen is None:
            return str(name)  # what makes room there is on its way out already
        if chosen and (not best or len(chosen) < len(best)):
            best, nominated = chosen, name
    for victim in best:
        meta = victim["metadata"]
        text = f"{SOURCE}: preempting to accommodate a higher priority pod"
        status = dict(victim.get("status", {}))
        status["conditions"] = put(
            status.get("conditions", []), "DisruptionTarget", "True", cluster.now, reason="PreemptionByScheduler", message=text
        )
        cluster.set_status(PODS, victim, status, manager="kube-scheduler")
        events.record(cluster, victim, "Preempted", f"Preempted by pod {pod['metadata']['uid']} on node", source=SOURCE)
        live = cluster.store.peek(PODS, meta["namespace"], meta["name"])
        if live is not None:
            cluster.delete_pod(live)
    return nominated


def _victims(cluster: Cluster, node: Json, need: Amounts, used: Counter[str], priority: int) -> list[Json] | None:
    """None where pods that are on their way out leave room enough."""
    here = [pod for pod in cluster.all(PODS) if pod["spec"].get("nodeName") == node["metadata"]["name"]]
    free, left, chosen = allocatable(node), Counter(used), []
    left.subtract(sum((Counter(demand(pod)) for pod in here if "deletionTimestamp" in pod["metadata"]), Counter[str]()))
    lower = [pod for pod in here if pod["spec"].get("priority", 0) < priority and "deletionTimestamp" not in pod["metadata"]]

    def fits() -> bool:
        return all(left[key] + amount <= free.get(key, 0) for key, amount in need.items() if key != "pods")

    if fits():
        return None
    for pod in sorted(lower, key=lambda pod: (pod["spec"].get("priority", 0), -demand(pod).get("cpu", 0), pod["metadata"]["name"])):
        left.subtract(demand(pod))
        chosen.append(pod)
        if fits():
            return chosen
    return []


def _preemption(total: int, reasons: Counter[str]) -> list[str]:
    """What evicting others would help, by node: a node that was not even selected is beyond help."""
    other = sum(count for why, count in reasons.items() if not why.startswith(("Insufficient", "Too many")))
    lacking = total - other
    words = [f"{lacking} No preemption victims found for incoming pod"] if lacking else []
    return [*words, f"{other} Preemption is not helpful for scheduling"] if other else words


# -- fit --------------------------------------------------------------------------------------------------------------


def obstacles(pod: Json, need: Amounts, node: Json, used: Counter[str]) -> list[str]:
    """Why the pod cannot go to the node, in the scheduler's words: one reason of selection, or all lacking resources; empty when it can."""
    spec = pod["spec"]
    if node["spec"].get("unschedulable") and not _tolerates_cordon(spec.get("tolerations", [])):
        return ["node(s) were unschedulable"]
    taints = untolerated(node, spec.get("tolerations", []))
    if taints:
        return [f"node(s) had untolerated taint {{{taints[0]['key']}: {taints[0].get('value', '')}}}"]
    if not _selected(spec, node):
        return ["node(s) didn't match Pod's node affinity/selector"]
    free = allocatable(node)
    lacking = [f"Insufficient {key}" for key, amount in need.items() if key != "pods" and amount and used[key] + amount > free.get(key, 0)]
    return ["Too many pods", *lacking] if used["pods"] + 1 > free.get("pods", 110) else lacking


def untolerated(node: Json, tolerations: list[Json]) -> list[Json]:
    """The taints of a node that keep away a pod with these tolerations."""
    taints = node["spec"].get("taints", ())
    return [taint for taint in taints if taint["effect"] in _BLOCKING and not any(tolerates(each, taint) for each in tolerations)]


def tolerates(toleration: Json, taint: Json) -> bool:
    if toleration.get("effect") and toleration["effect"] != taint["effect"]:
        return False
    if toleration.get("key") and toleration["key"] != taint["key"]:
        return False
    return toleration.get("operator") == "Exists" or (bool(toleration.get("key")) and toleration.get("value", "") == taint.get("value", ""))


def _tolerates_cordon(tolerations: list[Json]) -> bool:
    return any(tolerates(each, {"key": "node.kubernetes.io/unschedulable", "effect": "NoSchedule"}) for each in tolerations)


def _selected(spec: Json, node: Json) -> bool:
    if not spec.get("nodeSelector", {}).items() <= node["metadata"].get("labels", {}).items():
        return False
    required = spec.get("affinity", {}).get("nodeAffinity", {}).get("requiredDuringSchedulingIgnoredDuringExecution")
    return not required or affine(required, node)


def affine(required: Json, node: Json) -> bool:
    """Whether a node is one of those that a required node affinity names."""
    labels = node["metadata"].get("labels", {})
    return any(all(_matches(each, labels) for each in term.get("matchExpressions", ())) for term in required["nodeSelectorTerms"])


def _matches(expression: Json, labels: dict[str, str]) -> bool:
    value, operator = labels.get(expression["key"]), expression["operator"]
    if operator in ("Exists", "DoesNotExist"):
        return (value is not None) is (operator == "Exists")
    return (value in expression.get("values", ())) is (operator == "In")


# -- amounts ----------------------------------------------------------------------------------------------------------


@lru_cache(maxsize=4096)
def amount(key: str, text: str) -> int:
    """CPU in milli-cores, memory and storage in MiB, everything else as a count."""
    if key == "cpu":
        return quantities.cpu_milli(text)
    if key in ("memory", "ephemeral-storage"):
        return quantities.memory_mib(text)
    return quantities.count(text)


def amounts(listed: Json) -> Amounts:
    """Of a list of quantities; what is no quantity counts as nothing, as one odd pod must not stop the scheduler."""
    found = {}
    for key, text in listed.items():
        with suppress(ValueError):
            found[key] = amount(key, str(text))
    return found


def allocatable(node: Json) -> Amounts:
    return amounts(node.get("status", {}).get("allocatable", {}))


def demand(pod: Json) -> Amounts:
    """What a pod asks of its node: the sum of its containers' requests, and one place."""
    total: Counter[str] = Counter({"pods": 1})
    for container in pod["spec"].get("containers", ()):
        total.update(amounts(container.get("resources", {}).get("requests", {})))
    return dict(total)
