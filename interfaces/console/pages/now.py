"""The first page: is anything waiting for me, is anything broken?"""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from starlette.responses import HTMLResponse

from interfaces.console.pages.knowing import steps
from interfaces.console.pictures import lanes
from interfaces.console.pictures.lanes import Deed, Lanes, Work
from interfaces.console.visiting import Answer, Page, Visit

SEEN_BY = {"reliability": "reliability", "cost": "finops", "security": "security", "performance": "scaling"}
"""Which agent's findings speak against an objective that serves this."""
BAD = ("critical", "high")
LATEST = 5


async def now(visit: Visit) -> Answer:
    approvals, runs, actions, agents, objectives, findings, savings, health, webhooks = await asyncio.gather(
        visit.read("approvals.list"),
        visit.read("runs.list", limit=200),
        visit.read("actions.list", limit=120),
        visit.read("agents.list"),
        visit.read("objectives.list"),
        visit.read("findings.list"),
        visit.read("savings.list"),
        visit.read("gate.health"),
        visit.read("webhooks.list"),
    )
    at = visit.house.offers.ports.clock.now()
    data = {
        "approvals": approvals,
        "actions": (actions or {"items": []})["items"][:LATEST],
        "agents": agents,
        "alive": sum(item["state"] == "ready" for item in (agents or {"items": []})["items"]),
        "objectives": kept((objectives or {"items": []})["items"], findings),
        "findings": findings,
        "bad": sum(item["severity"] in BAD and not item["symptomOf"] for item in (findings or {"items": []})["items"]),
        "savings": {row["name"]: row["paper"] for row in steps(savings["items"])} if savings else None,
        "lanes": swimlanes(runs, actions, agents, at),
        "health": health,
        "deaf": [row["name"] for row in (webhooks or {"items": []})["items"] if row["state"] != "active"] if webhooks else None,
        "runs": (runs or {"items": []})["items"][:LATEST],
    }
    return Page("now.html", data, at="/")


async def waiting(visit: Visit) -> Answer:
    """How many wait, for the navigation."""
    found = await visit.read("approvals.list")
    number = len(found["items"]) + found["metadata"]["queued"] if found else 0
    return HTMLResponse(str(number) if number else "")


def kept(objectives: Sequence[Mapping[str, Any]], findings: Mapping[str, Any] | None) -> list[dict[str, Any]]:
    """Each objective with what speaks against it. Where its agent did not look, nobody knows."""
    rows = []
    for item in objectives:
        agent = SEEN_BY[item["serves"]]
        against = [row for row in (findings or {"items": []})["items"] if _against(row, agent, item["scope"]["namespaces"])]
        looked = findings is not None and agent in findings["metadata"]["runs"]
        word = "missed" if against else "kept" if looked else "unknown"
        rows.append(
            {"name": item["name"], "serves": item["serves"], "agent": agent, "word": word, "against": against[:3], "of": len(against)}
        )
    return rows


def _against(row: Mapping[str, Any], agent: str, namespaces: Sequence[str]) -> bool:
    inside = "*" in namespaces or row["subject"]["namespace"] in namespaces
    return row["agent"] == agent and inside and row["severity"] in BAD and not row["symptomOf"]


def swimlanes(runs: Any, actions: Any, agents: Any, at: datetime) -> Lanes:
    works = [
        Work(item["id"], tuple(item["summary"].get("asked") or ()), _moment(item["startedAt"]), _moment(item["finishedAt"]))
        for item in (runs or {"items": []})["items"]
    ]
    deeds = [
        Deed(item["id"], item["agent"], _moment(item["changedAt"]) or at, item["state"], item["sentence"])
        for item in (actions or {"items": []})["items"]
    ]
    names = [item["name"] for item in (agents or {"items": []})["items"]]
    return lanes.drawn(works, deeds, names, at)


def _moment(text: str | None) -> Any:
    return datetime.fromisoformat(text) if text else None
