"""Workloads whose pods are not even made, and rollouts that do not end. Called by the table of this agent."""

import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

from agents.desk import Desk
from agents.reliability.conditions.signs import Sign, check, events, ours, reported
from agents.reporting import seen, told
from agents.workloads import age, controlled, leaving
from core.cluster.objects import Condition
from core.cluster.snapshot import controller
from core.domain.evidence import Evidence
from core.domain.finding import Severity

DAY = timedelta(days=1)
PATIENCE = timedelta(minutes=5)
_KINDS = ("Namespace", "Pod", "Deployment", "ReplicaSet", "StatefulSet", "DaemonSet", "Job", "Event")
_MAKERS = ("ReplicaSet", "StatefulSet", "DaemonSet", "Job")
_FAILED = frozenset(("FailedCreate",))
_QUOTA = re.compile(r"exceeded quota|failed quota", re.IGNORECASE)
_REFERENCE = re.compile(r"(serviceaccount|service account|PriorityClass)\b.*(not found|was found)|no PriorityClass", re.IGNORECASE)


def _because(wanted: Callable[[str], bool], what: str, matters: str) -> Callable[[Desk], Iterator[Sign]]:
    """By the controller's own words: a ReplicaSet keeps them as a condition, the others report an event."""

    def look(desk: Desk) -> Iterator[Sign]:
        for kind in _MAKERS:
            for item in desk.snapshot.of(kind):
                if ours(item.metadata) and item.metadata.deletion_timestamp is None and _wants_more(desk, item):
                    evidence = _refusal(desk, kind, item, wanted)
                    if evidence is not None:
                        yield Sign(*_known_as(desk, kind, item), what, matters, (evidence,))

    return look


def _wants_more(desk: Desk, item: Any) -> bool:
    """A refusal of before that was overcome is no fault. Jobs and DaemonSets say by their events alone."""
    asked: int | None = getattr(item.spec, "replicas", None)
    return asked is None or len([pod for pod in desk.snapshot.pods_of(item.metadata.uid) if not leaving(pod)]) < asked


def _refusal(desk: Desk, kind: str, item: Any, wanted: Callable[[str], bool]) -> Evidence | None:
    failure: Condition | None = next(
        (one for one in item.status.conditions if one.type == "ReplicaFailure" and one.status == "True" and wanted(one.message)), None
    )
    if failure is not None:
        return told(desk, kind, item, "status.conditions[ReplicaFailure].message", failure.message)
    event = next((one for one in events(desk, item.metadata.uid, _FAILED) if wanted(one.message)), None)
    return reported(desk, kind, item, event) if event is not None else None


def _known_as(desk: Desk, kind: str, item: Any) -> tuple[str, Any]:
    """The Deployment of a ReplicaSet, the CronJob of a Job."""
    owner = controller(item.metadata)
    above = desk.snapshot.find(owner.kind, item.metadata.namespace, owner.name) if owner is not None else None
    return (owner.kind, above) if owner is not None and above is not None else (kind, item)


def _is_quota(message: str) -> bool:
    return bool(_QUOTA.search(message))


def _is_reference(message: str) -> bool:
    return bool(_REFERENCE.search(message))


def _is_admission(message: str) -> bool:
    return bool(message) and not _is_quota(message) and not _is_reference(message)


def deadline(desk: Desk) -> Iterator[Sign]:
    for workload in controlled(desk.snapshot, ("Deployment",)):
        item = workload.item
        for condition in item.status.conditions:
            if condition.type == "Progressing" and condition.status == "False" and condition.reason == "ProgressDeadlineExceeded":
                yield Sign(
                    "Deployment",
                    item,
                    f"does not finish its rollout: {item.status.updated_replicas} of {workload.replicas} replicas are new, "
                    f"{item.status.available_replicas} serve",
                    "The controller gave up waiting. What serves now is the revision before, and less of it.",
                    (
                        seen(desk, "Deployment", item, "status.conditions[Progressing].reason", condition.reason),
                        told(desk, "Deployment", item, "status.conditions[Progressing].message", condition.message),
                    ),
                )


def paused(desk: Desk) -> Iterator[Sign]:
    """A pause without a rollout under way is somebody's choice."""
    for workload in controlled(desk.snapshot, ("Deployment",)):
        item = workload.item
        since = max((one.last_transition_time for one in item.status.conditions if one.last_transition_time), default=None)
        half = 0 < item.status.updated_replicas < item.status.replicas
        if item.spec.paused and half and since is not None and desk.now - since >= DAY:
            what = f"has been paused in the middle of a rollout: {item.status.updated_replicas} of {item.status.replicas} pods are new"
            matters = "Two versions serve side by side, and no later change goes out."
            yield Sign("Deployment", item, what, matters, (seen(desk, "Deployment", item, "spec.paused", "true"),))


def not_seen(desk: Desk) -> Iterator[Sign]:
    """The controller manager has not looked at a change for minutes: it is down, or drowned."""
    for workload in controlled(desk.snapshot):
        item = workload.item
        written = max((one.time for one in item.metadata.managed_fields if one.time and not one.subresource), default=None)
        behind = item.metadata.generation - item.status.observed_generation
        if behind > 0 and written is not None and desk.now - written >= PATIENCE and age(item.metadata, desk.now) >= PATIENCE:
            what = f"was changed, and no controller has looked at it for {int((desk.now - written).total_seconds() // 60)} minutes"
            matters = "Nothing is rolled out, scaled or healed while the controller manager does not work."
            yield Sign(
                workload.kind,
                item,
                what,
                matters,
                (
                    seen(desk, workload.kind, item, "metadata.generation", item.metadata.generation),
                    seen(desk, workload.kind, item, "status.observedGeneration", item.status.observed_generation),
                ),
            )


CHECKS = (
    check(
        "REL-130",
        "quota that keeps pods from being made",
        Severity.HIGH,
        _KINDS,
        _because(_is_quota, "cannot make its pods: the namespace's quota is used up", "Replicas that end are not replaced."),
        looks="ReplicaFailure conditions and FailedCreate events that name a quota.",
        silent="once as many pods are there as were asked for",
        mend="Raise the quota within the budget, or ask for less: the message has the numbers.",
    ),
    check(
        "REL-131",
        "admission that refuses the pods",
        Severity.HIGH,
        _KINDS,
        _because(_is_admission, "cannot make its pods: the API server refuses them", "Replicas that end are not replaced."),
        looks="ReplicaFailure conditions and FailedCreate events by pod security, limit ranges, policies and webhooks.",
        silent="once as many pods are there as were asked for, and where REL-130 or REL-132 tells of it",
        mend="Change the template so that it passes; the message names each rule that was broken.",
    ),
    check(
        "REL-132",
        "service account or priority class that does not exist",
        Severity.HIGH,
        _KINDS,
        _because(_is_reference, "cannot make its pods: they name a service account or priority class that is not there", "No pod is made."),
        looks="ReplicaFailure conditions and FailedCreate events that name a missing service account or priority class.",
        silent="once as many pods are there as were asked for",
        mend="Make the object, or correct the name in the template.",
    ),
    check(
        "REL-133",
        "rollout past its deadline",
        Severity.HIGH,
        ("Namespace", "Pod", "Deployment", "ReplicaSet"),
        deadline,
        looks="Deployments whose Progressing condition is False with ProgressDeadlineExceeded.",
        silent="before the deadline (spec.progressDeadlineSeconds, ten minutes unless said otherwise)",
        mend="Another finding of the same workload mostly says why; roll back when the old revision served.",
    ),
    check(
        "REL-134",
        "rollout paused half-way",
        Severity.LOW,
        ("Namespace", "Pod", "Deployment", "ReplicaSet"),
        paused,
        looks="Paused Deployments with pods of two revisions, where nothing moved for a day.",
        silent="in the first day, and where all pods are of one revision",
        mend="Resume or undo it: kubectl rollout resume, kubectl rollout undo.",
    ),
    check(
        "REL-135",
        "change that no controller saw",
        Severity.HIGH,
        ("Namespace", "Pod", "Deployment", "StatefulSet", "DaemonSet"),
        not_seen,
        looks="Workloads whose observed generation stays behind their generation for five minutes after the last write.",
        silent="in the first 5 minutes, and where nobody knows when the last write was",
        mend="Look at kube-controller-manager: not running, without a lease, or held up by the API server.",
    ),
)
