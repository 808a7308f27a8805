"""Cards, leases and states, against a real Valkey."""

import asyncio
import socket
from collections.abc import Callable

import pytest
import redis.asyncio

from core.domain.errors import InvalidInput, Refused, Unavailable
from registry.cards import Card
from registry.membership import LARGEST_CARD, MOST_AGENTS, Registry, State, opened

MakeCard = Callable[..., Card]


async def ready(registry: Registry, card: Card, instance: str = "one") -> None:
    await registry.register(card, instance)
    await registry.move(card.name, State.READY)


async def only(registry: Registry) -> tuple[State, tuple[str, ...]]:
    (member,) = await registry.members()
    return member.state, member.instances


async def until_expired(registry: Registry, name: str) -> None:
    async with asyncio.timeout(60):
        while any(member.name == name and member.lease_ms for member in await registry.members()):  # noqa: ASYNC110  expiry is silent
            await asyncio.sleep(0.02)


async def test_an_agent_is_registered_first_and_takes_work_when_ready(registry: Registry, card: MakeCard) -> None:
    await registry.register(card(), "one")
    assert await only(registry) == (State.REGISTERED, ("one",))
    assert not (await registry.members())[0].takes_work
    await registry.move("finops", State.READY)
    assert (await registry.members())[0].takes_work


async def test_a_lease_that_is_not_renewed_expires_and_its_agent_with_it(url: str, registry: Registry, card: MakeCard) -> None:
    async with opened(url, lease_seconds=1) as short:
        await ready(short, card())
        await until_expired(short, "finops")
        assert await only(registry) == (State.EXPIRED, ())
        assert await registry.able("set_requests") == ()
        assert not await short.renew("finops", "one")


async def test_a_lease_is_renewed_only_by_who_holds_it(registry: Registry, card: MakeCard) -> None:
    await ready(registry, card())
    assert await registry.renew("finops", "one")
    assert not await registry.renew("finops", "two")
    assert await only(registry) == (State.READY, ("one",))


async def test_renewing_prolongs_the_lease(url: str, card: MakeCard) -> None:
    async with opened(url, lease_seconds=2) as short, opened(url, lease_seconds=60) as long:
        await ready(short, card())
        assert await long.renew("finops", "one")
        assert (await long.members())[0].lease_ms > 50_000


async def test_a_server_without_ifeq_is_served_by_watching(older: str, card: MakeCard) -> None:
    async with opened(older, lease_seconds=60) as registry:
        await ready(registry, card())
        assert await registry.renew("finops", "one")
        assert not await registry.renew("finops", "two")
        await registry.release("finops", "one")
        assert not await registry.renew("finops", "one")
        assert registry._compares is False  # the relay did its work


async def test_a_lease_taken_by_another_between_look_and_renewal_is_not_prolonged(
    url: str, client: redis.asyncio.Redis, registry: Registry, card: MakeCard
) -> None:
    await ready(registry, card())
    await client.set("day2:lease:finops:one", "somebody else", px=5_000)
    assert not await registry.renew("finops", "one")
    assert await client.pttl("day2:lease:finops:one") <= 5_000


@pytest.mark.parametrize(("first", "second"), [("1.1", "1.0"), ("2", "1.9.9"), ("1.10", "1.9")])
async def test_a_version_only_grows(registry: Registry, card: MakeCard, first: str, second: str) -> None:
    await registry.register(card(version=first), "one")
    with pytest.raises(Refused, match="not later"):
        await registry.register(card(version=second), "two")
    assert (await registry.members())[0].card.version == first


async def test_other_content_under_a_known_version_is_refused(registry: Registry, card: MakeCard) -> None:
    await registry.register(card(), "one")
    with pytest.raises(Refused):
        await registry.register(card(capabilities=("drain_node",)), "one")
    assert await registry.able("drain_node") == ()


async def test_of_many_registrations_at_once_the_latest_version_stays(url: str, registry: Registry, card: MakeCard) -> None:
    async def enter(number: int) -> None:
        async with opened(url) as own:
            await own.register(card(version=f"1.{number}", capabilities=(f"kind_{number}",)), str(number))

    await asyncio.gather(*(enter(number) for number in range(8)), return_exceptions=True)
    (member,) = await registry.members()
    assert member.card.version == "1.7"
    await registry.move("finops", State.READY)
    assert [bool(await registry.able(f"kind_{number}")) for number in range(8)] == [False] * 7 + [True]


async def test_a_suspension_outlives_expiry_and_a_new_registration(url: str, card: MakeCard) -> None:
    async with opened(url, lease_seconds=1) as registry:
        await ready(registry, card())
        await registry.move("finops", State.SUSPENDED)
        await until_expired(registry, "finops")
        assert (await registry.members())[0].state is State.SUSPENDED
        await registry.register(card(version="1.1"), "two")
        assert (await registry.members())[0].state is State.SUSPENDED
        assert await registry.able("set_requests") == ()


async def test_a_second_instance_does_not_interrupt_a_working_agent(registry: Registry, card: MakeCard) -> None:
    await ready(registry, card())
    await registry.register(card(), "two")
    assert await only(registry) == (State.READY, ("one", "two"))
    await registry.release("finops", "one")
    assert await only(registry) == (State.READY, ("two",))


async def test_capability_sets_follow_a_new_card(registry: Registry, card: MakeCard) -> None:
    await ready(registry, card(capabilities=("set_requests", "scale_workload")))
    await registry.register(card(version="1.1", capabilities=("scale_workload", "set_hpa_bounds")), "one")
    assert await registry.able("set_requests") == ()
    assert [member.name for member in await registry.able("scale_workload")] == ["finops"]
    assert [member.name for member in await registry.able("set_hpa_bounds")] == ["finops"]


async def test_instances_that_died_are_forgotten(url: str, client: redis.asyncio.Redis, card: MakeCard) -> None:
    async with opened(url, lease_seconds=1) as registry:
        await ready(registry, card(), "dead")
        await until_expired(registry, "finops")
        await registry.register(card(), "alive")
        assert await client.smembers("day2:instances:finops") == {"alive"}


async def test_a_state_of_an_unknown_agent_is_refused(registry: Registry) -> None:
    with pytest.raises(Refused, match="nobody"):
        await registry.move("nobody", State.READY)


async def test_changes_are_resumed_by_id_and_none_is_lost(registry: Registry, card: MakeCard) -> None:
    await ready(registry, card())
    first = await registry.changes()
    assert [(change.event, change.agent) for change in first] == [("registered", "finops"), ("ready", "finops")]
    assert await registry.changes(first[-1].id) == ()
    await registry.move("finops", State.DRAINING)
    await registry.release("finops", "one")
    assert [change.event for change in await registry.changes(first[-1].id)] == ["draining", "released"]


async def test_a_reader_waits_for_the_next_change(registry: Registry, card: MakeCard) -> None:
    waiting = asyncio.create_task(registry.changes(wait_ms=60_000))
    await asyncio.sleep(0)
    await registry.register(card(), "one")
    assert [change.event for change in await waiting] == ["registered"]


@pytest.mark.parametrize("damage", ["not json", '{"name": "finops"}', '{"name":"finops","description":"x","version":"9.9"}'])
async def test_a_damaged_or_exchanged_card_makes_its_agent_unknown_and_stops_nobody_else(
    client: redis.asyncio.Redis, registry: Registry, card: MakeCard, damage: str
) -> None:
    digest = await registry.register(card(), "one")
    await ready(registry, card(name="security", capabilities=("label_namespace",)))
    await client.set(f"day2:card:finops:{digest}", damage)
    assert [member.name for member in await registry.members()] == ["security"]
    await ready(registry, card())
    assert [member.name for member in await registry.members()] == ["finops", "security"]


async def test_a_state_that_nobody_knows_takes_no_work(client: redis.asyncio.Redis, registry: Registry, card: MakeCard) -> None:
    await ready(registry, card())
    await client.hset("day2:agent:finops", "state", "root")  # type: ignore[misc]  # redis-py types both its clients at once
    assert (await registry.members())[0].state is State.REGISTERED


async def test_without_a_server_every_question_says_unavailable_with_its_mend() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    async with opened(f"redis://127.0.0.1:{port}/0") as registry:
        for question in (registry.members(), registry.renew("finops", "one"), registry.changes(), registry.able("x"), registry.ping()):
            with pytest.raises(Unavailable) as caught:
                await question
            assert "doctor" in caught.value.mend


async def test_a_wrong_password_says_unavailable_and_shows_no_password(url: str) -> None:
    wrong = url.split("@")[1]
    async with opened(f"redis://:canary-password@{wrong}") as registry:
        with pytest.raises(Unavailable) as caught:
            await registry.members()
    assert "canary" not in str(caught.value)


def test_an_address_that_is_none_is_said_without_repeating_it() -> None:
    with pytest.raises(InvalidInput) as caught:
        Registry("htp://:canary-password@host")
    assert "canary" not in str(caught.value)


async def test_doctor_learns_version_and_persistence(registry: Registry) -> None:
    found = await registry.ping()
    assert found["aof_enabled"] == 1
    assert found["redis_version"] or found["valkey_version"]


# ------------------------------------------------------------------ somebody else in Redis
async def test_names_that_are_no_text_stop_nobody(client: redis.asyncio.Redis, registry: Registry, card: MakeCard) -> None:
    await ready(registry, card())
    for key in ("day2:agents", "day2:cap:set_requests", "day2:instances:finops"):
        await client.sadd(key, b"\xff\xfe", "../x", "", "x" * 100_000)  # type: ignore[misc]
    assert [member.name for member in await registry.members()] == ["finops"]
    assert [member.instances for member in await registry.able("set_requests")] == [("one",)]


async def test_a_forged_card_says_only_what_its_digest_says(client: redis.asyncio.Redis, registry: Registry, card: MakeCard) -> None:
    """Its writer may well compute a digest: the card is then that agent's until it registers again, and what it may do is not in it."""
    await ready(registry, card())
    forged = card(version="9.9", capabilities=("drain_node",))
    await client.set(f"day2:card:finops:{forged.digest()}", forged.model_dump_json())
    await client.hset("day2:agent:finops", "digest", forged.digest())  # type: ignore[misc]
    (member,) = await registry.members()
    assert member.card == forged
    with pytest.raises(Refused, match="not later") as caught:
        await registry.register(card(), "one")
    assert "day2:agent:finops" in caught.value.mend


@pytest.mark.parametrize(
    "text", ["[" * 200_000, "9" * 5000, "x" * (LARGEST_CARD + 10), '{"name": "finops", "description": "x", "version": "1.0"}']
)
async def test_a_card_that_is_none_is_nobodys(client: redis.asyncio.Redis, registry: Registry, card: MakeCard, text: str) -> None:
    digest = await registry.register(card(), "one")
    await client.set(f"day2:card:finops:{digest}", text)
    assert await registry.members() == ()


async def test_a_crowd_of_agents_is_not_read_one_by_one(client: redis.asyncio.Redis, registry: Registry, card: MakeCard) -> None:
    await ready(registry, card())
    await client.sadd("day2:agents", *(f"a{number}" for number in range(MOST_AGENTS)))  # type: ignore[misc]
    with pytest.raises(Unavailable, match=f"it holds {MOST_AGENTS + 1} agents"):
        await registry.members()


async def test_a_crowd_of_instances_is_not_read_one_by_one(client: redis.asyncio.Redis, registry: Registry, card: MakeCard) -> None:
    await ready(registry, card())
    await client.sadd("day2:instances:finops", *(f"i{number}" for number in range(100_000)))  # type: ignore[misc]
    async with asyncio.timeout(60):
        assert [member.name for member in await registry.members()] == ["finops"]


@pytest.mark.parametrize("key", ["day2:agents", "day2:agent:finops", "day2:instances:finops"])
async def test_a_key_of_another_type_is_unavailable(client: redis.asyncio.Redis, registry: Registry, card: MakeCard, key: str) -> None:
    await ready(registry, card())
    await client.delete(key)
    await client.rpush(key, "x")  # type: ignore[misc]
    with pytest.raises(Unavailable):
        await registry.members()


async def test_changes_that_nobody_of_ours_wrote_are_read_over(client: redis.asyncio.Redis, registry: Registry, card: MakeCard) -> None:
    await client.xadd("day2:changes", {b"\xff": b"\xfe"})
    await registry.register(card(), "one")
    assert [change.event for change in await registry.changes()] == ["", "registered"]


async def test_after_a_flush_a_lease_is_lost_and_can_be_taken_again(
    client: redis.asyncio.Redis, registry: Registry, card: MakeCard
) -> None:
    await ready(registry, card())
    await client.flushall()
    assert not await registry.renew("finops", "one")
    await registry.register(card(), "one")
    assert await only(registry) == (State.REGISTERED, ("one",))
