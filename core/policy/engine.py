"""Every rule over one action and its facts. Called by `gate.judging`, by `day2 policy test|explain` and by the evals.

All rules are evaluated, never just the first that speaks, so that people see every reason. A rule that cannot be evaluated is an
error, and an error is a denial. The engine is compiled once and keeps no state between actions.
"""

from collections.abc import Sequence
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

from core.domain.action import Action
from core.domain.errors import InvalidInput
from core.domain.facts import Facts
from core.domain.values import Json, bounded, digest
from core.domain.verdict import Decision, RuleResult
from core.policy import documents, expressions, policies

BUILTIN = Path(__file__).parent / "rules"
LOCKED = frozenset({
    "autonomy-guarded", "autonomy-observe", "autonomy-suggest", "capability-granted", "change-is-what-was-asked", "cross-tenant",
    "denied-recently", "dry-run-ok", "emergency-stop", "experiment-approval", "experiment-budget", "experiment-opt-in", "experiment-system",
    "high-risk", "pod-security-weaker", "rights-ok", "target-exists",
    "target-opted-out", "target-protected", "target-uid",
})  # fmt: skip
"""Built-in rules that stand as they are: without one of them an agent could act where it was granted nothing, on what was not judged, or
past a person's no."""
_ON_FAIL = {"deny": Decision.DENY, "needs_approval": Decision.NEEDS_APPROVAL, "warn": Decision.NEEDS_APPROVAL}


class Rule(NamedTuple):
    """One policy with its compiled expressions and the results that need no words of their own."""

    policy: policies.ActionPolicy
    kinds: frozenset[str]  # empty: every kind
    when: expressions.Expression
    message: expressions.Expression
    passed: RuleResult
    skipped: RuleResult

    def judge(self, kind: str, inputs: expressions.Inputs, approvers: frozenset[str]) -> RuleResult:
        if self.kinds and kind not in self.kinds:
            return self.skipped
        bad, error = self.when.truth(inputs)
        if error or not isinstance(bad, bool):
            ends = "" if self.passed.dry else ", and what cannot be judged is denied"
            return self._result("error", f"this rule could not be evaluated ({error}){ends}")
        return self._speak(inputs, approvers) if bad else self.passed

    def _speak(self, inputs: expressions.Inputs, approvers: frozenset[str]) -> RuleResult:
        words, error = self.message.text(inputs)
        message = self.policy.why if error else words
        match self.policy.decision:
            case "warn":
                return self._result("warn", message)
            case "needs_approval" if len(approvers) >= self.policy.approvers:
                return self._result("pass", f"approved by {', '.join(sorted(approvers))}: {message}")
            case _:
                return self._result("fail", message)

    def _result(self, result: Any, message: str) -> RuleResult:
        return self.passed.model_copy(update={"result": result, "message": bounded(message, 400)})


class Engine:
    """The rules in force. `digest` names exactly this set: it stands in every verdict. Raises InvalidInput for one name twice."""

    def __init__(self, rules: Sequence[policies.ActionPolicy]) -> None:
        self.rules = tuple(compiled(policy) for policy in sorted(rules, key=lambda policy: policy.name))
        twice = next((left.policy.name for left, right in pairwise(self.rules) if left.policy.name == right.policy.name), "")
        if twice:
            raise InvalidInput(f"there are two rules named `{twice}`", mend="rename one")
        self.digest = digest([rule.policy.model_dump(mode="json", exclude={"tests", "pack"}) for rule in self.rules])

    def judge(self, action: Action, facts: Facts) -> tuple[RuleResult, ...]:
        """One result per rule, in the order of their names. No rule at all is for the verdict to deny."""
        return self.evaluate(view(action), facts.model_dump(mode="json"))

    def evaluate(self, action: Json, facts: Json) -> tuple[RuleResult, ...]:
        """As `judge`, over plain JSON: the embedded tests and the replay of kept verdicts come in here."""
        inputs = expressions.Inputs(action, facts)
        kind = str(action.get("kind", ""))
        people = approvers(facts)
        return tuple(rule.judge(kind, inputs, people) for rule in self.rules)


def view(action: Action) -> Json:
    """What rules see as `action`: its JSON, and what its kind says of itself."""
    return {**action.model_dump(mode="json"), "risk": str(action.risk), "reversible": action.reversible}


def approvers(facts: Json) -> frozenset[str]:
    """Distinct people who approved. Who asked for the action does not count."""
    return frozenset(facts.get("approvals") or ()) - {facts.get("requested_by"), ""}


def compiled(policy: policies.ActionPolicy) -> Rule:
    passed = RuleResult(rule=policy.name, result="pass", on_fail=_ON_FAIL[policy.decision], dry=policy.mode == "dry")  # type: ignore[arg-type]
    skipped = passed.model_copy(update={"result": "skip"})
    kinds = frozenset() if "*" in policy.applies_to else frozenset(policy.applies_to)
    return Rule(policy, kinds, expressions.Expression(policy.when), expressions.Expression(policy.message), passed, skipped)


@cache
def builtin() -> Engine:
    """The rules that come with the platform."""
    return Engine(documents.of_kind(documents.read_path(BUILTIN), policies.ActionPolicy))
