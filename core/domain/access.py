"""Who may do what through the doors: roles, the rights they carry, and the caller whom a door authenticated.

Not the judge's business: it counts signed approvals and trusts no role. Here a person gets a clear answer before anything is signed.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

MACHINE = "token:"
"""Begins the name of a machine that has a token: it may ask, hand in and look, and its word never counts as a person's."""


class Role(StrEnum):
    """What a person is here. Nobody is more than they were given: an approver cannot start a run, an operator cannot approve."""

    VIEWER = "viewer"
    OPERATOR = "operator"
    APPROVER = "approver"
    ADMIN = "admin"
    SENDER = "sender"


class Right(StrEnum):
    """What a service asks for, one each."""

    READ = "read"
    PROPOSE = "propose"
    DECIDE = "decide"
    STOP = "stop"
    MANAGE = "manage"
    SEND = "send"


RIGHTS: Mapping[Role, frozenset[Right]] = {
    Role.VIEWER: frozenset({Right.READ}),
    Role.OPERATOR: frozenset({Right.READ, Right.PROPOSE, Right.STOP}),
    Role.APPROVER: frozenset({Right.READ, Right.DECIDE, Right.STOP}),
    Role.ADMIN: frozenset({Right.READ, Right.PROPOSE, Right.DECIDE, Right.STOP, Right.MANAGE, Right.SEND}),
    Role.SENDER: frozenset({Right.SEND}),
}
"""A sender is a machine, such as an Alertmanager: it may hand something in, and see nothing."""


class Caller(NamedTuple):
    """`by` as `core.domain.people` writes it. `door` is through which they came; `authenticated_at` is when they last proved who they are,
    None where the door cannot say. `roles` empty: known, and allowed nothing."""

    by: str
    roles: frozenset[Role]
    door: str
    groups: tuple[str, ...] = ()
    authenticated_at: datetime | None = None

    @property
    def machine(self) -> bool:
        return self.by.startswith(MACHINE)

    def may(self, right: Right) -> bool:
        return any(right in RIGHTS[role] for role in self.roles)


def roles_of(by: str, groups: Iterable[str], given: Mapping[Role, tuple[str, ...]]) -> frozenset[Role]:
    """The roles that were given to this person by name, or to a `group:NAME` of theirs. `*` is everybody who is authenticated."""
    names = {by.casefold(), *(f"group:{group}" for group in groups), "*"}
    return frozenset(
        role
        for role, members in given.items()
        if any((item if item.startswith("group:") else item.casefold()) in names for item in members)
    )
