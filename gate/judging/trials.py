"""What the judge asks of the fault of an experiment: whether its place is open to experiments, and how many errors people still allow."""

from typing import Any

from core.actions.catalogue import parse_proposal
from core.cluster.queries import Query, Shape
from core.domain.errors import Day2Error
from core.domain.ledger import ActionRow
from core.domain.values import Json
from gate import workloads
from gate.judging.sources import Bench

OPEN = ("day2.dev/chaos", "allowed")
HOUR = 3600


async def facts(bench: Bench, row: ActionRow, place: Json) -> dict[str, Any]:
    """`place` is the namespace of the target, or the target where it lies in none."""
    trial = parse_proposal(row.proposal).experiment
    if trial is None:
        return {}
    allowed = workloads.labels(place).get(OPEN[0]) == OPEN[1]
    return {"experiment": trial.id, "chaos_allowed": allowed, "error_budget_percent": await _budget(bench, row.namespace)}


async def _budget(bench: Bench, namespace: str) -> int | None:
    """Of the service with the most errors in an hour. None where a bound was promised and nobody measured."""
    slo = bench.objectives.slo(namespace)
    if not slo.error_per_mille or not namespace:
        return 100
    if bench.metrics is None:
        return None
    try:
        found = await bench.metrics.instant(Query(Shape.ERROR_RATIO, namespace, rate_seconds=HOUR), bench.clock.now())
    except Day2Error:
        return None
    return slo.budget_left(max(sample.value for sample in found)) if found else None
