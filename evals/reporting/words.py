"""Figures in words, the same on every form. A figure without data says so."""

from evals.scoring.figures import COUNT, MINUTES, SECONDS, SHARE, Figure

NO_DATA = "no data"


def value(figure: Figure) -> str:
    if figure.value is None:
        return NO_DATA
    match figure.unit:
        case unit if unit == SHARE:
            return f"{figure.value:.1%}"
        case unit if unit == SECONDS:
            return seconds(figure.value)
        case unit if unit in (COUNT, MINUTES):
            return f"{figure.value:g}{' min' if unit == MINUTES else ''}"
    return f"{figure.value:g} {figure.unit}"


def of(figure: Figure) -> str:
    """What it was made of."""
    if figure.value is None:
        return ""
    if figure.unit == SHARE and figure.low is None:
        return f"{figure.right:.2f} of {figure.total:.2f} USD/month"
    return f"{figure.right:g} of {figure.total:g}" if figure.unit == SHARE else f"{figure.total:g} trials"


def interval(figure: Figure) -> str:
    if figure.low is None or figure.high is None:
        return ""
    if figure.unit == SHARE:
        return f"{figure.low:.1%} to {figure.high:.1%}"
    return f"{seconds(figure.low)} to {seconds(figure.high)} (10th to 90th)"


def goal(figure: Figure) -> str:
    if figure.goal is None:
        return ""
    sign = "≤" if figure.at_most else "≥"
    state = {True: "met", False: "**short**", None: NO_DATA}[figure.met]
    return f"{sign} {figure.goal:.0%}: {state}"


def seconds(amount: float) -> str:
    return f"{amount:.1f} s" if amount < 120 else f"{amount / 60:.1f} min" if amount < 7200 else f"{amount / 3600:.1f} h"
