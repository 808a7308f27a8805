"""Where new ids come from: chance. In the demo and in tests, from a seed: `runtime.seeded_ids`."""

import secrets
from typing import Protocol


class Ids(Protocol):
    def new(self, prefix: str) -> str:
        """An id that was never given before, such as `run-3fa9c2d1e0`."""


class RandomIds:
    """80 bits of chance."""

    def new(self, prefix: str) -> str:
        return f"{prefix}-{secrets.token_hex(5)}"
