"""Alerts that come in and the incidents that they are joined to, as the doors offer them."""

import asyncio
import contextlib
from typing import Any, NamedTuple

from pydantic import Field

from core.domain.access import Caller, Right
from core.domain.errors import InvalidInput, NotFound
from core.domain.incidents import Incident, Kept, Taken
from core.domain.intake import Asked
from core.domain.values import bounded
from runtime.services import alertmanagers
from runtime.services.alertmanagers import Notification
from runtime.services.offering import Offer, Ports, Wanted
from runtime.services.running import Run

SHOWN_ALERTS = 500


class WhichIncidents(Wanted):
    state: str = Field(
        default="", pattern="^(open|lapsed|resolved)?$", description="open, lapsed (nobody told its end) or resolved; empty: all"
    )
    limit: int = Field(default=50, ge=1, le=1000)


class OneIncident(Wanted):
    incident: str = Field(max_length=64, description="inc-...")


class Shown(NamedTuple):
    """`alerts` are the newest of them. `held_back`: so many runs began by alerts within the hour that this one waits for its own."""

    incident: Incident
    alerts: tuple[Kept, ...]
    asked: Asked | None
    run: Run | None
    answer: dict[str, Any] | None
    held_back: bool


async def received(ports: Ports, _caller: Caller, wanted: Notification) -> Taken:
    return await ports.beyond.desk.take(alertmanagers.handed(wanted, ports.clock.now()))


async def listed(ports: Ports, _caller: Caller, wanted: WhichIncidents) -> list[Incident]:
    return ports.beyond.desk.kept.recent(state=wanted.state, limit=wanted.limit)


async def shown(ports: Ports, _caller: Caller, wanted: OneIncident) -> Shown:
    """Raises NotFound."""
    found = ports.beyond.desk.kept.get(wanted.incident)
    if found is None:
        raise NotFound(f"no incident {bounded(wanted.incident, 40)!r}", mend="day2 incident list")
    alerts = tuple(ports.beyond.desk.kept.alerts(found.id, SHOWN_ALERTS))
    if not found.run:
        return Shown(found, alerts, None, None, None, held_back=found.open)
    asked = ports.intake.get(found.run)
    try:
        run = await asyncio.to_thread(ports.history.run, found.run)
    except NotFound:  # it waits in the intake
        return Shown(found, alerts, asked, None, None, held_back=False)
    answer = None
    if run.finished_at:
        with contextlib.suppress(InvalidInput):  # what it answered is kept elsewhere than the ledger, and may be lost: the incident is not
            answer = await ports.answer(run.id)
    return Shown(found, alerts, asked, run, answer, held_back=False)


OFFERS = (
    Offer(
        "alerts.receive",
        Right.SEND,
        "Take a notification of Alertmanager, payload version 4. It is durable and joined to incidents when this answers.",
        Notification,
        received,
        writes=True,
    ),
    Offer("incidents.list", Right.READ, "Incidents that alerts were joined to, newest first.", WhichIncidents, listed),
    Offer("incidents.get", Right.READ, "One incident: its timeline, its alerts, and what its run found, with causes.", OneIncident, shown),
)
