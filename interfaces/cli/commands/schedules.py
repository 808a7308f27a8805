"""`day2 schedule` and `day2 report`: what runs by itself, and what came of it."""

from pathlib import Path
from typing import Annotated

import typer

from interfaces.cli.sessions import begin

schedule = typer.Typer(help="Schedules: what runs by itself, when, and how far it may go.", rich_markup_mode=None, no_args_is_help=True)
report = typer.Typer(help="Reports: what scheduled runs came to.", rich_markup_mode=None, no_args_is_help=True)

Name = Annotated[str, typer.Argument(metavar="NAME", help="of a schedule: day2 schedule list")]


@schedule.command("list")
def show_schedules(context: typer.Context) -> None:
    """Schedules in force, of documents and of doors, with their next run."""
    from interfaces.rendering import scheduled

    session = begin(context)
    found = session.answer()
    session.show(scheduled.listed(found), columns=scheduled.COLUMNS, name="name")
    if not found:
        session.hint("no schedule yet: write one as docs/schedules.md shows, then: day2 schedule add -f FILE")


@schedule.command("get")
def show_schedule(context: typer.Context, name: Name) -> None:
    """One schedule with its windows, its next runs and its latest ticks."""
    from interfaces.rendering import scheduled

    session = begin(context)
    found, ticks = session.answer({"schedule": name})
    session.show(scheduled.document(found, ticks), view=scheduled.view, name="name")


@schedule.command("next")
def show_next(
    context: typer.Context, name: Name, count: Annotated[int, typer.Option("--count", min=1, max=50, help="how many times")] = 5
) -> None:
    """When it runs next, in its own zone and in UTC. Jitter comes on top."""
    from interfaces.rendering import scheduled

    session = begin(context)
    found, _ = session.answer({"schedule": name, "count": count})
    session.show(scheduled.upcoming(found), columns=scheduled.NEXT_COLUMNS, name="utc")
    if not found.next:
        session.hint(f"{name} does not run: it is {'suspended in its document' if found.schedule.suspended else 'paused'}")


@schedule.command("run-now")
def run_now(context: typer.Context, name: Name) -> None:
    """Have it run out of turn, within its ceiling, its windows for writing and its budget. `day2 serve` begins it."""
    from interfaces.rendering import scheduled

    session = begin(context)
    tick = session.answer({"schedule": name})
    session.show(scheduled.tick_document(tick), view=scheduled.tick_view, name="runId")
    session.hint(f"then: day2 report get {tick.run_id}")


@schedule.command("pause")
def pause(
    context: typer.Context, name: Name, reason: Annotated[str, typer.Option("--reason", help="why; everybody who looks sees it")]
) -> None:
    """Begin no run of it until somebody resumes it. A run that works is not stopped: day2 stop."""
    from interfaces.rendering import scheduled

    session = begin(context)
    session.show(scheduled.document(session.answer({"schedule": name, "reason": reason})), view=scheduled.view, name="name")


@schedule.command("resume")
def resume(context: typer.Context, name: Name) -> None:
    """Let it run again. What it passed over while it was paused is not made up for."""
    from interfaces.rendering import scheduled

    session = begin(context)
    session.show(scheduled.document(session.answer({"schedule": name})), view=scheduled.view, name="name")


@schedule.command("add")
def add(context: typer.Context, file: Annotated[Path, typer.Option("-f", "--file", metavar="FILE", help="a YAML document")]) -> None:
    """Make or change a schedule without the documents of policy.objectives: it is kept in the data folder.

    With --dry-run it is only checked, and its next runs are shown.
    """
    from interfaces.rendering import scheduled
    from runtime.roles import console
    from runtime.services import policies, schedules

    session = begin(context)
    text = policies.text_of(file)
    with console.clock_of(session.settings) as clock:
        found = schedules.previewed(text, str(file), clock.now())  # a mistake is told with the file's name
    if session.flags.dry_run == "none":
        found = session.answer({"document": text})
    session.show(scheduled.document(found), view=scheduled.view, name="name")


@schedule.command("remove")
def remove(context: typer.Context, name: Name) -> None:
    """Take away a schedule that was added. Its reports stay."""
    from interfaces.rendering import scheduled

    session = begin(context)
    session.show(scheduled.listed(session.answer({"schedule": name})), columns=scheduled.COLUMNS, name="name")


@report.command("list")
def show_reports(
    context: typer.Context,
    of: Annotated[str, typer.Option("--schedule", metavar="NAME", help="only of this schedule")] = "",
    limit: Annotated[int, typer.Option("--limit", min=1, max=1000)] = 50,
) -> None:
    """What scheduled runs came to, newest first."""
    from interfaces.rendering import scheduled

    session = begin(context)
    found = session.answer({"schedule": of, "limit": limit})
    session.show(scheduled.report_list(found), columns=scheduled.REPORT_COLUMNS, name="run")


@report.command("get")
def show_report(context: typer.Context, run: Annotated[str, typer.Argument(metavar="RUN", help="run-...")]) -> None:
    """One run: seen, done, refused, saved, left to people. It is kept up to date until its last action has ended."""
    from interfaces.rendering import scheduled

    session = begin(context)
    session.show(scheduled.report_document(session.answer({"run": run})), view=scheduled.report_view, name="run")


@report.command("weekly")
def weekly(context: typer.Context) -> None:
    """The last seven whole days (UTC): -o html is one page with plots that can be mailed, -o md the same as text."""
    from interfaces.rendering import scheduled
    from runtime.services import digests

    session = begin(context)
    found = session.answer()
    make = {"html": digests.page, "md": digests.markdown}.get(session.flags.output)
    if make:
        session.out.stream.write(make(found))
        return
    session.show(scheduled.digest(found), columns=scheduled.DIGEST_COLUMNS, name="schedule")
