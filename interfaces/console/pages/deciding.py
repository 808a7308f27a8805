"""The inbox, the page of one action, and the forms that decide on it. What decides is a POST, and the service behind it."""

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

from starlette.responses import Response

from core.domain.errors import Day2Error, InvalidInput, NotAuthenticated
from interfaces.console import arguments
from interfaces.console.visiting import Answer, Moved, Page, Visit
from interfaces.rendering import actions
from interfaces.rendering.envelopes import Json
from runtime.services import repository
from runtime.services.recording import Recorded

OVER = frozenset({"denied", "expired", "cancelled", "failed", "verified", "rolled_back", "escalated"})
LATER = frozenset({"submitted", "needs_approval", "approved", "permitted"})
"""Where a wish can still be taken back."""
SIMILAR = 5
TICK = "tick."


async def inbox(visit: Visit) -> Answer:
    mine = visit.query.get("mine") == "1"
    found = await visit.read("approvals.list", mine=mine)
    data = {"found": found, "mine": mine, "alike": alike(found["items"] if found else ()), "tick": TICK}
    return Page("approvals.html", data | {"health": await visit.read("gate.health")}, at="/approvals")


async def card(visit: Visit) -> Answer:
    """One card of the inbox, as it is now."""
    found = await visit.call("approvals.list")
    item = next((row for row in found["items"] if row["id"] == visit.path("action")), None)
    action = item or await visit.call("actions.get", action=visit.path("action"))
    return Page("card.html", {"item": item, "action": action, "found": found})


async def action(visit: Visit) -> Answer:
    """The page on which one decides: change, verdict, evidence, blast radius, undo, approvals, what became of the like of it."""
    recorded = await visit.answer("actions.get", action=visit.path("action"))
    found = actions.document(recorded)
    waiting = await visit.read("approvals.list") or {"items": []}
    card = next((row for row in waiting["items"] if row["id"] == found["id"]), None)
    data = {
        "item": found | {"severe": card["severe"] if card else found["risk"] == "high" or not found["reversible"]},
        "card": card,
        "explained": await _explained(visit),
        "over": found["state"] in OVER,
        "cancellable": found["state"] in LATER,
        "similar": await _similar(visit, found),
        "arguments": arguments.of(recorded.proposal.action),
        "repository": _repository(recorded),
    }
    return Page("action.html", data, at="/approvals")


def _repository(recorded: Recorded) -> dict[str, Any] | None:
    """The change where the object is written. None where no repository owns it."""
    found = repository.written(recorded.proposal, recorded.verdict)
    return found and {"owner": found.owner, "advice": found.advice, "text": found.text}


async def patch(visit: Visit) -> Answer:
    """To merge into the manifest in its repository: what is patched in the cluster is reverted at the next sync."""
    recorded = await visit.answer("actions.get", action=visit.path("action"))
    found = _repository(recorded)
    if not found or not found["text"]:
        raise InvalidInput(f"there is no patch for a repository in {recorded.row.action_id}", mend=found["advice"] if found else "")
    headers = {"Content-Disposition": f'attachment; filename="{recorded.row.action_id}.yaml"'}
    return Response(found["text"], media_type="application/yaml", headers=headers)


async def edit(visit: Visit) -> Answer:
    """Another wish in the place of this one: it goes before the judge, and another person approves it."""
    recorded = await visit.answer("actions.get", action=visit.path("action"))
    wanted = arguments.changed(recorded.proposal.action, visit.form)
    if not wanted:
        raise InvalidInput("nothing would be different", mend="change a value, then send it")
    found = await visit.call("actions.edit", action=visit.path("action"), changes=wanted)
    return Moved(f"/actions/{found['id']}", f"{found['id']} takes the place of {visit.path('action')}, and goes before the judge.")


async def batch(visit: Visit) -> Answer:
    """Those that were ticked, with one reason."""
    chosen = [name.removeprefix(TICK) for name in visit.form if name.startswith(TICK)]
    if not chosen:
        raise InvalidInput("nothing was chosen", mend="tick the cards that you looked at")
    found = await visit.call("approvals.batch", actions=chosen, reason=visit.form.get("reason", ""))
    left = "".join(f" {row['action']} was left: {row['why']}." for row in found["left"])
    return Moved("/approvals", f"{len(found['items'])} approved.{left}"[:300])


def alike(items: Sequence[Json]) -> list[tuple[str, list[Json]]]:
    """Cards of low risk by their kind, where there are several of it."""
    kinds: dict[str, list[Json]] = {}
    for item in items:
        if item["risk"] == "low" and not item["severe"]:
            kinds.setdefault(item["capability"], []).append(item)
    return [(kind, rows) for kind, rows in sorted(kinds.items()) if len(rows) > 1]


async def _explained(visit: Visit) -> Json | None:
    """None before the judge looked."""
    try:
        return await visit.read("actions.explain", action=visit.path("action"))
    except Day2Error:
        return None


async def _similar(visit: Visit, found: Json) -> list[Json]:
    """Earlier ones of the same kind, those on the same object first."""
    rows = (await visit.read("actions.list", limit=100) or {"items": []})["items"]
    alike = [row for row in rows if row["capability"] == found["capability"] and row["id"] != found["id"]]
    return sorted(alike, key=lambda row: row["target"]["uid"] != found["target"]["uid"])[:SIMILAR]


async def approve(visit: Visit) -> Answer:
    return await _decided(visit, "actions.approve", "approve")


async def deny(visit: Visit) -> Answer:
    return await _decided(visit, "actions.deny", "deny")


async def _decided(visit: Visit, name: str, act: str) -> Answer:
    """Where the login is too old for what is severe, one proves who one is and comes back to what one wrote."""
    action, reason, confirm = visit.path("action"), visit.form.get("reason", ""), visit.form.get("confirm", "")
    back = f"/actions/{action}?{urlencode({'act': act, 'reason': reason[:400], 'confirm': confirm[:300]})}#decide"
    try:
        found = await visit.call(name, action=action, reason=reason, confirm=confirm)
    except NotAuthenticated as error:
        return Page("again.html", {"back": back, "why": str(error)}, status=401)
    said = "Approved" if act == "approve" else "Denied"
    return Moved(f"/actions/{action}", f"{said}. {_more(found) if act == 'approve' else ''}".strip())


def _more(found: Json) -> str:
    missing = found["missing"]
    return (
        f"{missing} more {'person is' if missing == 1 else 'people are'} needed." if missing else "The judge looks once more, then it runs."
    )


async def cancel(visit: Visit) -> Answer:
    await visit.call("actions.cancel", action=visit.path("action"), reason=visit.form.get("reason", ""))
    return Moved(f"/actions/{visit.path('action')}", "Taken back.")


async def stopping(_visit: Visit) -> Answer:
    return Page("stop.html", {}, at="/")


async def stop(visit: Visit) -> Answer:
    wanted: dict[str, Any] = {"scope": visit.form.get("scope", "all").strip(), "reason": visit.form.get("reason", "")}
    await visit.call("writes.stop", **wanted, mode="forward" if visit.form.get("forward") else "all")
    return Moved("/", f"Stopped: {wanted['scope']}.")


async def resume(visit: Visit) -> Answer:
    scope = visit.form.get("scope", "all")
    await visit.call("writes.resume", scope=scope, reason=visit.form.get("reason", ""))
    return Moved("/", f"Resumed: {scope}.")
