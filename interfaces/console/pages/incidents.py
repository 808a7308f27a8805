"""Incidents: what alerts say, joined, with the cause chain of the run that looked."""

from interfaces.console.pictures import causes
from interfaces.console.visiting import Answer, Page, Visit


async def incidents(visit: Visit) -> Answer:
    return Page("incidents.html", {"found": await visit.read("incidents.list")}, at="/incidents")


async def incident(visit: Visit) -> Answer:
    found = await visit.read("incidents.get", incident=visit.path("incident"))
    chain = causes.drawn(found["findings"]) if found else None
    return Page("incident.html", {"found": found, "chain": chain}, at="/incidents")
