"""The twin of a channel: keeps what it was told."""

from collections.abc import Sequence
from datetime import datetime

from core.domain.alert import Alert


class MemoryChannel:
    """`down` is raised by every call while it is set."""

    def __init__(self, name: str = "alertmanager", *, only_grave: bool = False, again_seconds: float = 60) -> None:
        self.name = name
        self.only_grave = only_grave
        self.again_seconds = again_seconds
        self.down: Exception | None = None
        self.standing: list[Alert] = []
        self.over: list[Alert] = []

    async def tell(self, standing: Sequence[Alert], over: Sequence[Alert], at: datetime) -> None:  # noqa: ARG002  the port's clock is the caller's
        if self.down:
            raise self.down
        self.standing += standing
        self.over += over
