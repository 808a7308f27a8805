"""Usage by workload out of answers by pod. Called by detectors that compare what is asked for with what is used.

The metrics source names pods, also pods that are gone by now. They are brought home by the snapshot where they still exist, else by the
shape of their names: `<workload>-<hash>-<suffix>` of a Deployment, `<workload>-<n>` of a StatefulSet, `<workload>-<suffix>` of the others.
"""

import math
import re
from collections import defaultdict
from collections.abc import Iterable
from typing import NamedTuple
from weakref import WeakKeyDictionary

from agents.desk import Desk
from core.cluster.queries import Query, Sample, Series, Shape
from core.cluster.snapshot import Snapshot

DAY = 86_400
WEEK = 7 * DAY
_DEPLOYMENT_POD = re.compile(r"(.+)-[a-z0-9]{6,10}-[a-z0-9]{5}")
_ORDINAL_POD = re.compile(r"(.+)-[0-9]{1,5}")
_SUFFIX_POD = re.compile(r"(.+)-[a-z0-9]{5}")
_SHAPES = ((_DEPLOYMENT_POD, ("Deployment",)), (_ORDINAL_POD, ("StatefulSet",)), (_SUFFIX_POD, ("DaemonSet", "Job", "ReplicaSet")))


class Owner(NamedTuple):
    kind: str
    namespace: str
    name: str


_KNOWN: WeakKeyDictionary[Snapshot, dict[tuple[str, str], Owner | None]] = WeakKeyDictionary()


class Homes:
    """Which workload a pod's name belongs to."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot
        self._known = _KNOWN.setdefault(snapshot, {})

    def of(self, namespace: str, pod: str) -> Owner | None:
        place = (namespace, pod)
        if place not in self._known:
            self._known[place] = self._living(namespace, pod) or self._by_name(namespace, pod)
        return self._known[place]

    def _living(self, namespace: str, pod: str) -> Owner | None:
        item = self._snapshot.find("Pod", namespace, pod)
        found = self._snapshot.workload_of(item) if item is not None else None
        return Owner(found[0], namespace, found[1].metadata.name) if found else None

    def _by_name(self, namespace: str, pod: str) -> Owner | None:
        for shape, kinds in _SHAPES:
            match = shape.fullmatch(pod)
            for kind in kinds if match else ():
                if match and self._snapshot.find(kind, namespace, match[1]) is not None:
                    return Owner(kind, namespace, match[1])
        return None


def by_workload(homes: Homes, samples: Iterable[Sample]) -> dict[Owner, tuple[float, ...]]:
    """The values of each workload's pods, of all their containers."""
    found: dict[Owner, list[float]] = defaultdict(list)
    for (owner, _), values in by_container(homes, samples).items():
        found[owner].extend(values)
    return {owner: tuple(values) for owner, values in found.items()}


def by_container(homes: Homes, samples: Iterable[Sample]) -> dict[tuple[Owner, str], tuple[float, ...]]:
    """The values of each workload's pods by container; the name is empty where the question was by pod."""
    found: dict[tuple[Owner, str], list[float]] = defaultdict(list)
    for labels, _, value in samples:
        namespace = pod = container = ""
        for name, text in labels:  # without a dict: there are a hundred thousand of them
            if name == "pod":
                pod = text
            elif name == "namespace":
                namespace = text
            elif name == "container":
                container = text
        owner = homes.of(namespace, pod)
        if owner is not None and math.isfinite(value):
            found[owner, container].append(value)
    return {place: tuple(values) for place, values in found.items()}


class Totals(NamedTuple):
    """Sum over a workload's pods at each time, oldest first: parallel tuples."""

    times: tuple[float, ...]
    values: tuple[float, ...]


def totals(homes: Homes, series: Iterable[Series]) -> dict[Owner, Totals]:
    lines: dict[Owner, list[Series]] = defaultdict(list)
    for line in series:
        labels = dict(line.labels)
        owner = homes.of(labels.get("namespace", ""), labels.get("pod", ""))
        if owner is not None:
            lines[owner].append(line)
    return {owner: _summed(group) for owner, group in lines.items()}


def _summed(group: list[Series]) -> Totals:
    """Most series of a workload have the same times: those are added as they stand, the others time by time."""
    columns: dict[tuple[float, ...], list[tuple[float, ...]]] = defaultdict(list)
    for line in group:
        columns[line.times].append(line.values)
    added = {times: tuple(map(sum, zip(*rows, strict=True))) for times, rows in columns.items()}
    if len(added) == 1 and all(map(math.isfinite, *added.values())):
        return Totals(*next(iter(added.items())))
    sums: dict[float, float] = defaultdict(float)
    for times, values in added.items():
        for at, value in zip(times, values, strict=True):
            sums[at] += value
    ordered = sorted((at, value) for at, value in sums.items() if math.isfinite(value))
    return Totals(tuple(at for at, _ in ordered), tuple(value for _, value in ordered))


def cpu_p95(namespace: str) -> Query:
    """Cores: the 95th percentile of 5-minute rates over a week."""
    return Query(Shape.CPU_QUANTILE, namespace)


def cpu_peak(namespace: str) -> Query:
    """Cores: the highest 5-minute rate of a week."""
    return Query(Shape.CPU_MAX, namespace)


def memory_peak(namespace: str) -> Query:
    """Bytes: the highest working set of two weeks."""
    return Query(Shape.MEMORY_MAX, namespace, window_seconds=2 * WEEK)


def memory_now(namespace: str) -> Query:
    return Query(Shape.MEMORY_NOW, namespace)


def cpu_now(namespace: str) -> Query:
    return Query(Shape.CPU_RATE, namespace)


def samples_week(namespace: str) -> Query:
    return Query(Shape.SAMPLES, namespace)


def samples_hour(namespace: str) -> Query:
    """Beside `samples_week` it gives the hours of history, whatever the scrape interval is."""
    return Query(Shape.SAMPLES, namespace, window_seconds=3600)


def gpu_hour(namespace: str) -> Query:
    """Percent: the mean of the last hour."""
    return Query(Shape.GPU_UTILISATION, namespace, window_seconds=3600)


def hours_of_history(desk: Desk, homes: Homes, namespace: str) -> dict[Owner, float]:
    """Hours of the last week for which there are samples, by workload: all samples of the week over those of one hour."""
    week = by_workload(homes, desk.samples.get(samples_week(namespace), ()))
    hour = by_workload(homes, desk.samples.get(samples_hour(namespace), ()))
    return {owner: min(WEEK / 3600, sum(values) / sum(hour[owner])) for owner, values in week.items() if sum(hour.get(owner, ())) > 0}


def cores(value: float) -> str:
    return f"{round(value * 1000)}m"


def mib(value: float) -> int:
    return math.ceil(value / 2**20)
