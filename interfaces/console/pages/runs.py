"""Runs: the list, and one as a story, as a waterfall, as events. The page of a run that works follows it."""

from core.domain.errors import InvalidInput
from interfaces.console import stories
from interfaces.console.pictures import waterfalls
from interfaces.console.visiting import Answer, Moved, Page, Visit
from interfaces.rendering.envelopes import moment

LIMIT = 50
MOST = 1000


async def runs(visit: Visit) -> Answer:
    offset = visit.whole("offset", 0, most=MOST - LIMIT)
    found = await visit.read("runs.list", limit=min(MOST, offset + LIMIT + 1))
    words = visit.query.get("q", "").casefold()[:100]
    rows = [item for item in (found or {"items": []})["items"] if words in f"{item['id']} {item['text']} {item['by']}".casefold()]
    data = {"found": found, "items": rows[offset : offset + LIMIT], "more": len(rows) > offset + LIMIT, "offset": offset, "limit": LIMIT}
    return Page("runs.html", data | {"words": words}, at="/runs")


async def run(visit: Visit) -> Answer:
    """A run that was asked for and has not begun is a page too."""
    found = await visit.call("runs.get", run=visit.path("run"))
    known, now = found["run"], visit.house.offers.ports.clock.now()
    data = {
        "run": known,
        "asked": found["asked"],
        "answer": found["answer"],
        "id": visit.path("run"),
        "story": stories.told(known, found["answer"]) if known else [],
        "drawn": waterfalls.drawn(known, moment(now)) if known else None,
    }
    return Page("run.html" if not visit.part else "run_part.html", data, at="/runs")


async def ask(visit: Visit) -> Answer:
    """A question, or with `act` a run whose proposals go before the judge."""
    text = visit.form.get("text", "").strip()
    if not text:
        raise InvalidInput("nothing was asked", mend="write what you want to know")
    found = await visit.call("runs.start" if visit.form.get("act") else "questions.ask", text=text)
    return Moved(f"/runs/{found['id']}")
