"""How a condition is written: where it shows on one look, and the row that tells of it once for each workload. Used by every condition."""

from collections.abc import Callable, Iterable, Iterator
from datetime import timedelta
from typing import Any, NamedTuple

from agents.desk import Desk, Detector
from agents.recalling import once
from agents.reporting import found
from agents.workloads import SYSTEM_NAMESPACES, home
from core.cluster.objects import Event, Meta, Pod
from core.cluster.queries import Query
from core.cluster.snapshot import Snapshot
from core.domain.evidence import Evidence, observe
from core.domain.finding import Finding, Severity

RECENT = timedelta(hours=1)
"""Events that are older say what was. The API server keeps them for an hour by default."""


class Sign(NamedTuple):
    """One object that shows a condition. `what` follows the subject's name in the title; `matters` is for a person."""

    kind: str
    item: Any
    what: str
    matters: str
    evidence: tuple[Evidence, ...]


Look = Callable[[Desk], Iterator[Sign]]


def check(
    code: str,
    name: str,
    severity: Severity,
    kinds: tuple[str, ...],
    look: Look,
    *,
    looks: str,
    silent: str,
    mend: str,
    queries: Callable[[Snapshot], Iterable[Query]] = lambda _: (),
) -> Detector:
    """A row: one finding for each object, however many of its pods show the condition."""

    def detect(desk: Desk) -> Iterator[Finding]:
        groups: dict[str, list[Sign]] = {}
        for sign in look(desk):
            groups.setdefault(f"{sign.kind}/{sign.item.metadata.namespace}/{sign.item.metadata.name}", []).append(sign)
        for place in sorted(groups):
            yield _finding(desk, code, severity, groups[place])

    return Detector(code, name, severity, silent, kinds, detect, queries, looks=looks, mend=mend)


def _finding(desk: Desk, code: str, severity: Severity, signs: list[Sign]) -> Finding:
    first = signs[0]
    times = f" ({len(signs)} times)" if len(signs) > 1 else ""
    subject = desk.snapshot.target(first.kind, first.item)
    return found(desk, code, severity, subject, f"{first.item.metadata.name} {first.what}{times}", first.matters, *first.evidence)


def on_pod(desk: Desk, pod: Pod, what: str, matters: str, *evidence: Evidence) -> Sign:
    """Told of the workload that people know the pod by."""
    return Sign(*home(desk.snapshot, pod), what, matters, evidence)


@once
def pods(desk: Desk) -> Iterator[Pod]:
    """Those that neither ended nor are on their way out, outside the cluster's own namespaces."""
    for pod in desk.snapshot.pods:
        if ours(pod.metadata) and pod.metadata.deletion_timestamp is None and pod.status.phase not in ("Succeeded", "Failed"):
            yield pod


@once
def unwell(desk: Desk) -> Iterator[Pod]:
    """Those of which not every container is ready: among ten thousand there are few, and most conditions look at no others."""
    for pod in pods(desk):
        statuses = pod.status.container_statuses
        if pod.status.phase != "Running" or len(statuses) < len(pod.spec.containers) or not all(status.ready for status in statuses):
            yield pod


def ours(meta: Meta) -> bool:
    """Whether agents look at it at all."""
    return meta.namespace not in SYSTEM_NAMESPACES


def events(desk: Desk, uid: str, reasons: frozenset[str]) -> tuple[Event, ...]:
    """What was reported of an object within the last hour for one of these reasons, newest first."""
    found_here = [event for event in desk.snapshot.events_of(uid) if event.reason in reasons and since(desk, event) <= RECENT]
    return tuple(sorted(found_here, key=lambda event: since(desk, event)))


def since(desk: Desk, event: Event) -> timedelta:
    """How long ago it last happened; for ever where the event does not say."""
    at = event.last_timestamp or event.event_time or event.first_timestamp
    return desk.now - at if at is not None else timedelta.max


def reported(desk: Desk, kind: str, item: Any, event: Event) -> Evidence:
    """An event, quoted: its text is somebody else's."""
    return observe("event", desk.snapshot.target(kind, item), f"events reason={event.reason}", event.message, desk.now)
