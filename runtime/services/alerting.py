"""What people must know at once, derived from the ledger alone: what stands now, what was told of it, what is still to tell.

Called by `runtime.roles.notifier`, which tells and keeps on record what it told; by the doctor, and by the demo. A notifier that is killed
knows the same as before after it has read the chains again. What is told twice is the same alert to Alertmanager, and the same Event to
Kubernetes; a pager may hear the last one twice when the process dies between its call and its record.
"""

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal, NamedTuple

from pydantic import ValidationError

from core.actions.catalogue import parse_proposal
from core.assessing import drift
from core.domain.alert import Alert, Audience
from core.domain.ledger import ActionRow, AuditRow, Ledger, StopRow
from core.domain.outcome import ActionState
from core.domain.values import bounded
from core.domain.verdict import Decision, Verdict
from core.policy.redaction import redact

ROLE = "notifier"
SENT, OVER = "alert.sent", "alert.over"
WRITTEN, REFUSED = "event.written", "event.refused"
BUDGET_RULES = frozenset({"gpu-allowance", "budget-left"})
CANARY = "canary"
"""Owner of a row that is a card nobody should approve: it names no object, so nobody is told of it."""
JUDGE = "judge"
HEALING_MOVED = "healing.moved"
"""As `runtime.services.healings` records it."""
ASSESSED = "assessment.done"
"""As `runtime.services.assessing` records it."""
LOOKBACK = timedelta(days=7)
"""What happened earlier and was never told is history."""
EVENT_AGE = timedelta(hours=1)
"""An API server keeps an Event for so long by default; older moves would be told as if they were news."""
PAGE = 5000

S = ActionState
Move = tuple[str, ActionState]


class Kind(NamedTuple):
    """One name of an alert. `lasts` says when it is over."""

    severity: Literal["critical", "warning"]
    grave: bool
    meaning: str
    lasts: str


HELD = "`alerts.hold_minutes` after it was told"
KINDS: Mapping[str, Kind] = {
    "Day2BudgetIntercepted": Kind("critical", True, "an action over a GPU allowance or a monthly budget was denied", HELD),
    "Day2ActionEscalated": Kind("critical", True, "an action ended where only a person can go on", HELD),
    "Day2HealingEscalated": Kind(
        "critical", True, "the healing of a node stopped where only a person can go on", "`alerts.hold_minutes` after that"
    ),
    "Day2OutcomeUnknown": Kind("critical", True, "whether a write was stored is not known yet", "it was read back"),
    "Day2GuardAltered": Kind("critical", True, "the guard in the API server is missing or altered", "it was seen whole before a write"),
    "Day2AuditChainBroken": Kind("critical", True, "the audit chains contradict themselves or their copies", "they verify again"),
    "Day2EmergencyStop": Kind("critical", True, "somebody stopped all, an agent or a namespace", "a person resumes"),
    "Day2CanaryApproved": Kind(
        "critical", True, "somebody approved a card that nobody should; their approvals are paused", "another resumes"
    ),
    "Day2RunFlawed": Kind(
        "warning", False, "a finished run violates a requirement of those it is assessed by", "`alerts.hold_minutes` after that"
    ),
    "Day2AssessmentDrift": Kind(
        "warning",
        False,
        "runs are flawed more often than before, or a model's answers about them are left aside",
        "the latest runs are as before",
    ),
    "Day2ActionRolledBack": Kind("warning", False, "an action missed and was taken back", HELD),
    "Day2ApprovalsWaiting": Kind("warning", False, "an approval waits longer than `alerts.approval_minutes`", "none waits so long"),
}
OCCURRENCES = frozenset({S.DENIED, S.ESCALATED, S.ROLLED_BACK})
"""Ends of actions that may be an alert."""
TOLD_IN_EVENTS = frozenset({S.APPLIED, S.VERIFIED, S.ROLLED_BACK, S.DENIED, S.ESCALATED, S.UNKNOWN, S.FAILED})
_STATES = {state.value: state for state in OCCURRENCES | TOLD_IN_EVENTS | {S.SENDING}}


class Limits(NamedTuple):
    """`labels` are put on every alert."""

    hold: timedelta = timedelta(hours=1)
    approval: timedelta = timedelta(hours=1)
    labels: tuple[tuple[str, str], ...] = ()


def limits(hold_minutes: int, approval_minutes: int, labels: Sequence[str]) -> Limits:
    """As the settings have them; `labels` are NAME=VALUE."""
    pairs = tuple((name, value) for name, _, value in (label.partition("=") for label in labels))
    return Limits(timedelta(minutes=hold_minutes), timedelta(minutes=approval_minutes), pairs)


class Told(NamedTuple):
    """An alert of which a channel was told, and when first."""

    alert: Alert
    at: datetime


class Due(NamedTuple):
    """What one channel is to be told now. `new` is put on record once it was told, `over` too; `again` is not."""

    new: tuple[Alert, ...]
    again: tuple[Alert, ...]
    over: tuple[Alert, ...]

    def __bool__(self) -> bool:
        return bool(self.new or self.again or self.over)


@dataclass
class Journal:
    """What the audit chains say of it, folded record by record in the order of their commits."""

    place: int = 0
    told: dict[tuple[str, str], Told] = field(default_factory=dict)  # (channel, key): stands there
    over: set[tuple[str, str]] = field(default_factory=set)  # was told to be over, at any time
    events: dict[Move, AuditRow] = field(default_factory=dict)  # moves that no Event tells yet
    ends: dict[Move, AuditRow] = field(default_factory=dict)  # moves that may be an alert and were not looked at yet
    healings: dict[str, AuditRow] = field(default_factory=dict)  # by episode, those that a person must look at
    assessed: list[AuditRow] = field(default_factory=list)  # the latest assessments, oldest first
    guard: AuditRow | None = None  # the record that says what is altered, while it is

    def catch_up(self, ledger: Ledger, now: datetime) -> bool:
        """Whether anything was new."""
        start = self.place
        while page := ledger.chain(self.place + 1, PAGE):
            for row in page:
                self._take(row, now)
            self.place = page[-1].place
        return self.place > start

    def _take(self, row: AuditRow, now: datetime) -> None:
        if row.role == ROLE:
            self._own(row)
        elif state := _STATES.get(row.event):
            self._moved(row, state, now)
        elif row.event == HEALING_MOVED:
            self.healings.pop(row.subject, None)
            if now - row.at <= LOOKBACK and _stamp(row).get("stage") == "escalated":
                self.healings[row.subject] = row
        elif row.event == ASSESSED:
            self.assessed = [*self.assessed, row][-drift.MOST :]
        elif row.event in ("guard.altered", "guard.restored"):
            self.guard = row if row.event == "guard.altered" else None

    def _moved(self, row: AuditRow, state: ActionState, now: datetime) -> None:
        if state is S.SENDING:
            self.guard = None  # the executor looked just before
        if state in OCCURRENCES and now - row.at <= LOOKBACK:
            self.ends[row.subject, state] = row
        if state in TOLD_IN_EVENTS and now - row.at <= EVENT_AGE:
            self.events[row.subject, state] = row

    def _own(self, row: AuditRow) -> None:
        said = json.loads(row.body)
        if row.event in (WRITTEN, REFUSED) and said.get("state") in _STATES:
            self.events.pop((row.subject, _STATES[said["state"]]), None)
        elif row.event in (SENT, OVER):
            place = str(said.get("channel", "")), str(said.get("key", ""))
            self.told.pop(place, None)
            if row.event == OVER:
                self.over.add(place)
            elif alert := _alert(said.get("alert")):
                self.told[place] = Told(alert, row.at)


def _stamp(row: AuditRow) -> dict[str, Any]:
    """The last one of an episode; empty where the record does not show it."""
    body = json.loads(row.body)
    stamps = body.get("stamps") or [{}]
    return {"node": (body.get("node") or {}).get("name", ""), **stamps[-1]}


def _alert(said: Any) -> Alert | None:
    try:
        return Alert.model_validate_json(json.dumps(said))
    except ValidationError:
        return None  # a record that was too long to be kept whole: it is told again


def sent(alert: Alert, channel: str) -> dict[str, Any]:
    """The body of the record that a channel was told; without the description, so that it fits."""
    return {"channel": channel, "key": alert.key, "alert": alert.model_dump(mode="json", exclude={"description"})}


def subject(alert: Alert) -> str:
    """Under which the audit chain keeps it: the action it is about, where there is one."""
    return alert.labels.get("action") or alert.key


# ------------------------------------------------------------------ what stands


def conditions(ledger: Ledger, journal: Journal, now: datetime, limits: Limits, audit: Sequence[str] = ()) -> list[Alert]:
    """What is so now and ends by itself. `audit` are the problems that the last verification of the chains found."""
    found = [_unknown(row, limits) for row in ledger.in_states(S.UNKNOWN)]
    found += [_stopped(row, limits) for row in ledger.stops()]
    for row in journal.healings.values():
        if now - row.at < limits.hold:
            stamp = _stamp(row)
            text = f"a person must look at node {bounded(stamp['node'], 100)}: its healing {row.subject} stopped"
            found.append(_made("Day2HealingEscalated", limits, row.at, text, quoted(str(stamp.get("why", ""))), episode=row.subject))
    found += _assessments(journal.assessed, now, limits)
    if journal.guard is not None:
        said = str(json.loads(journal.guard.body).get("found", ""))
        found.append(_made("Day2GuardAltered", limits, journal.guard.at, "nothing is written: the guard is not in force", quoted(said)))
    if audit:
        text = "; ".join(quoted(problem) for problem in audit[:3])
        found.append(_made("Day2AuditChainBroken", limits, now, "the audit chains are broken: day2 audit verify", text))
    late = [row for row in ledger.in_states(S.NEEDS_APPROVAL) if now - row.changed_at > limits.approval]
    if late:
        oldest = min(row.changed_at for row in late)
        found.append(_made("Day2ApprovalsWaiting", limits, oldest, f"approvals that wait too long: {len(late)}: day2 approvals"))
    return found


def _assessments(rows: Sequence[AuditRow], now: datetime, limits: Limits) -> list[Alert]:
    """Runs that were found flawed a short time ago; and whether there are more of them than there were."""
    bodies = [json.loads(row.body) for row in rows]
    found = []
    for row, body in zip(rows, bodies, strict=True):
        if now - row.at < limits.hold and body.get("outcome") == "flawed":
            broken = ", ".join(sorted(body.get("violated", {})))
            text = f"a finished run is flawed: day2 eval assess {bounded(row.subject, 80)}"
            found.append(_made("Day2RunFlawed", limits, row.at, text, quoted(broken), run=row.subject))
    answers = [body["model"] == "aside" for body in bodies if body.get("model") in ("heard", "aside")]
    more, unread = drift.drifted([body.get("outcome") == "flawed" for body in bodies]), drift.unread(answers)
    if more or unread:
        what = "runs are flawed more often than before" if more else "the model's answers about runs are left aside"
        found.append(_made("Day2AssessmentDrift", limits, rows[-1].at, f"{what}: day2 eval assess"))
    return found


def _ended(row: ActionRow, state: ActionState, limits: Limits) -> Alert | None:
    proposal = parse_proposal(row.proposal)
    sentence = bounded(redact(proposal.action.sentence()), 160)
    match state:
        case S.ROLLED_BACK if proposal.experiment is not None:
            return None  # it was meant to be taken back
        case S.ESCALATED:
            return _of_action("Day2ActionEscalated", row, limits, f"a person must look: {sentence}", quoted(row.note))
        case S.ROLLED_BACK:
            return _of_action("Day2ActionRolledBack", row, limits, f"taken back: {sentence}", quoted(row.note))
        case S.DENIED if reasons := over_budget(row):
            return _of_action("Day2BudgetIntercepted", row, limits, f"stopped before it began: {sentence}", quoted("; ".join(reasons)))
    return None


def over_budget(row: ActionRow) -> list[str]:
    """What the money rules said, where it was they who denied."""
    verdict = Verdict.model_validate_json(row.verdict) if row.verdict else None
    if verdict is None or verdict.decision is not Decision.DENY:
        return []
    return [result.message for result in verdict.reasons() if result.rule in BUDGET_RULES and result.decision is Decision.DENY]


def _unknown(row: ActionRow, limits: Limits) -> Alert:
    sentence = bounded(redact(parse_proposal(row.proposal).action.sentence()), 160)
    return _of_action("Day2OutcomeUnknown", row, limits, f"not known yet whether it was stored: {sentence}", quoted(row.note))


def _stopped(row: StopRow, limits: Limits) -> Alert:
    said = f"by {quoted(row.by, 100)}: {quoted(row.reason, 300)}"
    scope = bounded(redact(row.scope), 120)
    if row.by == JUDGE and row.scope.startswith("approver="):
        text = "approvals of one person count no more until another resumes"
        return _made("Day2CanaryApproved", limits, row.at, text, said, scope=scope)
    return _made("Day2EmergencyStop", limits, row.at, f"emergency stop: {scope}", said, scope=scope)


def _of_action(name: str, row: ActionRow, limits: Limits, summary: str, description: str) -> Alert:
    where = {"namespace": row.namespace} if row.namespace else {}
    return _made(name, limits, row.changed_at, summary, description, action=row.action_id, agent=row.agent, capability=row.kind, **where)


def _made(name: str, limits: Limits, at: datetime, summary: str, description: str = "", **labels: str) -> Alert:
    kind = KINDS[name]
    return Alert(
        name=name,
        severity=kind.severity,
        grave=kind.grave,
        labels=dict(limits.labels) | {label: bounded(value, 200) for label, value in labels.items()},
        summary=bounded(summary, 300),
        description=bounded(description, 900),
        starts_at=at,
    )


_HARMLESS = str.maketrans({"<": "‹", ">": "›", "@": "＠", "`": "'", "*": "∗", "_": "＿", "|": "¦", "“": '"', "”": '"'})


def quoted(text: str, limit: int = 400) -> str:
    """Text of others, in quotes: bounded, without secrets, and without what chat programs take for a link, a mention or a layout."""
    return f"“{bounded(redact(text), limit).translate(_HARMLESS).replace('://', ': //')}”"


# ------------------------------------------------------------------ what is to be told


@dataclass
class Watch:
    """What the notifier knows: the journal, and what it need not keep. Nothing in here is lost with the process but the time to repeat."""

    limits: Limits
    journal: Journal = field(default_factory=Journal)
    happened: dict[Move, Alert] = field(default_factory=dict)
    last: dict[tuple[str, str], datetime] = field(default_factory=dict)

    def catch_up(self, ledger: Ledger, now: datetime) -> bool:
        """Whether the chains said anything new. Ends of actions that nobody need know of are forgotten at once."""
        new = self.journal.catch_up(ledger, now)
        for move in self.journal.ends:
            row = ledger.get(move[0])
            if row is not None and row.owner != CANARY and (alert := _ended(row, move[1], self.limits)):
                self.happened[move] = alert
        self.journal.ends.clear()
        return new

    def due(self, channel: Audience, holding: Iterable[Alert], now: datetime) -> Due:
        """`holding` are the conditions; what happened is narrowed to what still stands for this channel."""
        told = {key: found for (name, key), found in self.journal.told.items() if name == channel.name}
        heard = [*holding, *(alert for alert in self.happened.values() if self._holds(channel.name, alert.key, now))]
        stands = {alert.key: alert for alert in heard if alert.grave or not channel.only_grave}
        new = tuple(alert for key, alert in stands.items() if key not in told)
        again = tuple(alert for key, alert in stands.items() if key in told and self._repeats(channel, key, now))
        return Due(new, again, tuple(found.alert for key, found in told.items() if key not in stands))

    def _holds(self, channel: str, key: str, now: datetime) -> bool:
        if (channel, key) in self.journal.over:
            return False
        told = self.journal.told.get((channel, key))
        return told is None or now - told.at < self.limits.hold

    def _repeats(self, channel: Audience, key: str, now: datetime) -> bool:
        last = self.last.get((channel.name, key))
        return channel.again_seconds > 0 and (last is None or now - last >= timedelta(seconds=channel.again_seconds))

    def forget(self, channels: Collection[str], now: datetime) -> None:
        """Ends that every channel was told of and that are over, or that nobody is to be told of any more."""
        for move, alert in list(self.happened.items()):
            if all((name, alert.key) in self.journal.over for name in channels) or now - alert.starts_at > LOOKBACK:
                del self.happened[move]


class _Named(NamedTuple):
    """A channel of which only the name is known: it is told of everything, once."""

    name: str
    only_grave: bool = False
    again_seconds: float = 0.0


def behind(watch: Watch, ledger: Ledger, now: datetime, *, channels: Collection[str], events: bool = False) -> int:
    """How much the notifier has still to tell: alerts, their ends, and Events where it writes some."""
    watch.catch_up(ledger, now)
    holding = conditions(ledger, watch.journal, now, watch.limits)
    dues = [watch.due(_Named(name), holding, now) for name in channels]
    return sum(len(due.new) + len(due.over) for due in dues) + (len(watch.journal.events) if events else 0)


# ------------------------------------------------------------------ Kubernetes Events


def event_name(move: Move) -> str:
    """The same move is always the same Event."""
    return f"{move[0]}.{move[1].value.replace('_', '-')}"


def standing(ledger: Ledger, now: datetime, limits: Limits, audit: Sequence[str] = ()) -> list[tuple[Alert, tuple[str, ...]]]:
    """What stands now, newest first, with the channels that were told. Behind `day2 alerts list`."""
    watch = Watch(limits)
    watch.catch_up(ledger, now)
    told: dict[str, list[str]] = {}
    for channel, key in watch.journal.told:
        told.setdefault(key, []).append(channel)
    recent = [alert for alert in watch.happened.values() if alert.key in told or now - alert.starts_at < limits.hold]
    over = {key for _, key in watch.journal.over} - set(told)
    found = [*conditions(ledger, watch.journal, now, limits, audit), *(alert for alert in recent if alert.key not in over)]
    pairs = [(alert, tuple(sorted(told.get(alert.key, ())))) for alert in found]
    return sorted(pairs, key=lambda pair: (pair[0].starts_at, pair[0].key), reverse=True)
