"""REL-177: a rollout since which more requests fail. Called by the table of this agent.

Requests of the service before the rollout against those after it, by a beta-binomial test (`odds`): a finding where it is almost sure that
the share of failed ones rose by more than the margin, silence where it is almost sure that it did not, and silence too where nobody can
tell yet, because a rollback on a guess is worse than one more look. Of two rollouts one may explain what the other is blamed for: who
calls a workload that fails, fails too.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from agents.desk import Desk, RangeQuery
from agents.recalling import graph_of, once
from agents.reliability.odds import Counts, above
from agents.reporting import derived, found, seen
from agents.workloads import Rollout, rollouts, settled
from core.cluster.queries import Query, Series, Shape
from core.cluster.snapshot import Snapshot
from core.domain.finding import Finding, Severity

CODE = "REL-177"
MARGIN = 0.01
"""Of all requests: what is less is not worth a rollback by itself."""
SURE = 0.95
LEAST_REQUESTS = 200
LEAST_TIME = timedelta(minutes=3)
RATE_SECONDS = 60
STEP_SECONDS = 60
BEFORE = timedelta(hours=1)
RECENT = timedelta(hours=6)
"""An older rollout is not compared: what failed since then may have many causes."""


class Compared(NamedTuple):
    """One service before and after the rollout of the workload behind it."""

    rollout: Rollout
    service: str
    before: Counts
    after: Counts
    chance: float
    requests: Series
    failures: Series | None

    def counted(self, start: datetime, end: datetime) -> Counts:
        """What a rate shows between two moments, without its first window, which looks back before the start."""
        return _counts(self.requests, self.failures, start.timestamp() + RATE_SECONDS, end.timestamp())


def _suspects(snapshot: Snapshot, now: datetime) -> Iterator[Rollout]:
    for rollout in rollouts(snapshot):
        if rollout.previous is not None and settled(rollout.workload) and LEAST_TIME <= now - rollout.started_at <= RECENT:
            yield rollout


def ranges(snapshot: Snapshot) -> Iterable[RangeQuery]:
    """Requests and failures of the namespaces where a rollout is young enough."""
    names = sorted({each.workload.item.metadata.namespace for each in _suspects(snapshot, snapshot.taken_at)})
    span = int((RECENT + BEFORE).total_seconds())
    for name in names:
        for shape in (Shape.REQUEST_RATE, Shape.ERROR_RATIO):
            yield RangeQuery(Query(shape, name, rate_seconds=RATE_SECONDS), span, STEP_SECONDS)


def detect(desk: Desk) -> Iterator[Finding]:
    risen = [each for each in _compared(desk) if each.chance >= SURE]
    for each in risen:
        if not _is_explained(each, risen):
            yield _finding(desk, each)


def _is_explained(each: Compared, risen: Sequence[Compared]) -> bool:
    """Whether another rollout since which more fails may be why: callers fail with whom they call. Then only what changed while the other
    one was as it is speaks against this one: up to a later one, or since an earlier one."""
    begun = each.rollout.started_at
    others = [other.rollout.started_at for other in risen if other.rollout.started_at != begun]
    later = min((at for at in others if at > begun), default=None)
    earlier = max((at for at in others if begun - BEFORE < at < begun), default=None)
    if later is None and earlier is None:
        return False
    before = each.before if earlier is None else each.counted(earlier, begun)
    after = each.after if later is None else each.counted(begun, later)
    return min(before.answered, after.answered) < LEAST_REQUESTS or above(after, before, MARGIN) < SURE


@once
def _compared(desk: Desk) -> Iterator[Compared]:
    for rollout in _suspects(desk.snapshot, desk.snapshot.taken_at):
        item = rollout.workload.item
        for service in graph_of(desk).services_of(rollout.workload.pods[0]) if rollout.workload.pods else ():
            series = [desk.series.get(span, ()) for span in ranges(desk.snapshot) if span.query.namespace == item.metadata.namespace]
            requests, failures = (_of(found, service.metadata.name) for found in series)
            if requests is None:
                continue
            begun = rollout.started_at.timestamp()
            before = _counts(requests, failures, begun - BEFORE.total_seconds(), begun)
            after = _counts(requests, failures, begun + RATE_SECONDS, desk.now.timestamp())
            if min(before.answered, after.answered) >= LEAST_REQUESTS:
                chance = above(after, before, MARGIN)
                yield Compared(rollout, service.metadata.name, before, after, chance, requests, failures)


def _of(series: tuple[Series, ...], service: str) -> Series | None:
    return next((each for each in series if each.label("service") == service), None)


def _counts(requests: Series, failures: Series | None, start: float, end: float) -> Counts:
    """Each sample stands for the step before it. No series of failures means that none was ever counted."""
    failed = dict(zip(failures.times, failures.values, strict=True)) if failures else {}
    answered = errors = 0.0
    for at, rate in zip(requests.times, requests.values, strict=True):
        if start < at <= end:
            answered += rate * STEP_SECONDS
            errors += rate * STEP_SECONDS * min(1.0, failed.get(at, 0.0))
    return Counts(answered, errors)


def _finding(desk: Desk, each: Compared) -> Finding:
    item = each.rollout.workload.item
    subject = desk.snapshot.target("Deployment", item)
    minutes = int((desk.now - each.rollout.started_at).total_seconds() // 60)
    title = f"{item.metadata.name} fails {each.after.share:.1%} of requests since the rollout {minutes} minutes ago"
    shown = f"{each.before.failed:.0f} of {each.before.answered:.0f} before, {each.after.failed:.0f} of {each.after.answered:.0f} since"
    return found(
        desk,
        CODE,
        Severity.HIGH,
        subject,
        title,
        "People meet errors that the revision before did not give.",
        derived(desk, subject, f"failed requests of service {each.service}, an hour before and since the rollout", shown),
        derived(desk, subject, f"P(share since > share before + {MARGIN:.0%}), beta-binomial", f"{each.chance:.3f}"),
        seen(desk, "ReplicaSet", each.rollout.current, "metadata.creationTimestamp", f"{each.rollout.started_at:%Y-%m-%dT%H:%M:%SZ}"),
    )
