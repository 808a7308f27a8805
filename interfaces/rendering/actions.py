"""Actions as the ledger knows them: the list, one with its way, its diff, and its verdict rule by rule."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from core.domain.errors import InvalidInput
from core.domain.ledger import ActionRow, AuditRow
from core.domain.proposal import Proposal
from core.domain.values import bounded
from core.domain.verdict import Decision, RuleResult, Verdict
from core.policy.explaining import Explanation
from interfaces.rendering.envelopes import Json, envelope, plain
from interfaces.rendering.screens import Screen
from interfaces.rendering.tables import Column
from runtime.services.carding import Carded
from runtime.services.recording import Recorded, proposal_of

RESULTS = ("pass", "warn", "fail", "error", "skip")
COLUMNS = (
    Column("ID", "id"),
    Column("STATE", "state"),
    Column("AGENT", "agent"),
    Column("ACTION", "sentence"),
    Column("CHANGED", "changedAt"),
    Column("CAPABILITY", "capability", wide=True),
    Column("RISK", "risk", wide=True),
    Column("RUN", "run", wide=True),
    Column("BY", "submittedBy", wide=True),
    Column("NOTE", "note", wide=True),
)


def item(row: ActionRow) -> Json:
    """One row of a list."""
    return {
        "id": row.action_id,
        "state": row.state.value,
        "agent": row.agent,
        "capability": row.kind,
        **_stored(row),
        "run": row.run_id,
        "digest": row.digest,
        "submittedBy": row.submitted_by,
        "submittedAt": plain(row.submitted_at),
        "changedAt": plain(row.changed_at),
        "expiresAt": plain(row.expires_at),
        "note": row.note,
    }


def _stored(row: ActionRow) -> Json:
    """What the stored proposal says of its action; one that cannot be read any more must not hide the other rows."""
    try:
        action = proposal_of(row.proposal).action
    except InvalidInput as error:
        target = {"cluster": "", "group": "", "kind": "", "namespace": row.namespace, "name": "", "uid": row.target_uid}
        said = f"{row.kind}, whose stored proposal cannot be read: {bounded(str(error), 160)}"
        return {"target": target, "sentence": said, "risk": "high", "reversible": False}
    return {"target": plain(action.target), "sentence": action.sentence(), "risk": action.risk.value, "reversible": action.reversible}


def listed(rows: Sequence[ActionRow]) -> Json:
    return envelope("ActionList", items=[item(row) for row in rows])


def document(found: Recorded) -> Json:
    """One action with everything that was stored about it."""
    return (
        envelope("Action")
        | item(found.row)
        | {
            "proposal": body(found.proposal),
            "verdict": verdict(found.verdict),
            "looks": json.loads(found.row.looks or "[]"),
            "check": plain(json.loads(found.row.check)) if found.row.check else None,
            "approvals": [approval_item(approval) for approval in found.approvals],
            "way": [link(row) for row in found.way],
        }
    )


def carded(found: Carded) -> Json:
    """One action as a card shows it."""
    fields = {"verdict": verdict(found.verdict), "needed": found.needed, "missing": found.missing, "severe": found.severe}
    said = {"approvals": [approval_item(approval) for approval in found.approvals], "similar": plain(found.similar)}
    return envelope("ActionCard") | item(found.row) | body(found.proposal) | fields | said


def body(proposal: Proposal) -> Json:
    """Why, on which evidence, with which effect."""
    return {
        "why": proposal.why,
        "objective": proposal.objective,
        "findings": list(proposal.findings),
        "changes": plain(proposal.changes),
        "effect": plain(proposal.effect),
        "evidence": plain(proposal.evidence),
    }


def verdict(found: Verdict | None) -> Json | None:
    if found is None:
        return None
    counts = {word: sum(result.result == word and not result.dry for result in found.results) for word in RESULTS}
    return {
        "decision": found.decision.value,
        "counts": counts,
        "reasons": [rule(result) for result in found.reasons()],
        "dry": [rule(result) for result in found.results if result.dry and result.result not in ("pass", "skip")],
        "at": plain(found.at),
    }


def rule(result: RuleResult) -> Json:
    return {
        "rule": result.rule,
        "result": result.result,
        "decision": result.decision.value,
        "message": result.message,
        "dry": result.dry,
        "would": result.would.value,
    }


def approval_item(approval: Any) -> Json:
    return {name: plain(getattr(approval, key)) for name, key in _APPROVAL.items()}


_APPROVAL = {
    "id": "id",
    "action": "action_id",
    "digest": "action_digest",
    "decision": "decision",
    "by": "by",
    "door": "door",
    "reason": "reason",
    "at": "at",
    "expiresAt": "expires_at",
}


def link(row: AuditRow) -> Json:
    return {"id": row.name, "seq": row.seq, "at": plain(row.at), "role": row.role, "event": row.event}


def view(screen: Screen, found: Json) -> None:
    """One action for people; the outcome is the last line."""
    screen.line(f"{found['id']}  {found['agent']}/{found['capability']}  risk {found['risk']}", "bold")
    screen.wrapped(found["sentence"], indent=2, hang=2)
    changes(screen, found["proposal"]["changes"], indent=4)
    field(screen, "why", found["proposal"]["why"])
    field(screen, "effect", found["proposal"]["effect"]["summary"])
    if found["verdict"]:
        field(screen, "verdict", summary(found["verdict"]))
        for row in found["verdict"]["reasons"]:
            screen.wrapped(f"{screen.glyph(row['result'])} {row['rule']}: {row['message']}", indent=12, hang=2)
    for row in found["approvals"]:
        field(screen, row["decision"], f"by {row['by']} at {row['at']}: {row['reason']}")
    for row in found["looks"]:
        held = {True: "held", False: "missed", None: "no data"}[row["held"]]
        field(screen, "look", f"{row['signal']}: {held}: {row['seen']}")
    for row in found["way"]:
        screen.line(f"  {row['at']}  {row['role']:<10} {row['event']}", "dim")
    screen.wrapped(
        screen.painted(f"{screen.glyph(found['state'])} {found['state']}", found["state"])
        + (f": {found['note']}" if found["note"] else ""),
        hang=2,
    )


def changes(screen: Screen, rows: Sequence[Mapping[str, Any]], *, indent: int) -> None:
    """Field paths, old to new, as a plan shows them."""
    width = max((len(str(row["path"])) for row in rows), default=0)
    for row in rows:
        screen.wrapped(f"~ {row['path']!s:<{min(width, 60)}}  {value(row['old'])} -> {value(row['new'])}", indent=indent, hang=2)


def value(found: Any) -> str:
    if found is None:
        return "(none)"
    return bounded(
        f'"{found}"' if isinstance(found, str) else json.dumps(found, ensure_ascii=False) if isinstance(found, dict | list) else str(found),
        160,
    )


def field(screen: Screen, name: str, text: str) -> None:
    if text:
        screen.wrapped(f"{name:<9} {text}", indent=2, hang=10)


def summary(found: Mapping[str, Any]) -> str:
    counts = "  ".join(
        f"{found['counts'][word]} {word}" for word in ("pass", "warn", "fail", "error") if found["counts"].get(word) or word == "pass"
    )
    return f"{found['decision']}   {counts}"


def diff(found: Recorded) -> Json:
    rows = plain(found.proposal.changes)
    fields = {"id": found.row.action_id, "target": plain(found.proposal.action.target), "state": found.row.state.value, "changes": rows}
    return envelope("ActionDiff") | fields


def diff_view(screen: Screen, found: Json) -> None:
    target = found["target"]
    where = f"{target['namespace']}/" if target["namespace"] else ""
    screen.line(f"{target['kind']} {where}{target['name']}", "bold")
    for row in found["changes"]:
        screen.line(f"@@ {row['path']} @@", "cyan")
        screen.wrapped(f"- {value(row['old'])}", hang=2)
        screen.wrapped(f"+ {value(row['new'])}", hang=2)


def explanation(found: Recorded, explained: Explanation) -> Json:
    items = [
        {
            "rule": line.rule,
            "pack": line.pack,
            "result": line.result,
            "decision": line.decision.value,
            "severity": line.severity,
            "message": line.message,
            "why": line.why,
            "when": line.when,
            "read": dict(line.read),
            "dry": line.dry,
            "would": line.would.value,
        }
        for line in explained.lines
    ]
    metadata = {"action": found.row.action_id, "decision": explained.decision.value, "same_rules": explained.same_rules}
    return envelope("Explanation", metadata=metadata) | {"counts": dict(explained.counts), "items": items}


EXPLAIN_COLUMNS = (
    Column("RULE", "rule"),
    Column("RESULT", "result"),
    Column("MESSAGE", "message"),
    Column("PACK", "pack", wide=True),
    Column("WHY", "why", wide=True),
)


def spoken(screen: Screen, row: Json) -> str:
    """One rule that said something; a dry one with what it would have decided."""
    on_trial = f" (dry: would {row['would']})" if row["dry"] else ""
    return f"{screen.glyph(row['result'])} {row['result']:<5} {row['rule']}{on_trial}: {row['message']}"


def explanation_view(screen: Screen, found: Json) -> None:
    """What spoke first, with what it read; what passed, in one line."""
    metadata = found["metadata"]
    for row in found["items"]:
        if row["result"] in ("pass", "skip"):
            continue
        screen.wrapped(spoken(screen, row), hang=8)
        read = ", ".join(f"{name}={value(seen)}" for name, seen in row["read"].items())
        if read:
            screen.wrapped(f"read {read}", indent=8, hang=2)
    for word in ("pass", "skip"):
        names = [row["rule"] for row in found["items"] if row["result"] == word]
        if names:
            screen.wrapped(f"{screen.glyph(word)} {word:<5} {', '.join(names)}", hang=8)
    if not metadata["sameRules"]:
        screen.line("the rules changed since; these are the results of the time")
    decision = metadata["decision"]
    screen.line(f"{metadata['action']}: {Decision(decision).value}", decision)
