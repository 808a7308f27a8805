"""Commands for those who run it: stop, resume, serve, schema, version."""

from typing import Annotated

import typer

from interfaces.cli.exits import Exit
from interfaces.cli.sessions import begin, run


def stop(
    context: typer.Context,
    scope: Annotated[str, typer.Option("--scope", help="all, agent=NAME, namespace=NAME or approver=NAME")] = "all",
    reason: Annotated[str, typer.Option("--reason", help="why; required to stop, and kept in the audit chain")] = "",
    mode: Annotated[str, typer.Option("--mode", help="all, or forward to let undo through")] = "all",
    status: Annotated[bool, typer.Option("--status", help="only show what is stopped; exit 9 when something is")] = False,
) -> None:
    """Emergency stop: nothing is written until a person resumes. Works without the registry."""
    from interfaces.rendering import records
    from runtime.roles import console

    session = begin(context)
    if not status:
        if not reason.strip():
            raise typer.BadParameter('--reason "..." must say why')
        console.stop(
            session.settings, scope=scope.replace("ns=", "namespace=", 1) if scope.startswith("ns=") else scope, mode=mode, reason=reason
        )
    rows = session.call("stops.list")
    session.show(records.stop_list(rows), columns=records.STOP_COLUMNS, view=records.stop_view, name="scope")
    if status and rows:
        raise typer.Exit(Exit.STOPPED)
    if rows:
        session.hint('Next: day2 resume --reason "..." when it is over')


def resume(
    context: typer.Context,
    reason: Annotated[str, typer.Option("--reason", help="why; required, and kept in the audit chain")],
    scope: Annotated[str, typer.Option("--scope", help="the scope that was stopped")] = "all",
) -> None:
    """Lift an emergency stop, or the pause of an approver. Only a person does, and nobody their own pause."""
    from interfaces.rendering import records
    from runtime.roles import identifying

    session = begin(context)
    if not reason.strip():
        raise typer.BadParameter('--reason "..." must say why')
    known = run(identifying.decider(session.settings)) if scope.startswith("approver=") else None
    wanted = scope.replace("ns=", "namespace=", 1) if scope.startswith("ns=") else scope
    rows = session.answer({"scope": wanted, "reason": reason}, known=known)
    session.show(records.stop_list(rows), columns=records.STOP_COLUMNS, view=records.stop_view, name="scope")


def serve(
    context: typer.Context,
    role: Annotated[
        list[str] | None,
        typer.Option(
            "--role", help="only this role: controller, judge, executor, webhook, notifier or console; may be repeated", show_default=False
        ),
    ] = None,
    prepare: Annotated[
        bool, typer.Option("--prepare", help="only bring the ledger up to date and write the roles' settings files; starts nothing")
    ] = False,
) -> None:
    """Controller with its agents, judge, executor, notifier and console, each a process of its own, until Ctrl-C."""
    from runtime.roles import everything

    session = begin(context)
    if not prepare:
        run(everything.serve(session.settings, tuple(role or ())))
        return
    for path in everything.prepared(session.settings, tuple(role or ())):
        typer.echo(path)


def schema(
    context: typer.Context,
    kind: Annotated[str, typer.Argument(help="such as FindingList, Plan, or an action kind; without it, all kinds")] = "",
) -> None:
    """The JSON Schema of a kind of document."""
    from interfaces.rendering import envelopes, schemas

    session = begin(context)
    if not kind:
        session.show(schemas.listed(), columns=schemas.COLUMNS, name="name")
        return
    document = schemas.of_kind(kind)
    session.show(document, view=lambda screen, found: screen.line(envelopes.text(found, ascii_only=screen.ascii_only)), name="title")


def version(context: typer.Context) -> None:
    """Versions of day2ops, Python, and the forms that it writes."""
    from importlib import metadata
    from platform import python_version, system

    from interfaces.rendering.envelopes import API_VERSION, SCHEMA_MINOR, envelope

    found = metadata.version("day2ops")
    document = envelope("Version", version=found, python=python_version(), system=system(), writes=f"{API_VERSION}, minor {SCHEMA_MINOR}")
    begin(context).show(
        document, view=lambda screen, row: screen.line(f"day2 {row['version']} (Python {row['python']}, {row['system']})"), name="version"
    )
