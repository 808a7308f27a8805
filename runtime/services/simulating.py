"""A changed set of rules, tried on what was judged before: which verdicts would be others now? Behind `day2 policy simulate`.

A verdict keeps its facts, so that the judge's own engine can be asked again; nothing is read from a cluster, and nothing is written.
"""

import json
from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple

from pydantic import ValidationError

from core.actions.catalogue import parse_proposal
from core.domain.action import Action
from core.domain.errors import InvalidInput
from core.domain.facts import Facts
from core.domain.ledger import ActionRow, Ledger
from core.domain.values import Json
from core.domain.verdict import Decision, RuleResult, Verdict
from core.policy import engine, lint, packs

MOST = 10_000
"""Actions that are looked at, from the newest: about ten seconds of work."""


class Shift(NamedTuple):
    """An action whose verdict would be another. `rules` are the results that make the difference, of the side that is stricter."""

    action_id: str
    sentence: str
    namespace: str
    at: datetime
    was: Decision
    becomes: Decision
    rules: tuple[RuleResult, ...]


class Trial(NamedTuple):
    """How often a dry rule would have made a verdict stricter: asked a person, or denied."""

    rule: str
    asked: int
    denied: int


class Simulation(NamedTuple):
    """`left_out` says why verdicts could not be replayed, and how many; `cut` that there were more than MOST."""

    digest: str
    replayed: int
    shifts: tuple[Shift, ...]
    trials: tuple[Trial, ...]
    left_out: Mapping[str, int]
    cut: bool


class NotReplayable(ValueError):
    """Says why in words that many verdicts can share."""


def simulate(ledger: Ledger, candidate: engine.Engine, *, since: datetime, most: int = MOST) -> Simulation:
    """The newest verdict of each action, judged since then, under the candidate."""
    rows = ledger.search(since=since, limit=most + 1)
    reads = {rule.policy.name: frozenset(lint.facts_read(rule.policy)) for rule in candidate.rules}
    shifts: list[Shift] = []
    tightened: Counter[tuple[str, Decision]] = Counter()
    left_out: Counter[str] = Counter()
    replayed = 0
    for row in rows[:most]:
        if not row.verdict:
            continue
        try:
            verdict, action = _kept(row, candidate, reads)
        except NotReplayable as error:
            left_out[str(error)] += 1
            continue
        if verdict.at < since:
            continue
        replayed += 1
        now = replay(verdict, action, candidate)
        shifts += _shift(row, action, verdict, now)
        tightened.update((result.rule, result.would) for result in now.results if result.dry and _stricter(result.would, now.decision))
    names = sorted(rule.policy.name for rule in candidate.rules if rule.policy.mode == "dry")
    trials = tuple(Trial(name, tightened[name, Decision.NEEDS_APPROVAL], tightened[name, Decision.DENY]) for name in names)
    return Simulation(candidate.digest, replayed, tuple(shifts), trials, dict(left_out), len(rows) > most)


def replay(verdict: Verdict, action: Action, candidate: engine.Engine) -> Verdict:
    """The same facts under other rules. What the gate itself said beside its rules stands."""
    gate = tuple(result for result in verdict.results if result.rule.startswith(packs.GATE))
    update = {"results": candidate.judge(action, verdict.facts) + gate, "policy_digest": candidate.digest}
    return verdict.model_copy(update=update)


def _kept(row: ActionRow, candidate: engine.Engine, reads: Mapping[str, frozenset[str]]) -> tuple[Verdict, Action]:
    """Raises NotReplayable. A fact that the verdict does not have matters where a rule for this kind reads it: it would be judged as
    unknown, and that it was not."""
    try:
        facts: Json = json.loads(row.verdict)["facts"]
        needed = {name for rule in candidate.rules if rule.policy.covers(row.kind) for name in reads[rule.policy.name]}
        missing = (needed & Facts.model_fields.keys()) - facts.keys()
        unknown = facts.keys() - Facts.model_fields.keys()
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise NotReplayable("the verdict cannot be read") from error
    if missing or unknown:
        words = (
            f"have no {', '.join(sorted(missing))}" if missing else f"speak of {', '.join(sorted(unknown))}, which no fact is called now"
        )
        raise NotReplayable(f"facts of an older form: they {words}")
    try:
        return Verdict.model_validate_json(row.verdict), parse_proposal(row.proposal).action
    except ValidationError as error:
        raise NotReplayable("the verdict is of an older form") from error
    except InvalidInput as error:
        raise NotReplayable(f"the action {row.kind} is of an older form") from error


def _shift(row: ActionRow, action: Action, was: Verdict, now: Verdict) -> list[Shift]:
    if was.decision is now.decision:
        return []
    stricter, other = (now, was) if _stricter(now.decision, was.decision) else (was, now)
    same = {(result.rule, result.decision) for result in other.results}
    rules = tuple(result for result in stricter.reasons() if (result.rule, result.decision) not in same)
    return [Shift(row.action_id, action.sentence(), row.namespace, was.at, was.decision, now.decision, rules)]


def _stricter(one: Decision, other: Decision) -> bool:
    return one is not other and one.tightened_by(other) is one
