"""The ledger in SQL: sqlite (WAL, flushed at each commit) or Postgres, behind `core.domain.ledger.Ledger`.

Every change is one transaction that takes the write lock first, compares what it expects, and appends to the audit chain of its role.
`heads` has one row for each role: where its chain ends. The single row of `book` has the origin and the fencing epoch. Sequences, places
and epochs have neither gaps nor twins.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple, Self

import sqlalchemy as sa

from core.domain import ledger as port
from core.domain.approval import Approval
from core.domain.check import Look
from core.domain.errors import Corrupt, Unavailable
from core.domain.ledger import ActionRow, AuditRow, Entry, Head, StopRow
from core.domain.outcome import ActionState
from core.domain.values import canonical
from tools.stores import tables
from tools.stores.opening import Database
from tools.stores.sink import Sink

_ACTION = [tables.actions.c[name] for name in ActionRow._fields]
_CHAIN = [tables.chain.c[name] for name in AuditRow._fields]
_OLDEST_FIRST = sa.select(*_ACTION).order_by(tables.actions.c.submitted_at, tables.actions.c.action_id)
_BY_ID = sa.select(*_ACTION).where(tables.actions.c.action_id == sa.bindparam("wanted"))
_IN_STATES = _OLDEST_FIRST.where(tables.actions.c.state.in_(sa.bindparam("wanted", expanding=True)))


def opened(url: str, sink: Path | None) -> "SqlLedger":
    """A ledger that exists and has the newest form; `migrating.migrate` makes it. Raises Corrupt or Unavailable with the mend."""
    return SqlLedger(Database(url), Sink(sink) if sink else None).checked()


class SqlLedger:
    """See the port for each method."""

    def __init__(self, database: Database, sink: Sink | None = None) -> None:
        self._database = database
        self._sink = sink

    def checked(self) -> Self:
        """The file is ours, its form is the newest, and the second sink knows nothing that this ledger lost."""
        self._database.adopt()
        with self._database.reading() as connection:
            version = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()
        if version != tables.HEAD:
            raise Unavailable("the ledger", 1.0, reason=f"its form is {version}, not {tables.HEAD}", mend="day2 serve brings it up to date")
        if self._sink is None:
            return self
        last = self._sink.head()
        if last and [row.hash for row in self.chain(last.place, 1)] != [last.hash]:
            raise Corrupt(
                f"the ledger lacks record {last.place} ({last.name}) that {self._sink.path} has",
                mend="restore the ledger that belongs to it: day2 doctor",
            )
        with suppress(OSError, Unavailable):
            self._sink.catch_up(self.chain)
        return self

    def hold(self, role: str) -> None:
        """Be the only process of this role, also where the ledger is shared between machines. Raises Busy."""
        self._database.hold(role)

    def close(self) -> None:
        self._database.close()

    def submit(self, row: ActionRow) -> bool:
        same = tables.actions.c.action_id == row.action_id, tables.actions.c.digest == row.digest
        clash = sa.or_(*same, sa.and_(tables.actions.c.intent_key == row.intent_key, tables.OPEN))
        with self._writing() as writing:
            if writing.execute(sa.select(sa.literal(1)).select_from(tables.actions).where(clash)).first():
                return False
            writing.execute(tables.actions.insert().values(**row._asdict() | {"state": ActionState.SUBMITTED.value}))
            writing.append(port.submitted(row))
        return True

    def get(self, action_id: str) -> ActionRow | None:
        return next(iter(self._rows(_BY_ID, wanted=action_id)), None)

    def in_states(self, *states: ActionState) -> list[ActionRow]:
        return self._rows(_IN_STATES, wanted=[state.value for state in states])

    def of_run(self, run_id: str) -> list[ActionRow]:
        return self._rows(_OLDEST_FIRST.where(tables.actions.c.run_id == run_id))

    def recent(self, target_uid: str, since: datetime) -> list[ActionRow]:
        return self._rows(_OLDEST_FIRST.where(tables.actions.c.target_uid == target_uid, tables.actions.c.changed_at >= since))

    def search(
        self,
        *,
        states: tuple[ActionState, ...] = (),
        agent: str = "",
        scope: tuple[str, str] | None = None,
        since: datetime | None = None,
        limit: int = 200,
    ) -> list[ActionRow]:
        wanted: list[sa.ColumnElement[bool]] = []
        if states:
            wanted.append(tables.actions.c.state.in_([state.value for state in states]))
        if agent:
            wanted.append(tables.actions.c.agent == agent)
        if scope:
            wanted += [tables.actions.c.kind == scope[0], tables.actions.c.namespace == scope[1]]
        if since:
            wanted.append(tables.actions.c.changed_at >= since)
        newest = tables.actions.c.submitted_at.desc(), tables.actions.c.action_id.desc()
        return self._rows(sa.select(*_ACTION).where(*wanted).order_by(*newest).limit(limit))

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
        port.check_move(expected, to, columns)
        mine = [tables.actions.c.action_id == action_id, tables.actions.c.state == expected.value]
        if epoch is not None:
            mine.append(tables.actions.c.epoch == epoch)
        with self._writing() as writing:
            change = tables.actions.update().where(*mine).values(**columns, state=to.value, changed_at=at)
            if writing.execute(change).rowcount != 1:
                return False
            writing.append(port.moved(action_id, expected, to, role=role, at=at, event=event, columns=columns))
        return True

    def observe(self, action_id: str, *, looks: tuple[Look, ...], next_look_at: datetime | None, at: datetime) -> None:  # noqa: ARG002  the port's clock is the caller's
        seen = canonical([look.model_dump(mode="json") for look in looks]).decode()
        mine = tables.actions.c.action_id == action_id
        with self._writing() as writing:
            writing.execute(tables.actions.update().where(mine).values(looks=seen, next_look_at=next_look_at))

    def claim(self, action_id: str, owner: str, at: datetime) -> int | None:
        with self._writing() as writing:
            epoch = int(writing.execute(sa.select(tables.book.c.epoch).with_for_update()).scalar_one()) + 1
            mine = tables.actions.c.action_id == action_id, tables.actions.c.state == ActionState.PERMITTED.value
            taken = {"state": ActionState.CLAIMED.value, "owner": owner, "epoch": epoch, "changed_at": at}
            if writing.execute(tables.actions.update().where(*mine).values(**taken)).rowcount != 1:
                return None
            writing.execute(tables.book.update().values(epoch=epoch))
            writing.append(port.claimed(action_id, owner, epoch, at))
        return epoch

    def spend(self, jti: str, action_id: str, at: datetime) -> bool:
        with self._writing() as writing:
            if writing.execute(sa.select(tables.permits.c.jti).where(tables.permits.c.jti == jti)).first():
                return False
            writing.execute(tables.permits.insert().values(jti=jti, action_id=action_id, at=at))
            writing.append(Entry("executor", "permit.spent", action_id, {"jti": jti}, at))
        return True

    def spent(self, jti: str) -> bool:
        with self._database.reading() as connection:
            return connection.execute(sa.select(tables.permits.c.jti).where(tables.permits.c.jti == jti)).first() is not None

    def approve(self, approval: Approval) -> bool:
        key = tables.approvals.c.action_digest == approval.action_digest, tables.approvals.c.by == approval.by
        with self._writing() as writing:
            if writing.execute(sa.select(tables.approvals.c.id).where(*key)).first():
                return False
            columns = approval.model_dump(include={"id", "action_id", "action_digest", "by", "at"})
            writing.execute(tables.approvals.insert().values(**columns, approval=canonical(approval).decode()))
            writing.append(port.decided(approval))
        return True

    def approvals(self, action_id: str) -> list[Approval]:
        return self._approvals(tables.approvals.c.action_id == action_id)

    def decisions(self, since: datetime) -> list[Approval]:
        return self._approvals(tables.approvals.c.at >= since)

    def _approvals(self, wanted: sa.ColumnElement[bool]) -> list[Approval]:
        found = sa.select(tables.approvals.c.approval).where(wanted).order_by(tables.approvals.c.at, tables.approvals.c.by)
        with self._database.reading() as connection:
            return [Approval.model_validate_json(text) for text in connection.execute(found).scalars()]

    def stops(self) -> list[StopRow]:
        with self._database.reading() as connection:
            rows = connection.execute(sa.select(*[tables.stops.c[name] for name in StopRow._fields]).order_by(tables.stops.c.scope))
            return [StopRow(*row) for row in rows]

    def stop(self, row: StopRow) -> None:
        with self._writing() as writing:
            writing.execute(tables.stops.delete().where(tables.stops.c.scope == row.scope))
            writing.execute(tables.stops.insert().values(**row._asdict()))
            writing.append(Entry("door", "stop", row.scope, {"mode": row.mode, "by": row.by, "reason": row.reason}, row.at))

    def resume(self, scope: str, by: str, reason: str, at: datetime) -> bool:
        with self._writing() as writing:
            if writing.execute(tables.stops.delete().where(tables.stops.c.scope == scope)).rowcount != 1:
                return False
            writing.append(Entry("door", "resume", scope, {"by": by, "reason": reason}, at))
        return True

    def record(self, *, role: str, event: str, subject: str, body: dict[str, Any], at: datetime) -> AuditRow:
        return self.record_all([Entry(role, event, subject, body, at)])[0]

    def record_all(self, entries: Sequence[Entry]) -> list[AuditRow]:
        """In this order, by one commit: all of them, or none."""
        with self._writing() as writing:
            writing.append(*entries)
        return writing.rows

    def anchor(self, role: str, at: datetime) -> Head | None:
        with self._writing() as writing:
            found = {row.role: row for row in writing.execute(sa.select(tables.heads).order_by(tables.heads.c.role).with_for_update())}
            others = sum(row.moved for name, row in found.items() if name != role)
            if others != (found[role].seen if role in found else 0):
                writing.append(port.anchor_entry(role, {name: Head(name, row.seq, row.hash) for name, row in found.items()}, at))
                writing.execute(tables.heads.update().where(tables.heads.c.role == role).values(seen=others))
        return self.head().get(role)

    def chain(self, start: int = 1, limit: int = 10_000, *, role: str = "") -> list[AuditRow]:
        mine = (tables.chain.c.role == role, tables.chain.c.seq >= start) if role else (tables.chain.c.place >= start,)
        wanted = sa.select(*_CHAIN).where(*mine).order_by(tables.chain.c.seq if role else tables.chain.c.place).limit(limit)
        with self._database.reading() as connection:
            return [AuditRow(*row) for row in connection.execute(wanted)]

    def head(self) -> dict[str, Head]:
        with self._database.reading() as connection:
            rows = connection.execute(sa.select(*[tables.heads.c[name] for name in Head._fields]).order_by(tables.heads.c.role))
            return {row.role: Head(*row) for row in rows}

    @property
    def origin(self) -> str:
        with self._database.reading() as connection:
            return str(connection.execute(sa.select(tables.book.c.origin)).scalar_one())

    def _rows(self, query: sa.Select[Any], **values: Any) -> list[ActionRow]:
        with self._database.reading() as connection:
            return [_row(found) for found in connection.execute(query, values)]

    @contextmanager
    def _writing(self) -> Iterator["_Writing"]:
        """One writer at a time, also on Postgres: what is compared then still holds when it is written."""
        with self._database.writing() as connection:
            if self._database.path is None:
                connection.execute(sa.select(tables.book.c.id).with_for_update()).one()
            writing = _Writing(connection)
            yield writing
        self._mirror(writing.rows)

    def _mirror(self, rows: Sequence[AuditRow]) -> None:
        """The commit stands whatever happens here: what the sink misses now it gets with the next record, or at the next start."""
        if self._sink and rows:
            with suppress(OSError, Unavailable):
                self._sink.catch_up(self.chain, rows)


_LAST = sa.select(sa.func.coalesce(sa.func.max(tables.chain.c.place), 0)).scalar_subquery()
_MINE = tables.heads.c.role == sa.bindparam("mine")
_HEAD = sa.select(tables.heads.c.seq, tables.heads.c.hash, _LAST, tables.heads.c.moved).where(_MINE).with_for_update()
_LINK = tables.chain.insert()
_ADVANCE = tables.heads.update().where(_MINE)


class _Head(NamedTuple):
    """Where a role's chain ends, and the whole ledger (`place`). `moved` is the role's last record that is no anchor."""

    seq: int
    hash: str
    place: int
    moved: int


class _Writing:
    """One transaction, and the records that it appends. The writer's lock is held: nobody else reads a head before it has moved."""

    def __init__(self, connection: sa.Connection) -> None:
        self.execute = connection.execute
        self.rows: list[AuditRow] = []

    def append(self, *entries: Entry) -> None:
        heads: dict[str, Any] = {role: self._head(role) for role in dict.fromkeys(entry.role for entry in entries)}
        before = max(head.place for head in heads.values())
        rows = []
        for place, entry in enumerate(entries, before + 1):
            head = heads[entry.role]
            row = port.link(entry, place, head.seq + 1, head.hash)
            heads[row.role] = _Head(row.seq, row.hash, place, head.moved if row.event == port.ANCHORED else row.seq)
            rows.append(row)
        self.execute(_LINK, [row._asdict() for row in rows])
        for role, head in heads.items():
            self.execute(_ADVANCE, {"mine": role, "seq": head.seq, "hash": head.hash, "moved": head.moved})
        self.rows += rows

    def _head(self, role: str) -> "_Head":
        if found := self.execute(_HEAD, {"mine": role}).first():
            return _Head(*found)
        origin, last = self.execute(sa.select(tables.book.c.origin, _LAST)).one()
        first = _Head(0, port.genesis(origin, role), last, 0)
        self.execute(tables.heads.insert().values(role=role, seq=0, hash=first.hash))
        return first


def _row(found: Any) -> ActionRow:
    return ActionRow(**found._asdict() | {"state": ActionState(found.state)})
