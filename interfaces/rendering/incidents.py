"""Incidents as documents: what hurts where since when, its alerts as quotations, and what the run found, with the chain of its causes."""

from collections.abc import Sequence
from operator import itemgetter
from typing import Any

from core.domain.incidents import Incident, Kept, Taken
from interfaces.rendering import records
from interfaces.rendering.envelopes import Json, envelope, moment, plain
from interfaces.rendering.screens import Screen
from interfaces.rendering.tables import Column
from runtime.services.offers.incidents import Shown

COLUMNS = (
    Column("ID", "id"),
    Column("STATE", "state"),
    Column("SEVERITY", "severity"),
    Column("WHERE", lambda item: f"{item['namespace']}/{item['workload']}".strip("/")),
    Column("ALERT", "title"),
    Column("SINCE", "openedAt"),
    Column("FIRING", lambda item: f"{item['firing']} of {item['alerts']}"),
    Column("RUN", lambda item: item["run"] or "-"),
)
LONGEST_CHAIN = 10


def taken(found: Taken) -> Json:
    return envelope("AlertsTaken", new=found.new, resolved=found.resolved, repeated=found.repeated, incidents=list(found.incidents))


def listed(found: Sequence[Incident]) -> Json:
    return envelope("IncidentList", items=[item(incident) for incident in found])


def item(incident: Incident) -> Json:
    return {
        "id": incident.id,
        "state": incident.state,
        "severity": incident.severity,
        **incident.place._asdict(),
        "title": incident.title,
        "openedAt": moment(incident.opened_at),
        "closedAt": moment(incident.closed_at) if incident.closed_at else None,
        "changedAt": moment(incident.changed_at),
        "alerts": incident.alerts,
        "firing": incident.firing,
        "reopened": incident.reopened,
        "truncated": incident.truncated,
        "lapsed": incident.lapsed,
        "run": incident.run,
    }


def document(found: Shown) -> Json:
    findings = list(found.answer["findings"]) if found.answer else []
    return envelope("Incident") | {
        **item(found.incident),
        "heldBack": found.held_back,
        "alertsShown": [_alert(kept) for kept in found.alerts],
        "timeline": timeline(found),
        "asked": plain(found.asked) if found.asked else None,
        "investigation": records.run_item(found.run) if found.run else None,
        "findings": [plain(finding) for finding in findings],
        "causes": chains(findings),
    }


def _alert(kept: Kept) -> Json:
    alert = kept.alert
    return {
        "name": alert.name,
        "state": "firing" if alert.fires else "lapsed" if kept.lapsed else "resolved",
        "severity": alert.severity,
        "startsAt": moment(alert.starts_at),
        "endsAt": moment(alert.ends_at) if alert.ends_at else None,
        "summary": alert.summary,
        "labels": alert.labels,
        "quoted": True,
    }


def timeline(found: Shown) -> list[Json]:
    """Oldest first: what fired and ended, and what the run did. At one moment in the order in which such things happen."""
    events = [(kept.alert.starts_at, "fired", kept.alert.name) for kept in found.alerts]
    ends = [(kept.alert.ends_at, "lapsed" if kept.lapsed else "ended", kept.alert.name) for kept in found.alerts]
    events += [(at, event, name) for at, event, name in ends if at is not None]
    if found.run is not None:
        events.append((found.run.started_at, "investigated", found.run.id))
        events += [(link.at, link.event, link.subject) for link in found.run.way if link.subject != found.run.id]
        if found.run.finished_at is not None:
            events.append((found.run.finished_at, "answered", found.run.id))
    return [{"at": moment(at), "event": event, "subject": subject} for at, event, subject in sorted(events, key=itemgetter(0))]


def chains(findings: Sequence[Json]) -> list[list[str]]:
    """Each from a cause to what follows from it: ids of findings."""
    known: dict[str, Any] = {str(finding["id"]): finding for finding in findings}
    causes = {str(finding.get("symptom_of") or "") for finding in findings}
    return [chain for name in known if name not in causes and len(chain := _chain(name, known)) > 1]


def _chain(name: str, known: dict[str, Any]) -> list[str]:
    found = [name]
    while (cause := str(known[found[-1]].get("symptom_of") or "")) in known and cause not in found and len(found) < LONGEST_CHAIN:
        found.append(cause)
    return found[::-1]


def view(screen: Screen, found: Json) -> None:
    where = f"{found['namespace']}/{found['workload']}".strip("/")
    screen.line(f"{found['id']}  {found['state']}  {found['severity']}  {where}", "bold")
    since = f"since {found['openedAt']}" + (f" until {found['closedAt']}" if found["closedAt"] else "")
    screen.line(f"  {found['firing']} of {found['alerts']} alerts fire, {since}")
    if found["lapsed"]:
        screen.line(f"  of {found['lapsed']} nobody told the end: nothing was heard of them any more (intake.silence_hours)", "dim")
    if found["truncated"]:
        screen.line(f"  the sender left {found['truncated']} more out", "dim")
    for row in found["timeline"]:
        screen.line(f"  {row['at']}  {row['event']:<14} {row['subject']}", "dim")
    for row in found["findings"]:
        screen.wrapped(f"{row['severity']}: {row['title']} [{row['id']}]", indent=2, hang=4)
    for chain in found["causes"]:
        screen.wrapped(" leads to ".join(chain), indent=2, hang=4)
    if found["heldBack"]:
        screen.wrapped("it waits for its run: alerts begin only so many an hour (intake.runs_per_hour)", indent=2, hang=2)
