"""API tokens of machines: names with roles and an end. The secret is shown once and kept nowhere; `tools/stores/front` keeps its digest."""

from datetime import datetime
from typing import NamedTuple, Protocol

from core.domain.access import Role


class Token(NamedTuple):
    """`name` is given once and never again, so that the audit chain's `token:NAME` means one token for ever. `expires_at` None: no end."""

    name: str
    roles: frozenset[Role]
    by: str
    made_at: datetime
    expires_at: datetime | None = None
    last_used_at: datetime | None = None
    revoked_at: datetime | None = None
    revoked_by: str = ""

    def state(self, now: datetime) -> str:
        if self.revoked_at is not None:
            return "revoked"
        return "expired" if self.expires_at is not None and self.expires_at <= now else "active"


class Tokens(Protocol):
    def add(self, token: Token, secret_digest: str) -> bool:
        """False where the name was given before, also to a token that is over."""

    def find(self, secret_digest: str) -> Token | None: ...

    def all(self) -> list[Token]:
        """Oldest first, with those that are over."""

    def used(self, name: str, at: datetime) -> None: ...

    def revoke(self, name: str, *, by: str, at: datetime) -> bool:
        """False where no such token is there, or it was revoked already."""
