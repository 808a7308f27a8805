"""Shows numbers to Prometheus: an HTTP server in a thread of its own, which asks for the numbers at each scrape.

Only GET of /metrics, without a body, answered in at most one thread at a time; loopback unless people say otherwise.
"""

import contextlib
import logging
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Protocol

from core.domain.errors import Day2Error

log = logging.getLogger(__name__)
Labels = tuple[str, ...]


class Described(Protocol):
    """What a metric is called and how it is read."""

    @property
    def name(self) -> str: ...
    @property
    def type(self) -> str: ...
    @property
    def help(self) -> str: ...
    @property
    def labels(self) -> Labels: ...


class Spread(Protocol):
    """A histogram."""

    @property
    def bounds(self) -> Sequence[float]: ...
    @property
    def counts(self) -> Sequence[int]: ...
    @property
    def count(self) -> int: ...
    @property
    def total(self) -> float: ...


Gather = Callable[[], Mapping[str, Mapping[Labels, Any]]]
"""The numbers now, by metric and labels; an error of ours means that there are none now."""


class _Collector:
    def __init__(self, metrics: Sequence[Described], gather: Gather) -> None:
        self._metrics = metrics
        self._gather = gather
        self._one = threading.Lock()

    def collect(self) -> Iterator[Any]:
        from prometheus_client import core

        kinds = {"counter": core.CounterMetricFamily, "gauge": core.GaugeMetricFamily, "histogram": core.HistogramMetricFamily}
        with self._one:
            try:
                numbers = self._gather()
            except Day2Error as error:
                log.warning("no metrics: %s", error)
                return
        for metric in self._metrics:
            family: Any = kinds[metric.type](metric.name, metric.help, labels=metric.labels)
            for labels, value in sorted(numbers.get(metric.name, {}).items()):
                if metric.type == "histogram":
                    family.add_metric(labels, _buckets(value), value.total)
                else:
                    family.add_metric(labels, value)
            yield family

    def describe(self) -> list[Any]:
        return []


def _buckets(spread: Spread) -> list[tuple[str, float]]:
    return [*((str(bound), count) for bound, count in zip(spread.bounds, spread.counts, strict=True)), ("+Inf", spread.count)]


def text(metrics: Sequence[Described], gather: Gather) -> str:
    """One scrape."""
    from prometheus_client import CollectorRegistry, generate_latest

    registry = CollectorRegistry()
    registry.register(_Collector(metrics, gather))
    return generate_latest(registry).decode()


@contextlib.contextmanager
def serving(listen: str, metrics: Sequence[Described], gather: Gather) -> Iterator[int]:
    """Answer scrapes on HOST:PORT while the block lasts; the port, or 0 where none is wanted or it is taken: that stops nothing else."""
    host, _, port = listen.rpartition(":")
    if not listen:
        yield 0
        return
    from prometheus_client import CollectorRegistry, start_http_server

    registry = CollectorRegistry()
    registry.register(_Collector(metrics, gather))
    try:
        server, thread = start_http_server(int(port), host or "127.0.0.1", registry)
    except (OSError, OverflowError) as error:
        log.warning("no metrics on %s: %s", listen, error)
        yield 0
        return
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
