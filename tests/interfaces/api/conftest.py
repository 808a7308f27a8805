"""The API over real stores in an empty data folder, called through ASGI with tokens of each role."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import NamedTuple

import httpx
import pytest
from fastapi import FastAPI

from core.domain.access import Caller, Role
from interfaces.web.app import build
from interfaces.web.callers import ApiToken, LocalToken
from interfaces.web.house import House
from runtime.roles import console, front
from runtime.services import tokens
from runtime.services.offering import Offers, Ports
from runtime.settings import AccessSettings, Settings, load

LOCAL = "the-token-of-this-machine"


class Api(NamedTuple):
    """`of` gives a client with a token of these roles, or with none; `person` one that is this machine's account."""

    app: FastAPI
    offers: Offers
    of: Callable[..., httpx.AsyncClient]
    person: httpx.AsyncClient

    @property
    def ports(self) -> Ports:
        return self.offers.ports


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    given = {"store.data_dir": tmp_path / "data", "web.requests_per_minute": 0}
    return load(given, environment={}, files=()).settings


@pytest.fixture
async def api(settings: Settings) -> AsyncIterator[Api]:
    with console.record(settings, create=True):
        pass
    clients: list[httpx.AsyncClient] = []
    async with front.opened(settings) as offers:
        ports = offers.ports
        machines = ApiToken(ports.beyond.tokens, ports.clock, "api")
        app = build(House(offers, settings, "http://day2.test", (machines, LocalToken(LOCAL, AccessSettings(), "api"))))

        def made(secret: str = "") -> httpx.AsyncClient:
            headers = {"Authorization": f"Bearer {secret}"} if secret else {}
            client = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://day2.test", headers=headers, timeout=30)
            clients.append(client)
            return client

        def of(*roles: Role) -> httpx.AsyncClient:
            if not roles:
                return made()
            name = "-".join(role.value for role in roles) + f"-{len(clients)}"
            return made(
                tokens.issue(ports.beyond.tokens, name, [role.value for role in roles], by="local:me", now=ports.clock.now()).secret
            )

        yield Api(app, offers, of, made(LOCAL))
        for client in clients:
            await client.aclose()


def caller(*roles: Role) -> Caller:
    return Caller("oidc:ana", frozenset(roles), "api")
