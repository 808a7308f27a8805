"""Judging: verdicts per CPU-second over all built-in rules, against the same rules on the second CEL engine.

One verdict is all of it without the model: action and facts dumped to JSON, every rule evaluated, results and Verdict built. Both
sides judge the same actions and must come to the same result for every rule; the run stops where they do not.
"""

import time
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import cel

from core.actions.catalogue import parse_action
from core.domain.action import Action
from core.domain.facts import Facts
from core.domain.values import bounded
from core.domain.verdict import RuleResult, Verdict
from core.policy import engine, testing

GOAL = 2000
ROUNDS = 5
SECONDS = 0.4
Case = tuple[Action, Facts]


def run() -> list[str]:
    """One line. Takes about three CPU-seconds."""
    rules = engine.builtin()
    other = [Second(rule, cel.compile(rule.policy.when), cel.compile(rule.policy.message)) for rule in rules.rules]
    work = cases()
    for action, facts in work:
        mine, second = judge(rules.judge(action, facts), rules.digest, action, facts), theirs(other, rules.digest, action, facts)
        if [(result.rule, result.decision) for result in mine.results] != [(result.rule, result.decision) for result in second.results]:
            raise AssertionError(f"the engines disagree on {action.sentence()}")
    ours_rate = rate(lambda action, facts: judge(rules.judge(action, facts), rules.digest, action, facts), work)
    theirs_rate = rate(lambda action, facts: theirs(other, rules.digest, action, facts), work)
    word = "met" if ours_rate >= GOAL else "short"
    name = f"JUDGE ({len(rules.rules)} rules, verdicts per CPU-second)"
    return [f"{name}: ours {ours_rate:,.0f}, theirs {theirs_rate:,.0f}, ratio {ours_rate / theirs_rate:.1f}, goal {GOAL:,}: {word}"]


def judge(results: tuple[RuleResult, ...], digest: str, action: Action, facts: Facts) -> Verdict:
    return Verdict(action_id=action.id, action_digest=action.digest(), policy_digest=digest, facts=facts, results=results, at=facts.read_at)


class Second(NamedTuple):
    """One rule on the other engine."""

    rule: engine.Rule
    when: Any
    message: Any

    def judge(self, context: Any, kind: str) -> RuleResult:
        if not self.rule.policy.covers(kind):
            return self.rule.skipped
        try:
            bad = self.when.execute(context)
            message = str(self.message.execute(context)) if bad is True else ""
        except (KeyError, TypeError, ValueError, RuntimeError, OverflowError) as error:
            return self.rule.passed.model_copy(update={"result": "error", "message": bounded(str(error), 400)})
        word = ("warn" if self.rule.policy.decision == "warn" else "fail") if bad else "pass"
        return self.rule.passed.model_copy(update={"result": word, "message": bounded(message, 400)})


def theirs(rules: Sequence[Second], digest: str, action: Action, facts: Facts) -> Verdict:
    context = cel.Context(variables={"action": engine.view(action), "facts": facts.model_dump(mode="json")})
    return judge(tuple(rule.judge(context, action.kind) for rule in rules), digest, action, facts)


def rate(work: Callable[[Action, Facts], Verdict], on: Sequence[Case]) -> float:
    """Calls per CPU-second: the best of some rounds, because neighbours on the machine only ever slow it down."""
    return max(_round(work, on) for _ in range(ROUNDS))


def _round(work: Callable[[Action, Facts], Verdict], on: Sequence[Case]) -> float:
    begun, done = time.process_time(), 0
    while time.process_time() - begun < SECONDS / 2 or not done:
        for case in on:
            work(*case)
        done += len(on)
    return done / (time.process_time() - begun)


def cases() -> list[Case]:
    """Good, doubtful and denied actions of three kinds."""
    target = {"cluster": "c-1", "group": "apps", "kind": "Deployment", "namespace": "shop", "name": "catalog", "uid": "u-1"}
    scale = parse_action(
        {"id": "act-0001", "kind": "scale_workload", "target": target, "from_replicas": 4, "to_replicas": 3},
    )
    restart = parse_action({"id": "act-0002", "kind": "restart_rollout", "target": target})
    good = testing.GOOD_FACTS
    over = {"namespace_gpus_after": 9, "autonomy": "suggest", "freeze_window": "peak"}
    changed: list[dict[str, Any]] = [{}, {"replicas_after": 1}, {"pods_touched": None}, over]
    return [(action, good.model_copy(update=update)) for action in (scale, restart) for update in changed]
