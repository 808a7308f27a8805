"""People are told once, told again while it stands, told when it is over; whatever dies or does not answer in between loses nothing."""

from datetime import timedelta
from typing import Any

import pytest

from core.domain.errors import Corrupt, Unavailable
from core.domain.ledger import StopRow
from core.domain.outcome import ActionState as S
from core.domain.target import Target
from core.domain.verdict import Decision, RuleResult, Verdict
from gate.judging import canaries
from runtime.services import alerting
from tests.runtime.services.telling import GPUS, START, Told, deployment, names, verdict_of


@pytest.fixture
def told() -> Told:
    return Told()


async def test_a_gpu_request_over_the_allowance_is_told_to_everybody_once_and_kept_on_record(told: Told) -> None:
    row = told.action(S.DENIED, rule="gpu-allowance", note=f"gpu-allowance: {GPUS}")
    await told.step()
    await told.step()
    (alert,) = told.manager.standing
    assert (alert.name, alert.severity, alert.grave) == ("Day2BudgetIntercepted", "critical", True)
    assert alert.labels == {
        "team": "platform",
        "action": row.action_id,
        "agent": "scaling",
        "capability": "scale_workload",
        "namespace": "ml",
    }
    assert alert.summary == "stopped before it began: scale ml/deployment/llm-serving from 1 to 3"
    assert alert.description == f"“{GPUS}”"
    assert names(told.pager.standing) == ["Day2BudgetIntercepted"]
    assert told.records("alert.sent") == [("alert.sent", row.action_id)] * 2


@pytest.mark.parametrize("rule", ["frozen-window", "protected-object"])
async def test_another_denial_is_no_alert(told: Told, rule: str) -> None:
    told.action(S.DENIED, rule=rule)
    await told.step()
    assert told.manager.standing == []


async def test_a_money_rule_that_would_only_ask_people_intercepts_nothing(told: Told) -> None:
    asks = RuleResult(rule="budget-left", result="fail", on_fail=Decision.NEEDS_APPROVAL, message="over it")
    told.action(S.DENIED, verdict=verdict_of("act-x", "frozen-window", asks))
    waited = Verdict.model_validate(verdict_of("act-y", "x").model_dump() | {"results": (asks,)})
    told.action(S.DENIED, verdict=waited)  # people said no
    await told.step()
    assert told.manager.standing == []


async def test_a_budget_that_denies_is_the_same_alert(told: Told) -> None:
    told.action(S.DENIED, rule="budget-left")
    await told.step()
    assert names(told.manager.standing) == ["Day2BudgetIntercepted"]


async def test_what_stands_is_sent_again_and_its_end_is_sent_once(told: Told) -> None:
    told.action(S.ESCALATED, note="somebody else moved spec.replicas")
    for _ in range(4):
        await told.step(61)
    assert names(told.manager.standing) == ["Day2ActionEscalated"] * 4
    assert told.manager.over == []
    assert names(told.pager.standing) == ["Day2ActionEscalated"]
    for _ in range(3):
        await told.step(3600)
    assert names(told.manager.over) == names(told.pager.over) == ["Day2ActionEscalated"]
    assert names(told.manager.standing) == ["Day2ActionEscalated"] * 4


async def test_what_is_over_stays_over_for_a_notifier_that_starts_again(told: Told) -> None:
    told.action(S.ESCALATED)
    await told.step()
    await told.step(3601)
    assert names(told.manager.over) == ["Day2ActionEscalated"]
    told.restart()
    await told.step()
    assert (len(told.manager.standing), len(told.manager.over)) == (1, 1)


async def test_an_approver_whom_a_person_paused_is_a_stop_and_no_canary(told: Told) -> None:
    told.ledger.stop(StopRow("approver=jane", "all", "joe", "on leave", told.clock.now()))
    await told.step()
    assert names(told.manager.standing) == ["Day2EmergencyStop"]


async def test_a_killed_notifier_repeats_no_page_and_goes_on_repeating_to_alertmanager(told: Told) -> None:
    told.action(S.ESCALATED)
    await told.step()
    for _ in range(3):
        told.restart()
        await told.step()
    assert len(told.pager.standing) == 1
    assert len(told.manager.standing) == 4
    assert len(told.records("alert.sent")) == 2
    assert told.events.calls == 2  # applied, escalated: each written once


async def test_what_happened_while_the_notifier_was_down_is_told_when_it_is_back(told: Told) -> None:
    told.action(S.ESCALATED)
    told.clock.advance(timedelta(days=2).total_seconds())
    told.restart()
    await told.step()
    assert names(told.manager.standing) == ["Day2ActionEscalated"]
    await told.step(3601)
    assert names(told.manager.over) == ["Day2ActionEscalated"]


async def test_what_ended_while_the_notifier_was_down_is_told_as_over(told: Told) -> None:
    row = told.action(S.UNKNOWN)
    await told.step()
    assert told.ledger.move(row.action_id, S.UNKNOWN, S.APPLIED, role="executor", at=told.clock.now(), event={})
    told.restart()
    await told.step()
    assert names(told.manager.over) == names(told.pager.over) == ["Day2OutcomeUnknown"]
    assert told.manager.over[0].labels["action"] == row.action_id


async def test_history_of_more_than_a_week_is_not_news(told: Told) -> None:
    told.action(S.ESCALATED)
    await told.step(timedelta(days=8).total_seconds())
    assert told.manager.standing == []
    assert told.events.calls == 0


async def test_a_channel_that_is_down_delays_no_other_and_hears_it_later(told: Told) -> None:
    told.manager.down = Unavailable("Alertmanager", 1.0)
    told.action(S.ESCALATED)
    assert await told.step() == 1
    assert names(told.pager.standing) == ["Day2ActionEscalated"]
    assert set(told.events.written) == {"act-told0000.applied", "act-told0000.escalated"}
    told.manager.down = None
    told.restart()  # a fresh process need not wait for the pause to end
    assert await told.step() == 0
    assert names(told.manager.standing) == ["Day2ActionEscalated"]
    assert len(told.pager.standing) == 1


async def test_a_failing_channel_is_not_asked_at_every_look(told: Told) -> None:
    told.manager.down = Unavailable("Alertmanager", 1.0)
    told.action(S.ESCALATED)
    await told.step()
    told.manager.down = None
    assert await told.step() == 1
    assert told.manager.standing == []


async def test_a_damaged_ledger_ends_it(told: Told) -> None:
    told.ledger.down = Corrupt("the ledger is damaged")
    with pytest.raises(Corrupt):
        await told.step()


async def test_an_emergency_stop_is_told_until_it_is_lifted(told: Told) -> None:
    told.ledger.stop(StopRow("all", "all", "jane", "incident <!channel> https://evil.example", told.clock.now()))
    await told.step()
    assert names(told.pager.standing) == ["Day2EmergencyStop"]
    text = told.pager.standing[0].description
    assert "“incident ‹!channel› https: //evil.example”" in text
    assert told.ledger.resume("all", "jane", "over", told.clock.now())
    await told.step()
    assert names(told.pager.over) == ["Day2EmergencyStop"]
    told.ledger.stop(StopRow("all", "all", "jane", "again", told.clock.now()))
    await told.step()
    assert names(told.pager.standing) == ["Day2EmergencyStop"] * 2


async def test_a_canary_that_was_approved_is_told_and_the_card_itself_never(told: Told) -> None:
    row = told.action(S.DENIED, rule="gpu-allowance")
    told.ledger._actions[row.action_id] = row._replace(owner=canaries.MARK)
    told.ledger.stop(StopRow("approver=jane", "all", canaries.ROLE, f"approved the canary {row.action_id}", told.clock.now()))
    await told.step()
    assert names(told.manager.standing) == ["Day2CanaryApproved"]
    assert told.events.calls == 0
    assert (alerting.CANARY, alerting.JUDGE) == (canaries.MARK, canaries.ROLE)


async def test_an_altered_guard_is_told_until_it_was_seen_whole(told: Told) -> None:
    def found(event: str, what: str) -> None:
        told.ledger.record(role="executor", event=event, subject="guard", body={"found": what}, at=told.clock.now())

    found("guard.altered", "ValidatingAdmissionPolicy day2-guard is missing")
    await told.step()
    assert names(told.pager.standing) == ["Day2GuardAltered"]
    assert "day2-guard is missing" in told.pager.standing[0].description
    found("guard.restored", "")
    await told.step()
    assert names(told.pager.over) == ["Day2GuardAltered"]
    found("guard.altered", "again")
    await told.step()
    told.action(S.VERIFIED)  # an executor that restarted says nothing of it, but it looked before it sent
    await told.step()
    assert names(told.pager.over) == ["Day2GuardAltered"] * 2


async def test_a_broken_audit_chain_is_told_when_it_is_verified_next(told: Told) -> None:
    await told.step()
    told.problems.append("record judge/3 was changed")
    await told.step(60)
    assert told.pager.standing == []
    await told.step(15 * 60)
    assert names(told.pager.standing) == ["Day2AuditChainBroken"]
    assert "judge/3" in told.pager.standing[0].description


async def test_approvals_that_wait_are_one_alert_and_no_page(told: Told) -> None:
    for _ in range(3):
        told.action(S.NEEDS_APPROVAL)
    await told.step(3000)
    assert told.manager.standing == []
    await told.step(700)
    (alert,) = told.manager.standing
    assert (alert.name, alert.starts_at) == ("Day2ApprovalsWaiting", START)
    assert "3" in alert.summary
    assert told.pager.standing == []


async def test_an_undo_is_a_warning_and_no_page(told: Told) -> None:
    told.action(S.ROLLED_BACK, note="latency p99: 883 ms, bound 300")
    await told.step()
    assert [(alert.name, alert.severity) for alert in told.manager.standing] == [("Day2ActionRolledBack", "warning")]
    assert told.pager.standing == []


async def test_secrets_and_hostile_text_do_not_leave_the_house(told: Told) -> None:
    note = "refused: token=ghp_0123456789abcdefghijABCDEFGHIJ012345 \x1b[31m\u202e @everyone <https://evil|click> " + "x" * 2000
    told.action(S.ESCALATED, note=note)
    await told.step()
    said = [alert.description for alert in told.manager.standing] + [event["note"] for event in told.events.written.values()]
    said += [row.body for row in told.ledger.chain(role="notifier")]
    for text in said:
        assert "ghp_0123" not in text
        assert not set("\x1b\u202e<>@") & set(text)
        assert len(text.encode()) <= 1024
    assert any("[redacted" in text for text in said)


async def test_each_end_is_an_event_on_the_object(told: Told) -> None:
    verified = told.action(S.VERIFIED, note="latency p99: 120 ms")
    denied = told.action(S.DENIED, rule="gpu-allowance", note=GPUS)
    await told.step()
    assert list(told.events.written) == [
        f"{verified.action_id}.applied",
        f"{verified.action_id}.verified",
        f"{denied.action_id}.denied",
    ]
    found = told.events.written[f"{denied.action_id}.denied"]
    assert found["metadata"]["namespace"] == "ml"
    assert found["regarding"] == {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "namespace": "ml",
        "name": "llm-serving",
        "uid": f"u-{denied.action_id}",
    }
    assert (found["reason"], found["type"], found["reportingController"]) == ("Day2Denied", "Warning", "day2.dev/notifier")
    assert found["note"] == f"{denied.action_id} scale ml/deployment/llm-serving from 1 to 3: denied, nothing was changed: “{GPUS}”"
    assert told.records("event.written")[-1] == ("event.written", denied.action_id)


async def test_an_object_without_a_namespace_has_its_events_in_default(told: Told) -> None:
    told.action(S.DENIED, target=Target(cluster="c-1", kind="Node", name="node-1", uid="u-n"))
    await told.step()
    (event,) = told.events.written.values()
    assert event["metadata"]["namespace"] == "default"
    assert "namespace" not in event["regarding"]


async def test_an_event_that_can_never_be_written_is_recorded_and_blocks_no_other(told: Told) -> None:
    told.events.refuses = frozenset({"ml"})
    gone = told.action(S.DENIED)
    other = told.action(S.DENIED, target=deployment("x").model_copy(update={"namespace": "shop"}))
    assert await told.step() == 0
    assert told.records() == [("event.refused", gone.action_id), ("event.written", other.action_id)]
    told.restart()
    await told.step()
    assert told.events.calls == 2


async def test_events_wait_while_the_api_server_is_away(told: Told) -> None:
    told.events.down = Unavailable("the Kubernetes API", 1.0)
    told.action(S.DENIED)
    assert await told.step() == 1
    told.events.down = None
    told.restart()
    await told.step()
    assert len(told.events.written) == 1


async def test_what_a_killed_notifier_wrote_and_did_not_record_is_the_same_event(told: Told) -> None:
    row = told.action(S.DENIED)
    told.restart()
    await told.step()
    first = dict(told.events.written)
    told.ledger._chain[:] = [link for link in told.ledger.chain() if link.role != "notifier"]
    told.restart()
    await told.step()
    assert told.events.written == first
    assert told.events.calls == 2
    assert list(first) == [f"{row.action_id}.denied"]


async def test_without_an_identity_for_events_none_are_kept(told: Told) -> None:
    told.notifier.events = None
    told.action(S.VERIFIED)
    assert await told.step() == 0
    assert told.notifier.watch.journal.events == {}


async def test_what_stands_is_listed_with_who_was_told(told: Told) -> None:
    told.action(S.ESCALATED)
    now = told.clock.now()
    assert [(alert.name, heard) for alert, heard in alerting.standing(told.ledger, now, told.limits)] == [("Day2ActionEscalated", ())]
    await told.step()
    told.action(S.ROLLED_BACK)
    found: list[Any] = alerting.standing(told.ledger, told.clock.now(), told.limits)
    assert {(alert.name, heard) for alert, heard in found} == {
        ("Day2ActionEscalated", ("alertmanager", "page-1")),
        ("Day2ActionRolledBack", ()),
    }


async def test_nothing_is_left_to_tell_once_it_was_told(told: Told) -> None:
    told.action(S.ESCALATED)
    told.action(S.VERIFIED)
    channels = ("alertmanager", "page-1")
    watch = alerting.Watch(told.limits)
    assert alerting.behind(watch, told.ledger, told.clock.now(), channels=("alertmanager",), events=True) == 1 + 4
    await told.step()
    assert alerting.behind(watch, told.ledger, told.clock.now(), channels=channels[:1], events=True) == 0
