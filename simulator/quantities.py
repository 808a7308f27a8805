"""Resource quantities as the API server writes them: parsed exactly, shown in canonical form (`1.1` is `1100m`, `1024Mi` is `1Gi`).

Format: https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/
"""

import re
from fractions import Fraction
from functools import lru_cache

_FORM = re.compile(r"([+-]?)(\d+(?:\.\d*)?|\.\d+)([EPTGMk]|[EPTGMK]i|[num]|[eE][+-]?\d+)?")
_EXPONENT = re.compile(r"[+-]?[0-9.]+[eE][+-]?\d+")
_DECIMAL = {"n": -3, "u": -2, "m": -1, "": 0, "k": 1, "M": 2, "G": 3, "T": 4, "P": 5, "E": 6}
_BINARY = {"Ki": 1, "Mi": 2, "Gi": 3, "Ti": 4, "Pi": 5, "Ei": 6}


@lru_cache(maxsize=4096)
def parse(text: str) -> Fraction:
    """The exact value. Raises ValueError for what is no quantity."""
    found = _FORM.fullmatch(text)
    if found is None or len(text) > 64:
        raise ValueError("quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'")
    sign, digits, suffix = found[1], found[2], found[3] or ""
    value = Fraction(digits + "0" if digits.endswith(".") else digits)
    if suffix in _BINARY:
        value *= 1024 ** _BINARY[suffix]
    elif suffix in _DECIMAL:
        value *= Fraction(1000) ** _DECIMAL[suffix]
    else:
        value *= Fraction(10) ** max(-18, min(18, int(suffix[1:])))
    return -value if sign == "-" else value


@lru_cache(maxsize=4096)
def canonical(text: str) -> str:
    """The canonical spelling. Raises ValueError for what is no quantity."""
    value = parse(text)
    if text.endswith("i") and abs(value) >= 1024:
        return _scaled(-(-value // 1), 1024, {power: suffix for suffix, power in _BINARY.items()})
    if _EXPONENT.fullmatch(text) and value == int(value) and value:
        return _by_exponent(int(value))
    return _decimal(value)


def _by_exponent(value: int) -> str:
    """What was written with an exponent keeps one: the largest that is a multiple of three."""
    power = 0
    while value % 1000 == 0:
        value, power = value // 1000, power + 3
    return f"{value}e{power}" if power else str(value)


def _decimal(value: Fraction) -> str:
    smallest = value * 1000**3
    whole = -(-smallest // 1)
    suffixes = {power + 3: suffix for suffix, power in _DECIMAL.items()}
    return _scaled(whole, 1000, suffixes) if whole else "0"


def _scaled(whole: int | Fraction, base: int, suffixes: dict[int, str]) -> str:
    """`whole` by the largest suffix that leaves no fraction."""
    number, power = int(whole), 0
    while number and number % base == 0 and power + 1 in suffixes:
        number //= base
        power += 1
    return f"{number}{suffixes.get(power, '')}"
