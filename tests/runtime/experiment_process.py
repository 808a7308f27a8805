"""Run by `test_dead_controllers.py`: a controller that plays one experiment, in a process that can be killed.

Arguments: a file of settings, the experiment's document or an id to carry on, and the roles that are its children. Prints the report.
"""

import asyncio
import json
import sys
from pathlib import Path

from gate.door import LedgerDoor
from runtime.ids import RandomIds
from runtime.roles import everything, experimenting
from runtime.settings import Settings
from tools import checkpoints


async def play(settings: Settings, what: str, children: tuple[str, ...]) -> None:
    store = settings.data_dir / "experiments.db"
    async with everything.opened(settings, children=children) as product, checkpoints.opened(store) as saver:
        gate = LedgerDoor(product.ledger, product.reading.clock, poll_seconds=settings.flow.poll_seconds)
        work = experimenting.over(settings, saver, product.reading, product.ledger, gate)
        if what.startswith("exp-"):
            await work.resume()
            report = await work.report(what)
        else:
            report = await work.run(experimenting.read(Path(what)), by="operator@example.com", ids=RandomIds())
        sys.stdout.write(json.dumps(report) + "\n")


if __name__ == "__main__":
    told = Settings.model_validate_json(Path(sys.argv[1]).read_text(encoding="utf-8"))
    asyncio.run(play(told, sys.argv[2], tuple(sys.argv[3:])))
