"""A real Alertmanager on loopback, for tests that ask what it makes of what we send. It may be stopped and started again in its place."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from tests.controlplane import build
from tests.controlplane.processes import Child, Processes
from tests.controlplane.programs import HOST


class NotBuiltError(RuntimeError):
    """`make control-plane` builds it."""


class Alertmanager:
    """`config` is Alertmanager's own configuration as data (JSON is YAML)."""

    def __init__(self, folder: Path, config: dict[str, Any], port: int) -> None:
        found = build.find("alertmanager")
        if found is None:
            raise NotBuiltError("alertmanager is not built; `make control-plane` builds it")
        self._program, self._folder, self._port = found, folder, port
        (folder / "alertmanager.yaml").write_text(json.dumps(config))
        self._processes = Processes(folder)
        self._child: Child | None = None
        self._http = httpx.Client(base_url=self.url, trust_env=False)

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self._port}"

    def start(self) -> None:
        """Raises DiedError with its words where it does not take the configuration."""
        self._child = self._processes.start(
            "alertmanager",
            self._program,
            f"--config.file={self._folder / 'alertmanager.yaml'}",
            f"--storage.path={self._folder / 'data'}",
            f"--web.listen-address={HOST}:{self._port}",
            "--cluster.listen-address=",  # alone
        )
        self._processes.wait(self._child, self._ready)

    def stop(self) -> None:
        if self._child is not None:
            self._processes.stop(self._child)
            self._child = None

    def close(self) -> None:
        self._processes.stop_all()
        self._http.close()

    def alerts(self, name: str) -> list[dict[str, Any]]:
        """What it holds under this name and has not ended, with `status.state`, `endsAt`, `updatedAt` and the receivers."""
        answer = self._http.get("/api/v2/alerts", params={"filter": f'alertname="{name}"'}).raise_for_status()
        found: list[dict[str, Any]] = answer.json()
        return found

    def _ready(self) -> bool:
        try:
            return self._http.get("/-/ready").is_success
        except httpx.TransportError:
            return False


@contextmanager
def alertmanager(folder: Path, config: dict[str, Any], port: int) -> Iterator[Alertmanager]:
    """Started, and gone at the end."""
    found = Alertmanager(folder, config, port)
    try:
        found.start()
        yield found
    finally:
        found.close()
