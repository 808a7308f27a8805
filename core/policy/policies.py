"""A rule as people write it: an ActionPolicy document, made by `documents`, compiled by `engine`."""

from typing import Literal

from pydantic import Field

from core.domain.values import Json, Value

Expected = Literal["pass", "skip", "warn", "needs_approval", "deny", "error"]


class RuleTest(Value):
    """What the rule must say when the named fields of a good action and good facts are replaced by these."""

    name: str = Field(min_length=1, max_length=120)
    action: Json = Field(default_factory=dict)
    facts: Json = Field(default_factory=dict)
    expect: Expected


class Spec(Value):
    """Deny-when: `when` true is bad news. `message` is a CEL text expression, read by the person who has to decide.

    A `needs_approval` rule is satisfied by `approvers` distinct people other than the requester. A dry rule is on trial: asked and shown,
    and never part of the decision.
    """

    mode: Literal["enforce", "dry"] = "enforce"
    overrides: str = Field(default="", description="the built-in rule in whose place it stands, or while it is dry would stand")
    reason: str = Field(default="", max_length=400, description="why these people need another rule than the built-in one")
    why: str = Field(min_length=1, max_length=400, description="one sentence for the rule's page: what it protects from")
    applies_to: tuple[str, ...] = Field(min_length=1)
    decision: Literal["deny", "needs_approval", "warn"]
    severity: Literal["critical", "high", "medium", "low"] = "medium"
    approvers: int = Field(default=1, ge=1, le=5)
    when: str = Field(min_length=1, max_length=4096)
    message: str = Field(min_length=1, max_length=4096)
    tests: tuple[RuleTest, ...] = ()


class ActionPolicy(Spec):
    """A rule with its name."""

    name: str = Field(pattern=r"^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$")
    pack: str = Field(default="", description="file that the rule came from, without folder and suffix")

    def covers(self, kind: str) -> bool:
        return "*" in self.applies_to or kind in self.applies_to
