"""A card out of the record of one action, and an answer out of a run's. Pure: the same record is the same card, in every chat."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from core.domain.action import Change as Moved
from core.domain.approval import Approval
from core.domain.outcome import TERMINAL, ActionState
from core.domain.values import bounded
from interfaces.chat.values import GLYPHS, Answer, Card, Change, Found, Inbox, Phase, Row, Said, Verb
from interfaces.rendering import actions, plans
from interfaces.rendering.envelopes import plain
from runtime.services.approving import Waiting
from runtime.services.carding import Carded
from runtime.services.offers.runs import Shown

MOST_CHANGES = 12
MOST_EVIDENCE = 3
MOST_FINDINGS = 5
START_WITHIN = timedelta(minutes=10)
"""Of the last approval: what does not start by then is judged again (docs/gate.md)."""
_PHASES = {
    ActionState.SUBMITTED: Phase.PENDING,
    ActionState.NEEDS_APPROVAL: Phase.PENDING,
    ActionState.APPROVED: Phase.APPROVED,
    ActionState.PERMITTED: Phase.APPROVED,
    ActionState.CLAIMED: Phase.EXECUTING,
    ActionState.SENDING: Phase.EXECUTING,
    ActionState.UNKNOWN: Phase.EXECUTING,
    ActionState.APPLIED: Phase.VERIFYING,
    ActionState.UNDOING: Phase.ROLLING_BACK,
    ActionState.DENIED: Phase.DENIED,
    ActionState.EXPIRED: Phase.EXPIRED,
    ActionState.CANCELLED: Phase.CANCELLED,
    ActionState.FAILED: Phase.FAILED,
    ActionState.VERIFIED: Phase.VERIFIED,
    ActionState.ROLLED_BACK: Phase.ROLLED_BACK,
    ActionState.ESCALATED: Phase.INCOMPLETE,
}
EDITED = "edited into "
"""How the note of an action says which other one took its place."""


class House(NamedTuple):
    """What a card says of where it is: the cluster's name for people, and the console's address."""

    cluster: str
    url: str


def phase(found: Carded) -> Phase:
    row = found.row
    if row.state in TERMINAL:
        return Phase.SUPERSEDED if row.state is ActionState.CANCELLED and EDITED in row.note else _PHASES[row.state]
    if found.stop is not None:
        return Phase.FROZEN
    if row.state in (ActionState.SUBMITTED, ActionState.NEEDS_APPROVAL):
        if found.approved_by:
            return Phase.PARTLY if found.missing else Phase.APPROVED
        return Phase.STALE if row.attempts else Phase.PENDING
    return _PHASES[row.state]


def card(found: Carded, house: House) -> Card:
    proposal, action, row, now_at = found.proposal, found.proposal.action, found.row, phase(found)
    cluster = house.cluster or f"cluster {action.target.cluster[:8]}"
    document = plain(proposal)
    title = _upper(action.sentence())
    money = spoken(plans.effect(document["effect"]))
    return Card(
        action=row.action_id,
        phase=now_at,
        summary=bounded(
            f"[{cluster}] {GLYPHS.get(now_at, '…')} {now_at.value}: {title} · {action.risk.value} · {money} · {_needs(found)} · "
            f"by {moment(row.expires_at)}",
            300,
        ),
        title=title,
        cluster=cluster,
        risk=action.risk.value,
        asked_by=f"{proposal.agent} for {row.submitted_by}",
        run=row.run_id,
        changes=tuple(_change(item) for item in proposal.changes[:MOST_CHANGES]),
        more_changes=max(0, len(proposal.changes) - MOST_CHANGES),
        why=proposal.why,
        evidence=tuple(_seen(plain(item)) for item in proposal.evidence[:MOST_EVIDENCE]),
        blast=_blast(found, money),
        verdict=spoken(actions.summary(actions.verdict(found.verdict) or {})) if found.verdict else "not judged yet",
        reasons=_reasons(found),
        undo=_undo(found),
        confidence=_confidence(found),
        approval=_needs(found),
        decided=tuple(_decision(item) for item in found.approvals),
        expires_at=row.expires_at,
        start_until=found.approvals[-1].at + START_WITHIN if found.approved_by and not found.missing else None,
        details=_details(found),
        outcome=_outcome(found, now_at),
        url=f"{house.url}/actions/{row.action_id}",
        buttons=_buttons(found, now_at),
        review_only=found.severe and _open(found, now_at),
    )


def _change(item: Moved) -> Change:
    """Short enough that all of them, and how many more there are, are seen."""
    return Change(bounded(item.path, 100), bounded(actions.value(item.old), 50), bounded(actions.value(item.new), 50))


def spoken(text: str) -> str:
    """A terminal sets words apart by many spaces, which a chat shows as one."""
    return " · ".join(part.strip() for part in text.split("  ") if part.strip())


def _upper(text: str) -> str:
    return text[:1].upper() + text[1:]


def _open(found: Carded, now_at: Phase) -> bool:
    return found.row.state is ActionState.NEEDS_APPROVAL and found.missing > 0 and now_at is not Phase.FROZEN


def _buttons(found: Carded, now_at: Phase) -> tuple[Verb, ...]:
    """None at the end, and none that decide while nothing is to be decided."""
    if found.row.state in TERMINAL:
        return ()
    if not _open(found, now_at):
        return (Verb.WHY,)
    decide = () if found.severe else (Verb.APPROVE, Verb.DENY)
    elsewhere = (Verb.PATCH,) if found.verdict and found.verdict.facts.gitops_owner else ()
    silence = (Verb.SILENCE,) if found.proposal.findings else ()
    return (*elsewhere, *decide, Verb.WHY, Verb.EDIT, Verb.SNOOZE, *silence)


def _needs(found: Carded) -> str:
    if found.row.state is not ActionState.NEEDS_APPROVAL:
        return "waits for nobody" if found.row.state in TERMINAL else "waits for no person"
    done = found.needed - found.missing
    said = f"{done}/{found.needed} approved"
    return f"{said}, needs {found.missing} more, not {found.row.submitted_by}" if found.missing else f"{said}, the judge looks once more"


def _decision(item: Approval) -> str:
    glyph = "✓" if item.decision == "approved" else "✗"
    return bounded(f"{glyph} {item.decision} by {item.by} {moment(item.at)}: {item.reason}", 300)


def _reasons(found: Carded) -> tuple[str, ...]:
    """Why a person is needed, or why not."""
    if found.verdict is None:
        return ()
    return tuple(bounded(f"{row.rule}: {row.message}", 300) for row in found.verdict.reasons()[:4])


def _blast(found: Carded, money: str) -> str:
    parts = [money]
    facts = found.verdict.facts if found.verdict else None
    if facts is None:
        return f"{money} · pods touched: not known before it is judged"
    pods = facts.pods_touched
    parts.append("pods touched: not known" if pods is None else f"{pods} pods touched" if pods else "no pod touched")
    if facts.has_pdb:
        parts.append(f"disruption budget allows {facts.disruptions_allowed}")
    else:
        parts.append("no disruption budget")
    if facts.replicas is not None and facts.replicas_after is not None and facts.replicas != facts.replicas_after:
        parts.append(f"replicas {facts.replicas} → {facts.replicas_after}")
    if facts.quota_exceeded:
        parts.append("quota exceeded")
    if facts.gitops_owner:
        parts.append(f"written by {facts.gitops_owner}: open a pull request there")
    return bounded(" · ".join(parts), 500)


def _undo(found: Carded) -> str:
    if not found.proposal.action.reversible:
        return "cannot be undone"
    if not found.row.check:
        return "automatic when verification misses"
    watch = int(json.loads(found.row.check).get("watch_seconds", 0))
    return f"automatic when verification misses within {max(1, watch // 60)} min"


def _confidence(found: Carded) -> str:
    used = found.answer.get("model") or {}
    calls, cost = int(used.get("calls", 0)), int(used.get("micro_usd", 0)) / 1_000_000
    asked = f"the run asked a model {calls} times, ${cost:.4f}" if calls else "no model asked, $0"
    source = f"found by a detector; {asked}"
    held = [row for row in found.answer.get("held", ()) if row.get("by") == found.row.action_id]
    return f"{source}; conflicts: {len(held)} held back for it" if held else f"{source}; no conflict with another agent"


def _details(found: Carded) -> tuple[str, ...]:
    rules = tuple(bounded(f"{row.result} {row.rule}: {row.message}", 200) for row in (found.verdict.results if found.verdict else ()))
    past = tuple(f"earlier {item.action}: {item.sentence}: {item.state}" for item in found.similar)
    return (*past, *rules)


def _outcome(found: Carded, now_at: Phase) -> str:
    """Who, when and why, for what is over; what holds it, for what is frozen."""
    if now_at is Phase.FROZEN and found.stop is not None:
        return bounded(f"stopped by {found.stop.by} {moment(found.stop.at)}: {found.stop.reason}", 400)
    if found.row.state not in TERMINAL:
        return bounded(found.row.note, 400) if now_at is Phase.STALE else ""
    return bounded(f"{moment(found.row.changed_at)}: {found.row.note or now_at.value}", 400)


def _seen(item: Mapping[str, Any]) -> str:
    """One observation; what others wrote stands between quotation marks."""
    said = f"“{item['value']}” (quoted)" if item["quoted"] else item["value"]
    return bounded(f"{item['id']} {item['source']} {item['query']}: {said}", 400)


def moment(at: datetime) -> str:
    return at.strftime("%Y-%m-%d %H:%MZ")


def digest(said: Said) -> str:
    """What a message shows, to know whether it must be edited."""
    return hashlib.sha256(repr(said).encode()).hexdigest()[:32]


def inbox(cards: Sequence[Waiting], url: str, most: int = 20) -> Inbox:
    rows = tuple(Row(item.row.action_id, _waits(item)) for item in cards[:most])
    return Inbox(f"{len(cards)} actions wait for a person", rows, max(0, len(cards) - most), f"{url}/approvals")


def _waits(item: Waiting) -> str:
    action = item.proposal.action
    return bounded(f"{action.risk.value} · {action.sentence()} · by {moment(item.row.expires_at)}", 200)


def answer(found: Shown, run_id: str, house: House) -> Answer:
    """A run as it stands: working, ended with what it saw, or ended without an answer."""
    asked, run = found.asked, found.run
    title = bounded((asked.request.text if asked else run.text if run else "") or run_id, 200)
    url = f"{house.url}/runs/{run_id}"
    if found.answer is None:
        stage = asked.stage.value if asked else "working"
        note = asked.note if asked else ""
        over = stage in ("failed", "cancelled")
        return Answer(run_id, title, f"{stage}: {note}" if note else stage, url=url, over=over)
    return _answered(found.answer, run_id, title, url)


def _answered(said: Mapping[str, Any], run_id: str, title: str, url: str) -> Answer:
    findings = said["findings"]
    coverage = said["coverage"]
    not_run = coverage["not_run"]
    used = said.get("model") or {}
    proposals = tuple(_proposal(row) for row in said["proposals"])
    return Answer(
        run=run_id,
        title=title,
        stage="answered",
        asked=tuple(bounded(f"{row['agent']}: {row['why']}", 200) for row in said.get("route", ())),
        findings=tuple(_found(row) for row in findings[:MOST_FINDINGS]),
        more=max(0, len(findings) - MOST_FINDINGS),
        proposals=proposals[:MOST_FINDINGS],
        held=tuple(bounded(f"{_sentence(row['proposal'])}: held, {row['reason']}", 300) for row in said["held"][:3]),
        coverage=_coverage(len(coverage["run"]), not_run, said),
        cost=f"model: {used.get('calls', 0)} calls, ${int(used.get('micro_usd', 0)) / 1_000_000:.4f}",
        tries=_tries(findings, bool(proposals)),
        url=url,
        over=True,
    )


def _coverage(ran: int, not_run: Sequence[Mapping[str, Any]], said: Mapping[str, Any]) -> str:
    """Not run is not clean: each answer says which."""
    if said.get("nobody"):
        return bounded(f"nobody looked: {said['nobody']}", 300)
    first = f" ({bounded(str(not_run[0]['check']), 60)}: {bounded(str(not_run[0]['reason']), 120)})" if not_run else ""
    missing = "".join(f"; {row['agent']} did not answer: {bounded(str(row['reason']), 120)}" for row in said.get("missing", ()))
    return f"checks run {ran}, not run {len(not_run)}{first}{missing}"


def _found(row: Mapping[str, Any]) -> Found:
    subject = row["subject"]
    where = f"{subject['kind'].lower()} {subject['namespace']}/{subject['name']}".replace(" /", " ")
    seen = tuple(_seen(item) for item in row["evidence"][:MOST_EVIDENCE])
    return Found(row["severity"], bounded(row["title"], 200), bounded(where, 200), bounded(row["matters"], 300), seen, row["id"])


def _sentence(row: Mapping[str, Any]) -> str:
    action = row["action"]
    return f"{action['kind']} {action['target']['namespace']}/{action['target']['name']}"


def _proposal(row: Mapping[str, Any]) -> str:
    changes = ", ".join(f"{item['path']} {actions.value(item['old'])} → {actions.value(item['new'])}" for item in row["changes"][:2])
    return bounded(f"{row['action']['id']} {_sentence(row)}: {changes or row['why']}", 300)


def _tries(findings: Sequence[Mapping[str, Any]], proposals: bool) -> tuple[str, ...]:
    tries = ["show the evidence"] if findings else ["scan everything"]
    return (*tries, "why?", *(("approvals",) if proposals else ()))
