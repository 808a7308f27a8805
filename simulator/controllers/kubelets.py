"""The kubelets: start, probe, restart, resize and end the pods of their nodes, and report what is true of them.

Each pod is looked at only when it changed or when its own next moment has come, so that sixty quiet pods cost nothing.
"""

from datetime import datetime, timedelta
from functools import partial
from hashlib import sha256

from simulator.clock import stamp
from simulator.controllers import container_states, events, fates, init_containers, nodes, references, resizing
from simulator.controllers.cluster import NODES, PODS, PREFIX, Cluster, Json, earliest, moment
from simulator.controllers.conditions import find, put
from simulator.controllers.container_states import Note, Situation
from simulator.controllers.init_containers import Begun
from simulator.worlds.matching import Roster

MANAGER = "kubelet"
TERMINATION_SECONDS = 2
MOUNT_SECONDS = 60


def reconcile(cluster: Cluster) -> datetime | None:
    seen: dict[str, tuple[str, datetime | None, bool]] = cluster.memo.get("kubelets", {})
    fresh: dict[str, tuple[str, datetime | None, bool]] = {}
    silent = {node["metadata"]["name"] for node in cluster.all(NODES) if nodes.is_silent(node)}
    due = None
    for pod in cluster.all(PODS):
        meta = pod["metadata"]
        if not pod["spec"].get("nodeName") or pod["spec"]["nodeName"] in silent:
            continue
        version, at, in_gang = seen.get(meta["uid"], ("", None, False))
        if version != meta["resourceVersion"] or (at is not None and at <= cluster.now) or in_gang:
            at = cluster.each([pod], _one)
            version, in_gang = _version(cluster, pod), bool(fates.gang_size(pod))
        fresh[meta["uid"]] = (version, at, in_gang)
        due = earliest(due, at)
    cluster.memo["kubelets"] = fresh
    return due


def _version(cluster: Cluster, pod: Json) -> str:
    stored = cluster.store.peek(PODS, pod["metadata"]["namespace"], pod["metadata"]["name"])
    return stored["metadata"]["resourceVersion"] if stored else ""


def _one(cluster: Cluster, pod: Json) -> datetime | None:
    if "deletionTimestamp" in pod["metadata"]:
        return _terminate(cluster, pod)
    if pod.get("status", {}).get("phase") in ("Succeeded", "Failed"):
        return None
    status, due = _status(cluster, pod)
    cluster.set_status(PODS, pod, status, manager=MANAGER)
    return due


# -- the end ----------------------------------------------------------------------------------------------------------


def _terminate(cluster: Cluster, pod: Json) -> datetime | None:
    meta = pod["metadata"]
    grace = meta.get("deletionGracePeriodSeconds", 0)
    told = meta.get("annotations", {}).get(f"{PREFIX}term-seconds")
    needs = fates.number(told, TERMINATION_SECONDS)
    end = moment(meta["deletionTimestamp"]) - timedelta(seconds=grace) + timedelta(seconds=min(grace, needs))
    if cluster.now < end:
        for container in pod["spec"]["containers"]:
            _tell(cluster, pod, Note("Killing", f"Stopping container {container['name']}"))
        return end
    cluster.store.delete(PODS, meta["namespace"], meta["name"], uid=meta["uid"], grace_seconds=0)
    return None


def _tell(cluster: Cluster, pod: Json, note: Note) -> None:
    events.record(cluster, pod, note.reason, note.message, source="kubelet", warning=note.warning, host=pod["spec"]["nodeName"])


# -- the status -------------------------------------------------------------------------------------------------------


def _status(cluster: Cluster, pod: Json) -> tuple[Json, datetime | None]:
    old = pod.get("status", {})
    status = {**old, "observedGeneration": pod["metadata"].get("generation", 1)}
    if "startTime" not in status:
        status |= _first(cluster, pod)
    if _is_unbegun(status) and (refused := references.unmounted(cluster, pod)):
        return _unmounted(cluster, pod, status, refused)
    begun = _initialise(cluster, pod, status)
    if begun.statuses:
        status["initContainerStatuses"] = begun.statuses
    statuses, due = _waiting_for(pod, begun) if begun.incomplete else _containers(cluster, pod, status)
    conditions = list(status.get("conditions", []))
    resized = resizing.resize(cluster, pod, statuses, conditions)
    status["containerStatuses"] = resized.statuses
    status["phase"] = _phase(resized.statuses)
    status["conditions"] = _conditions(cluster, resized.conditions, resized.statuses, status["phase"], begun.incomplete)
    if status["phase"] != "Pending":
        status["podIP"], status["podIPs"] = _address(pod), [{"ip": _address(pod)}]
    return status, earliest(due, resized.due)


def _is_unbegun(status: Json) -> bool:
    """Whether no container, nor an init container, was ever started."""
    statuses = [*status.get("initContainerStatuses", ()), *status.get("containerStatuses", ())]
    return all(each["state"] == {"waiting": {"reason": "ContainerCreating"}} for each in statuses)


def _unmounted(cluster: Cluster, pod: Json, status: Json, refused: str) -> tuple[Json, datetime | None]:
    """Nothing starts before every volume is there; the kubelet tries again, and says so again."""
    _tell(cluster, pod, Note("FailedMount", refused, warning=True))
    statuses = [container_states.new(container) for container in pod["spec"]["containers"]]
    conditions = _conditions(cluster, list(status.get("conditions", [])), statuses, "Pending", [])
    shown = {
        **status,
        "phase": "Pending",
        "containerStatuses": statuses,
        "conditions": put(conditions, "PodReadyToStartContainers", "False", cluster.now),
    }
    return shown, cluster.after(MOUNT_SECONDS)


def _first(cluster: Cluster, pod: Json) -> Json:
    node = cluster.store.peek(NODES, None, pod["spec"]["nodeName"])
    addresses = node.get("status", {}).get("addresses", []) if node else []
    host = next((each["address"] for each in addresses if each["type"] == "InternalIP"), "")
    started: Json = {"startTime": stamp(cluster.now), "qosClass": quality(pod), "phase": "Pending"}
    return {**started, "hostIP": host, "hostIPs": [{"ip": host}]} if host else started


def _initialise(cluster: Cluster, pod: Json, status: Json) -> Begun:
    """The init containers. What the pod's annotations say is meant for its main containers, so their fates are read without."""
    roster: Roster = cluster.memo.setdefault("roster", Roster(cluster.world))
    bare = {**pod, "metadata": {key: value for key, value in pod["metadata"].items() if key != "annotations"}}
    around = _situation(cluster, pod, status, once=True)
    return init_containers.begin(pod, status.get("initContainerStatuses", []), partial(fates.fate, cluster.world, roster, bare), around)


def _waiting_for(pod: Json, begun: Begun) -> tuple[list[Json], datetime | None]:
    return [init_containers.queued(container) for container in pod["spec"]["containers"]], begun.due


def _situation(cluster: Cluster, pod: Json, status: Json, *, once: bool) -> Situation:
    return Situation(
        pod=pod,
        now=cluster.now,
        created_at=moment(status["startTime"]),
        restarts=pod["spec"].get("restartPolicy", "Always") != "Never",
        once=once,
        ends_at=lambda started: started + timedelta(seconds=init_containers.RUN_SECONDS),
        tell=partial(_tell, cluster, pod),
        absent=partial(references.absent, cluster, pod),
    )


def _containers(cluster: Cluster, pod: Json, status: Json) -> tuple[list[Json], datetime | None]:
    roster: Roster = cluster.memo.setdefault("roster", Roster(cluster.world))
    old = {each["name"]: each for each in status.get("containerStatuses", ())}
    due, statuses = None, []
    for container in pod["spec"]["containers"]:
        fate = fates.fate(cluster.world, roster, pod, container)
        around = _situation(cluster, pod, status, once=pod["spec"].get("restartPolicy") == "OnFailure")
        around = around._replace(ends_at=partial(_ends_at, cluster, pod, fate.run_seconds))
        new, at = container_states.step(container, old.get(container["name"]), fate, around)
        statuses.append(new)
        due = earliest(due, at)
    return statuses, due


def _ends_at(cluster: Cluster, pod: Json, run_seconds: int, started: datetime) -> datetime | None:
    """When work of `run_seconds` is done. A gang works only while all its members run."""
    wanted = fates.gang_size(pod)
    if not wanted:
        return started + timedelta(seconds=run_seconds)
    starts = _gang_starts(cluster, pod)
    return max(starts) + timedelta(seconds=run_seconds) if len(starts) >= wanted else None


def _gang_starts(cluster: Cluster, pod: Json) -> list[datetime]:
    """When each member of the pod's gang (its owner's pods) started; those that are done already count, they end one after the other."""
    owners = pod["metadata"].get("ownerReferences", [])
    members = cluster.owned(PODS, owners[0]["uid"]) if owners else [pod]
    states = [each["state"] for member in members for each in member.get("status", {}).get("containerStatuses", ())[:1]]
    runs = [state.get("running") or state.get("terminated") for state in states]
    return [moment(run["startedAt"]) for run in runs if run]


def _phase(statuses: list[Json]) -> str:
    if all("terminated" in each["state"] for each in statuses):
        return "Succeeded" if all(each["state"]["terminated"]["exitCode"] == 0 for each in statuses) else "Failed"
    begun = all("running" in each["state"] or "terminated" in each["state"] or each["lastState"] for each in statuses)
    return "Running" if begun else "Pending"


def _conditions(cluster: Cluster, conditions: list[Json], statuses: list[Json], phase: str, incomplete: list[str]) -> list[Json]:
    now = cluster.now
    unready = [each["name"] for each in statuses if not each["ready"]]
    over = phase in ("Succeeded", "Failed")
    reason = "PodCompleted" if phase == "Succeeded" else "PodFailed" if phase == "Failed" else "ContainersNotReady"
    message = "" if over else f"containers with unready status: [{' '.join(unready)}]"
    conditions = put(conditions, "PodReadyToStartContainers", "False" if over else "True", now)
    if incomplete:
        text = f"containers with incomplete status: [{' '.join(incomplete)}]"
        conditions = put(conditions, "Initialized", "False", now, reason="ContainersNotInitialized", message=text)
    else:
        conditions = put(conditions, "Initialized", "True", now, reason="PodCompleted" if over else "")
    for kind in ("Ready", "ContainersReady"):
        told = {"reason": reason, "message": message} if unready else {}
        conditions = put(conditions, kind, "False" if unready else "True", now, **told)
    return conditions if find(conditions, "PodScheduled") else put(conditions, "PodScheduled", "True", now)


def _address(pod: Json) -> str:
    """A pod IP that follows from the uid: one per pod, near enough."""
    digest = sha256(pod["metadata"]["uid"].encode()).digest()
    return f"10.{64 + digest[0] % 64}.{digest[1]}.{1 + digest[2] % 254}"


def quality(pod: Json) -> str:
    """The QoS class: Guaranteed, Burstable or BestEffort."""
    resources = [each.get("resources", {}) for each in pod["spec"]["containers"]]
    if not any(each.get("requests") or each.get("limits") for each in resources):
        return "BestEffort"
    return "Guaranteed" if all(map(_is_guaranteed, resources)) else "Burstable"


def _is_guaranteed(resources: Json) -> bool:
    limits, requests = resources.get("limits", {}), resources.get("requests", {})
    return all(key in limits and requests.get(key, limits[key]) == limits[key] for key in ("cpu", "memory"))
