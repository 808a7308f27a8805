"""Who sits at the command line: the user whom the cluster authenticates, at the account that the kernel knows.

Beside `runtime.roles.console`, which signs and keeps what they decide.
"""

import os
import pwd
from dataclasses import replace
from typing import NamedTuple

from core.domain import people
from core.domain.access import Caller, Role, roles_of
from core.domain.errors import InvalidInput, Refused, Unavailable
from runtime.settings import AccessSettings, Settings

PATIENCE_SECONDS = 5.0


class Known(NamedTuple):
    """`by` as `core.domain.people` writes it; `why_local` says why no API server was asked, empty where one answered."""

    by: str
    groups: tuple[str, ...] = ()
    why_local: str = ""


def account() -> str:
    """Who types: the user that the kernel knows. Variables such as USER are anybody's to set, so they are not asked."""
    try:
        return f"{people.LOCAL}{pwd.getpwuid(os.geteuid()).pw_name}"
    except KeyError:
        return f"{people.LOCAL}uid-{os.geteuid()}"


async def person(settings: Settings) -> Known:
    """Asked with the person's own kubeconfig, never with the reader's, and never as somebody else.

    Raises NotAuthenticated for credentials that the cluster refuses, NotAuthorised where they may not read which cluster it is, and
    InvalidInput for a kubeconfig that was named and cannot be used.
    """
    from tools.kubernetes import config, identity, reader, transport

    wanted = settings.kubernetes
    try:
        connection = config.load(wanted.kubeconfig, wanted.context, server=wanted.server)
    except InvalidInput as error:
        if wanted.kubeconfig or wanted.context or wanted.server:
            raise
        return Known(account(), why_local=str(error))
    try:
        async with transport.connect(replace(connection, request_seconds=PATIENCE_SECONDS)) as client:
            found = await identity.whoami(client)
            cluster = await reader.HttpReader(client).cluster_uid()
    except Unavailable as error:
        return Known(account(), why_local=str(error))
    by = people.written(cluster, found.user, account())
    if len(by) > people.LONGEST:
        raise InvalidInput(f"the user name {found.user[:40]}... is too long to be kept whole", mend="use credentials with a shorter name")
    return Known(by, found.groups)


async def decider(settings: Settings) -> Known:
    """Who decides. Raises Refused where somebody else's name was asked for."""
    if settings.kubernetes.as_user:
        raise Refused(("a decision is made under one's own name, not --as another's",), mend="leave --as away")
    return await person(settings)


def given(access: AccessSettings) -> dict[Role, tuple[str, ...]]:
    """The roles as the settings give them. Where they give none, this machine's account has `access.local`, and nobody else has any."""
    found = {role: tuple(getattr(access, role.value)) for role in Role}
    return found if any(found.values()) else {role: (account(),) for role in _local(access)}


def _local(access: AccessSettings) -> frozenset[Role]:
    return frozenset() if access.local == "none" else frozenset({Role(access.local)})


def local(settings: Settings, door: str, known: Known | None = None) -> Caller:
    """Whoever types here, or starts a program here: with what their account was given, and what the cluster's name of them was given.

    `access.local` speaks for an account that no list names: whoever owns the data folder is not locked out by lists of others.
    """
    me, lists = account(), given(settings.access)
    named = any(me.casefold() in (name.casefold() for name in names) for names in lists.values())
    mine = roles_of(me, (), lists) | (frozenset() if named else _local(settings.access))
    if known is None:
        return Caller(me, mine, door)
    return Caller(known.by, mine | roles_of(known.by, known.groups, lists), door, known.groups)


async def caller(settings: Settings, door: str) -> Caller:
    """The same, by the name that the cluster knows them by. Raises as `person` does."""
    return local(settings, door, await person(settings))
