"""Nodes: leases and conditions as their kubelets report them, the taints that follow, and the eviction of pods from dead nodes.

A node behaves by its annotation `simulator.day2.dev/node`: not-ready, memory-pressure, disk-pressure, flapping or lost.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import partial

from simulator.clock import micro_stamp, stamp
from simulator.controllers import events, scheduling
from simulator.controllers.cluster import LEASES, NODES, PODS, PREFIX, Cluster, Json, earliest, moment
from simulator.controllers.conditions import find, put

SOURCE = "node-controller"
LEASE_SECONDS = 10
GRACE_SECONDS = 50
FLAP_SECONDS = 240
NODE_LEASES = "kube-node-lease"
_TAINTS = {
    ("Ready", "False"): ("node.kubernetes.io/not-ready", ("NoSchedule", "NoExecute")),
    ("Ready", "Unknown"): ("node.kubernetes.io/unreachable", ("NoSchedule", "NoExecute")),
    ("MemoryPressure", "True"): ("node.kubernetes.io/memory-pressure", ("NoSchedule",)),
    ("DiskPressure", "True"): ("node.kubernetes.io/disk-pressure", ("NoSchedule",)),
}
_CORDON = "node.kubernetes.io/unschedulable"
_HEALTHY = {
    "MemoryPressure": ("False", "KubeletHasSufficientMemory", "kubelet has sufficient memory available"),
    "DiskPressure": ("False", "KubeletHasNoDiskPressure", "kubelet has no disk pressure"),
    "PIDPressure": ("False", "KubeletHasSufficientPID", "kubelet has sufficient PID available"),
    "Ready": ("True", "KubeletReady", "kubelet is posting ready status"),
}
_SICK = {
    "not-ready": ("Ready", "False", "KubeletNotReady", "container runtime network not ready: NetworkReady=false"),
    "memory-pressure": ("MemoryPressure", "True", "KubeletHasInsufficientMemory", "kubelet has insufficient memory available"),
    "disk-pressure": ("DiskPressure", "True", "KubeletHasDiskPressure", "kubelet has disk pressure"),
}


def behaviour(node: Json) -> str:
    found: str = node["metadata"].get("annotations", {}).get(f"{PREFIX}node", "")
    return found


def is_silent(node: Json) -> bool:
    """The machine is gone: no lease, no pod status."""
    return behaviour(node) == "lost"


def reconcile(cluster: Cluster) -> datetime | None:
    return earliest(*(cluster.each(cluster.all(NODES), step) for step in (_report, _taint, _evict)))


def heartbeat(cluster: Cluster) -> None:
    """Renew the leases of the nodes that live. Quiet: only the age of a lease matters, and only for dead nodes.

    Of a lease that nobody looks at only the time is noted; the store writes it before somebody does.
    """
    beats: dict[str, datetime] = cluster.memo.setdefault("beats", {})
    for node in cluster.all(NODES):
        if not is_silent(node):
            beats[node["metadata"]["name"]] = cluster.now
    if cluster.store.is_watched or cluster.memo.get("leased") != len(beats):
        _renew(cluster)
    else:
        cluster.store.before_reading(LEASES, partial(_renew, cluster))


def _renew(cluster: Cluster) -> None:
    """Write down every beat that was noted."""
    beats: dict[str, datetime] = cluster.memo.get("beats", {})
    for name, at in sorted(beats.items()):
        lease = cluster.store.peek(LEASES, NODE_LEASES, name)
        spec = {"holderIdentity": name, "leaseDurationSeconds": 40, "renewTime": micro_stamp(at)}
        node = cluster.store.peek(NODES, None, name)
        if node is None:
            continue
        if lease is None:
            owner = {"apiVersion": "v1", "kind": "Node", "name": name, "uid": node["metadata"]["uid"]}
            body = {"metadata": {"name": name, "namespace": NODE_LEASES, "ownerReferences": [owner]}, "spec": spec}
            cluster.quietly(partial(cluster.create, LEASES, body, manager="kubelet"))
        else:
            cluster.quietly(partial(cluster.store.update, LEASES, {**lease, "spec": spec}, manager="kubelet"))
    cluster.memo["leased"] = len(beats)


# -- conditions -------------------------------------------------------------------------------------------------------


def _report(cluster: Cluster, node: Json) -> datetime | None:
    how = behaviour(node)
    if how == "lost":
        return _unknown(cluster, node)
    states, due = dict(_HEALTHY), None
    if how == "flapping":
        phase = int(cluster.now.timestamp()) // FLAP_SECONDS
        how = "not-ready" if phase % 2 else ""
        due = datetime.fromtimestamp((phase + 1) * FLAP_SECONDS, cluster.now.tzinfo)
    if how in _SICK:
        kind, *rest = _SICK[how]
        states[kind] = (rest[0], rest[1], rest[2])
    conditions = _beaten(cluster, node, states)
    _write(cluster, node, conditions, "kubelet")
    return due


def _beaten(cluster: Cluster, node: Json, states: dict[str, tuple[str, str, str]]) -> list[Json]:
    """The conditions with their new states; the heartbeat time moves only together with a state, as writes cost watchers."""
    conditions: list[Json] = list(node.get("status", {}).get("conditions", []))
    for kind, (status, reason, message) in states.items():
        old = find(conditions, kind)
        if old is not None and (old["status"], old.get("reason")) == (status, reason):
            continue
        conditions = put(conditions, kind, status, cluster.now, reason=reason, message=message, lastHeartbeatTime=stamp(cluster.now))
        if kind == "Ready" or status == "True":
            word = {"Ready": "NodeReady" if status == "True" else "NodeNotReady"}.get(kind, f"NodeHas{reason.removeprefix('KubeletHas')}")
            events.record(cluster, node, word, f"Node {node['metadata']['name']} status is now: {word}", source="kubelet")
    return conditions


def _unknown(cluster: Cluster, node: Json) -> datetime | None:
    """A node whose lease is old: the controller itself says Unknown."""
    lease = cluster.store.peek(LEASES, NODE_LEASES, node["metadata"]["name"])
    last = moment(lease["spec"]["renewTime"]) if lease else cluster.now - timedelta(seconds=GRACE_SECONDS)
    due = last + timedelta(seconds=GRACE_SECONDS)
    if cluster.now < due:
        return due
    conditions: list[Json] = list(node.get("status", {}).get("conditions", []))
    for kind in _HEALTHY:
        conditions = put(
            conditions, kind, "Unknown", cluster.now, reason="NodeStatusUnknown", message="Kubelet stopped posting node status."
        )
    _write(cluster, node, conditions, "kube-controller-manager")
    return None


def _write(cluster: Cluster, node: Json, conditions: list[Json], manager: str) -> None:
    status = node.get("status", {})
    if conditions != status.get("conditions"):
        cluster.set_status(NODES, node, {**status, "conditions": conditions}, manager=manager)


# -- taints and eviction ----------------------------------------------------------------------------------------------


def _taint(cluster: Cluster, node: Json) -> None:
    wanted: list[Json] = []
    for condition in node.get("status", {}).get("conditions", ()):
        key, effects = _TAINTS.get((condition["type"], condition["status"]), ("", ()))
        for effect in effects:
            taint = {"key": key, "effect": effect}
            wanted.append({**taint, "timeAdded": condition["lastTransitionTime"]} if effect == "NoExecute" else taint)
    if node["spec"].get("unschedulable"):
        since = next(
            (taint["timeAdded"] for taint in node["spec"].get("taints", ()) if taint["key"] == _CORDON and "timeAdded" in taint), ""
        )
        wanted.append({"key": _CORDON, "effect": "NoSchedule", "timeAdded": since or stamp(cluster.now)})
    ours = {key for key, _ in _TAINTS.values()} | {_CORDON}
    kept = [taint for taint in node["spec"].get("taints", ()) if taint["key"] not in ours]
    taints = [*kept, *wanted]
    if taints != node["spec"].get("taints", []):
        spec = {key: value for key, value in node["spec"].items() if key != "taints"}
        cluster.update(NODES, {**node, "spec": {**spec, "taints": taints} if taints else spec})


def _evict(cluster: Cluster, node: Json) -> datetime | None:
    """Delete pods that do not tolerate a NoExecute taint (any longer), as the taint eviction controller does.

    A taint that a pod does not tolerate takes it at once, whoever put it there. Else the shortest of its tolerations counts, from when the
    pod was first seen under such taints. The 300 s that pods get for a node that is not ready or unreachable are tolerations of their own,
    which admission adds.
    """
    taints = [taint for taint in node["spec"].get("taints", ()) if taint["effect"] == "NoExecute"]
    kept: dict[str, dict[str, datetime]] = cluster.memo.setdefault("tainted", {})
    if not taints:
        kept.pop(node["metadata"]["name"], None)
        return None
    since, due = kept.setdefault(node["metadata"]["name"], {}), None
    for pod in cluster.all(PODS):
        if pod["spec"].get("nodeName") != node["metadata"]["name"] or "deletionTimestamp" in pod["metadata"]:
            continue
        _mark_unready(cluster, pod)
        at = _leaves_at(pod, taints, since.setdefault(pod["metadata"]["uid"], cluster.now))
        if at is not None and at <= cluster.now:
            events.record(
                cluster,
                pod,
                "TaintManagerEviction",
                f"Marking for deletion Pod {pod['metadata']['namespace']}/{pod['metadata']['name']}",
                source="taint-eviction-controller",
            )
            cluster.delete_pod(pod)
        else:
            due = earliest(due, at)
    return due


def _leaves_at(pod: Json, taints: Sequence[Json], since: datetime) -> datetime | None:
    """None: it stays. Of each taint the first toleration that fits counts."""
    tolerations = pod["spec"].get("tolerations", ())
    used = [next((each for each in tolerations if scheduling.tolerates(each, taint)), None) for taint in taints]
    found = [each for each in used if each is not None]
    if len(found) < len(used):
        return since
    seconds = [each["tolerationSeconds"] for each in found if each.get("tolerationSeconds") is not None]
    return since + timedelta(seconds=max(0, min(seconds))) if seconds else None


def _mark_unready(cluster: Cluster, pod: Json) -> None:
    node = cluster.store.peek(NODES, None, pod["spec"]["nodeName"])
    conditions: list[Json] = pod.get("status", {}).get("conditions", [])
    ready = find(conditions, "Ready")
    if node is not None and is_silent(node) and ready is not None and ready["status"] == "True":
        new = put(conditions, "Ready", "False", cluster.now)
        cluster.set_status(PODS, pod, {**pod["status"], "conditions": new})
