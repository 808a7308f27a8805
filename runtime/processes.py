"""Our own child processes: they end with the process that started them, however that one ends."""

import ctypes
import os
import signal
import sys
import threading
import time

_SET_PARENT_DEATH_SIGNAL = 1  # prctl(2), PR_SET_PDEATHSIG


def dies_with_parent() -> None:
    """Runs in a new child before its program (`preexec_fn`): on Linux the kernel sends SIGTERM when the parent dies.

    Elsewhere `watch_parent` in the child does it.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_SET_PARENT_DEATH_SIGNAL, signal.SIGTERM, 0, 0, 0)


def watch_parent(parent: int, every_seconds: float = 0.5) -> None:
    """In a child: end this process once `parent` is no longer its parent. A thread, because event loops may hang."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(every_seconds)
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(5)
        os._exit(1)

    threading.Thread(target=watch, name="parent-watch", daemon=True).start()
