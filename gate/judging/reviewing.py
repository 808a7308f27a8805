"""The second opinion: a model that may hold an action back for a person, and can open nothing.

It sees typed fields and quoted evidence, answers from a closed list, and code re-checks what it cites. Its silence or nonsense leaves low
risk to the rules; from medium risk on a person decides. What a person approved is not asked again.
"""

from typing import NamedTuple

from core.actions.catalogue import parse_proposal
from core.domain.action import Action, Risk
from core.domain.errors import Unavailable
from core.domain.facts import Facts
from core.domain.ledger import ActionRow
from core.domain.quoting import Quoted
from core.domain.review import Brief, Concern, Review
from core.domain.values import bounded, canonical
from core.domain.verdict import Decision, RuleResult, Verdict
from gate.judging.sources import Bench

RULE = "gate-second-opinion"
MOST_FIELDS = 1600
LEFT_OUT = {"labels", "changes", "approvals", "requested_by", "read_at", "uid", "resource_version", "gitops_owner", "dry_run_message"}
"""Of the facts: text of strangers, which is quoted instead, and who decides."""


class Opinion(NamedTuple):
    """`results` join those of the rules. `review` is what the model said, where it fits what it was shown."""

    results: tuple[RuleResult, ...] = ()
    review: Review | None = None


async def second_opinion(bench: Bench, row: ActionRow, action: Action, facts: Facts) -> Opinion:
    """Nothing where no model judge is configured; over what people approved, only what was said before."""
    if facts.approvals and row.verdict:
        return Opinion(review=Verdict.model_validate_json(row.verdict).review)
    if bench.reviewer is None or facts.approvals:
        return Opinion()
    brief = brief_of(row, action, facts)
    try:
        review = await bench.reviewer.review(brief)
    except Unavailable as error:
        return Opinion((_silent(action.risk, str(error)),))
    if review.concern is not Concern.NONE and (not review.cites or not set(review.cites) <= {item.id for item in brief.evidence}):
        return Opinion((_silent(action.risk, f"its concern, {review.concern}, rests on no evidence that it was shown"),))
    return Opinion((_heard(review),), review)


def brief_of(row: ActionRow, action: Action, facts: Facts) -> Brief:
    """Facts that say something, as `name: value`; what strangers wrote is evidence, each with an id."""
    told = facts.model_dump(mode="json", exclude=LEFT_OUT, exclude_defaults=True)
    lines = (f"{name}: {canonical(value).decode()}" for name, value in ({"action": action.kind, "risk": action.risk.value} | told).items())
    changes = tuple(Quoted(f"change-{at}", canonical(change).decode()) for at, change in enumerate(facts.changes[:10], 1))
    seen = tuple(Quoted(item.id, f"{item.query} = {item.value}") for item in parse_proposal(row.proposal).evidence[:10])
    return Brief(bounded("; ".join(lines), MOST_FIELDS), changes + seen)


def _heard(review: Review) -> RuleResult:
    if review.concern is Concern.NONE:
        return _result("pass", "the model judge sees nothing against it")
    return _result("fail", f"the model judge sees {review.concern} in {', '.join(review.cites)}: a person decides")


def _silent(risk: Risk, why: str) -> RuleResult:
    said = bounded(f"no second opinion: {why}", 300)
    return _result("skip", said) if risk is Risk.LOW else _result("fail", f"{said}; from medium risk on a person decides")


def _result(result: str, message: str) -> RuleResult:
    return RuleResult.model_validate({"rule": RULE, "result": result, "on_fail": Decision.NEEDS_APPROVAL, "message": message})
