"""The second sink of the audit chains: one JSON line per row in a file of its own, appended after the commit, in the ledger's order.

Several processes write one ledger; a lock on the file lets each bring the sink up to the ledger's head, in order and without gaps, also
the rows of a process that died between its commit and its line. Both are flushed to the disk before a writer goes on.
"""

import fcntl
import os
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import IO, NamedTuple

import msgspec

from core.domain.errors import Corrupt
from core.domain.ledger import AuditRow
from core.domain.values import canonical

PAGE = 10_000
_TAIL = 32_768


class _Written(NamedTuple):
    """The last line that this process wrote, and whose it is."""

    place: int
    line: bytes

    def ends(self, file: IO[bytes]) -> bool:
        """Whether this is what the file ends with."""
        file.seek(max(0, file.seek(0, os.SEEK_END) - len(self.line)))
        return bool(self.line) and file.read() == self.line


class Sink:
    """`path` is created with mode 0600."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._ours = _Written(0, b"")

    def catch_up(self, chain: Callable[[int, int], list[AuditRow]], fresh: Sequence[AuditRow] = ()) -> None:
        """Append every row after the last line; `chain` gives a page from a place on. A line that a crash cut off is removed first.

        `fresh` are the rows just committed: where the file still ends with what we wrote and they come next, nothing is read back.
        """
        descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        with os.fdopen(descriptor, "r+b") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            next_to_ours = fresh and fresh[0].place == self._ours.place + 1 and self._ours.ends(file)
            rows = fresh if next_to_ours else self._missing(file, chain)
            while rows:
                lines = [_line(row) for row in rows]
                file.writelines(lines)
                self._ours = _Written(rows[-1].place, lines[-1])
                rows = chain(rows[-1].place + 1, PAGE) if len(rows) >= PAGE - 1 else []
            file.flush()
            os.fsync(descriptor)

    def _missing(self, file: IO[bytes], chain: Callable[[int, int], list[AuditRow]]) -> Sequence[AuditRow]:
        last = _last(file)
        rows = chain(last.place if last else 1, PAGE)
        if last and (not rows or rows[0].hash != last.hash):
            raise Corrupt(
                f"{self.path} and the ledger disagree at record {last.place} ({last.name})",
                mend="stop day2 and compare them: day2 audit verify",
            )
        return rows[1:] if last else rows

    def head(self) -> AuditRow | None:
        """The last whole line."""
        if not self.path.exists():
            return None
        with self.path.open("rb") as file:
            lines = [line for line in _tail(file) if line.endswith(b"\n")]
        return parsed(lines[-1]) if lines else None

    def rows(self) -> Iterator[AuditRow]:
        """Every whole line. Raises Corrupt for one that is no record."""
        if self.path.exists():
            with self.path.open("rb") as file:
                yield from (parsed(line) for line in file if line.endswith(b"\n"))


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
    lines = _tail(file)
    if lines and not lines[-1].endswith(b"\n"):
        file.truncate(file.seek(0, os.SEEK_END) - len(lines.pop()))
    return parsed(lines[-1]) if lines else None


def _tail(file: IO[bytes]) -> list[bytes]:
    """The lines within the last 32 KiB, the last one perhaps cut off; a record is at most a few KiB."""
    start = file.seek(max(0, file.seek(0, os.SEEK_END) - _TAIL))
    return file.read().splitlines(keepends=True)[start > 0 :]
