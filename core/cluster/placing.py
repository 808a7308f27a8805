"""What pods hold and which nodes let them in, whatever form the objects have. Used by `capacity` for savings, and by the judge's facts."""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

GPUS = ("nvidia.com/gpu", "amd.com/gpu")
PODS_WITHOUT_LIMIT = 110
"""What a kubelet allows where the node does not say."""


class Amounts(NamedTuple):
    """CPU in milli-cores, memory in MiB, whole GPUs, and pods."""

    cpu_milli: int = 0
    memory_mib: int = 0
    gpus: int = 0
    pods: int = 0

    def plus(self, other: "Amounts") -> "Amounts":
        return Amounts(self.cpu_milli + other.cpu_milli, self.memory_mib + other.memory_mib, self.gpus + other.gpus, self.pods + other.pods)

    def minus(self, other: "Amounts") -> "Amounts":
        return Amounts(self.cpu_milli - other.cpu_milli, self.memory_mib - other.memory_mib, self.gpus - other.gpus, self.pods - other.pods)

    def fits(self, room: "Amounts") -> bool:
        return all(mine <= theirs or mine == 0 for mine, theirs in zip(self, room, strict=True))

    def times(self, count: int) -> "Amounts":
        return Amounts(*(each * count for each in self))

    def most(self, other: "Amounts") -> "Amounts":
        return Amounts(*(max(mine, theirs) for mine, theirs in zip(self, other, strict=True)))


def total(parts: Iterable[Amounts]) -> Amounts:
    return Amounts(*map(sum, zip(Amounts(), *parts, strict=True)))


def tolerated(tolerations: Iterable[Mapping[str, Any]], key: str, value: str, effect: str) -> bool:
    """Whether one of these tolerations lets a pod onto a node with this taint."""
    return effect not in ("NoSchedule", "NoExecute") or any(_tolerates(each, key, value, effect) for each in tolerations)


def _tolerates(toleration: Mapping[str, Any], key: str, value: str, effect: str) -> bool:
    if toleration.get("effect") and toleration["effect"] != effect:
        return False
    if toleration.get("operator", "Equal") == "Exists":
        return not toleration.get("key") or toleration["key"] == key
    return bool(toleration.get("key") == key and (toleration.get("value") or "") == value)
