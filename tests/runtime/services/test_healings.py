"""Healings on record: begun once, kept small, read on from where one stood; and nodes as `day2 nodes` shows them."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from agents.reliability.healing.episode import Episode, Stage
from core.cluster.objects import Condition, Meta, Node, NodeSpec, NodeStatus, Pod, PodSpec
from core.cluster.snapshot import Snapshot
from core.domain.errors import Busy, InvalidInput
from core.domain.ledger import BODY_LIMIT
from core.domain.values import canonical
from runtime.services import alerting, healings
from tools.stores.memory import MemoryLedger

NOON = datetime(2026, 11, 27, 12, tzinfo=UTC)


def node(name: str, ready: str = "True", minutes: float = 60, **spec: Any) -> Node:
    condition = Condition(type="Ready", status=ready, last_transition_time=NOON - timedelta(minutes=minutes))
    meta = Meta(name=name, uid=f"uid-{name}", labels={"topology.kubernetes.io/zone": "z", "eks.amazonaws.com/nodegroup": "a"})
    return Node(metadata=meta, spec=NodeSpec(**spec), status=NodeStatus(conditions=(condition,)))


def snapshot(*nodes: Node) -> Snapshot:
    pods = (Pod(metadata=Meta(name="p"), spec=PodSpec(node_name="n1")),)
    return Snapshot(cluster="c-1", taken_at=NOON, objects={"Node": nodes, "Pod": pods})


def begun(known: tuple[Episode, ...] = (), name: str = "n1", **more: Any) -> Episode:
    told: dict[str, Any] = {"by": "ann", "asked": "smoke"} | more
    return healings.begun(snapshot(node("n1", "Unknown", 5)), name, NOON, list(known), **told)


def test_an_episode_takes_the_time_of_the_fault_from_the_nodes_own_condition() -> None:
    episode = begun()
    assert (episode.fault_at, episode.pool, episode.zone) == (NOON - timedelta(minutes=5), "a", "z")
    assert episode.why == "Ready is Unknown"


def test_a_node_is_healed_once_at_a_time() -> None:
    first = begun()
    with pytest.raises(Busy, match=first.id):
        begun((first,))
    assert begun((first.moved(Stage.HELD, NOON, "too many"),)).stage is Stage.SUSPECTED
    with pytest.raises(InvalidInput, match="no node"):
        begun(name="n9")


def test_only_what_has_been_ill_for_long_is_begun_by_itself_and_not_again_at_once() -> None:
    seen = snapshot(node("n1", "Unknown", 5), node("n2", "Unknown", 1), node("n3"))
    assert [each.metadata.name for each in healings.suspects(seen, NOON, [])] == ["n1"]
    held = begun().moved(Stage.HELD, NOON - timedelta(minutes=9), "too many")
    assert healings.suspects(seen, NOON, [held]) == []
    assert healings.suspects(seen, NOON + timedelta(minutes=2), [held]) != []


def test_the_latest_record_of_an_episode_counts_and_a_journal_reads_on() -> None:
    ledger = MemoryLedger()
    journal = healings.Journal(ledger)
    episode = begun()
    healings.record(ledger, episode, NOON, role="door")
    assert journal.episodes() == [episode]
    moved = episode.moved(Stage.CONFIRMED, NOON + timedelta(seconds=9), "two signs")
    healings.record(ledger, moved, NOON, role="controller")
    ledger.record(role="controller", event="run.started", subject="run-1", body={}, at=NOON)
    assert journal.episodes() == healings.episodes(ledger) == [moved]
    ledger.record(role="controller", event=healings.MOVED, subject=episode.id, body={"id": "nonsense"}, at=NOON)
    assert journal.episodes() == []


def test_the_longest_episode_fits_into_one_record() -> None:
    episode = begun(asked="x" * 5000)
    for stage in Stage:
        episode = episode.moved(stage, NOON, "y" * 400)
    assert len(canonical(healings.kept(episode))) <= BODY_LIMIT


def test_a_healing_that_went_to_a_person_is_an_alert_for_a_while_and_no_other_is() -> None:
    ledger = MemoryLedger()
    episode = begun()
    limits = alerting.limits(60, 60, ())
    for stage in (Stage.SUSPECTED, Stage.CONFIRMED):
        healings.record(ledger, episode.moved(stage, NOON, "so"), NOON, role="controller")
    assert alerting.standing(ledger, NOON, limits) == []
    healings.record(ledger, episode.moved(Stage.ESCALATED, NOON, "shop/cart allows none"), NOON, role="controller")
    ((alert, _),) = alerting.standing(ledger, NOON, limits)
    assert (alert.name, alert.grave, alert.labels["episode"]) == ("Day2HealingEscalated", True, episode.id)
    assert "node n1" in alert.summary
    assert "allows none" in alert.description
    assert alerting.standing(ledger, NOON + timedelta(minutes=61), limits) == []


def test_the_alert_listens_to_what_healings_record() -> None:
    assert alerting.HEALING_MOVED == healings.MOVED


def test_nodes_are_shown_with_the_first_thing_that_is_wrong_and_their_latest_healing() -> None:
    episode = begun()
    seen = snapshot(node("n2", unschedulable=True), node("n1", "Unknown", 5), node("n3", "False", 1))
    rows = healings.standings(seen, NOON, [episode])
    assert [(row.name, row.health, row.pods) for row in rows] == [
        ("n1", "Ready is Unknown", 1),
        ("n2", "well, cordoned", 0),
        ("n3", "Ready is False (just now)", 0),
    ]
    assert [row.episode for row in rows] == [episode, None, None]
