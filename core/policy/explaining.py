"""A verdict, rule by rule, as data for the doors: what each rule asked, what it read, what it said. Renders nothing."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from core.domain.verdict import Decision, RuleResult, Verdict
from core.policy import engine, lint, policies

_STRICTEST_FIRST = {"error": 0, "fail": 1, "warn": 2, "pass": 3, "skip": 4}


class Line(NamedTuple):
    """One rule in one verdict. A `dry` one decided nothing, and says what it would have.

    `read` are the facts it looked at, as they were; `known` is False for a rule that is gone since."""

    rule: str
    pack: str
    result: str
    decision: Decision
    severity: str
    message: str
    why: str
    when: str
    read: Mapping[str, Any]
    known: bool
    dry: bool
    would: Decision


class Explanation(NamedTuple):
    """`same_rules` is False where the rules changed since; the results are then those of the time."""

    decision: Decision
    lines: tuple[Line, ...]
    counts: Mapping[str, int]
    same_rules: bool

    def deciding(self) -> tuple[Line, ...]:
        """The lines that made the decision what it is."""
        return tuple(line for line in self.lines if line.decision is self.decision and line.decision is not Decision.ALLOW)


def explain(verdict: Verdict, rules: engine.Engine) -> Explanation:
    """Strictest results first, then by name."""
    by_name = {rule.policy.name: rule.policy for rule in rules.rules}
    facts = verdict.facts.model_dump(mode="json")
    lines = [_line(result, by_name.get(result.rule), facts) for result in verdict.results]
    lines.sort(key=lambda line: (_STRICTEST_FIRST[line.result], line.rule))
    counts = {word: sum(line.result == word and not line.dry for line in lines) for word in ("pass", "warn", "fail", "error", "skip")}
    return Explanation(verdict.decision, tuple(lines), counts, verdict.policy_digest == rules.digest)


def _line(result: RuleResult, policy: policies.ActionPolicy | None, facts: Mapping[str, Any]) -> Line:
    if policy is None:
        return Line(
            result.rule,
            "",
            result.result,
            result.decision,
            "medium",
            result.message,
            "",
            "",
            {},
            known=False,
            dry=result.dry,
            would=result.would,
        )
    read = {name: facts[name] for name in lint.facts_read(policy) if name in facts}
    return Line(
        rule=result.rule,
        pack=policy.pack,
        result=result.result,
        decision=result.decision,
        severity=policy.severity,
        message=result.message,
        why=policy.why,
        when=policy.when,
        read=read,
        known=True,
        dry=result.dry,
        would=result.would,
    )
