"""API tokens as documents. Only `issued` has the secret, at the one time when it is known."""

from collections.abc import Sequence
from datetime import datetime

from core.domain.tokens import Token
from interfaces.rendering.envelopes import Json, envelope, moment
from interfaces.rendering.screens import Screen
from interfaces.rendering.tables import Column
from runtime.services.tokens import Issued

COLUMNS = (
    Column("NAME", "name"),
    Column("STATE", "state"),
    Column("ROLES", "roles"),
    Column("BY", "by"),
    Column("MADE", "madeAt"),
    Column("UNTIL", lambda item: item["expiresAt"] or "revoked"),
    Column("LAST USED", lambda item: item["lastUsedAt"] or "never"),
)


def listed(found: Sequence[Token], now: datetime) -> Json:
    return envelope("TokenList", items=[item(token, now) for token in found])


def item(token: Token, now: datetime) -> Json:
    return {
        "name": token.name,
        "state": token.state(now),
        "roles": sorted(role.value for role in token.roles),
        "by": token.by,
        "madeAt": moment(token.made_at),
        "expiresAt": _text(token.expires_at),
        "lastUsedAt": _text(token.last_used_at),
        "revokedAt": _text(token.revoked_at),
        "revokedBy": token.revoked_by,
    }


def _text(at: datetime | None) -> str:
    return moment(at) if at is not None else ""


def issued(made: Issued, now: datetime) -> Json:
    return envelope("Token") | item(made.token, now) | {"secret": made.secret}


def issued_view(screen: Screen, found: Json) -> None:
    screen.line(found["secret"])
