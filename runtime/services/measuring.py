"""day2's own metrics: one table of all there are, and their numbers out of the ledger. Behind the notifier's `/metrics`.

Counters come from the audit chains, so they survive every restart, and neither judge nor executor loads anything to count. Labels hold
kinds, agents and words of closed lists, never ids or names of objects: those are in the audit chain and in alerts.
"""

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from itertools import product
from typing import Any, Literal, NamedTuple

from core.actions.catalogue import CATALOGUE, parse_proposal
from core.domain.action import Risk
from core.domain.ledger import ActionRow, AuditRow, Ledger
from core.domain.money import MICRO
from core.domain.outcome import TERMINAL, ActionState
from core.domain.values import bounded
from core.domain.verdict import Decision
from runtime.services import alerting
from runtime.services.alerting import Watch
from runtime.services.running import FINISHED

PAGE = 5000
S = ActionState
Labels = tuple[str, ...]


class Metric(NamedTuple):
    """`by` is the process that shows it. Histograms have `bounds`."""

    name: str
    type: Literal["counter", "gauge", "histogram"]
    help: str
    labels: Labels = ()
    by: Literal["notifier", "controller"] = "notifier"
    bounds: tuple[float, ...] = ()


WAITS = (60.0, 300.0, 900.0, 3600.0, 4 * 3600.0, 24 * 3600.0)
CHECKS = (10.0, 30.0, 60.0, 300.0, 900.0, 3600.0)
METRICS: tuple[Metric, ...] = (
    Metric("day2_build_info", "gauge", "Always 1; the version of day2.", ("version",)),
    Metric("day2_findings", "gauge", "Findings of the last finished run.", ("domain", "severity")),
    Metric("day2_checks_not_run", "gauge", "Checks that the last finished run could not do.", ("reason",)),
    Metric("day2_runs_total", "counter", "Runs that finished."),
    Metric("day2_runs_assessed_total", "counter", "Finished runs that were assessed.", ("outcome", "model")),
    Metric("day2_verdicts_total", "counter", "Decisions of the judge.", ("domain", "verdict")),
    Metric("day2_actions_total", "counter", "Actions that ended.", ("capability", "outcome")),
    Metric("day2_actions_open", "gauge", "Actions that have not ended.", ("state",)),
    Metric("day2_approvals_pending", "gauge", "Actions that wait for people.", ("risk",)),
    Metric("day2_approvals_oldest_seconds", "gauge", "How long the oldest of them waits; 0 where none does."),
    Metric("day2_approval_wait_seconds", "histogram", "From asking people until it was decided or expired.", bounds=WAITS),
    Metric("day2_verification_duration_seconds", "histogram", "From applied until verified or missed.", bounds=CHECKS),
    Metric("day2_rollbacks_total", "counter", "Undos: complete, or incomplete where a person must look.", ("result",)),
    Metric("day2_savings_per_month", "gauge", "Realisable savings a month: verified, or waiting for people.", ("state", "currency")),
    Metric("day2_budget_interceptions_total", "counter", "Actions denied over a GPU allowance or a monthly budget.", ("capability",)),
    Metric("day2_llm_cost_usd_total", "counter", "What models cost, by the configured price.", ("model",)),
    Metric("day2_emergency_stop", "gauge", "1 while a stop of this scope holds.", ("scope",)),
    Metric("day2_guard_altered", "gauge", "1 while the guard in the API server is known to be missing or altered."),
    Metric("day2_audit_chain_broken", "gauge", "1 where the last verification of the audit chains found a problem."),
    Metric("day2_audit_records_total", "counter", "Records of the audit chains.", ("role",)),
    Metric("day2_alerts_standing", "gauge", "Alerts that stand and were told.", ("alertname", "channel")),
    Metric("day2_alert_failures", "gauge", "Channels that could not be told at the last try."),
    Metric("day2_agent_lease_seconds_remaining", "gauge", "0 for an agent that registered and lives no more.", ("agent",), "controller"),
)
BY_NAME: Mapping[str, Metric] = {metric.name: metric for metric in METRICS}


@dataclass
class Histogram:
    """How many were at most each bound, how many in all, their sum."""

    bounds: tuple[float, ...]
    counts: list[int]
    count: int = 0
    total: float = 0.0

    @classmethod
    def of(cls, name: str) -> "Histogram":
        bounds = BY_NAME[name].bounds
        return cls(bounds, [0] * len(bounds))

    def observe(self, value: float) -> None:
        self.counts = [count + (value <= bound) for bound, count in zip(self.bounds, self.counts, strict=True)]
        self.count, self.total = self.count + 1, self.total + value


Numbers = dict[str, dict[Labels, float | Histogram]]
"""By name of the metric, then by values of its labels in their order."""


@dataclass
class Tally:
    """Counts of what the audit chains say, folded record by record. `known` holds the actions that have not ended: agent and kind."""

    place: int = 0
    known: dict[str, tuple[str, str]] = field(default_factory=dict)
    since: dict[tuple[str, ActionState], datetime] = field(default_factory=dict)
    verdicts: Counter[Labels] = field(default_factory=Counter)
    ends: Counter[Labels] = field(default_factory=Counter)
    rollbacks: Counter[Labels] = field(default_factory=Counter)
    records: Counter[Labels] = field(default_factory=Counter)
    cost: Counter[Labels] = field(default_factory=Counter)  # micro-USD
    intercepted: Counter[Labels] = field(default_factory=Counter)
    saved: Counter[Labels] = field(default_factory=Counter)  # micro-USD a month
    waits: Histogram = field(default_factory=lambda: Histogram.of("day2_approval_wait_seconds"))
    checks: Histogram = field(default_factory=lambda: Histogram.of("day2_verification_duration_seconds"))
    assessed: Counter[Labels] = field(default_factory=Counter)
    ended: list[str] = field(default_factory=list)  # whose rows are still to be read
    last_run: Mapping[str, Any] = field(default_factory=dict)
    runs: int = 0

    def catch_up(self, ledger: Ledger) -> None:
        while page := ledger.chain(self.place + 1, PAGE):
            for row in page:
                self.take(row)
            self.place = page[-1].place
        for action_id in self.ended:
            if ended := ledger.get(action_id):
                self._read(ended)
        self.ended.clear()

    def take(self, row: AuditRow) -> None:
        self.records[row.role,] += 1
        if row.event == "submitted" and row.role == "door":
            body = json.loads(row.body)
            self.known[row.subject] = str(body.get("agent", "")), str(body.get("kind", ""))
        elif row.event == FINISHED:
            self._run(json.loads(row.body))
        elif row.event == alerting.ASSESSED:
            said = json.loads(row.body)
            self.assessed[_word(said.get("outcome"), OUTCOMES), _word(said.get("model"), ASKED)] += 1
        elif row.subject in self.known and row.event in _STATES:
            self._moved(row, _STATES[row.event], str(json.loads(row.body).get("from", "")))

    def _run(self, summary: Mapping[str, Any]) -> None:
        self.runs, self.last_run = self.runs + 1, summary
        model = summary.get("model") or {}
        if model.get("micro_usd"):
            self.cost[bounded(str(model.get("name") or "unnamed"), 80),] += int(model["micro_usd"])

    def _moved(self, row: AuditRow, to: ActionState, left: str) -> None:
        agent, kind = self.known[row.subject]
        if to in _DECISIONS:
            self.verdicts[agent, _DECISIONS[to].value] += 1
        if begun := self.since.pop((row.subject, ActionState(left)), None) if left in _STATES else None:
            passed = (row.at - begun).total_seconds()
            (self.waits if left == S.NEEDS_APPROVAL else self.checks).observe(passed)
        if to in (S.NEEDS_APPROVAL, S.APPLIED):
            self.since[row.subject, to] = row.at
        if left == S.UNDOING:
            self.rollbacks["complete" if to is S.ROLLED_BACK else "incomplete",] += 1
        if to in TERMINAL:
            self._ended(row.subject, kind, to)

    def _ended(self, action_id: str, kind: str, to: ActionState) -> None:
        self.ends[kind if kind in CATALOGUE else "other", to.value] += 1
        del self.known[action_id]
        if to in (S.VERIFIED, S.DENIED):
            self.ended.append(action_id)

    def _read(self, row: ActionRow) -> None:
        if row.state is S.DENIED and alerting.over_budget(row):
            self.intercepted[row.kind,] += 1
        if row.state is S.VERIFIED and (saving := parse_proposal(row.proposal).effect.saving):
            self.saved[saving.currency,] += saving.realisable_micro_usd


OUTCOMES, ASKED = ("sound", "flawed", "unknown"), ("none", "heard", "aside", "silent")


def _word(said: object, known: tuple[str, ...]) -> str:
    return said if isinstance(said, str) and said in known else "other"


_STATES = {state.value: state for state in ActionState}
_DECISIONS = {S.PERMITTED: Decision.ALLOW, S.NEEDS_APPROVAL: Decision.NEEDS_APPROVAL, S.DENIED: Decision.DENY}


def numbers(ledger: Ledger, tally: Tally, watch: Watch, now: datetime, *, version: str, broken: bool, failures: int) -> Numbers:
    """Every metric of the notifier, as it is now. `broken` and `failures` are what it found last."""
    tally.catch_up(ledger)
    waiting = ledger.in_states(S.NEEDS_APPROVAL)
    proposals = [parse_proposal(row.proposal) for row in waiting]
    savings = [proposal.effect.saving for proposal in proposals if proposal.effect.saving]
    found: Mapping[str, Mapping[str, int]] = tally.last_run.get("found") or {}
    not_run: Mapping[str, int] = tally.last_run.get("notRun") or {}
    stopped = {_scope(row.scope) for row in ledger.stops()}
    hoped: Counter[Labels] = Counter()
    for saving in savings:
        hoped[saving.currency,] += saving.realisable_micro_usd
    return {
        "day2_build_info": {(version,): 1},
        "day2_findings": {(agent, severity): count for agent, rows in found.items() for severity, count in rows.items()},
        "day2_checks_not_run": {(reason,): count for reason, count in not_run.items()},
        "day2_runs_total": {(): tally.runs},
        "day2_runs_assessed_total": {each: tally.assessed[each] for each in {*product(OUTCOMES, ASKED), *tally.assessed}},  # from 0
        "day2_verdicts_total": dict(tally.verdicts),
        "day2_actions_total": dict(tally.ends),
        "day2_actions_open": dict(Counter((row.state.value,) for row in ledger.in_states(*OPEN))),
        "day2_approvals_pending": {(risk.value,): sum(proposal.action.risk is risk for proposal in proposals) for risk in Risk},
        "day2_approvals_oldest_seconds": {(): max([(now - row.changed_at).total_seconds() for row in waiting], default=0.0)},
        "day2_approval_wait_seconds": {(): tally.waits},
        "day2_verification_duration_seconds": {(): tally.checks},
        "day2_rollbacks_total": {(result,): tally.rollbacks[result,] for result in ("complete", "incomplete")},
        "day2_savings_per_month": {
            (state, currency): micro / MICRO
            for state, sums in (("verified", tally.saved), ("waiting", hoped))
            for (currency,), micro in (sums or {("USD",): 0}).items()
        },
        "day2_budget_interceptions_total": {(kind,): tally.intercepted[kind,] for kind in CATALOGUE},  # from 0: an increase is seen
        "day2_llm_cost_usd_total": {labels: micro / MICRO for labels, micro in tally.cost.items()},
        "day2_emergency_stop": {scope: float(scope in stopped) for scope in {("all",), *stopped}},
        "day2_guard_altered": {(): float(watch.journal.guard is not None)},
        "day2_audit_chain_broken": {(): float(broken)},
        "day2_audit_records_total": dict(tally.records),
        "day2_alerts_standing": dict(Counter((told.alert.name, name) for (name, _), told in watch.journal.told.items())),
        "day2_alert_failures": {(): failures},
    }


OPEN = tuple(state for state in ActionState if state not in TERMINAL)


def _scope(scope: str) -> Labels:
    """The kind of a stop; whom or what it is about is in `day2 stop --status`."""
    return (scope.partition("=")[0],)
