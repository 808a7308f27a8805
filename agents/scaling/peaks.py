"""SCA-101: a peak within the hour that an autoscaler, which reacts late, will meet too small. Called by the table of this agent."""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import NamedTuple

from agents.autoscaling import Autoscaled, autoscaled, cpu_history, loads
from agents.desk import Desk, RangeQuery
from agents.recalling import once
from agents.reporting import derived, found, measured, seen
from agents.scaling import forecasting
from agents.usage import Totals, cores, cpu_now
from core.cluster.snapshot import Snapshot
from core.domain.finding import Finding, Severity

CODE = "SCA-101"
DAYS = 14
STEP_SECONDS = 900
QUANTILE = 0.9
AHEAD = timedelta(minutes=75)
"""How far ahead it looks: long enough for a judge, an approver and 90 seconds of starting."""
RISE = 1.5  # smaller rises are the autoscaler's own business


DEPARTED = 0.5
"""Of the load that is expected now: what is less is an outage or a change of habits, and no forecast of habits holds."""


class Peak(NamedTuple):
    """The highest load of the next hour, and how many replicas carry it at the target. `now_cores` is the load of the last bin."""

    under: Autoscaled
    cores: float
    at: datetime
    now_cores: float
    needed: int
    forecast: forecasting.Forecast


def ranges(snapshot: Snapshot) -> Iterable[RangeQuery]:
    return cpu_history(snapshot, DAYS, STEP_SECONDS)


def detect(desk: Desk) -> Iterator[Finding]:
    for peak in peaks(desk):
        yield _finding(desk, peak)


@once
def peaks(desk: Desk) -> Iterator[Peak]:
    past = loads(desk, ranges(desk.snapshot))
    for under in autoscaled(desk.snapshot):
        load = past.get(under.owner)
        peak = _peak(desk, under, load) if load is not None and load.values else None
        if peak is not None and is_missed(peak):
            yield peak


def _peak(desk: Desk, under: Autoscaled, load: Totals) -> Peak | None:
    """None where there is no forecast to trust."""
    past = forecasting.history(load.times, load.values, desk.now, STEP_SECONDS, DAYS)
    if past is None:
        return None
    expected = forecasting.forecast(past, desk.now, QUANTILE)
    if not expected.trusted:
        return None
    if load.values[-1] < DEPARTED * forecasting.forecast(past, desk.now - timedelta(seconds=STEP_SECONDS), QUANTILE).values[0]:
        return None
    soon = expected.values[: int(AHEAD.total_seconds()) // STEP_SECONDS]
    highest = max(range(len(soon)), key=lambda place: soon[place])
    at = _bin_after(desk.now) + timedelta(seconds=highest * STEP_SECONDS)
    return Peak(under, soon[highest], at, load.values[-1], under.needed(soon[highest]), expected)


def _bin_after(now: datetime) -> datetime:
    """The start of the bin after the one that runs now."""
    return now + timedelta(seconds=STEP_SECONDS - now.timestamp() % STEP_SECONDS)


def is_missed(peak: Peak) -> bool:
    """The load grows well above what the pods of now carry with all of their CPU, and the floor is below the need."""
    spec, status = peak.under.autoscaler.spec, peak.under.autoscaler.status
    replicas = max(status.current_replicas, spec.min_replicas, 1)
    grows = peak.cores >= RISE * max(peak.now_cores, 1e-9)
    return grows and peak.cores > peak.under.carried(replicas) and floor(peak) > spec.min_replicas


def floor(peak: Peak) -> int:
    return min(peak.needed, peak.under.autoscaler.spec.max_replicas)


def _finding(desk: Desk, peak: Peak) -> Finding:
    autoscaler = peak.under.autoscaler
    meta = autoscaler.metadata
    subject = desk.snapshot.target("HorizontalPodAutoscaler", autoscaler)
    minutes = int((peak.at - desk.now).total_seconds() // 60)
    formula = (
        f"q90 of 14 d of {STEP_SECONDS // 60}-min bins by day sort x level of the same weekday; back-test MASE {peak.forecast.mase:.2f}"
    )
    return found(
        desk,
        CODE,
        Severity.HIGH,
        subject,
        f"{peak.under.owner.name}: a peak of {cores(peak.cores)} CPU in {minutes} min, and a floor of {autoscaler.spec.min_replicas}",
        f"It needs {peak.needed} replicas then; the autoscaler adds them once the load is there, and requests wait until they start.",
        derived(
            desk, subject, formula, f"{cores(peak.cores)} at {peak.at:%H:%M} UTC, {peak.needed} replicas at {peak.under.target_percent} %"
        ),
        measured(desk, subject, cpu_now(meta.namespace), f"{cores(peak.now_cores)} now, all pods of {peak.under.owner.name}"),
        seen(desk, "HorizontalPodAutoscaler", autoscaler, "spec.minReplicas", autoscaler.spec.min_replicas),
    )
