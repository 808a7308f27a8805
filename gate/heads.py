"""Signed heads and anchors: each role signs how far its chain has come, so that no later part of the past can be replaced quietly.

Once a minute and when it stops, a process anchors the chains of all others in its own, and signs its own head with its own key. Who holds
the ledger and the second sink, but not every key, can then only cut off what came after the last heads. One token per line in a file of
the key's name; `gate.audit` reads them. Copy the files elsewhere to guard that too.
"""

import os
from datetime import datetime, timedelta
from pathlib import Path

from core.domain.ledger import Head, Ledger
from gate.keys import Signer

TYPE = "day2-head+jwt"
EVERY = timedelta(seconds=60)


def file_of(folder: Path, key_name: str) -> Path:
    return folder / f"audit.{key_name}.heads"


class HeadBook:
    """The heads of one role, signed by the key of one process. The file has mode 0600."""

    def __init__(self, path: Path, key: Signer, role: str) -> None:
        self._path = path
        self._key = key
        self._role = role
        self._looked: datetime | None = None
        self._signed: Head | None = None

    def keep(self, ledger: Ledger, now: datetime, *, at_once: bool = False) -> None:
        """Once a minute: anchor what others recorded, then sign and append our head if it is new."""
        if self._looked and not at_once and now - self._looked < EVERY:
            return
        self._looked = now
        head = ledger.anchor(self._role, now)
        if head is None or head == self._signed:
            return
        token = self._key.sign({"role": head.role, "seq": head.seq, "hash": head.hash, "at": now.isoformat()}, typ=TYPE)
        descriptor = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        with os.fdopen(descriptor, "a", encoding="ascii") as file:
            file.write(token + "\n")
            file.flush()
            os.fsync(file.fileno())
        self._signed = head
