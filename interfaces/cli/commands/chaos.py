"""`day2 chaos`: is a workload as strong as people think? A fault for a short while, within limits, judged and taken back."""

from pathlib import Path
from typing import Annotated, Any

import typer

from interfaces.cli.exits import Exit
from interfaces.cli.sessions import begin, run

chaos = typer.Typer(
    help="Experiments: a fault for a short while, judged, watched and taken back.", rich_markup_mode=None, no_args_is_help=True
)
File = Annotated[Path, typer.Argument(help="a file with one document of kind Experiment", metavar="FILE")]
Name = Annotated[str, typer.Argument(help="exp-..., from day2 chaos list", metavar="ID")]
_ENDS = {"pass": Exit.DONE, "fail": Exit.DIFFERS, "inconclusive": Exit.ERROR}


@chaos.command("validate")
def validate(context: typer.Context, file: File) -> None:
    """What an experiment would do here now, or every reason against it; nothing is submitted."""
    from interfaces.rendering import experiments
    from runtime.roles import experimenting

    session = begin(context)
    with session.waiting("reading the cluster"):
        found = run(experimenting.validate(session.settings, file))
    session.show(experiments.preview(found), view=experiments.preview_view, name="name")
    if found.refused:
        raise typer.Exit(Exit.DENIED)
    session.hint(f"Next: day2 chaos run {file}")


@chaos.command("run")
def run_one(context: typer.Context, file: File) -> None:
    """Play one experiment to its verdict: the steady state, the fault through the gate, probes, the way back, recovery.

    The judge decides about each part, and people approve what is of medium risk. Exits 0 for pass, 2 for fail, 1 for inconclusive, 6
    where a fault was not taken back. Ctrl-C gives the lease up: the executor takes the fault back within seconds.
    """
    from interfaces.rendering import experiments, outcomes
    from runtime.roles import experimenting

    session = begin(context)
    names: list[str] = []

    def told(identity: str) -> None:
        names.append(identity)
        session.say(f"{identity}  began; to stop it: day2 chaos stop {identity}")

    report: dict[str, Any] = run(experimenting.run(session.settings, file, told=told, show=lambda row: session.say(outcomes.progress(row))))
    trial, _ = run(experimenting.show(session.settings, names[0]))
    session.show(experiments.document(trial, report), view=experiments.view)
    raise typer.Exit(Exit.ROLLBACK_INCOMPLETE if report["leftovers"] else _ENDS[report["verdict"]["word"]])


@chaos.command("list")
def list_all(context: typer.Context) -> None:
    """Experiments of this data folder with their verdicts, newest first."""
    from interfaces.rendering import experiments
    from runtime.roles import experimenting

    session = begin(context)
    session.show(experiments.listed(experimenting.trials(session.settings)), columns=experiments.COLUMNS)


@chaos.command("show")
def show_one(context: typer.Context, name: Name) -> None:
    """One experiment: its verdict, its probes, its actions, what was found, and its way through the audit chain."""
    from interfaces.rendering import experiments
    from runtime.roles import experimenting

    session = begin(context)
    trial, report = run(experimenting.show(session.settings, name))
    session.show(experiments.document(trial, report), view=experiments.view)


@chaos.command("stop")
def stop_one(
    context: typer.Context,
    name: Name,
    reason: Annotated[str, typer.Option("--reason", help="why; it stands in the report")],
) -> None:
    """Ask a running experiment to stop: its fault is taken back within seconds, and its verdict says so."""
    from interfaces.rendering import experiments
    from runtime.roles import experimenting

    session = begin(context)
    experimenting.stop(session.settings, name, reason=reason)
    trial, report = run(experimenting.show(session.settings, name))
    session.show(experiments.document(trial, report), view=experiments.view)
    session.hint(f"Next: day2 chaos show {name}")
