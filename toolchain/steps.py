"""Progress on stderr: one line per step, and on a terminal the seconds that a long one has taken so far."""

import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field


@dataclass
class Steps:
    """Numbers the steps of one job: `[2/4] what it does`. Lines stay under 60 columns and in ASCII, for any terminal and locale."""

    total: int
    began: float = field(default_factory=time.monotonic)
    number: int = 0

    def next(self, what: str) -> str:
        """Starts a step, prints its line and returns it, so that `run` can redraw it."""
        self.number += 1
        line = f"[{self.number}/{self.total}] {what}"
        print(line, file=sys.stderr, flush=True)
        return line

    def done(self, what: str) -> None:
        print(f"{what} in {time.monotonic() - self.began:.0f} s", file=sys.stderr, flush=True)


def run(command: Sequence[str], environment: Mapping[str, str], line: str = "") -> int:
    """Runs a command to its end and returns its exit code; with a terminal, redraws `line` with the seconds that passed.

    An interrupt reaches the child too (same process group): it is waited for, so that nothing still writes when we leave.
    """
    with subprocess.Popen(command, env=dict(environment), stdin=subprocess.DEVNULL) as child:
        try:
            return _wait(child, line if sys.stderr.isatty() else "")
        except KeyboardInterrupt:
            child.wait()
            raise


def _wait(child: subprocess.Popen[bytes], line: str) -> int:
    began = time.monotonic()
    while True:
        try:
            return child.wait(timeout=1.0 if line else None)
        except subprocess.TimeoutExpired:
            # Up one line, redraw, and leave the cursor below: an error that the child prints stays readable.
            print(f"\x1b[1A\r{line} {time.monotonic() - began:.0f} s\x1b[K", file=sys.stderr, flush=True)
