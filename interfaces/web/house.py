"""What every door of the web application is handed when it joins."""

from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field

from starlette.requests import Request

from core.domain.access import Caller
from core.domain.errors import NotAuthenticated
from runtime.services.offering import Offers
from runtime.settings import Settings

Identify = Callable[[Request], Awaitable[Caller | None]]
"""One way to know who calls: None where this request carries nothing of that way. Raises NotAuthenticated for what is forged or over."""


@dataclass(frozen=True)
class House:
    """`ways` are asked in order, and the first that knows the caller decides. `url` is where people reach us.

    `visitors` are ways that a browser carries by itself (a session's cookie): only pages that check where a form comes from ask them.

    `living` is what a door keeps going while the application serves: each is entered when it starts and left when it ends.
    """

    offers: Offers
    settings: Settings
    url: str
    ways: tuple[Identify, ...] = ()
    visitors: list[Identify] = field(default_factory=list)
    living: list[Callable[[], AbstractAsyncContextManager[object]]] = field(default_factory=list)

    async def caller(self, request: Request) -> Caller:
        """Raises NotAuthenticated."""
        for way in self.ways:
            found = await way(request)
            if found is not None:
                return found
        raise NotAuthenticated("nobody is logged in", mend=f"log in at {self.url}/login, or send a bearer token")

    async def visitor(self, request: Request) -> Caller:
        """As `caller`, and people with a session too. Raises NotAuthenticated."""
        for way in self.visitors:
            found = await way(request)
            if found is not None:
                return found
        return await self.caller(request)
