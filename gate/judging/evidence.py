"""Looking again at what a proposal says it saw. A claim is only a place to look: what counts is what stands there now.

Objects alone can be confirmed. A log line, an event or a number worked out of metrics is prose by the time it is evidence; of usage
the judge has facts of its own, with their age.
"""

import asyncio

from core.actions.catalogue import parse_proposal
from core.cluster.kinds import KINDS
from core.domain.errors import Day2Error
from core.domain.evidence import Evidence
from core.domain.ledger import ActionRow
from core.domain.values import at_path
from gate.judging.sources import Bench

MOST = 16
"""Claims that are looked at: a proposal cannot keep the judge reading."""


async def oldest_seconds(bench: Bench, row: ActionRow) -> int | None:
    """Age of the oldest claim that holds; None where none does. Nothing was seen later than it was submitted, whatever a claim says."""
    claims = parse_proposal(row.proposal).evidence[:MOST]
    holds = await asyncio.gather(*(_holds(bench, claim) for claim in claims))
    times = [min(claim.at, row.submitted_at) for claim, held in zip(claims, holds, strict=True) if held]
    return max(0, int((bench.clock.now() - min(times)).total_seconds())) if times else None


async def _holds(bench: Bench, claim: Evidence) -> bool:
    """The object is the one that was seen, and it stands at the version, or has in that field the very value, that was seen."""
    subject = claim.subject
    if claim.source != "object" or subject.kind not in KINDS:
        return False
    try:
        found = await bench.reader.get(KINDS[subject.kind], subject.namespace, subject.name)
    except Day2Error:
        return False
    if found is None or at_path(found, "metadata.uid") != subject.uid:
        return False
    value = at_path(found, claim.query)
    return at_path(found, "metadata.resourceVersion") == claim.resource_version or (value is not None and str(value) == claim.value)
