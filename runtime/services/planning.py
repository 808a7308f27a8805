"""Proposals as diffs, judged beforehand, nothing executed. Behind `day2 plan`; a saved plan is what `day2 apply` takes.

The verdict in a plan is a preview: the judge looks again, with fresh facts, when the plan is applied.
"""

import difflib
import json
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from agents.desk import Desk
from agents.security import image_bumps
from core.actions.catalogue import parse_proposal
from core.domain.errors import Day2Error, InvalidInput
from core.domain.finding import Coverage, Severity
from core.domain.proposal import Proposal
from core.domain.values import bounded, digest
from core.domain.verdict import Verdict
from core.policy.arbitration import Arbitration, Held
from runtime.services.scanning import Scan

SUCCESSOR = "--bump registry.example/app:1.2=registry.example/app@sha256:..."
TEMPLATES = ("Namespace", "Deployment", "StatefulSet", "DaemonSet")
Plain = dict[str, Any]
LARGEST = 8 * 1024 * 1024
Judge = Callable[[Proposal], Awaitable[Verdict]]
"""What the judge would say now. Raises Day2Error where it cannot look."""


class Planned(NamedTuple):
    """One proposal. `unjudged` says why there is no verdict."""

    proposal: Proposal
    verdict: Verdict | None
    unjudged: str = ""


class Plan(NamedTuple):
    """`expires_at` is the earliest expiry of its proposals; None in an empty plan. `muted` counts findings that were left out."""

    cluster: str
    context: str
    made_at: datetime
    expires_at: datetime | None
    items: tuple[Planned, ...]
    held: tuple[Held, ...]
    coverage: Coverage
    muted: int = 0


class Sealed(NamedTuple):
    """A saved plan, read back and checked."""

    cluster: str
    context: str
    expires_at: datetime | None
    proposals: tuple[Proposal, ...]


async def plan(
    found: Scan,
    wanted: Sequence[str],
    arbitrate: Callable[[tuple[Proposal, ...], Mapping[str, Severity]], Awaitable[Arbitration]],
    judge: Judge,
    *,
    cluster: str,
    context: str,
    at: datetime,
) -> Plan:
    """`wanted` are ids of findings; without one, all that were found. Raises InvalidInput for an id that the scan did not find."""
    proposals = _of(found, wanted)
    result = await arbitrate(proposals, {finding.id: finding.severity for finding in found.findings})
    items = [await judged(proposal, judge) for proposal in result.winners]
    expires = min((proposal.expires_at for proposal in result.winners), default=None)
    return Plan(cluster, context, at, expires, tuple(items), result.held, found.coverage, len(found.muted))


async def judged(proposal: Proposal, judge: Judge) -> Planned:
    """With what the judge would say, or why it cannot look."""
    try:
        return Planned(proposal, await judge(proposal))
    except Day2Error as error:
        return Planned(proposal, None, bounded(str(error), 300))


def successor(text: str) -> tuple[str, str]:
    """OLD=NEW. Raises InvalidInput where either is missing, or where the new one is not fixed by its digest."""
    old, equals, new = text.partition("=")
    if not (old and equals and new):
        raise InvalidInput(f"{bounded(text, 120)!r} names no image and its successor", mend=SUCCESSOR)
    if not re.fullmatch(r"[a-z0-9][-a-zA-Z0-9._:/]*@sha256:[0-9a-f]{64}", new):
        raise InvalidInput(f"{bounded(new, 120)!r} is no image by digest: what was scanned must be what runs", mend=SUCCESSOR)
    return old, new


def bumped(desk: Desk, old: str, new: str) -> Scan:
    """Raises InvalidInput where no workload runs the old image, or the first one that took the new one is not up yet."""
    known = image_bumps.images(desk)
    if unread := [f"{kind}: {desk.snapshot.unread[kind]}" for kind in TEMPLATES if kind in desk.snapshot.unread]:
        raise InvalidInput(f"workloads could not be read ({bounded('; '.join(unread), 120)})", mend="day2 doctor")
    if old not in known:
        near = difflib.get_close_matches(old, known, n=1, cutoff=0.3)
        raise InvalidInput(
            f"no workload's template names {bounded(old, 120)}", mend=f"as it is written there: {near[0]}" if near else "day2 scan"
        )
    proposals = image_bumps.bumps(desk, old, new)
    if not proposals:
        raise InvalidInput("the workload that took the successor first does not run it whole yet", mend="wait for it, or look: day2 scan")
    return Scan((), proposals, Coverage())


def _of(found: Scan, wanted: Sequence[str]) -> tuple[Proposal, ...]:
    known = {finding.id for finding in found.findings}
    for name in wanted:
        if name not in known:
            raise InvalidInput(f"no finding {name[:40]!r} now", mend="it may be mended, or in another namespace: day2 scan -A")
    if not wanted:
        return found.proposals
    return tuple(proposal for proposal in found.proposals if set(proposal.findings) & set(wanted))


def sealed(made: Plan) -> Plain:
    """What a saved plan carries for `apply`: the proposals as they are, under one digest."""
    body: Plain = {
        "cluster": made.cluster,
        "context": made.context,
        "expiresAt": made.expires_at.isoformat() if made.expires_at else "",
        "proposals": [item.proposal.model_dump(mode="json") for item in made.items],
    }
    return body | {"digest": digest(body)}


def read(path: Path) -> Sealed:
    """Raises InvalidInput for what is no plan, or was changed after it was made."""
    document = _document(path)
    body = document.get("sealed")
    if document.get("kind") != "Plan" or not isinstance(body, dict):
        raise InvalidInput(f"{path} is no plan", mend="make one: day2 plan -O plan.json")
    if str(document.get("apiVersion")) != "day2.dev/v1alpha1":
        raise InvalidInput(
            f"{path} has apiVersion {bounded(str(document.get('apiVersion')), 40)!r}, not day2.dev/v1alpha1",
            mend="make it again: day2 plan -O plan.json",
        )
    if body.get("digest") != digest({key: value for key, value in body.items() if key != "digest"}):
        raise InvalidInput(f"{path} was changed after it was made", mend="an edited action is a new one: day2 plan -O plan.json")
    expires = str(body.get("expiresAt") or "")
    proposals = body.get("proposals")
    rows = proposals if isinstance(proposals, list) else []
    return Sealed(
        str(body.get("cluster")),
        str(body.get("context")),
        datetime.fromisoformat(expires) if expires else None,
        tuple(parse_proposal(row) for row in rows),
    )


def _document(path: Path) -> Plain:
    try:
        if path.stat().st_size > LARGEST:
            raise InvalidInput(f"{path} is larger than any plan", mend="make one: day2 plan -O plan.json")
        document = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InvalidInput(f"cannot read the plan {path}: {error.strerror}", mend="make one: day2 plan -O plan.json") from error
    except (ValueError, RecursionError) as error:
        raise InvalidInput(f"{path} is no JSON", mend="make one: day2 plan -O plan.json") from error
    return document if isinstance(document, dict) else {}
