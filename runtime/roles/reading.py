"""What every reading role needs: clock, cluster reader, metrics source and the declared documents, opened and closed together."""

import contextlib
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from core.cluster.looking import ClusterReader
from core.cluster.reading import Metrics
from core.domain.clock import Clock
from runtime import declared
from runtime.declared import Declared
from runtime.settings import Settings
from tools import clocks
from tools.kubernetes import config, transport
from tools.kubernetes.following import Follower, following
from tools.kubernetes.snapshots import SnapshotReader
from tools.metrics.prometheus import PrometheusMetrics


@dataclass(frozen=True)
class Reading:
    """Open read ports of one process."""

    clock: Clock
    reader: ClusterReader
    metrics: Metrics | None
    declared: Declared
    context: str
    server: str


def metrics_of(settings: Settings) -> PrometheusMetrics | None:
    """The configured source, with its authority and token. Raises InvalidInput for an address that is none."""
    source = settings.prometheus
    if not source.url:
        return None
    token = source.token_file.expanduser().read_text(encoding="ascii").strip() if source.token_file else ""
    return PrometheusMetrics(source.url, ca_file=source.ca_file, token=token)


def connection_of(settings: Settings, kubeconfig: Path | None = None) -> config.Connection:
    """Where and as whom this process reads. Impersonation is asked for by the person's own kubeconfig: the reader's may not impersonate.

    Raises InvalidInput for what cannot be configured.
    """
    wanted = settings.kubernetes
    own = kubeconfig or (wanted.kubeconfig if wanted.as_user else wanted.read_kubeconfig or wanted.kubeconfig)
    found = config.load(own, wanted.context, server=wanted.server)
    return replace(found, as_user=wanted.as_user or "", as_groups=wanted.as_groups, request_seconds=wanted.request_seconds or None)


@contextlib.asynccontextmanager
async def opened(settings: Settings, kubeconfig: Path | None = None) -> AsyncIterator[Reading]:
    """`kubeconfig` overrides the reader's. Raises InvalidInput for what cannot be configured; nothing is contacted yet but the clock."""
    connection = connection_of(settings, kubeconfig)
    clock = clocks.clock_of(settings.clock, connection.ca)
    documents = declared.read(settings.policy.objectives)
    async with contextlib.AsyncExitStack() as stack:
        stack.callback(clock.close)
        metrics = metrics_of(settings)
        if metrics is not None:
            stack.callback(metrics.close)
        client = await stack.enter_async_context(transport.connect(connection))
        yield Reading(clock, SnapshotReader(client, clock), metrics, documents, connection.context, connection.server)


@contextlib.asynccontextmanager
async def followed(settings: Settings, kinds: Sequence[str], namespaces: Sequence[str]) -> AsyncIterator[tuple[Reading, Follower]]:
    """As `opened`, with a reader that follows these kinds by watches: looks at them ask the cluster nothing."""
    async with opened(settings) as view, following(connection_of(settings), view.clock, kinds, namespaces) as reader:
        yield replace(view, reader=reader), reader.follower
