"""A person's decisions: approve, deny, and what waits for one."""

from typing import TYPE_CHECKING, Annotated

import typer

from interfaces.cli.options import Watch
from interfaces.cli.sessions import begin, run

if TYPE_CHECKING:
    from interfaces.rendering.envelopes import Json

Id = Annotated[str, typer.Argument(help="act-...", metavar="ACTION")]
Reason = Annotated[str, typer.Option("--reason", help="why; required, and kept in the audit chain")]


def approve(
    context: typer.Context,
    action_id: Id,
    reason: Reason,
    confirm: Annotated[str, typer.Option("--confirm", help="name of the object; required when the risk is high or there is no undo")] = "",
) -> None:
    """Approve one action, bound to its digest. Who asked for it cannot."""
    _decide(context, action_id, reason=reason, confirm=confirm, approve=True)


def deny(context: typer.Context, action_id: Id, reason: Reason) -> None:
    """Deny one action. That is its end."""
    _decide(context, action_id, approve=False, reason=reason, confirm="")


def approvals(
    context: typer.Context, mine: Annotated[bool, typer.Option("--mine", help="only what you may decide")] = False, watch: Watch = False
) -> None:
    """What waits for a person, with everything needed to decide."""
    from interfaces.rendering import approvals as cards
    from runtime.roles import identifying

    session = begin(context)
    known = run(identifying.person(session.settings)) if mine else None

    def look() -> "Json":
        return cards.listed(session.answer({"mine": mine}, known=known), per_hour=session.settings.flow.cards_per_hour)

    if watch:
        session.follow(look, columns=cards.COLUMNS, view=cards.view)
    session.show(look(), columns=cards.COLUMNS, view=cards.view)


def _decide(context: typer.Context, action_id: str, *, approve: bool, reason: str, confirm: str) -> None:
    from interfaces.rendering import approvals as cards
    from runtime.roles import identifying

    session = begin(context)
    if not reason.strip():
        raise typer.BadParameter('--reason "..." must say why')
    known = run(identifying.decider(session.settings))
    decided = session.answer({"action": action_id, "reason": reason, "confirm": confirm}, known=known)
    session.show(cards.decided(decided), view=cards.decided_view)
    if known.why_local and approve:
        session.say(f"No cluster said who this is ({known.why_local}): such approvals count once together, and never for high risk.", "dim")
    if approve:
        session.hint(f"Next: day2 action watch {action_id}")
