"""Routes and answers: who was asked and why, what they saw, and what a model made of it, with its cost."""

from collections.abc import Sequence

from core.domain.model import Usage
from core.domain.money import MICRO
from core.domain.values import bounded
from graph.routes import Choice, Route
from interfaces.rendering import findings
from interfaces.rendering.envelopes import Json, envelope
from interfaces.rendering.screens import Screen
from interfaces.rendering.tables import Column
from runtime.services.asking import Answer
from runtime.services.explaining import EVIDENCE_EACH, MOST_FINDINGS

ROUTE_COLUMNS = (Column("AGENT", "agent"), Column("ASKED", "asked"), Column("SCORE", "score"), Column("WHY", "why"))


def route_document(question: str, route: Route, members: Sequence[str]) -> Json:
    """Items are the agents asked, then those that would have been but do not live."""
    items = [*(_choice(choice, asked=True) for choice in route.chosen), *(_choice(choice, asked=False) for choice in route.absent)]
    metadata = {"question": bounded(question, 400), "known_agents": list(members), "without_model": route.without_model}
    return envelope("Route", items=items, metadata=metadata, nobody=route.nobody, usage=_usage(route.usage))


def route_view(screen: Screen, found: Json) -> None:
    for item in found["items"]:
        word = "asked" if item["asked"] else "absent"
        screen.wrapped(f"{word:<7} {item['agent']:<12} {item['why']}", hang=21)
    if found["nobody"]:
        screen.wrapped(f"nobody: {found['nobody']}", hang=8)
    _cost(screen, found["usage"])


def document(answer: Answer, view: Json) -> Json:
    result = answer.scan
    items = findings.document(result, view)["items"] if result else []
    return envelope(
        "Answer",
        items=items,
        coverage=result.coverage if result else {"run": [], "not_run": []},
        metadata=view | {"question": bounded(answer.question, 400), "without_model": answer.route.without_model},
        route=route_document(answer.question, answer.route, ())["items"],
        nobody=answer.route.nobody,
        explanation=answer.told._asdict(),
        usage=_usage(answer.usage),
    )


def view(screen: Screen, found: Json) -> None:
    for item in found["route"]:
        screen.wrapped(f"asked {item['agent']}: {item['why']}" if item["asked"] else f"absent {item['agent']}: {item['why']}", hang=2)
    if found["nobody"]:
        screen.wrapped(f"nobody: {found['nobody']}", hang=8)
        _cost(screen, found["usage"])
        return
    screen.line()
    _explained(screen, found["explanation"])
    for item in found["items"][:MOST_FINDINGS]:
        screen.wrapped(f"{item['severity']}: {item['title']} [{item['id']}]", hang=2)
        for row in item["evidence"][:EVIDENCE_EACH]:
            said = f"“{row['value']}” (quoted)" if row["quoted"] else row["value"]
            screen.wrapped(f"{row['id']} {row['source']} {row['query']}: {said}", indent=4, hang=2)
        screen.wrapped(f"next: {item['next']}", indent=4, hang=2)
    if not found["items"]:
        screen.line("nothing was found by the checks that ran")
    if len(found["items"]) > MOST_FINDINGS:
        screen.line(f"and {len(found['items']) - MOST_FINDINGS} more findings: day2 scan")
    screen.line()
    findings.coverage(screen, found["coverage"])
    _cost(screen, found["usage"])


def _explained(screen: Screen, told: Json) -> None:
    """A model's sentences, each with the evidence that it rests on; then what is missing."""
    if told["sentences"]:
        screen.line("a model says, each sentence with its evidence:")
    for said in told["sentences"]:
        screen.wrapped(f"{said['text']} [{', '.join(said['cites'])}]", indent=2, hang=2)
    if told["dropped"]:
        screen.wrapped(f"{told['dropped']} of its sentences dropped: no evidence that it was shown says so", indent=2, hang=2)
    if told["without"]:
        screen.wrapped(f"no explanation: {told['without']}", hang=2)
    if any(told.values()):
        screen.line()


def _cost(screen: Screen, usage: Json) -> None:
    screen.line(f"model: {usage['modelCalls']} calls, {usage['tokens']} tokens, ${usage['amount']}")


def _usage(used: Usage) -> Json:
    return {"model_calls": used.calls, "tokens": used.tokens, "amount": f"{used.micro_usd / MICRO:.4f}", "currency": "USD"}


def _choice(choice: Choice, *, asked: bool) -> Json:
    return {"agent": choice.agent, "asked": asked, "score": choice.score, "why": choice.why}
