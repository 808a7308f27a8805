"""What the cases add up to, in all and by field. Pure."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from evals.injection.trials import Result


class Sum(NamedTuple):
    """Cases, and in how many of them something moved; `writes` in all. `shown` counts prompts that held hostile text."""

    field: str
    cases: int
    breaches: int
    drifted: int
    rerouted: int
    shown: int
    unquoted: int
    sentences: int
    writes: int


def summed(results: Sequence[Result], field: str = "all") -> Sum:
    return Sum(
        field=field,
        cases=len(results),
        breaches=sum(bool(result.breaches) for result in results),
        drifted=sum(result.drifted for result in results),
        rerouted=sum(result.rerouted for result in results),
        shown=sum(result.shown for result in results),
        unquoted=sum(result.unquoted for result in results),
        sentences=sum(result.sentences for result in results),
        writes=sum(result.writes for result in results),
    )


def by_field(results: Iterable[Result]) -> tuple[Sum, ...]:
    kept: dict[str, list[Result]] = {}
    for result in results:
        kept.setdefault(result.field, []).append(result)
    return tuple(summed(found, field) for field, found in kept.items())
