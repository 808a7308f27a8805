"""Where new ids come from: chance in production, a seed in the demo and in tests."""

import secrets
from typing import Protocol

from core.domain.values import identifier


class Ids(Protocol):
    def new(self, prefix: str) -> str:
        """An id that was never given before, such as `run-3fa9c2d1e0`."""


class RandomIds:
    """80 bits of chance."""

    def new(self, prefix: str) -> str:
        return f"{prefix}-{secrets.token_hex(5)}"


class SeededIds:
    """The same seed gives the same sequence."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._given = 0

    def new(self, prefix: str) -> str:
        self._given += 1
        return identifier(prefix, self._seed, self._given)
