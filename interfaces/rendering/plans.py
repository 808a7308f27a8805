"""The plan view, shaped like terraform's: the last lines matter most, because the eye ends there."""

from collections.abc import Mapping
from typing import Any

import yaml

from core.domain.proposal import Proposal
from interfaces.rendering import actions, findings
from interfaces.rendering.envelopes import Json, envelope, plain
from interfaces.rendering.screens import Screen
from interfaces.rendering.tables import Column
from runtime.services import planning, repository
from runtime.services.planning import Plan, Planned
from runtime.services.rehearsing import Rehearsal

COLUMNS = (
    Column("ID", "id"),
    Column("AGENT", "agent"),
    Column("ACTION", "sentence"),
    Column("RISK", "risk"),
    Column("VERDICT", lambda item: item["verdict"]["decision"] if item["verdict"] else "not judged"),
    Column("EFFECT", "effect.summary", wide=True),
    Column("WHY", "why", wide=True),
)


def document(made: Plan) -> Json:
    """`sealed` is what `day2 apply` reads; the rest is for people and programs."""
    expires = plain(made.expires_at) if made.expires_at else ""
    metadata = {"cluster": made.cluster, "context": made.context, "made_at": made.made_at, "expires_at": expires, "muted": made.muted}
    found = envelope("Plan", items=[_item(item) for item in made.items], coverage=made.coverage, metadata=metadata)
    held = [proposed(row.proposal) | {"by": row.by, "reason": row.reason} for row in made.held]
    return found | {"held": held, "sealed": planning.sealed(made)}


def _item(item: Planned) -> Json:
    owned = repository.written(item.proposal, item.verdict)
    own = {"repository": owned._asdict()} if owned is not None else {}
    return proposed(item.proposal) | {"verdict": actions.verdict(item.verdict), "unjudged": item.unjudged} | own


def proposed(proposal: Proposal) -> Json:
    action = proposal.action
    return {
        "id": action.id,
        "agent": proposal.agent,
        "capability": action.kind,
        "target": plain(action.target),
        "sentence": action.sentence(),
        "risk": action.risk.value,
        "reversible": action.reversible,
        "expiresAt": plain(proposal.expires_at),
    } | actions.body(proposal)


def rehearsal(found: Rehearsal) -> Json:
    """`--dry-run`: the items of a plan, and nothing that could be applied."""
    metadata = {"dry_run": found.mode, "cluster": found.cluster, "context": found.context}
    return envelope("DryRun", items=[_item(item) for item in found.items], metadata=metadata)


def rehearsal_view(screen: Screen, found: Json) -> None:
    for item in found["items"]:
        _block(screen, item, found["metadata"])
    decisions = [_decision(item) for item in found["items"]]
    said = ", ".join(f"{decisions.count(word)} {meaning}" for word, meaning in _WOULD.items() if word in decisions) or "nothing to do"
    screen.wrapped(f"Dry run ({found['metadata']['dryRun']}): {said}. Nothing was submitted, executed or stored.", hang=4)


_WOULD = {"allow": "would be permitted", "needs_approval": "would wait for people", "deny": "would be denied", "": "not judged"}


def view(screen: Screen, found: Json) -> None:
    for item in found["items"]:
        _block(screen, item, found["metadata"])
    for item in found["held"]:
        winner = f" by {item['by']}" if item["by"] else ""
        screen.wrapped(f"held      {item['id']}  {item['agent']}/{item['capability']}  {item['sentence']}", hang=10)
        screen.wrapped(f"held{winner}: {item['reason']}", indent=10, hang=2)
    if not found["items"] and not found["held"]:
        screen.line("No changes: nothing that was found has an action that mends it.")
    denied = sum(_decision(item) == "deny" for item in found["items"])
    screen.wrapped(totals(found, denied), hang=6)
    muted = found["metadata"]["muted"]
    if muted:
        screen.line(f"{muted} muted finding{'' if muted == 1 else 's'} left out: day2 mute list")
    notes = len(found["coverage"]["notRun"])
    if notes:
        findings.coverage(screen, found["coverage"])


def totals(found: Json, denied: int) -> str:
    """`Plan: 1 change, 0 denied, 1 conflict held (scaling act-7f40 wants ...).`"""
    changes = len(found["items"]) - denied
    held = found["held"]
    wish = f" ({held[0]['agent']} {held[0]['id']}: {held[0]['sentence']})" if held else ""
    plural = "" if changes == 1 else "s"
    return f"Plan: {changes} change{plural}, {denied} denied, {len(held)} conflict{'' if len(held) == 1 else 's'} held{wish}."


def _block(screen: Screen, item: Json, metadata: Json) -> None:
    target = item["target"]
    parts = [metadata["context"], f"ns {target['namespace']}" if target["namespace"] else ""]
    where = f" ({', '.join(filter(None, parts))})" if any(parts) else ""
    screen.wrapped(
        f"{item['id']}  {item['agent']}/{item['capability']}  ~ {target['kind'].lower()}/{target['name']}{where}  risk {item['risk']}",
        hang=4,
    )
    actions.changes(screen, item["changes"], indent=4)
    evidence = " ".join(row["id"] for row in item["evidence"][:4])
    actions.field(screen, "why", f"{item['why']}   evidence {evidence}")
    actions.field(screen, "effect", effect(item["effect"]))
    _verdict(screen, item)
    if "repository" in item:
        _repository(screen, item["repository"])
    actions.field(screen, "undo", "automatic when verification misses" if item["reversible"] else "cannot be undone")
    screen.line()


def _repository(screen: Screen, found: Json) -> None:
    """What to change where the object is written; in the cluster it would be reverted."""
    if found["advice"]:
        actions.field(screen, "instead", found["advice"])
        return
    actions.field(screen, "instead", f"merge this into the manifest in the source of {found['owner']}:")
    for line in yaml.safe_dump(found["patch"], sort_keys=False).splitlines():
        screen.line(f"      {line}")


def _verdict(screen: Screen, item: Json) -> None:
    found = item["verdict"]
    if found is None:
        actions.field(screen, "verdict", f"not judged: {item['unjudged']}")
        return
    actions.field(screen, "verdict", screen.painted(actions.summary(found), found["decision"]))
    for row in found["reasons"]:
        screen.wrapped(f"{screen.glyph(row['result'])} {row['rule']}: {row['message']}", indent=12, hang=2)


def effect(found: Mapping[str, Any]) -> str:
    """Money per month with its range and its source, then what else is expected."""
    saving = found.get("saving")
    parts = [money(saving)] if saving else []
    if found.get("gpuHoursPerDay"):
        parts.append(f"{found['gpuHoursPerDay']} GPU-hours/day")
    return "   ".join([*parts, found["summary"]])


def money(saving: Mapping[str, Any]) -> str:
    """`-$212/month (180-240, list price)`: the plan counts what the bill does, so a saving is negative."""
    paper = float(saving["paper"]["amount"])
    low, high = float(saving["low"]["amount"]), float(saving["high"]["amount"])
    sign = "-" if paper >= 0 else "+"
    source = saving["source"]["name"] if saving.get("source") else "no price source"
    spread = f"{abs(low):,.0f}-{abs(high):,.0f}, " if low != high else ""
    real = float(saving["realisable"]["amount"])
    return f"{sign}${abs(paper):,.0f}/month on paper ({spread}{source}), ${real:,.0f} realisable"


def _decision(item: Json) -> str:
    return item["verdict"]["decision"] if item["verdict"] else ""
