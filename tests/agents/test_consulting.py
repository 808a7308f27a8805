"""What could not be read is said, and stops nothing else."""

import asyncio
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime

import msgspec
import pytest

from agents.consulting import LOG_CHARACTERS, NO_METRICS, QUERIES_AT_ONCE, Consultation, consult, examine
from agents.desk import Agent, Desk, Detector, LogRequest, Planner, RangeQuery
from agents.reporting import found
from core.cluster import objects
from core.cluster.queries import Query, Sample, Series, Shape
from core.cluster.snapshot import Snapshot
from core.domain.errors import Unavailable
from core.domain.finding import Finding, Severity
from core.domain.objective import Objectives
from core.domain.proposal import Proposal

NOW = datetime(2026, 11, 23, 12, 20, tzinfo=UTC)
RATE = Query(Shape.CPU_RATE, "apps")
MEMORY = Query(Shape.MEMORY_NOW, "apps")
WEEK = RangeQuery(RATE, 3600, 60)
SAMPLE = Sample((("namespace", "apps"),), 0.0, 1.0)
POD = objects.Pod(metadata=objects.Meta(name="web-1", namespace="apps", uid="u-1"))


class Reader:
    """One pod, and a log for it unless it is told to fail."""

    def __init__(self, unread: dict[str, str] | None = None, log: str | None = "line") -> None:
        self.unread = unread or {}
        self.text = log
        self.asked: list[tuple[str, ...]] = []

    async def snapshot(self, kinds: Sequence[str], namespaces: Sequence[str] = ()) -> Snapshot:
        self.asked.append(tuple(kinds))
        return Snapshot("c-1", NOW, {"Pod": (POD,)}, unread=self.unread)

    async def log(self, namespace: str, pod: str, container: str, *, previous: bool = False, lines: int = 40) -> str:
        if self.text is None:
            raise Unavailable("the kubelet")
        return self.text


class Source:
    """Counts how many questions are open at once."""

    def __init__(self, down: frozenset[Shape] = frozenset(), answer: tuple[Sample, ...] = (SAMPLE,)) -> None:
        self.down, self.answer = down, answer
        self.open = self.most = self.count = 0

    async def instant(self, query: Query, at: datetime) -> tuple[Sample, ...]:
        self.count += 1
        self.open += 1
        self.most = max(self.most, self.open)
        await asyncio.sleep(0)
        self.open -= 1
        if query.shape in self.down:
            raise Unavailable("Prometheus")
        return self.answer

    async def range(self, query: Query, start: datetime, end: datetime, step_seconds: int) -> tuple[Series, ...]:
        await self.instant(query, end)
        return (Series((), (0.0,), (1.0,)),)


def seen(desk: Desk) -> Iterator[Finding]:
    yield found(desk, "REL-901", Severity.LOW, desk.snapshot.target("Pod", POD), "something", "somehow")


def detector(code: str = "REL-901", **more: object) -> Detector:
    row = {"code": code, "name": "test", "severity": Severity.LOW, "silent": "never", "kinds": ("Pod",), "detect": seen}
    return Detector(**{**row, **more})  # type: ignore[arg-type]


def agent(*detectors: Detector, planners: tuple[Planner, ...] = ()) -> Agent:
    return Agent("reliability", "1.0.0", "test", (), detectors, planners)


async def ask(who: Agent, reader: Reader | None = None, source: Source | None = None, namespaces: Sequence[str] = ()) -> Consultation:
    return await consult(
        who,
        reader=reader or Reader(),  # type: ignore[arg-type]
        metrics=source,
        objectives=Objectives(),
        prices=None,
        now=NOW,
        run="r",
        namespaces=namespaces,
    )


def reasons(answer: Consultation) -> dict[str, str]:
    return {item.check: item.reason for item in answer.coverage.not_run}


async def test_a_kind_that_may_not_be_read_makes_its_checks_not_run_and_no_others() -> None:
    reader = Reader(unread={"Secret": "forbidden: list secrets"})
    answer = await ask(agent(detector(), detector("REL-902", kinds=("Pod", "Secret"))), reader)
    assert answer.coverage.run == ("REL-901",)
    assert reasons(answer) == {"REL-902 test": "Secret could not be read: forbidden: list secrets"}
    assert reader.asked == [("Pod", "Secret")]


async def test_a_query_that_fails_stops_only_the_checks_that_need_it() -> None:
    rows = (detector(queries=lambda _: (RATE,)), detector("REL-902", queries=lambda _: (MEMORY,)), detector("REL-903"))
    answer = await ask(agent(*rows), source=Source(down=frozenset({Shape.MEMORY_NOW})))
    assert answer.coverage.run == ("REL-901", "REL-903")
    assert "Prometheus is unavailable" in reasons(answer)["REL-902 test"]


@pytest.mark.parametrize("row", [detector(queries=lambda _: (RATE,)), detector(ranges=lambda _: (WEEK,))], ids=["instant", "range"])
async def test_without_a_metrics_source_a_check_that_needs_one_is_not_run(row: Detector) -> None:
    assert reasons(await ask(agent(row))) == {"REL-901 test": NO_METRICS}


async def test_a_range_that_fails_is_told_with_its_reason() -> None:
    answer = await ask(agent(detector(ranges=lambda _: (WEEK,))), source=Source(down=frozenset({Shape.CPU_RATE})))
    assert "Prometheus is unavailable" in reasons(answer)["REL-901 test"]


async def test_a_source_that_answers_without_any_data_does_not_read_as_healthy() -> None:
    answer = await ask(agent(detector(queries=lambda _: (RATE,))), source=Source(answer=()))
    assert reasons(answer) == {"REL-901 test": "the metrics source has no data for cpu_rate"}


async def test_a_question_of_two_checks_is_asked_once_and_four_at_a_time_at_most() -> None:
    many = tuple(Query(Shape.CPU_RATE, f"ns-{number}") for number in range(20))
    source = Source()
    answer = await ask(agent(detector(queries=lambda _: many), detector("REL-902", queries=lambda _: many)), source=source)
    assert answer.coverage.run == ("REL-901", "REL-902")
    assert source.count == len(many)
    assert source.most == QUERIES_AT_ONCE


def test_a_check_that_meets_an_odd_object_is_not_run_with_the_class_of_the_error_and_keeps_what_it_had_found() -> None:
    def odd(desk: Desk) -> Iterator[Finding]:
        yield from seen(desk)
        raise KeyError("shop/secret-name")

    desk = Desk(Snapshot("c-1", NOW, {"Pod": (POD,)}), NOW, "r")
    answer = examine(agent(detector(detect=odd), detector("REL-902", detect=lambda _: iter(()))), desk)
    assert answer.coverage.run == ("REL-902",)
    assert reasons(answer) == {"REL-901 test": "stopped by KeyError at an object it does not understand"}
    assert len(answer.findings) == 1


async def test_a_check_that_cannot_even_say_which_metrics_it_needs_is_not_run() -> None:
    def odd(snapshot: Snapshot) -> Iterable[Query]:
        raise TypeError("odd")

    answer = await ask(agent(detector(queries=odd), detector("REL-902")), source=Source())
    assert reasons(answer) == {"REL-901 test": "TypeError while choosing metrics"}
    assert answer.coverage.run == ("REL-902",)


async def test_a_planner_that_fails_leaves_the_finding_and_says_so() -> None:
    def broken(desk: Desk, finding: Finding) -> Proposal | None:
        raise ValueError("odd quantity")

    answer = await ask(agent(detector(), planners=(Planner(("REL-901",), "delete_pod", broken),)))
    assert len(answer.findings) == 1
    assert answer.proposals == ()
    assert reasons(answer) == {"plan delete_pod for REL-901": "stopped by ValueError"}


async def test_a_log_that_cannot_be_read_costs_a_quotation_and_no_finding() -> None:
    row = detector(logs=lambda _: (LogRequest("apps", "web-1", "web", previous=True),))
    answer = await ask(agent(row), Reader(log=None))
    assert answer.coverage.run == ("REL-901",)


async def test_logs_are_bounded_whatever_the_cluster_sends() -> None:
    lengths: list[int] = []

    def measure(desk: Desk) -> Iterator[Finding]:
        lengths.extend(len(text) for text in desk.logs.values())
        return iter(())

    row = detector(detect=measure, logs=lambda _: (LogRequest("apps", "web-1", "web"),))
    await ask(agent(row), Reader(log="x" * 1_000_000))
    assert lengths == [LOG_CHARACTERS]


async def test_a_desk_of_some_namespaces_knows_that_it_is_not_the_whole_cluster() -> None:
    whole: list[bool] = []

    def look(desk: Desk) -> Iterator[Finding]:
        whole.append(desk.whole)
        return iter(())

    await ask(agent(detector(detect=look)))
    await ask(agent(detector(detect=look)), namespaces=("apps",))
    assert whole == [True, False]


def test_findings_come_worst_first_and_else_by_code_and_name() -> None:
    def several(desk: Desk) -> Iterator[Finding]:
        for severity, name in ((Severity.LOW, "b"), (Severity.CRITICAL, "z"), (Severity.LOW, "a")):
            pod = msgspec.structs.replace(POD, metadata=objects.Meta(name=name, namespace="apps", uid=name))
            yield found(desk, "REL-901", severity, desk.snapshot.target("Pod", pod), "t", "m")

    answer = examine(agent(detector(detect=several)), Desk(Snapshot("c-1", NOW, {}), NOW, "r"))
    assert [finding.subject.name for finding in answer.findings] == ["z", "a", "b"]


def test_objects_that_could_not_be_decoded_and_those_with_impossible_names_are_told_and_left_out() -> None:
    odd = msgspec.structs.replace(POD, metadata=objects.Meta(name="x" * 300, namespace="apps", uid="u-2"))
    looked: list[str] = []

    def look(desk: Desk) -> Iterator[Finding]:
        looked.extend(pod.metadata.name for pod in desk.snapshot.pods)
        return iter(())

    snapshot = Snapshot("c-1", NOW, {"Pod": (POD, odd)}, poisoned=(("Pod apps/web-2", "spec.containers: expected array"),))
    answer = examine(agent(detector(detect=look)), Desk(snapshot, NOW, "r"))
    assert looked == ["web-1"]
    assert answer.coverage.run == ("REL-901",)
    assert reasons(answer) == {
        "object Pod apps/web-2": "spec.containers: expected array",
        "1 objects": "their names or uids are none that an API server gives",
    }
