"""`day2 eval assess` and `day2 eval capture`: finished live runs, looked at again."""

from pathlib import Path
from typing import Annotated

import typer

from interfaces.cli.sessions import begin, run

RunId = Annotated[str, typer.Argument(help="run-...", metavar="RUN", show_default=False)]
Label = Annotated[str, typer.Option("--label", help="your word: sound or flawed; the assessor's without", show_default=False)]
Violates = Annotated[list[str] | None, typer.Option("--violates", help="requirement that a flawed run violates; may be repeated")]
Note = Annotated[str, typer.Option("--note", help="why you label it so", show_default=False)]
Snapshot = Annotated[Path | None, typer.Option("--snapshot", help="a saved look of that time, named in the case", show_default=False)]
To = Annotated[Path | None, typer.Option("--to", help="folder for the case; standard output without", show_default=False)]


def assess(
    context: typer.Context,
    run_id: Annotated[str, typer.Argument(help="run-...; what was recorded of all without", metavar="RUN", show_default=False)] = "",
    limit: Annotated[int, typer.Option("--limit", min=1, max=1000, help="of the list")] = 200,
) -> None:
    """Was a finished run right? Requirement by requirement, by code; or what the controller recorded of all. Changes nothing."""
    from interfaces.rendering import assessments
    from runtime.roles import assessor

    session = begin(context)
    if not run_id:
        session.show(assessments.listed(assessor.recorded(session.settings, limit)), columns=assessments.COLUMNS, name="run")
        return
    with session.waiting("reading the run"):
        found, assessment = run(assessor.assessed(session.settings, run_id))
    session.show(assessments.document(found, assessment), view=assessments.view, name="run")


def capture(
    context: typer.Context,
    run_id: RunId,
    label: Label = "",
    violates: Violates = None,
    note: Note = "",
    snapshot: Snapshot = None,
    to: To = None,
) -> None:
    """A finished run as a labelled case in YAML, without secrets and without names of people."""
    from runtime.roles import assessor
    from runtime.services import capturing

    session = begin(context)
    said = capturing.label(label, violates or (), note)
    with session.waiting("reading the run"):
        found, assessment = run(assessor.assessed(session.settings, run_id))
    case = capturing.document(found, assessment, said, snapshot)
    if to is None:
        typer.echo(capturing.text(case), nl=False)
        return
    to.mkdir(parents=True, exist_ok=True)
    path = to / f"{case['case']['id']}.yaml"
    path.write_text(capturing.text(case), encoding="utf-8")
    session.say(f"{path}: {case['label']['outcome']}, by {case['label']['by']}")


def join(group: typer.Typer) -> None:
    """Puts them into the group `eval`."""
    group.command("assess")(assess)
    group.command("capture")(capture)
