"""A finding whole: why it matters, what was seen and how to look again, what it follows from; and the page of its check."""

from collections.abc import Mapping
from typing import Any

from interfaces.rendering import actions, findings, mutes, plans
from interfaces.rendering.envelopes import Json, envelope, plain
from interfaces.rendering.screens import Screen
from runtime.services.describing import Check, Described

LINK = "needs "
"""How evidence of a link begins: `agents.causes` writes what needs what."""
NAME_WIDTH = 12


def check_document(check: Check) -> Json:
    return envelope("Check", **check._asdict())


def check_view(screen: Screen, found: Json) -> None:
    page(screen, found["page"])


def document(told: Described, view: Json) -> Json:
    """`view` says where was looked."""
    finding = findings.item(told.finding)
    finding["evidence"] = [row | {"again": again(row)} for row in finding["evidence"]]
    return envelope(
        "FindingExplanation",
        metadata=view,
        finding=finding,
        cause=findings.item(told.cause) if told.cause else None,
        symptoms=[findings.item(symptom) for symptom in told.symptoms],
        proposals=[plans.proposed(proposal) for proposal in told.proposals],
        mute=mutes.short(told.mute) if told.mute else None,
        check=plain(told.check),
    )


def again(row: Mapping[str, Any]) -> str:
    """How a person looks again. An object's field path is no command by itself."""
    subject = row["subject"]
    where = f" -n {subject['namespace']}" if subject["namespace"] else ""
    if row["source"] == "object":
        return f"kubectl get {subject['kind'].lower()} {subject['name']}{where} -o yaml, at {row['query']}"
    if row["source"] == "event":
        return f"kubectl describe {subject['kind'].lower()} {subject['name']}{where}, at {row['query']}"
    if row["source"] == "metric":
        return f"PromQL: {row['query']}"
    if row["source"] == "log":
        parts = str(row["query"]).removeprefix("logs ").split(" ")
        namespace, _, pod = parts[0].partition("/")
        return " ".join(["kubectl logs", "-n", namespace, pod, *parts[1:]]) if pod else str(row["query"])
    return f"worked out of the others: {row['query']}"


def view(screen: Screen, found: Json) -> None:
    finding = found["finding"]
    screen.wrapped(f"{finding['id']}  {finding['code']}  {finding['severity']}  {findings.object_of(finding)}", hang=4)
    screen.wrapped(finding["title"], indent=4, style="bold")
    if found["mute"]:
        mute = found["mute"]
        actions.field(screen, "muted", f"until {mute['until']} by {mute['by']}: {mute['reason']} ({mute['id']})")
    actions.field(screen, "matters", finding["matters"])
    links = [row for row in finding["evidence"] if finding["symptomOf"] and is_link(row)]
    for row in finding["evidence"]:
        if row not in links:
            _evidence(screen, row)
    _cause(screen, found, links)
    for symptom in found["symptoms"]:
        actions.field(screen, "causes", f"{symptom['id']} {symptom['code']} {findings.object_of(symptom)}: {symptom['title']}")
    for proposal in found["proposals"]:
        actions.field(screen, "proposal", f"{proposal['sentence']} (risk {proposal['risk']}): {proposal['why']}")
        actions.changes(screen, proposal["changes"], indent=NAME_WIDTH + 4)
    if not found["proposals"]:
        actions.field(screen, "proposal", "none: no action of the catalogue mends it, or it is not safe here; below is what a person does")
    screen.line()
    page(screen, found["check"]["page"])
    if found["metadata"]["asOf"]:
        screen.wrapped(f"as of {found['metadata']['asOf']}, the time of {found['metadata']['source']}", hang=2)


def is_link(row: Mapping[str, Any]) -> bool:
    return bool(row["source"] == "derived" and row["query"].startswith(LINK))


def _evidence(screen: Screen, row: Mapping[str, Any]) -> None:
    value = f'"{row["value"]}"' if row["quoted"] else row["value"]
    actions.field(screen, "seen", f"{value}   {row['id']}, {row['at']}")
    screen.wrapped(f"again: {row['again']}", indent=NAME_WIDTH, hang=7, style="dim")


def _cause(screen: Screen, found: Json, links: list[Json]) -> None:
    finding, cause = found["finding"], found["cause"]
    if not finding["symptomOf"]:
        return
    said = f"{cause['code']} {findings.object_of(cause)}: {cause['title']}" if cause else "it was not found in this scan"
    actions.field(screen, "follows", f"from {finding['symptomOf']} {said}")
    for row in links:
        screen.wrapped(f"{row['query']}, by {row['value']}", indent=NAME_WIDTH, hang=2)


def page(screen: Screen, text: str) -> None:
    """Markdown of our own, as it is: headings without their signs would be lines like all others."""
    for line in text.rstrip("\n").split("\n"):
        screen.wrapped(line, style="bold" if line.startswith("#") else "")
