"""What the chats remember, in SQL, and its twin in memory."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from core.domain.chats import Line, Place, Ref, Shows, Snooze, Taken, Topic
from tools.stores.front.tables import metadata, moment, text
from tools.stores.opening import Database


def _key(name: str, size: int = 200) -> "sa.Column[str]":
    return sa.Column(name, sa.String(size), nullable=False)


events = sa.Table(
    "front_chat_events",
    metadata,
    sa.Column("product", sa.String(40), primary_key=True),
    sa.Column("event", sa.String(200), primary_key=True),
    text("body"),
    sa.Column("done", sa.Boolean, nullable=False, default=False, index=True),
    moment("at"),
)
refs = sa.Table(
    "front_chat_refs",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    _key("shows", 20),
    sa.Column("subject", sa.String(200), nullable=False, index=True),
    _key("product", 40),
    _key("conversation"),
    _key("thread"),
    _key("message"),
    _key("shown", 64),
    _key("told", 40),
    sa.Column("reminded", sa.Integer, nullable=False, default=0),
    sa.Column("open", sa.Boolean, nullable=False, default=True, index=True),
    moment("at"),
)
topics = sa.Table(
    "front_chat_topics",
    metadata,
    sa.Column("product", sa.String(40), primary_key=True),
    sa.Column("conversation", sa.String(200), primary_key=True),
    sa.Column("thread", sa.String(200), primary_key=True),
    _key("intent", 40),
    text("text"),
    _key("namespace", 100),
    _key("run", 64),
    _key("action", 64),
    moment("at"),
)
snoozes = sa.Table(
    "front_chat_snoozes",
    metadata,
    sa.Column("action", sa.String(64), primary_key=True),
    sa.Column("by", sa.String(200), primary_key=True),
    _key("product", 40),
    _key("conversation"),
    _key("thread"),
    moment("until"),
)
lines = sa.Table(
    "front_chat_lines",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("product", sa.String(40), nullable=False),
    sa.Column("conversation", sa.String(200), nullable=False, index=True),
    _key("thread"),
    _key("by"),
    text("body"),
    moment("at"),
)
kept = sa.Table("front_chat_kept", metadata, sa.Column("name", sa.String(200), primary_key=True), text("value"))


class SqlChats:
    """Implements `core.domain.chats.Chats`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def take(self, event: Taken) -> bool:
        mine = (events.c.product == event.product) & (events.c.event == event.event)
        with self._database.writing() as connection:
            if connection.execute(sa.select(events.c.event).where(mine)).first():
                return False
            connection.execute(events.insert().values(**event._asdict(), done=False))
            return True

    def done(self, product: str, event: str) -> None:
        with self._database.writing() as connection:
            connection.execute(events.update().where((events.c.product == product) & (events.c.event == event)).values(done=True, body=""))

    def undone(self, product: str, limit: int = 200) -> list[Taken]:
        mine = (events.c.product == product) & ~events.c.done
        with self._database.reading() as connection:
            found = connection.execute(sa.select(events).where(mine).order_by(events.c.at, events.c.event).limit(limit)).mappings()
            return [Taken(row["product"], row["event"], row["body"], row["at"]) for row in found]

    def forget(self, before: datetime) -> int:
        with self._database.writing() as connection:
            return connection.execute(events.delete().where(events.c.done & (events.c.at < before))).rowcount

    def reserve(self, shows: Shows, subject: str, place: Place, at: datetime) -> Ref | None:
        same = (refs.c.shows == shows.value) & (refs.c.subject == subject) & refs.c.open
        row = {"shows": shows.value, "subject": subject, **place._asdict(), "message": "", "shown": "", "told": ""}
        with self._database.writing() as connection:
            if connection.execute(sa.select(refs.c.id).where(same & _at(refs, place))).first():
                return None
            made = connection.execute(refs.insert().values(**row, reminded=0, open=True, at=at).returning(refs.c.id)).scalar_one()
        return Ref(made, shows, subject, place, "", "", "", 0, True, at)

    def posted(self, ref: int, message: str) -> None:
        with self._database.writing() as connection:
            connection.execute(refs.update().where(refs.c.id == ref).values(message=message))

    def showing(self, ref: int, *, before: str, shown: str, told: str, still_open: bool) -> bool:
        mine = (refs.c.id == ref) & (refs.c.shown == before) & refs.c.open
        with self._database.writing() as connection:
            return bool(connection.execute(refs.update().where(mine).values(shown=shown, told=told, open=still_open)).rowcount)

    def reminded(self, ref: int, percent: int) -> bool:
        with self._database.writing() as connection:
            mine = (refs.c.id == ref) & (refs.c.reminded < percent)
            return bool(connection.execute(refs.update().where(mine).values(reminded=percent)).rowcount)

    def refs(self, *, subject: str = "", product: str = "", only_open: bool = True) -> list[Ref]:
        wanted = sa.select(refs).order_by(refs.c.id)
        wanted = wanted.where(refs.c.subject == subject) if subject else wanted
        wanted = wanted.where(refs.c.product == product) if product else wanted
        with self._database.reading() as connection:
            return [_ref(row) for row in connection.execute(wanted.where(refs.c.open) if only_open else wanted).mappings()]

    def topic(self, place: Place) -> Topic:
        with self._database.reading() as connection:
            row = connection.execute(sa.select(topics).where(_at(topics, place))).mappings().first()
            return Topic(**{name: row[name] for name in Topic._fields}) if row else Topic()

    def about(self, place: Place, topic: Topic, at: datetime) -> None:
        with self._database.writing() as connection:
            connection.execute(topics.delete().where(_at(topics, place)))
            connection.execute(topics.insert().values(**place._asdict(), **topic._asdict(), at=at))

    def snooze(self, item: Snooze) -> None:
        with self._database.writing() as connection:
            connection.execute(snoozes.delete().where(_slept(item.action, item.by)))
            connection.execute(snoozes.insert().values(action=item.action, by=item.by, until=item.until, **item.place._asdict()))

    def snoozed(self) -> list[Snooze]:
        with self._database.reading() as connection:
            found = connection.execute(sa.select(snoozes).order_by(snoozes.c.until)).mappings()
            return [Snooze(row["action"], row["by"], _place(row), row["until"]) for row in found]

    def wake(self, action: str, by: str) -> bool:
        with self._database.writing() as connection:
            return bool(connection.execute(snoozes.delete().where(_slept(action, by))).rowcount)

    def say(self, place: Place, by: str, body: str, at: datetime) -> int:
        with self._database.writing() as connection:
            row = {**place._asdict(), "by": by, "body": body, "at": at}
            return int(connection.execute(lines.insert().values(**row).returning(lines.c.id)).scalar_one())

    def resay(self, line: int, body: str) -> None:
        with self._database.writing() as connection:
            connection.execute(lines.update().where(lines.c.id == line).values(body=body))

    def lines(self, place: Place, after: int = 0, limit: int = 200) -> list[Line]:
        here = (lines.c.product == place.product) & (lines.c.conversation == place.conversation) & (lines.c.id > after)
        with self._database.reading() as connection:
            found = connection.execute(sa.select(lines).where(here).order_by(lines.c.id.desc()).limit(limit)).mappings()
            return [Line(row["id"], _place(row), row["by"], row["body"], row["at"]) for row in found][::-1]

    def kept(self, name: str) -> str:
        with self._database.reading() as connection:
            return str(connection.execute(sa.select(kept.c.value).where(kept.c.name == name)).scalar() or "")

    def keep(self, name: str, value: str) -> None:
        with self._database.writing() as connection:
            connection.execute(kept.delete().where(kept.c.name == name))
            connection.execute(kept.insert().values(name=name, value=value))


def _at(table: sa.Table, place: Place) -> "sa.ColumnElement[bool]":
    return (table.c.product == place.product) & (table.c.conversation == place.conversation) & (table.c.thread == place.thread)


def _slept(action: str, by: str) -> "sa.ColumnElement[bool]":
    return (snoozes.c.action == action) & (snoozes.c.by == by)


def _place(row: Mapping[str, Any] | sa.RowMapping) -> Place:
    return Place(row["product"], row["conversation"], row["thread"])


def _ref(row: sa.RowMapping) -> Ref:
    more = {name: row[name] for name in ("message", "shown", "told", "reminded", "open", "at")}
    return Ref(row["id"], Shows(row["shows"]), row["subject"], _place(row), **more)


class MemoryChats:
    """The twin: the same answers without a file."""

    def __init__(self) -> None:
        self._events: dict[tuple[str, str], tuple[Taken, bool]] = {}
        self._refs: list[Ref] = []
        self._topics: dict[Place, tuple[Topic, datetime]] = {}
        self._snoozes: dict[tuple[str, str], Snooze] = {}
        self._lines: list[Line] = []
        self._kept: dict[str, str] = {}

    def take(self, event: Taken) -> bool:
        if (event.product, event.event) in self._events:
            return False
        self._events[event.product, event.event] = (event, False)
        return True

    def done(self, product: str, event: str) -> None:
        if (product, event) in self._events:
            self._events[product, event] = (self._events[product, event][0]._replace(body=""), True)

    def undone(self, product: str, limit: int = 200) -> list[Taken]:
        found = [event for event, done in self._events.values() if event.product == product and not done]
        return sorted(found, key=lambda event: (event.at, event.event))[:limit]

    def forget(self, before: datetime) -> int:
        over = [key for key, (event, done) in self._events.items() if done and event.at < before]
        for key in over:
            del self._events[key]
        return len(over)

    def reserve(self, shows: Shows, subject: str, place: Place, at: datetime) -> Ref | None:
        if any((ref.shows, ref.subject, ref.place) == (shows, subject, place) for ref in self._refs if ref.open):
            return None
        made = Ref(len(self._refs) + 1, shows, subject, place, "", "", "", 0, True, at)
        self._refs.append(made)
        return made

    def posted(self, ref: int, message: str) -> None:
        self._refs[ref - 1] = self._refs[ref - 1]._replace(message=message)

    def showing(self, ref: int, *, before: str, shown: str, told: str, still_open: bool) -> bool:
        found = self._refs[ref - 1]
        if found.shown != before or not found.open:
            return False
        self._refs[ref - 1] = found._replace(shown=shown, told=told, open=still_open)
        return True

    def reminded(self, ref: int, percent: int) -> bool:
        found = self._refs[ref - 1]
        if found.reminded >= percent:
            return False
        self._refs[ref - 1] = found._replace(reminded=percent)
        return True

    def refs(self, *, subject: str = "", product: str = "", only_open: bool = True) -> list[Ref]:
        return [
            ref for ref in self._refs if subject in ("", ref.subject) and product in ("", ref.place.product) and (ref.open or not only_open)
        ]

    def topic(self, place: Place) -> Topic:
        return self._topics[place][0] if place in self._topics else Topic()

    def about(self, place: Place, topic: Topic, at: datetime) -> None:
        self._topics[place] = (topic, at)

    def snooze(self, item: Snooze) -> None:
        self._snoozes[item.action, item.by] = item

    def snoozed(self) -> list[Snooze]:
        return sorted(self._snoozes.values(), key=lambda item: item.until)

    def wake(self, action: str, by: str) -> bool:
        return self._snoozes.pop((action, by), None) is not None

    def say(self, place: Place, by: str, body: str, at: datetime) -> int:
        self._lines.append(Line(len(self._lines) + 1, place, by, body, at))
        return len(self._lines)

    def resay(self, line: int, body: str) -> None:
        self._lines[line - 1] = self._lines[line - 1]._replace(body=body)

    def lines(self, place: Place, after: int = 0, limit: int = 200) -> list[Line]:
        here = (place.product, place.conversation)
        return [line for line in self._lines if (line.place.product, line.place.conversation) == here and line.id > after][-limit:]

    def kept(self, name: str) -> str:
        return self._kept.get(name, "")

    def keep(self, name: str, value: str) -> None:
        self._kept[name] = value
