"""The inbox, the page of one action, and the forms that decide on it. What decides is a POST, and the service behind it."""

from typing import Any
from urllib.parse import urlencode

from core.domain.errors import Day2Error, NotAuthenticated
from interfaces.console.visiting import Answer, Moved, Page, Visit
from interfaces.rendering.envelopes import Json

OVER = frozenset({"denied", "expired", "cancelled", "failed", "verified", "rolled_back", "escalated"})
LATER = frozenset({"submitted", "needs_approval", "approved", "permitted"})
"""Where a wish can still be taken back."""
SIMILAR = 5


async def inbox(visit: Visit) -> Answer:
    mine = visit.query.get("mine") == "1"
    found = await visit.read("approvals.list", mine=mine)
    return Page("approvals.html", {"found": found, "mine": mine}, at="/approvals")


async def card(visit: Visit) -> Answer:
    """One card of the inbox, as it is now."""
    found = await visit.call("approvals.list")
    item = next((row for row in found["items"] if row["id"] == visit.path("action")), None)
    action = item or await visit.call("actions.get", action=visit.path("action"))
    return Page("card.html", {"item": item, "action": action, "found": found})


async def action(visit: Visit) -> Answer:
    """The page on which one decides: change, verdict, evidence, blast radius, undo, approvals, what became of the like of it."""
    found = await visit.call("actions.get", action=visit.path("action"))
    waiting = await visit.read("approvals.list") or {"items": []}
    card = next((row for row in waiting["items"] if row["id"] == found["id"]), None)
    data = {
        "item": found | {"severe": card["severe"] if card else found["risk"] == "high" or not found["reversible"]},
        "card": card,
        "explained": await _explained(visit),
        "over": found["state"] in OVER,
        "cancellable": found["state"] in LATER,
        "similar": await _similar(visit, found),
    }
    return Page("action.html", data, at="/approvals")


async def _explained(visit: Visit) -> Json | None:
    """None before the judge looked."""
    try:
        return await visit.read("actions.explain", action=visit.path("action"))
    except Day2Error:
        return None


async def _similar(visit: Visit, found: Json) -> list[Json]:
    """Earlier ones of the same kind, those on the same object first."""
    rows = (await visit.read("actions.list", limit=300) or {"items": []})["items"]
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
