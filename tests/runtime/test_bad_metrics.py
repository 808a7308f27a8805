"""Metrics that are absent, stale or lie: the product says so, and cuts nothing by them."""

import asyncio
import json
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from agents.catalogue import AGENTS
from core.actions.containers import Sizes, Sizing
from core.actions.roles import manifests
from core.actions.set_requests import SetRequests
from core.cluster import quantities
from core.cluster.kinds import KINDS
from core.domain.evidence import observe
from core.domain.proposal import Effect, Proposal
from core.domain.target import Target
from core.domain.values import Json, at_path
from core.domain.verdict import Decision, Verdict
from runtime.roles import planning, reading
from runtime.services import diagnosing
from runtime.services.planning import Plan
from tests.contracts.simulated import simulated
from tests.contracts.whole_runs import Namespaces, settings_of
from tools.kubernetes import config, transport
from tools.kubernetes.installing import install
from tools.stores.memory import MemoryLedger

PLACE = "large"
WEB: dict[str, Any] = {
    "name": "web",
    "namespace": PLACE,
    "replicas": 4,
    "image": "registry.apps.example/web:v1.4.2",
    "cpu_request_milli": 300,
    "memory_request_mib": 256,
    "memory_limit_mib": 320,
    "service": True,
    "traffic": {"base_rps": 90, "night_rps": 40},
    "cpu": {"idle_milli": 10, "per_rps_milli": 8},
    "memory": {"base_mib": 207, "wave_mib": 10},
    "latency": {"p99_ms": 80, "rps_per_core": 300},
    "faults": ["overprovisioned"],
}
SOURCES = {"absent": {"ended_hours_ago": 24 * 365}, "stale": {"ended_hours_ago": 6}, "lying": {"shows_percent": 20}}


class Told(NamedTuple):
    """What came of one bad source: the plan that `day2 plan` makes, the doctor's lines by check, and two cuts as the judge sees them."""

    plan: Plan
    doctor: Mapping[str, diagnosing.Line]
    cut: Verdict
    cpu_cut: Verdict

    @property
    def not_run(self) -> dict[str, str]:
        return {row.check.partition(" ")[0]: row.reason for row in self.plan.coverage.not_run}


@pytest.fixture(scope="module", params=SOURCES)
def told(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Told]]:
    folder = tmp_path_factory.mktemp(request.param)
    world = {
        "name": "bad-metrics",
        "start": "2026-11-23T12:20:00Z",
        "nodes": [{"names": ["node-1", "node-2", "node-3"], "cpu_milli": 16000, "memory_mib": 65536, "instance_type": "m6.4xlarge"}],
        "namespaces": [{"name": PLACE}],
        "workloads": [WEB],
        "monitoring": SOURCES[request.param],
    }
    (folder / "world.yaml").write_text(json.dumps(world), encoding="utf-8")
    with simulated(folder, world=str(folder / "world.yaml")) as running:
        yield request.param, asyncio.run(_look(folder, running))


async def _look(folder: Path, running: Any) -> Told:
    async with transport.connect(config.load(running.kubeconfigs["admin"])) as admin:
        await install(admin, manifests({agent.name: agent.capabilities for agent in AGENTS}))
    places = Namespaces("unused-1", PLACE, "unused-2")
    url = f"{running.url}/prometheus"
    settings = settings_of(folder, running.kubeconfigs, places, prometheus=url, ca=running.ca, clock=running.url)
    plan = await planning.plan(settings, (PLACE,), ("finops",), ())
    async with reading.opened(settings) as view, planning.judging(settings, MemoryLedger(), view) as bench:
        now = view.clock.now()
        lines = await diagnosing.metrics(view.metrics, url, PLACE, now)
        live = await view.reader.get(KINDS["Deployment"], PLACE, "web")
        assert live is not None
        target = Target(
            cluster=plan.cluster, group="apps", kind="Deployment", namespace=PLACE, name="web", uid=str(at_path(live, "metadata.uid"))
        )
        return Told(
            plan=plan,
            doctor={line.check: line for line in lines},
            cut=await planning.previewed(bench, _cut(target, live, Sizes(cpu_milli=60, memory_mib=96), now)),
            cpu_cut=await planning.previewed(bench, _cut(target, live, Sizes(cpu_milli=60), now)),
        )


def _cut(target: Target, live: Json, to: Sizes, now: datetime) -> Proposal:
    """A cut that no detector stands behind: the judge alone has to see that it rests on nothing."""
    container = at_path(live, "spec.template.spec.containers")[0]
    asks = container["resources"]["requests"]
    seen = Sizes(cpu_milli=quantities.cpu_milli(asks["cpu"]), memory_mib=quantities.memory_mib(asks["memory"]))
    return Proposal(
        action=SetRequests(id="act-owncut", target=target, sizings=(Sizing(container=container["name"], from_sizes=seen, to_sizes=to),)),
        agent="finops",
        run="run-own",
        why="usage says so",
        evidence=(observe("metric", target, "cpu", "next to nothing", now),),
        effect=Effect(summary="less"),
        expires_at=now + timedelta(hours=1),
    )


def denied_by(verdict: Verdict) -> set[str]:
    assert verdict.decision is Decision.DENY
    return {result.rule for result in verdict.results if result.result in ("fail", "error") and result.on_fail is Decision.DENY}


@pytest.mark.slow
class TestBadMetrics:
    """The same three looks for each sort of source."""

    def test_the_doctor_says_what_is_wrong_with_the_source(self, told: tuple[str, Told]) -> None:
        source, seen = told
        history, series = seen.doctor["metrics history"], seen.doctor["series container_cpu_usage_seconds_total"]
        if source == "lying":
            assert (history.state, series.state) == ("ok", "ok"), "a lie looks like any other number; the second source finds it"
            return
        assert (series.state, series.cause) == ("warn", f"none in namespace {PLACE}: the checks that need it do not run")
        assert history.state == "warn"
        assert ("hours old" in history.cause) is (source == "stale")

    def test_checks_of_usage_are_not_run_and_say_why(self, told: tuple[str, Told]) -> None:
        source, seen = told
        reasons = {
            "absent": "the metrics source has no data for",
            "stale": "the metrics source has no samples of the last 60 min, only older ones",
        }
        if source == "lying":
            assert "FIN-101" in seen.plan.coverage.run
        else:
            assert seen.not_run["FIN-101"].startswith(reasons[source])
            assert seen.not_run["FIN-102"].startswith(reasons[source])
        assert bool(seen.plan.items) is (source == "lying"), "only a lie can bring forth a proposal"

    def test_the_judge_denies_a_cut_for_the_very_reason(self, told: tuple[str, Told]) -> None:
        source, seen = told
        match source:
            case "absent":
                assert {"usage-known", "usage-fresh", "memory-headroom", "cpu-headroom"} <= denied_by(seen.cut)
                assert {"usage-known", "usage-fresh", "cpu-headroom"} <= denied_by(seen.cpu_cut)
            case "stale":
                assert denied_by(seen.cpu_cut) >= {"usage-fresh"}
                told_age = next(result.message for result in seen.cut.results if result.rule == "usage-fresh")
                assert told_age == "the last usage samples are 6 hours old; a cut needs those of now"
            case _:
                assert "memory-second-source" in denied_by(seen.cut)
                assert denied_by(seen.cpu_cut) == {"cpu-second-source"}

    def test_what_a_lie_proposes_is_denied_too(self, told: tuple[str, Told]) -> None:
        source, seen = told
        for item in seen.plan.items:
            assert item.verdict is not None, item.unjudged
            assert {"memory-second-source", "cpu-second-source"} & denied_by(item.verdict)
        assert len(seen.plan.items) == (source == "lying")
