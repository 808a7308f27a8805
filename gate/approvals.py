"""Approvals: signed by the door that authenticated the person, counted by the judge. Silence is never consent."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from core.domain import people
from core.domain.action import Risk
from core.domain.approval import Approval
from core.domain.errors import NotAuthenticated
from gate.keys import Signer, Verifier

TYPE = "day2-approval+jwt"
AN_HOUR = timedelta(hours=1)


class Wish(NamedTuple):
    """What is decided on. `owners` are those of the agent that proposes it; `cluster` is empty where it does not matter."""

    action_id: str
    digest: str
    requester: str
    cluster: str = ""
    risk: Risk = Risk.LOW
    owners: tuple[str, ...] = ()


class Hearing(NamedTuple):
    """What else holds. `earlier` are all decisions of the last hours, `paused` the people whose approvals do not count."""

    doors: Mapping[str, Verifier]
    now: datetime
    earlier: Sequence[Approval] = ()
    per_hour: int = 20
    paused: tuple[str, ...] = ()


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


def count(found: Iterable[Approval], wish: Wish, hearing: Hearing) -> Count:
    """Distinct people other than who asked; the agent's owners only beside somebody else. One denial is enough."""
    counted: list[Approval] = []
    ignored = []
    denied = None
    for approval in sorted(found, key=lambda item: (people.unproven(item.by), item.at, item.id)):
        reason = _useless(approval, wish, hearing)
        if not reason and approval.decision == "denied":
            denied = denied or approval
        elif reason := reason or next((said for other in counted if (said := _again(approval, other))), ""):
            ignored.append(f"{approval.id}: {reason}")
        else:
            counted.append(approval)
    if all(any(people.owns(owner, item.by, item.groups) for owner in wish.owners) for item in counted):
        ignored += [f"{item.id}: the agent's owner alone is not enough" for item in counted]
        counted = []
    return Count(tuple(sorted(item.by for item in counted)), denied, tuple(ignored))


def people_needed(risk: Risk) -> int:
    """Two for high risk. Rules may ask for more."""
    return 2 if risk is Risk.HIGH else 1


def _useless(approval: Approval, wish: Wish, hearing: Hearing) -> str:
    """Why it does not count by itself; empty where it does."""
    if approval.action_id != wish.action_id or approval.action_digest != wish.digest:
        return "it is for another action"
    if not signed(approval, hearing.doors):
        return "no door signed it"
    if approval.decision == "denied":
        return ""  # a denial does not run out, and who asked may take it back
    cluster = people.read(approval.by).cluster
    reasons = {
        "it has expired": approval.expires_at <= hearing.now,
        "it is from the future": approval.at > hearing.now,
        "who asked cannot approve": people.same(approval.by, wish.requester),
        "another cluster authenticated the person": bool(cluster and wish.cluster) and cluster != wish.cluster.casefold(),
        "high risk takes people whom the cluster authenticated": wish.risk is Risk.HIGH and people.unproven(approval.by),
        "this person approved a canary": any(people.same(approval.by, name) for name in hearing.paused),
        f"more than {hearing.per_hour} decisions within an hour": _crowded(approval, hearing),
    }
    return next((said for said, true in reasons.items() if true), "")


def _again(approval: Approval, other: Approval) -> str:
    """Spellings and doors of one person are one person, and so are all whom no cluster knows."""
    if people.same(approval.by, other.by):
        return "this person approved already"
    return "accounts that no cluster knows count once" if people.unproven(approval.by) and people.unproven(other.by) else ""


def _crowded(approval: Approval, hearing: Hearing) -> bool:
    before = [
        item
        for item in hearing.earlier
        if item.id != approval.id and approval.at - AN_HOUR < item.at <= approval.at and people.same(item.by, approval.by)
    ]
    return sum(signed(item, hearing.doors) for item in before) >= hearing.per_hour


def _claims(approval: Approval) -> dict[str, object]:
    left_out = {"token"} if approval.groups else {"token", "groups"}
    return approval.model_dump(mode="json", exclude=left_out)
