"""Which incident an alert belongs to. Pure: what is known goes in, what is to be kept comes out.

An incident is a place while it hurts: whatever fires there joins what is open, and what fires there again within a while reopens what was
resolved. By the alerts' own times, not by when they came: deliveries that come late, twice or in another order end as the same incidents.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from core.domain.incidents import SEVERITIES, Handed, Incident, Kept, Place, Taken
from core.domain.values import identifier

HEARD = timedelta(minutes=10)


class Joined(NamedTuple):
    """What changed: these alerts and these incidents are to be kept as they are here."""

    alerts: dict[str, Kept]
    incidents: dict[str, Incident]
    taken: list[Taken]


def joined(
    many: Sequence[Sequence[Handed]], known: Iterable[Kept], incidents: Iterable[Incident], *, at: datetime, again_within: timedelta
) -> Joined:
    """Notification by notification. `known` are the alerts of these keys; `incidents` those of these places that are open or were until
    not long ago, and those of the known alerts."""
    desk = _Desk(known, incidents, at, again_within)
    taken = [desk.take(handed) for handed in many]
    return Joined(desk.alerts, {name: desk.incidents[name] for name in desk.changed}, taken)


def lapsed(due: Iterable[Kept], incidents: Iterable[Incident], *, at: datetime, silence: timedelta) -> Joined:
    """These alerts are over, though nobody said so: since when they were to last, or so long after they were last heard of."""
    due = list(due)
    desk = _Desk(due, incidents, at, silence)
    for kept in due:
        desk.lapse(kept, min(at, kept.alert.until or kept.at + silence))
    return Joined(desk.alerts, {name: desk.incidents[name] for name in desk.changed}, [])


class _Desk:
    def __init__(self, known: Iterable[Kept], incidents: Iterable[Incident], at: datetime, again_within: timedelta) -> None:
        self._known = {kept.alert.key: kept for kept in known}
        self.incidents = {incident.id: incident for incident in incidents}
        self._of: dict[Place, list[str]] = {}
        for incident in self.incidents.values():
            self._of.setdefault(incident.place, []).append(incident.id)
        self._at, self._again = at, again_within
        self.alerts: dict[str, Kept] = {}
        self.changed: dict[str, None] = {}
        self._new = self._resolved = self._repeated = 0
        self._touched: dict[str, None] = {}

    def take(self, handed: Sequence[Handed]) -> Taken:
        self._new = self._resolved = self._repeated = 0
        self._touched = {}
        for alert in handed:
            self._take(alert)
        return Taken(self._new, self._resolved, self._repeated, tuple(self._touched))

    def _take(self, alert: Handed) -> None:
        kept = self._known.get(alert.key)
        if kept is None:
            self._begin(alert)
        elif kept.alert.fires and not alert.fires:
            self._end(kept, alert)
        elif kept.lapsed:
            self._recall(kept, alert)
        else:
            self._repeated += 1
            self._touched[kept.incident] = None
            self._say_truncated(kept.incident, alert)
            self._hear(kept, alert)

    def _begin(self, alert: Handed) -> None:
        incident = self._found(alert) or self._opened(alert)
        firing = incident.firing + alert.fires
        self._keep(
            incident._replace(
                alerts=incident.alerts + 1,
                firing=firing,
                severity=min(incident.severity, alert.severity, key=SEVERITIES.index),
                opened_at=min(incident.opened_at, alert.starts_at),
                ended_at=_later(incident.ended_at, alert.ends_at),
                reopened=incident.reopened + (firing > 0 and not incident.open and incident.alerts > 0),
                truncated=max(incident.truncated, alert.truncated),
            )
        )
        self._set(Kept(alert, incident.id, self._at))
        self._new += 1
        self._resolved += not alert.fires

    def _end(self, kept: Kept, alert: Handed) -> None:
        incident = self.incidents[kept.incident]
        over = kept.alert._replace(ends_at=alert.ends_at)
        ended_at, truncated = _later(incident.ended_at, alert.ends_at), max(incident.truncated, alert.truncated)
        self._keep(incident._replace(firing=incident.firing - 1, ended_at=ended_at, truncated=truncated))
        self._set(Kept(over, kept.incident, self._at))
        self._resolved += 1

    def _hear(self, kept: Kept, alert: Handed) -> None:
        """Remembered to ten minutes: a repetition is no reason to write."""
        if kept.alert.fires and (self._at - kept.at >= HEARD or alert.until != kept.alert.until):
            self._set(Kept(kept.alert._replace(until=alert.until), kept.incident, self._at))

    def lapse(self, kept: Kept, end: datetime) -> None:
        incident = self.incidents[kept.incident]
        ended_at = _later(incident.ended_at, end)
        self._keep(incident._replace(firing=incident.firing - 1, ended_at=ended_at, lapsed=incident.lapsed + 1))
        self._set(Kept(kept.alert._replace(ends_at=end), kept.incident, self._at, lapsed=True))

    def _recall(self, kept: Kept, alert: Handed) -> None:
        """It was taken to be over, and is told after all: that it fires, or when it ended."""
        incident = self.incidents[kept.incident]._replace(lapsed=self.incidents[kept.incident].lapsed - 1)
        if alert.fires:
            incident = incident._replace(firing=incident.firing + 1, reopened=incident.reopened + (not incident.open))
            self._repeated += 1
        else:
            self._resolved += 1
        self._keep(incident)
        self._set(Kept(kept.alert._replace(ends_at=alert.ends_at, until=alert.until), kept.incident, self._at))

    def _say_truncated(self, incident_id: str, alert: Handed) -> None:
        incident = self.incidents[incident_id]
        if alert.truncated > incident.truncated:
            self._keep(incident._replace(truncated=alert.truncated))

    def _found(self, alert: Handed) -> Incident | None:
        """The latest at this place that was going on when this alert was, or shortly before or after."""
        fitting = [incident for name in self._of.get(alert.place, ()) if self._meets(incident := self.incidents[name], alert)]
        return max(fitting, key=lambda incident: (incident.open, incident.opened_at, incident.id), default=None)

    def _meets(self, incident: Incident, alert: Handed) -> bool:
        before_its_end = incident.closed_at is None or alert.starts_at <= incident.closed_at + self._again
        after_its_begin = alert.ends_at is None or alert.ends_at >= incident.opened_at - self._again
        return before_its_end and after_its_begin

    def _opened(self, alert: Handed) -> Incident:
        name = identifier("inc", *alert.place, alert.key)
        made = Incident(name, alert.place, alert.name, alert.severity, alert.starts_at, None, self._at)
        self.incidents[name] = made
        self._of.setdefault(alert.place, []).append(name)
        return made

    def _keep(self, incident: Incident) -> None:
        self.incidents[incident.id] = incident._replace(changed_at=self._at)
        self.changed[incident.id] = self._touched[incident.id] = None

    def _set(self, kept: Kept) -> None:
        self._known[kept.alert.key] = self.alerts[kept.alert.key] = kept


def _later(one: datetime | None, other: datetime | None) -> datetime | None:
    return max((at for at in (one, other) if at is not None), default=None)
