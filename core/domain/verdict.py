"""The judge's decision on one action. Made in `gate.judging`, kept in the ledger, shown on every door."""

from enum import StrEnum
from typing import Literal

from pydantic import Field

from core.domain.facts import Facts
from core.domain.review import Review
from core.domain.values import Moment, Value


class Decision(StrEnum):
    """Ordered from loosest to strictest: combining two decisions keeps the stricter."""

    ALLOW = "allow"
    NEEDS_APPROVAL = "needs_approval"
    DENY = "deny"

    def tightened_by(self, other: "Decision") -> "Decision":
        return max(self, other, key=list(Decision).index)


class RuleResult(Value):
    """What one rule said, in words fit for the person who has to decide. A dry rule is on trial: it reports and does not decide."""

    rule: str
    result: Literal["pass", "warn", "fail", "skip", "error"]
    on_fail: Literal[Decision.NEEDS_APPROVAL, Decision.DENY]
    message: str = Field(default="", max_length=400)
    dry: bool = False

    @property
    def decision(self) -> Decision:
        return Decision.ALLOW if self.dry else self.would

    @property
    def would(self) -> Decision:
        """What the rule by itself makes of the action. One that could not be evaluated denies, whatever it would have demanded."""
        match self.result:
            case "pass" | "warn" | "skip":
                return Decision.ALLOW
            case "fail":
                return Decision(self.on_fail)
            case _:
                return Decision.DENY


class Verdict(Value):
    """A decision bound to exactly one action.

    A verdict opens nothing: a permit does, and is minted from it for one request at a time. It carries its facts, so that it can be
    explained and replayed. `review` is what a model judge said, kept to compare it with rules and people.
    """

    action_id: str
    action_digest: str
    policy_digest: str
    facts: Facts
    results: tuple[RuleResult, ...]
    review: Review | None = None
    at: Moment

    @property
    def decision(self) -> Decision:
        """The strictest result; no result of a rule that decides is a denial."""
        if all(result.dry for result in self.results):
            return Decision.DENY
        return max((result.decision for result in self.results), key=list(Decision).index)

    def reasons(self) -> tuple[RuleResult, ...]:
        """The results that made the decision, strictest first."""
        speaking = [result for result in self.results if result.decision is not Decision.ALLOW]
        return tuple(sorted(speaking, key=lambda result: (-list(Decision).index(result.decision), result.rule)))
