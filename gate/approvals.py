"""Approvals: signed by the door that authenticated the person, counted by the judge. Silence is never consent."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import NamedTuple

from core.domain.action import Risk
from core.domain.approval import Approval
from core.domain.errors import NotAuthenticated
from gate.keys import Signer, Verifier

TYPE = "day2-approval+jwt"


class Count(NamedTuple):
    """What people decided. `ignored` says why an approval does not count, for the record."""

    approved_by: tuple[str, ...]
    denied: Approval | None
    ignored: tuple[str, ...]


def sign(approval: Approval, key: Signer) -> Approval:
    return approval.model_copy(update={"token": key.sign(_claims(approval), typ=TYPE)})


def signed(approval: Approval, doors: Mapping[str, Verifier]) -> bool:
    """Whether the door that it names signed exactly this."""
    door = doors.get(approval.door)
    if door is None:
        return False
    try:
        return door.claims(approval.token, typ=TYPE) == _claims(approval)
    except NotAuthenticated:
        return False


def count(found: Iterable[Approval], *, action_id: str, digest: str, requester: str, doors: Mapping[str, Verifier], now: datetime) -> Count:
    """Distinct people other than who asked. Each person's first decision counts; one denial is enough."""
    people: dict[str, Approval] = {}
    ignored = []
    for approval in sorted(found, key=lambda item: (item.at, item.id)):
        if reason := _useless(approval, action_id, digest, requester, doors, now):
            ignored.append(f"{approval.id}: {reason}")
        else:
            people.setdefault(_person(approval.by), approval)
    denied = next((approval for approval in people.values() if approval.decision == "denied"), None)
    approved = [approval for approval in people.values() if approval.decision == "approved"]
    return Count(
        approved_by=tuple(sorted(approval.by for approval in approved)),
        denied=denied,
        ignored=tuple(ignored),
    )


def people_needed(risk: Risk) -> int:
    """Two for high risk. Rules may ask for more."""
    return 2 if risk is Risk.HIGH else 1


def _useless(approval: Approval, action_id: str, digest: str, requester: str, doors: Mapping[str, Verifier], now: datetime) -> str:
    if approval.action_id != action_id or approval.action_digest != digest:
        return "it is for another action"
    if not signed(approval, doors):
        return "no door signed it"
    if approval.decision == "denied":
        return ""  # a denial does not run out, and who asked may take it back
    if approval.expires_at <= now:
        return "it has expired"
    if approval.at > now or _person(approval.by) == _person(requester):
        return "it is from the future" if approval.at > now else "who asked cannot approve"
    return ""


def _person(name: str) -> str:
    """Spellings of one name are one person."""
    return name.strip().casefold()


def _claims(approval: Approval) -> dict[str, object]:
    return approval.model_dump(mode="json", exclude={"token"})
