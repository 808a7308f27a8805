"""Incidents: what alerts say, joined, with the cause chain of the run that looked."""

from interfaces.console.pictures import causes
from interfaces.console.visiting import Answer, Page, Visit


async def incidents(visit: Visit) -> Answer:
    return Page("incidents.html", {"found": await visit.read("incidents.list")}, at="/incidents")


async def incident(visit: Visit) -> Answer:
    found = await visit.read("incidents.get", incident=visit.path("incident"))
    answer = None
    run = (found or {}).get("run") or (found or {}).get("runs", [None])[-1:]
    name = run[0] if isinstance(run, list) and run else run if isinstance(run, str) else ""
    if name:
        answer = (await visit.call("runs.get", run=name))["answer"]
    chain = causes.drawn(answer["findings"]) if answer else None
    return Page("incident.html", {"found": found, "answer": answer, "chain": chain, "run": name}, at="/incidents")
