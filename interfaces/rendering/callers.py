"""Who calls, as a document: their name, their roles, and what they may call at this door."""

from collections.abc import Sequence
from typing import NamedTuple

from core.domain.access import RIGHTS, Caller, Right
from interfaces.rendering.envelopes import Json, envelope
from interfaces.rendering.screens import Screen


class Row(NamedTuple):
    """A command, with the services that it translates for this caller."""

    command: str
    services: tuple[str, ...]


def document(caller: Caller, allowed: Sequence[Row], *, account: str) -> Json:
    return envelope(
        "WhoAmI",
        by=caller.by,
        account=account,
        groups=list(caller.groups),
        roles=sorted(role.value for role in caller.roles),
        rights=[right.value for right in Right if any(right in RIGHTS[role] for role in caller.roles)],
        commands=[{"command": f"day2 {row.command}", "services": list(row.services)} for row in allowed],
    )


def view(screen: Screen, found: Json) -> None:
    screen.line(found["by"], "bold")
    screen.wrapped(f"account   {found['account']}", indent=2, hang=10)
    screen.wrapped(f"groups    {', '.join(found['groups']) or 'none'}", indent=2, hang=10)
    screen.wrapped(f"roles     {', '.join(found['roles']) or 'none'}", indent=2, hang=10)
    screen.wrapped(f"rights    {', '.join(found['rights']) or 'none'}", indent=2, hang=10)
    said = ", ".join(row["command"].removeprefix("day2 ") for row in found["commands"])
    screen.wrapped(f"may call  {said}", indent=2, hang=10)
