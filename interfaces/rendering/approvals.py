"""Approvals: what waits for a person, with everything needed to decide, and what was decided."""

from interfaces.rendering import actions, plans
from interfaces.rendering.envelopes import Json, envelope
from interfaces.rendering.screens import Screen
from interfaces.rendering.tables import Column
from runtime.services.approving import Decided, Queue, Waiting

COLUMNS = (
    Column("ID", "id"),
    Column("RISK", "risk"),
    Column("ACTION", "sentence"),
    Column("ASKED BY", "submittedBy"),
    Column("NEEDS", lambda item: f"{item['missing']} of {item['needed']}"),
    Column("UNTIL", "expiresAt"),
    Column("WHY A PERSON", lambda item: "; ".join(row["rule"] for row in item["verdict"]["reasons"]) if item["verdict"] else ""),
)


def item(card: Waiting) -> Json:
    """Every field that a person needs to decide is here."""
    return (
        actions.item(card.row)
        | actions.body(card.proposal)
        | {
            "verdict": actions.verdict(card.verdict),
            "severe": card.severe,
            "needed": card.needed,
            "missing": card.missing,
            "approvals": [actions.approval_item(approval) for approval in card.approvals],
        }
    )


def listed(queue: Queue, *, per_hour: int) -> Json:
    return envelope("ApprovalList", items=[item(card) for card in queue.cards], metadata={"queued": queue.queued, "perHour": per_hour})


def view(screen: Screen, found: Json) -> None:
    queued, per_hour = found["metadata"]["queued"], found["metadata"]["perHour"]
    if not found["items"] and not queued:
        screen.line("Nothing waits for a person.")
    for row in found["items"]:
        card(screen, row)
        screen.line()
    if queued:
        screen.wrapped(
            f"{queued} more wait: nobody is asked for more than {per_hour} decisions an hour, and high risk comes first.", hang=2
        )


def card(screen: Screen, row: Json) -> None:
    """Verb and object, who asked, the change, why, the rules that want a person, undo, who else is needed, until when."""
    screen.line(f"{row['id']}  {row['sentence']}", "bold")
    actions.field(screen, "asked by", f"{row['agent']} for {row['submittedBy']}, run {row['run']}")
    actions.changes(screen, row["changes"], indent=4)
    actions.field(screen, "why", row["why"])
    for item in row["evidence"][:3]:
        said = f"“{item['value']}” (quoted)" if item["quoted"] else item["value"]
        screen.wrapped(f"{item['id']} {item['source']} {item['query']}: {said}", indent=12, hang=2)
    actions.field(screen, "effect", plans.effect(row["effect"]))
    if row["verdict"]:
        actions.field(screen, "verdict", actions.summary(row["verdict"]))
        for reason in row["verdict"]["reasons"]:
            screen.wrapped(f"{screen.glyph(reason['result'])} {reason['rule']}: {reason['message']}", indent=12, hang=2)
    actions.field(screen, "risk", row["risk"])
    actions.field(screen, "undo", "automatic when verification misses" if row["reversible"] else "cannot be undone")
    for approval in row["approvals"]:
        actions.field(screen, approval["decision"], f"{approval['by']} at {approval['at']}: {approval['reason']}")
    actions.field(screen, "needs", f"{row['missing']} of {row['needed']} people other than {row['submittedBy']}, until {row['expiresAt']}")
    confirm = f" --confirm={row['target']['name']}" if row["severe"] else ""
    actions.field(screen, "next", f'day2 approve {row["id"]}{confirm} --reason "..."   |   day2 deny {row["id"]} --reason "..."')


def decided(found: Decided) -> Json:
    missing = found.waiting.missing - (found.approval.decision == "approved")
    fields = {"sentence": found.waiting.proposal.action.sentence(), "missing": max(0, missing)}
    return envelope("Approval") | actions.approval_item(found.approval) | fields


def decided_view(screen: Screen, found: Json) -> None:
    screen.wrapped(
        f"{screen.glyph(found['decision'])} {found['decision']} by {found['by']}: {found['sentence']} ({found['action']})", hang=2
    )
    if found["decision"] == "approved":
        more = f"{found['missing']} more people are needed" if found["missing"] else "the judge looks once more, then it runs"
        screen.line(more)
