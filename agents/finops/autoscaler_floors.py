"""FIN-103: an autoscaler whose lowest bound is above what the load needs for most of the week. Called by the table of this agent."""

import math
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from agents.autoscaling import Autoscaled, autoscaled, cpu_history, loads
from agents.desk import Desk, RangeQuery
from agents.recalling import once
from agents.reporting import derived, found, seen
from agents.usage import cpu_now
from core.cluster.snapshot import Snapshot
from core.domain.finding import Finding, Severity

CODE = "FIN-103"
DAYS = 7
STEP_SECONDS = 1800
LEAST_POINTS = 0.9
MOST_OF_THE_TIME = 0.5
LEAST_FLOOR = 2  # one replica is no service: its restart is an outage


class HighFloor(NamedTuple):
    """`needs` are the replicas that the load asked for, sorted; `share` of them are below the floor."""

    under: Autoscaled
    needs: tuple[int, ...]
    share: float
    floor: int

    def idle_above(self, floor: int) -> float:
        """Replicas that the floor of now keeps beyond what this one would, on the mean of the week."""
        now = self.under.autoscaler.spec.min_replicas
        return sum(now - max(need, floor) for need in self.needs if need < now) / len(self.needs)


def ranges(snapshot: Snapshot) -> Iterable[RangeQuery]:
    return cpu_history(snapshot, DAYS, STEP_SECONDS)


def detect(desk: Desk) -> Iterator[Finding]:
    for high in high_floors(desk):
        yield _finding(desk, high)


@once
def high_floors(desk: Desk) -> Iterator[HighFloor]:
    past = loads(desk, ranges(desk.snapshot))
    for under in autoscaled(desk.snapshot):
        load = past.get(under.owner)
        if load is None or len(load.values) < LEAST_POINTS * DAYS * 86_400 / STEP_SECONDS:
            continue
        needs = tuple(sorted(under.needed(cores) for cores in load.values))
        share = sum(need < under.autoscaler.spec.min_replicas for need in needs) / len(needs)
        floor = max(LEAST_FLOOR, needs[math.ceil(len(needs) * MOST_OF_THE_TIME) - 1])
        if share >= MOST_OF_THE_TIME and floor < under.autoscaler.spec.min_replicas:
            yield HighFloor(under, needs, share, floor)


def _finding(desk: Desk, high: HighFloor) -> Finding:
    autoscaler, under = high.under.autoscaler, high.under
    subject = desk.snapshot.target("HorizontalPodAutoscaler", autoscaler)
    query = cpu_now(autoscaler.metadata.namespace).promql()
    return found(
        desk,
        CODE,
        Severity.LOW,
        subject,
        f"{under.owner.name}: the floor of {autoscaler.spec.min_replicas} replicas is above the need {high.share:.0%} of the week",
        f"{high.idle_above(high.floor):.1f} replicas run beyond the need on the mean; the autoscaler adds them when the load comes.",
        derived(
            desk, subject, f"replicas = ceil(CPU / ({under.request_milli}m x {under.target_percent} %)) over 7 d of {query}", _spread(high)
        ),
        seen(desk, "HorizontalPodAutoscaler", autoscaler, "spec.minReplicas", autoscaler.spec.min_replicas),
    )


def _spread(high: HighFloor) -> str:
    needs = high.needs
    p50, p95 = needs[len(needs) // 2], needs[int(len(needs) * 0.95)]
    return f"need p50 {p50}, p95 {p95}, max {needs[-1]}; below the floor {high.share:.0%} of the time"
