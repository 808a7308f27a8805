"""Experiments: what one would do here, what is known of past ones, and the report with its verdict and what was learned."""

from collections.abc import Mapping, Sequence
from typing import Any

from core.actions.catalogue import parse_proposal
from interfaces.rendering import actions, plans
from interfaces.rendering.envelopes import Json, envelope, plain
from interfaces.rendering.screens import Screen
from interfaces.rendering.tables import Column
from runtime.roles.experimenting import Preview
from runtime.services.experiments import Trial

COLUMNS = (
    Column("ID", "id"),
    Column("NAME", "name"),
    Column("VERDICT", "verdict"),
    Column("COVERAGE", lambda item: f"{item['coverage']}%" if item["verdict"] else "-"),
    Column("STARTED", "startedAt"),
    Column("FINISHED", "finishedAt"),
    Column("BY", "by"),
    Column("FAULT", "fault", wide=True),
    Column("TARGET", "target", wide=True),
)


def preview(found: Preview) -> Json:
    experiment = found.asked.experiment
    return envelope(
        "ExperimentPreview",
        name=experiment.name,
        fault=experiment.fault.kind,
        seconds=experiment.seconds,
        refused=list(found.refused),
        actions=[plans.proposed(proposal) for proposal in found.proposals],
    )


def preview_view(screen: Screen, found: Json) -> None:
    screen.line(f"{found['name']}: {found['fault']} for {found['seconds']} s at most")
    for item in found["actions"]:
        screen.wrapped(f"~ {item['sentence']}  risk {item['risk']}", indent=2, hang=4)
        actions.changes(screen, item["changes"], indent=6)
    for reason in found["refused"]:
        screen.wrapped(f"{screen.glyph('denied')} {reason}", indent=2, hang=2)
    may = "It may begin: nothing was submitted, and the judge decides about each part."
    screen.line("It would not begin here." if found["refused"] else may)


def item(trial: Trial) -> Json:
    summary = trial.summary
    return {
        "id": trial.id,
        "name": trial.name,
        "by": trial.by,
        "fault": str((trial.spec.get("fault") or {}).get("kind", "")),
        "target": _target(trial.spec),
        "startedAt": plain(trial.started_at),
        "finishedAt": plain(trial.finished_at) if trial.finished_at else None,
        "verdict": str(summary.get("word", "")),
        "score": int(summary.get("score", 0)),
        "coverage": int(summary.get("coverage", 0)),
        "reasons": [str(reason) for reason in summary.get("reasons", ())],
    }


def _target(spec: Mapping[str, Any]) -> str:
    target = spec.get("target") or {}
    return f"{target.get('namespace', '')}/{target.get('name') or 'by labels'}"


def listed(found: Sequence[Trial]) -> Json:
    return envelope("ExperimentList", items=[item(trial) for trial in found])


def document(trial: Trial, report: Mapping[str, Any]) -> Json:
    """`report` is empty where only the audit chain is left of it, or it has not ended."""
    tallies = [{"probe": name} | plain(row) for name, row in (report.get("tallies") or {}).items()]
    return (
        envelope("Experiment")
        | item(trial)
        | {
            "probes": tallies,
            "ended": str(report.get("ended") or ""),
            "undoneSeconds": report.get("undone_seconds"),
            "recovered": report.get("recovered"),
            "recoveredSeconds": report.get("recovered_seconds"),
            "leftovers": list(report.get("leftovers") or ()),
            "actions": [actions.item(row) for row in trial.actions],
            "findings": [{key: row[key] for key in ("id", "code", "severity", "title", "matters")} for row in report.get("findings") or ()],
            "proposals": [plans.proposed(parse_proposal(row)) for row in report.get("proposals") or ()],
            "way": [actions.link(row) | {"subject": row.subject} for row in trial.way],
        }
    )


def view(screen: Screen, found: Json) -> None:
    screen.line(f"{found['id']}  {found['name']}: {found['fault']} on {found['target']}")
    if not found["verdict"]:
        screen.line("It has not ended.")
    else:
        screen.line(f"Verdict: {found['verdict']} (score {found['score']}, {found['coverage']} % of the looks had data)")
    for reason in found["reasons"]:
        screen.wrapped(reason, indent=2, hang=2)
    for probe in found["probes"]:
        counts = f"{probe['passed']} passed, {probe['failed']} failed, {probe['missing']} without data"
        screen.wrapped(f"{probe['probe']}: {counts}; last {probe['last']}", indent=2, hang=2)
    for row in found["actions"]:
        screen.wrapped(f"{screen.glyph(row['state'])} {row['id']}  {row['state']}  {row['sentence']}", indent=2, hang=4)
    if found["undoneSeconds"] is not None:
        screen.line(f"  Taken back within {found['undoneSeconds']} s; leftovers: {len(found['leftovers'])}")
    for row in found["leftovers"]:
        screen.wrapped(f"a person must look: {row}", indent=4, hang=2)
    for row in found["findings"]:
        screen.wrapped(f"{row['code']} {row['severity']}: {row['title']}", indent=2, hang=4)
        screen.wrapped(row["matters"], indent=4, hang=2)
    for row in found["proposals"]:
        screen.wrapped(f"mends it: {row['sentence']}", indent=4, hang=2)
