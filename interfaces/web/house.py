"""What every door of the web application is handed when it joins."""

from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import NamedTuple

from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import Response

from core.domain.access import Caller
from core.domain.errors import NotAuthenticated
from runtime.services.offering import Offers
from runtime.settings import Settings

Identify = Callable[[Request], Awaitable[Caller | None]]
"""One way to know who calls: None where this request carries nothing of that way. Raises NotAuthenticated for what is forged or over."""


class Framed(NamedTuple):
    """What a door shows inside the console's frame. `body` is escaped already; `at` is its row of the navigation; `styles` and `scripts`
    are paths of ours."""

    title: str
    at: str
    body: Markup
    styles: tuple[str, ...] = ()
    scripts: tuple[str, ...] = ()


Work = Callable[[], Awaitable[Framed | Response]]
Frame = Callable[[Request, Work], Awaitable[Response]]
"""Shows what the work gives to who is logged in; who is not is led to the login, and an error is a page with its mend."""


@dataclass(frozen=True)
class House:
    """`ways` are asked in order, and the first that knows the caller decides. `url` is where people reach us.

    `visitors` are ways that a browser carries by itself (a session's cookie): only pages that check where a form comes from ask them.

    `frames` holds the console's frame, where a console joined: the pages of other doors stand in it.

    `living` is what a door keeps going while the application serves: each is entered when it starts and left when it ends.
    """

    offers: Offers
    settings: Settings
    url: str
    ways: tuple[Identify, ...] = ()
    visitors: list[Identify] = field(default_factory=list)
    frames: list[Frame] = field(default_factory=list)
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
