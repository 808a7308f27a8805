"""The doctor's checklist: a glyph, the check, its cause, and under it the exact command that mends it."""

from collections.abc import Sequence

from interfaces.rendering.envelopes import Json, envelope
from interfaces.rendering.screens import Screen
from interfaces.rendering.tables import Column
from runtime.services.diagnosing import Line

COLUMNS = (Column("CHECK", "check"), Column("STATE", "state"), Column("CAUSE", "cause"), Column("FIX", "fix"))
STATES = ("ok", "warn", "fail", "skip")
NAME_WIDTH = 22


def document(lines: Sequence[Line]) -> Json:
    counts = {state: sum(line.state == state for line in lines) for state in STATES}
    return envelope("Checklist", items=[line._asdict() for line in lines], metadata={"counts": counts})


def view(screen: Screen, found: Json) -> None:
    for item in found["items"]:
        glyph = screen.painted(screen.fitting(screen.glyph(item["state"])), item["state"])
        screen.wrapped(f"{glyph} {item['check']:<{NAME_WIDTH}} {item['cause']}", hang=NAME_WIDTH + 3)
        if item["fix"]:
            screen.wrapped(f"fix: {item['fix']}", indent=NAME_WIDTH + 3, hang=5)
    counts = found["metadata"]["counts"]
    screen.line(f"{counts['ok']} ok, {counts['warn']} to look at, {counts['fail']} broken, {counts['skip']} not there")
