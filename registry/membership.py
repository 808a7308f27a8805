"""Cards, leases and states of agents in Redis. Used by agents (to register), the supervisor (to choose) and `day2 agent`.

Keys: `day2:card:<name>:<digest>` (never changed), `day2:agent:<name>` (hash: digest, version, state), `day2:lease:<name>:<instance>`
(expires by itself), `day2:cap:<capability>` (set of names), `day2:changes` (stream). A lease is renewed only by who holds it: SET IFEQ on
Valkey 8.1 and later, WATCH/MULTI elsewhere. Leases are hints about life, never authority: fencing epochs come from SQL.
"""

import contextlib
import logging
from collections.abc import AsyncIterator, Iterator
from enum import StrEnum
from typing import Any, NamedTuple

import redis.asyncio
from pydantic import ValidationError
from redis.exceptions import RedisError, ResponseError, WatchError

from core.domain.errors import InvalidInput, Refused, Unavailable
from core.domain.values import bounded
from registry.cards import Card

log = logging.getLogger(__name__)

CHANGES = "day2:changes"
CHANGES_KEPT = 10_000
LONGEST_WAIT_MS = 4_000  # under the socket's own deadline, which would look like a dead server
SOCKET_SECONDS = 5
ATTEMPTS = 20
MOST_AGENTS = 200
LARGEST_CARD = 2**18


class State(StrEnum):
    """An agent's state; `expired` is not stored: it is the absence of a lease."""

    REGISTERED = "registered"
    READY = "ready"
    DRAINING = "draining"
    SUSPENDED = "suspended"
    EXPIRED = "expired"


class Member(NamedTuple):
    """One agent as the registry knows it. `lease_ms` is the longest remaining lease of its instances, 0 when expired."""

    name: str
    state: State
    card: Card
    digest: str
    instances: tuple[str, ...]
    lease_ms: int

    @property
    def takes_work(self) -> bool:
        return self.state is State.READY


class Change(NamedTuple):
    """One entry of the change stream, to be resumed after `id`."""

    id: str
    event: str
    agent: str


class Registry:
    """`url` is redis:// or rediss://. Every method raises Unavailable when Redis does not answer."""

    def __init__(self, url: str, *, lease_seconds: int = 15) -> None:
        # redis-py types every answer as bytes or str, whatever decode_responses says
        self._redis: Any = redis.asyncio.Redis.from_url(
            address(url), decode_responses=True, encoding_errors="replace", socket_timeout=SOCKET_SECONDS, socket_connect_timeout=2
        )
        self._lease_ms = lease_seconds * 1000
        self._compares: bool | None = None

    async def close(self) -> None:
        await self._redis.aclose()

    async def ping(self) -> dict[str, Any]:
        """Version and persistence, for doctor."""
        with redis_errors():
            info = await self._redis.info()
            return {key: info.get(key) for key in ("valkey_version", "redis_version", "aof_enabled", "used_memory")}

    async def register(self, card: Card, instance: str) -> str:
        """Store the card and take the lease. Raises Refused for a card older than the known one, or other content under one version."""
        with redis_errors():
            for _ in range(ATTEMPTS):
                with contextlib.suppress(WatchError):
                    await self._register(card, instance)
                    return card.digest()
        raise Unavailable("the registry", 1.0, reason=f"too many registrations of {card.name} at once")

    async def _register(self, card: Card, instance: str) -> None:
        """One attempt; raises WatchError when another registration of this agent came between reading and writing."""
        async with self._redis.pipeline(transaction=True) as batch:
            await batch.watch(f"day2:agent:{card.name}")
            known = await self._card(card.name)
            if known is not None and known.digest() != card.digest() and not card.later_than(known):
                reason = f"agent {card.name} {card.version} is not later than the registered {known.version}"
                raise Refused((reason,), mend=f"start the later version; if there is none, redis-cli DEL day2:agent:{card.name}")
            before = await self._member(card.name)
            dead = await self._dead(card.name)
            batch.multi()
            for item in known.capabilities if known else ():
                batch.srem(f"day2:cap:{item.id}", card.name)
            for item in card.capabilities:
                batch.sadd(f"day2:cap:{item.id}", card.name)
            batch.set(f"day2:card:{card.name}:{card.digest()}", card.model_dump_json())
            fields: Any = {"digest": card.digest(), "version": card.version, "state": _entering(before)}
            batch.hset(f"day2:agent:{card.name}", mapping=fields)
            batch.sadd("day2:agents", card.name)
            batch.set(_lease(card.name, instance), instance, px=self._lease_ms)
            if dead:
                batch.srem(f"day2:instances:{card.name}", *dead)
            batch.sadd(f"day2:instances:{card.name}", instance)
            self._note(batch, "registered", card.name)
            await batch.execute()

    async def renew(self, name: str, instance: str) -> bool:
        """False when the lease was lost: register again, work of the old lease is void."""
        with redis_errors():
            key = _lease(name, instance)
            if self._compares is not False:
                try:
                    answer = await self._redis.execute_command("SET", key, instance, "IFEQ", instance, "PX", self._lease_ms)
                except ResponseError:
                    self._compares = False
                else:
                    self._compares = True
                    return answer is not None
            return await self._renew_watched(key, instance)

    async def _renew_watched(self, key: str, instance: str) -> bool:
        async with self._redis.pipeline(transaction=True) as batch:
            try:
                await batch.watch(key)
                if await batch.get(key) != instance:
                    return False
                batch.multi()
                batch.pexpire(key, self._lease_ms)
                await batch.execute()
            except WatchError:
                return False
            return True

    async def move(self, name: str, state: State) -> None:
        """Set an agent's state. An unknown agent is Refused."""
        with redis_errors():
            if not await self._redis.sismember("day2:agents", name):
                raise Refused((f"no agent {name!r} is registered",), mend="day2 agent list")
            async with self._redis.pipeline(transaction=True) as batch:
                batch.hset(f"day2:agent:{name}", "state", state)
                self._note(batch, state.value, name)
                await batch.execute()

    async def release(self, name: str, instance: str) -> None:
        with redis_errors():
            async with self._redis.pipeline(transaction=True) as batch:
                batch.delete(_lease(name, instance))
                batch.srem(f"day2:instances:{name}", instance)
                self._note(batch, "released", name)
                await batch.execute()

    async def members(self) -> tuple[Member, ...]:
        """All that ever registered, by name; without a living lease the state is expired."""
        return await self._known("day2:agents")

    async def able(self, capability: str) -> tuple[Member, ...]:
        """Members that are ready, alive, and have the capability."""
        return tuple(member for member in await self._known(f"day2:cap:{capability}") if member.takes_work)

    async def changes(self, after: str = "0", *, wait_ms: int = 0) -> tuple[Change, ...]:
        """What happened since `after`; resume with the last id. Waits 4 s at most. Keyspace notifications would lose events."""
        with redis_errors():
            answer = await self._redis.xread({CHANGES: after}, count=1000, block=min(wait_ms, LONGEST_WAIT_MS) or None)
        rows = answer[0][1] if isinstance(answer, list) and answer else (answer or {}).get(CHANGES, []) if answer else []
        flat = rows[0] if rows and isinstance(rows[0], list) else rows
        return tuple(Change(str(row[0]), str(row[1].get("event", "")), str(row[1].get("agent", ""))) for row in flat)

    async def _known(self, names: str) -> tuple[Member, ...]:
        """Those whose names stand in this set. Raises Unavailable for a set that nobody who means well has filled."""
        with redis_errors():
            count = await self._redis.scard(names)
            if count > MOST_AGENTS:
                raise Unavailable("the registry", 60.0, reason=f"it holds {count} agents", mend="somebody else writes into it: day2 doctor")
            found = [await self._member(name) for name in sorted(await self._redis.smembers(names))]
        return tuple(member for member in found if member is not None)

    async def _member(self, name: str) -> Member | None:
        card = await self._card(name)
        if card is None:
            return None
        stored = await self._redis.hget(f"day2:agent:{name}", "state")
        instances = await self._instances(name)
        alive = {instance: left for instance in instances if (left := await self._redis.pttl(_lease(name, instance))) > 0}
        known = State(stored) if stored in set(State) else State.REGISTERED
        state = known if alive or known is State.SUSPENDED else State.EXPIRED
        return Member(name, state, card, card.digest(), tuple(alive), max(alive.values(), default=0))

    async def _card(self, name: str) -> Card | None:
        """The card under its digest; one that does not hash to its address, or is no card, is nobody's."""
        current = await self._redis.hget(f"day2:agent:{name}", "digest")
        text = await self._redis.getrange(f"day2:card:{name}:{current}", 0, LARGEST_CARD) if current else None
        try:
            card = Card.model_validate_json(text) if text else None
        except ValidationError:
            card = None
        if text and (card is None or card.digest() != current or card.name != name):
            log.warning("the stored card of %s is damaged; the agent counts as unknown until it registers again", bounded(name))
            return None
        return card

    async def _dead(self, name: str) -> list[str]:
        """Instances without a lease: their rows would pile up."""
        return [instance for instance in await self._instances(name) if not await self._redis.exists(_lease(name, instance))]

    async def _instances(self, name: str) -> list[str]:
        """All of them; of a set that nobody who means well has filled, some."""
        return sorted(await self._redis.srandmember(f"day2:instances:{name}", MOST_AGENTS))

    def _note(self, batch: Any, event: str, agent: str) -> None:
        batch.xadd(CHANGES, {"event": event, "agent": agent}, maxlen=CHANGES_KEPT, approximate=True)


@contextlib.contextmanager
def redis_errors() -> Iterator[None]:
    """Redis not there, or not in time, becomes Unavailable."""
    try:
        yield
    except (RedisError, OSError) as error:
        raise Unavailable("the registry", 2.0, reason=type(error).__name__, mend="check registry.url: day2 doctor") from error


@contextlib.asynccontextmanager
async def opened(url: str, *, lease_seconds: int = 15) -> AsyncIterator[Registry]:
    registry = Registry(url, lease_seconds=lease_seconds)
    try:
        yield registry
    finally:
        await registry.close()


def address(url: str) -> str:
    """The same address. Raises InvalidInput for one that is none; it may hold a password and is not repeated."""
    try:
        redis.asyncio.ConnectionPool.from_url(url)
    except ValueError as error:
        raise InvalidInput("registry.url is no redis:// or rediss:// address", mend="day2 config explain registry.url") from error
    return url


def _entering(before: Member | None) -> State:
    """A suspension outlives a registration; a further instance of a working agent does not interrupt it."""
    if before is not None and (before.state is State.SUSPENDED or before.takes_work):
        return before.state
    return State.REGISTERED


def _lease(name: str, instance: str) -> str:
    return f"day2:lease:{name}:{instance}"
