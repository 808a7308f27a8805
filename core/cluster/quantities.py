"""Kubernetes quantities as integers: milli-CPU, MiB and plain counts.

Grammar: https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/ (decimal SI, binary SI, decimal exponent).
Bytes round up to whole MiB and CPU up to whole milli-cores, so that a request is never understated.
"""

import re
from decimal import ROUND_CEILING, Decimal
from functools import lru_cache

_SUFFIX = {
    "n": Decimal("1e-9"), "u": Decimal("1e-6"), "m": Decimal("1e-3"), "": Decimal(1),
    "k": Decimal(10**3), "M": Decimal(10**6), "G": Decimal(10**9), "T": Decimal(10**12), "P": Decimal(10**15), "E": Decimal(10**18),
    "Ki": Decimal(2**10), "Mi": Decimal(2**20), "Gi": Decimal(2**30), "Ti": Decimal(2**40), "Pi": Decimal(2**50), "Ei": Decimal(2**60),
}  # fmt: skip
_QUANTITY = re.compile(
    r"([+-]?[0-9]{1,30}(?:\.[0-9]{0,30})?|[+-]?\.[0-9]{1,30})(?:([eE][+-]?[0-9]{1,2})|([numkMGTPE]|[KMGTPE]i))?", re.ASCII
)
_LARGEST = Decimal(2**63)


def parse(text: str | int | float) -> Decimal:
    """The exact value. Raises ValueError for anything that is no quantity, or is larger than the API server's int64."""
    match = _QUANTITY.fullmatch(str(text))
    if not match:
        raise ValueError(f"{str(text)[:40]!r} is no Kubernetes quantity")
    number, exponent, suffix = match.groups()
    value = Decimal(number + (exponent or "")) * _SUFFIX[suffix or ""]  # so few digits never overflow
    if abs(value) >= _LARGEST:
        raise ValueError(f"{str(text)[:40]!r} is out of range")
    return value


def cpu_milli(text: str | int | float) -> int:
    """Milli-cores, rounded up: `"250m"` is 250, `"1.5"` is 1500."""
    return _milli(str(text))


def memory_mib(text: str | int | float) -> int:
    """MiB, rounded up: `"1Gi"` is 1024."""
    return _mib(str(text))


def count(text: str | int | float) -> int:
    """A whole number, rounded up: GPUs, pods."""
    return _whole(str(text))


def cpu_text(milli: int) -> str:
    """As Kubernetes writes it: 2000 is `"2"`, 650 is `"650m"`."""
    return str(milli // 1000) if milli % 1000 == 0 else f"{milli}m"


def memory_text(mib: int) -> str:
    """As Kubernetes writes it: 2048 is `"2Gi"`, 600 is `"600Mi"`."""
    return f"{mib // 1024}Gi" if mib and mib % 1024 == 0 else f"{mib}Mi"


# A cluster has ten thousand pods and a few dozen sizes: the same texts are read again and again.
@lru_cache(4096)
def _milli(text: str) -> int:
    return _ceil(parse(text) * 1000)


@lru_cache(4096)
def _mib(text: str) -> int:
    return _ceil(parse(text) / 2**20)


@lru_cache(4096)
def _whole(text: str) -> int:
    return _ceil(parse(text))


def _ceil(value: Decimal) -> int:
    return int(value.to_integral_value(ROUND_CEILING))
