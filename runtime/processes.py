"""Our own child processes: they end with the process that started them, however that one ends."""

import ctypes
import os
import signal
import sys
import threading
import time
from collections.abc import Callable

_SET_PARENT_DEATH_SIGNAL = 1  # prctl(2), PR_SET_PDEATHSIG


def dies_with_parent(platform: str = sys.platform) -> None:
    """Runs in a new child before its program (`preexec_fn`): on Linux the kernel sends SIGTERM when the parent dies.

    Elsewhere `watch_parent` in the child does it.
    """
    if platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_SET_PARENT_DEATH_SIGNAL, signal.SIGTERM, 0, 0, 0)


def end(grace_seconds: float = 5.0, leave: Callable[[int], object] = os._exit) -> None:
    """End this process: in peace, and otherwise after a while, because event loops may hang."""
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(grace_seconds)
    leave(1)


def watch_parent(parent: int, every_seconds: float = 0.5, *, now: Callable[[], int] = os.getppid, gone: Callable[[], None] = end) -> None:
    """In a child: end this process once `parent` is no longer its parent (`now`). A thread, for the same reason."""

    def watch() -> None:
        while now() == parent:
            time.sleep(every_seconds)
        gone()

    threading.Thread(target=watch, name="parent-watch", daemon=True).start()
