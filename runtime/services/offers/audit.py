"""The audit chains, as the doors offer them."""

from pydantic import Field

from core.domain.access import Caller, Right
from core.domain.ledger import AuditRow
from runtime.services import auditing
from runtime.services.offering import Nothing, Offer, Plain, Ports, Wanted


class Records(Wanted):
    subject: str = Field(default="", max_length=200, description="an action, a run, or the scope of a stop")
    role: str = Field(default="", max_length=64, description="whose chain: door, judge, executor, controller or notifier")
    event: str = Field(default="", max_length=64, description="such as verified, or approval for all of its kinds")
    limit: int = Field(default=100, ge=1, le=1000)


class OneRecord(Wanted):
    record: str = Field(max_length=90, description="ROLE/SEQ, such as judge/12")


async def listed(ports: Ports, _caller: Caller, wanted: Records) -> list[AuditRow]:
    """Of one subject, its own; else the newest, read backwards: a long chain is not read whole for a page of it."""
    if wanted.subject:
        rows = [row for row in ports.history.way([wanted.subject]) if auditing.fits(row, wanted.role, wanted.event)]
        return rows[-wanted.limit :]
    ports.history.catch_up()
    return auditing.newest(ports.ledger, ports.history.place, role=wanted.role, event=wanted.event, limit=wanted.limit)


async def shown(ports: Ports, _caller: Caller, wanted: OneRecord) -> AuditRow:
    return auditing.get(ports.ledger, wanted.record)


async def verified(ports: Ports, _caller: Caller, _wanted: Nothing) -> Plain:
    return ports.verify()


OFFERS = (
    Offer("audit.list", Right.READ, "Records of the audit chains, the newest of them, oldest first.", Records, listed),
    Offer("audit.get", Right.READ, "One record of an audit chain with its body.", OneRecord, shown),
    Offer("audit.verify", Right.READ, "Find any record that was changed, removed, inserted, moved or cut off.", Nothing, verified),
)
