"""Pagers, mail and chats through apprise, for what is grave. One channel for each address, so that one that is down delays no other.

The addresses are secrets: they are read from a file, and neither they nor apprise's own log lines go anywhere. apprise belongs to
`requirements/run.in` and is loaded only where an address is configured.
"""

import asyncio
import logging
import re
import tempfile
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from core.domain.alert import Alert
from core.domain.errors import InvalidInput, Unavailable

SECONDS = 20.0


def opened(path: Path) -> "list[Page]":
    """A channel for each line of the file; empty lines and those that begin with # do not count. Raises InvalidInput, without the line."""
    try:
        lines = path.expanduser().read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInput(f"cannot read {path}: {type(error).__name__}", mend="set alerts.pages_file to a file of mode 0600") from error
    wanted = [(number, line.strip()) for number, line in enumerate(lines, 1) if line.strip() and not line.strip().startswith("#")]
    return [Page(f"page-{place}", _target(path, number, line)) for place, (number, line) in enumerate(wanted, 1)]


def _target(path: Path, number: int, address: str) -> Any:
    try:
        import apprise
    except ModuleNotFoundError as error:
        raise InvalidInput("apprise is not installed here", mend="install requirements/run.txt, or unset alerts.pages_file") from error
    log = logging.getLogger("apprise")  # it names hosts and answers of what it calls
    log.disabled, log.propagate = True, False
    found = apprise.Apprise(asset=apprise.AppriseAsset(async_mode=False, app_id="day2ops", app_desc="day2ops"))
    if not found.add(address):
        raise InvalidInput(f"{path} line {number} is no address that apprise knows", mend="such as mailto://, slack://, json://")
    return found


def posts(path: Path) -> "dict[str, Mail]":
    """A channel for reports by its name, of a file with `NAME ADDRESS` on each line. Raises InvalidInput, without the address."""
    try:
        lines = path.expanduser().read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInput(
            f"cannot read {path}: {type(error).__name__}", mend="set schedules.channels_file to a file of mode 0600"
        ) from error
    found: dict[str, Mail] = {}
    for number, line in enumerate(lines, 1):
        name, _, address = line.strip().partition(" ")
        if name and not name.startswith("#"):
            if not _NAME.fullmatch(name) or name in found:
                raise InvalidInput(f"{path} line {number} begins with no name of its own", mend="such as: platform mailto://...")
            found[name] = Mail(name, _target(path, number, address.strip()))
    return found


_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,60}")


class Mail:
    """One place that reports go to. A page goes along as a file where the place takes files."""

    def __init__(self, name: str, target: Any) -> None:
        self._name = name
        self._target = target

    async def send(self, title: str, text: str, page: str = "") -> None:
        """Raises Unavailable: it was not taken."""
        try:
            async with asyncio.timeout(SECONDS):
                done = await asyncio.to_thread(self._notify, title, text, page)
        except Exception as error:  # noqa: BLE001  a hundred services' own errors, and their texts may hold the address
            raise Unavailable(f"channel {self._name}", 300.0, reason=type(error).__name__) from None
        if not done:
            raise Unavailable(f"channel {self._name}", 300.0, reason="it did not take it", mend="look at schedules.channels_file")

    def _notify(self, title: str, text: str, page: str) -> bool:
        if not page:
            return bool(self._target.notify(body=text, title=title, notify_type="info", body_format="text"))
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "digest.html"
            file.write_text(page, encoding="utf-8")
            return bool(self._target.notify(body=text, title=title, notify_type="info", body_format="markdown", attach=str(file)))


class Page:
    """One address."""

    only_grave = True
    again_seconds = 0.0

    def __init__(self, name: str, target: Any) -> None:
        self.name = name
        self._target = target

    async def tell(self, standing: Sequence[Alert], over: Sequence[Alert], at: datetime) -> None:  # noqa: ARG002  a message has its own time
        for alert in standing:
            await self._notify(f"{alert.severity}: {alert.summary}", alert, "failure")
        for alert in over:
            await self._notify(f"over: {alert.summary}", alert, "success")

    async def _notify(self, title: str, alert: Alert, kind: str) -> None:
        labels = " ".join(f"{name}={value}" for name, value in sorted(alert.labels.items()))
        body = "\n".join(part for part in (alert.name, alert.description, labels) if part)
        try:
            async with asyncio.timeout(SECONDS):
                done = await asyncio.to_thread(self._target.notify, body=body, title=title, notify_type=kind, body_format="text")
        except Exception as error:  # noqa: BLE001  a hundred services' own errors, and their texts may hold the address
            raise Unavailable(self.name, 10.0, reason=type(error).__name__) from None
        if not done:
            raise Unavailable(self.name, 10.0, reason="the service did not take it", mend="look at alerts.pages_file")
