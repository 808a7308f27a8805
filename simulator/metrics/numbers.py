"""How Prometheus writes floating point numbers. Used for sample values and bucket bounds."""

import math


def number(value: float) -> str:
    """As Prometheus writes a float: shortest text that reads back the same."""
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    return str(int(value)) if value == int(value) and abs(value) < 1e21 else repr(value)
