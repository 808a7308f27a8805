"""What the platform is made of and how it is doing: agents, rules with a simulator, schedules, savings, audit, evals."""

import asyncio
import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import cache
from typing import Any
from urllib.parse import urlencode

from markupsafe import Markup
from starlette.responses import Response

from core.domain.errors import InvalidInput
from interfaces.console.pictures import ages
from interfaces.console.visiting import Answer, Moved, Page, Visit
from interfaces.rendering.envelopes import Json
from runtime.services import auditing, digests

LIMIT = 100
MOST_RECORDS = 1000
FILTERS = ("subject", "by", "target", "role", "event", "since", "until")
EXPORTS = {"jsonl": ("jsonl", "application/jsonl"), "cloudevents": ("cloudevents.jsonl", "application/jsonl"), "csv": ("csv", "text/csv")}
CANDIDATE = """apiVersion: day2.dev/v1alpha1
kind: ActionPolicy
metadata: {name: payments-asks}
spec:
  why: Whatever changes payments is decided by somebody who is on call for it.
  appliesTo: ["*"]
  decision: needs_approval
  severity: high
  when: facts.namespace == 'payments'
  message: "action.kind + ' in payments: the team on call decides'"
  tests:
    - {name: payments, facts: {namespace: payments}, expect: needs_approval}
    - {name: elsewhere, expect: pass}
"""
EXAMPLE = """{
  "id": "act-tried",
  "kind": "scale_workload",
  "target": {"cluster": "c1", "group": "apps", "kind": "Deployment", "namespace": "shop", "name": "cart", "uid": "u1"},
  "from_replicas": 2,
  "to_replicas": 4
}"""


async def agents(visit: Visit) -> Answer:
    return Page("agents.html", {"found": await visit.read("agents.list"), "autonomy": await visit.read("autonomy.list")}, at="/agents")


async def policies(visit: Visit) -> Answer:
    found = await visit.read("policies.list")
    words = visit.query.get("q", "").casefold()[:100]
    items = [item for item in (found or {"items": []})["items"] if words in f"{item['rule']} {item['pack']}".casefold()]
    data: dict[str, Any] = {"found": found, "items": items, "words": words, "tried": None, "action": EXAMPLE, "facts": "{}", "wrong": ""}
    data |= {"rules": CANDIDATE, "days": 30, "replayed": None, "misread": ""}
    return Page("policies.html", data | {"objectives": await visit.read("objectives.list")}, at="/policies")


async def policy(visit: Visit) -> Answer:
    return Page("policy.html", {"rule": await visit.call("policies.get", rule=visit.path("rule"))}, at="/policies")


async def tried(visit: Visit) -> Answer:
    """What the rules in force would say. It reads; it is a form because of its length."""
    shown = await policies(visit)
    assert isinstance(shown, Page)  # noqa: S101  it is what the line above returns
    action, facts = visit.form.get("action", "")[:20_000], visit.form.get("facts", "")[:20_000]
    data = dict(shown.data) | {"action": action, "facts": facts}
    try:
        data["tried"] = await visit.call("policies.try", action=_read(action, "action"), facts=_read(facts or "{}", "facts"))
    except InvalidInput as error:
        data["wrong"] = f"{error}{f' ({error.mend})' if error.mend else ''}"
    return Page("policies.html", data, at="/policies", status=400 if data["wrong"] else 200)


async def simulated(visit: Visit) -> Answer:
    """Past verdicts under the rules that were written into the form. It reads; it is a form because of its length."""
    shown = await policies(visit)
    assert isinstance(shown, Page)  # noqa: S101  it is what the line above returns
    text, days = visit.form.get("rules", "")[:100_000], visit.form.get("days", "30")
    data = dict(shown.data) | {"rules": text, "days": days}
    try:
        if not days.isdecimal():
            raise InvalidInput("days is no number", mend="1 to 90")
        data["replayed"] = await visit.call("policies.simulate", rules=text, days=int(days[:6]))
    except InvalidInput as error:
        data["misread"] = f"{error}{f' ({error.mend})' if error.mend else ''}"
    return Page("policies.html", data, at="/policies", status=400 if data["misread"] else 200)


def _read(text: str, name: str) -> Any:
    try:
        return json.loads(text)
    except ValueError as error:
        raise InvalidInput(f"{name} is no JSON: {error}", mend="braces, and names between double quotes") from error


async def schedules(visit: Visit) -> Answer:
    return Page("schedules.html", {"found": await visit.read("schedules.list")}, at="/schedules")


async def run_now(visit: Visit) -> Answer:
    await visit.call("schedules.run", schedule=visit.path("schedule"))
    return Moved("/schedules", f"{visit.path('schedule')} runs now.")


STAGES = {"proposed": "over", "approved": "busy", "applied": "busy", "realised": "good", "reverted": "asks", "dropped": "bad"}
"""The stages of a saving in their order, with the tone of each."""


DAY = re.compile(r"20[0-9]{2}-[01][0-9]-[0-3][0-9]")


async def week(visit: Visit) -> Answer:
    """Of any week: a digest that was sent links to its own."""
    until = visit.query.get("until", "")
    found = await visit.read("reports.weekly", **({"until": until} if DAY.fullmatch(until) else {}))
    return Page("week.html", {"found": found, "plots": plots(found["days"]) if found else []}, at="/schedules")


def plots(days: Sequence[Json]) -> list[tuple[str, Markup]]:
    dates = [day["date"] for day in days]
    came = [[day[name] for name in digests.SORTS] for day in days]
    saved = [[int(float(day["saved"]["amount"]))] for day in days]
    return [
        ("What came of it, by day", digests.chart("actions done, refused and left to people, by day", dates, came, digests.SORTS)),
        ("Saved a month, by day, USD", digests.chart("savings by day", dates, saved, ("saved",))),
    ]


async def savings(visit: Visit) -> Answer:
    found = await visit.read("savings.list")
    return Page("savings.html", {"found": found, "steps": steps((found or {"items": []})["items"])}, at="/savings")


def steps(items: Sequence[Json]) -> list[Json]:
    """What is claimed on paper at each stage, a month; each action counts once. `share` is of the largest, in percent."""
    sums = {stage: [float(item["saving"]["paper"]["amount"]) for item in items if item["stage"] == stage] for stage in STAGES}
    most = max(abs(sum(values)) for values in sums.values()) or 1.0
    return [
        {
            "name": stage,
            "actions": len(values),
            "paper": f"{sum(values):.2f}",
            "share": round(100 * abs(sum(values)) / most, 1),
            "tone": STAGES[stage],
        }
        for stage, values in sums.items()
    ]


async def audit(visit: Visit) -> Answer:
    wanted, limit = asked(visit), visit.whole("limit", LIMIT, most=MOST_RECORDS) or LIMIT
    found = await visit.read("audit.list", **_given(wanted), limit=limit)
    rows = list(reversed((found or {"items": []})["items"]))
    events = Counter(row["event"] for row in rows).most_common(8)
    checked = await visit.read("audit.verify") if visit.query.get("verify") == "1" else None
    data = {"found": found, "items": rows, "wanted": wanted, "limit": limit, "events": events, "checked": checked, "forms": EXPORTS}
    kept = {name: value for name, value in wanted.items() if value}
    within = urlencode({name: value for name, value in kept.items() if name not in ("since", "until")})
    more = {"kept": urlencode(kept), "within": within, "most": MOST_RECORDS, "ages": ages.drawn(rows)}
    return Page("audit.html", data | more, at="/audit")


async def export(visit: Visit) -> Answer:
    """The newest records that fit, oldest first, as a file."""
    form = visit.query.get("form", "")
    if form not in EXPORTS:
        raise InvalidInput("there is no such form of an export", mend=f"one of: {', '.join(EXPORTS)}")
    rows = await visit.answer("audit.list", **_given(asked(visit)), limit=MOST_RECORDS)
    name = f"audit-{len(rows)}-records.{EXPORTS[form][0]}"
    return Response(
        auditing.exported(rows, form), media_type=EXPORTS[form][1], headers={"Content-Disposition": f'attachment; filename="{name}"'}
    )


def asked(visit: Visit) -> dict[str, str]:
    """The filters as the address has them."""
    return {name: visit.query.get(name, "").strip()[:200] for name in FILTERS}


def _given(wanted: Mapping[str, str]) -> dict[str, Any]:
    """As the service takes them. A browser's field of a time knows no zone: UTC is meant, as everywhere here."""
    times = {name: _utc(wanted[name]) for name in ("since", "until")}
    return {name: value for name, value in (dict(wanted) | times).items() if value}


def _utc(text: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text) if text else None
    except ValueError as error:
        raise InvalidInput(f"{text[:40]!r} is no time", mend="such as 2026-12-24T10:00") from error
    return moment.replace(tzinfo=UTC) if moment and moment.tzinfo is None else moment


async def evals(visit: Visit) -> Answer:
    """The shipped results; they are read once, beside the loop that serves everybody."""
    del visit
    board = await asyncio.to_thread(_board)
    suites = [row for row in board["items"] if row["contestant"] == "day2ops"]
    others = [row for row in board["items"] if row["contestant"] != "day2ops"]
    return Page("evals.html", {"board": board, "own": suites, "others": others}, at="/evals")


@cache
def _board() -> Json:
    from evals.scoring import results
    from interfaces.rendering import evaluations

    return evaluations.document(results.read(results.STORED))
