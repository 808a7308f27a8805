"""Look, with the deterministic detectors only: findings and what was not run. Behind `day2 scan`; nothing is proposed to anybody."""

import asyncio
import json
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from agents.consulting import Consultation
from core.domain.errors import InvalidInput
from core.domain.finding import Coverage, Finding, NotRun, Severity
from core.domain.proposal import Proposal
from core.domain.request import Request
from runtime.consulting import InProcess


class Scan(NamedTuple):
    """Findings worst first; `proposals` in the order of their agents; `known` counts findings that the baseline already had."""

    findings: tuple[Finding, ...]
    proposals: tuple[Proposal, ...]
    coverage: Coverage
    known: int = 0

    def worst(self) -> Severity | None:
        return min((finding.severity for finding in self.findings), key=list(Severity).index, default=None)

    def at_least(self, severity: Severity) -> bool:
        return any(finding.severity.at_least(severity) for finding in self.findings)


WEIGHTS = {Severity.CRITICAL: 20, Severity.HIGH: 8, Severity.MEDIUM: 3, Severity.LOW: 1, Severity.INFO: 0}


def score(findings: Sequence[Finding]) -> int:
    """0 to 100: 100 less 20, 8, 3 and 1 for each critical, high, medium and low finding."""
    return max(0, 100 - sum(WEIGHTS[finding.severity] for finding in findings))


def chosen(names: Sequence[str], known: Sequence[str]) -> tuple[str, ...]:
    """The agents to ask; all where none is named. Raises InvalidInput."""
    for name in names:
        if name not in known:
            raise InvalidInput(f"no agent {name[:40]!r}", mend=f"one of: {', '.join(known)}")
    return tuple(dict.fromkeys(names)) or tuple(known)


def severity(text: str) -> Severity:
    """Raises InvalidInput."""
    try:
        return Severity(text)
    except ValueError:
        raise InvalidInput(f"{text[:40]!r} is no severity", mend=f"one of: {', '.join(Severity)}") from None


async def scan(consulting: InProcess, request: Request, agents: Sequence[str]) -> Scan:
    """All agents at once. An agent that fails as a whole raises: a scan that saw nothing must not look clean."""
    found = await asyncio.gather(*(consulting.consultation(name, request) for name in agents), return_exceptions=True)
    answers = [_answered(answer) for answer in found]  # after all have ended: none may use a connection that is being closed
    findings = sorted((finding for answer in answers for finding in answer.findings), key=_worst_first)
    coverage = Coverage(
        run=tuple(sorted(check for answer in answers for check in answer.coverage.run)),
        not_run=tuple(row for answer in answers for row in answer.coverage.not_run),
    )
    return Scan(tuple(findings), tuple(proposal for answer in answers for proposal in answer.proposals), coverage)


def _answered(answer: Consultation | BaseException) -> Consultation:
    if isinstance(answer, BaseException):
        raise answer
    return answer


def with_unread(result: Scan, unread: Sequence[tuple[str, str]]) -> Scan:
    """The scan, with what could not be decoded named among what was not looked at."""
    rows = tuple(NotRun(check=place[:200], reason=reason[:300]) for place, reason in unread)
    return result._replace(coverage=result.coverage.model_copy(update={"not_run": (*result.coverage.not_run, *rows)}))


def baseline(path: Path) -> frozenset[str]:
    """Finding ids of an earlier `day2 scan -o json`. Raises InvalidInput."""
    try:
        document = json.loads(path.expanduser().read_text(encoding="utf-8"))
        return frozenset(str(item["id"]) for item in document["items"])
    except OSError as error:
        raise InvalidInput(
            f"cannot read the baseline {path}: {error.strerror}", mend="make one: day2 scan -o json > baseline.json"
        ) from error
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise InvalidInput(f"{path} is no FindingList", mend="make one: day2 scan -o json > baseline.json") from error


def since(result: Scan, known: frozenset[str]) -> Scan:
    """Only what the baseline does not have."""
    fresh = tuple(finding for finding in result.findings if finding.id not in known)
    return result._replace(findings=fresh, known=len(result.findings) - len(fresh))


def _worst_first(finding: Finding) -> tuple[int, str, str]:
    return list(Severity).index(finding.severity), finding.code, finding.id
