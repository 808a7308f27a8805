"""What judge and executor processes share: their settings file, ready line and loop. Small, because the executor's lock group is small.

`python -m runtime.roles.executor --settings FILE.json`: the parent writes the file (`RoleSettings` as JSON) and reads one line when we are
ready. The process ends with its parent, on SIGTERM, or when the ledger is damaged.
"""

import argparse
import asyncio
import contextlib
import json
import logging
import math
import os
import signal
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

from pydantic import Field, ValidationError

from core.domain.errors import Day2Error, InvalidInput, Unavailable
from core.domain.values import Value
from gate.executing.preflight import Expected
from runtime.processes import dies_with_parent, watch_parent
from tools.metrics.instant import PlainMetrics

WAITING_SECONDS = 1.0
HEADS_SECONDS = 1.0
"""How often, in real time, a role asks its clock whether the minute is over after which it signs its head."""
log = logging.getLogger(__name__)


class WebhookSettings(Value):
    """How the webhook listens, and with which certificate."""

    listen: str = "127.0.0.1:9443"
    url: str = ""
    ca: Path | None = None
    ca_key: Path | None = None
    certificate: Path | None = None
    key: Path | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """Under which the API server asks."""
        host = urlsplit(self.url).hostname if self.url else None
        return (host,) if host else ("day2-webhook.day2-system.svc",)


class Handed(Value):
    """What a child is handed in a file. `parent` is the process to die with; 0 for none."""

    parent: int = 0


class RoleSettings(Handed):
    """Everything a judge or an executor needs to know."""

    data_dir: Path
    private_dir: Path | None = None
    ledger_url: str
    audit_sink: Path | None = None
    kubeconfig: Path | None = None
    context: str = ""
    server: str = ""
    prometheus_url: str = ""
    prometheus_ca_file: Path | None = None
    prometheus_token_file: Path | None = None
    clock: str = "system"
    objectives: Path | None = None
    policies: Path | None = None
    poll_seconds: float = Field(default=0.1, gt=0)
    approval_hours: int = Field(default=24, ge=1)
    execution_minutes: int = Field(default=60, ge=1)
    denial_hours: int = Field(default=1, ge=1)
    cards_per_hour: int = Field(default=20, ge=1)
    canary_every: int = Field(default=0, ge=0)
    reviewer: Path | None = Field(default=None, description="settings of the model judge; the judge itself holds none of its keys")
    settle_seconds: float = Field(default=30.0, ge=0, description="how long a write that was not seen may still be on its way")
    guard: Expected | None = Field(description="what the executor compares before it writes; none where people switched the guard off")
    webhook: WebhookSettings = WebhookSettings()


Form = TypeVar("Form", bound=Handed)


def read(path: Path, form: type[Form]) -> Form:
    """Raises InvalidInput with the field that is wrong."""
    try:
        return form.model_validate_json(path.read_bytes())
    except OSError as error:
        raise InvalidInput(f"cannot read {path}: {error.strerror}", mend="day2 serve writes it") from error
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        raise InvalidInput(f"{path}: {'.'.join(map(str, first['loc']))}: {first['msg']}", mend="day2 serve writes it") from error


def main(role: str, run: Callable[[Form, asyncio.Event], Awaitable[None]], form: type[Form], argv: list[str] | None = None) -> int:
    """The entry of a role. Errors go to standard error with their mend; the code is 1 for what a person must mend."""
    parser = argparse.ArgumentParser(prog=f"runtime.roles.{role}")
    parser.add_argument("--settings", type=Path, required=True)
    given = parser.parse_args(argv)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s", stream=sys.stderr)
    logging.getLogger("httpx").setLevel(logging.WARNING)
    try:
        settings = read(given.settings, form)
        if settings.parent:
            dies_with_parent()
            watch_parent(settings.parent)
        asyncio.run(_until_told(run, settings))
    except Day2Error as error:
        sys.stderr.write(f"{error}\n{error.mend}\n")
        return 1
    return 0


async def _until_told(run: Callable[[Form, asyncio.Event], Awaitable[None]], settings: Form) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    await run(settings, stop)


def metrics_of(settings: RoleSettings) -> PlainMetrics | None:
    """The configured source, or none: what then cannot be known is no fact."""
    if not settings.prometheus_url:
        return None
    token = settings.prometheus_token_file.read_text(encoding="ascii").strip() if settings.prometheus_token_file else ""
    return PlainMetrics(settings.prometheus_url, ca_file=settings.prometheus_ca_file, token=token)


def ready(role: str, **more: Any) -> None:
    sys.stdout.write(json.dumps({"role": role, "pid": os.getpid(), **more}) + "\n")
    sys.stdout.flush()


def seldom(seconds: float) -> Callable[[], bool]:
    """Answers yes the first time, and then at most once in so many seconds of real time."""
    last = -math.inf

    def due() -> bool:
        nonlocal last
        now = time.monotonic()
        if now - last < seconds:
            return False
        last = now
        return True

    return due


async def every(seconds: float, stop: asyncio.Event, step: Callable[[], Awaitable[int]]) -> None:
    """Repeat `step` until told to stop, more slowly while it says that something waits. Other errors than Unavailable end the process."""
    while not stop.is_set():
        try:
            pause = max(seconds, WAITING_SECONDS) if await step() else seconds
        except Unavailable as error:
            log.warning("%s", error)
            pause = max(seconds, min(error.retry_after, 5.0))
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), pause)
