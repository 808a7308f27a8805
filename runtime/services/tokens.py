"""API tokens: made once, shown once, known again by their digest. Behind `day2 token` and the bearer header of the API."""

import hashlib
import re
import secrets
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import NamedTuple

from core.domain.access import MACHINE, Caller, Role
from core.domain.errors import Conflict, InvalidInput, NotAuthenticated, NotFound
from core.domain.tokens import Token, Tokens
from core.domain.values import bounded

PREFIX = "day2_"
"""What a token begins with: scanners for leaked secrets can look for it."""
NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
A_MINUTE = timedelta(minutes=1)
"""The last use is written down no more often."""


class Issued(NamedTuple):
    """`secret` is not kept: who loses it makes another token."""

    token: Token
    secret: str


def issue(kept: Tokens, name: str, roles: Iterable[str], *, by: str, now: datetime, lasts: timedelta | None = None) -> Issued:
    """Raises InvalidInput for a name or role that cannot be, Conflict for a name that was given before."""
    if not NAME.fullmatch(name):
        raise InvalidInput(f"{bounded(name, 40)!r} is no name of a token", mend="lower-case letters, digits and -, at most 63")
    known = [role.value for role in Role]
    wanted = list(roles)
    if unknown := [role for role in wanted if role not in known]:
        raise InvalidInput(f"there is no role {bounded(unknown[0], 40)!r}", mend=f"one of: {', '.join(known)}")
    if not wanted:
        raise InvalidInput("a token needs a role", mend=f"--role, one of: {', '.join(known)}")
    if lasts is not None and lasts <= timedelta(0):
        raise InvalidInput("a token that has ended already is of no use", mend="--for 30d")
    secret = PREFIX + secrets.token_urlsafe(32)
    token = Token(name, frozenset(Role(role) for role in wanted), by, now, now + lasts if lasts is not None else None)
    if not kept.add(token, digest(secret)):
        raise Conflict(f"a token named {name} was made before", mend="choose another name: records of the old one keep theirs")
    return Issued(token, secret)


def known(kept: Tokens, secret: str, *, door: str, now: datetime) -> Caller:
    """Who sends this secret. Raises NotAuthenticated, which does not tell an unknown token from one that is over."""
    token = kept.find(digest(secret))
    if token is None or token.state(now) != "active":
        raise NotAuthenticated("this token is not known here, has ended or was revoked", mend="day2 token list, then day2 token add")
    if token.last_used_at is None or now - token.last_used_at >= A_MINUTE:
        kept.used(token.name, now)
    return Caller(f"{MACHINE}{token.name}", token.roles, door)


def revoke(kept: Tokens, name: str, *, by: str, now: datetime) -> None:
    """Raises NotFound."""
    if not kept.revoke(name, by=by, at=now):
        raise NotFound(f"no token {bounded(name, 40)!r} is in force", mend="day2 token list")


def digest(secret: str) -> str:
    """256 random bits need no slow hash: there is nothing to guess."""
    return hashlib.sha256(secret.encode()).hexdigest()
