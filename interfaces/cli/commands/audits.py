"""`day2 audit`: the hash chains of everything that was asked, decided and done."""

from pathlib import Path
from typing import Annotated

import typer

from interfaces.cli.exits import Exit
from interfaces.cli.flags import seconds
from interfaces.cli.sessions import begin

audit = typer.Typer(help="The audit chains: everything that was asked, decided and done.", rich_markup_mode=None, no_args_is_help=True)


@audit.command("list")
def list_records(
    context: typer.Context,
    subject: Annotated[str, typer.Option("--subject", help="an action, a run, or the scope of a stop")] = "",
    role: Annotated[str, typer.Option("--role", help="whose chain: door, judge, executor, controller or notifier")] = "",
    event: Annotated[str, typer.Option("--event", help="such as verified, or approval for all of its kinds")] = "",
    since: Annotated[str, typer.Option("--since", help="such as 2h or 7d")] = "",
    limit: Annotated[int, typer.Option("--limit", min=0, help="newest records; 0 for all")] = 200,
) -> None:
    """Records, oldest first."""
    from datetime import timedelta

    from interfaces.rendering import records
    from runtime.roles import console
    from runtime.services import auditing

    session = begin(context)
    with console.record(session.settings) as record:
        start = record.clock.now() - timedelta(seconds=seconds(since)) if since else None
        rows = auditing.records(record.ledger, subject=subject, role=role, event=event, since=start, limit=limit)
        session.show(records.audit_list(rows), columns=records.AUDIT_COLUMNS, name="id")


@audit.command("get")
def get_record(
    context: typer.Context, name: Annotated[str, typer.Argument(help="chain and number, such as judge/12", metavar="ROLE/SEQ")]
) -> None:
    """One record with its body."""
    from interfaces.rendering import records

    session = begin(context)
    session.show(records.audit_document(session.answer({"record": name})), name="id")


@audit.command("verify")
def verify_chain(context: typer.Context) -> None:
    """Find any record that was changed, removed, inserted, moved or cut off. Exits 1 when a chain does not hold."""
    from interfaces.rendering import records

    session = begin(context)
    report = session.answer()
    session.show(records.audit_report(report), view=records.audit_report_view, name="head")
    if not report["whole"]:
        raise typer.Exit(Exit.ERROR)


@audit.command("export")
def export_chain(
    context: typer.Context,
    form: Annotated[str, typer.Option("--format", help="cloudevents, csv or jsonl")] = "cloudevents",
    out: Annotated[Path | None, typer.Option("-O", "--out", help="file; standard output without it", show_default=False)] = None,
) -> None:
    """All chains for another system."""
    from runtime.roles import console
    from runtime.services import auditing, recording

    session = begin(context)
    if session.flags.output in auditing.FORMATS:
        form = session.flags.output
    with console.record(session.settings) as record:
        text = auditing.exported(recording.chain(record.ledger), form)
    if out is None:
        session.out.stream.write(text)
        return
    out.write_text(text, encoding="utf-8")
    session.say(f"Saved {out}")


@audit.command("reconcile")
def reconcile_logs(
    context: typer.Context,
    kube_audit: Annotated[Path, typer.Option("--kube-audit", help="the API server's audit log: the file of its --audit-log-path")],
) -> None:
    """The API server's own log against the chains: each write there has one record here, and the other way round; else exits 1."""
    from interfaces.rendering import records
    from runtime.roles import console
    from runtime.services import reconciling, recording, server_log

    session = begin(context)
    with console.record(session.settings) as record:
        found = reconciling.reconcile(server_log.events(kube_audit), recording.chain(record.ledger))
    session.show(records.reconciliation(found), view=records.reconciliation_view)
    if found.problems:
        raise typer.Exit(Exit.ERROR)
