"""Is the audit chain whole? Finds records that were changed, removed, put in another order, or cut off at the end."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from core.domain.ledger import GENESIS, AuditRow, Ledger, chained
from gate.heads import Head, contradicted

PAGE = 5000


class AuditReport(NamedTuple):
    """`whole` is true when every record links to the one before and both ends agree. `problems` name the record."""

    whole: bool
    records: int
    head: str
    problems: tuple[str, ...]


def verify(rows: Iterable[AuditRow], *, head: tuple[int, str] | None = None) -> AuditReport:
    """`head` is the sequence and hash at which the chain must end, known from elsewhere: without it a cut-off end cannot be seen."""
    problems: list[str] = []
    seq, previous = 0, GENESIS
    for row in rows:
        if row.seq != seq + 1:
            problems.append(f"record {seq + 1} is missing or out of order: {row.seq} stands in its place")
        if row.previous != previous:
            problems.append(f"record {row.seq} does not follow the record before it")
        if chained(row) != row.hash:
            problems.append(f"record {row.seq} was changed")
        seq, previous = row.seq, row.hash
    if head is not None and (seq, previous) != head:
        problems.append(
            f"the chain ends at record {seq}, and should end at record {head[0]} with another hash"
            if seq == head[0]
            else _cut(seq, head[0])
        )
    return AuditReport(not problems, seq, previous, tuple(problems[:20]))


def verify_ledger(
    ledger: Ledger,
    *,
    head: tuple[int, str] | None = None,
    sink: Iterable[AuditRow] | None = None,
    signed: Sequence[Head] = (),
) -> AuditReport:
    """The ledger's whole chain, page by page, against its head, the heads that the judge signed, and the second sink where there is one."""
    rows = _all(ledger)
    report = verify(rows, head=head)
    if lies := contradicted(signed, {row.seq: row.hash for row in rows}):
        report = report._replace(whole=False, problems=(*report.problems, *lies)[:20])
    if sink is None:
        return report
    mirror = verify(kept := list(sink))
    problems = [*report.problems, *(f"second sink: {problem}" for problem in mirror.problems)]
    by_seq = {row.seq: row.hash for row in rows}
    lost = [row.seq for row in kept if by_seq.get(row.seq) != row.hash]
    if lost:
        problems.append(f"the ledger lacks, or has otherwise, record {lost[0]} that the second sink keeps")
    return report._replace(whole=not problems, problems=tuple(problems[:20]))


def _all(ledger: Ledger) -> list[AuditRow]:
    rows: list[AuditRow] = []
    start = 1
    while page := ledger.chain(start, PAGE):
        rows += page
        start = page[-1].seq + 1
    return rows


def _cut(found: int, wanted: int) -> str:
    return f"the chain ends at record {found}, and should end at record {wanted}"
