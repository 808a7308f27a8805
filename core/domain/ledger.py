"""The ledger port: the SQL record of actions, verdicts, approvals, permits, executions and undo. `tools/stores` keeps it; its twin keeps it in memory.

Every method is one transaction. `move` is the only way to another state: it compares the state it expects with the stored one, checks
`core.domain.outcome.TRANSITIONS`, stores the extras and appends the audit record in the same transaction; two processes cannot both win.
"""

from datetime import datetime
from typing import Any, NamedTuple, Protocol

from core.domain.approval import Approval
from core.domain.check import Look
from core.domain.outcome import ActionState


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


class StopRow(NamedTuple):
    """An emergency stop. `mode`: `all`, or `forward` which lets undo through."""

    scope: str  # "all", "agent=<name>" or "namespace=<name>"
    mode: str
    by: str
    reason: str
    at: datetime


class AuditRow(NamedTuple):
    """One link of the chain. `hash` = SHA-256 over canonical (seq, previous hash, at, role, event, subject, body)."""

    seq: int
    at: datetime
    role: str
    event: str
    subject: str
    body: str
    previous: str
    hash: str


class Ledger(Protocol):
    def submit(self, row: ActionRow) -> bool:
        """Insert in SUBMITTED. False when an open action has the same intent key (a duplicate, nothing stored)."""

    def get(self, action_id: str) -> ActionRow | None: ...

    def in_states(self, *states: ActionState) -> list[ActionRow]:
        """Oldest submission first."""

    def of_run(self, run_id: str) -> list[ActionRow]: ...

    def recent(self, target_uid: str, since: datetime) -> list[ActionRow]: ...

    def search(self, *, states: tuple[ActionState, ...] = (), agent: str = "", since: datetime | None = None, limit: int = 200) -> list[ActionRow]: ...

    def move(self, action_id: str, expected: ActionState, to: ActionState, *, role: str, at: datetime, event: dict[str, Any], **columns: Any) -> bool:
        """False when another process moved it first. Raises ValueError for a transition that the table does not have."""

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

    def stops(self) -> list[StopRow]: ...

    def stop(self, row: StopRow) -> None: ...

    def resume(self, scope: str, by: str, reason: str, at: datetime) -> bool: ...

    def record(self, *, role: str, event: str, subject: str, body: dict[str, Any], at: datetime) -> AuditRow:
        """Append to the audit chain an event that moves no action (a refusal, a stop, a run, an approval)."""

    def chain(self, start: int = 1, limit: int = 10_000) -> list[AuditRow]: ...
