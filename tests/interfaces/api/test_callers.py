"""Who calls with a token: known again for a moment without the store, and no longer than that once it is revoked."""

import socket
from pathlib import Path

import pytest
from starlette.requests import Request

from core.domain.errors import NotAuthenticated
from core.domain.tokens import Token
from interfaces.web.__main__ import listener, login
from interfaces.web.callers import BELIEVED_SECONDS, TOKEN_FILE, ApiToken, local_token
from runtime.roles.front import ConsoleSettings
from runtime.services import tokens
from runtime.settings import load
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


def test_the_token_of_the_machine_lies_where_other_roles_do_not_see_it(tmp_path: Path) -> None:
    for name in ("data", "private"):
        (tmp_path / name).mkdir()
    one = load({"store.data_dir": tmp_path / "data"}, environment={}, files=()).settings
    apart = load({"store.data_dir": tmp_path / "data", "store.private_dir": tmp_path / "private"}, environment={}, files=()).settings
    assert local_token(one) == (tmp_path / "data" / TOKEN_FILE).read_text()
    assert local_token(apart) == (tmp_path / "private" / TOKEN_FILE).read_text() != local_token(one)
    assert (tmp_path / "private" / TOKEN_FILE).stat().st_mode & 0o777 == 0o600


def test_the_token_is_said_to_the_process_that_started_the_console_and_to_no_log(tmp_path: Path) -> None:
    settings = load({"store.data_dir": tmp_path}, environment={}, files=()).settings
    assert login(ConsoleSettings(settings=settings, parent=7), "http://h", "secret") == "http://h/login?token=secret"
    assert login(ConsoleSettings(settings=settings), "http://h", "secret") == "http://h"
    told = load({"store.data_dir": tmp_path, "oidc.issuer": "https://id.example"}, environment={}, files=()).settings
    assert login(ConsoleSettings(settings=told, parent=7), "http://h", "secret") == "http://h"


def test_an_answer_does_not_wait_for_its_second_packet() -> None:
    with listener("127.0.0.1:0") as listening, socket.create_connection(listening.getsockname()), listening.accept()[0] as accepted:
        assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
