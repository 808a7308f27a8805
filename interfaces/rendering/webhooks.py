"""Webhooks as documents. Of an address only its host is shown: a path may be a secret."""

from collections.abc import Sequence
from datetime import datetime
from urllib.parse import urlsplit

from core.domain.webhooks import Target
from interfaces.rendering.envelopes import Json, envelope, moment


def listed(found: Sequence[Target]) -> Json:
    return envelope("WebhookList", items=[item(target) for target in found])


def item(target: Target) -> Json:
    url = urlsplit(target.url)
    return {
        "name": target.name,
        "state": "dead" if target.dead else "failing" if target.failures else "active",
        "host": f"{url.scheme}://{url.netloc}",
        "types": list(target.types),
        "secret": target.secret,
        "by": target.by,
        "madeAt": moment(target.made_at),
        "cursor": target.cursor,
        "failures": target.failures,
        "failingSince": _text(target.failing_since),
        "nextAt": _text(target.next_at),
        "deliveredAt": _text(target.delivered_at),
        "said": target.said,
    }


def _text(at: datetime | None) -> str | None:
    return moment(at) if at is not None else None
