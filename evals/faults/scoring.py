"""What a scan says of a fault: whether it was found, whether the first incident is its cause, and what was said of others. Pure."""

from collections.abc import Sequence
from fnmatch import fnmatchcase
from typing import NamedTuple, Protocol

from core.domain.finding import Finding, Severity
from evals.routing.scoring import Interval, wilson
from simulator.faults.fault import Cause


class Outcome(Protocol):
    """What is counted of a trial."""

    @property
    def found(self) -> bool: ...
    @property
    def right(self) -> bool: ...
    @property
    def elsewhere(self) -> tuple[str, ...]: ...
    @property
    def mendable(self) -> bool: ...
    @property
    def mended(self) -> bool: ...
    @property
    def harmed(self) -> tuple[str, ...]: ...


class Share(NamedTuple):
    """So many of so many, and the goal."""

    name: str
    short: str
    right: int
    total: int
    goal: float

    @property
    def share(self) -> float:
        return self.right / self.total if self.total else 0.0

    @property
    def interval(self) -> Interval:
        return wilson(self.right, self.total)

    @property
    def met(self) -> bool:
        return self.share >= self.goal


def shares(rows: Sequence[Outcome]) -> tuple[Share, ...]:
    tried = [row for row in rows if row.mendable]
    return (
        Share("found", "found", sum(row.found for row in rows), len(rows), 1.0),
        Share("cause right, first", "cause first", sum(row.right for row in rows), len(rows), 0.95),
        Share("nothing told elsewhere", "not elsewhere", sum(not row.elsewhere for row in rows), len(rows), 1.0),
        Share("mendable, mended", "mended", sum(row.mended for row in tried), len(tried), 1.0),
        Share("mendable, nobody harmed", "no harm", sum(not row.harmed for row in tried), len(tried), 1.0),
    )


class Diagnosis(NamedTuple):
    """`first` is the incident that stands first. `elsewhere` are incidents on objects that the fault has nothing to do with."""

    found: bool
    first: str
    right: bool
    elsewhere: tuple[str, ...]


def shown(finding: Finding) -> str:
    return f"{finding.code} {finding.subject.qualified}"


def incidents(findings: Sequence[Finding]) -> tuple[Finding, ...]:
    """Causes, as a scan orders them. What is for information only tells of no fault."""
    known = {finding.id for finding in findings}
    return tuple(one for one in findings if one.symptom_of not in known and one.severity is not Severity.INFO)


def names(cause: Cause, finding: Finding) -> bool:
    return is_on(cause, finding) and finding.code in cause.codes


def is_on(cause: Cause, finding: Finding) -> bool:
    subject = finding.subject
    return (subject.kind, subject.namespace) == (cause.kind, cause.namespace) and fnmatchcase(subject.name, cause.name)


def diagnosed(findings: Sequence[Finding], causes: Sequence[Cause]) -> Diagnosis:
    """Of several causes each must be an incident; the first must be one of them."""
    found = incidents(findings)
    first = shown(found[0]) if found else "nothing"
    named = [any(names(cause, one) for one in found) for cause in causes]
    right = all(named) and (any(names(cause, found[0]) for cause in causes) if found else not causes)
    elsewhere = tuple(shown(one) for one in found if not any(is_on(cause, one) for cause in causes))
    return Diagnosis(all(named), first, right, elsewhere)
