"""Rights of one account against what it used them for. Behind `day2 rbac narrow`; it reads and proposes, and changes no role."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import NamedTuple

from core.cluster.escalation import Identity
from core.cluster.narrowing import Narrowed, Use, narrowed
from core.cluster.snapshot import Snapshot
from core.domain.errors import InvalidInput
from core.domain.values import bounded
from runtime.services.server_log import COMPLETE, Event

ENOUGH = timedelta(days=30)
"""A log of less time misses what runs once a month; it is said, not refused."""
NEEDED = ("ClusterRole", "Role", "ClusterRoleBinding", "RoleBinding", "ServiceAccount", "Pod")
_ACCOUNT = "system:serviceaccount:"


class Observed(NamedTuple):
    """What a log shows of one account. `forbidden` counts requests that were refused to it: it asks for more than it has."""

    uses: frozenset[Use]
    requests: int
    forbidden: int
    first: datetime | None
    last: datetime | None

    @property
    def covered(self) -> timedelta:
        """From the first to the last event of the log, whoever's they are."""
        return self.last - self.first if self.first and self.last else timedelta()


class Proposed(NamedTuple):
    narrowed: Narrowed
    observed: Observed


def account(text: str) -> Identity:
    """`NAMESPACE/NAME` is a service account, anything else a user. Raises InvalidInput for an empty part."""
    namespace, slash, name = text.partition("/")
    if not text or (slash and not (namespace and name)):
        raise InvalidInput(f"{bounded(text, 80)!r} names no account", mend="NAMESPACE/SERVICEACCOUNT, or the name of a user")
    return Identity("ServiceAccount", namespace, name) if slash else Identity("User", "", text)


def observed(found: Iterable[Event], identity: Identity) -> Observed:
    """Requests on resources that the API server allowed; those of other paths (`/healthz`, `/openapi`) need no role of this kind."""
    name = f"{_ACCOUNT}{identity.namespace}:{identity.name}" if identity.kind == "ServiceAccount" else identity.name
    uses: set[Use] = set()
    requests = forbidden = 0
    first = last = None
    for event in found:
        at = event.request_received_timestamp
        first, last = min(first or at, at), max(last or at, at)
        if event.kind != "Event" or event.stage not in COMPLETE or event.acting.username != name or event.object_ref is None:
            continue
        requests += 1
        if event.code == 403:
            forbidden += 1
            continue
        seen = event.object_ref
        resource = f"{seen.resource}/{seen.subresource}" if seen.subresource else seen.resource
        uses.add(Use(event.verb, seen.api_group, resource, seen.namespace, "" if event.verb == "create" else seen.name))
    return Observed(frozenset(uses), requests, forbidden, first, last)


def proposed(snapshot: Snapshot, identity: Identity, seen: Observed) -> Proposed:
    """Raises InvalidInput where roles could not be read, where the account holds nothing, or where the log shows nothing of it."""
    if lost := [kind for kind in NEEDED if kind in snapshot.unread]:
        raise InvalidInput(f"{', '.join(lost)} could not be read: {bounded(snapshot.unread[lost[0]], 120)}", mend="day2 doctor")
    found = narrowed(snapshot, identity, seen.uses)
    if not found.bindings:
        raise InvalidInput(f"{identity} is bound to nothing by itself", mend="kubectl auth can-i --list shows what its groups give it")
    if not seen.requests:
        raise InvalidInput(
            f"the log shows no request of {identity}", mend="a longer log; an account that does nothing needs no role at all"
        )
    return Proposed(found, seen)
