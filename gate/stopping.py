"""The emergency stop: a row that everybody who writes reads just before. What cannot be read stops."""

from datetime import datetime
from typing import Protocol

from core.domain import people
from core.domain.errors import Day2Error, InvalidInput, Refused
from core.domain.ledger import Ledger, StopRow
from core.domain.values import bounded

ALL = "all"
APPROVER = "approver="
"""Scope of a person whose approvals do not count until another person resumes."""
MODES = ("all", "forward")


def stop(ledger: Ledger, *, scope: str, mode: str, by: str, reason: str, at: datetime) -> StopRow:
    """`scope` is `all`, `agent=NAME`, `namespace=NAME` or `approver=NAME`; mode `forward` lets undo through. Raises InvalidInput."""
    if scope != ALL and scope.partition("=")[0] not in ("agent", "namespace", "approver"):
        raise InvalidInput(f"{scope!r} is no scope of a stop", mend="all, agent=NAME, namespace=NAME or approver=NAME")
    if mode not in MODES:
        raise InvalidInput(f"{mode!r} is no mode of a stop", mend="all, or forward to let undo through")
    row = StopRow(bounded(scope, 300), mode, bounded(by, 200), bounded(reason, 400), at)
    ledger.stop(row)
    return row


def resume(ledger: Ledger, *, scope: str, by: str, reason: str, at: datetime) -> bool:
    """False where nothing was stopped. Only a door that authenticated a person calls this. Raises Refused for one's own pause."""
    if scope.startswith(APPROVER) and people.same(scope.removeprefix(APPROVER), by):
        raise Refused(("who was paused cannot resume it",), mend="another person resumes")
    return ledger.resume(scope, bounded(by, 200), bounded(reason, 400), at)


class Stops(Protocol):
    """Where the rows are read: the ledger, or the webhook's part of it."""

    def stops(self) -> list[StopRow]: ...


def reason_to_stop(ledger: Stops, *, agent: str, namespace: str, undo: bool = False) -> str:
    """Empty when nothing stops this write."""
    try:
        rows = ledger.stops()
    except Day2Error as error:
        return f"the ledger cannot be read: {error}"
    covering = [
        row for row in rows if row.scope in (ALL, f"agent={agent}", f"namespace={namespace}") and not (undo and row.mode == "forward")
    ]
    return f"{covering[0].scope}: {covering[0].reason} ({covering[0].by})" if covering else ""


def paused(ledger: Ledger) -> tuple[str, ...]:
    """People whose approvals do not count now."""
    return tuple(row.scope.removeprefix(APPROVER) for row in ledger.stops() if row.scope.startswith(APPROVER))
