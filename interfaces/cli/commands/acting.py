"""Commands that lead to a change: plan, apply. What is applied is judged again, permitted, verified, and undone when it misses."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from interfaces.cli import exits
from interfaces.cli.exits import Exit
from interfaces.cli.options import DryRun, Selector, Wait
from interfaces.cli.sessions import Session, begin, run

if TYPE_CHECKING:
    from runtime.services.rehearsing import Mode, Rehearsal


def plan(
    context: typer.Context,
    wanted: Annotated[list[str] | None, typer.Argument(help="findings (fnd-...); all where none is named", show_default=False)] = None,
    from_scan: Annotated[bool, typer.Option("--from-scan", help="everything that a scan finds now (the default)")] = False,
    agent: Annotated[
        list[str] | None, typer.Option("--agent", help="only this agent's proposals; may be repeated", show_default=False)
    ] = None,
    out: Annotated[Path | None, typer.Option("-O", "--out", help="save the plan, for day2 apply", show_default=False)] = None,
    detailed: Annotated[bool, typer.Option("--detailed-exitcode", help="exit 2 when there is a change")] = False,
    selector: Selector = "",
    successor: Annotated[
        str, typer.Option("--bump", metavar="OLD=NEW@DIGEST", help="another image: the smallest workload first", show_default=False)
    ] = "",
) -> None:
    """Proposals as diffs, with the judge's preview; nothing is executed.

    `--bump` plans a successor for an image instead: for the smallest workload that runs it, and, once that one is well, for the others.
    """
    from core.cluster.selecting import parsed
    from interfaces.rendering import envelopes, plans
    from runtime.roles import planning

    session = begin(context)
    if from_scan and wanted:
        raise typer.BadParameter("--from-scan takes no findings")
    if successor and (wanted or agent or selector or from_scan):
        raise typer.BadParameter("--bump takes no findings, agents or labels")
    labels = parsed(selector) if selector else None
    with session.waiting("reading the cluster and asking what the judge would say"):
        if successor:
            made = run(planning.bump(session.settings, session.flags.namespaces, successor))
        else:
            made = run(planning.plan(session.settings, session.flags.namespaces, tuple(agent or ()), tuple(wanted or ()), labels))
    document = plans.document(made)
    session.show(document, columns=plans.COLUMNS, view=plans.view)
    if out is not None:
        out.write_text(envelopes.text(document) + "\n", encoding="utf-8")
        expires = f" (expires {made.expires_at:%Y-%m-%dT%H:%MZ})" if made.expires_at else ""
        session.say(f"Saved {out}{expires}")
    if made.items:
        first = made.items[0].proposal.action.id
        session.hint(
            f"Next: day2 apply {out}   |   day2 plan -o json"
            if out
            else f"Next: day2 plan -O plan.json, then day2 apply plan.json   ({first} first)"
        )
    if detailed and made.items:
        raise typer.Exit(Exit.DIFFERS)


def apply(
    context: typer.Context,
    what: Annotated[list[str], typer.Argument(help="a saved plan, or actions (act-...)")],
    wait: Wait = True,
    dry_run: DryRun = "none",
) -> None:
    """Judge again, run what is permitted, verify, and undo what misses. Starts judge and executor when no `day2 serve` runs here."""
    from interfaces.rendering import actions, outcomes
    from runtime.roles import applying

    session = begin(context)
    if mode := rehearsing(dry_run):
        with session.waiting("asking what the judge and the API server would say"):
            found = run(applying.rehearse(session.settings, what, mode))
        show_rehearsal(session, found, wait=wait)
    followed = run(
        applying.apply(
            session.settings,
            what,
            show=lambda row: session.say(outcomes.progress(row)),
            wait_for_people=wait,
            timeout=session.flags.timeout,
        )
    )
    session.show(outcomes.document(followed.rows, complete=followed.complete), columns=actions.COLUMNS, view=outcomes.view)
    step = outcomes.next_step(followed.rows)
    if followed.timed_out:
        session.say(f"--timeout reached; nothing is lost: day2 apply {' '.join(row.action_id for row in followed.rows)}")
    if step:
        session.hint(f"Next: {step}")
    raise typer.Exit(Exit.EXPIRED if followed.timed_out else exits.of_states([row.state for row in followed.rows]))


def rehearsing(dry_run: str) -> "Mode | None":
    """None for a run in earnest. Flags that are no mode were refused before."""
    return "client" if dry_run == "client" else "server" if dry_run == "server" else None


def show_rehearsal(session: Session, found: "Rehearsal", *, wait: bool) -> NoReturn:
    """Exits as the real thing would begin: 3 where something would be denied, 8 where people are needed and nobody waits."""
    from core.domain.verdict import Decision
    from interfaces.rendering import plans

    session.show(plans.rehearsal(found), columns=plans.COLUMNS, view=plans.rehearsal_view)
    if found.any_is(Decision.DENY):
        raise typer.Exit(Exit.DENIED)
    raise typer.Exit(Exit.WAITING if not wait and found.any_is(Decision.NEEDS_APPROVAL) else Exit.DONE)
