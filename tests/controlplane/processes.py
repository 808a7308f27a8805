"""The programs of one control plane: started tied to us, awaited until they answer, stopped in reverse order.

Only processes started here are ever signalled: each is held by its `Popen`, which knows when its own child is gone, so a process
number that the system gave to somebody else meanwhile cannot be hit.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

TIED = Path(__file__).with_name("tied.py")
PAUSE_SECONDS = 0.05
LOG_TAIL_BYTES = 4_000


class DiedError(RuntimeError):
    """A program ended when it should run; the text holds the end of its log."""


class PortTakenError(DiedError):
    """Somebody else took the port between our choosing and the program's binding: start again with others."""


class Child(NamedTuple):
    name: str
    process: subprocess.Popen[bytes]
    log: Path

    def failure(self) -> DiedError | None:
        """What to raise if it ended by itself."""
        code = self.process.poll()
        if code is None:
            return None
        kind = PortTakenError if self.port_taken() else DiedError
        return kind(f"{self.name} exited with {code}; the end of {self.log}:\n{self.last_words()}")

    def port_taken(self) -> bool:
        return "address already in use" in self.last_words().lower()

    def last_words(self) -> str:
        return self.log.read_bytes()[-LOG_TAIL_BYTES:].decode(errors="replace")


class Processes:
    """In order of their start."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._children: list[Child] = []

    def start(self, name: str, program: Path, *arguments: str, environ: Mapping[str, str] | None = None) -> Child:
        log = self._folder / f"{name}.log"
        line = [sys.executable, "-I", "-S", str(TIED), str(os.getpid()), str(program), *arguments]
        with log.open("ab") as out:
            # A session of its own: Ctrl-C reaches the test run only, which then stops everything in order.
            process = subprocess.Popen(
                line,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                cwd=self._folder,
                env=dict(environ or clean()),
                start_new_session=True,
            )
        child = Child(name, process, log)
        self._children.append(child)
        return child

    def pids(self) -> dict[str, int]:
        return {child.name: child.process.pid for child in self._children if child.process.poll() is None}

    def wait(self, child: Child, answers: Callable[[], bool], timeout_seconds: float = 60) -> None:
        """Until it answers. Raises DiedError (or PortTakenError) when it or another one ends first, TimeoutError when it never does."""
        until = time.monotonic() + timeout_seconds
        while not answers():
            self._raise_failures()
            if time.monotonic() > until:
                kind = PortTakenError if child.port_taken() else TimeoutError
                raise kind(f"{child.name} did not answer in {timeout_seconds:.0f} s; the end of {child.log}:\n{child.last_words()}")
            time.sleep(PAUSE_SECONDS)
        self._raise_failures()  # else what answered was somebody else on its port

    def _raise_failures(self) -> None:
        for child in self._children:
            if failure := child.failure():
                raise failure

    def stop(self, child: Child, patience_seconds: float = 15) -> None:
        self._children.remove(child)
        child.process.terminate()
        try:
            child.process.wait(patience_seconds)
        except subprocess.TimeoutExpired:
            child.process.kill()
            child.process.wait()

    def stop_all(self) -> None:
        """Clients before servers; one that resists must not save the others."""
        for child in reversed(list(self._children)):
            with contextlib.suppress(OSError):
                self.stop(child)


def clean() -> dict[str, str]:
    """Our environment without what would send loopback traffic elsewhere or point a client at somebody's cluster."""
    unwanted = {"KUBECONFIG", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"}
    return {name: value for name, value in os.environ.items() if name.upper() not in unwanted}
