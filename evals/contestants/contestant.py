"""What a contestant is: he looks, he acts. The product and every baseline are values of this form."""

from collections.abc import Sequence
from typing import Protocol

from core.domain.finding import Finding
from evals.running.stages import Stage


class Contestant(Protocol):
    """`tells`: he says what he found; otherwise detection and cause are not known of him. `everywhen`: he acts at every look."""

    @property
    def name(self) -> str: ...
    @property
    def tells(self) -> bool: ...
    @property
    def everywhen(self) -> bool: ...

    async def look(self, stage: Stage) -> Sequence[Finding]:
        """What he tells now, worst first."""
        ...

    async def act(self, stage: Stage) -> None:
        """On what he saw last."""
        ...
