"""Every rule over one action and its facts. Called by `gate.judging`, by `day2 policy test|explain` and by the evals.

All rules are evaluated, never just the first that speaks, so that people see every reason. A rule that cannot be evaluated is an
error, and an error is a denial. The engine is compiled once and keeps no state between actions.
"""

from collections.abc import Iterable, Sequence
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
_ON_FAIL = {"deny": Decision.DENY, "needs_approval": Decision.NEEDS_APPROVAL, "warn": Decision.NEEDS_APPROVAL}


class Rule(NamedTuple):
    """One policy with its compiled expressions and the results that need no words of their own."""

    policy: policies.ActionPolicy
    when: expressions.Expression
    message: expressions.Expression
    passed: RuleResult
    skipped: RuleResult

    def judge(self, kind: str, inputs: expressions.Inputs, approvers: frozenset[str]) -> RuleResult:
        if not self.policy.covers(kind):
            return self.skipped
        bad, error = self.when.truth(inputs)
        if error or not isinstance(bad, bool):
            return self._result("error", f"this rule could not be evaluated ({error}), and what cannot be judged is denied")
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
            raise InvalidInput(f"there are two rules named `{twice}`", mend="rename one: added rules tighten, and replace none")
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
    passed = RuleResult(rule=policy.name, result="pass", on_fail=_ON_FAIL[policy.decision])  # type: ignore[arg-type]
    skipped = passed.model_copy(update={"result": "skip"})
    return Rule(policy, expressions.Expression(policy.when), expressions.Expression(policy.message), passed, skipped)


def load(source: Path | Iterable[policies.ActionPolicy]) -> Engine:
    """From a folder of `*.yaml`, or from policies already read. Raises InvalidDocument with file and line."""
    return Engine(read_folder(source) if isinstance(source, Path) else tuple(source))


def read_folder(folder: Path) -> tuple[policies.ActionPolicy, ...]:
    found = documents.read_path(folder)
    for document in found:
        check_expressions(document)
    return documents.of_kind(found, policies.ActionPolicy)


def check_expressions(document: documents.Document) -> None:
    """Raises InvalidDocument at the line of an expression that does not compile."""
    if not isinstance(document.value, policies.ActionPolicy):
        return
    for field in ("when", "message"):
        try:
            expressions.Expression(getattr(document.value, field))
        except expressions.ExpressionError as error:
            raise document.marked.wrong(f"`spec.{field}` is not CEL: {error}", ("spec", field)) from error


@cache
def builtin() -> Engine:
    """The rules that come with the platform."""
    return load(BUILTIN)
