"""One agent as a process of its own: it registers with a lease, serves consultations from its queue, and reads clusters as the reader.

`python -m runtime.roles.agent --settings FILE.json --agent finops`: the parent writes the file (`AgentSettings` as JSON, mode 0600)
and reads one line when we are ready. On SIGTERM the process takes no further task, finishes the one it has, and gives its lease back.
It ends with its parent. It can write nothing: not to the cluster, not to the ledger.
"""

import argparse
import asyncio
import contextlib
import json
import logging
import os
import signal
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import Field, ValidationError

from agents.catalogue import AGENTS, agent
from core.domain.errors import Day2Error, InvalidInput, Unavailable
from core.domain.request import Request
from core.domain.values import Value, bounded
from registry import sealing
from registry.grants import limited
from registry.membership import Registry
from registry.tasks import Tasks
from runtime import leasing
from runtime.consulting import InProcess
from runtime.processes import dies_with_parent, watch_parent
from runtime.roles import reading
from runtime.roles.reading import Reading
from runtime.settings import KubernetesSettings, PolicySettings, PrometheusSettings, RegistrySettings, Settings

log = logging.getLogger(__name__)

Plain = dict[str, Any]
LOOK_MS = 500  # how soon a stop is noticed between tasks


class AgentSettings(Value):
    """Everything an agent process needs to know. `parent` is the process to die with; 0 for none."""

    registry_url: str
    key_file: Path
    lease_seconds: int = Field(default=15, ge=1)
    renew_seconds: float = Field(default=5.0, gt=0)
    kubeconfig: Path | None = None
    context: str = ""
    server: str = ""
    prometheus_url: str = ""
    prometheus_ca_file: Path | None = None
    prometheus_token_file: Path | None = None
    clock: str = "system"
    objectives: Path | None = None
    parent: int = 0

    def for_reading(self) -> Settings:
        """The part that opens readers."""
        return Settings(
            kubernetes=KubernetesSettings(kubeconfig=self.kubeconfig, context=self.context, server=self.server),
            prometheus=PrometheusSettings(url=self.prometheus_url, ca_file=self.prometheus_ca_file, token_file=self.prometheus_token_file),
            registry=RegistrySettings(),
            policy=PolicySettings(objectives=self.objectives),
            clock=self.clock,
        )


def settings_for(settings: Settings, registry_url: str, *, parent: int = 0) -> AgentSettings:
    """What a parent writes into the file for its agents."""
    cluster, source = settings.kubernetes, settings.prometheus
    return AgentSettings(
        registry_url=registry_url,
        key_file=settings.agents_key_file,
        lease_seconds=settings.registry.lease_seconds,
        renew_seconds=settings.registry.renew_seconds,
        kubeconfig=cluster.read_kubeconfig or cluster.kubeconfig,
        context="" if cluster.read_kubeconfig else cluster.context,
        server=cluster.server,
        prometheus_url=source.url,
        prometheus_ca_file=source.ca_file,
        prometheus_token_file=source.token_file,
        clock=settings.clock,
        objectives=settings.policy.objectives,
        parent=parent,
    )


@dataclass(frozen=True)
class Work:
    """One agent at its desk: a task's JSON in, a consultation's JSON out."""

    name: str
    local: InProcess

    async def __call__(self, body: Plain) -> Plain:
        """Raises a Day2Error for a task that is none, for what cannot be read, and for the agent's own defect: the asker is told each."""
        if body.get("agent") != self.name:
            raise InvalidInput(f"this task is not for {self.name}")
        try:
            request = Request.model_validate_json(json.dumps(body.get("request")))
        except ValidationError as error:
            raise InvalidInput(f"the task's request is not understood: {error.error_count()} mistakes") from error
        try:
            return await self.local.consult(self.name, request)
        except Day2Error:
            raise
        except Exception as error:  # the agent's own defect must reach the asker, and not end the process that others ask
            log.exception("consultation for %s failed", request.id)
            raise Unavailable(f"agent {self.name}", 60.0, reason=bounded(f"its own defect: {type(error).__name__}", 120)) from error


async def run(settings: AgentSettings, name: str, stop: asyncio.Event) -> None:
    """Serve until told to stop. Raises InvalidInput for an unknown agent, Unavailable where there is no registry to register with."""
    found = agent(name)
    if found is None:
        raise InvalidInput(f"no agent {bounded(name, 40)!r}", mend=f"one of: {', '.join(sorted(item.name for item in AGENTS))}")
    async with contextlib.AsyncExitStack() as stack:
        view = await stack.enter_async_context(reading.opened(settings.for_reading()))
        registry = Registry(settings.registry_url, lease_seconds=settings.lease_seconds)
        stack.push_async_callback(registry.close)
        tasks = Tasks(settings.registry_url, sealing.key(settings.key_file), take_over_ms=settings.lease_seconds * 1000)
        stack.push_async_callback(tasks.close)
        card = limited(leasing.card_of(found), view.declared.grants)
        held = await stack.enter_async_context(leasing.leases(registry, (card,), settings.renew_seconds))
        serving = asyncio.create_task(_serve(tasks, held.instance, Work(name, _local(found.name, view)), stop), name="serving")
        _ready(name, held.instance)
        await _first(serving, stop)
        with contextlib.suppress(Unavailable):
            await held.drain()
        await serving


def _local(name: str, view: Reading) -> InProcess:
    own = {item.name: item for item in AGENTS if item.name == name}
    return InProcess(own, view.reader, view.metrics, view.declared.objectives, view.declared.prices, view.clock)


async def _serve(tasks: Tasks, instance: str, work: Work, stop: asyncio.Event) -> None:
    """One task at a time. Without Redis it waits and tries again; the lease is renewed beside it."""
    while not stop.is_set():
        try:
            await tasks.serve_one(work.name, instance, work, wait_ms=LOOK_MS)
        except Unavailable as error:
            log.warning("%s", error)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), min(error.retry_after, 5.0))


async def _first(serving: asyncio.Task[None], stop: asyncio.Event) -> None:
    """Until told to stop, or until serving has ended by a defect."""
    waiting = asyncio.create_task(stop.wait())
    await asyncio.wait({serving, waiting}, return_when=asyncio.FIRST_COMPLETED)
    waiting.cancel()


def _ready(name: str, instance: str) -> None:
    sys.stdout.write(json.dumps({"role": "agent", "agent": name, "instance": instance, "pid": os.getpid()}) + "\n")
    sys.stdout.flush()


def read(path: Path) -> AgentSettings:
    """Raises InvalidInput with the field that is wrong."""
    try:
        return AgentSettings.model_validate_json(path.read_bytes())
    except OSError as error:
        raise InvalidInput(f"cannot read {path}: {error.strerror}", mend="day2 agent serve writes it") from error
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        raise InvalidInput(f"{path}: {'.'.join(map(str, first['loc']))}: {first['msg']}", mend="day2 agent serve writes it") from error


async def _until_told(settings: AgentSettings, name: str) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    await run(settings, name, stop)


def main(argv: list[str] | None = None) -> int:
    """Errors go to standard error with their mend; the code is 1 for what a person must mend."""
    parser = argparse.ArgumentParser(prog="runtime.roles.agent")
    parser.add_argument("--settings", type=Path, required=True)
    parser.add_argument("--agent", required=True)
    given = parser.parse_args(argv)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s", stream=sys.stderr)
    logging.getLogger("httpx").setLevel(logging.WARNING)
    try:
        settings = read(given.settings)
        if settings.parent:
            dies_with_parent()
            watch_parent(settings.parent)
        asyncio.run(_until_told(settings, given.agent))
    except Day2Error as error:
        sys.stderr.write(f"{error}\n{error.mend}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
