"""The ledger's twin: the same promises, kept in this process. One contract suite runs on both."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from core.domain import ledger as port
from core.domain.admissions import Admitted
from core.domain.approval import Approval
from core.domain.check import Look
from core.domain.ledger import ActionRow, AuditRow, Entry, Head, StopRow
from core.domain.outcome import TERMINAL, ActionState
from core.domain.values import canonical


class MemoryLedger:
    """`down` is raised by every call while it is set, as a database that does not answer. `origin` is the ledger's."""

    def __init__(self, origin: str = f"memory.0.{'0' * 64}") -> None:
        self.down: Exception | None = None
        self.origin = origin
        self._actions: dict[str, ActionRow] = {}
        self._permits: dict[str, str] = {}
        self._approvals: dict[tuple[str, str], Approval] = {}
        self._stops: dict[str, StopRow] = {}
        self._chain: list[AuditRow] = []
        self._heads: dict[str, Head] = {}
        self._moved: dict[str, int] = {}
        self._seen: dict[str, int] = {}
        self._epoch = 0

    def submit(self, row: ActionRow) -> bool:
        self._answer()
        known = self._actions.values()
        if any(other.action_id == row.action_id or other.digest == row.digest for other in known):
            return False
        if any(other.intent_key == row.intent_key and other.state not in TERMINAL for other in known):
            return False
        self._actions[row.action_id] = row._replace(state=ActionState.SUBMITTED)
        self._append(port.submitted(row))
        return True

    def get(self, action_id: str) -> ActionRow | None:
        self._answer()
        return self._actions.get(action_id)

    def in_states(self, *states: ActionState) -> list[ActionRow]:
        return [row for row in self._sorted() if row.state in states]

    def of_run(self, run_id: str) -> list[ActionRow]:
        return [row for row in self._sorted() if row.run_id == run_id]

    def recent(self, target_uid: str, since: datetime) -> list[ActionRow]:
        return [row for row in self._sorted() if row.target_uid == target_uid and row.changed_at >= since]

    def search(
        self,
        *,
        states: tuple[ActionState, ...] = (),
        agent: str = "",
        scope: tuple[str, str] | None = None,
        since: datetime | None = None,
        limit: int = 200,
    ) -> list[ActionRow]:
        found = [
            row
            for row in reversed(self._sorted())
            if (not states or row.state in states)
            and (not agent or row.agent == agent)
            and (scope is None or (row.kind, row.namespace) == scope)
            and (since is None or row.changed_at >= since)
        ]
        return found[:limit]

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
        self._answer()
        port.check_move(expected, to, columns)
        row = self._actions.get(action_id)
        if row is None or row.state is not expected or epoch not in (None, row.epoch):
            return False
        self._actions[action_id] = row._replace(**columns, state=to, changed_at=at)
        self._append(port.moved(action_id, expected, to, role=role, at=at, event=event, columns=columns))
        return True

    def observe(self, action_id: str, *, looks: tuple[Look, ...], next_look_at: datetime | None, at: datetime) -> None:  # noqa: ARG002  the port's clock is the caller's
        self._answer()
        seen = canonical([look.model_dump(mode="json") for look in looks]).decode()
        self._actions[action_id] = self._actions[action_id]._replace(looks=seen, next_look_at=next_look_at)

    def claim(self, action_id: str, owner: str, at: datetime) -> int | None:
        self._answer()
        row = self._actions.get(action_id)
        if row is None or row.state is not ActionState.PERMITTED:
            return None
        self._epoch += 1
        self._actions[action_id] = row._replace(state=ActionState.CLAIMED, owner=owner, epoch=self._epoch, changed_at=at)
        self._append(port.claimed(action_id, owner, self._epoch, at))
        return self._epoch

    def spend(self, jti: str, action_id: str, at: datetime) -> bool:
        self._answer()
        if jti in self._permits:
            return False
        self._permits[jti] = action_id
        self._append(Entry("executor", "permit.spent", action_id, {"jti": jti}, at))
        return True

    def spent(self, jti: str) -> bool:
        self._answer()
        return jti in self._permits

    def approve(self, approval: Approval) -> bool:
        self._answer()
        key = approval.action_digest, approval.by
        if key in self._approvals:
            return False
        self._approvals[key] = approval
        self._append(port.decided(approval))
        return True

    def approvals(self, action_id: str) -> list[Approval]:
        self._answer()
        return sorted((item for item in self._approvals.values() if item.action_id == action_id), key=lambda item: (item.at, item.by))

    def decisions(self, since: datetime) -> list[Approval]:
        self._answer()
        return sorted((item for item in self._approvals.values() if item.at >= since), key=lambda item: (item.at, item.by))

    def stops(self) -> list[StopRow]:
        self._answer()
        return [self._stops[scope] for scope in sorted(self._stops)]

    def stop(self, row: StopRow) -> None:
        self._answer()
        self._stops[row.scope] = row
        self._append(Entry("door", "stop", row.scope, {"mode": row.mode, "by": row.by, "reason": row.reason}, row.at))

    def resume(self, scope: str, by: str, reason: str, at: datetime) -> bool:
        self._answer()
        if self._stops.pop(scope, None) is None:
            return False
        self._append(Entry("door", "resume", scope, {"by": by, "reason": reason}, at))
        return True

    def record(self, *, role: str, event: str, subject: str, body: dict[str, Any], at: datetime) -> AuditRow:
        self._answer()
        return self._append(Entry(role, event, subject, body, at))

    def record_all(self, entries: Sequence[Entry]) -> list[AuditRow]:
        self._answer()
        return [self._append(entry) for entry in entries]

    def anchor(self, role: str, at: datetime) -> Head | None:
        self._answer()
        others = sum(moved for name, moved in self._moved.items() if name != role)
        if others != self._seen.get(role, 0):
            self._append(port.anchor_entry(role, self._heads, at))
            self._seen[role] = others
        return self._heads.get(role)

    def chain(self, start: int = 1, limit: int = 10_000, *, role: str = "") -> list[AuditRow]:
        self._answer()
        return [row for row in self._chain if not role or row.role == role][start - 1 : start - 1 + limit]

    def head(self) -> dict[str, Head]:
        self._answer()
        return dict(sorted(self._heads.items()))

    def _append(self, entry: Entry) -> AuditRow:
        head = self._heads.get(entry.role) or Head(entry.role, 0, port.genesis(self.origin, entry.role))
        row = port.link(entry, len(self._chain) + 1, head.seq + 1, head.hash)
        self._chain.append(row)
        self._heads[row.role] = Head(row.role, row.seq, row.hash)
        if row.event != port.ANCHORED:
            self._moved[row.role] = row.seq
        return row

    def _sorted(self) -> list[ActionRow]:
        self._answer()
        return sorted(self._actions.values(), key=lambda row: (row.submitted_at, row.action_id))

    def _answer(self) -> None:
        if self.down:
            raise self.down


class MemoryAdmissions:
    """The twin of the webhook's part (`tools.stores.admissions`). `down` is raised by every call while it is set."""

    def __init__(self) -> None:
        self.down: Exception | None = None
        self.stopped: list[StopRow] = []
        self.rows: dict[tuple[str, str], Admitted] = {}

    def stops(self) -> list[StopRow]:
        self._answer()
        return list(self.stopped)

    def admitted(self, registration: str, jti: str) -> Admitted | None:
        self._answer()
        return self.rows.get((registration, jti))

    def admit(self, row: Admitted) -> bool:
        self._answer()
        return self.rows.setdefault((row.registration, row.jti), row) is row

    def _answer(self) -> None:
        if self.down:
            raise self.down
