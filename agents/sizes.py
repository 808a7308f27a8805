"""What containers and pods ask for, as integers. Odd quantities count as not asked for: one strange object must not stop a check."""

from functools import lru_cache
from typing import NamedTuple

from core.cluster import quantities
from core.cluster.objects import Container, PodSpec, Resources

GPU = "nvidia.com/gpu"
_DISTINCT = 4096
"""A cluster asks for few distinct sizes, and each text is parsed once."""


class Size(NamedTuple):
    cpu_milli: int = 0
    memory_mib: int = 0
    gpus: int = 0

    def plus(self, other: "Size") -> "Size":
        return Size(self.cpu_milli + other.cpu_milli, self.memory_mib + other.memory_mib, self.gpus + other.gpus)

    def times(self, factor: int) -> "Size":
        return Size(self.cpu_milli * factor, self.memory_mib * factor, self.gpus * factor)


def read(resources: Resources) -> Size:
    return Size(_milli(resources.get("cpu", 0)), _mib(resources.get("memory", 0)), _count(resources.get(GPU, 0)))


def requested(container: Container) -> Size:
    """GPUs may be given as a limit only; then the request is the same number."""
    size = read(container.resources.requests)
    return size if size.gpus else size._replace(gpus=_count(container.resources.limits.get(GPU, 0)))


def limited(container: Container) -> Size:
    """0 where there is no limit."""
    return read(container.resources.limits)


def of_pod(spec: PodSpec) -> Size:
    """What the scheduler sets aside: the sum over the containers, or the largest init container where that is more."""
    total = Size()
    for container in spec.containers:
        total = total.plus(requested(container))
    for container in spec.init_containers:
        size = requested(container)
        total = Size(max(total.cpu_milli, size.cpu_milli), max(total.memory_mib, size.memory_mib), max(total.gpus, size.gpus))
    return total


def gpus(spec: PodSpec) -> int:
    found = 0
    for container in spec.containers:
        requests, limits = container.resources.requests, container.resources.limits
        if GPU in requests or GPU in limits:
            found += requested(container).gpus
    return found


@lru_cache(maxsize=_DISTINCT)
def _milli(text: str | int | float) -> int:
    try:
        return max(0, quantities.cpu_milli(text))
    except ValueError:
        return 0


@lru_cache(maxsize=_DISTINCT)
def _mib(text: str | int | float) -> int:
    try:
        return max(0, quantities.memory_mib(text))
    except ValueError:
        return 0


@lru_cache(maxsize=_DISTINCT)
def _count(text: str | int | float) -> int:
    try:
        return max(0, quantities.count(text))
    except ValueError:
        return 0
