"""The cluster as a whole, as the doors offer it: topology, GPUs, cost, latency, and one workload with its forecast."""

from datetime import timedelta
from typing import NamedTuple

from pydantic import Field

from agents import sizes
from agents.desk import RangeQuery
from agents.scaling import forecasting
from agents.usage import Homes, Owner, gpu_hour, memory_now, memory_peak, totals
from agents.workloads import CONTROLLED, Controlled, controlled
from core.cluster.kinds import KINDS
from core.cluster.queries import Query, Sample, Shape
from core.domain.access import Caller, Right
from core.domain.errors import Day2Error, InvalidInput
from core.domain.values import bounded
from runtime.services import surveying
from runtime.services.offering import Nothing, Offer, Ports, Wanted
from runtime.services.surveying import Cards, Costs, Distances, Place, Wants

DAYS, STEP_SECONDS = 14, 900
LOW, HIGH = 0.1, 0.9


class OneWorkload(Wanted):
    namespace: str = Field(max_length=63)
    kind: str = Field(default="Deployment", pattern="^(Deployment|StatefulSet|DaemonSet)$")
    name: str = Field(max_length=253)


class Topology(NamedTuple):
    cluster: str
    nodes: tuple[Place, ...]
    unread: dict[str, str]


class Gpus(NamedTuple):
    """`measured` says why use is not known, empty where it is."""

    nodes: tuple[Cards, ...]
    waiting: tuple[Wants, ...]
    unmeasured: str


class Line(NamedTuple):
    """Values in cores at Unix seconds."""

    times: tuple[float, ...]
    values: tuple[float, ...]


class Outlook(NamedTuple):
    """One workload. `low` and `high` are the forecast's 10th and 90th percentile from now on, empty where no forecast is to be trusted;
    `unknown` says what could not be known, and why."""

    workload: Controlled
    used: Line
    low: Line
    high: Line
    memory_bytes: float | None
    memory_peak_bytes: float | None
    unknown: tuple[str, ...]


async def topology(ports: Ports, _caller: Caller, _wanted: Nothing) -> Topology:
    snapshot = await ports.reader.snapshot(("Node", "Pod"))
    return Topology(snapshot.cluster, surveying.places(snapshot), dict(snapshot.unread))


async def gpus(ports: Ports, _caller: Caller, _wanted: Nothing) -> Gpus:
    snapshot = await ports.reader.snapshot(("Node", "Pod", "Namespace"))
    holding = sorted({pod.metadata.namespace for pod in snapshot.pods if pod.spec.node_name and sizes.gpus(pod.spec)})
    used, why = await _asked(ports, [gpu_hour(name) for name in holding])
    nodes = surveying.cards(snapshot, used)
    return Gpus(nodes, surveying.waiting_for_gpus(snapshot, nodes), why)


async def _asked(ports: Ports, queries: list[Query]) -> tuple[list[Sample], str]:
    """What the metrics say now, and why they say nothing."""
    if ports.metrics is None:
        return [], "no metrics source: set prometheus.url"
    found: list[Sample] = []
    try:
        for query in queries:
            found += await ports.metrics.instant(query, ports.clock.now())
    except Day2Error as error:
        return found, bounded(str(error), 160)
    return found, ""


async def costs(ports: Ports, _caller: Caller, _wanted: Nothing) -> Costs:
    return surveying.costs(await ports.reader.snapshot(("Node", "Pod")), ports.declared.prices)


async def latency(ports: Ports, _caller: Caller, _wanted: Nothing) -> Distances:
    nodes = await ports.reader.list(KINDS["Node"])
    samples, why = await _asked(ports, [Query(Shape.NODE_LATENCY)])
    found = surveying.distances(nodes, samples)
    return found._replace(why=why) if why else found


async def workload(ports: Ports, _caller: Caller, wanted: OneWorkload) -> Outlook:
    """Raises InvalidInput for a workload that is not there."""
    kinds = ("Namespace", "Pod", "ReplicaSet", "HorizontalPodAutoscaler", *CONTROLLED)
    snapshot = await ports.reader.snapshot(kinds, (wanted.namespace,))
    found = next((item for item in controlled(snapshot, (wanted.kind,)) if _is(item, wanted)), None)
    if found is None:
        place = bounded(f"{wanted.namespace}/{wanted.kind.lower()}/{wanted.name}", 120)
        raise InvalidInput(f"there is no workload {place}", mend="kubectl get deployments,statefulsets,daemonsets -A")
    owner, unknown = Owner(wanted.kind, wanted.namespace, wanted.name), []
    homes = Homes(snapshot)
    used = Line((), ())
    try:
        query = RangeQuery(Query(Shape.CPU_RATE, wanted.namespace), DAYS * forecasting.DAY, STEP_SECONDS)
        used = await _history(ports, homes, owner, query)
    except Day2Error as error:
        unknown.append(f"usage: {bounded(str(error), 160)}")
    low, high = _band(ports, used, unknown)
    samples, why = await _asked(ports, [memory_now(wanted.namespace)])
    peaks, _ = await _asked(ports, [memory_peak(wanted.namespace)])
    unknown += [f"memory: {why}"] if why else []
    return Outlook(found, used, low, high, _most(homes, owner, samples), _most(homes, owner, peaks), tuple(unknown))


def _is(item: Controlled, wanted: OneWorkload) -> bool:
    return (item.item.metadata.namespace, item.item.metadata.name) == (wanted.namespace, wanted.name)


async def _history(ports: Ports, homes: Homes, owner: Owner, asked: RangeQuery) -> Line:
    if ports.metrics is None:
        raise InvalidInput("no metrics source", mend="set prometheus.url")
    end = ports.clock.now()
    start = end - timedelta(seconds=asked.span_seconds)
    series = await ports.metrics.range(asked.query, start, end, asked.step_seconds)
    summed = totals(homes, series).get(owner)
    return Line(summed.times, summed.values) if summed else Line((), ())


def _band(ports: Ports, used: Line, unknown: list[str]) -> tuple[Line, Line]:
    now = ports.clock.now()
    past = forecasting.history(used.times, used.values, now, STEP_SECONDS, DAYS) if used.times else None
    if past is None:
        unknown.append(f"forecast: fewer than {DAYS - 1} whole days of usage")
        return Line((), ()), Line((), ())
    expected = [forecasting.forecast(past, now, quantile) for quantile in (LOW, HIGH)]
    if not expected[1].trusted:
        unknown.append("forecast: one week does not resemble the other, so none is trusted")
        return Line((), ()), Line((), ())
    begun = now.timestamp() // STEP_SECONDS * STEP_SECONDS + STEP_SECONDS
    times = tuple(begun + place * STEP_SECONDS for place in range(len(expected[0].values)))
    return Line(times, expected[0].values), Line(times, expected[1].values)


def _most(homes: Homes, owner: Owner, samples: list[Sample]) -> float | None:
    """The largest of the owner's containers."""
    values = [row.value for row in samples if homes.of(row.label("namespace"), row.label("pod")) == owner]
    return max(values, default=None)


OFFERS = (
    Offer("topology.get", Right.READ, "Zones, nodes, what they have and what is asked of them.", Nothing, topology),
    Offer("gpus.list", Right.READ, "GPUs by node: model, held, used, and pods that wait for some.", Nothing, gpus),
    Offer("costs.list", Right.READ, "What the nodes cost a month, by namespace, and what is idle.", Nothing, costs),
    Offer("latency.list", Right.READ, "Latency between zones and nodes where Goldpinger measures it, else unknown.", Nothing, latency),
    Offer(
        "workloads.get", Right.READ, "One workload: usage, requests, limits, replicas and the forecast of its load.", OneWorkload, workload
    ),
)
