"""`docs/scoreboard.md` from stored results. Nothing in it is typed by hand but its words."""

from collections.abc import Iterable, Iterator, Sequence

from evals.cases import reading
from evals.reporting import week, words
from evals.running.trial import Trial
from evals.scoring import figures
from evals.scoring.results import Results

COMMAND = "make eval-scoreboard"
HEAD = """\
# Scoreboard

{trials} trials of {cases} of the {shipped} shipped cases, baselines included, lived through on {date} after commit
{commit}, without any model. `{command}` makes this page;
[evals.md](evals.md) defines every score. Shares have 95 % Wilson intervals. What has no data says so: unknown is not nought.{later}

"""


def text(results: Results) -> str:
    own = tuple(trial for trial in results.trials if trial.contestant == "day2ops")
    head = HEAD.format(
        trials=len(results.trials),
        cases=len({trial.case for trial in results.trials}),
        date=results.date,
        commit=results.commit,
        shipped=len(reading.read()),
        command=COMMAND,
        later="".join(f"\nThe suite {each.suite} was lived through on {each.date} after commit {each.commit}." for each in results.later),
    )
    return (
        head
        + "\n".join(
            [
                *_scores(own),
                *_contestants(results.trials),
                *_week(results.trials),
                *_suites(own),
                *_judge(own),
                *_repeated(results),
                *_missed(own),
            ]
        )
        + "\n"
    )


def _scores(trials: Sequence[Trial]) -> Iterator[str]:
    yield from _table(
        ("score", "value", "95 % interval", "of", "goal"),
        [(each.name, words.value(each), words.interval(each), words.of(each), words.goal(each)) for each in figures.figures(trials)],
    )


def _contestants(trials: Sequence[Trial]) -> Iterator[str]:
    """Only over what every contestant lived through; cases with schedules have a table of their own."""
    groups = figures.by_contestant([trial for trial in trials if not trial.service_minutes])
    if len(groups) < 2:
        return
    shared = set.intersection(*({(trial.case, trial.seed) for trial in group} for _, group in groups))
    wanted = ("mitigation", "harm", "bystanders' minutes lost", "money saved, of the best", "writes")
    yield from ("", f"## Beside the baselines, in the same {len(shared)} worlds", "")
    rows = []
    for name, group in groups:
        found = {each.name: each for each in figures.figures([one for one in group if (one.case, one.seed) in shared])}
        rows.append((name, *(f"{words.value(found[score])} {_bracket(words.interval(found[score]))}".strip() for score in wanted)))
    yield from _table(("contestant", *wanted), rows)


def _week(trials: Sequence[Trial]) -> Iterator[str]:
    """Only where somebody lived through a case with schedules."""
    known = week.of(trials)
    if not known:
        return
    seeds, days = len({(trial.case, trial.seed) for trial in known}), max(trial.virtual for trial in known) / 86_400
    yield from ("", f"## Alone for {days:.0f} days, {seeds} times", "")
    yield "The product runs by its schedules: nobody calls it ([evals.md](evals.md#alone)). The others act every hour in the same worlds."
    yield ""
    yield from _table(week.HEADS, week.rows(known))


def _bracket(interval: str) -> str:
    return f"({interval})" if interval else ""


def _suites(trials: Sequence[Trial]) -> Iterator[str]:
    yield from ("", "## By suite", "")
    rows = []
    for suite, group in figures.by_suite(trials):
        passed = next(each for each in figures.figures(group) if each.name.startswith("end to end"))
        rows.append((suite, len({trial.case for trial in group}), words.of(passed), words.value(passed), words.interval(passed)))
    yield from _table(("suite", "cases", "passed", "share", "95 % interval"), rows)


def _judge(trials: Sequence[Trial]) -> Iterator[str]:
    yield from ("", "## The judge, by what a case wants", "")
    yield from _table(("wanted", "said", "actions"), [(*key, count) for key, count in sorted(figures.confusion(trials).items())])
    yield ""
    packs = [(each.name, each.stopped, each.alone, each.denied, each.asked) for each in figures.by_pack(trials)]
    yield from _table(("pack", "breaches stopped", "by it alone", "fine, denied", "fine, asked about"), packs)


def _repeated(results: Results) -> Iterator[str]:
    again = results.repeated
    if again is None:
        return
    equal = again.trials - len(again.differing)
    yield from ("", f"## {again.times} times the same", "")
    yield (
        f"The quick suite was lived through {again.times} times, each time anew, on {again.date} after commit {again.commit}: {equal} of "
        f"{again.trials} trials were equal each time, to the last value but the seconds that they took."
    )
    yield from (f"- {name} was not" for name in again.differing)


def _missed(trials: Sequence[Trial]) -> Iterator[str]:
    yield from ("", "## What fell short", "")
    missed = [trial for trial in trials if not trial.passed]
    for trial in missed:
        yield f"- {trial.case}, seed {trial.seed}: {'; '.join(trial.misses)[:400]}"
    if not missed:
        yield "Nothing."


def _table(heads: Sequence[str], rows: Iterable[Sequence[object]]) -> Iterator[str]:
    yield f"| {' | '.join(heads)} |"
    yield "|" + "---|" * len(heads)
    for row in rows:
        yield f"| {' | '.join(str(cell).replace('|', '/') for cell in row)} |"
