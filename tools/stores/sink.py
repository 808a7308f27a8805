"""The second sink of the audit chains: one JSON line per row in a file of its own, appended after the commit, in the ledger's order.

Several processes write one ledger; a lock on the file lets each bring the sink up to the ledger's head, in order and without gaps, also
the rows of a process that died between its commit and its line. The ledger's own commit is what is flushed to the disk.
"""

import fcntl
import os
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import IO

import msgspec

from core.domain.errors import Corrupt
from core.domain.ledger import AuditRow
from core.domain.values import canonical

PAGE = 10_000
_TAIL = 32_768


class Sink:
    """`path` is created with mode 0600."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def catch_up(self, chain: Callable[[int, int], list[AuditRow]]) -> None:
        """Append every row after the last line; `chain` gives a page from a place on. A line that a crash cut off is removed first."""
        descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600)
        with os.fdopen(descriptor, "r+b") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            last = _last(file)
            file.seek(0, os.SEEK_END)
            rows = chain(last.place if last else 1, PAGE)
            if last:
                if not rows or rows[0].hash != last.hash:
                    raise Corrupt(
                        f"{self.path} and the ledger disagree at record {last.place} ({last.name})",
                        mend="stop day2 and compare them: day2 audit verify",
                    )
                rows = rows[1:]
            while rows:
                file.writelines(_line(row) for row in rows)
                rows = chain(rows[-1].place + 1, PAGE) if len(rows) >= PAGE - 1 else []

    def head(self) -> AuditRow | None:
        """The last whole line."""
        if not self.path.exists():
            return None
        with self.path.open("rb") as file:
            return parsed(lines[-1]) if (lines := _whole_lines(file)) else None

    def rows(self) -> Iterator[AuditRow]:
        """Every whole line. Raises Corrupt for one that is no record."""
        if self.path.exists():
            with self.path.open("rb") as file:
                for line in file:
                    if line.endswith(b"\n"):
                        yield parsed(line)


def parsed(line: bytes) -> AuditRow:
    try:
        body = msgspec.json.decode(line)
        # a line of the first form has one number, which is its place
        return AuditRow(**({"place": body["seq"]} | body | {"at": datetime.fromisoformat(body["at"])}))
    except (msgspec.DecodeError, ValueError, TypeError, KeyError) as error:
        raise Corrupt("a line of audit.jsonl is no record", mend="compare it with the ledger: day2 audit verify") from error


def _line(row: AuditRow) -> bytes:
    return canonical(row._asdict() | {"at": row.at.isoformat(timespec="microseconds")}) + b"\n"


def _last(file: IO[bytes]) -> AuditRow | None:
    """The last whole line; what a crash left behind it is cut off."""
    lines = _whole_lines(file)
    end = file.seek(0, os.SEEK_END)
    file.seek(max(0, end - _TAIL))
    tail = file.read()
    if tail and not tail.endswith(b"\n"):
        file.truncate(end - (len(tail) - (tail.rfind(b"\n") + 1)))
    return parsed(lines[-1]) if lines else None


def _whole_lines(file: IO[bytes]) -> list[bytes]:
    """The whole lines within the last 32 KiB; a record is at most a few KiB."""
    end = file.seek(0, os.SEEK_END)
    file.seek(max(0, end - _TAIL))
    tail = file.read()
    if end > _TAIL:
        tail = tail[tail.find(b"\n") + 1 :]
    return [line for line in tail.splitlines(keepends=True) if line.endswith(b"\n")]
