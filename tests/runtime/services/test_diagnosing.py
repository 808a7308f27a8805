"""Each line of the doctor, both ways: what is fine says so, what is not names its mend."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from core.cluster.queries import Query, Sample, Series, Shape
from core.domain.api_request import Right
from core.domain.errors import Unavailable
from core.domain.ledger import StopRow
from core.domain.money import PriceList, PriceSource
from core.domain.objective import Objectives
from core.policy.engine import builtin
from runtime.services import diagnosing

NOW = datetime(2026, 1, 15, tzinfo=UTC)


@pytest.mark.parametrize(
    ("version", "state"),
    [
        ({"major": "1", "minor": "37", "gitVersion": "v1.37.2"}, "ok"),
        ({"major": "1", "minor": "30+"}, "ok"),
        ({"major": "1", "minor": "29"}, "fail"),
        ({"major": "1", "minor": "40"}, "warn"),
        ({"major": "2", "minor": "0"}, "warn"),
        ({}, "warn"),
        ({"major": "1", "minor": None}, "warn"),
    ],
)
def test_the_version_of_the_server(version: dict[str, Any], state: str) -> None:
    assert diagnosing.server_version(version).state == state


@pytest.mark.parametrize(("seconds", "state"), [(0, "ok"), (4, "ok"), (-60, "fail"), (60, "fail")])
def test_a_clock_that_is_wrong_breaks_permits(seconds: int, state: str) -> None:
    assert diagnosing.clock_skew(NOW, NOW + timedelta(seconds=seconds)).state == state


def test_a_data_folder_that_others_can_read_is_broken(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    line = diagnosing.data_folder(tmp_path)
    assert (line.state, line.fix) == ("fail", f"chmod 700 {tmp_path}")
    tmp_path.chmod(0o700)
    assert diagnosing.data_folder(tmp_path).state == "ok"
    assert diagnosing.data_folder(tmp_path / "none").state == "skip"


def test_one_disk_for_both_sinks_is_said(tmp_path: Path) -> None:
    for name in ("ledger.db", "audit.jsonl"):
        (tmp_path / name).touch()
    line = diagnosing.second_sink(tmp_path / "ledger.db", tmp_path / "audit.jsonl")
    assert (line.state, "are on one disk" in line.cause) == ("warn", True)
    assert line.fix == "day2 config set store.audit_sink /another/disk/audit.jsonl"


def test_a_second_sink_on_another_disk_is_fine(tmp_path: Path) -> None:
    (tmp_path / "ledger.db").touch()
    elsewhere = Path("/proc/self/status")
    assert elsewhere.stat().st_dev != tmp_path.stat().st_dev
    assert diagnosing.second_sink(tmp_path / "ledger.db", elsewhere).state == "ok"


def test_a_second_sink_that_nobody_can_write_is_said(tmp_path: Path) -> None:
    (tmp_path / "ledger.db").touch()
    line = diagnosing.second_sink(tmp_path / "ledger.db", tmp_path / "none" / "audit.jsonl")
    assert (line.state, "is not there" in line.cause, line.fix.startswith("mkdir -p")) == ("warn", True, True)
    assert diagnosing.second_sink(tmp_path / "no.db", tmp_path / "audit.jsonl").state == "skip"


def test_a_pulled_stop_names_who_why_and_how_to_resume() -> None:
    line = diagnosing.emergency_stop([StopRow("agent=finops", "all", "local:operator", "wrong prices", NOW)])
    assert (line.state, "local:operator: wrong prices" in line.cause) == ("warn", True)
    assert "--scope agent=finops" in line.fix


async def test_each_missing_right_is_a_line_with_its_rule() -> None:
    async def allowed(right: Right) -> bool:
        return right.resource != "pods"

    lines = await diagnosing.read_rights(allowed, lambda right: f"grant {right}")
    assert [(line.check, line.fix) for line in lines] == [
        ("right to list pods", "grant list pods"),
        ("right to get pods/log", "grant get pods/log"),
    ]


async def test_an_identity_that_can_write_by_itself_is_noticed() -> None:
    async def nothing(_: Right) -> bool:
        return False

    async def everything(_: Right) -> bool:
        return True

    assert (await diagnosing.no_direct_write(nothing)).state == "ok"
    line = await diagnosing.no_direct_write(everything)
    assert (line.state, "kubernetes.read_kubeconfig" in line.fix) == ("warn", True)


class Source:
    """A metrics source: `days` of history that ended `age` ago; `down` raises."""

    def __init__(self, days: int = 14, age: timedelta = timedelta(), *, down: bool = False) -> None:
        self._start, self._end, self._down = NOW - timedelta(days=days), NOW - age, down

    async def instant(self, query: Query, at: datetime) -> tuple[Sample, ...]:
        if self._down:
            raise Unavailable("Prometheus", mend="check prometheus.url")
        return (Sample((), at.timestamp(), 3.0),) if query.shape is not Shape.MEMORY_NOW else ()

    async def range(self, query: Query, start: datetime, end: datetime, step_seconds: int) -> tuple[Series, ...]:
        return (Series((), (self._start.timestamp(), self._end.timestamp()), (1.0, 1.0)),)


async def test_absent_down_short_and_stale_metrics_are_told_apart() -> None:
    async def lines(source: Any) -> dict[str, str]:
        return {line.check: line.state for line in await diagnosing.metrics(source, "http://p", "shop", NOW)}

    assert await lines(None) == {"metrics": "warn"}
    assert await lines(Source(down=True)) == {"metrics": "fail"}
    assert (await lines(Source()))["metrics history"] == "ok"
    assert (await lines(Source(days=2)))["metrics history"] == "warn"
    assert (await lines(Source(age=timedelta(days=2))))["metrics history"] == "warn"
    assert (await lines(Source()))["series container_memory_working_set_bytes"] == "warn"


def test_old_prices_and_missing_documents_are_said() -> None:
    assert diagnosing.prices(None, NOW).state == "warn"
    assert diagnosing.prices(PriceList(source=PriceSource(name="list", at=NOW - timedelta(days=200))), NOW).state == "warn"
    assert diagnosing.prices(PriceList(source=PriceSource(name="list", at=NOW)), NOW).state == "ok"
    assert diagnosing.declarations(Objectives(), ()).state == "warn"


def test_what_the_cluster_has_is_named() -> None:
    lines = {line.check: line for line in diagnosing.parts_of_the_cluster(["argoproj.io", "keda.sh", "metrics.k8s.io"], 2, 0)}
    assert "Argo CD" in lines["GitOps"].cause
    assert lines["autoscalers"].cause == "2 HPA, KEDA"
    assert (lines["metrics API"].state, lines["disruption budgets"].state) == ("ok", "warn")


def test_the_rules_tests_run_here() -> None:
    assert diagnosing.rules(builtin()).state == "ok"


def test_alerts_say_who_is_not_reached_and_what_is_not_told_yet() -> None:
    assert diagnosing.alerts([], [], 0).state == "skip"
    assert diagnosing.alerts(["Alertmanagers: 1"], [], 0) == ("alerts", "ok", "Alertmanagers: 1; all is told", "")
    dead = diagnosing.alerts(["Alertmanagers: 1"], ["Alertmanager 1 does not answer: ConnectError"], 3)
    assert (dead.state, dead.cause) == ("warn", "Alertmanager 1 does not answer: ConnectError")
    assert "3 not told yet" in diagnosing.alerts(["pages: 2"], [], 3).cause


def test_a_notifier_that_may_do_more_than_create_events_is_told() -> None:
    assert diagnosing.notifier(configured=False, creates=False, too_much=()).state == "skip"
    assert diagnosing.notifier(configured=True, creates=True, too_much=()).state == "ok"
    assert "may not create" in diagnosing.notifier(configured=True, creates=False, too_much=()).cause
    more = diagnosing.notifier(configured=True, creates=True, too_much=("patch apps/deployments",))
    assert (more.state, "patch apps/deployments" in more.cause) == ("warn", True)
