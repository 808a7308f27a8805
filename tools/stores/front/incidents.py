"""Incoming alerts and their incidents in SQL, and their twin in memory. Both join by `core.domain.joining`."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from core.domain.incidents import SEVERITIES, Handed, Incident, Kept, Place, Taken
from core.domain.joining import Joined, joined, lapsed
from core.domain.values import digest
from tools.stores.front.tables import metadata, moment, text
from tools.stores.opening import Database

AT_ONCE = 500
"""Names in one statement."""

incidents = sa.Table(
    "front_incidents",
    metadata,
    sa.Column("id", sa.String(64), primary_key=True),
    sa.Column("at_place", sa.String(64), nullable=False, index=True),
    text("cluster"),
    text("namespace"),
    text("workload"),
    text("title"),
    sa.Column("severity", sa.String(20), nullable=False),
    sa.Column("rank", sa.Integer, nullable=False),
    moment("opened_at"),
    moment("ended_at", nullable=True),
    moment("changed_at"),
    *(sa.Column(name, sa.Integer, nullable=False) for name in ("alerts", "firing", "reopened", "truncated")),
    text("run"),
    moment("run_at", nullable=True),
    sa.Column("told", sa.Integer, nullable=False),
    sa.Column("moves", sa.Integer, nullable=False),
    sa.Column("lapsed", sa.Integer, nullable=False, server_default="0"),
    sa.Index("front_incidents_by_state", "firing", "opened_at"),
)
alerts = sa.Table(
    "front_alerts",
    metadata,
    sa.Column("key", sa.String(64), primary_key=True),
    sa.Column("incident", sa.String(64), nullable=False, index=True),
    text("name"),
    sa.Column("severity", sa.String(20), nullable=False),
    text("place"),
    moment("starts_at"),
    moment("ends_at", nullable=True),
    text("summary"),
    text("labels"),
    text("group"),
    moment("at"),
    moment("until", nullable=True),
    sa.Column("lapsed", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Index("front_alerts_that_fire", "ends_at", "at"),
)
_SOME: sa.BindParameter[Any] = sa.bindparam("some", expanding=True)
_OF_KEYS = sa.select(alerts).where(alerts.c.key.in_(_SOME))
_OF_NAMES = sa.select(incidents).where(incidents.c.id.in_(_SOME))
_AT_PLACES = sa.select(incidents).where(
    incidents.c.at_place.in_(_SOME), (incidents.c.firing > 0) | (incidents.c.ended_at >= sa.bindparam("since"))
)
"""Built once: building them costs as much as asking them."""
_CHANGED = ("severity", "rank", "opened_at", "ended_at", "changed_at", "alerts", "firing", "reopened", "truncated", "moves", "lapsed")
_NEW = incidents.insert().values({column.name: sa.bindparam(column.name) for column in incidents.columns})
_CHANGE = incidents.update().where(incidents.c.id == sa.bindparam("of")).values({name: sa.bindparam(name) for name in _CHANGED})
_MOVED = ("ends_at", "until", "at", "lapsed")
_MOVE = alerts.update().where(alerts.c.key == sa.bindparam("of")).values({name: sa.bindparam(name) for name in _MOVED})

_TOLD = incidents.update().where(incidents.c.id == sa.bindparam("of")).values(told=sa.bindparam("told"))

_IN = {
    "open": incidents.c.firing > 0,
    "lapsed": (incidents.c.firing == 0) & (incidents.c.lapsed > 0),
    "resolved": (incidents.c.firing == 0) & (incidents.c.lapsed == 0),
}


class SqlIncidents:
    def __init__(self, database: Database) -> None:
        self._database = database

    def take(self, many: Sequence[Sequence[Handed]], *, at: datetime, again_within: timedelta) -> list[Taken]:
        handed = [alert for one in many for alert in one]
        if not handed:
            return [Taken(0, 0, 0, ()) for _ in many]
        with self._database.writing() as connection:
            known = list(_known(connection, {alert.key for alert in handed}))
            found = {row.id: row for row in _near(connection, handed, {kept.incident for kept in known}, again_within)}
            result = joined(many, known, found.values(), at=at, again_within=again_within)
            _keep(connection, result, {kept.alert.key for kept in known}, found.keys())
            return result.taken

    def get(self, incident_id: str) -> Incident | None:
        return next(iter(self._read(sa.select(incidents).where(incidents.c.id == incident_id))), None)

    def recent(self, *, state: str = "", limit: int = 1000) -> list[Incident]:
        wanted = sa.select(incidents).order_by(incidents.c.opened_at.desc(), incidents.c.id.desc()).limit(limit)
        if state:
            wanted = wanted.where(_IN[state])
        return self._read(wanted)

    def alerts(self, incident_id: str, limit: int = 500) -> list[Kept]:
        mine = sa.select(alerts).where(alerts.c.incident == incident_id)
        with self._database.reading() as connection:
            rows = connection.execute(mine.order_by(alerts.c.starts_at.desc(), alerts.c.key).limit(limit)).mappings()
            return [_alert(row) for row in rows]

    def lapse(self, *, at: datetime, silence: timedelta) -> int:
        silent = (alerts.c.until <= at) | (alerts.c.until.is_(None) & (alerts.c.at <= at - silence))
        due = sa.select(alerts).where(alerts.c.ends_at.is_(None), silent).order_by(alerts.c.at, alerts.c.key).limit(AT_ONCE)
        with self._database.writing() as connection:
            over = [_alert(row) for row in connection.execute(due).mappings()]
            names = sorted({kept.incident for kept in over})
            found = [_incident(row) for some in _parts(names) for row in connection.execute(_OF_NAMES, {"some": some}).mappings()]
            _keep(connection, lapsed(over, found, at=at, silence=silence), {kept.alert.key for kept in over}, names)
        return len(over)

    def waiting(self, limit: int) -> list[Incident]:
        wanted = sa.select(incidents).where(incidents.c.firing > 0, incidents.c.run == "")
        return self._read(wanted.order_by(incidents.c.rank, incidents.c.opened_at, incidents.c.id).limit(limit))

    def begun(self, incident_id: str, run: str, at: datetime) -> None:
        with self._database.writing() as connection:
            connection.execute(incidents.update().where(incidents.c.id == incident_id).values(run=run, run_at=at))

    def runs_since(self, at: datetime) -> int:
        with self._database.reading() as connection:
            return int(connection.execute(sa.select(sa.func.count()).where(incidents.c.run_at >= at)).scalar_one())

    def untold(self, limit: int = 200) -> list[Incident]:
        wanted = sa.select(incidents).where(incidents.c.told < incidents.c.moves)
        return self._read(wanted.order_by(incidents.c.changed_at, incidents.c.id).limit(limit))

    def told(self, moves: Mapping[str, int]) -> None:
        with self._database.writing() as connection:
            connection.execute(_TOLD, [{"of": name, "told": count} for name, count in sorted(moves.items())])

    def forget(self, before: datetime) -> int:
        old = (incidents.c.firing == 0) & (incidents.c.changed_at < before)
        with self._database.writing() as connection:
            connection.execute(alerts.delete().where(alerts.c.incident.in_(sa.select(incidents.c.id).where(old))))
            return int(connection.execute(incidents.delete().where(old)).rowcount)

    def _read(self, wanted: "sa.Select[Any]") -> list[Incident]:
        with self._database.reading() as connection:
            return [_incident(row) for row in connection.execute(wanted).mappings()]


def _known(connection: sa.Connection, keys: Iterable[str]) -> Iterator[Kept]:
    for some in _parts(sorted(keys)):
        for row in connection.execute(_OF_KEYS, {"some": some}).mappings():
            yield _alert(row)


def _near(connection: sa.Connection, handed: Sequence[Handed], names: set[str], again_within: timedelta) -> Iterator[Incident]:
    """Those of the known alerts, and those of these places that may still be joined."""
    since = min(alert.starts_at for alert in handed) - again_within
    for some in _parts(sorted({_at_place(alert.place) for alert in handed})):
        for row in connection.execute(_AT_PLACES, {"some": some, "since": since}).mappings():
            names.discard(row["id"])
            yield _incident(row)
    for some in _parts(sorted(names)):
        for row in connection.execute(_OF_NAMES, {"some": some}).mappings():
            yield _incident(row)


def _keep(connection: sa.Connection, result: Joined, known: Iterable[str], there: Iterable[str]) -> None:
    old_alerts, old = set(known), set(there)
    if new := [_alert_row(kept) for key, kept in result.alerts.items() if key not in old_alerts]:
        connection.execute(alerts.insert(), new)
    if moved := [_alert_row(kept) for key, kept in result.alerts.items() if key in old_alerts]:
        connection.execute(_MOVE, [{"of": row["key"], **{name: row[name] for name in _MOVED}} for row in moved])
    rows = [_incident_row(incident) for incident in result.incidents.values()]
    if made := [row for row in rows if row["id"] not in old]:
        connection.execute(_NEW, made)
    if changed := [{"of": row["id"], **{name: row[name] for name in _CHANGED}} for row in rows if row["id"] in old]:
        connection.execute(_CHANGE, changed)


def _parts(items: list[str]) -> Iterator[list[str]]:
    for start in range(0, len(items), AT_ONCE):
        yield items[start : start + AT_ONCE]


def _at_place(place: Place) -> str:
    return digest(list(place))


def _incident_row(incident: Incident) -> dict[str, Any]:
    fields = {name: value for name, value in incident._asdict().items() if name != "place"}
    more = {"at_place": _at_place(incident.place), "rank": SEVERITIES.index(incident.severity), "moves": incident.moves}
    return fields | incident.place._asdict() | more


def _incident(kept: sa.RowMapping) -> Incident:
    fields = {name: kept[name] for name in Incident._fields if name != "place"}
    return Incident(place=Place(kept["cluster"], kept["namespace"], kept["workload"]), **fields)


def _alert_row(kept: Kept) -> dict[str, Any]:
    fields = kept.alert._asdict()
    del fields["truncated"]
    return fields | {
        "place": json.dumps(kept.alert.place),
        "labels": json.dumps(fields["labels"]),
        "incident": kept.incident,
        "at": kept.at,
        "lapsed": kept.lapsed,
    }


def _alert(kept: sa.RowMapping) -> Kept:
    fields = {name: kept[name] for name in Handed._fields if name != "truncated"}
    alert = Handed(**fields | {"place": Place(*json.loads(kept["place"])), "labels": json.loads(kept["labels"])})
    return Kept(alert, kept["incident"], kept["at"], kept["lapsed"])


class MemoryIncidents:
    """The twin: the same answers without a file."""

    def __init__(self) -> None:
        self._alerts: dict[str, Kept] = {}
        self._incidents: dict[str, Incident] = {}

    def take(self, many: Sequence[Sequence[Handed]], *, at: datetime, again_within: timedelta) -> list[Taken]:
        result = joined(many, self._alerts.values(), self._incidents.values(), at=at, again_within=again_within)
        self._alerts |= {key: kept._replace(alert=kept.alert._replace(truncated=0)) for key, kept in result.alerts.items()}
        self._incidents |= result.incidents
        return result.taken

    def lapse(self, *, at: datetime, silence: timedelta) -> int:
        firing = [kept for kept in self._alerts.values() if kept.alert.fires]
        over = [kept for kept in firing if (kept.alert.until or kept.at + silence) <= at]
        result = lapsed(over, [self._incidents[kept.incident] for kept in over], at=at, silence=silence)
        self._alerts |= result.alerts
        self._incidents |= result.incidents
        return len(over)

    def get(self, incident_id: str) -> Incident | None:
        return self._incidents.get(incident_id)

    def recent(self, *, state: str = "", limit: int = 1000) -> list[Incident]:
        found = [incident for incident in self._incidents.values() if state in ("", incident.state)]
        return sorted(found, key=lambda incident: (incident.opened_at, incident.id), reverse=True)[:limit]

    def alerts(self, incident_id: str, limit: int = 500) -> list[Kept]:
        mine = sorted((kept for kept in self._alerts.values() if kept.incident == incident_id), key=lambda kept: kept.alert.key)
        return sorted(mine, key=lambda kept: kept.alert.starts_at, reverse=True)[:limit]

    def waiting(self, limit: int) -> list[Incident]:
        found = [incident for incident in self._incidents.values() if incident.open and not incident.run]
        return sorted(found, key=lambda one: (SEVERITIES.index(one.severity), one.opened_at, one.id))[:limit]

    def begun(self, incident_id: str, run: str, at: datetime) -> None:
        self._incidents[incident_id] = self._incidents[incident_id]._replace(run=run, run_at=at)

    def runs_since(self, at: datetime) -> int:
        return sum(incident.run_at is not None and incident.run_at >= at for incident in self._incidents.values())

    def untold(self, limit: int = 200) -> list[Incident]:
        found = [incident for incident in self._incidents.values() if incident.told < incident.moves]
        return sorted(found, key=lambda incident: (incident.changed_at, incident.id))[:limit]

    def told(self, moves: Mapping[str, int]) -> None:
        for name, count in moves.items():
            self._incidents[name] = self._incidents[name]._replace(told=count)

    def forget(self, before: datetime) -> int:
        old = {name for name, incident in self._incidents.items() if not incident.open and incident.changed_at < before}
        self._incidents = {name: incident for name, incident in self._incidents.items() if name not in old}
        self._alerts = {key: kept for key, kept in self._alerts.items() if kept.incident not in old}
        return len(old)
