"""Applying: one live line per change of state on standard error, and at the end what came of each action."""

from collections.abc import Sequence

from core.domain.ledger import ActionRow
from core.domain.outcome import ActionState
from interfaces.rendering import actions
from interfaces.rendering.envelopes import Json, envelope
from interfaces.rendering.screens import Screen

_SAID = {
    ActionState.SUBMITTED: "submitted, waits for the judge",
    ActionState.NEEDS_APPROVAL: "waits for people",
    ActionState.APPROVED: "approved, the judge looks again",
    ActionState.PERMITTED: "permitted for exactly one request",
    ActionState.CLAIMED: "the executor has it",
    ActionState.SENDING: "undo is on disk, sending",
    ActionState.UNKNOWN: "the reply was lost, reading back",
    ActionState.APPLIED: "applied and read back, verifying",
    ActionState.UNDOING: "it missed, undoing",
}


def progress(row: ActionRow) -> str:
    """`act-7f3c  verified  rightsize ...: why`"""
    said = _SAID.get(row.state, row.note)
    return f"{row.action_id}  {row.state.value:<14} {actions.item(row)['sentence']}{f': {said}' if said else ''}"


def document(rows: Sequence[ActionRow], *, complete: bool) -> Json:
    return envelope("OutcomeList", items=[actions.item(row) for row in rows], metadata={"complete": complete})


def view(screen: Screen, found: Json) -> None:
    for item in found["items"]:
        screen.wrapped(
            f"{screen.glyph(item['state'])} {screen.painted(item['state'], item['state'])}  {item['id']}  {item['sentence']}", hang=4
        )
        if item["note"]:
            screen.wrapped(item["note"], indent=4, hang=2)
    counts: dict[str, int] = {}
    for item in found["items"]:
        counts[item["state"]] = counts.get(item["state"], 0) + 1
    screen.line(f"Applied: {', '.join(f'{count} {state}' for state, count in counts.items())}.")


def next_step(rows: Sequence[ActionRow]) -> str:
    """The command that goes on from here, empty where all is done."""
    for row in rows:
        if row.state is ActionState.NEEDS_APPROVAL:
            return f'another person approves: day2 approve {row.action_id} --reason "..."; then: day2 apply {row.action_id}'
        if row.state is ActionState.DENIED:
            return f"why: day2 action explain {row.action_id}"
        if row.state is ActionState.ESCALATED:
            return f"a person must look: day2 action get {row.action_id}"
    return ""
