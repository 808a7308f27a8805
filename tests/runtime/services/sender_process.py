"""A sender of webhooks that may be killed: `python sender_process.py FOLDER`, over the ledger and the doors' database of that folder."""

import asyncio
import sys
from pathlib import Path

from runtime.services.broadcasting import Events
from runtime.services.delivering import Deliveries
from tools.alerting.webhooks import HttpPoster
from tools.clocks import SystemClock
from tools.stores import ledger as ledgers
from tools.stores.front import opening
from tools.stores.front.webhooks import SqlTargets


async def main(folder: Path) -> None:
    ledger, database = ledgers.opened(f"sqlite:///{folder / 'ledger.db'}", None), opening.opened(f"sqlite:///{folder / 'front.db'}")
    events = Events(ledger, look_seconds=0.01)
    told = Deliveries(SqlTargets(database), HttpPoster(), events, ledger, SystemClock(), folder / "secrets", sender="the-first")
    async with told.living("https://day2.example"):
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
