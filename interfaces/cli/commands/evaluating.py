"""`day2 eval`: live through cases, and say how good it is, against what, and whether it got worse."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from interfaces.cli.exits import Exit
from interfaces.cli.sessions import Session, begin

if TYPE_CHECKING:
    from evals.scoring.results import Results

evaluate = typer.Typer(
    help="Cases with known answers, and finished runs: scored and assessed.", rich_markup_mode=None, no_args_is_help=True
)
Results_ = Annotated[Path | None, typer.Argument(help="results of a run; the last one without", show_default=False, metavar="RESULTS")]
Html = Annotated[Path | None, typer.Option("--html", help="write one self-contained page, with plots", show_default=False)]
Junit = Annotated[Path | None, typer.Option("--junit", help="write JUnit XML for CI", show_default=False)]


@evaluate.command("run")
def run_cases(
    context: typer.Context,
    folder: Annotated[
        Path | None, typer.Argument(help="your own cases; the shipped suites without", show_default=False, metavar="DIR")
    ] = None,
    suites: Annotated[list[str] | None, typer.Option("--suite", help="only this suite; may be given again", show_default=False)] = None,
    only: Annotated[list[str] | None, typer.Option("--only", help="only cases whose id contains this", show_default=False)] = None,
    quick: Annotated[bool, typer.Option("--quick", help="the quick suite: at most 4 minutes on two cores")] = False,
    seeds: Annotated[int, typer.Option("--seeds", min=0, help="how many seeds of each case; 0: all, of the quick suite one")] = 0,
    against: Annotated[
        list[str] | None,
        typer.Option(
            "--against",
            help="a baseline too: nothing, reactive, restart, unjudged, plain-model (asks the endpoint of model.*), or all",
            show_default=False,
        ),
    ] = None,
    jobs: Annotated[int, typer.Option("--jobs", min=1, max=64, help="processes")] = 2,
    fresh: Annotated[bool, typer.Option("--fresh", help="live through all of them again, whatever is kept")] = False,
    listed: Annotated[bool, typer.Option("--list", help="only say which cases these are")] = False,
    file: Annotated[Path | None, typer.Option("-O", "--output-file", help="where the results go", show_default=False)] = None,
    html: Html = None,
    junit: Junit = None,
    detailed: Annotated[bool, typer.Option("--detailed-exitcode", help="exit 2 when a trial fell short")] = False,
) -> None:
    """The whole product on simulated worlds, in virtual time: found, explained, judged, mended, and what it cost others.

    A trial is kept by a digest of its case, its world and the code, so a run that was ended goes on, and only what changed is lived
    through again.
    """
    from evals.cases import reading
    from evals.scoring import results
    from interfaces.rendering import evaluations

    session = begin(context)
    found = reading.chosen(reading.read(folder), suites=suites or (), only=only or (), quick=quick, seeds=seeds)
    if listed:
        session.show(evaluations.cases(found), columns=evaluations.CASE_COLUMNS, name="case")
        return
    kept = None if fresh else _folder(session) / "trials"
    ran = _run(session, found, _contestants(session, against or ()), jobs=jobs, kept=kept)
    for place in {_folder(session) / "last.json", file or _folder(session) / "last.json"}:
        results.write(ran, place)
    _written(session, ran, html=html, junit=junit)
    session.show(evaluations.document(ran), columns=evaluations.COLUMNS, view=evaluations.view, name="score")
    if detailed and not all(trial.passed for trial in ran.trials if trial.contestant == "day2ops"):
        raise typer.Exit(Exit.DIFFERS)


@evaluate.command("compare")
def compare_runs(
    context: typer.Context,
    before: Annotated[Path, typer.Argument(help="results of the earlier run", metavar="A")],
    after: Annotated[Path, typer.Argument(help="results of the later run", metavar="B")],
    detailed: Annotated[bool, typer.Option("--detailed-exitcode", help="exit 2 when any trial ended otherwise")] = False,
) -> None:
    """Trial by trial: which ended otherwise, and whether that is more than chance (McNemar's exact test)."""
    from evals.scoring import comparing, results
    from interfaces.rendering import evaluations

    session = begin(context)
    found = comparing.compared(results.read(before).trials, results.read(after).trials)
    shown = evaluations.comparison(found)
    session.show(shown, columns=evaluations.CHANGE_COLUMNS, view=evaluations.comparison_view, name="trial")
    if detailed and found.changes:
        raise typer.Exit(Exit.DIFFERS)


@evaluate.command("gate")
def gate_run(
    context: typer.Context,
    run: Results_ = None,
    baseline: Annotated[
        Path | None, typer.Option("--baseline", help="results to hold against; the shipped ones without", show_default=False)
    ] = None,
) -> None:
    """For CI: exits 1 when a run is worse than its baseline beyond noise, and names the cases. docs/evals.md states the test."""
    from evals.scoring import comparing, results
    from interfaces.rendering import evaluations

    session = begin(context)
    known, now = results.read(baseline or results.STORED), results.read(run or _last(session))
    found = comparing.compared(known.trials, now.trials)
    shown = evaluations.comparison(found)
    session.show(shown, columns=evaluations.CHANGE_COLUMNS, view=evaluations.comparison_view, name="trial")
    if found.is_worse:
        raise typer.Exit(Exit.ERROR)


@evaluate.command("report")
def report_run(
    context: typer.Context,
    runs: Annotated[
        list[Path] | None,
        typer.Argument(help="results, oldest first: the last is shown, the others are its trend", show_default=False, metavar="RESULTS"),
    ] = None,
    html: Html = None,
    junit: Junit = None,
) -> None:
    """The scoreboard of a run; with --html as a page with intervals, timelines and the trend over the runs given."""
    from evals.scoring import results
    from interfaces.rendering import evaluations

    session = begin(context)
    *earlier, last = [results.read(file) for file in runs or [_last(session)]]
    _written(session, last, html=html, junit=junit, earlier=earlier)
    session.show(evaluations.document(last), columns=evaluations.COLUMNS, view=evaluations.view, name="score")


# -- parts ------------------------------------------------------------------------------------------------------------


def _folder(session: Session) -> Path:
    return session.settings.data_dir / "evals"


def _last(session: Session) -> Path:
    return _folder(session) / "last.json"


def _contestants(session: Session, against: "list[str] | tuple[()]") -> list[str]:
    """`all` are those that need no endpoint, and where one is set those that speak with it too. Raises InvalidInput."""
    from evals.contestants import table

    model = session.settings.model
    every = [*table.CONTESTANTS, *(table.SPEAKING if model.enabled and model.name else ())]
    wanted = every if "all" in against else ["day2ops", *against]
    return [table.named(name, model).name for name in dict.fromkeys(wanted)]


def _run(session: Session, cases: "tuple[object, ...]", contestants: list[str], *, jobs: int, kept: Path | None) -> "Results":
    """With a bar on a terminal, a line a trial that fell short elsewhere."""
    from datetime import UTC, datetime

    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    from evals.provenance import commit
    from evals.running import pool
    from evals.running.trial import Trial
    from evals.scoring.results import Results

    tasks = pool.tasks(cases, contestants)  # type: ignore[arg-type]
    screen = Console(stderr=True, quiet=session.flags.quiet, no_color=session.flags.color == "never")
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=screen, disable=not screen.is_terminal, transient=True) as bar:
        line = bar.add_task("trials", total=len(tasks))

        def told(trial: Trial, cached: bool) -> None:
            bar.update(line, advance=1, description=f"{trial.suite}{' (kept)' if cached else ''}")
            if not trial.passed and trial.contestant == "day2ops":
                session.say(f"{trial.name} fell short: {'; '.join(trial.misses)[:300]}")

        trials = pool.run(tasks, jobs=jobs, kept=kept, model=session.settings.model, told=told)
    return Results(datetime.now(UTC).date().isoformat(), commit(), pool.code(), trials)


def _written(session: Session, ran: "Results", *, html: Path | None, junit: Path | None, earlier: "list[Results] | tuple[()]" = ()) -> None:
    from evals.reporting import junit as junit_form
    from evals.reporting import page

    if html is not None:
        html.write_text(page.text(ran, earlier), encoding="utf-8")
        session.say(f"wrote {html}")
    if junit is not None:
        junit.write_text(junit_form.text(ran), encoding="utf-8")
        session.say(f"wrote {junit}")
