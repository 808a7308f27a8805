"""Kubernetes Events on the objects that actions are about: `kubectl describe` then says what day2 did, and under which id.

Called by `runtime.roles.notifier`. Pure: the documents only, in the form of events.k8s.io/v1.
"""

import json
from typing import NamedTuple

from core.actions.catalogue import parse_proposal
from core.cluster.kinds import KINDS, REPORTER
from core.domain.ledger import ActionRow, AuditRow
from core.domain.outcome import ActionState
from core.domain.target import Target
from core.domain.values import Json, bounded
from core.policy.redaction import redact
from runtime.services.alerting import Move, event_name, quoted

LONGEST_NOTE = 1000
"""events.k8s.io takes 1024 bytes; what is cut is cut on a character."""
NO_NAMESPACE = "default"
"""Where the API server wants Events about objects that have none."""


class Said(NamedTuple):
    """How one state is told. `warning` is the Event's type."""

    reason: str
    words: str
    warning: bool = False


SAID = {
    ActionState.APPLIED: Said("Day2Applied", "applied, being verified"),
    ActionState.VERIFIED: Said("Day2Verified", "verified"),
    ActionState.ROLLED_BACK: Said("Day2RolledBack", "missed and was taken back", warning=True),
    ActionState.DENIED: Said("Day2Denied", "denied, nothing was changed", warning=True),
    ActionState.ESCALATED: Said("Day2Escalated", "a person must look", warning=True),
    ActionState.UNKNOWN: Said("Day2Unknown", "whether it was stored is being read back", warning=True),
    ActionState.FAILED: Said("Day2Failed", "failed, nothing was changed", warning=True),
}


def event(row: ActionRow, move: Move, record: AuditRow) -> Json:
    """The Event of one move of an action; `record` is its link in the audit chain."""
    said, proposal = SAID[move[1]], parse_proposal(row.proposal)
    target = proposal.action.target
    note = str(json.loads(record.body).get("note") or (row.note if row.state is move[1] else ""))
    text = f"{row.action_id} {bounded(redact(proposal.action.sentence()), 300)}: {said.words}{f': {quoted(note)}' if note else ''}"
    return {
        "apiVersion": "events.k8s.io/v1",
        "kind": "Event",
        "metadata": {"name": event_name(move), "namespace": target.namespace or NO_NAMESPACE},
        "eventTime": record.at.isoformat(timespec="microseconds").replace("+00:00", "Z"),
        "reportingController": REPORTER,
        "reportingInstance": row.agent,
        "action": row.kind,
        "reason": said.reason,
        "type": "Warning" if said.warning else "Normal",
        "regarding": _reference(target),
        "note": _cut(text),
    }


def _reference(target: Target) -> Json:
    kind = next(kind for kind in KINDS.values() if (kind.group, kind.name) == (target.group, target.kind))
    found = {"apiVersion": kind.api_version, "kind": target.kind, "namespace": target.namespace, "name": target.name, "uid": target.uid}
    return {key: value for key, value in found.items() if value}


def _cut(text: str) -> str:
    return text.encode()[:LONGEST_NOTE].decode(errors="ignore")
