"""Joins what `day2 nodes` needs: the cluster as the reader, the ledger, and who types. It writes one record: that a healing is wanted."""

from agents.reliability.healing.episode import Episode
from agents.reliability.healing.times import Times, times
from core.domain.errors import InvalidInput
from runtime.roles import console, reading
from runtime.roles.identifying import decider
from runtime.services import healings
from runtime.services.healings import Standing
from runtime.settings import Settings

KINDS = ("Namespace", "Node", "Pod")


async def standings(settings: Settings) -> list[Standing]:
    """Raises Unavailable, NotAuthenticated or NotAuthorised where the cluster cannot be read."""
    async with reading.opened(settings) as view:
        snapshot = await view.reader.snapshot(KINDS)
        with console.record(settings) as kept:
            known = healings.episodes(kept.ledger)
        return healings.standings(snapshot, view.clock.now(), known, settings.healing.pool_label)


async def heal(settings: Settings, name: str, reason: str) -> Episode:
    """Raises InvalidInput or Busy, and Refused where somebody else's name was asked for."""
    if not reason.strip():
        raise InvalidInput("a healing needs a reason", mend='--reason "its fan is loud"')
    known = await decider(settings)
    async with reading.opened(settings) as view:
        snapshot = await view.reader.snapshot(KINDS)
        with console.record(settings, create=True, signs=True) as kept:
            now, before, label = view.clock.now(), healings.episodes(kept.ledger), settings.healing.pool_label
            episode = healings.begun(snapshot, name, now, before, by=known.by, asked=reason.strip(), pool_label=label)
            healings.record(kept.ledger, episode, now, role=console.ROLE)
            return episode


def episodes(settings: Settings) -> tuple[list[Episode], Times]:
    """Newest first, with the times over all."""
    with console.record(settings) as kept:
        found = healings.episodes(kept.ledger)
        return found[::-1], times(found, kept.clock.now())
