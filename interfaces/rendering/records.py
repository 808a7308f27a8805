"""Runs, stops, agents and audit records as documents, with their columns."""

import json
from collections.abc import Sequence

from core.domain.ledger import AuditRow, StopRow
from interfaces.rendering import actions
from interfaces.rendering.envelopes import Json, envelope, plain
from interfaces.rendering.screens import Screen
from interfaces.rendering.tables import Column
from registry.membership import Member
from runtime.services.auditing import counted
from runtime.services.guarding import Held
from runtime.services.reconciling import Reconciliation
from runtime.services.running import Run

RUN_COLUMNS = (
    Column("ID", "id"),
    Column("TRIGGER", "trigger"),
    Column("BY", "by"),
    Column("STARTED", "startedAt"),
    Column("FINISHED", "finishedAt"),
    Column("FINDINGS", "summary.findings"),
    Column("PROPOSALS", "summary.proposals"),
    Column("TEXT", "text", wide=True),
)
STOP_COLUMNS = (Column("SCOPE", "scope"), Column("MODE", "mode"), Column("BY", "by"), Column("SINCE", "at"), Column("REASON", "reason"))
AGENT_COLUMNS = (
    Column("NAME", "name"),
    Column("STATE", "state"),
    Column("LEASE", lambda item: f"{item['leaseSeconds']}s" if item["leaseSeconds"] else "-"),
    Column("CHECKS", lambda item: len(item["checks"])),
    Column("MAY PROPOSE", "capabilities"),
    Column("VERSION", "version", wide=True),
    Column("DIGEST", lambda item: item["digest"][:12], wide=True),
    Column("INSTANCES", "instances", wide=True),
)
AUDIT_COLUMNS = (
    Column("ID", "id"),
    Column("AT", "at"),
    Column("EVENT", "event"),
    Column("SUBJECT", "subject"),
    Column("HASH", lambda item: item["hash"][:12], wide=True),
)


RIGHT_COLUMNS = (
    Column("RIGHT", "right"),
    Column("FOR", "kinds"),
    Column("AGENTS", "agents"),
    Column("ADMISSION", "operation"),
)


def right_list(held: Sequence[Held]) -> Json:
    rows = [{"right": str(item.right), "kinds": item.kinds, "agents": item.agents, "operation": item.operation} for item in held]
    return envelope("RightList", items=rows)


def run_item(run: Run) -> Json:
    return {
        "id": run.id,
        "trigger": run.trigger,
        "by": run.by,
        "text": run.text,
        "startedAt": plain(run.started_at),
        "finishedAt": plain(run.finished_at) if run.finished_at else None,
        "summary": run.summary,
    }


def run_list(runs: Sequence[Run]) -> Json:
    return envelope("RunList", items=[run_item(run) for run in runs])


def run_document(run: Run) -> Json:
    return (
        envelope("Run")
        | run_item(run)
        | {"actions": [actions.item(row) for row in run.actions], "way": [actions.link(row) | {"subject": row.subject} for row in run.way]}
    )


def run_view(screen: Screen, found: Json) -> None:
    ended = found["finishedAt"] or "not finished"
    screen.line(f"{found['id']}  {found['trigger']} by {found['by']}", "bold")
    screen.line(f"  {found['startedAt']} to {ended}")
    actions.field(screen, "asked", found["text"])
    for item in found["actions"]:
        screen.wrapped(f"{screen.glyph(item['state'])} {item['state']:<14} {item['id']}  {item['sentence']}", indent=2, hang=4)
    for row in found["way"]:
        screen.line(f"  {row['at']}  {row['role']:<10} {row['event']:<20} {row['subject']}", "dim")


def stop_list(rows: Sequence[StopRow]) -> Json:
    return envelope("StopList", items=[row._asdict() for row in rows])


def stop_view(screen: Screen, found: Json) -> None:
    """What is frozen now."""
    if not found["items"]:
        screen.line("Nothing is stopped.")
    for item in found["items"]:
        what = "everything, undo too" if item["mode"] == "all" else "forward changes; undo goes through"
        screen.wrapped(f"stopped: {item['scope']} ({what}) by {item['by']} since {item['at']}: {item['reason']}", hang=9)


def agent_item(member: Member) -> Json:
    return {
        "name": member.name,
        "state": member.state.value,
        "version": member.card.version,
        "description": member.card.description,
        "digest": member.digest,
        "leaseSeconds": member.lease_ms // 1000,
        "instances": list(member.instances),
        "checks": list(member.card.checks),
        "capabilities": [item.id for item in member.card.capabilities],
    }


def agent_list(members: Sequence[Member], *, source: str) -> Json:
    return envelope("AgentList", items=[agent_item(member) for member in members], metadata={"source": source})


def agent_document(member: Member) -> Json:
    return envelope("Agent") | agent_item(member) | {"rights": {item.id: list(item.rights) for item in member.card.capabilities}}


def agent_view(screen: Screen, found: Json) -> None:
    screen.line(f"{found['name']} {found['version']}  {found['state']}", "bold")
    screen.wrapped(found["description"], indent=2, hang=2)
    actions.field(screen, "checks", ", ".join(found["checks"]))
    for name, rights in found["rights"].items():
        actions.field(screen, "proposes", f"{name}: needs {', '.join(rights)}")


def card_document(member: Member) -> Json:
    return envelope("AgentCard") | {"card": member.card.agent_card(), "digest": member.digest}


def audit_item(row: AuditRow) -> Json:
    fields: Json = plain(row._asdict() | {"body": None})
    return (
        {"id": row.name} | fields | {"at": row.at.isoformat(timespec="microseconds").replace("+00:00", "Z"), "body": json.loads(row.body)}
    )


def audit_list(rows: Sequence[AuditRow]) -> Json:
    return envelope("AuditList", items=[audit_item(row) for row in rows])


def audit_document(row: AuditRow) -> Json:
    return envelope("AuditRecord") | audit_item(row)


def audit_report(report: Json) -> Json:
    return envelope("AuditReport") | report


def audit_report_view(screen: Screen, found: Json) -> None:
    if found["whole"]:
        said = f"{counted(len(found['chains']))} ok: {found['records']} records, head {found['head'][:16] or 'none'}"
        screen.line(f"{screen.glyph('ok')} {said}; {found['signed']} signed heads; second sink: {found['sink']}", "ok")
        for chain in found["chains"]:
            screen.line(
                f"  {chain['role']:<11} {chain['records']:>6} records, {chain['anchors']} anchors, {chain['signed']} signed heads", "dim"
            )
        return
    screen.line(f"{screen.glyph('fail')} chain broken", "fail")
    for problem in found["problems"]:
        screen.wrapped(problem, indent=2, hang=2)


def reconciliation(found: Reconciliation) -> Json:
    return envelope("ReconcileReport") | {"whole": not found.problems, **found._asdict(), "problems": list(found.problems)}


def reconciliation_view(screen: Screen, found: Json) -> None:
    glyph = "ok" if found["whole"] else "fail"
    said = f"{found['writes']} writes of agents in the log, {found['matched']} with their record"
    screen.line(f"{screen.glyph(glyph)} {said}", glyph)
    if found["uncovered"]:
        screen.line(f"  {found['uncovered']} records of writes are older or newer than the log", "dim")
    for problem in found["problems"]:
        screen.wrapped(problem, indent=2, hang=2)
