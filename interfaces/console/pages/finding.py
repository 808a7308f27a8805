"""Findings, with what was not checked shown as equal; mutes; the cause chains; and all that is known of one object."""

import math
from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from core.domain.errors import Day2Error, InvalidInput
from interfaces.console.pictures import causes, usage
from interfaces.console.visiting import Answer, Moved, Page, Visit
from interfaces.rendering.envelopes import Json

LIMIT = 50
LEVELS = ("critical", "high", "medium", "low", "info")
WORKLOADS = ("Deployment", "StatefulSet", "DaemonSet")
FILTERS = ("severity", "agent", "namespace", "code", "q")


async def findings(visit: Visit) -> Answer:
    """Every filter is in the address, so that what one sees can be sent to somebody."""
    found = await visit.read("findings.list")
    tab = visit.query.get("tab", "open")
    data: dict[str, Any] = {"found": found, "tab": tab, "mutes": await visit.read("mutes.list"), "limit": LIMIT}
    if found is not None:
        wanted = {name: visit.query.get(name, "")[:200] for name in FILTERS}
        items = [item for item in found["items"] if fits(item, wanted)]
        offset = visit.whole("offset", 0, most=len(items))
        data |= {"items": items[offset : offset + LIMIT], "total": len(items), "offset": offset, "wanted": wanted}
        data |= {"heat": heat(found["items"]), "chain": causes.drawn(items[:200]), "levels": LEVELS, **_choices(found["items"])}
        data["base"] = _base(visit)
    return Page("findings.html", data, at="/findings")


def fits(item: Mapping[str, Any], wanted: Mapping[str, str]) -> bool:
    subject = item["subject"]
    plain = {"severity": item["severity"], "agent": item["agent"], "namespace": subject["namespace"], "code": item["code"]}
    text = f"{item['id']} {item['code']} {item['title']} {subject['namespace']}/{subject['kind']}/{subject['name']}".casefold()
    return all(not wanted[name] or wanted[name] == value for name, value in plain.items()) and wanted["q"].casefold() in text


def heat(items: list[Json]) -> list[tuple[str, list[int]]]:
    """How many of each severity, by agent."""
    counted = Counter((item["agent"], item["severity"]) for item in items)
    return [(agent, [counted[agent, level] for level in LEVELS]) for agent in sorted({agent for agent, _ in counted})]


def _choices(items: list[Json]) -> dict[str, list[str]]:
    return {
        "agent_names": sorted({item["agent"] for item in items}),
        "namespace_names": sorted({item["subject"]["namespace"] for item in items} - {""}),
        "codes": sorted({item["code"] for item in items}),
    }


def _base(visit: Visit) -> str:
    """The address of this list, up to where a page of it is named."""
    kept = urlencode([(name, value) for name, value in visit.query.items() if name not in ("offset", "said")])
    return f"?{kept}&" if kept else "?"


async def mute(visit: Visit) -> Answer:
    """Until the end of a day that was chosen."""
    now, until = visit.house.offers.ports.clock.now(), visit.form.get("until", "")
    try:
        end = datetime.fromisoformat(f"{until}T23:59:59+00:00")
    except ValueError as error:
        raise InvalidInput("a mute needs the day of its end", mend="such as 2026-12-24") from error
    hours = max(1, math.floor((end - now).total_seconds() / 3600))
    spaces = tuple(filter(None, (visit.form.get("namespace", ""),)))
    await visit.call("findings.mute", what=visit.form.get("what", ""), namespaces=spaces, reason=visit.form.get("reason", ""), hours=hours)
    return Moved("/findings?tab=muted", f"Muted until {end:%d %B}.")


async def expire(visit: Visit) -> Answer:
    await visit.call("mutes.expire", mute=visit.form.get("mute", ""))
    return Moved("/findings?tab=muted", "The mute is over.")


async def thing(visit: Visit) -> Answer:
    """One object: its usage where it is measured, what was found on it, what was done to it."""
    namespace, kind, name = (visit.path(part) for part in ("namespace", "kind", "name"))
    space = "" if namespace == "-" else namespace
    found = await visit.read("findings.list")
    actions = await visit.read("actions.list", limit=1000)
    shape = {"namespace": space, "kind": kind, "name": name}
    data = {
        "target": shape,
        "items": [item for item in (found or {"items": []})["items"] if _is(item["subject"], shape)],
        "actions": [item for item in (actions or {"items": []})["items"] if _is(item["target"], shape)],
    }
    return Page("object.html", data | await _measured(visit, shape), at="/findings")


async def _measured(visit: Visit, shape: Mapping[str, str]) -> dict[str, Any]:
    """A workload that is gone, or a cluster that does not answer, takes nothing from what is remembered of it."""
    if shape["kind"] not in WORKLOADS:
        return {"outlook": None, "usage": None, "why": ""}
    try:
        found = await visit.read("workloads.get", **shape)
    except Day2Error as error:
        return {"outlook": None, "usage": None, "why": str(error)}
    return {"outlook": found, "usage": usage.drawn(found) if found else None, "why": "" if found else "not available here"}


def _is(subject: Mapping[str, Any], shape: Mapping[str, str]) -> bool:
    return all(str(subject[part]).casefold() == shape[part].casefold() for part in shape)
