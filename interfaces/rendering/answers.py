"""Routes and answers: who was asked and why, and what they saw."""

from collections.abc import Sequence

from core.domain.values import bounded
from graph.routes import Choice, Route
from interfaces.rendering import findings
from interfaces.rendering.envelopes import Json, envelope
from interfaces.rendering.screens import Screen
from interfaces.rendering.tables import Column
from runtime.services.asking import Answer

ROUTE_COLUMNS = (Column("AGENT", "agent"), Column("ASKED", "asked"), Column("SCORE", "score"), Column("WHY", "why"))
MOST_FINDINGS = 5


def route_document(question: str, route: Route, members: Sequence[str]) -> Json:
    """Items are the agents asked, then those that would have been but do not live."""
    items = [*(_choice(choice, asked=True) for choice in route.chosen), *(_choice(choice, asked=False) for choice in route.absent)]
    return envelope("Route", items=items, metadata={"question": bounded(question, 400), "known_agents": list(members)}, nobody=route.nobody)


def route_view(screen: Screen, found: Json) -> None:
    for item in found["items"]:
        word = "asked" if item["asked"] else "absent"
        screen.wrapped(f"{word:<7} {item['agent']:<12} {item['why']}", hang=21)
    if found["nobody"]:
        screen.wrapped(f"nobody: {found['nobody']}", hang=8)


def document(answer: Answer, view: Json) -> Json:
    result = answer.scan
    items = findings.document(result, view)["items"] if result else []
    return envelope(
        "Answer",
        items=items,
        coverage=result.coverage if result else {"run": [], "not_run": []},
        metadata=view | {"question": bounded(answer.question, 400), "without_model": answer.without_model},
        route=route_document(answer.question, answer.route, ())["items"],
        nobody=answer.route.nobody,
        usage={"model_calls": 0, "tokens": 0, "amount": "0.00", "currency": "USD"},
    )


def view(screen: Screen, found: Json) -> None:
    for item in found["route"]:
        screen.wrapped(f"asked {item['agent']}: {item['why']}" if item["asked"] else f"absent {item['agent']}: {item['why']}", hang=2)
    if found["nobody"]:
        screen.wrapped(f"nobody: {found['nobody']}", hang=8)
        return
    screen.line()
    for item in found["items"][:MOST_FINDINGS]:
        screen.wrapped(f"{item['severity']}: {item['title']} [{item['id']}]", hang=2)
        for row in item["evidence"][:3]:
            said = f"“{row['value']}” (quoted)" if row["quoted"] else row["value"]
            screen.wrapped(f"{row['id']} {row['source']} {row['query']}: {said}", indent=4, hang=2)
        screen.wrapped(f"next: {item['next']}", indent=4, hang=2)
    if not found["items"]:
        screen.line("nothing was found by the checks that ran")
    if len(found["items"]) > MOST_FINDINGS:
        screen.line(f"and {len(found['items']) - MOST_FINDINGS} more findings: day2 scan")
    screen.line()
    findings.coverage(screen, found["coverage"])


def _choice(choice: Choice, *, asked: bool) -> Json:
    return {"agent": choice.agent, "asked": asked, "score": choice.score, "why": choice.why}
