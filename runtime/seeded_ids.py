"""Ids of the demo, evaluations and tests: the same seed gives the same ones. Apart from `runtime.ids`: nothing that can write uses it."""

from core.domain.values import identifier


class SeededIds:
    """The same seed gives the same sequence."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._given = 0

    def new(self, prefix: str) -> str:
        self._given += 1
        return identifier(prefix, self._seed, self._given)
