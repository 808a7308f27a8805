"""The assessor at work beside the runs: what has ended is read, assessed and recorded. Used by the controller role.

It reads the ledger and what runs answered, and asks no cluster. A run that cannot be read is recorded as unknown, once.
"""

import contextlib
import logging
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from core.assessing.answers import Assessment
from core.assessing.opinions import Heard
from core.assessing.requirements import ASKED
from core.domain.clock import Clock
from core.domain.errors import Day2Error, InvalidInput
from core.domain.ledger import Ledger
from core.domain.model import Model
from core.domain.values import bounded
from runtime.services import assessing
from runtime.services.assessing import Due, Journal
from runtime.settings import AssessSettings

log = logging.getLogger(__name__)
Responses = Callable[[str], Awaitable[dict[str, Any]]]
"""What a finished run answered. Raises InvalidInput where that is not kept any more."""
Models = Callable[[], AbstractAsyncContextManager[Model | None]]


@dataclass
class Assessor:
    """`role` is the chain that its records go to: that of the process it works in."""

    ledger: Ledger
    clock: Clock
    responses: Responses
    models: Models
    settings: AssessSettings
    role: str
    journal: Journal = field(default_factory=Journal)

    async def once(self) -> int:
        """Assess what is due; the number of runs."""
        self.journal.catch_up(self.ledger)
        due = self.journal.due(self.ledger, self.clock.now(), timedelta(minutes=self.settings.wait_minutes))
        for each in due:
            await self._assess(each)
        self.journal.catch_up(self.ledger)
        return len(due)

    async def _assess(self, due: Due) -> None:
        asked: assessing.Asked = "none"
        try:
            response = await self.responses(due.run)
            again = assessing.looked_again(response, await self._later(due))
            run, found = assessing.by_code(assessing.stored(self.ledger, due.run, response, again))
        except (InvalidInput, ValueError, LookupError) as error:  # what an older version wrote may not be readable any more
            log.warning("%s cannot be assessed: %s", due.run, error)
            heard = Heard(Assessment(run=due.run, answers=(), asked=ASKED), bounded(str(error), 200))
        else:
            heard = Heard(found)
            if assessing.sampled(due.run, self.settings.sample_percent):
                heard, asked = await self._with_model(run, found)
        assessing.record(self.ledger, heard, asked, self.clock.now(), role=self.role, lowers=self.settings.lowers)

    async def _later(self, due: Due) -> dict[str, Any] | None:
        """None as well where the later run's answer is kept no more."""
        with contextlib.suppress(InvalidInput):
            return await self.responses(due.later) if due.later else None
        return None

    async def _with_model(self, run: Any, found: Assessment) -> tuple[Heard, assessing.Asked]:
        try:
            async with self.models() as model:
                return await assessing.with_model(run, found, model)
        except Day2Error as error:  # a model that cannot be configured: code alone, and the record says so
            return Heard(found, str(error)), "silent"
