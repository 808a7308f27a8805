"""MCP on standard input and output, for a client on this machine: whoever starts it is the account that it speaks for."""

import logging
import sys

from core.domain.access import Caller
from interfaces.mcp.server import build
from runtime.roles import everything, front, identifying
from runtime.settings import Settings

DOOR = "mcp"


async def serve(settings: Settings) -> None:
    """Until the client closes its end. Standard output carries the protocol alone."""
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr)
    everything.prepare(settings)
    me = identifying.local(settings, DOOR)

    async def caller() -> Caller:
        return me

    async with front.opened(settings, door=DOOR) as offers:
        await build(offers, caller, url=settings.web.public_url).run_stdio_async(show_banner=False)
