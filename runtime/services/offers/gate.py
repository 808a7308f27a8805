"""How the gate itself is, as the doors offer it."""

from core.domain.access import Caller, Right
from runtime.services import gauging
from runtime.services.gauging import Health
from runtime.services.offering import Nothing, Offer, Ports


async def health(ports: Ports, _caller: Caller, _wanted: Nothing) -> Health:
    """Anew when something was recorded, and each hour: what is told is told of the week before."""
    ports.history.catch_up()
    now = ports.clock.now()
    made: Health = ports.kept.answer(
        ("gate.health", ports.history.place, f"{now:%Y-%m-%dT%H}"), lambda: gauging.health(ports.ledger, ports.history, now)
    )
    return made


OFFERS = (
    Offer("gate.health", Right.READ, "Is the gate well: its guard, its rules, and whether who approves still looks.", Nothing, health),
)
