"""One process per role and data folder: two judges or executors on one sqlite ledger are a mistake, and are told so."""

import fcntl
import os
from pathlib import Path

from core.domain.errors import Busy


class RoleLock:
    """Held until the process ends, however it ends: the kernel gives it back."""

    def __init__(self, folder: Path, role: str) -> None:
        self._path = folder / f"lock.{role}"
        self._role = role
        self._descriptor = -1

    def take(self) -> "RoleLock":
        """Raises Busy naming the process that holds it."""
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.read(descriptor, 20).decode("ascii", "replace").strip() or "unknown"
            os.close(descriptor)
            raise Busy(
                f"process {holder} is already the {self._role} here", mend=f"stop process {holder}, or use another data folder"
            ) from None
        os.ftruncate(descriptor, 0)
        os.write(descriptor, str(os.getpid()).encode())
        self._descriptor = descriptor
        return self

    def release(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1
