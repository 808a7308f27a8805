"""The audit chains, as the doors offer them."""

from datetime import datetime

from pydantic import Field

from core.domain.access import Caller, Right
from core.domain.errors import InvalidInput
from core.domain.ledger import AuditRow
from runtime.services import auditing
from runtime.services.offering import Nothing, Offer, Plain, Ports, Wanted


class Records(Wanted):
    subject: str = Field(default="", max_length=200, description="an action, a run, or the scope of a stop")
    role: str = Field(default="", max_length=64, description="whose chain: door, judge, executor, controller or notifier")
    event: str = Field(default="", max_length=64, description="such as verified, or approval for all of its kinds")
    by: str = Field(default="", max_length=200, description="who did it: a person or a role, as the record names them, or a part of it")
    target: str = Field(default="", max_length=320, description="NAMESPACE/NAME: everything that was ever asked and done to it")
    since: datetime | None = Field(default=None, description="from then on, with its time zone")
    until: datetime | None = Field(default=None, description="before then")
    limit: int = Field(default=100, ge=1, le=1000)


class OneRecord(Wanted):
    record: str = Field(max_length=90, description="ROLE/SEQ, such as judge/12")


async def listed(ports: Ports, _caller: Caller, wanted: Records) -> list[AuditRow]:
    """Of one subject, its own; else the newest, read backwards: a long chain is not read whole for a page of it."""
    asked = auditing.Asked(wanted.role, wanted.event, wanted.by, _aware(wanted.since), _aware(wanted.until))
    if wanted.subject or wanted.target:
        subjects = [wanted.subject] if wanted.subject else auditing.done_to(ports.ledger, wanted.target)
        return [row for row in ports.history.way(subjects) if auditing.fits(row, asked)][-wanted.limit :]
    ports.history.catch_up()
    return auditing.newest(ports.ledger, ports.history.place, asked, limit=wanted.limit)


def _aware(moment: datetime | None) -> datetime | None:
    """Raises InvalidInput: without a zone it would be another moment for everybody."""
    if moment is not None and moment.tzinfo is None:
        raise InvalidInput(f"{moment.isoformat()} has no time zone", mend=f"{moment.isoformat()}Z")
    return moment


async def shown(ports: Ports, _caller: Caller, wanted: OneRecord) -> AuditRow:
    return auditing.get(ports.ledger, wanted.record)


async def verified(ports: Ports, _caller: Caller, _wanted: Nothing) -> Plain:
    return ports.verify()


OFFERS = (
    Offer("audit.list", Right.READ, "Records of the audit chains, the newest of them, oldest first.", Records, listed),
    Offer("audit.get", Right.READ, "One record of an audit chain with its body.", OneRecord, shown),
    Offer("audit.verify", Right.READ, "Find any record that was changed, removed, inserted, moved or cut off.", Nothing, verified),
)
