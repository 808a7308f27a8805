"""CronJobs: start a Job at each time of a five-field schedule (UTC), keep a short history.

The schedule knows `*`, numbers, lists, ranges and steps; names of months and days are not known.
"""

from datetime import datetime, timedelta

from simulator.clock import stamp
from simulator.controllers import events
from simulator.controllers.cluster import CRON_JOBS, JOBS, Cluster, Json, moment, owner_reference
from simulator.controllers.conditions import is_true

SOURCE = "cronjob-controller"
_RANGES = ((0, 59), (0, 23), (1, 31), (1, 12), (0, 6))


def reconcile(cluster: Cluster) -> datetime | None:
    return cluster.each(cluster.all(CRON_JOBS), _one)


def _one(cluster: Cluster, cron_job: Json) -> datetime | None:
    if "deletionTimestamp" in cron_job["metadata"] or cron_job["spec"].get("suspend"):
        return None
    status = dict(cron_job.get("status", {}))
    since = moment(status.get("lastScheduleTime") or cron_job["metadata"]["creationTimestamp"])
    due = next_time(cron_job["spec"]["schedule"], since)
    if due is not None and due <= cluster.now:
        due = _latest(cron_job["spec"]["schedule"], due, cluster.now)
        _start(cluster, cron_job, due)
        status["lastScheduleTime"] = stamp(due)
        due = next_time(cron_job["spec"]["schedule"], due)
    owned = cluster.owned(JOBS, cron_job["metadata"]["uid"])
    running = [job for job in owned if not is_true(job, "Complete") and not is_true(job, "Failed")]
    status["active"] = [
        {
            "apiVersion": "batch/v1",
            "kind": "Job",
            "name": job["metadata"]["name"],
            "namespace": job["metadata"]["namespace"],
            "uid": job["metadata"]["uid"],
        }
        for job in running
    ]
    done = [job["status"]["completionTime"] for job in owned if is_true(job, "Complete")]
    if done:
        status["lastSuccessfulTime"] = max(done)
    if not status["active"]:
        del status["active"]
    cluster.set_status(CRON_JOBS, cron_job, status)
    _trim(cluster, cron_job, owned)
    return due


def _latest(schedule: str, first: datetime, now: datetime) -> datetime:
    """The last missed time; at most a hundred are looked at, as the real controller does."""
    for _ in range(100):
        following = next_time(schedule, first)
        if following is None or following > now:
            break
        first = following
    return first


def _start(cluster: Cluster, cron_job: Json, due: datetime) -> None:
    template = cron_job["spec"]["jobTemplate"]
    meta = cron_job["metadata"]
    name = f"{meta['name']}-{int(due.timestamp()) // 60}"
    if cluster.store.peek(JOBS, meta["namespace"], name) is not None:
        return
    template_meta = template.get("metadata", {})
    job = {
        "metadata": {
            "name": name,
            "namespace": meta["namespace"],
            "labels": dict(template_meta.get("labels", {})),
            "annotations": {**template_meta.get("annotations", {}), "batch.kubernetes.io/cronjob-scheduled-timestamp": stamp(due)},
            "ownerReferences": [owner_reference(cron_job)],
        },
        "spec": dict(template["spec"]),
    }
    cluster.create(JOBS, job)
    events.record(cluster, cron_job, "SuccessfulCreate", f"Created job {name}", source=SOURCE)


def _trim(cluster: Cluster, cron_job: Json, owned: list[Json]) -> None:
    for kind, field, default in (("Complete", "successfulJobsHistoryLimit", 3), ("Failed", "failedJobsHistoryLimit", 1)):
        ended = sorted((job for job in owned if is_true(job, kind)), key=lambda job: job["metadata"]["creationTimestamp"], reverse=True)
        for job in ended[cron_job["spec"].get(field, default) :]:
            cluster.store.delete(JOBS, job["metadata"]["namespace"], job["metadata"]["name"])


def next_time(schedule: str, after: datetime) -> datetime | None:
    """The first matching minute after `after`; None when there is none within four years (31 February)."""
    minutes, hours, days, months, weekdays = (_field(text, *bounds) for text, bounds in zip(schedule.split(), _RANGES, strict=True))
    day = after.replace(hour=0, minute=0, second=0, microsecond=0)
    start = after.replace(second=0, microsecond=0) + timedelta(minutes=1)
    for _ in range(4 * 366):
        if day.month in months and day.day in days and (day.weekday() + 1) % 7 in weekdays:
            times = (day.replace(hour=hour, minute=minute) for hour in sorted(hours) for minute in sorted(minutes))
            found = next((each for each in times if each >= start), None)
            if found is not None:
                return found
        day += timedelta(days=1)
    return None


def _field(text: str, low: int, high: int) -> set[int]:
    found: set[int] = set()
    for part in text.split(","):
        span, _, step = part.partition("/")
        first, _, last = (f"{low}-{high}" if span == "*" else span).partition("-")
        end = int(last) if last else (high if step else int(first))
        found |= set(range(int(first), end + 1, int(step or 1)))
    return {value % 7 for value in found} if high == 6 else found
