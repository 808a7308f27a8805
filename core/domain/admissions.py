"""The admissions port: what the webhook let through, in the SQL ledger. `tools/stores` keeps it, and has the twin.

A row is committed before its answer is given. Rows live as long as undo permits may: an undo opens only over its forward row.
"""

from typing import NamedTuple, Protocol

from core.domain.ledger import StopRow


class Admitted(NamedTuple):
    """One permit at its first use. Two registrations of the webhook ask about each write twice, so each has rows of its own.

    Version and generation are the object's before the write, 0 where it has no generation; `inverse` is the hash of taking it back.
    """

    registration: str
    jti: str
    use: str
    line: str
    uid: str
    resource_version: str
    generation: int
    inverse: str
    at: int  # Unix seconds


class Admissions(Protocol):
    """Each call is one transaction. Raises Unavailable or Corrupt, which the webhook answers as a refusal."""

    def stops(self) -> list[StopRow]: ...

    def admitted(self, registration: str, jti: str) -> Admitted | None: ...

    def admit(self, row: Admitted) -> bool:
        """False where this registration has seen the permit before; nothing is stored then."""
