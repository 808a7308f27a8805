"""The revision that a rollback goes back to: how long it had all its pods. The API keeps no history of that, so it is counted from the
metrics source; without kube-state-metrics nobody knows, and a person decides.
"""

from typing import Any

from core.cluster.queries import Query, Shape
from core.domain.action import Action, Live
from core.domain.errors import Day2Error
from core.domain.values import at_path
from gate.judging.sources import Bench

LOOKED_BACK_SECONDS = 2 * 86_400
STEP_SECONDS = 60


async def earlier(bench: Bench, action: Action, live: Live) -> dict[str, Any]:
    """Nothing for what goes back to no revision."""
    older = next((item for item in live.related.values() if item.get("kind") == "ReplicaSet"), None)
    if older is None or live.object.get("kind") != "Deployment":
        return {}
    name = str(at_path(older, "metadata.name"))
    return {"previous_healthy_seconds": await _complete_seconds(bench, action.target.namespace, name)}


async def _complete_seconds(bench: Bench, namespace: str, replica_set: str) -> int | None:
    """In the last two days; 0 where its pods were counted and never complete."""
    query = Query(Shape.REVISION_COMPLETE, namespace, window_seconds=LOOKED_BACK_SECONDS, step_seconds=STEP_SECONDS)
    try:
        found = await bench.metrics.instant(query, bench.clock.now()) if bench.metrics is not None else ()
    except Day2Error:
        return None
    steps = [item.value for item in found if item.label("replicaset") == replica_set]
    return int(max(steps) * STEP_SECONDS) if steps else None
