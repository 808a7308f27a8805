"""A candidate set of rules over verdicts of the past."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from core.actions.catalogue import parse_action
from core.domain.evidence import observe
from core.domain.ledger import ActionRow
from core.domain.outcome import ActionState
from core.domain.proposal import Effect, Proposal
from core.domain.values import canonical
from core.domain.verdict import Decision, RuleResult, Verdict
from core.policy import engine, testing
from core.policy.policies import ActionPolicy
from runtime.services import simulating
from tools.stores.memory import MemoryLedger

NOW = datetime(2026, 1, 5, 12, 0, tzinfo=UTC)
MONTH = timedelta(days=30)
FLOOR = RuleResult(rule="gate-two-people", result="fail", on_fail=Decision.NEEDS_APPROVAL, message="two people")


def policy(name: str, when: str, **more: Any) -> ActionPolicy:
    told = {"name": name, "why": "w", "applies_to": ("*",), "decision": "deny", "when": when, "message": "'no'"} | more
    return ActionPolicy(**told)  # type: ignore[arg-type]


def candidate(*added: ActionPolicy, without: str = "") -> engine.Engine:
    return engine.Engine([rule.policy for rule in engine.builtin().rules if rule.policy.name != without] + list(added))


class Past:
    """A ledger of judged actions."""

    def __init__(self) -> None:
        self.ledger = MemoryLedger()

    def judged(
        self,
        action_id: str,
        *,
        at: datetime = NOW,
        gate: tuple[RuleResult, ...] = (),
        edit: Callable[[Any], Any] = lambda kept: kept,
        **facts: Any,
    ) -> None:
        target = {**testing.GOOD_ACTION["target"], "name": action_id, "uid": f"u-{action_id}"}
        action = parse_action({"id": action_id, "kind": "scale_workload", "target": target, "from_replicas": 4, "to_replicas": 3})
        proposal = Proposal(
            action=action,
            agent="scaling",
            run="run-1",
            why="because",
            evidence=(observe("metric", action.target, "rate", "1", at),),
            effect=Effect(summary="less"),
            expires_at=at + timedelta(hours=1),
        )
        known = testing.GOOD_FACTS.model_copy(update={"uid": f"u-{action_id}", "read_at": at, **facts})
        verdict = Verdict(
            action_id=action_id,
            action_digest=action.digest(),
            policy_digest=engine.builtin().digest,
            facts=known,
            results=engine.builtin().judge(action, known) + gate,
            at=at,
        )
        kept = edit(json.loads(canonical(verdict)))
        row = dict.fromkeys(ActionRow._fields, "") | {
            "action_id": action_id, "digest": action.digest(), "intent_key": action_id, "run_id": "run-1", "agent": "scaling",
            "kind": "scale_workload", "target_uid": f"u-{action_id}", "namespace": "shop", "proposal": canonical(proposal).decode(),
            "submitted_by": "operator", "submitted_at": at, "changed_at": at, "expires_at": at, "epoch": 0, "attempts": 0,
            "next_look_at": None, "deadline": None, "state": ActionState.SUBMITTED,
        }  # fmt: skip
        assert self.ledger.submit(ActionRow(**row))
        moved = {"role": "judge", "at": at, "event": {}, "verdict": json.dumps(kept)}
        assert self.ledger.move(action_id, ActionState.SUBMITTED, ActionState.DENIED, **moved)

    def simulate(self, rules: engine.Engine, *, since: datetime = NOW - MONTH) -> simulating.Simulation:
        return simulating.simulate(self.ledger, rules, since=since)


@pytest.fixture
def past() -> Past:
    return Past()


def test_the_same_rules_come_to_the_same_verdicts(past: Past) -> None:
    past.judged("act-0001")
    past.judged("act-0002", freeze_window="peak")
    found = past.simulate(engine.builtin())
    assert (found.replayed, found.shifts, dict(found.left_out)) == (2, (), {})


def test_a_rule_that_is_added_shows_whom_it_would_have_stopped_and_by_what(past: Past) -> None:
    past.judged("act-0001", namespace="payments")
    past.judged("act-0002")
    (shift,) = past.simulate(candidate(policy("ours", "facts.namespace == 'payments'"))).shifts
    assert (shift.action_id, shift.was, shift.becomes) == ("act-0001", Decision.ALLOW, Decision.DENY)
    assert [(result.rule, result.message) for result in shift.rules] == [("ours", "no")]


def test_a_rule_that_is_loosened_shows_what_would_have_passed_and_what_held_it(past: Past) -> None:
    past.judged("act-0001", replicas=8, replicas_after=3, has_pdb=False)
    (shift,) = past.simulate(candidate(without="replicas-drop")).shifts
    assert (shift.was, shift.becomes, [result.rule for result in shift.rules]) == (Decision.DENY, Decision.ALLOW, ["replicas-drop"])


def test_what_the_gate_said_beside_the_rules_stands(past: Past) -> None:
    past.judged("act-0001", gate=(FLOOR,))
    assert past.simulate(engine.builtin()).shifts == ()


def test_a_dry_rule_changes_no_verdict_and_its_wishes_are_counted(past: Past) -> None:
    past.judged("act-0001", namespace="payments")
    past.judged("act-0002", namespace="payments", freeze_window="peak")
    past.judged("act-0003")
    asking = policy("asking", "facts.namespace == 'payments'", decision="needs_approval", mode="dry")
    broken = policy("broken", "facts.nothing_of_that_name", mode="dry")
    found = past.simulate(candidate(asking, broken))
    assert found.shifts == ()
    assert [tuple(trial) for trial in found.trials] == [("asking", 1, 0), ("broken", 0, 2)], "what is denied anyway is not made stricter"


def older(kept: Any, *gone: str) -> Any:
    return {**kept, "facts": {name: value for name, value in kept["facts"].items() if name not in gone}}


def test_facts_of_an_older_form_are_not_guessed_where_a_rule_reads_them(past: Past) -> None:
    past.judged("act-0001", edit=lambda kept: older(kept, "evidence_elsewhere"))
    past.judged("act-0002", edit=lambda kept: older(kept, "evidence_elsewhere"))
    past.judged("act-0003", edit=lambda kept: older(kept, "resource_version"))  # no rule reads it
    past.judged("act-0004", edit=lambda kept: {**kept, "facts": {**kept["facts"], "moon_phase": 3}})
    past.judged("act-0005", edit=lambda kept: {**kept, "surprise": 1})
    past.judged("act-0006", edit=lambda kept: {})
    found = past.simulate(engine.builtin())
    assert (found.replayed, found.shifts) == (1, ())
    assert dict(found.left_out) == {
        "facts of an older form: they have no evidence_elsewhere": 2,
        "facts of an older form: they speak of moon_phase, which no fact is called now": 1,
        "the verdict is of an older form": 1,
        "the verdict cannot be read": 1,
    }


def test_only_what_was_judged_since_then_is_looked_at(past: Past) -> None:
    past.judged("act-0001", at=NOW - timedelta(days=40))
    past.judged("act-0002")
    assert past.simulate(engine.builtin()).replayed == 1


def test_an_empty_ledger_has_nothing_to_replay(past: Past) -> None:
    assert past.simulate(engine.builtin()).replayed == 0
