"""What the doors offer: each service with the right it asks for, and the one place where that right is checked.

A door translates: it makes a `Caller` of whom it authenticated, a value of `takes` of what it was sent, and calls. It never asks who may.
`offers/table.py` has all rows. A test compares, for each role, what is listed with what can be called, through every door.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Generic, Protocol, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from core.cluster.looking import ClusterReader
from core.cluster.reading import Metrics
from core.domain.access import RIGHTS, Caller, Right
from core.domain.answers import Answers
from core.domain.chats import Chats
from core.domain.clock import Clock
from core.domain.errors import InvalidInput, NotAuthorised, Unavailable
from core.domain.intake import Intake
from core.domain.ledger import Ledger
from core.domain.sessions import Sessions
from core.domain.submitting import GateDoor
from core.domain.timetable import Timetable
from core.domain.tokens import Tokens
from core.domain.values import bounded
from core.policy.documents import Document
from core.policy.engine import Engine
from registry.membership import Member
from runtime.declared import Declared
from runtime.ids import Ids
from runtime.services.approving import Decide
from runtime.services.broadcasting import Events
from runtime.services.delivering import Deliveries
from runtime.services.intaking import Desk
from runtime.services.muting import MuteFolder
from runtime.services.planning import Plan
from runtime.services.remembering import History
from runtime.services.scanning import Scan
from runtime.services.trusting import Trust

Plain = dict[str, Any]


class Wanted(BaseModel):
    """Base of what a service is called with: closed, and lenient about JSON's types, as every door sends text."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Nothing(Wanted):
    """For services that take nothing."""


T = TypeVar("T", bound=Wanted)


class People(Protocol):
    """How many distinct people an action of this risk needs."""

    def __call__(self, risk: Any) -> int: ...


class Kept:
    """A few answers by what they were made of, each with the document that was made of it. The oldest goes first."""

    MOST = 16

    def __init__(self) -> None:
        self._rows: dict[Any, list[Any]] = {}

    def answer(self, key: Any, make: Callable[[], Any]) -> Any:
        if key not in self._rows:
            if len(self._rows) >= self.MOST:
                del self._rows[next(iter(self._rows))]
            self._rows[key] = [make(), None]
        return self._rows[key][0]

    def document(self, answer: Any, make: Callable[[], Plain]) -> Plain:
        """Made once for an answer that is kept; of another, made anew. Whoever gets it may add fields to its first level only."""
        row = next((row for row in self._rows.values() if row[0] is answer), None)
        if row is None:
            return make()
        row[1] = row[1] or make()
        return dict(row[1])


@dataclass(frozen=True)
class Beyond:
    """What is kept for machines beyond this one: their tokens, their answers under idempotency keys, the events that they follow,
    the desk where they hand in alerts, and the webhooks that tell them."""

    tokens: Tokens
    answers: Answers
    events: Events
    desk: Desk
    deliveries: Deliveries


@dataclass(frozen=True)
class Ports:
    """What the services work with, opened once by `runtime.roles.front`.

    `answer` gives what a finished run answered, from its checkpoint; `members` also tells whom it asked. `look` takes namespaces and agents
    (`plan` also findings), `trust` namespaces and a capability; `halt` takes scope, mode, who and why, `lift` scope, who and why.
    `chats` is what the chats remember; `sessions` None: nobody logs in here.
    """

    ledger: Ledger
    clock: Clock
    intake: Intake
    ids: Ids
    decide: Decide
    people_needed: People
    members: Callable[[], Awaitable[tuple[tuple[Member, ...], str]]]
    answer: Callable[[str], Awaitable[Plain]]
    declared: Declared
    mutes: MuteFolder
    gate: GateDoor
    reader: ClusterReader
    metrics: Metrics | None
    plan: Callable[[Sequence[str], Sequence[str], Sequence[str]], Awaitable[Plan]]
    look: Callable[[Sequence[str], Sequence[str]], Awaitable[tuple[Scan, Plain]]]
    rules: Callable[[], Engine]
    verify: Callable[[], Plain]
    trust: Callable[[Sequence[str], str], tuple[tuple[Trust, ...], str]]
    halt: Callable[[str, str, str, str], None]
    lift: Callable[[str, str, str], bool]
    timetable: Timetable
    schedules: Callable[[], Sequence[Document]]
    cards_per_hour: int = 20
    writes_per_run: int = 20
    chats: Chats | None = None
    machines: Beyond | None = None
    sessions: Sessions | None = None

    @property
    def beyond(self) -> Beyond:
        """Raises Unavailable where this process serves no machines."""
        if self.machines is None:
            raise Unavailable("what is kept for machines", 60.0, reason="this process serves none", mend="ask the console's process")
        return self.machines

    @cached_property
    def history(self) -> History:
        """The audit chains as far as this process has read them."""
        return History(self.ledger)

    @cached_property
    def kept(self) -> "Kept":
        """The last answers to long questions, as long as what they were made of did not change."""
        return Kept()


@dataclass(frozen=True)
class Offer(Generic[T]):
    """One service. `name` is `subject.verb`. `writes` says that it changes something here; none of them writes a cluster."""

    name: str
    right: Right
    says: str
    takes: type[T]
    do: Callable[[Ports, Caller, T], Awaitable[Any]]
    writes: bool = False


class Listing:
    """All rows by name, without ports: who may call what, and the check of it."""

    def __init__(self, rows: Iterable[Offer[Any]]) -> None:
        self._rows: Mapping[str, Offer[Any]] = {row.name: row for row in rows}

    def listed(self, caller: Caller) -> list[Offer[Any]]:
        """What this caller may call, by name."""
        return [row for _, row in sorted(self._rows.items()) if caller.may(row.right)]

    def all(self) -> list[Offer[Any]]:
        """By name, whoever may call them."""
        return [row for _, row in sorted(self._rows.items())]

    def named(self, name: str) -> Offer[Any]:
        """Raises InvalidInput."""
        found = self._rows.get(name)
        if found is None:
            raise InvalidInput(f"there is no service {bounded(name, 60)!r}", mend=f"one of: {', '.join(sorted(self._rows))}")
        return found

    def check(self, caller: Caller, name: str) -> None:
        """The check of `call`, for a door that must know before it asks a person more, or opens ports. Raises NotAuthorised."""
        row = self.named(name)
        check(caller, row.right, row.name)


class Offers(Listing):
    """All rows by name, over open ports."""

    def __init__(self, rows: Iterable[Offer[Any]], ports: Ports) -> None:
        super().__init__(rows)
        self.ports = ports

    async def call(self, caller: Caller, name: str, wanted: "Wanted | Mapping[str, Any] | None" = None) -> Any:
        """Raises NotAuthorised before anything is read; InvalidInput for arguments that cannot be; and what the service raises."""
        self.check(caller, name)
        row = self.named(name)
        return await row.do(self.ports, caller, taken(row, wanted))


def check(caller: Caller, right: Right, name: str) -> None:
    """The one permission check. Raises NotAuthorised, which names the roles that may."""
    if caller.may(right):
        return
    roles = [role.value for role, rights in RIGHTS.items() if right in rights]
    raise NotAuthorised(
        f"{bounded(caller.by, 80)} may not call {name}",
        right=right.value,
        mend=f"ask for one of the roles {', '.join(roles)}: {', '.join(f'access.{role}' for role in roles)}",
    )


def taken(row: Offer[T], wanted: "Wanted | Mapping[str, Any] | None") -> T:
    """Arguments as the service takes them. Raises InvalidInput with every field that does not fit."""
    if isinstance(wanted, row.takes):
        return wanted
    try:
        return row.takes.model_validate(dict(wanted or {}) if not isinstance(wanted, Wanted) else wanted.model_dump())
    except ValidationError as error:
        said = "; ".join(f"{'.'.join(str(part) for part in item['loc']) or 'arguments'}: {item['msg']}" for item in error.errors())
        fields = ", ".join(row.takes.model_fields) or "nothing"
        raise InvalidInput(bounded(f"{row.name}: {said}", 600), mend=f"it takes {fields}") from error
