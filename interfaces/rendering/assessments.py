"""Assessments of finished runs: what was recorded of all, and one requirement by requirement."""

from collections.abc import Sequence

from core.assessing.answers import Assessment, Standing
from core.assessing.requirements import BY_NAME
from core.assessing.trajectory import Trajectory
from interfaces.rendering.envelopes import Json, envelope
from interfaces.rendering.screens import Screen
from interfaces.rendering.tables import Column
from runtime.services.assessing import Recorded

COLUMNS = (
    Column("RUN", "run"),
    Column("OUTCOME", "outcome"),
    Column("VIOLATED", lambda item: ", ".join(each["requirement"] for each in item["violated"])),
    Column("MODEL", "model"),
    Column("AT", "at"),
    Column("UNKNOWN", lambda item: ", ".join(item["unknown"]), wide=True),
)
GLYPHS = {"satisfied": "ok", "violated": "fail", "unknown": "warn"}


def listed(found: Sequence[Recorded]) -> Json:
    return envelope("AssessmentList", items=[_item(row) for row in found])


def _item(row: Recorded) -> Json:
    return {
        "run": row.run,
        "at": row.at,
        "outcome": row.outcome.value,
        "violated": [{"requirement": name, "why": why} for name, why in row.violated.items()],
        "unknown": list(row.unknown),
        "model": row.model,
    }


def document(run: Trajectory, assessment: Assessment) -> Json:
    return envelope(
        "Assessment",
        run=run.run,
        outcome=assessment.outcome.value,
        finished_at=run.finished_at,
        looked_again=run.after is not None,
        actions=[{"id": step.id, "sentence": step.sentence, "state": step.state.value} for step in run.steps],
        answers=[
            {
                "requirement": answer.requirement,
                "says": BY_NAME[answer.requirement].says,
                "standing": answer.standing.value,
                "why": answer.why,
                "actions": list(answer.steps),
                "cites": list(answer.cites),
                "by": answer.by,
            }
            for answer in assessment.answers
        ],
    )


def view(screen: Screen, found: Json) -> None:
    screen.line(f"{found['run']}  {found['outcome']}", "bold")
    for step in found["actions"]:
        screen.wrapped(f"{step['id']} {step['sentence']}: {step['state']}", indent=2, hang=2)
    for answer in found["answers"]:
        glyph = GLYPHS[answer["standing"]]
        screen.wrapped(f"{screen.glyph(glyph)} {answer['requirement']}: {answer['why']}", hang=2)
        if answer["cites"] and answer["standing"] != Standing.SATISFIED.value:
            screen.wrapped(f"see {', '.join(answer['cites'])}", indent=4, hang=4)
    if not found["lookedAgain"]:
        screen.line("no later run has looked at the cluster since: what that would tell is unknown", "dim")
