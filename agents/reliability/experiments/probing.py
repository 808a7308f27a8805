"""One look at each probe, and the tally of all looks. Without data nothing holds and nothing fails: it is counted apart."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Literal, NamedTuple, TypedDict

from agents.reliability.experiments import scenes
from core.cluster.queries import Sample
from core.domain.values import Json
from core.policy.experiments import METRICS, Experiment, Probe

Outcome = Literal["pass", "fail", "no_data"]


class Seen(NamedTuple):
    """What one probe saw."""

    probe: str
    outcome: Outcome
    words: str


class Tally(TypedDict):
    """All looks of one probe. `row` counts failures in a row, now and at most; `last` is what was seen last, `worst` what failed last."""

    passed: int
    failed: int
    missing: int
    row: int
    longest: int
    last: str
    worst: str
    first_failed: str


Tallies = dict[str, Tally]


class View(NamedTuple):
    """What one look has: pods by workload (None: it could not be read), and the samples of each metric probe."""

    pods: Mapping[str, Sequence[Json] | None]
    samples: Mapping[str, Sequence[Sample] | None]


def workload_of(experiment: Experiment, probe: Probe, target: str) -> str:
    return probe.workload or target or experiment.target.name


def look(experiment: Experiment, view: View, target: str) -> tuple[Seen, ...]:
    """`target` is the name of the workload that the experiment found."""
    return tuple(_look(experiment, probe, view, target) for probe in experiment.hypothesis)


def _look(experiment: Experiment, probe: Probe, view: View, target: str) -> Seen:
    named = workload_of(experiment, probe, target)
    pods = view.pods.get(named)
    if probe.ready is not None:
        if pods is None:
            return Seen(probe.name, "no_data", f"the pods of {named} could not be read")
        count = sum(map(scenes.ready, pods))
        return Seen(probe.name, "pass" if count >= probe.ready else "fail", f"{count} pods ready, at least {probe.ready}")
    return _metric(probe, view.samples.get(probe.name), named, {scenes.name(pod) for pod in pods or ()})


def _metric(probe: Probe, samples: Sequence[Sample] | None, named: str, pods: set[str]) -> Seen:
    unit = METRICS[probe.metric]  # type: ignore[index]  # a probe without `ready` has one
    own = {probe.service or named} if unit.by == "service" else pods
    values = [round(item.value * unit.factor) for item in samples or () if item.label(unit.by) in own and item.value == item.value]
    if not values:
        return Seen(probe.name, "no_data", "no samples")
    low, high = min(values), max(values)
    bad = (probe.most is not None and high > probe.most) or (probe.least is not None and low < probe.least)
    bounds = [f"at most {probe.most}" if probe.most is not None else "", f"at least {probe.least}" if probe.least is not None else ""]
    said = str(high) if low == high else f"{low} to {high}"
    return Seen(probe.name, "fail" if bad else "pass", f"{said} {unit.name}, {' and '.join(filter(None, bounds))}")


def nothing() -> Tally:
    return Tally(passed=0, failed=0, missing=0, row=0, longest=0, last="", worst="", first_failed="")


def counted(tallies: Tallies, seen: Iterable[Seen], at: datetime) -> Tallies:
    """The tallies with one look more. A look without data neither ends nor lengthens a row of failures."""
    found = dict(tallies)
    for item in seen:
        old = found.get(item.probe) or nothing()
        failed = item.outcome == "fail"
        row = old["row"] + 1 if failed else old["row"] if item.outcome == "no_data" else 0
        found[item.probe] = Tally(
            passed=old["passed"] + (item.outcome == "pass"),
            failed=old["failed"] + failed,
            missing=old["missing"] + (item.outcome == "no_data"),
            row=row,
            longest=max(old["longest"], row),
            last=item.words,
            worst=item.words if failed else old["worst"],
            first_failed=old["first_failed"] or (at.isoformat() if failed else ""),
        )
    return found


def broken(experiment: Experiment, tallies: Tallies) -> str:
    """The critical probe that failed as often in a row as ends the experiment; empty where none did."""
    for probe in experiment.hypothesis:
        tally: Any = tallies.get(probe.name) or nothing()
        if probe.severity == "critical" and tally["row"] >= experiment.abort.failures:
            return f"{probe.name}: {tally['worst']}"
    return ""


def holds(experiment: Experiment, seen: Iterable[Seen]) -> tuple[str, ...]:
    """What of the hypothesis does not hold now: critical probes that do not pass, in words."""
    critical = {probe.name for probe in experiment.hypothesis if probe.severity == "critical"}
    return tuple(f"{item.probe}: {item.words}" for item in seen if item.probe in critical and item.outcome != "pass")
