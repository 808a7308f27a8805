"""The clock port. Real time, a test's hand-moved time, or the simulator's virtual time stand behind it (`tools/clocks.py`)."""

from datetime import datetime
from typing import Protocol


class Clock(Protocol):
    def now(self) -> datetime:
        """Aware UTC."""

    async def sleep(self, seconds: float) -> None:
        """Return when `seconds` of this clock have passed."""
