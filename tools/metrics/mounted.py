"""The small metrics reader over a client of the caller's own: for evaluations, whose Prometheus is mounted in their process."""

import httpx

from tools.metrics.instant import PlainMetrics


class MountedMetrics(PlainMetrics):
    """The client's base is that of the HTTP API; its owner closes it."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client
