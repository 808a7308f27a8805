"""Sessions of people who are logged in at the console. The port; `tools/stores/front/sessions.py` keeps them, and has the twin.

A session is named by the SHA-256 of its id: whoever reads the database can be nobody with it. Roles are not kept: they are looked up at
each request, so what is taken away in the settings is gone at once.
"""

from datetime import datetime, timedelta
from typing import NamedTuple, Protocol


class Session(NamedTuple):
    """`authenticated_at` is when they last proved who they are, `how` by what: `token` or `oidc`."""

    key: str
    by: str
    groups: tuple[str, ...]
    how: str
    began_at: datetime
    seen_at: datetime
    authenticated_at: datetime

    def over(self, now: datetime, *, idle: timedelta, longest: timedelta) -> bool:
        return now - self.seen_at >= idle or now - self.began_at >= longest


class Sessions(Protocol):
    def open(self, session: Session) -> None: ...

    def get(self, key: str) -> Session | None: ...

    def touch(self, key: str, at: datetime) -> None:
        """It was used. Nothing happens where it is gone."""

    def close(self, key: str) -> bool:
        """False where it was gone already."""

    def forget(self, *, seen_before: datetime, began_before: datetime) -> int:
        """Take away those that are over; how many there were."""
