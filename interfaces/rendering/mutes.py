"""Mutes: what is not shown for a while, who wanted that, why, and until when."""

from collections.abc import Sequence
from datetime import datetime

from core.policy.mutes import Mute
from interfaces.rendering.envelopes import Json, envelope, plain
from interfaces.rendering.screens import Screen
from interfaces.rendering.tables import Column

COLUMNS = (
    Column("ID", "id"),
    Column("STATE", "state"),
    Column("MUTES", "about"),
    Column("UNTIL", "until"),
    Column("BY", "by"),
    Column("REASON", "reason"),
    Column("SINCE", "at", wide=True),
    Column("ENDED BY", "endedBy", wide=True),
)


def short(mute: Mute) -> Json:
    """Its fields as documents have them."""
    found: Json = plain(mute)
    return found | {"about": mute.about}


def _item(mute: Mute, now: datetime) -> Json:
    return short(mute) | {"state": "holds" if mute.holds(now) else "over"}


def listed(found: Sequence[Mute], now: datetime) -> Json:
    return envelope("MuteList", items=[_item(mute, now) for mute in found])


def document(mute: Mute, now: datetime) -> Json:
    return envelope("Mute", **_item(mute, now))


def view(screen: Screen, found: Json) -> None:
    word = "Muted" if found["state"] == "holds" else "No longer muted"
    until = f"until {found['until']}" if found["state"] == "holds" else f"since {found['until']}"
    screen.wrapped(f"{word}: {found['about']} {until}, by {found['endedBy'] or found['by']}: {found['reason']} ({found['id']})", hang=4)
