"""Before a write: is the guard in the API server whole, and are we as weak as we should be? Called by the machine; raises Refused if not.

Three looks. The installed documents are compared with those that this version generates; the executor asks what it may do itself; and the
lock is tried with a forged permit, on the very request that is about to be made, as a dry run that must be refused. What is found altered
goes into the audit chain and to whoever takes alerts, once until it changes.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Protocol

from core.actions import states
from core.cluster.kinds import GUARD_KINDS, Kind
from core.domain.api_request import ApiRequest, Right
from core.domain.clock import Clock
from core.domain.errors import NotAuthorised, Refused
from core.domain.ledger import Ledger
from core.domain.values import Json, Value, bounded
from core.domain.writing import ClusterWriter

OLDEST_MINOR, CONSTRAINED_MINOR = 30, 36
"""Kubernetes 1.30 has ValidatingAdmissionPolicy v1; 1.36 limits impersonation to requests (KEP-5284)."""
AGAIN = timedelta(seconds=10)
FORGED = "e30.e30.e30"
MEND = "day2 doctor; day2 rbac generate and day2 gate manifests print what people install: docs/gate.md"
NEVER = (
    Right(verb="impersonate", resource="users"),
    Right(verb="impersonate", resource="groups"),
    Right(verb="impersonate", resource="serviceaccounts"),
    Right(verb="impersonate:user-info", group="authentication.k8s.io", resource="users"),
    Right(verb="get", resource="secrets"),
    Right(verb="create", resource="pods", subresource="exec"),
    Right(verb="create", resource="serviceaccounts", subresource="token"),
    Right(verb="create", group="rbac.authorization.k8s.io", resource="clusterrolebindings"),
    Right(verb="delete", group="admissionregistration.k8s.io", resource="validatingadmissionpolicies"),
)
"""Without a name each means all of them; the generated roles give only named ones."""
log = logging.getLogger(__name__)


class Expected(Value):
    """What people installed, as this version generates it: for servers that limit impersonation to requests, and for older ones.

    `writes` are the rights of the catalogue that nobody of ours holds but the agents' users.
    """

    constrained: tuple[Json, ...]
    legacy: tuple[Json, ...]
    writes: tuple[Right, ...]


class Inspector(Protocol):
    """What the preflight reads, as the executor itself. Raises Unavailable, NotAuthenticated or NotAuthorised."""

    async def get(self, kind: Kind, namespace: str, name: str) -> Json | None: ...

    async def may(self, right: Right, *, namespace: str = "", name: str = "") -> bool:
        """SelfSubjectAccessReview."""

    async def minor(self) -> int:
        """The Kubernetes version 1.N of the server."""


async def unguarded(_request: ApiRequest, _agent: str) -> None:
    """For clusters without admission: the simulator, or where people switched the guard off."""


@dataclass
class Preflight:
    """Holds what was found last. `alert` is told of it once, beside the audit chain."""

    inspector: Inspector
    writer: ClusterWriter
    ledger: Ledger
    clock: Clock
    expected: Expected
    alert: Callable[[str], None] = log.error
    _whole_until: datetime | None = field(default=None, init=False)
    _said: str = field(default="", init=False)

    async def __call__(self, request: ApiRequest, agent: str) -> None:
        """Raises Refused naming what differs, and then nothing may be written."""
        now = self.clock.now()
        if self._whole_until is None or now >= self._whole_until:
            self._whole_until = None
            self._report("; ".join((await problems(self.inspector, self.expected))[:5]))
            self._whole_until = now + AGAIN
        if await self.inspector.may(request.right, namespace=request.namespace, name=request.name):
            self._report(f"the executor itself may {request.right}")
        await self._try_the_lock(request, agent)

    async def _try_the_lock(self, request: ApiRequest, agent: str) -> None:
        try:
            await self.writer.send(request, agent=agent, permit=FORGED, dry_run=True)
        except NotAuthorised as error:
            if "day2 permit: " in str(error) or "day2: " in str(error):
                return
            raise
        self._report("the API server takes a write with a forged permit")

    def _report(self, found: str) -> None:
        """On record when it changes. Raises Refused while something is found."""
        found = bounded(found, 400)
        if found != self._said:
            event = "guard.altered" if found else "guard.restored"
            self.ledger.record(role="executor", event=event, subject="guard", body={"found": found}, at=self.clock.now())
            self._said = found
            if found:
                self.alert(f"the guard is not in force: {found}")
        if found:
            self._whole_until = None
            raise Refused((f"the guard is not in force: {found}",), mend=MEND)


async def problems(inspector: Inspector, expected: Expected) -> list[str]:
    """Everything that is not as it should be, each as a phrase."""
    held = [f"the executor itself may {right}" for right in (*expected.writes, *NEVER) if await inspector.may(right)]
    return [*await altered(inspector, expected), *held]


async def altered(inspector: Inspector, expected: Expected) -> list[str]:
    """What differs from the documents of this version."""
    minor = await inspector.minor()
    if minor < OLDEST_MINOR:
        return [f"Kubernetes 1.{minor} is older than 1.{OLDEST_MINOR}"]
    found = []
    for document in expected.legacy if minor < CONSTRAINED_MINOR else expected.constrained:
        if kind := GUARD_KINDS.get(document["kind"]):
            meta = document["metadata"]
            live = await inspector.get(kind, meta.get("namespace", ""), meta["name"])
            if difference := differs(document, live):
                found.append(f"{kind.name} {meta['name']} {difference}")
    return found


def differs(wanted: Json, live: Json | None) -> str:
    """How an installed document differs from the generated one; empty where it does not. Its status and labels do not count."""
    if live is None:
        return "is missing"
    if (live.get("metadata") or {}).get("deletionTimestamp"):
        return "is being deleted"
    changes = states.delta(_essence(wanted), _essence(live))
    return f"differs in {', '.join(bounded(leaf.path or 'all', 60) for leaf in changes[:3])}" if changes else ""


def _essence(document: Json) -> Any:
    """All that takes effect. What is empty is the same as what is absent."""
    return _full({key: value for key, value in document.items() if key not in ("apiVersion", "kind", "metadata", "status")})


def _full(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: item for key, item in ((key, _full(item)) for key, item in value.items()) if item not in ({}, [], "", None)}
    return [_full(item) for item in value] if isinstance(value, list) else value
