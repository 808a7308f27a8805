"""Look, with the deterministic detectors only: findings and what was not run. Behind `day2 scan`; nothing is proposed to anybody."""

import asyncio
from collections.abc import Sequence
from typing import NamedTuple

from core.domain.finding import Coverage, Finding, Severity
from core.domain.proposal import Proposal
from core.domain.request import Request
from runtime.consulting import InProcess


class Scan(NamedTuple):
    """Findings worst first; `proposals` in the order of their agents."""

    findings: tuple[Finding, ...]
    proposals: tuple[Proposal, ...]
    coverage: Coverage

    def worst(self) -> Severity | None:
        return min((finding.severity for finding in self.findings), key=list(Severity).index, default=None)


WEIGHTS = {Severity.CRITICAL: 20, Severity.HIGH: 8, Severity.MEDIUM: 3, Severity.LOW: 1, Severity.INFO: 0}


def score(findings: Sequence[Finding]) -> int:
    """0 to 100: 100 less 20, 8, 3 and 1 for each critical, high, medium and low finding."""
    return max(0, 100 - sum(WEIGHTS[finding.severity] for finding in findings))


async def scan(consulting: InProcess, request: Request, agents: Sequence[str]) -> Scan:
    """All agents at once. An agent that fails as a whole raises: a scan that saw nothing must not look clean."""
    answers = await asyncio.gather(*(consulting.consultation(name, request) for name in agents))
    findings = sorted((finding for answer in answers for finding in answer.findings), key=_worst_first)
    coverage = Coverage(
        run=tuple(sorted(check for answer in answers for check in answer.coverage.run)),
        not_run=tuple(row for answer in answers for row in answer.coverage.not_run),
    )
    return Scan(tuple(findings), tuple(proposal for answer in answers for proposal in answer.proposals), coverage)


def _worst_first(finding: Finding) -> tuple[int, str, str]:
    return list(Severity).index(finding.severity), finding.code, finding.id
