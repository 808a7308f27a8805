"""The console's process: `python -m interfaces.web --settings FILE`. It says where it listens, and serves until told to stop."""

import asyncio
import gc
import socket
import sys

import uvicorn

from core.domain.errors import Unavailable
from interfaces.web.app import build
from interfaces.web.callers import BELIEVED_SECONDS, ApiToken, LocalToken, local_token
from interfaces.web.house import House, Identify
from runtime.roles import deciders, front
from runtime.roles.front import ConsoleSettings
from runtime.services.offering import Offers
from runtime.settings import Settings

ROLE = "console"
GRACE_SECONDS = 3


async def run(told: ConsoleSettings, stop: asyncio.Event) -> None:
    """Raises Unavailable where the port is taken."""
    settings = told.whole
    listening = listener(settings.web.listen or "127.0.0.1:0")
    host, port = listening.getsockname()[:2]
    url = settings.web.public_url.rstrip("/") or f"http://{host}:{port}"
    async with front.opened(settings) as offers:
        token = local_token(settings)
        house = House(offers, settings, url, ways=_ways(offers, settings, token))
        server = uvicorn.Server(
            uvicorn.Config(build(house), log_level="warning", server_header=False, timeout_graceful_shutdown=GRACE_SECONDS, lifespan="on")
        )
        gc.freeze()  # what is loaded by now stays: looking through it again and again costs each request
        serving = asyncio.create_task(server.serve(sockets=[listening]))
        deciders.ready(ROLE, url=url, login=login(told, url, token))
        told_to = asyncio.create_task(stop.wait())
        await asyncio.wait({serving, told_to}, return_when=asyncio.FIRST_COMPLETED)
        server.should_exit = True
        await serving


def login(told: ConsoleSettings, url: str, token: str) -> str:
    """What is said on standard output: with the token to the process that started us, never to a container's log."""
    return f"{url}/login?token={token}" if told.parent and not told.settings.oidc.issuer else url


def _ways(offers: Offers, settings: Settings, token: str) -> tuple[Identify, ...]:
    machines = ApiToken(offers.ports.beyond.tokens, offers.ports.clock, "api", believed_seconds=BELIEVED_SECONDS)
    return (machines, LocalToken(token, settings.access, "api"))


def listener(where: str) -> socket.socket:
    """HOST:PORT; port 0 takes a free one. Raises Unavailable."""
    host, _, port = where.rpartition(":")
    try:
        found = socket.create_server((host or "127.0.0.1", int(port)), backlog=256)
        found.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # else each answer waits 40 ms for its second packet
        return found
    except OSError as error:
        raise Unavailable(
            f"{where} for the console", 5.0, reason=error.strerror or str(error), mend="set web.listen to another port"
        ) from error


if __name__ == "__main__":
    sys.exit(deciders.main(ROLE, run, ConsoleSettings))
