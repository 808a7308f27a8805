"""The read ports of the gate: full objects of the cluster, and its metrics. Agents see more, through `core.cluster.looking`."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

from core.cluster.kinds import Kind
from core.cluster.queries import Query, Sample, Series
from core.domain.values import Json


class ObjectReader(Protocol):
    """Reads one cluster. Raises Unavailable, NotAuthenticated, or NotAuthorised with the RBAC line that is missing."""

    async def cluster_uid(self) -> str:
        """The uid of the namespace kube-system: who the cluster is, whatever its URL."""

    async def get(self, kind: Kind, namespace: str, name: str) -> Json | None:
        """The full object, or None when there is none."""

    async def list(self, kind: Kind, namespace: str = "", *, labels: Mapping[str, str] | None = None) -> Sequence[Json]:
        """Full objects. For small sets: the judge's surroundings, not detectors."""

    async def usage(self, namespace: str) -> Sequence[Json]:
        """PodMetrics of metrics.k8s.io: the second source for usage. Empty where it is not served."""

    async def allowed(self, user: str, verb: str, group: str, resource: str, subresource: str, namespace: str) -> bool:
        """SubjectAccessReview."""


class Metrics(Protocol):
    """Answers the closed table of queries. Raises Unavailable when the source does not answer; no data is an empty answer."""

    async def instant(self, query: Query, at: datetime) -> tuple[Sample, ...]: ...

    async def range(self, query: Query, start: datetime, end: datetime, step_seconds: int) -> tuple[Series, ...]: ...
