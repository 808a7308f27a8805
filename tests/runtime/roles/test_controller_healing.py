"""The controller begins healings only where the settings say so, once for each sick node, and carries on what has not ended."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from agents.reliability.healing.episode import Episode, Stage
from core.cluster.objects import Condition, Meta, Node, NodeStatus
from core.cluster.snapshot import Snapshot
from core.domain.errors import Unavailable
from runtime.healing import Healer
from runtime.roles.controller import HIMSELF, Controller
from runtime.services import healings
from runtime.settings import HealingSettings
from tools.hand_clock import HandClock
from tools.stores.memory import MemoryLedger

NOON = datetime(2026, 11, 27, 12, tzinfo=UTC)


def node(name: str, ready: str, minutes: float) -> Node:
    condition = Condition(type="Ready", status=ready, last_transition_time=NOON - timedelta(minutes=minutes))
    return Node(metadata=Meta(name=name, uid=f"uid-{name}"), status=NodeStatus(conditions=(condition,)))


class Reader:
    """One node that is lost, one that flickers, one that is well."""

    def __init__(self) -> None:
        self.answers = True

    async def snapshot(self, kinds: Any, namespaces: Any = ()) -> Snapshot:
        if not self.answers:
            raise Unavailable("the Kubernetes API")
        nodes = (node("n1", "Unknown", 5), node("n2", "False", 1), node("n3", "True", 60))
        return Snapshot(cluster="c-1", taken_at=NOON, objects={"Node": nodes})


class Following:
    def __init__(self) -> None:
        self.healed: list[str] = []

    def heal(self, episode: Episode) -> None:
        self.healed.append(episode.id)


def controller(**settings: Any) -> tuple[Controller, MemoryLedger, Reader, Following]:
    ledger, reader, following, clock = MemoryLedger(), Reader(), Following(), HandClock(NOON)
    absent: Any = None
    stub: Any = reader
    followed: Any = following
    made = Controller(clock, ledger, absent, absent, followed, None, stub, None, absent, absent, absent)
    made.healer = Healer(stub, ledger, clock)
    made.heals = HealingSettings(**settings)
    return made, ledger, reader, following


async def test_nothing_is_healed_by_itself_unless_somebody_switched_it_on() -> None:
    assert HealingSettings().enabled is False
    working, ledger, _, _ = controller()
    await working.begin_healings()
    assert healings.episodes(ledger) == []


async def test_a_node_that_has_been_ill_for_long_gets_one_episode_and_no_other_node_does() -> None:
    working, ledger, reader, _ = controller(enabled=True)
    reader.answers = False
    await working.begin_healings()
    reader.answers = True
    for _ in range(2):
        await working.begin_healings()
    (episode,) = healings.episodes(ledger)
    assert (episode.node.name, episode.by, episode.asked) == ("n1", HIMSELF, "")


async def test_what_has_not_ended_is_carried_on_whoever_asked_for_it() -> None:
    working, ledger, reader, following = controller()
    episode = healings.begun(await reader.snapshot(()), "n3", NOON, [], by="ann", asked="smoke")
    healings.record(ledger, episode, NOON, role="door")
    working.heal_open()
    assert following.healed == [episode.id]
    healings.record(ledger, episode.moved(Stage.ESCALATED, NOON, "alone"), NOON, role="controller")
    working.heal_open()
    assert following.healed == [episode.id]


@pytest.mark.parametrize("settings", [{"machines": "webhook"}, {"machines": "webhook", "webhook_url": "https://machines.example"}])
def test_a_webhook_of_machines_without_address_or_secret_is_no_setting(settings: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="webhook_secret_file"):
        HealingSettings(**settings)
