"""The API over real stores in an empty data folder, called through ASGI with tokens of each role."""

import contextlib
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import pytest
from fastapi import FastAPI

from core.domain.access import Caller, Role
from core.domain.errors import Unavailable
from core.domain.ledger import Ledger
from interfaces.web.app import build
from interfaces.web.callers import ApiToken, LocalToken
from interfaces.web.house import House
from runtime.ids import RandomIds
from runtime.roles import console, deciding
from runtime.services import tokens
from runtime.services.broadcasting import Events
from runtime.services.delivering import Deliveries
from runtime.services.intaking import Desk, Rules
from runtime.services.offering import Beyond, Offers, Ports
from runtime.services.offers.table import OFFERS
from runtime.settings import AccessSettings, Settings, load
from tests.contracts import doors
from tools.alerting.webhooks import MemoryPoster
from tools.clocks import SystemClock
from tools.stores import ledger as ledgers
from tools.stores.front import opening
from tools.stores.front.answers import SqlAnswers
from tools.stores.front.incidents import SqlIncidents
from tools.stores.front.intake import SqlIntake
from tools.stores.front.tokens import SqlTokens
from tools.stores.front.webhooks import SqlTargets
from tools.stores.opening import Database

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


class Nowhere:
    """A cluster that does not answer: what reads it is unavailable, and all else works."""

    def __getattr__(self, name: str) -> Any:
        raise Unavailable("the cluster", 1.0)


def opened(settings: Settings, ledger: Ledger, database: Database) -> Ports:
    clock = SystemClock()
    intake = SqlIntake(database)
    desk = Desk(SqlIncidents(database), intake, ledger, clock, Rules())
    events = Events(ledger, look_seconds=0.01)
    deliveries = Deliveries(SqlTargets(database), MemoryPoster(), events, ledger, clock, settings.data_dir / "webhook-secrets")
    machines = Beyond(SqlTokens(database), SqlAnswers(database), events, desk, deliveries)
    return doors.ports(
        settings.data_dir,
        ledger=ledger,
        clock=clock,
        intake=intake,
        ids=RandomIds(),
        decide=deciding.door(settings, ledger, clock, name="console"),
        reader=Nowhere(),
        machines=machines,
    )


@pytest.fixture
async def api(settings: Settings) -> AsyncIterator[Api]:
    with console.record(settings, create=True):
        pass
    clients: list[httpx.AsyncClient] = []
    with (
        contextlib.closing(ledgers.opened(settings.ledger_url, None)) as ledger,
        contextlib.closing(opening.opened(settings.front_url)) as database,
    ):
        offers = Offers(OFFERS, opened(settings, ledger, database))
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
