"""What was written against what people declared for the schedules that run by themselves: read from the API server's own audit. Pure.

It takes the judge's permits apart only to learn which action a write belongs to, and counts windows, ceilings and budgets on its own: had
scheduler, judge and executor all overlooked a bound, it would be told here.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from core.domain.objective import Autonomy
from core.domain.verdict import Decision
from core.policy.schedules import DAYS, Schedule, Window

_MIDNIGHT = "24:00"


class Wrote(NamedTuple):
    """One forward write that the API server stored. `schedule` and `run` are empty where its permit leads to none.

    `decision` is the judge's last verdict, None where there is none; `approvers` are people other than who asked.
    """

    at: datetime
    action: str
    what: str
    schedule: str
    run: str
    decision: Decision | None
    approvers: int


def found(writes: Sequence[Wrote], schedules: Sequence[Schedule]) -> tuple[str, ...]:
    """In words, in order of the writes; budgets last."""
    by_name = {schedule.name: schedule for schedule in schedules}
    return (*(why for each in writes for why in _of(each, by_name.get(each.schedule))), *_budgets(writes, by_name))


def _of(write: Wrote, schedule: Schedule | None) -> Iterator[str]:
    told = f"{write.what} at {write.at:%a %H:%M}"
    if schedule is None:
        yield f"{told}: of no schedule"
        return
    if write.decision is None or write.decision is Decision.DENY:
        yield f"{told}: the judge did not let it through"
    if write.decision is Decision.NEEDS_APPROVAL and not write.approvers:
        yield f"{told}: nobody approved it"
    if schedule.ceiling is Autonomy.OBSERVE:
        yield f"{told}: {schedule.name} only observes"
    if schedule.ceiling is Autonomy.SUGGEST and not write.approvers:
        yield f"{told}: {schedule.name} only suggests, and nobody approved it"
    if schedule.windows.write and not any(is_open(window, write.at.astimezone(schedule.timezone)) for window in schedule.windows.write):
        yield f"{told}: outside the windows in which {schedule.name} may write"


def is_open(window: Window, local: datetime) -> bool:
    """By the clock's face; a window that ends before it begins is open over midnight."""
    clock, today, before = f"{local:%H:%M}", DAYS[local.weekday()], DAYS[(local - timedelta(days=1)).weekday()]
    if window.begins < window.ends:
        return today in window.days and window.begins <= clock and (window.ends == _MIDNIGHT or clock < window.ends)
    return (today in window.days and clock >= window.begins) or (before in window.days and clock < window.ends)


def _budgets(writes: Sequence[Wrote], by_name: Mapping[str, Schedule]) -> Iterator[str]:
    """Actions count, not the requests that one of them is made of."""
    known = [write for write in writes if write.schedule in by_name]
    first = {write.action: write for write in reversed(known)}.values()
    runs = Counter((write.schedule, write.run) for write in first)
    for (name, run), count in sorted(runs.items()):
        if count > (most := by_name[name].budget.writes_per_run):
            yield f"{count} actions of {run}, {name} may submit {most} a run"
    days = Counter((write.schedule, f"{write.at.astimezone(by_name[write.schedule].timezone):%Y-%m-%d}") for write in first)
    for (name, day), count in sorted(days.items()):
        most = by_name[name].budget.writes_per_day
        if most and count > most:
            yield f"{count} actions on {day}, {name} may submit {most} a day"
