"""Simulated worlds: one line each, what they broke, and of a single one its tape."""

from collections.abc import Sequence

from evals.simulation.running import Outcome
from interfaces.rendering.envelopes import Json, envelope
from interfaces.rendering.screens import Screen
from interfaces.rendering.tables import Column

COLUMNS = (
    Column("SEED", "seed"),
    Column("STATE", "state"),
    Column("WRITES", "writes"),
    Column("SECONDS", "seconds"),
    Column("TRACE", "trace"),
    Column("FAULTS", "faults"),
)
SHOWN = 40


def document(outcomes: Sequence[Outcome], *, steps: bool) -> Json:
    """`seconds` are of virtual time; `tape` is there where the steps were asked for."""
    broken = sum(not outcome.kept for outcome in outcomes)
    return envelope(
        "SimulationReport",
        items=[_item(outcome, steps=steps) for outcome in outcomes],
        metadata={"seeds": len(outcomes), "broken": broken, "seconds": round(sum(outcome.seconds for outcome in outcomes))},
    )


def _item(outcome: Outcome, *, steps: bool) -> Json:
    return {
        "seed": outcome.seed,
        "state": "ok" if outcome.kept else "fail",
        "writes": outcome.effects,
        "seconds": round(outcome.seconds),
        "trace": outcome.trace,
        "faults": outcome.faults,
        "outcomes": outcome.ends,
        "broken": [item._asdict() for item in outcome.broken],
        **({"tape": list(outcome.tape)} if steps else {}),
    }


def view(screen: Screen, found: Json) -> None:
    """What was broken, always; a single world, or a few, in words."""
    items = found["items"]
    for item in items if len(items) <= SHOWN else [item for item in items if item["state"] == "fail"]:
        screen.wrapped(
            f"{screen.glyph(item['state'])} seed {item['seed']}: {item['writes']} writes; faults: {item['faults'] or 'none'}", hang=2
        )
        for line in item.get("tape", ()):
            screen.wrapped(line, indent=4, hang=2)
        for promise in item["broken"]:
            screen.wrapped(f"{promise['promise']}: {promise['text']}", indent=4, hang=2)
    counts = found["metadata"]
    screen.line(f"{counts['seeds']} worlds of {counts['seconds'] / 3600:.1f} h of virtual time; {counts['broken']} broke a promise")
