"""Webhooks out: who else is told what happens, how far each was told, and what went wrong. `tools/stores/front` keeps it."""

from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple, Protocol


class Target(NamedTuple):
    """`types` are beginnings of event types, empty for all; `secret` is the name of a file. `cursor` is the last event that was delivered.
    `failures` counts since the last success; `dead`: it is told no more. `held_by` is the sender that tells it, until `held_until`: of
    several consoles over one database only that one does."""

    name: str
    url: str
    types: tuple[str, ...]
    secret: str
    by: str
    made_at: datetime
    cursor: int
    failures: int = 0
    failing_since: datetime | None = None
    next_at: datetime | None = None
    delivered_at: datetime | None = None
    said: str = ""
    dead: bool = False
    held_by: str = ""
    held_until: datetime | None = None

    def wants(self, event_type: str) -> bool:
        return not self.types or event_type.startswith(self.types)


class Targets(Protocol):
    def add(self, target: Target) -> bool:
        """False where one of this name is there."""

    def all(self) -> list[Target]: ...

    def claim(self, target: Target, sender: str, *, at: datetime, until: datetime) -> Target | None:
        """Held by this sender until then, as it stands now; again is longer. None where another holds it, or it was removed or is dead."""

    def release(self, sender: str) -> None:
        """Nothing is held by it any more."""

    def keep(self, target: Target) -> bool:
        """How it stands now, for who holds it. False where another does by now, or it was removed: then nothing is kept."""

    def remove(self, name: str) -> bool: ...


class Posted(NamedTuple):
    """`retry_after` in seconds where the other side said when."""

    status: int
    retry_after: float | None = None


class Poster(Protocol):
    async def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Posted:
        """One POST; redirects are not followed. Raises Unavailable where no answer came."""
