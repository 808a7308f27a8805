"""Say what was seen, proposed, held and submitted, and what was not looked at."""

from langgraph.runtime import Runtime

from graph.context import RunContext
from graph.routes import NOTHING_USED
from graph.state import Plain, RunState

SEVERITIES = ("critical", "high", "medium", "low", "info")


async def respond(state: RunState, runtime: Runtime[RunContext]) -> RunState:
    answers = sorted(state.get("consultations", []), key=lambda answer: str(answer["agent"]))
    findings = sorted((row for answer in answers for row in answer["findings"]), key=_worst_first)
    response: Plain = {
        "run": state["request"]["id"],
        "at": runtime.context.clock.now().isoformat().replace("+00:00", "Z"),
        "asked": [choice["agent"] for choice in state["chosen"]],
        "route": [{"agent": choice["agent"], "why": choice["why"]} for choice in state["chosen"]],
        "nobody": state["nobody"],
        "findings": findings,
        "proposals": state.get("winners", []),
        "held": state.get("held", []),
        "submitted": state.get("submitted", []),
        "model": state.get("usage", NOTHING_USED._asdict()),
        "missing": [
            *({"agent": choice["agent"], "reason": choice["why"]} for choice in state.get("absent", [])),
            *({"agent": answer["agent"], "reason": answer["failed"]} for answer in answers if answer.get("failed")),
        ],
        "coverage": {
            "run": sorted({check for answer in answers for check in answer["coverage"]["run"]}),
            "not_run": [row for answer in answers for row in answer["coverage"]["not_run"]],
        },
    }
    return RunState(response=response)


def _worst_first(row: Plain) -> tuple[int, str, str]:
    return SEVERITIES.index(row["severity"]), row["code"], row["id"]
