"""What was asked through the doors is begun here, a few at a time, and its end is written down. Used by the controller role.

A request that was begun when its process died is either in the audit chain, and carried on as any unfinished run, or was not begun in
truth, and is begun now: its id is its run's, so neither way runs it twice.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any

from core.domain.clock import Clock
from core.domain.errors import Day2Error
from core.domain.intake import Asked, Intake, Stage
from core.domain.request import Request
from core.domain.values import bounded

log = logging.getLogger(__name__)
AT_ONCE = 2
"""Runs that the doors asked for and that work at the same time. The rest waits, oldest first."""
WAITING, BEGUN = frozenset({Stage.WAITING}), frozenset({Stage.BEGUN})


class Receiving:
    """`run` carries a request to its end, whether it was begun before or not."""

    def __init__(self, intake: Intake, clock: Clock, run: Callable[[Request], Awaitable[Any]]) -> None:
        self._intake, self._clock, self._run = intake, clock, run
        self._working: dict[str, asyncio.Task[None]] = {}

    def look(self) -> None:
        """Begin what waits, as far as there is room. Raises what the store raises."""
        for asked in self._intake.open():
            if len(self._working) >= AT_ONCE:
                return
            if asked.request.id not in self._working:
                self._begin(asked)

    def _begin(self, asked: Asked) -> None:
        run_id = asked.request.id
        if asked.stage is Stage.WAITING and not self._intake.move(run_id, expected=WAITING, to=Stage.BEGUN, at=self._clock.now()):
            return
        self._working[run_id] = asyncio.create_task(self._carry(asked.request))

    async def _carry(self, request: Request) -> None:
        stage, note = Stage.ENDED, ""
        try:
            await self._run(request)
        except Day2Error as error:
            stage, note = Stage.FAILED, bounded(str(error), 300)
        except Exception as error:  # a run that cannot be carried on must not stop the others; it is said, and not tried for ever
            log.exception("run %s ended with an error", request.id)
            stage, note = Stage.FAILED, f"{type(error).__name__}: see the controller's log"
        finally:
            del self._working[request.id]
        self._intake.move(request.id, expected=BEGUN, to=stage, at=self._clock.now(), note=note)

    async def stop(self) -> None:
        """What works is left where its checkpoint stands, and begun again by the next process."""
        tasks = list(self._working.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
