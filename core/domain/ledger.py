"""The ledger port: the SQL record of actions, verdicts, approvals, permits, executions and undo. `tools/stores` keeps it, and has the twin.

Every method is one transaction. `move` is the only way to another state: it compares the state it expects with the stored one, checks
`core.domain.outcome.TRANSITIONS`, stores the extras and appends the audit record in the same transaction; two processes cannot both win.
"""

import hashlib
from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple, Protocol

import msgspec

from core.domain.approval import Approval
from core.domain.check import Look
from core.domain.outcome import ActionState, allowed
from core.domain.values import bounded, canonical, digest

FORM = "day2-audit-2"
ANCHORED = "anchored"
BODY_LIMIT = 4096
_encoded = msgspec.json.Encoder().encode


class ActionRow(NamedTuple):
    """One action with where it stands. JSON columns hold canonical text of the models that `core` defines."""

    action_id: str
    digest: str
    intent_key: str
    run_id: str
    agent: str
    kind: str
    target_uid: str
    namespace: str
    proposal: str  # JSON of Proposal
    state: ActionState
    submitted_by: str
    submitted_at: datetime
    changed_at: datetime
    expires_at: datetime
    verdict: str  # JSON of Verdict, empty until judged
    permit: str  # token of the forward permit, empty until minted
    undo_permit: str
    request: str  # JSON of ApiRequest, set with the permit
    undo_request: str  # JSON of ApiRequest or empty
    check: str  # JSON of Check
    before: str  # JSON of the pinned state before the write, for diffs and read-back
    note: str  # one sentence for people: why it ended, what is waited for
    looks: str  # JSON list of Look of the last round
    next_look_at: datetime | None
    deadline: datetime | None  # of the verification
    owner: str  # process that claimed it
    epoch: int  # fencing: issued by SQL at the claim
    attempts: int = 0  # times it went back to the judge because the cluster moved under it or a permit ran out


class StopRow(NamedTuple):
    """An emergency stop. `mode`: `all`, or `forward` which lets undo through."""

    scope: str  # "all", "agent=<name>" or "namespace=<name>"
    mode: str
    by: str
    reason: str
    at: datetime


class AuditRow(NamedTuple):
    """One link of a role's chain. `hash` is `chained` of it.

    `place` counts the records of the whole ledger as they were committed, `seq` those of this role; both from 1, without gaps.
    """

    place: int
    seq: int
    at: datetime
    role: str
    event: str
    subject: str
    body: str
    previous: str
    hash: str

    @property
    def name(self) -> str:
        """How people call it: `judge/12`."""
        return f"{self.role}/{self.seq}"


class Head(NamedTuple):
    """The chain of this role has this hash at this sequence."""

    role: str
    seq: int
    hash: str


class Entry(NamedTuple):
    """What is to be appended to the chain of its role; `link` makes the row of it."""

    role: str
    event: str
    subject: str
    body: dict[str, Any]
    at: datetime


def genesis(origin: str, role: str) -> str:
    """What the first record of a chain has as its previous hash: it binds the chain to its ledger and its role."""
    return digest([FORM, origin, role])


def link(entry: Entry, place: int, seq: int, previous: str) -> AuditRow:
    """The next row of the chain. A body over 4 KiB is replaced by its digest and the start of its text."""
    body = canonical(entry.body)
    if len(body) > BODY_LIMIT:
        body = canonical({"digest": digest(entry.body), "cut": bounded(body.decode(), 1000)})
    row = AuditRow(place, seq, entry.at, entry.role, entry.event, bounded(entry.subject, 200), body.decode(), previous, "")
    return row._replace(hash=chained(row))


def chained(row: AuditRow) -> str:
    """The hash that the row must carry: SHA-256 over the canonical JSON of all that it says, its place and its role among it."""
    place, seq, at, role, event, subject, body, previous, _ = row
    quick = _encoded(at)  # a third of what isoformat takes, and the same for a UTC time with a fraction of a second
    moment = quick[1:27].decode() + "+00:00" if len(quick) == 29 else at.isoformat(timespec="microseconds")
    return hashlib.sha256(_encoded((FORM, place, seq, previous, moment, role, event, subject, body))).hexdigest()


def anchor_entry(role: str, heads: Mapping[str, Head], at: datetime) -> Entry:
    """The record in which a role says how far all other chains have come: their past cannot be replaced without this one's."""
    return Entry(role, ANCHORED, "heads", {"heads": {name: [head.seq, head.hash] for name, head in heads.items() if name != role}}, at)


_MOVABLE = frozenset(ActionRow._fields[ActionRow._fields.index("expires_at") : ActionRow._fields.index("epoch")]) | {"attempts"}


def check_move(old: ActionState, new: ActionState, columns: dict[str, Any]) -> None:
    """Raises ValueError for a move that the table of states does not have, or a column that no move may write."""
    if not allowed(old, new):
        raise ValueError(f"{old} to {new} is no transition")
    if unknown := set(columns) - _MOVABLE:
        raise ValueError(f"a move never writes {', '.join(sorted(unknown))}")


def moved(
    action_id: str, old: ActionState, new: ActionState, *, role: str, at: datetime, event: dict[str, Any], columns: dict[str, Any]
) -> Entry:
    """The audit entry of a move: what the caller says of it, and the digest of each text it stored: none can be changed unseen."""
    stored = {name: digest(value) for name, value in columns.items() if isinstance(value, str) and len(value) > 200}
    return Entry(role, new.value, action_id, {**event, "from": old.value, **({"stored": stored} if stored else {})}, at)


def submitted(row: ActionRow) -> Entry:
    body = {"digest": row.digest, "kind": row.kind, "agent": row.agent, "run": row.run_id, "by": row.submitted_by}
    return Entry("door", "submitted", row.action_id, body, row.submitted_at)


def decided(approval: Approval) -> Entry:
    body = {"digest": approval.action_digest, **approval.model_dump(include={"by", "decision", "door", "reason"})}
    return Entry("door", f"approval.{approval.decision}", approval.action_id, body, approval.at)


def claimed(action_id: str, owner: str, epoch: int, at: datetime) -> Entry:
    event = {"owner": owner, "epoch": epoch}
    return moved(action_id, ActionState.PERMITTED, ActionState.CLAIMED, role="executor", at=at, event=event, columns={})


class Ledger(Protocol):
    def submit(self, row: ActionRow) -> bool:
        """Insert in SUBMITTED. False when an open action has the same intent key, or any has the same id or digest (nothing stored)."""

    def get(self, action_id: str) -> ActionRow | None: ...

    def in_states(self, *states: ActionState) -> list[ActionRow]:
        """Oldest submission first."""

    def of_run(self, run_id: str) -> list[ActionRow]: ...

    def recent(self, target_uid: str, since: datetime) -> list[ActionRow]: ...

    def search(
        self,
        *,
        states: tuple[ActionState, ...] = (),
        agent: str = "",
        scope: tuple[str, str] | None = None,
        since: datetime | None = None,
        limit: int = 200,
    ) -> list[ActionRow]:
        """Newest submission first. `scope` is a kind and a namespace."""

    def move(
        self,
        action_id: str,
        expected: ActionState,
        to: ActionState,
        *,
        role: str,
        at: datetime,
        event: dict[str, Any],
        epoch: int | None = None,
        **columns: Any,
    ) -> bool:
        """False when another process moved it first, or claimed it since (`epoch`). Raises ValueError for what is no transition."""

    def observe(self, action_id: str, *, looks: tuple[Look, ...], next_look_at: datetime | None, at: datetime) -> None:
        """Keep what the verifier saw, without a change of state."""

    def claim(self, action_id: str, owner: str, at: datetime) -> int | None:
        """PERMITTED to CLAIMED by one owner; the new fencing epoch, or None when somebody else has it."""

    def spend(self, jti: str, action_id: str, at: datetime) -> bool:
        """Burn a permit id. False when it was spent before."""

    def spent(self, jti: str) -> bool: ...

    def approve(self, approval: Approval) -> bool:
        """Keep an approval. False when this subject already decided on this digest. Does not change the action's state."""

    def approvals(self, action_id: str) -> list[Approval]: ...

    def decisions(self, since: datetime) -> list[Approval]:
        """Everybody's, on all actions, oldest first."""

    def stops(self) -> list[StopRow]: ...

    def stop(self, row: StopRow) -> None: ...

    def resume(self, scope: str, by: str, reason: str, at: datetime) -> bool: ...

    def record(self, *, role: str, event: str, subject: str, body: dict[str, Any], at: datetime) -> AuditRow:
        """Append to the role's chain an event that moves no action (a refusal, a stop, a run, an approval)."""

    def anchor(self, role: str, at: datetime) -> Head | None:
        """Append an anchor of all other chains where one of them got more than anchors since this role's last. Returns this role's head."""

    def chain(self, start: int = 1, limit: int = 10_000, *, role: str = "") -> list[AuditRow]:
        """Records of all chains in the order of their commits, from place `start`; of one role from its sequence `start`."""

    def head(self) -> dict[str, Head]:
        """Where the chain of each role must end."""

    @property
    def origin(self) -> str:
        """Given when the ledger was made: its id, how many records of the first form it has, and their last hash, joined by dots."""
