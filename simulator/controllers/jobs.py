"""Jobs: run `parallelism` pods until `completions` succeed, retry with back-off, stop and free everything when suspended."""

from datetime import datetime, timedelta
from typing import NamedTuple

from simulator.clock import stamp
from simulator.controllers import admitting, events, pods
from simulator.controllers.cluster import JOBS, PODS, Cluster, Json, earliest, moment
from simulator.controllers.conditions import find, is_true, put

SOURCE = "job-controller"
INDEX = "batch.kubernetes.io/job-completion-index"


class _Pods(NamedTuple):
    active: list[Json]
    succeeded: list[Json]
    failed: list[Json]


def reconcile(cluster: Cluster) -> datetime | None:
    return cluster.each(cluster.all(JOBS), _one)


def _one(cluster: Cluster, job: Json) -> datetime | None:
    if "deletionTimestamp" in job["metadata"]:
        return None
    if is_true(job, "Complete") or is_true(job, "Failed"):
        return _expire(cluster, job)
    status = dict(job.get("status", {}))
    members = _members(cluster, job)
    if job["spec"].get("suspend"):
        _suspend(cluster, job, status, members)
        return None
    status = _resumed(cluster, job, status)
    ended = _verdict(cluster, job, status, members)
    due = None
    if ended:
        _drop(cluster, members.active)
    else:
        due = _fill(cluster, job, members)
    _count(status, _members(cluster, job))
    cluster.set_status(JOBS, job, status)
    return due


def _members(cluster: Cluster, job: Json) -> _Pods:
    members = cluster.owned(PODS, job["metadata"]["uid"])
    ended = {phase: [pod for pod in members if pod.get("status", {}).get("phase") == phase] for phase in ("Succeeded", "Failed")}
    return _Pods([pod for pod in members if pods.is_active(pod)], ended["Succeeded"], ended["Failed"])


def _count(status: Json, members: _Pods) -> None:
    ready = sum(map(pods.is_ready, members.active))
    counts = {"active": len(members.active), "succeeded": len(members.succeeded), "failed": len(members.failed)}
    for key, value in counts.items():
        if value:
            status[key] = value
        else:
            status.pop(key, None)
    status |= {"ready": ready, "terminating": 0, "uncountedTerminatedPods": {}}


def _suspend(cluster: Cluster, job: Json, status: Json, members: _Pods) -> None:
    """Delete what runs: this is how a gang gives its GPUs back."""
    conditions = status.get("conditions", [])
    if not is_true(job, "Suspended"):
        status["conditions"] = put(conditions, "Suspended", "True", cluster.now, reason="JobSuspended", message="Job suspended")
        status.pop("startTime", None)
        events.record(cluster, job, "Suspended", "Job suspended", source=SOURCE)
    for pod in members.active:
        events.record(cluster, job, "SuccessfulDelete", f"Deleted pod: {pod['metadata']['name']}", source=SOURCE)
    _drop(cluster, members.active)
    _count(status, _members(cluster, job))
    cluster.set_status(JOBS, job, status)


def _drop(cluster: Cluster, active: list[Json]) -> None:
    for pod in active:
        cluster.delete_pod(pod)


def _resumed(cluster: Cluster, job: Json, status: Json) -> Json:
    conditions = status.get("conditions", [])
    if is_true(job, "Suspended"):
        conditions = put(conditions, "Suspended", "False", cluster.now, reason="JobResumed", message="Job resumed")
        events.record(cluster, job, "Resumed", "Job resumed", source=SOURCE)
        status = {**status, "conditions": conditions}
    return status if "startTime" in status else {**status, "startTime": stamp(cluster.now)}


def _verdict(cluster: Cluster, job: Json, status: Json, members: _Pods) -> bool:
    """Whether the job is over; its last condition is set when it is."""
    wanted = job["spec"].get("completions") or job["spec"].get("parallelism", 1)
    if len(members.succeeded) >= wanted:
        return _end(cluster, job, status, "Complete", "CompletionsReached", "Reached expected number of succeeded pods")
    restarts = sum(each.get("restartCount", 0) for pod in members.active for each in pod.get("status", {}).get("containerStatuses", ()))
    if len(members.failed) + restarts > job["spec"].get("backoffLimit", 6):
        return _end(cluster, job, status, "Failed", "BackoffLimitExceeded", "Job has reached the specified backoff limit")
    limit = job["spec"].get("activeDeadlineSeconds")
    if limit is not None and cluster.now >= moment(status["startTime"]) + timedelta(seconds=limit):
        return _end(cluster, job, status, "Failed", "DeadlineExceeded", "Job was active longer than specified deadline")
    return False


def _end(cluster: Cluster, job: Json, status: Json, kind: str, reason: str, message: str) -> bool:
    status["conditions"] = put(status.get("conditions", []), kind, "True", cluster.now, reason=reason, message=message)
    if kind == "Complete":
        status["completionTime"] = stamp(cluster.now)
        events.record(cluster, job, "Completed", "Job completed", source=SOURCE)
    else:
        events.record(cluster, job, reason, message, source=SOURCE, warning=True)
    return True


def _fill(cluster: Cluster, job: Json, members: _Pods) -> datetime | None:
    """Start what is missing; after failures only when the back-off (10 s doubled, at most 6 min) is over."""
    completions = job["spec"].get("completions")
    parallelism = job["spec"].get("parallelism", 1)
    wanted = parallelism if completions is None else min(parallelism, completions - len(members.succeeded))
    missing = wanted - len(members.active)
    if missing <= 0:
        return _deadline(job)
    if members.failed:
        last = max(_ended_at(pod, cluster.now) for pod in members.failed)
        ready = last + timedelta(seconds=min(360, 10 * 2 ** (len(members.failed) - 1)))
        if cluster.now < ready:
            return earliest(ready, _deadline(job))
    taken = {pod["metadata"].get("annotations", {}).get(INDEX) for pod in [*members.active, *members.succeeded]}
    free = [str(index) for index in range(completions or parallelism) if str(index) not in taken]
    for index in (free + ["0"] * missing)[:missing]:
        _create(cluster, job, index)
    return _deadline(job)


def _deadline(job: Json) -> datetime | None:
    limit, started = job["spec"].get("activeDeadlineSeconds"), job.get("status", {}).get("startTime")
    return moment(started) + timedelta(seconds=limit) if limit is not None and started else None


def _ended_at(pod: Json, default: datetime) -> datetime:
    ends = [
        each["state"]["terminated"]["finishedAt"]
        for each in pod["status"].get("containerStatuses", ())
        if "terminated" in each.get("state", {})
    ]
    return max(map(moment, ends), default=default)


def _create(cluster: Cluster, job: Json, index: str) -> None:
    name, uid = job["metadata"]["name"], job["metadata"]["uid"]
    indexed = job["spec"].get("completionMode") == "Indexed"
    labels = {"batch.kubernetes.io/job-name": name, "job-name": name, "batch.kubernetes.io/controller-uid": uid, "controller-uid": uid}
    pod = pods.from_template(job, job["spec"]["template"], generateName=f"{name}-{index}-" if indexed else f"{name}-", labels=labels)
    if indexed:
        pod["metadata"].setdefault("annotations", {})[INDEX] = index
        pod["metadata"]["labels"][INDEX] = index
    try:
        made = admitting.create_pod(cluster, pod)
    except admitting.PodRefusedError as refused:
        events.record(cluster, job, "FailedCreate", f"Error creating: {refused}", source=SOURCE, warning=True)
        return
    events.record(cluster, job, "SuccessfulCreate", f"Created pod: {made['metadata']['name']}", source=SOURCE)


def _expire(cluster: Cluster, job: Json) -> datetime | None:
    """ttlSecondsAfterFinished."""
    ttl = job["spec"].get("ttlSecondsAfterFinished")
    if ttl is None:
        return None
    conditions = job["status"]["conditions"]
    ended = find(conditions, "Complete") or find(conditions, "Failed")
    due = moment(ended["lastTransitionTime"]) + timedelta(seconds=ttl) if ended else cluster.now
    if cluster.now < due:
        return due
    cluster.store.delete(JOBS, job["metadata"]["namespace"], job["metadata"]["name"])
    return None
