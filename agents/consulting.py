"""Fills a desk and lets an agent work at it. Called by the run's `consult` step, by `scan` and by an agent's own process.

Reading and thinking are apart: `consult` reads, `examine` is pure. What could not be read makes checks `not run`, with the reason:
not run is not the same as clean.
"""

import asyncio
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import NamedTuple, TypeVar

from pydantic import ValidationError

from agents.causes import explained
from agents.desk import SCOPE, Agent, Desk, Detector, LogRequest, Planner, RangeQuery
from core.cluster.decoding import collector_paused
from core.cluster.looking import ClusterReader
from core.cluster.objects import Meta
from core.cluster.queries import Query, Sample, Series
from core.cluster.reading import Metrics
from core.cluster.snapshot import Snapshot
from core.domain.errors import Day2Error
from core.domain.finding import Coverage, Finding, NotRun, Severity
from core.domain.money import PriceList
from core.domain.objective import Objectives
from core.domain.proposal import Proposal
from core.domain.values import bounded

T = TypeVar("T")
QUERIES_AT_ONCE = 4
MOST_LOGS = 40
LOG_LINES = 40
MOST_POISONED = 20
LONGEST_NAME, LONGEST_LABEL = 253, 63
LOG_CHARACTERS = 8_000
NO_METRICS = "no metrics source is configured"
STALE_SECONDS = 3600


class Consultation(NamedTuple):
    """What one agent answers. Findings worst first; proposals in the order of their findings."""

    findings: tuple[Finding, ...]
    proposals: tuple[Proposal, ...]
    coverage: Coverage


async def consult(
    agent: Agent,
    *,
    reader: ClusterReader,
    metrics: Metrics | None,
    objectives: Objectives,
    prices: PriceList | None,
    now: datetime,
    run: str,
    namespaces: Sequence[str] = (),
    logs: bool = True,
) -> Consultation:
    """Read what the agent's detectors ask for, then examine it. Raises what `reader.snapshot` raises; all else becomes coverage."""
    snapshot = await reader.snapshot(wanted_kinds(agent), namespaces)
    missing: dict[str, str] = {}
    samples, series = await _metrics(agent, snapshot, metrics, now, missing)
    texts = await _logs(agent, snapshot, reader, missing) if logs else {}
    if namespaces:
        missing[SCOPE] = f"only {', '.join(sorted(namespaces))} was read"
    desk = Desk(snapshot, now, run, objectives, prices, samples, series, texts, missing)
    return examine(agent, desk)


def wanted_kinds(agent: Agent) -> tuple[str, ...]:
    return tuple(sorted({kind for detector in agent.detectors for kind in detector.kinds}))


def examine(agent: Agent, desk: Desk) -> Consultation:
    """Detect and plan over what is on the desk; pure."""
    with collector_paused():
        return _examined(agent, desk)


def _examined(agent: Agent, desk: Desk) -> Consultation:
    desk, not_run = _sound(desk)
    findings: list[Finding] = []
    run: list[str] = []
    for detector in agent.detectors:
        reason = _cannot(detector, desk) or _detect(detector, desk, findings)
        if reason:
            not_run.append(NotRun(check=f"{detector.code} {detector.name}", reason=bounded(reason, 300)))
        else:
            run.append(detector.code)
    ordered = sorted(_explained(desk, findings, not_run), key=_worst_first)
    proposals = tuple(_plans(agent.planners, desk, ordered, not_run))
    return Consultation(tuple(ordered), proposals, Coverage(run=tuple(run), not_run=tuple(not_run)))


def _sound(desk: Desk) -> tuple[Desk, list[NotRun]]:
    """Without objects whose names no API server gives (files may). Those and the undecodable ones are told: nobody looks at them."""
    kept = {kind: tuple(item for item in items if _named(item.metadata)) for kind, items in desk.snapshot.objects.items()}
    odd = sum(len(items) for items in desk.snapshot.objects.values()) - sum(len(items) for items in kept.values())
    told = [
        NotRun(check=f"object {bounded(name, 120)}", reason=bounded(reason, 200)) for name, reason in desk.snapshot.poisoned[:MOST_POISONED]
    ]
    if not odd:
        return desk, told
    told.append(NotRun(check=f"{odd} objects", reason="their names or uids are none that an API server gives"))
    return replace(desk, snapshot=replace(desk.snapshot, objects=kept)), told


def _named(meta: Meta) -> bool:
    return 0 < len(meta.name) <= LONGEST_NAME and len(meta.namespace) <= LONGEST_LABEL and len(meta.uid) <= LONGEST_LABEL + 1


def range_key(query: RangeQuery) -> str:
    """How a range question is called in `Desk.missing`."""
    return f"{query.query.promql()} over {query.span_seconds}s"


def _worst_first(finding: Finding) -> tuple[int, str, str, str, str]:
    return list(Severity).index(finding.severity), finding.code, finding.subject.namespace, finding.subject.name, finding.id


def _cannot(detector: Detector, desk: Desk) -> str:
    """Why the detector cannot look, or nothing."""
    unread = [f"{kind} could not be read: {desk.snapshot.unread[kind]}" for kind in detector.kinds if kind in desk.snapshot.unread]
    if unread:
        return "; ".join(unread)
    try:
        asked, spans = tuple(detector.queries(desk.snapshot)), tuple(detector.ranges(desk.snapshot))
    except Exception as error:  # noqa: BLE001 - an odd object in one check's way must not stop the other checks
        return f"{type(error).__name__} while choosing metrics"
    for query in filter(_askable, asked):
        if query not in desk.samples:
            return desk.missing.get(query.promql(), NO_METRICS)
    for span in spans:
        if span not in desk.series and _askable(span.query):
            return desk.missing.get(range_key(span), NO_METRICS)
    return _without_data(asked, spans, desk)


def _askable(query: Query) -> bool:
    """False for a namespace whose name the API server would not have taken: nothing can be measured there."""
    try:
        return bool(query.promql())
    except ValueError:
        return False


def _without_data(asked: tuple[Query, ...], spans: tuple[RangeQuery, ...], desk: Desk) -> str:
    """A source that answers, but has no series of a shape anywhere, or only old ones, shows nothing; that must not read as healthy."""
    answered = {query for query in asked if desk.samples.get(query)}
    for question in sorted({query._replace(namespace="") for query in asked} - {query._replace(namespace="") for query in answered}):
        if any(query.shape is question.shape for query in answered):
            return f"the metrics source has no samples of the last {question.window_seconds // 60} min, only older ones"
        return f"the metrics source has no data for {question.shape}"
    if spans and not any(desk.series.get(span) for span in spans):
        return f"the metrics source has no history for {spans[0].query.shape}"
    newest = max((at for span in spans for series in desk.series.get(span, ()) for at in series.times[-1:]), default=None)
    behind = 0 if newest is None else desk.now.timestamp() - newest
    if behind > STALE_SECONDS + max((span.step_seconds for span in spans), default=0):
        return f"the newest sample of the metrics source is {behind / 3600:.0f} h old"
    return ""


def _detect(detector: Detector, desk: Desk, into: list[Finding]) -> str:
    """Findings up to the first defect are kept; the defect itself is the answer."""
    try:
        for finding in detector.detect(desk):
            into.append(finding)  # noqa: PERF402 - what was found before a defect must survive it
    except Exception as error:  # noqa: BLE001 - cluster objects are odd in ways nobody foresees; the other checks go on
        return f"stopped by {type(error).__name__} at an object it does not understand"
    return ""


def _explained(desk: Desk, findings: list[Finding], not_run: list[NotRun]) -> tuple[Finding, ...]:
    try:
        return explained(desk, findings)
    except Exception as error:  # noqa: BLE001 - as for a detector: the findings stand, and that their causes were not looked for is said
        not_run.append(NotRun(check="causes", reason=f"stopped by {type(error).__name__} at an object it does not understand"))
        return tuple(findings)


def _plans(planners: Iterable[Planner], desk: Desk, findings: Sequence[Finding], not_run: list[NotRun]) -> Iterator[Proposal]:
    """For causes. A symptom is mended with its cause; only where nothing mends that, and both are of one object, its own plan counts."""
    mended: set[str] = set()
    for finding in sorted(findings, key=lambda finding: bool(finding.symptom_of)):
        cause = next((other for other in findings if other.id == finding.symptom_of), finding)
        if cause is not finding and (cause.id in mended or cause.subject != finding.subject):
            continue
        proposal = _plan(planners, desk, finding, not_run)
        if proposal is not None:
            mended.add(cause.id)
            yield proposal


def _plan(planners: Iterable[Planner], desk: Desk, finding: Finding, not_run: list[NotRun]) -> Proposal | None:
    """The first planner of the finding's code that has an answer."""
    for planner in planners:
        if finding.code not in planner.codes:
            continue
        try:
            proposal = planner.plan(desk, finding)
        except ValidationError:
            not_run.append(
                NotRun(check=f"plan {planner.capability} for {finding.code}", reason="the catalogue refuses such an object as a target")
            )
            continue
        except Exception as error:  # noqa: BLE001 - as above: the finding stands, and the missing plan is said
            not_run.append(NotRun(check=f"plan {planner.capability} for {finding.code}", reason=f"stopped by {type(error).__name__}"))
            continue
        if proposal is not None:
            return proposal
    return None


async def _metrics(
    agent: Agent, snapshot: Snapshot, metrics: Metrics | None, now: datetime, missing: dict[str, str]
) -> tuple[dict[Query, tuple[Sample, ...]], dict[RangeQuery, tuple[Series, ...]]]:
    """Each question once, four at a time."""
    if metrics is None:
        return {}, {}
    gate = asyncio.Semaphore(QUERIES_AT_ONCE)
    samples: dict[Query, tuple[Sample, ...]] = {}
    series: dict[RangeQuery, tuple[Series, ...]] = {}

    async def instant(query: Query) -> None:
        async with gate:
            try:
                samples[query] = await metrics.instant(query, now)
            except Day2Error as error:
                missing[query.promql()] = bounded(str(error), 250)

    async def over(span: RangeQuery) -> None:
        async with gate:
            try:
                series[span] = await metrics.range(span.query, now - timedelta(seconds=span.span_seconds), now, span.step_seconds)
            except Day2Error as error:
                missing[range_key(span)] = bounded(str(error), 250)

    asked = {query for detector in agent.detectors for query in _questions(detector.queries, snapshot) if _askable(query)}
    spans = {span for detector in agent.detectors for span in _questions(detector.ranges, snapshot) if _askable(span.query)}
    await asyncio.gather(*(instant(query) for query in sorted(asked)), *(over(span) for span in sorted(spans)))
    return samples, series


def _questions(ask: Callable[[Snapshot], Iterable[T]], snapshot: Snapshot) -> tuple[T, ...]:
    try:
        return tuple(ask(snapshot))
    except Exception:  # noqa: BLE001 - told by `_cannot`, which asks again
        return ()


async def _logs(agent: Agent, snapshot: Snapshot, reader: ClusterReader, missing: dict[str, str]) -> dict[LogRequest, str]:
    """The tails that detectors want to quote. A log that cannot be read costs a quotation, never a finding."""
    wanted = sorted({request for detector in agent.detectors for request in _questions(detector.logs, snapshot)})[:MOST_LOGS]
    gate = asyncio.Semaphore(QUERIES_AT_ONCE)
    texts: dict[LogRequest, str] = {}

    async def read(request: LogRequest) -> None:
        async with gate:
            try:
                text = await reader.log(request.namespace, request.pod, request.container, previous=request.previous, lines=LOG_LINES)
                texts[request] = text[-LOG_CHARACTERS:]
            except Day2Error as error:
                missing[f"log {request.namespace}/{request.pod}/{request.container}"] = bounded(str(error), 250)

    await asyncio.gather(*(read(request) for request in wanted))
    return texts
