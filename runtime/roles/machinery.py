"""Joins the port of machines to who makes them, by the settings. Used by the controller."""

import contextlib
from collections.abc import AsyncIterator

from core.cluster.machines import Machines
from core.domain.errors import InvalidInput
from runtime.roles.reading import Reading
from runtime.settings import HealingSettings
from tools.machines import webhook
from tools.machines.cluster_api import ClusterApiMachines


@contextlib.asynccontextmanager
async def opened(wanted: HealingSettings, reading: Reading) -> AsyncIterator[Machines | None]:
    """Raises InvalidInput for a secret that cannot be read."""
    if wanted.machines == "cluster-api":
        yield ClusterApiMachines(reading.reader)
    elif wanted.machines == "webhook" and wanted.webhook_secret_file is not None:
        try:
            secret = wanted.webhook_secret_file.expanduser().read_bytes().strip()
        except OSError as error:
            raise InvalidInput(f"the webhook's secret cannot be read: {error.strerror}", mend="healing.webhook_secret_file") from error
        async with webhook.opened(wanted.webhook_url, secret, reading.clock) as machines:
            yield machines
    else:
        yield None
