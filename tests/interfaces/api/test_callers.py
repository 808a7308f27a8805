"""Who calls with a token: known again for a moment without the store, and no longer than that once it is revoked."""

import pytest
from starlette.requests import Request

from core.domain.errors import NotAuthenticated
from core.domain.tokens import Token
from interfaces.web.callers import BELIEVED_SECONDS, ApiToken
from runtime.services import tokens
from tests.contracts.doors import AT
from tools.hand_clock import HandClock
from tools.stores.front.tokens import MemoryTokens


class Counted(MemoryTokens):
    asked = 0

    def find(self, secret_digest: str) -> Token | None:
        self.asked += 1
        return super().find(secret_digest)


async def test_a_token_that_is_revoked_ends_when_it_is_believed_no_longer() -> None:
    kept, now = Counted(), [100.0]
    secret = tokens.issue(kept, "alertmanager", ["sender"], by="local:ana", now=AT).secret
    way = ApiToken(kept, HandClock(AT), "api", believed_seconds=BELIEVED_SECONDS, now=lambda: now[0])
    request = Request({"type": "http", "headers": [(b"authorization", f"Bearer {secret}".encode())]})
    first = await way(request)
    assert first is not None
    assert first.by.endswith("alertmanager")
    tokens.revoke(kept, "alertmanager", by="local:ana", now=AT)
    assert await way(request) == first
    assert kept.asked == 1
    now[0] += BELIEVED_SECONDS
    with pytest.raises(NotAuthenticated):
        await way(request)
    with pytest.raises(NotAuthenticated):
        await way(request)
    assert BELIEVED_SECONDS <= 1
