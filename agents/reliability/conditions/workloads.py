"""StatefulSets, DaemonSets, Jobs and CronJobs that do not do what they were made for. Called by the table of this agent."""

from collections import defaultdict
from collections.abc import Iterator
from datetime import timedelta
from itertools import pairwise, takewhile

from agents.desk import Desk
from agents.reliability.conditions.signs import Sign, check, events, ours, reported
from agents.reporting import counted, moment, pairs, seen, told
from agents.workloads import age, controlled, leaving, ready
from core.cluster import selecting
from core.cluster.objects import CronJob, Job, Pod
from core.domain.finding import Severity

PATIENCE = timedelta(minutes=10)
DAY = timedelta(days=1)
FAILED_IN_A_ROW = 3
_MISSED = frozenset(("FailedNeedsStart", "TooManyMissedTimes", "UnparseableSchedule", "InvalidSchedule", "UnknownTimeZone"))


def ordered_wait(desk: Desk) -> Iterator[Sign]:
    """Pods are made one after the other: the first that is not ready holds up all later ones."""
    for workload in controlled(desk.snapshot, ("StatefulSet",)):
        by_ordinal = sorted((pod for pod in workload.pods if _ordinal(pod) >= 0), key=_ordinal)
        first = next((pod for pod in by_ordinal if not ready(pod)), None)
        if first is None or len(workload.pods) >= workload.replicas or age(first.metadata, desk.now) < PATIENCE:
            continue
        missing = workload.replicas - len(workload.pods)
        what = f"waits for pod {first.metadata.name}: {counted(missing, 'later pod')} of {workload.replicas} not made yet"
        matters = "A StatefulSet makes its pods in order, and none after one that is not ready."
        yield Sign("StatefulSet", workload.item, what, matters, (seen(desk, "Pod", first, "status.conditions[Ready].status", "False"),))


def _ordinal(pod: Pod) -> int:
    tail = pod.metadata.name.rpartition("-")[2]
    return int(tail) if tail.isascii() and tail.isdigit() and len(tail) < 6 else -1


def without_service(desk: Desk) -> Iterator[Sign]:
    for workload in controlled(desk.snapshot, ("StatefulSet",)):
        name = workload.item.spec.service_name
        if name and desk.snapshot.find("Service", workload.item.metadata.namespace, name) is None:
            what = f"names service {name}, which does not exist"
            matters = "Its pods have no DNS names of their own, by which members of a cluster find each other."
            yield Sign("StatefulSet", workload.item, what, matters, (seen(desk, "StatefulSet", workload.item, "spec.serviceName", name),))


def daemons_missing(desk: Desk) -> Iterator[Sign]:
    for workload in controlled(desk.snapshot, ("DaemonSet",)):
        status = workload.item.status
        short = status.desired_number_scheduled - status.number_ready
        oldest = max(
            (age(pod.metadata, desk.now) for pod in workload.pods if not ready(pod)), default=age(workload.item.metadata, desk.now)
        )
        if short > 0 and oldest >= PATIENCE and age(workload.item.metadata, desk.now) >= PATIENCE:
            what = f"is not ready on {short} of {counted(status.desired_number_scheduled, 'node')}"
            matters = "What it does for a node, nobody does there: logs, network, storage, devices."
            evidence = (
                seen(desk, "DaemonSet", workload.item, "status.numberReady", status.number_ready),
                seen(desk, "DaemonSet", workload.item, "status.desiredNumberScheduled", status.desired_number_scheduled),
            )
            yield Sign("DaemonSet", workload.item, what, matters, evidence)


def overlapping(desk: Desk) -> Iterator[Sign]:
    """Selectors that take each other's pods: two controllers count the same pods."""
    by_namespace: dict[str, list[tuple[str, object]]] = defaultdict(list)
    kinds = {}
    for workload in controlled(desk.snapshot):
        if workload.item.spec.selector is not None:
            kinds[workload.item.metadata.uid] = workload
            by_namespace[workload.item.metadata.namespace].append((workload.item.metadata.uid, workload.item.spec.selector))
    for selectors in by_namespace.values():
        for uid, _ in selectors:
            mine = kinds[uid]
            labels = mine.item.spec.template.metadata.labels
            for other_uid, selector in selectors:
                other = kinds[other_uid]
                if uid != other_uid and mine.name > other.name and selecting.matches(selector, labels):  # type: ignore[arg-type]
                    what = f"has pods that {other.kind} {other.item.metadata.name} selects too"
                    matters = "Each counts the other's pods as its own; one of them makes too few."
                    shown = pairs(labels)
                    evidence = (seen(desk, mine.kind, mine.item, "spec.template.metadata.labels", shown),)
                    yield Sign(mine.kind, mine.item, what, matters, evidence)


def job_failed(desk: Desk) -> Iterator[Sign]:
    """A Job of its own. Those of a CronJob are told of by the CronJob."""
    for job in desk.snapshot.of("Job"):
        if not ours(job.metadata) or any(owner.kind == "CronJob" for owner in job.metadata.owner_references):
            continue
        for condition in job.status.conditions:
            at = condition.last_transition_time
            if condition.type == "Failed" and condition.status == "True" and at is not None and desk.now - at <= DAY:
                what = f"failed: {condition.reason} after {counted(job.status.failed, 'failed pod')}"
                evidence = (
                    seen(desk, "Job", job, "status.conditions[Failed].reason", condition.reason),
                    told(desk, "Job", job, "status.conditions[Failed].message", condition.message),
                )
                yield Sign("Job", job, what, "Its work was not done, and nothing tries again.", evidence)


def cron_failing(desk: Desk) -> Iterator[Sign]:
    for cron, runs in _crons(desk):
        ended = [job for job in runs if _ended(job)]
        last = list(takewhile(_failed, ended))[:FAILED_IN_A_ROW]
        if last and not cron.spec.suspend and (len(last) == FAILED_IN_A_ROW or _missed(cron, runs) >= FAILED_IN_A_ROW):
            what = f"has failed {FAILED_IN_A_ROW} times in a row"
            good = moment(cron.status.last_successful_time)
            evidence = (
                seen(desk, "CronJob", cron, "status.lastSuccessfulTime", good),
                *(seen(desk, "Job", job, "status.conditions[Failed].status", "True") for job in last),
            )
            yield Sign("CronJob", cron, what, f"Its work has not been done since {good}.", evidence)


def _missed(cron: CronJob, runs: list[Job]) -> int:
    """Runs without success since the last one that had it. One failed Job is kept by default; those that went well tell the pace."""
    good, latest = cron.status.last_successful_time, cron.status.last_schedule_time
    begun = sorted(job.metadata.creation_timestamp for job in runs if job.status.completion_time and job.metadata.creation_timestamp)
    pace = min((later - earlier for earlier, later in pairwise(begun) if later > earlier), default=timedelta.max)
    return (latest - begun[-1]) // pace if begun and good is not None and latest is not None else 0


def cron_missed(desk: Desk) -> Iterator[Sign]:
    """By the controller's own events: it knows the schedule and the time zone."""
    for cron, _ in _crons(desk):
        event = next(iter(events(desk, cron.metadata.uid, _MISSED)), None)
        if event is not None and not cron.spec.suspend:
            what = f"does not run: {event.reason}"
            yield Sign("CronJob", cron, what, "Its work is not done, and no Job says so.", (reported(desk, "CronJob", cron, event),))


def cron_blocked(desk: Desk) -> Iterator[Sign]:
    """`Forbid` and a Job that never ends: no later run starts."""
    for cron, runs in _crons(desk):
        if cron.spec.concurrency_policy != "Forbid" or cron.spec.suspend:
            continue
        for job in runs:
            if not _ended(job) and job.status.active and age(job.metadata, desk.now) >= DAY:
                hours = int(age(job.metadata, desk.now).total_seconds() // 3600)
                what = f"starts no new run: Job {job.metadata.name} has been at it for {hours} h and runs may not overlap"
                evidence = (
                    seen(desk, "Job", job, "status.active", job.status.active),
                    seen(desk, "CronJob", cron, "spec.concurrencyPolicy", "Forbid"),
                )
                yield Sign("CronJob", cron, what, "Each tick is skipped until that Job ends.", evidence)


def _crons(desk: Desk) -> Iterator[tuple[CronJob, list[Job]]]:
    """With their Jobs, newest first."""
    runs: dict[str, list[Job]] = defaultdict(list)
    for job in desk.snapshot.of("Job"):
        for owner in job.metadata.owner_references:
            if owner.kind == "CronJob":
                runs[owner.uid].append(job)
    for cron in desk.snapshot.of("CronJob"):
        if ours(cron.metadata):
            yield cron, sorted(runs[cron.metadata.uid], key=lambda job: age(job.metadata, desk.now))


def _failed(job: Job) -> bool:
    return any(one.type == "Failed" and one.status == "True" for one in job.status.conditions)


def _ended(job: Job) -> bool:
    return job.status.completion_time is not None or _failed(job)


def ending_pods(desk: Desk) -> Iterator[Sign]:
    """A Deployment whose container ends by itself with success: a program that was meant as a Job, or that thinks it is done."""
    for workload in controlled(desk.snapshot):
        for pod in workload.pods:
            for status in pod.status.container_statuses:
                last = status.last_state.terminated
                if (
                    last is not None
                    and last.exit_code == 0
                    and last.reason == "Completed"
                    and status.restart_count >= 3
                    and not leaving(pod)
                ):
                    what = f"ends by itself: container {status.name} completed {status.restart_count} times with exit code 0"
                    path = f"status.containerStatuses[{status.name}].lastState.terminated"
                    evidence = (seen(desk, "Pod", pod, f"{path}.reason", last.reason),)
                    yield Sign(workload.kind, workload.item, what, "A workload is restarted for ever; nothing serves in between.", evidence)


CHECKS = (
    check(
        "REL-136",
        "StatefulSet that waits for a pod",
        Severity.HIGH,
        ("Namespace", "Pod", "StatefulSet"),
        ordered_wait,
        looks="StatefulSets with fewer pods than asked for, whose first pod that is not ready is ten minutes old or more.",
        silent="in the first 10 minutes of that pod, and once all pods are made",
        mend="Mend the pod that is named; the others follow by themselves.",
    ),
    check(
        "REL-137",
        "StatefulSet without its service",
        Severity.MEDIUM,
        ("Namespace", "Pod", "StatefulSet", "Service"),
        without_service,
        looks="StatefulSets whose spec.serviceName names no service of the namespace.",
        silent="where no service is named",
        mend="Make the headless service.",
    ),
    check(
        "REL-138",
        "DaemonSet that is missing on nodes",
        Severity.HIGH,
        ("Namespace", "Pod", "DaemonSet"),
        daemons_missing,
        looks="DaemonSets with fewer ready pods than nodes they are wanted on, for ten minutes.",
        silent="in the first 10 minutes of the DaemonSet and of the pod that is not ready",
        mend="The pods that are not ready, or the nodes that have none, say why.",
    ),
    check(
        "REL-139",
        "selectors that overlap",
        Severity.HIGH,
        ("Namespace", "Pod", "Deployment", "StatefulSet", "DaemonSet"),
        overlapping,
        looks="Workloads of one namespace whose template labels another workload's selector matches.",
        silent="across namespaces",
        mend="Give each a label that the other does not have. Selectors cannot be changed: the workload is made anew.",
    ),
    check(
        "REL-140",
        "job that failed",
        Severity.MEDIUM,
        ("Namespace", "Job"),
        job_failed,
        looks="Jobs with a Failed condition within a day.",
        silent="a day after the failure, and for Jobs of a CronJob (REL-141)",
        mend="Read the log of its last pod; start it again under a new name.",
    ),
    check(
        "REL-141",
        "cron job that keeps failing",
        Severity.HIGH,
        ("Namespace", "Job", "CronJob"),
        cron_failing,
        looks="CronJobs whose last three ended Jobs all failed, also where only one of them is kept: the pace of the others counts.",
        silent="below three failures in a row, and while suspended",
        mend="Read the log of the last run.",
    ),
    check(
        "REL-142",
        "cron job that does not run",
        Severity.HIGH,
        ("Namespace", "Job", "CronJob", "Event"),
        cron_missed,
        looks="Events of the CronJob controller about missed or unreadable schedules within an hour.",
        silent="while suspended, and where no such event is younger than an hour",
        mend="Correct schedule or time zone; set startingDeadlineSeconds so that old misses are forgotten.",
    ),
    check(
        "REL-143",
        "cron job behind a run that does not end",
        Severity.MEDIUM,
        ("Namespace", "Job", "CronJob"),
        cron_blocked,
        looks="CronJobs with concurrencyPolicy Forbid, one of whose Jobs has been running for a day.",
        silent="in the first day of a run, and for other policies",
        mend="Give the Job an activeDeadlineSeconds; end the run that hangs.",
    ),
    check(
        "REL-144",
        "workload that ends by itself",
        Severity.HIGH,
        ("Namespace", "Pod", "Deployment", "StatefulSet", "DaemonSet"),
        ending_pods,
        looks="Containers of workloads that completed with exit code 0 and were restarted three times or more.",
        silent="below 3 restarts, and for Jobs",
        mend="Run it as a Job or CronJob, or give it the command that stays.",
    ),
)
