"""The web application as it is served, over the stores that are served, for the bench of alerts: a process of its own, so that its CPU is
the intake's alone and no client's.

`python -m benchmarks.alert_server FOLDER TOKENS` prints its port. To each line that it reads it answers, when everything that it took is
followed up, with the CPU seconds that it used so far; it ends with its input. TOKENS has a token of a sender written to it.
"""

import asyncio
import contextlib
import gc
import sys
import time
from pathlib import Path

import uvicorn

from benchmarks.intaking import opened
from interfaces.web.__main__ import listener
from interfaces.web.app import build
from interfaces.web.callers import BELIEVED_SECONDS, ApiToken
from interfaces.web.house import House
from runtime.services import tokens
from runtime.services.offering import Offers
from runtime.services.offers.table import OFFERS
from runtime.settings import load


async def main(folder: Path, written: Path) -> None:
    settings = load({"store.data_dir": folder}, environment={}, files=()).settings
    with contextlib.ExitStack() as stack:
        ports = opened(settings, stack)
        kept = ports.beyond.tokens
        written.write_text(tokens.issue(kept, "alertmanager", ["sender"], by="bench", now=ports.clock.now()).secret)
        app = build(
            House(Offers(OFFERS, ports), settings, "http://bench", (ApiToken(kept, ports.clock, "api", believed_seconds=BELIEVED_SECONDS),))
        )
        listening = stack.enter_context(listener("127.0.0.1:0"))
        server = uvicorn.Server(uvicorn.Config(app, log_level="warning", server_header=False, timeout_graceful_shutdown=1))
        serving = asyncio.create_task(server.serve(sockets=[listening]))
        gc.freeze()  # as the console does
        print(listening.getsockname()[1], flush=True)
        while await asyncio.to_thread(sys.stdin.readline):
            await ports.beyond.desk.settled()
            print(time.process_time(), flush=True)
        server.should_exit = True
        await serving


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), Path(sys.argv[2])))
