"""Every role in one process, over ports that a simulation hands in. Used by `evals.simulation`; nothing here draws, injects or checks.

The roles are the product's own: judge, executor, controller with both flows, doors and stop. Only what stands outside them is a twin.
"""

import base64
import hashlib
import json
import tempfile
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache, partial
from pathlib import Path
from typing import Any, NamedTuple

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer

from core.cluster.reading import Metrics
from core.domain.clock import Clock
from core.domain.finding import Severity
from core.domain.ledger import AuditRow, Ledger
from core.domain.proposal import Proposal
from core.domain.request import Request
from core.policy.arbitration import UNDOING_WITHIN, Arbitration, Surroundings, arbitrate, recent_from
from core.policy.engine import Engine, builtin
from core.policy.policies import ActionPolicy
from core.policy.redaction import redact
from gate import audit, heads, keys, stopping
from gate.door import LedgerDoor
from gate.executing.hands import Hands
from gate.executing.machine import execute_once, resume
from gate.judging.loop import judge_once
from gate.judging.sources import Bench
from graph import supervising
from graph.context import Consulting, RunContext
from graph.routes import Route
from registry.membership import Member
from runtime.declared import Declared
from runtime.flows import Flows, Following
from runtime.ids import Ids
from runtime.roles import deciding
from runtime.roles.controller import ROLE, Controller, Membership
from runtime.services.demonstrating import Decide
from tools.kubernetes import inprocess
from tools.kubernetes.inprocess import Answer, Answered, Asked
from tools.kubernetes.reader import HttpReader
from tools.kubernetes.writer import ImpersonatingWriter, PreviewWriter
from tools.stores import ledger as stores
from tools.stores import migrating
from tools.stores.memory import MemoryLedger
from tools.stores.opening import Database
from tools.stores.sink import Sink

__all__ = ["Answer", "Answered", "Asked"]
DOOR = "cli"
Step = Callable[[], Awaitable[int]]


class Keys(NamedTuple):
    """`public` and `door_public` are public keys of 32 bytes, for those who check permits and approvals on their own."""

    judge: keys.Signer
    door: keys.Signer
    stranger: keys.Signer
    executor: keys.Signer
    judges: keys.Verifier
    doors: keys.Verifier
    public: bytes
    door_public: bytes


@dataclass(frozen=True)
class Around:
    """What one process of a role is given: its own ways to the ledger, the cluster and the time."""

    ledger: Ledger
    answer: Answer
    clock: Clock
    metrics: Metrics | None
    ids: Ids
    declared: Declared


@cache
def held_keys() -> Keys:
    """The same keys in every simulation: signatures are then the same too. They open nothing outside it."""
    with tempfile.TemporaryDirectory(prefix="day2-simulated-") as name:
        folder = Path(name)
        names = (keys.JUDGE, f"{keys.DOOR}{DOOR}", "stranger", "executor")
        judge, door, stranger, executor = (keys.signer(_key_file(folder, name), name) for name in names)
    return Keys(judge, door, stranger, executor, judge.verifier, door.verifier, _public(keys.JUDGE), _public(f"{keys.DOOR}{DOOR}"))


def _public(role: str) -> bytes:
    return _private(role).public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)


def _private(role: str) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(hashlib.sha256(f"day2 simulation: {role}".encode()).digest())


def _key_file(folder: Path, role: str) -> Path:
    """The key in the form that the gate reads (RFC 8037)."""
    private = _private(role)
    parts = {
        "d": private.private_bytes(serialization.Encoding.Raw, serialization.PrivateFormat.Raw, serialization.NoEncryption()),
        "x": _public(role),
    }
    path = folder / f"{role}.json"
    path.touch(0o600)
    path.write_text(json.dumps({"kty": "OKP", "crv": "Ed25519", **{name: _text(part) for name, part in parts.items()}}))
    return folder


def _text(part: bytes) -> str:
    return base64.urlsafe_b64encode(part).rstrip(b"=").decode()


def judge(around: Around, rules: Engine, *, approval_time: timedelta) -> Step:
    """One pass of the judge's loop, as `runtime.roles.judge` puts it together."""
    client, own = inprocess.connect(around.answer), held_keys().judges

    async def step() -> int:
        bench = Bench(
            ledger=around.ledger,
            reader=HttpReader(client),
            previewer=PreviewWriter(client),
            metrics=around.metrics,
            clock=around.clock,
            key=held_keys().judge,
            doors={DOOR: held_keys().doors},
            rules=rules,
            ids=around.ids,
            objectives=around.declared.objectives,
            grants=around.declared.grants,
            prices=around.declared.prices,
            approval_time=approval_time,
            record_key=own,
        )
        return await judge_once(bench)

    return step


def executor(around: Around, *, settle_seconds: float) -> Step:
    """One pass of the executor's loop; the first one takes up what an executor before it left."""
    client, owner = inprocess.connect(around.answer), around.ids.new("executor")
    resumed = False

    async def step() -> int:
        nonlocal resumed
        hands = Hands(
            ledger=around.ledger,
            writer=ImpersonatingWriter(client),
            reader=HttpReader(client),
            metrics=around.metrics,
            clock=around.clock,
            judge=held_keys().judges,
            key=held_keys().executor,
            owner=owner,
            settle_seconds=settle_seconds,
        )
        if not resumed:
            await resume(hands)
            resumed = True
        return await execute_once(hands)

    return step


@dataclass(frozen=True)
class _Supervising:
    membership: Callable[[], Awaitable[Sequence[Member]]]

    async def choose(self, request: Request) -> Route:
        return supervising.choose(request, await self.membership())


class Checkpoints(InMemorySaver):
    """Checkpoints of both flows, as strict as those on disk. `touched` is told before each one is read or written."""

    def __init__(self) -> None:
        super().__init__(serde=JsonPlusSerializer(pickle_fallback=False, allowed_msgpack_modules=[]))

    def seen_by(self, touched: Callable[[str], None]) -> "Checkpoints":
        """The same store as another process has it: what it holds is shared, and so survives the process."""
        view = _Watched(touched)
        view.storage, view.writes, view.blobs = self.storage, self.writes, self.blobs
        return view

    def texts(self) -> list[bytes]:
        """Everything that is stored, to be searched for what must not be."""
        blobs = [bytes(value[1]) for value in self.blobs.values()]
        written = [bytes(item[2][1]) for group in self.writes.values() for item in group.values()]
        return blobs + written


class _Watched(Checkpoints):
    def __init__(self, touched: Callable[[str], None]) -> None:
        super().__init__()
        self._touched = touched

    async def aget_tuple(self, *args: Any, **kwargs: Any) -> Any:
        self._touched("get")
        return await super().aget_tuple(*args, **kwargs)

    async def aput(self, *args: Any, **kwargs: Any) -> Any:
        self._touched("put")
        found = await super().aput(*args, **kwargs)
        self._touched("put:done")
        return found

    async def aput_writes(self, *args: Any, **kwargs: Any) -> None:
        self._touched("writes")
        await super().aput_writes(*args, **kwargs)


def controller_of(
    around: Around,
    saver: Checkpoints,
    consulting: Consulting,
    members: Callable[[], Awaitable[Sequence[Member]]],
    *,
    poll_seconds: float,
    consult_seconds: float,
) -> Controller:
    """The controller with both flows, as `runtime.roles.controller` puts it together; agents and registry are handed in."""
    gate = LedgerDoor(around.ledger, around.clock, poll_seconds=poll_seconds)
    context = RunContext(
        clock=around.clock,
        supervising=_Supervising(members),
        consulting=consulting,
        gate=gate,
        objectives=around.declared.objectives,
        arbitrate=partial(_arbitrated, around),
        redact=redact,
        consult_seconds=consult_seconds,
    )
    flows = Flows(saver, run=context)
    none: Any = None  # a simulated controller's run and follow use neither registry nor snapshot reader
    book: Any = Anchors(ROLE)
    return Controller(
        around.clock, around.ledger, gate, flows, Following(flows), None, none, None, Membership(None, ()), around.declared, book
    )


class Anchors:
    """A head book without a file: the chains of the others are anchored in this role's, once a minute, and nobody signs."""

    def __init__(self, role: str) -> None:
        self._role = role
        self._last: datetime | None = None

    def keep(self, ledger: Ledger, now: datetime, *, at_once: bool = False) -> None:
        if at_once or self._last is None or now - self._last >= heads.EVERY:
            ledger.anchor(self._role, now)
            self._last = now


async def _arbitrated(around: Around, proposals: Sequence[Proposal], severity_of: Mapping[str, Severity]) -> Arbitration:
    """As `runtime.arbitrating`, in a world that has room for all: what is free is not simulated."""
    now = around.clock.now()
    recent = recent_from(around.ledger.search(since=now - UNDOING_WITHIN))
    return arbitrate(proposals, recent=recent, now=now, around=Surroundings(severity_of=severity_of))


def reader(answer: Answer) -> HttpReader:
    """A process's own reading of the cluster."""
    return HttpReader(inprocess.connect(answer))


def decide(around: Around) -> Decide:
    """A person at the command line's door."""
    return deciding.signed_with(held_keys().door, around.ledger, around.clock, name=DOOR)


def forge(around: Around) -> Decide:
    """Somebody who can write the ledger, but holds no door's key."""
    return deciding.signed_with(held_keys().stranger, around.ledger, around.clock, name=DOOR)


def stop(around: Around, *, scope: str, mode: str, by: str) -> None:
    stopping.stop(around.ledger, scope=scope, mode=mode, by=by, reason="simulated", at=around.clock.now())


def resume_writes(around: Around, *, scope: str, by: str) -> None:
    stopping.resume(around.ledger, scope=scope, by=by, reason="simulated", at=around.clock.now())


def cancel(around: Around, action_id: str, *, by: str) -> Awaitable[Any]:
    return LedgerDoor(around.ledger, around.clock).cancel(action_id, by=by, reason="simulated")


@cache
def rules(two_people_for: str = "") -> Engine:
    """The built-in rules, with one more where an organisation wants two people for a kind."""
    if not two_people_for:
        return builtin()
    two = ActionPolicy(
        name="two-people-here",
        why="A kind that this organisation never trusts to one person.",
        applies_to=(two_people_for,),
        decision="needs_approval",
        approvers=2,
        when="true",
        message="'two people decide about ' + action.kind + ' here'",
    )
    return Engine((*(rule.policy for rule in builtin().rules), two))


def memory_ledger() -> MemoryLedger:
    """The ledger's twin, which keeps the same contract; far cheaper than SQL."""
    return MemoryLedger()


def sql_ledger(folder: Path) -> stores.SqlLedger:
    """The SQL ledger with its second sink in a folder that `new_sql_folder` made, opened as a starting process opens it."""
    return stores.opened(f"sqlite:///{folder / 'ledger.db'}", folder / "audit.jsonl")


def sql_view(folder: Path) -> stores.SqlLedger:
    """The same ledger for who only watches: it goes on seeing the file while that is moved away."""
    return stores.SqlLedger(Database(f"sqlite:///{folder / 'ledger.db'}"))


def migrate(folder: Path) -> None:
    """Make an empty SQL ledger in a folder."""
    migrating.migrate(f"sqlite:///{folder / 'ledger.db'}")


def chain_of(ledger: MemoryLedger | stores.SqlLedger) -> list[AuditRow]:
    """Every record of the audit, oldest first."""
    return ledger.chain(1, 1_000_000)


def audit_problems(ledger: MemoryLedger | stores.SqlLedger, folder: Path | None, rows: list[AuditRow] | None = None) -> tuple[str, ...]:
    """What is wrong with the audit: of the ledger and its second sink, or of `rows` that somebody says it has. The use of `gate.audit`."""
    if rows is not None:
        return audit.verify(rows, origin=ledger.origin, head=ledger.head()).problems
    sink = Sink(folder / "audit.jsonl").rows() if folder else None
    return audit.verify_ledger(ledger, head=ledger.head(), sink=sink).problems
