"""Healings of nodes as the audit chain remembers them, and the times they took. Behind `day2 nodes`."""

import json
from datetime import datetime
from typing import Any

from pydantic import ValidationError

from agents.reliability.healing.episode import Episode
from core.domain.ledger import Ledger
from core.domain.values import bounded
from runtime.services import recording

MOVED = "healing.moved"
LONGEST_WHY = 200


def kept(episode: Episode) -> dict[str, Any]:
    """What the chain keeps of an episode: all but its workloads, its reasons cut."""
    body = episode.model_dump(mode="json", exclude={"owners", "calm_since"})
    return {**body, "stamps": [{**stamp, "why": bounded(stamp["why"], LONGEST_WHY)} for stamp in body["stamps"]]}


def record(ledger: Ledger, episode: Episode, at: datetime, *, role: str) -> None:
    ledger.record(role=role, event=MOVED, subject=episode.id, body=kept(episode), at=at)


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
