"""Healings of nodes as the audit chain remembers them, and the times they took. Behind `day2 nodes`."""

import json
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from pydantic import ValidationError

from agents.reliability.healing.episode import Episode, Stage, Stamp
from agents.reliability.healing.seeing import ZONE, illness, pool_of
from core.cluster.objects import Node
from core.cluster.snapshot import Snapshot
from core.domain.errors import Busy, InvalidInput
from core.domain.ledger import Ledger
from core.domain.values import bounded, identifier
from runtime.services import recording

MOVED = "healing.moved"
LONGEST_WHY = 200
AGAIN = timedelta(minutes=10)
"""After an episode has ended, nobody but a person begins another one for the same node sooner."""


def kept(episode: Episode) -> dict[str, Any]:
    """What the chain keeps of an episode: all but its workloads, its reasons cut."""
    body = episode.model_dump(mode="json", exclude={"owners", "calm_since"})
    return {**body, "stamps": [{**stamp, "why": bounded(stamp["why"], LONGEST_WHY)} for stamp in body["stamps"]]}


def record(ledger: Ledger, episode: Episode, at: datetime, *, role: str) -> None:
    ledger.record(role=role, event=MOVED, subject=episode.id, body=kept(episode), at=at)


class Standing(NamedTuple):
    """A node as `day2 nodes list` shows it, with the healing that is under way there, or was last."""

    name: str
    health: str
    since: datetime | None
    pool: str
    zone: str
    pods: int
    episode: Episode | None


def standings(snapshot: Snapshot, at: datetime, known: "list[Episode]", pool_label: str = "") -> list[Standing]:
    latest = {episode.node.uid: episode for episode in known}
    return [
        _standing(snapshot, node, at, latest.get(node.metadata.uid), pool_label)
        for node in sorted(snapshot.nodes, key=lambda node: node.metadata.name)
    ]


def _standing(snapshot: Snapshot, node: Node, at: datetime, episode: Episode | None, pool_label: str) -> Standing:
    ill, labels = illness(node, at), node.metadata.labels
    health = f"{ill.what}{' (just now)' if ill.sudden else ''}" if ill else "well"
    return Standing(
        node.metadata.name,
        f"{health}, cordoned" if node.spec.unschedulable else health,
        ill.since if ill else None,
        pool_of(labels, pool_label),
        labels.get(ZONE, ""),
        sum(pod.spec.node_name == node.metadata.name for pod in snapshot.pods),
        episode,
    )


def begun(snapshot: Snapshot, name: str, at: datetime, known: "list[Episode]", *, by: str, asked: str, pool_label: str = "") -> Episode:
    """A new episode for this node. Raises InvalidInput where there is no such node, Busy where one is under way."""
    node = next((each for each in snapshot.nodes if each.metadata.name == name), None)
    if node is None:
        raise InvalidInput(f"no node {bounded(name, 80)!r}", mend="day2 nodes")
    running = next((other for other in known if not other.ended and other.node.uid == node.metadata.uid), None)
    if running is not None:
        raise Busy(f"{running.id} heals {name} since {running.stamps[0].at:%H:%M}Z", mend="day2 nodes episodes")
    ill, labels = illness(node, at), node.metadata.labels
    first = Stamp(stage=Stage.SUSPECTED, at=at, why=bounded(ill.what if ill else asked, LONGEST_WHY))
    return Episode(
        id=identifier("heal", snapshot.cluster, node.metadata.uid, at.isoformat()),
        node=snapshot.target("Node", node),
        pool=pool_of(labels, pool_label),
        zone=labels.get(ZONE, ""),
        by=by,
        asked=bounded(asked, 200),
        fault_at=ill.since if ill else None,
        stamps=(first,),
    )


def suspects(snapshot: Snapshot, at: datetime, known: "list[Episode]") -> list[Node]:
    """Nodes that have been ill for long enough, without an episode that is open or has just ended."""
    busy = {other.node.uid for other in known if not other.ended or at - other.since < AGAIN}
    found = [(node, illness(node, at)) for node in snapshot.nodes if node.metadata.uid not in busy]
    return [node for node, ill in found if ill is not None and not ill.sudden]


class Journal:
    """Reads on from where it stood: a healing asks every few seconds, and a chain is long."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._next = 1
        self._found: dict[str, Episode] = {}

    def episodes(self) -> list[Episode]:
        """Each as it was last recorded, in the order in which they began. What cannot be read any more is left out."""
        while page := self._ledger.chain(self._next, recording.PAGE):
            self._next = page[-1].place + 1
            for link in page:
                if link.event == MOVED:
                    self._take(link.subject, link.body)
        return sorted(self._found.values(), key=lambda episode: (episode.stamps[0].at, episode.id))

    def _take(self, name: str, body: str) -> None:
        try:
            self._found[name] = Episode.model_validate(json.loads(body), strict=False)
        except (ValidationError, ValueError):
            self._found.pop(name, None)


def episodes(ledger: Ledger) -> list[Episode]:
    return Journal(ledger).episodes()
