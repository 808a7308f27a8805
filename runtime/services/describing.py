"""A check by its code, and a finding with all that belongs to it: what it follows from, what follows from it, what would mend it.

Behind `day2 explain`. The page of a check needs no cluster; a finding is one of a scan that was just made.
"""

import difflib
import itertools
import re
from typing import NamedTuple

from agents import pages
from agents.catalogue import AGENTS
from agents.desk import Agent, Detector
from core.domain.errors import InvalidInput
from core.domain.finding import Finding
from core.domain.proposal import Proposal
from core.domain.values import bounded
from core.policy.mutes import FINDING, Mute
from runtime.services.scanning import Scan

_CLOSE = 0.7


class Check(NamedTuple):
    """One row of an agent's table. `page` is its page as Markdown."""

    code: str
    name: str
    agent: str
    severity: str
    kinds: tuple[str, ...]
    proposes: tuple[str, ...]
    page: str


class Described(NamedTuple):
    """`cause` is what it follows from, None where it is a cause itself or its cause was not found again; `symptoms` follow from it.

    `proposals` mend it, or its cause. `mute` is the one that covers it now.
    """

    finding: Finding
    cause: Finding | None
    symptoms: tuple[Finding, ...]
    proposals: tuple[Proposal, ...]
    mute: Mute | None
    check: Check


def check(code: str) -> Check:
    """Raises InvalidInput with the nearest codes."""
    rows = {row.code: (agent, row) for agent in AGENTS for row in agent.described}
    wanted = code.strip().upper()
    if wanted not in rows:
        near = _like(wanted, rows) or _by_name(wanted, rows)
        said = f"did you mean {_named(near, rows)}?" if near else "codes look like REL-101: docs/checks/README.md lists them"
        raise InvalidInput(f"no check {bounded(code, 40)!r}", mend=said)
    return _check(*rows[wanted])


def _like(wanted: str, rows: dict[str, tuple[Agent, Detector]]) -> list[str]:
    """Codes are short and many are equally close: among these the one that begins alike comes first."""
    close = difflib.get_close_matches(wanted, rows, n=len(rows), cutoff=_CLOSE)
    likeness = {code: difflib.SequenceMatcher(None, code, wanted).ratio() for code in close}
    return sorted(close, key=lambda code: (-likeness[code], -_alike(code, wanted), code))[:3]


def _alike(one: str, other: str) -> int:
    """With how many equal letters they begin."""
    return sum(1 for _ in itertools.takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False)))


def _by_name(wanted: str, rows: dict[str, tuple[Agent, Detector]]) -> list[str]:
    """Who types words of a check's name means that check."""
    words = {word for word in re.findall(r"[A-Z]{3,}", wanted) if word not in ("FIN", "REL", "SEC", "SCA")}
    scored = {code: len(words & set(re.findall(r"[A-Z]{3,}", row.name.upper()))) for code, (_, row) in rows.items()}
    best = max(scored.values(), default=0)
    return [code for code, score in scored.items() if score == best][:3] if best else []


def _named(codes: list[str], rows: dict[str, tuple[Agent, Detector]]) -> str:
    return ", ".join(f"{code} ({rows[code][1].name})" for code in codes)


def _check(agent: Agent, row: Detector) -> Check:
    proposes = tuple(planner.capability for planner in agent.planners if row.code in planner.codes)
    text = pages.page(agent, row).replace(f"{pages.NOTE}\n\n", "")
    return Check(row.code, row.name, agent.name, row.severity.value, tuple(sorted(row.kinds)), proposes, text)


def finding_word(name: str) -> str:
    """The same word. Raises InvalidInput for what no finding is called."""
    if not re.fullmatch(FINDING, name):
        raise InvalidInput(f"{bounded(name, 40)!r} is no id of a finding", mend="they look like fnd-3fa9c2d1e0: day2 scan -A")
    return name


def described(found: Scan, name: str) -> Described:
    """Raises InvalidInput with the nearest ids where the scan did not find it."""
    hidden = {row.finding.id: row for row in found.muted}
    every = {finding.id: finding for finding in (*found.findings, *(row.finding for row in found.muted))}
    finding = every.get(name)
    if finding is None:
        near = difflib.get_close_matches(name, every, n=3, cutoff=_CLOSE)
        said = f"did you mean {', '.join(near)}?" if near else "it may be mended, or in another namespace: day2 scan -A"
        raise InvalidInput(f"no finding {bounded(name, 40)!r} now", mend=said)
    return Described(
        finding=finding,
        cause=every.get(finding.symptom_of),
        symptoms=tuple(other for other in every.values() if other.symptom_of == name),
        proposals=tuple(proposal for proposal in found.proposals if {name, finding.symptom_of} & set(proposal.findings)),
        mute=hidden[name].mute if name in hidden else None,
        check=check(finding.code),
    )
