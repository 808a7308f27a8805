"""The metrics twin: answers by a table that a test fills, and nothing else."""

from collections.abc import Mapping
from datetime import datetime

from core.cluster.queries import Query, Sample, Series, Shape
from core.domain.errors import Unavailable


class TableMetrics:
    """Unknown questions have no data; shapes in `down` fail as a source that does not answer."""

    def __init__(
        self,
        samples: Mapping[Query, tuple[Sample, ...]] | None = None,
        series: Mapping[Query, tuple[Series, ...]] | None = None,
        down: frozenset[Shape] = frozenset(),
    ) -> None:
        self.samples = dict(samples or {})
        self.series = dict(series or {})
        self.down = down
        self.asked: list[Query] = []

    async def instant(self, query: Query, at: datetime) -> tuple[Sample, ...]:  # noqa: ARG002  the table has no times
        self._ask(query)
        return self.samples.get(query, ())

    async def range(self, query: Query, start: datetime, end: datetime, step_seconds: int) -> tuple[Series, ...]:  # noqa: ARG002  the table has no times
        self._ask(query)
        return self.series.get(query, ())

    def _ask(self, query: Query) -> None:
        self.asked.append(query)
        if query.shape in self.down:
            raise Unavailable("Prometheus", 5.0, reason="scripted")
