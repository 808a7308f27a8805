"""`day2 action`: what the ledger knows of actions, and taking them back."""

from typing import TYPE_CHECKING, Annotated

import typer

from interfaces.cli import exits
from interfaces.cli.commands.acting import rehearsing, show_rehearsal
from interfaces.cli.exits import Exit
from interfaces.cli.flags import seconds
from interfaces.cli.options import DryRun, Since, Wait, Watch
from interfaces.cli.sessions import Session, begin, run

if TYPE_CHECKING:
    from core.policy.explaining import Explanation
    from interfaces.rendering.envelopes import Json
    from runtime.services.recording import Recorded

action = typer.Typer(help="Actions: what was proposed, judged, done and verified.", rich_markup_mode=None, no_args_is_help=True)
Id = Annotated[str, typer.Argument(help="act-...", metavar="ACTION")]
Reason = Annotated[str, typer.Option("--reason", help="why; kept in the audit chain")]


@action.command("list")
def list_actions(
    context: typer.Context,
    state: Annotated[list[str] | None, typer.Option("--state", help="only in this state; may be repeated", show_default=False)] = None,
    agent: Annotated[str, typer.Option("--agent", help="only this agent's")] = "",
    since: Since = "",
    limit: Annotated[int, typer.Option("--limit", min=1, max=1000)] = 200,
    watch: Watch = False,
) -> None:
    """Actions, newest first."""
    from datetime import timedelta

    from interfaces.rendering import actions
    from runtime.roles import console
    from runtime.services import recording

    session = begin(context)
    wanted = recording.states(state or ())
    with console.record(session.settings) as record:
        start = record.clock.now() - timedelta(seconds=seconds(since)) if since else None
        namespaces = session.flags.namespaces

        def look() -> "Json":
            return actions.listed(
                recording.actions(record.ledger, wanted=wanted, agent=agent, namespaces=namespaces, since=start, limit=limit)
            )

        if watch:
            session.follow(look, columns=actions.COLUMNS)
        found = look()
        session.show(found, columns=actions.COLUMNS)
    if not found["items"]:
        session.hint("no action yet: day2 plan -O plan.json, then day2 apply plan.json")


@action.command("get")
def get_action(context: typer.Context, action_id: Id) -> None:
    """One action with its evidence, verdict, approvals and way."""
    from interfaces.rendering import actions

    session = begin(context)
    session.show(actions.document(session.answer({"action": action_id})), view=actions.view)


@action.command("diff")
def diff_action(context: typer.Context, action_id: Id) -> None:
    """What it changes, field by field."""
    from interfaces.rendering import actions

    session = begin(context)
    session.show(actions.diff(session.answer({"action": action_id})), view=actions.diff_view)


@action.command("explain")
def explain_action(context: typer.Context, action_id: Id) -> None:
    """Its verdict rule by rule, with the facts that each rule read."""
    session = begin(context)
    show_verdict(session, *session.answer({"action": action_id}))


def show_verdict(session: Session, found: "Recorded", explained: "Explanation") -> None:
    from interfaces.rendering import actions

    session.show(actions.explanation(found, explained), columns=actions.EXPLAIN_COLUMNS, view=actions.explanation_view, name="rule")


@action.command("watch")
def watch_action(context: typer.Context, action_ids: Annotated[list[str], typer.Argument(help="act-...", metavar="ACTION...")]) -> None:
    """Follow actions to their end; one line per change. Exits as `day2 apply` does."""
    from interfaces.rendering import actions, outcomes
    from runtime.roles import console
    from runtime.services import applying

    session = begin(context)
    with console.record(session.settings) as record:
        followed = run(
            applying.follow(
                record.ledger,
                action_ids,
                lambda row: session.say(outcomes.progress(row)),
                wait_for_people=True,
                timeout=session.flags.timeout,
            )
        )
    session.show(outcomes.document(followed.rows, complete=followed.complete), columns=actions.COLUMNS, view=outcomes.view)
    raise typer.Exit(Exit.EXPIRED if followed.timed_out else exits.of_states([row.state for row in followed.rows]))


@action.command("cancel")
def cancel_action(context: typer.Context, action_id: Id, reason: Reason = "") -> None:
    """Take a wish back that was not carried out yet."""
    from interfaces.rendering import actions

    session = begin(context)
    taken = session.answer({"action": action_id, "reason": reason or "taken back"})
    session.show(actions.document(taken), view=actions.view)


@action.command("edit")
def edit_action(
    context: typer.Context,
    action_id: Id,
    changes: Annotated[list[str], typer.Option("--set", help="path=value of an argument, such as to_replicas=3; may be repeated")],
) -> None:
    """Another wish in the place of one that waits: a new action, which the judge looks at; the old one is cancelled."""
    from interfaces.rendering import actions
    from runtime.roles import identifying

    session = begin(context)
    known = run(identifying.person(session.settings))
    new = session.answer({"action": action_id, "changes": changes}, known=known, looks=True)
    session.show(actions.document(session.call("actions.get", {"action": new})), view=actions.view)
    session.hint(f"Next: day2 apply {new}")


@action.command("rollback")
def rollback_action(
    context: typer.Context,
    action_id: Id,
    wait: Wait = True,
    dry_run: DryRun = "none",
) -> None:
    """Take a verified action back: a new action the other way round, judged like any other."""
    from interfaces.rendering import actions, outcomes
    from runtime.roles import applying

    session = begin(context)
    if mode := rehearsing(dry_run):
        with session.waiting("asking what the judge and the API server would say"):
            rehearsed = run(applying.rehearse_rollback(session.settings, action_id, mode))
        show_rehearsal(session, rehearsed, wait=wait)
    followed = run(
        applying.roll_back(
            session.settings,
            action_id,
            show=lambda row: session.say(outcomes.progress(row)),
            wait_for_people=wait,
            timeout=session.flags.timeout,
        )
    )
    session.show(outcomes.document(followed.rows, complete=followed.complete), columns=actions.COLUMNS, view=outcomes.view)
    raise typer.Exit(Exit.EXPIRED if followed.timed_out else exits.of_states([row.state for row in followed.rows]))
