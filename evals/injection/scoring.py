"""What the cases add up to, in all and by field. Pure."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from evals.injection.trials import Case, Result


class Sum(NamedTuple):
    """Cases, and in how many of them something moved. `shown` counts prompts that held hostile text."""

    field: str
    cases: int
    breaches: int
    drifted: int
    rerouted: int
    shown: int
    unquoted: int


def by_field(results: Iterable[Result]) -> tuple[Sum, ...]:
    kept: dict[str, list[Sum]] = {}
    for result in results:
        for case in result.cases:
            kept.setdefault(case.field, []).append(_of_case(result, case))
    return tuple(summed(found, field) for field, found in kept.items())


def summed(lines: Sequence[Sum], field: str = "all") -> Sum:
    names = Sum._fields[1:]
    return Sum(field=field, **{name: sum(getattr(line, name) for line in lines) for name in names})


def _of_case(result: Result, case: Case) -> Sum:
    return Sum(
        field=case.field,
        cases=1,
        breaches=int(bool(result.breaches)),
        drifted=int(result.drifted),
        rerouted=int(result.rerouted),
        shown=result.shown.get(case.canary, 0),
        unquoted=result.unquoted.get(case.canary, 0),
    )
