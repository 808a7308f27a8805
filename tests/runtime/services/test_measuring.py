"""Each metric says what the ledger says, has bounded labels, and is named as the field names metrics."""

import re
from datetime import timedelta
from typing import Any

import pytest

from core.domain.ledger import StopRow
from core.domain.outcome import ActionState as S
from runtime.services import measuring, running
from runtime.services.alerting import Watch
from runtime.services.measuring import METRICS, Histogram, Numbers, Tally
from tests.runtime.services.telling import Told
from tools.telemetry import exposition


@pytest.fixture
def told() -> Told:
    return Told()


def numbers(told: Told, tally: Tally | None = None, **over: Any) -> Numbers:
    watch = over.pop("watch", None) or Watch(told.limits)
    watch.catch_up(told.ledger, told.clock.now())
    given: dict[str, Any] = {"version": "1.2.3", "broken": False, "failures": 0} | over
    return measuring.numbers(told.ledger, tally or Tally(), watch, told.clock.now(), **given)


def test_the_table_is_named_as_prometheus_wants_it() -> None:
    for metric in METRICS:
        assert re.fullmatch(r"day2_[a-z_]+", metric.name)
        assert metric.name.endswith("_total") == (metric.type == "counter"), metric.name
        assert bool(metric.bounds) == (metric.type == "histogram")
        assert not {"action", "name", "namespace", "id", "uid", "by"} & set(metric.labels), "no ids in labels"
    assert len({metric.name for metric in METRICS}) == len(METRICS)


WANTED = {
    "day2_findings": {"domain", "severity"},
    "day2_checks_not_run": {"reason"},
    "day2_verdicts_total": {"domain", "verdict"},
    "day2_actions_total": {"capability", "outcome"},
    "day2_approvals_pending": {"risk"},
    "day2_approval_wait_seconds": set(),
    "day2_verification_duration_seconds": set(),
    "day2_rollbacks_total": {"result"},
    "day2_savings_per_month": {"state", "currency"},
    "day2_agent_lease_seconds_remaining": {"agent"},
    "day2_llm_cost_usd_total": {"model"},
    "day2_build_info": {"version"},
}


def test_the_promised_metrics_are_there_with_their_labels() -> None:
    found = {metric.name: set(metric.labels) for metric in METRICS}
    assert WANTED.items() <= found.items()
    assert "day2_emergency_stop" in found


def test_every_metric_of_the_notifier_is_measured_and_no_other(told: Told) -> None:
    assert set(numbers(told)) == {metric.name for metric in METRICS if metric.by == "notifier"}


def test_actions_verdicts_and_undos_are_counted(told: Told) -> None:
    told.action(S.VERIFIED, saving=3_000_000)
    told.action(S.VERIFIED)
    told.action(S.DENIED, rule="gpu-allowance")
    told.action(S.DENIED, rule="frozen-window")
    told.action(S.ROLLED_BACK)
    told.action(S.ESCALATED)
    told.action(S.UNKNOWN)
    found = numbers(told)
    assert found["day2_actions_total"] == {
        ("scale_workload", "verified"): 2,
        ("scale_workload", "denied"): 2,
        ("scale_workload", "rolled_back"): 1,
        ("scale_workload", "escalated"): 1,
    }
    assert found["day2_verdicts_total"] == {("scaling", "allow"): 5, ("scaling", "deny"): 2}
    assert found["day2_rollbacks_total"] == {("complete",): 1, ("incomplete",): 1}
    assert found["day2_budget_interceptions_total"]["scale_workload",] == 1
    assert found["day2_budget_interceptions_total"]["cordon_node",] == 0
    assert found["day2_actions_open"] == {("unknown",): 1}
    assert found["day2_savings_per_month"]["verified", "USD"] == 3.0


def test_a_tally_that_goes_on_and_one_that_begins_anew_say_the_same(told: Told) -> None:
    tally = Tally()
    for state in (S.VERIFIED, S.DENIED, S.ROLLED_BACK, S.NEEDS_APPROVAL):
        told.action(state, rule="gpu-allowance" if state is S.DENIED else "")
        numbers(told, tally)
    assert numbers(told, tally) == numbers(told)


def test_waiting_for_people_is_measured_while_it_lasts_and_when_it_ends(told: Told) -> None:
    row = told.action(S.NEEDS_APPROVAL, saving=5_000_000)
    told.clock.advance(600)
    found = numbers(told)
    assert found["day2_approvals_pending"] == {("low",): 0, ("medium",): 1, ("high",): 0}
    assert found["day2_approvals_oldest_seconds"] == {(): 600}
    assert found["day2_savings_per_month"]["waiting", "USD"] == 5.0
    assert told.ledger.move(row.action_id, S.NEEDS_APPROVAL, S.DENIED, role="judge", at=told.clock.now(), event={})
    waits = numbers(told)["day2_approval_wait_seconds"][()]
    assert isinstance(waits, Histogram)
    assert (waits.count, waits.total) == (1, 600.0)
    assert waits.counts == [0, 0, 1, 1, 1, 1]


def test_how_long_a_verification_took(told: Told) -> None:
    row = told.action(S.APPLIED)
    told.clock.advance(45)
    assert told.ledger.move(row.action_id, S.APPLIED, S.VERIFIED, role="executor", at=told.clock.now(), event={})
    checks = numbers(told)["day2_verification_duration_seconds"][()]
    assert isinstance(checks, Histogram)
    assert (checks.count, checks.total, checks.counts) == (1, 45.0, [0, 0, 1, 1, 1, 1])


def finished(told: Told, **over: Any) -> None:
    response: dict[str, Any] = {
        "findings": [
            {"agent": "finops", "severity": "low"},
            {"agent": "finops", "severity": "low"},
            {"agent": "security", "severity": "high"},
        ],
        "proposals": [],
        "held": [],
        "asked": ["finops"],
        "coverage": {"not_run": [{"reason": "not allowed to list secrets"}, {"reason": "pod/checkout-7d9 is odd"}]},
        "model": {"calls": 2, "tokens": 10, "seconds": 0.1, "micro_usd": 1500},
    } | over
    summary = running.summary(response, "small-model")
    told.ledger.record(role="controller", event=running.FINISHED, subject="run-1", body=summary, at=told.clock.now())


def test_the_last_run_is_what_was_found_and_costs_add_up(told: Told) -> None:
    finished(told)
    finished(told, findings=[{"agent": "finops", "severity": "low"}])
    found = numbers(told)
    assert found["day2_findings"] == {("finops", "low"): 1}
    assert found["day2_checks_not_run"] == {("not-granted",): 1, ("other",): 1}
    assert found["day2_llm_cost_usd_total"] == {("small-model",): 0.003}
    assert found["day2_runs_total"] == {(): 2}


def test_a_run_without_a_model_costs_nothing(told: Told) -> None:
    finished(told, model={"calls": 0, "micro_usd": 0})
    assert numbers(told)["day2_llm_cost_usd_total"] == {}


def test_stops_guard_and_chains(told: Told) -> None:
    assert numbers(told)["day2_emergency_stop"] == {("all",): 0}
    told.ledger.stop(StopRow("namespace=shop", "all", "jane", "sale", told.clock.now()))
    told.ledger.record(role="executor", event="guard.altered", subject="guard", body={"found": "x"}, at=told.clock.now())
    found = numbers(told, broken=True, failures=2)
    assert found["day2_emergency_stop"] == {("all",): 0, ("namespace",): 1}
    assert found["day2_guard_altered"] == found["day2_audit_chain_broken"] == {(): 1}
    assert found["day2_alert_failures"] == {(): 2}
    assert found["day2_audit_records_total"]["executor",] == 1


async def test_alerts_that_were_told(told: Told) -> None:
    told.action(S.ESCALATED)
    await told.step()
    found = numbers(told)["day2_alerts_standing"]
    assert found == {("Day2ActionEscalated", "alertmanager"): 1, ("Day2ActionEscalated", "page-1"): 1}


def test_the_text_is_what_prometheus_reads(told: Told) -> None:
    told.action(S.VERIFIED)
    told.clock.advance(timedelta(seconds=5).total_seconds())
    text = exposition.text([metric for metric in METRICS if metric.by == "notifier"], lambda: numbers(told))
    lines = text.splitlines()
    assert 'day2_actions_total{capability="scale_workload",outcome="verified"} 1.0' in lines
    assert 'day2_verification_duration_seconds_bucket{le="10.0"} 1.0' in lines
    assert 'day2_verification_duration_seconds_bucket{le="+Inf"} 1.0' in lines
    assert "day2_verification_duration_seconds_sum 0.0" in lines
    assert 'day2_build_info{version="1.2.3"} 1.0' in lines
    assert "# TYPE day2_actions_total counter" in lines
