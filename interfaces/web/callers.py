"""Who calls over HTTP: by the token of this machine, in a header. Sessions of the console are another way (`interfaces/console`)."""

import asyncio
import hmac
import os
import secrets
import time
from collections.abc import Callable

from starlette.requests import Request

from core.domain.access import Caller, roles_of
from core.domain.clock import Clock
from core.domain.errors import NotAuthenticated
from core.domain.tokens import Tokens
from runtime.roles.identifying import account, given
from runtime.services import tokens
from runtime.settings import AccessSettings, Settings

BELIEVED_SECONDS = 1.0
TOKEN_FILE = "console.token"  # noqa: S105  the name of a file
BEARER = "bearer "


def local_token(settings: Settings) -> str:
    """The token of this machine's own account, made at the first call; whoever can read the file is that account. Where roles keep what is
    their own apart, it lies there: a role that is taken over must not be able to log in."""
    path = (settings.private_dir or settings.data_dir) / TOKEN_FILE
    try:
        descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    except FileExistsError:
        return path.read_text(encoding="ascii").strip()
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        token = secrets.token_urlsafe(32)
        file.write(token)
    return token


class ApiToken:
    """Whoever sends a token that `day2 token add` made is that machine. Who was known is taken to be so for `believed_seconds` more, of
    this process's time: a sender of alerts calls often, and a token that is revoked ends that much later."""

    def __init__(
        self, kept: Tokens, clock: Clock, door: str, *, believed_seconds: float = 0.0, now: Callable[[], float] = time.monotonic
    ) -> None:
        self._kept, self._clock, self._door, self._believed, self._now = kept, clock, door, believed_seconds, now
        self._known: dict[str, tuple[Caller, float]] = {}

    async def __call__(self, request: Request) -> Caller | None:
        header = request.headers.get("authorization", "")
        secret = header[len(BEARER) :].strip()
        if not header.lower().startswith(BEARER) or not secret.startswith(tokens.PREFIX):
            return None
        name, now = tokens.digest(secret), self._now()
        if (found := self._known.get(name)) is not None and now < found[1]:
            return found[0]
        caller = await asyncio.to_thread(lambda: tokens.known(self._kept, secret, door=self._door, now=self._clock.now()))
        if self._believed:
            self._known = {other: kept for other, kept in self._known.items() if now < kept[1]} | {name: (caller, now + self._believed)}
        return caller


class LocalToken:
    """Whoever sends the machine's token is the account that runs us."""

    def __init__(self, token: str, access: AccessSettings, door: str) -> None:
        by = account()
        self._token, self._caller = token, Caller(by, roles_of(by, (), given(access)), door)

    async def __call__(self, request: Request) -> Caller | None:
        header = request.headers.get("authorization", "")
        if not header.lower().startswith(BEARER):
            return None
        if not hmac.compare_digest(header[len(BEARER) :].strip().encode(), self._token.encode()):
            raise NotAuthenticated(
                "this bearer token is not known here", mend="read it anew: console.token in the data folder, or the console's private one"
            )
        return self._caller
