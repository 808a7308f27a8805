"""Signed heads of the audit chain: the judge signs how far the chain has come, so that no later part of the past can be replaced quietly.

One token per line in `audit.heads`, appended at most once a minute and when the judge stops. Who holds the ledger and the second sink, but
not the judge's key, can then only cut off what came after the last head. Copy the file elsewhere to guard that too.
"""

import os
from collections.abc import Iterable
from datetime import datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from core.domain.errors import NotAuthenticated
from gate.keys import Signer, Verifier

TYPE = "day2-head+jwt"
EVERY = timedelta(seconds=60)
NAME = "audit.heads"


class Head(NamedTuple):
    """The chain ended with this hash at this sequence."""

    seq: int
    hash: str


class HeadBook:
    """Appends to `path` (0600). `written` is the last head of this process."""

    def __init__(self, path: Path, key: Signer) -> None:
        self._path = path
        self._key = key
        self._last: tuple[Head, datetime] | None = None

    def keep(self, head: Head, now: datetime, *, at_once: bool = False) -> None:
        """Sign and append a head that is new, once a minute."""
        if head.seq == 0 or (self._last and (self._last[0] == head or (not at_once and now - self._last[1] < EVERY))):
            return
        token = self._key.sign({"seq": head.seq, "hash": head.hash, "at": now.isoformat()}, typ=TYPE)
        descriptor = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        with os.fdopen(descriptor, "a", encoding="ascii") as file:
            file.write(token + "\n")
            file.flush()
            os.fsync(file.fileno())
        self._last = (head, now)


def read(path: Path, key: Verifier) -> tuple[list[Head], list[str]]:
    """The heads that this key signed, and what is wrong with the other lines. A last line that a crash cut off is no problem."""
    heads: list[Head] = []
    problems: list[str] = []
    text = path.read_text(encoding="ascii", errors="replace") if path.exists() else ""
    for number, line in enumerate(text.splitlines(keepends=True), 1):
        if not line.endswith("\n"):
            break
        try:
            claims = key.claims(line.strip(), typ=TYPE)
            heads.append(Head(int(claims["seq"]), str(claims["hash"])))
        except (NotAuthenticated, KeyError, TypeError, ValueError):
            problems.append(f"{path.name} line {number} is no head that the judge signed")
    return heads, problems


def contradicted(heads: Iterable[Head], hashes: dict[int, str]) -> list[str]:
    """Signed heads that the chain does not contain."""
    return [
        f"the judge signed record {head.seq} with another hash than the chain has" for head in heads if hashes.get(head.seq) != head.hash
    ]
