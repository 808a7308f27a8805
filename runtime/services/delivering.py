"""Webhooks out: each target gets every event that it wants, in order, at least once, signed. In the console's process, beside the reader of
events that it shares; nothing that decides or writes waits for it. Of several consoles over one database one tells a target: who
claimed its row. An event is told twice only where a sender ends between post and commit, or stands still for longer than its claim.

A receiver checks `Day2-Signature: t=SECONDS,v1=HEX`, HMAC-SHA256 of `SECONDS.BODY` under the secret that both have, and refuses what is
older than it likes. An event's `id` is the same each time it is sent.
"""

import asyncio
import contextlib
import hashlib
import hmac
import json
import logging
import re
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

from core.domain.clock import Clock
from core.domain.errors import Conflict, Day2Error, InvalidInput, NotFound, Unavailable
from core.domain.ledger import Ledger
from core.domain.values import bounded
from core.domain.webhooks import Poster, Target, Targets
from runtime.services.broadcasting import TYPES, Event, Events

ROLE = "door"
SIGNATURE = "Day2-Signature"
SHORTEST_SECRET = 16
MOST_TARGETS = 50
LOOK_SECONDS = 2.0
HELD = timedelta(seconds=30)
"""A target is claimed for so long, and claimed again at each look: who was killed is followed by another sender after that."""
ENOUGH = timedelta(seconds=15)
"""No attempt begins with less of the claim left: a post that takes as long as it may ends within it."""
LONGEST_PAUSE = 600.0
BELIEVED = 3600.0
"""Retry-After beyond an hour is not waited for."""
DEAD_AFTER = timedelta(hours=24)
GONE = 410
LOOPBACK = ("127.0.0.1", "localhost", "::1")
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
log = logging.getLogger(__name__)


def signature(secret: bytes, seconds: int, body: bytes) -> str:
    made = hmac.new(secret, f"{seconds}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={seconds},v1={made}"


def pause(failures: int) -> float:
    """Seconds before the next attempt: 2, 4, 8, to ten minutes."""
    return min(LONGEST_PAUSE, 2.0 ** min(failures, 10))


def checked(url: str) -> str:
    """Raises InvalidInput for what no signed event should go to."""
    try:
        found = urlsplit(url)
        port_is_one = found.port is None or found.port > 0
    except ValueError:
        raise InvalidInput("this is no address", mend="https://HOST/PATH") from None
    if found.username or found.password:
        raise InvalidInput("an address with a password in it would be kept in plain", mend="receivers know us by the signature")
    if not found.hostname or not port_is_one or found.scheme not in ("https", "http") or not url.isascii() or not url.isprintable():
        raise InvalidInput("this is no address of a receiver", mend="https://HOST/PATH")
    if found.scheme == "http" and found.hostname not in LOOPBACK:
        raise InvalidInput("events leave this machine over https only", mend="https://HOST/PATH; http for loopback")
    return url


class Deliveries:
    """`secrets` is the folder of their files; `sender` names this one among others. `living` tells all for as long as it is entered."""

    def __init__(
        self, targets: Targets, poster: Poster, events: Events, ledger: Ledger, clock: Clock, secrets: Path, *, sender: str = "sender"
    ) -> None:
        self.targets, self._sender = targets, sender
        self._poster, self._events, self._ledger, self._clock, self._secrets = poster, events, ledger, clock, secrets

    def add(self, name: str, url: str, types: tuple[str, ...], secret: str, *, by: str) -> Target:
        """It is told what happens from now on. Raises InvalidInput, or Conflict for a name that is taken."""
        if not _NAME.fullmatch(name):
            raise InvalidInput(f"{bounded(name, 40)!r} is no name of a webhook", mend="lower-case letters, digits and -, at most 63")
        for wanted in types:
            if not any(known.startswith(wanted) for known in TYPES):
                raise InvalidInput(
                    f"no event begins with {bounded(wanted, 60)!r}", mend=f"one of: {', '.join(TYPES)}, or the beginning of some"
                )
        self._secret(secret)
        if len(self.targets.all()) >= MOST_TARGETS:
            raise Conflict(f"there are {MOST_TARGETS} webhooks already", mend="remove one")
        target = Target(name, checked(url), types, secret, by, self._clock.now(), self._events.place())
        if not self.targets.add(target):
            raise Conflict(f"a webhook {name} is there", mend="remove it first, or take another name")
        return target

    def remove(self, name: str) -> None:
        """Raises NotFound."""
        if not self.targets.remove(name):
            raise NotFound(f"no webhook {bounded(name, 40)!r}", mend="list them: /api/v1/webhooks")

    def _secret(self, name: str) -> bytes:
        """Read at each use: such files are rotated. Raises InvalidInput, never with what is in it."""
        if not _NAME.fullmatch(name):
            raise InvalidInput("the name of a secret is the name of its file", mend="lower-case letters, digits and -, at most 63")
        try:
            found = (self._secrets / name).read_bytes().strip()
        except OSError as error:
            raise InvalidInput(
                f"no secret {name}: {error.strerror}", mend=f"put it into the file {self._secrets / name}, mode 0600"
            ) from error
        if len(found) < SHORTEST_SECRET:
            raise InvalidInput(f"secret {name} is shorter than {SHORTEST_SECRET} bytes", mend="openssl rand -hex 32")
        return found

    @contextlib.asynccontextmanager
    async def living(self, source: str) -> AsyncIterator[None]:
        """`source` is where events say that they come from."""
        task = asyncio.create_task(self._tell_all(source))
        try:
            yield
        finally:
            task.cancel()
            await asyncio.wait({task})

    async def _tell_all(self, source: str) -> None:
        """One task a target that is ours: who is down delays nobody else."""
        telling: dict[tuple[str, datetime], asyncio.Task[None]] = {}
        try:
            while True:
                try:
                    held = await self._held()
                except Day2Error as error:  # what is being told goes on as long as its claim
                    log.warning("webhooks are looked at later: %s", error)
                else:
                    for gone in [key for key, task in telling.items() if key not in held or task.done()]:
                        telling.pop(gone).cancel()
                    for key in held.keys() - telling.keys():
                        telling[key] = asyncio.create_task(self._tell(held[key], source))
                await asyncio.sleep(LOOK_SECONDS)
        finally:
            for task in telling.values():
                task.cancel()
            await asyncio.gather(*telling.values(), return_exceptions=True)
            with contextlib.suppress(Day2Error):  # then its claims end by themselves
                self.targets.release(self._sender)

    async def _held(self) -> dict[tuple[str, datetime], Target]:
        """The targets that are ours for long enough, by name and when they were added; claimed where they are free. Raises what the store
        raises."""
        found = {}
        for target in await asyncio.to_thread(self.targets.all):
            lasts = target.held_until is not None and target.held_until - self._clock.now() > ENOUGH
            ours = target if lasts and target.held_by == self._sender and not target.dead else await self._claimed(target)
            if ours is not None:
                found[target.name, target.made_at] = ours
        return found

    async def _claimed(self, target: Target) -> Target | None:
        """As it stands, held by us from now on. None where it is another's, gone or dead. Raises what the store raises."""
        now = self._clock.now()
        if target.dead or (target.held_by not in ("", self._sender) and target.held_until is not None and target.held_until > now):
            return None
        return await asyncio.to_thread(lambda: self.targets.claim(target, self._sender, at=now, until=now + HELD))

    async def _tell(self, target: Target, source: str) -> None:
        following = self._events.follow(target.cursor)
        try:
            async for event in following:
                if target.wants(event.type):
                    told = await self._delivered(target, event, source)
                    if told is None or told.dead:
                        return
                    target = told
        except Day2Error as error:  # it is begun again at the next look
            log.warning("webhook %s waits: %s", target.name, error)
        finally:
            await following.aclose()  # type: ignore[attr-defined]

    async def _delivered(self, target: Target, event: Event, source: str) -> Target | None:
        """Again and again until it is taken or the target is dead; what became of each attempt is kept. None: it is another's by now."""
        body = json.dumps(event.cloud(source), separators=(",", ":"), ensure_ascii=False).encode()
        while True:
            if target.next_at is not None and (left := (target.next_at - self._clock.now()).total_seconds()) > 0:
                await self._clock.sleep(left)
            if target.held_until is None or self._clock.now() + ENOUGH >= target.held_until:
                held = await self._claimed(target)
                if held is None or held.cursor != target.cursor:  # somebody else told it meanwhile
                    return None
                target = held
            said, after, gone = await self._attempt(target, body)
            now = self._clock.now()
            if not said:
                target = target._replace(cursor=event.place, failures=0, failing_since=None, next_at=None, delivered_at=now, said="")
                return target if await asyncio.to_thread(self.targets.keep, target) else None
            since, failures = target.failing_since or now, target.failures + 1
            wait = timedelta(seconds=min(BELIEVED, max(after or 0.0, pause(failures))))
            dead = gone or now - since >= DEAD_AFTER
            target = target._replace(failures=failures, failing_since=since, next_at=now + wait, said=said, dead=dead)
            if dead:  # on record first: whoever sees it dead ends this task
                await asyncio.to_thread(self._bury, target, now)
            if not await asyncio.to_thread(self.targets.keep, target):
                return None
            if dead:
                return target

    async def _attempt(self, target: Target, body: bytes) -> tuple[str, float | None, bool]:
        """Why it was not taken, empty where it was; when to come again; whether there is no use."""
        try:
            secret = self._secret(target.secret)
            seconds = int(self._clock.now().timestamp())
            headers = {"Content-Type": "application/cloudevents+json", "User-Agent": "day2ops", SIGNATURE: signature(secret, seconds, body)}
            posted = await self._poster.post(target.url, body, headers)
        except (InvalidInput, Unavailable) as error:
            return bounded(str(error), 200), None, False
        if 200 <= posted.status < 300:
            return "", None, False
        redirects = ", and redirects are not followed" if 300 <= posted.status < 400 else ""
        return f"HTTP {posted.status}{redirects}", posted.retry_after, posted.status == GONE

    def _bury(self, target: Target, now: datetime) -> None:
        log.warning("webhook %s is told no more: %s", target.name, target.said)
        body = {"said": target.said, "since": target.failing_since.isoformat() if target.failing_since else ""}
        self._ledger.record(role=ROLE, event="webhook.dead", subject=target.name, body=body, at=now)
