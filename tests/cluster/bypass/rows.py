"""Rows that somebody with the ledger's file writes by hand, each a judged action with one thing changed; the executor's real process looks.

The judge's key lies here, so a row may carry permits that are truly signed. An untouched row is executed: that is the control.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from core.actions import roles, states
from core.domain.api_request import ApiRequest
from core.domain.check import Check, Expectation, Signal
from core.domain.ledger import ActionRow
from core.domain.outcome import ActionState
from core.domain.permit import Permit
from core.domain.target import Target
from core.domain.values import Json, canonical, digest
from gate import keys, permits
from gate.door import LedgerDoor
from gate.executing.hands import ROLE, SENT
from gate.executing.preflight import Expected
from graph.build import build_action
from graph.context import ActionContext
from runtime.roles.deciders import RoleSettings
from runtime.services.guarding import writes
from tests.cluster.bypass.attempts import JSON, until
from tests.cluster.bypass.victims import workload
from tests.cluster.guarded import GRANTS, ROOT
from tools import checkpoints
from tools.clocks import SystemClock
from tools.stores.ledger import opened

if TYPE_CHECKING:
    from tests.cluster.bypass.ground import Ground

AGENT = "scaling"
QUIET: Json = {"spec": {"minReadySeconds": 7}}
BACK: Json = {"spec": {"minReadySeconds": 0}}
S = ActionState
COLLECTION = "/apis/apps/v1/namespaces/{ns}/deployments"


class Judged(NamedTuple):
    """An action as judge and ledger would have it."""

    row: ActionRow
    forward: Permit
    undo: Permit
    old: Json
    new: Json

    @property
    def there(self) -> ApiRequest:
        return ApiRequest.model_validate_json(self.row.request)

    @property
    def back(self) -> ApiRequest:
        return ApiRequest.model_validate_json(self.row.undo_request)


def judged(ground: Ground, number: int, name: str = "") -> Judged:
    """A Deployment of its own, and the permitted row of a change to it."""
    name, action = name or f"row-{number}", f"act-bypass{number:04d}"
    there, back = ground.request(name, QUIET), ground.request(name, BACK)
    at, verdict = datetime.now(UTC), json.dumps({"action": action})
    told = {"action_id": action, "action_digest": digest(["bypass", number]), "verdict_digest": digest(verdict), "cluster": cluster(ground)}
    forward, old, new = ground.judged(there, **told)
    undo = ground.guard.undo(back, forward, old, new)
    target = Target(cluster=told["cluster"], group="apps", kind="Deployment", namespace=ground.namespace, name=name, uid=forward.uid)
    check = Check(target=target, expectations=(Expectation(signal=Signal.ROLLOUT_COMPLETE),), settle_seconds=0, watch_seconds=5, early=True)
    row = ActionRow(
        action_id=action, digest=told["action_digest"], intent_key=digest(action), run_id="run-bypass", agent=AGENT, kind="scale_workload",
        target_uid=forward.uid, namespace=ground.namespace, proposal="{}", state=S.PERMITTED, submitted_by="somebody", submitted_at=at,
        changed_at=at, expires_at=at + timedelta(hours=1), verdict=verdict,
        permit=ground.minted(forward), undo_permit=ground.minted(undo),
        request=canonical(there).decode(), undo_request=canonical(back).decode(), check=canonical(check).decode(), before="", note="",
        looks="", next_look_at=None, deadline=None, owner="", epoch=0,
    )  # fmt: skip
    return Judged(row, forward, undo, old, new)


def cluster(ground: Ground) -> str:
    return str(ground.plane.get("/api/v1/namespaces/kube-system")["metadata"]["uid"])


# ------------------------------------------------------------------ what is changed
def asked(**changes: Any) -> Callable[[Ground, Judged], Mapping[str, Any]]:
    """Another request under the same permit."""

    def tampered(ground: Ground, made: Judged) -> Mapping[str, Any]:
        told = {key: ground.filled(value) if isinstance(value, str) else value for key, value in changes.items()}
        return {"request": canonical(made.there.model_copy(update=told)).decode()}

    return tampered


def permitted(**claims: Any) -> Callable[[Ground, Judged], Mapping[str, Any]]:
    """A permit of the judge's own hand, with other claims."""
    return lambda ground, made: {"permit": ground.minted(made.forward.model_copy(update=claims))}


def undoable(**claims: Any) -> Callable[[Ground, Judged], Mapping[str, Any]]:
    """The same for the undo permit."""
    return lambda ground, made: {"undo_permit": ground.minted(made.undo.model_copy(update=claims))}


def way_back(**changes: Any) -> Callable[[Ground, Judged], Mapping[str, Any]]:
    return lambda ground, made: {"undo_request": canonical(made.back.model_copy(update=changes)).decode()}


def now() -> str:
    return datetime.now(UTC).isoformat(timespec="microseconds")


def by(role: str) -> Callable[[Ground, Judged], Mapping[str, Any]]:
    return lambda ground, made: {"permit": permits.mint(made.forward, keys.signer(ground.guard.folder / "keys", role))}


def sealed(ground: Ground, made: Judged, kept: Json) -> str:
    """By the executor's own key, as if that were taken as well: what the others still hold is seen behind it."""
    key = keys.signer(ground.guard.folder / "keys", ROLE)
    return canonical({**kept, "seal": key.sign({"sent": digest([made.row.digest, kept])}, typ=SENT)}).decode()


def in_state(state: ActionState, *, seal: bool = True, **columns: Any) -> Callable[[Ground, Judged], Mapping[str, Any]]:
    """As if the executor had come this far: with what it would have kept of a write that never was. Its permit has run out, or the
    executor would wait for it to."""

    def tampered(ground: Ground, made: Judged) -> Mapping[str, Any]:
        kept = {"at": datetime.now(UTC).isoformat(), "before": states.desired(made.old), "after": states.desired(made.new)}
        text = sealed(ground, made, kept) if seal else canonical(kept).decode()
        late = made.forward.model_copy(update={"iat": made.forward.iat - 200, "exp": made.forward.iat - 80})
        past = datetime.now(UTC) - timedelta(minutes=5)
        return {"state": state, "before": text, "changed_at": past, "permit": ground.minted(late), **columns}

    return tampered


def reversed_in_state(state: ActionState) -> Callable[[Ground, Judged], Mapping[str, Any]]:
    """As if QUIET stood before and what stands now were ours: then the way back is the write that nobody judged."""

    def tampered(ground: Ground, made: Judged) -> Mapping[str, Any]:
        kept = {"at": datetime.now(UTC).isoformat(), "before": states.desired(made.new), "after": states.desired(made.old)}
        inverse = states.inverse_hash(made.new, made.old)
        undo = made.undo.model_copy(update={"request": made.there.digest(), "line": made.there.line, "inverse": inverse})
        check = Check.model_validate_json(made.row.check)
        missing = check.model_copy(update={"expectations": (Expectation(signal=Signal.PODS_READY, bound=5),)})
        return {
            "state": state, "before": sealed(ground, made, kept), "changed_at": datetime.now(UTC) - timedelta(minutes=5),
            "request": made.row.undo_request, "undo_request": made.row.request, "undo_permit": ground.minted(undo),
            "deadline": datetime.now(UTC) - timedelta(seconds=1), "check": canonical(missing).decode(),
        }  # fmt: skip

    return tampered


def spent_in_the_ledger(ground: Ground, made: Judged) -> Mapping[str, Any]:
    execute(ground, "INSERT INTO permits (jti, action_id, at) VALUES (?, 'act-other', ?)", made.forward.jti, now())
    return {}


def forged_and_spent(ground: Ground, made: Judged) -> Mapping[str, Any]:
    """The undo of a write that never was, with a row that says its forward was spent: the webhook has a record of its own."""
    execute(
        ground,
        "INSERT INTO permits (jti, action_id, at) VALUES (?, ?, ?)",
        made.forward.jti,
        made.row.action_id,
        datetime.now(UTC).isoformat(),
    )
    return reversed_in_state(S.UNDOING)(ground, made)


def approved_by_hand(ground: Ground, made: Judged) -> Mapping[str, Any]:
    """Waits for people, and somebody wrote their answer."""
    execute(
        ground, 'INSERT INTO approvals (id, action_id, action_digest, "by", approval, at) VALUES (?, ?, ?, ?, ?, ?)',
        "approval-bypass", made.row.action_id, made.row.digest, "boss@example.com", '{"decision": "approved"}', now(),
    )  # fmt: skip
    return {"state": S.APPROVED, "permit": "", "undo_permit": ""}


def waiting(ground: Ground, made: Judged) -> Mapping[str, Any]:
    return {"state": S.NEEDS_APPROVAL, "permit": "", "undo_permit": "", "verdict": ""}


async def forge(ground: Ground, action: str, as_node: str) -> None:
    """The action's own flow, brought to where people are asked; then its checkpoint says that they agreed, and it goes on."""
    thread: Any = {"configurable": {"thread_id": action}}
    with contextlib.closing(opened(ground.guard.ledger_url, None)) as ledger:
        context = ActionContext(gate=LedgerDoor(ledger, SystemClock()))
        async with checkpoints.opened(ground.folder / "checkpoints.db") as saver:
            flow = build_action().compile(checkpointer=saver)
            await flow.ainvoke({"action_id": action}, thread, context=context, durability="sync")
            told = {"action_id": action, "standing": "permitted", "answer": {"action_id": action, "state": "approved"}}
            await flow.aupdate_state(thread, told, as_node=as_node)
            with contextlib.suppress(TimeoutError):  # it may follow the ledger for as long as that says nothing new
                async with asyncio.timeout(0.3):
                    await flow.ainvoke(None, thread, context=context, durability="sync")


UNSIGNED = (S.SENDING, S.UNKNOWN, S.APPLIED, S.UNDOING)
"""States behind the executor's signature: without it they are nobody's."""


def when_claimed(column: str, value: Callable[[Ground, Judged], str]) -> Callable[[Ground, Judged], Mapping[str, Any]]:
    """A trigger in the database: it waits until the executor has claimed the row, and changes it before it is looked at."""

    def tampered(ground: Ground, made: Judged) -> Mapping[str, Any]:
        action, text = made.row.action_id, value(ground, made).replace("'", "''")
        execute(
            ground,
            f"CREATE TRIGGER \"{action}\" AFTER UPDATE OF state ON actions WHEN NEW.action_id = '{action}' AND NEW.state = 'claimed' "
            f"BEGIN UPDATE actions SET {column} = '{text}' WHERE action_id = '{action}'; END",
        )
        return {}

    return tampered


def _another_value(ground: Ground, made: Judged) -> str:
    return canonical(made.there.model_copy(update={"body": {"spec": {"minReadySeconds": 8}}})).decode()


SECRET = {"group": "", "resource": "secrets", "name": "web", "body": {"stringData": {"a": "9"}}}
BINDING = {"group": "rbac.authorization.k8s.io", "resource": "clusterrolebindings", "namespace": "", "name": "bypass-binding"}
ROWS: dict[str, Callable[[Ground, Judged], Mapping[str, Any]]] = {
    "no permit": lambda ground, made: {"permit": ""},
    "a permit that nobody signed": lambda ground, made: {"permit": "e30.e30.e30"},
    "an unsigned permit": lambda ground, made: {"permit": ".".join([*made.row.permit.split(".")[:2], "AA"])},
    "a permit by the executor's key": by("executor"),
    "a permit by a door's key": by("door-bypass"),
    "the undo permit as permit": lambda ground, made: {"permit": made.row.undo_permit},
    "the permit as undo permit": lambda ground, made: {"undo_permit": made.row.permit},
    "no undo permit": lambda ground, made: {"undo_permit": ""},
    "an undo permit for something else": undoable(inverse="0" * 64),
    "a permit for another action": permitted(action_id="act-another"),
    "a permit for another digest": permitted(action_digest="0" * 64),
    "a permit for another cluster": permitted(cluster="00000000-0000-0000-0000-000000000000"),
    "a permit for another request": permitted(request="0" * 64),
    "a permit for another state": permitted(post="0" * 64),
    "a permit for another generation": permitted(generation=7),
    "a permit of another agent": permitted(agent="finops"),
    "a permit that lives for ever": permitted(exp=4_102_444_800),
    "a permit that ran out": permitted(iat=1_600_000_000, exp=1_600_000_100),
    "a permit of tomorrow": permitted(iat=4_102_444_700, exp=4_102_444_800),
    "a permit that was spent": spent_in_the_ledger,
    "another value": asked(body={"spec": {"minReadySeconds": 8}}),
    "another object": asked(name="other"),
    "another namespace": asked(namespace="kube-system"),
    "a secret": asked(**SECRET),
    "a binding": asked(**BINDING),
    "a scale": asked(subresource="scale", body={"spec": {"replicas": 9}}),
    "a deletion": asked(verb="delete", content_type=JSON, body={"apiVersion": "v1", "kind": "DeleteOptions"}),
    "a path that climbs": asked(name="../../../../api/v1/namespaces/{ns}/secrets/web"),
    "no request": lambda ground, made: {"request": "{}"},
    "no JSON": lambda ground, made: {"request": "rm -rf"},
    "another agent": lambda ground, made: {"agent": "finops"},
    "an agent with a tail": lambda ground, made: {"agent": "scaling\r\nImpersonate-Group: system:masters"},
    "another target": lambda ground, made: {"target_uid": "00000000-0000-0000-0000-000000000000"},
    "another verdict": lambda ground, made: {"verdict": '{"decision": "allow"}'},
    "another way back": way_back(body={"spec": {"minReadySeconds": 99}}),
    "approved by hand": approved_by_hand,
    "claimed by hand": in_state(S.CLAIMED, owner="executor-gone", epoch=1),
    "sending by hand": in_state(S.SENDING, owner="executor-gone", epoch=1),
    "unknown by hand": in_state(S.UNKNOWN),
    "undoing by hand": in_state(S.UNDOING),
    "another request behind the claim": when_claimed("request", _another_value),
    "another agent behind the claim": when_claimed("agent", lambda ground, made: "finops"),
    "another permit behind the claim": when_claimed("permit", lambda ground, made: made.row.undo_permit),
    "another way back behind the claim": when_claimed("undo_request", _another_value),
    "another target behind the claim": when_claimed("target_uid", lambda ground, made: "0"),
    "an older epoch behind the claim": when_claimed("epoch", lambda ground, made: "0"),
    "ended behind the claim": when_claimed("state", lambda ground, made: "expired"),
    **{f"{state.value} by hand, unsigned": in_state(state, seal=False) for state in UNSIGNED},
    "missed by hand": reversed_in_state(S.APPLIED),
    "undoing what never was": reversed_in_state(S.UNDOING),
    "undoing what never was, marked spent": forged_and_spent,
}  # fmt: skip
FLOWS = {f"a checkpoint forged as {node}": node for node in ("judge", "approve", "execute", "observe")}
"""By name: the node of the action's flow that is said to have been passed."""
ROWS |= dict.fromkeys(FLOWS, waiting)
SKEWED: dict[str, Callable[[Ground, Judged], Mapping[str, Any]]] = {
    "an old permit, by a slow clock": lambda ground, made: {
        "permit": ground.minted(made.forward.model_copy(update={"iat": made.forward.iat - 3600, "exp": made.forward.iat - 3500})),
        "undo_permit": ground.minted(made.undo.model_copy(update={"iat": made.forward.iat - 3600, "exp": made.forward.iat - 3000})),
    },
}
"""For an executor whose clock is an hour behind: it takes them for good, and the webhook has a clock of its own."""


# ------------------------------------------------------------------ the executor
class Seen(NamedTuple):
    """What became of the rows, by name: state and note; the store's keys that moved; and the control's key."""

    ends: dict[str, tuple[str, str]]
    moved: list[str]


def looked_at(ground: Ground, changes: Mapping[str, Callable[[Ground, Judged], Mapping[str, Any]]], *, first: int, clock: str) -> Seen:
    """Write the rows, let the executor's process look at all of them, and say what became of each. An empty change is the control."""
    names = list(changes)
    for number in range(first, first + len(names)):
        ground.admin("POST", COLLECTION, workload("Deployment", f"row-{number}", replicas=0), JSON)
    ground.mark()
    made = {name: judged(ground, first + place) for place, name in enumerate(names)}
    for name in names:
        row = made[name].row
        insert(ground, row._replace(**changes[name](ground, made[name])))
    for name in FLOWS.keys() & made.keys():
        asyncio.run(forge(ground, made[name].row.action_id, FLOWS[name]))
    with executor(ground, clock):
        until(lambda: not _open(ground, made), lambda: f"the executor has not done with {_open(ground, made)}", seconds=60)
    found = {name: _end(ground, made[name].row.action_id) for name in names}
    return Seen(found, ground.moved())


@contextlib.contextmanager
def executor(ground: Ground, clock: str) -> Iterator[None]:
    """The process of `day2 serve`, over the webhook's ledger, under the guard of this mode."""
    documents = ground.guard.documents() if ground.mode == "api" else roles.manifests(GRANTS)
    settings = RoleSettings(
        data_dir=ground.guard.folder, ledger_url=ground.guard.ledger_url, kubeconfig=ground.guard.files["executor"], clock=clock,
        poll_seconds=0.05, settle_seconds=0, guard=Expected(constrained=documents, legacy=(), writes=writes()),
    )  # fmt: skip
    path = ground.folder / "executor.settings.json"
    path.write_text(settings.model_dump_json())
    with Path(ground.folder / "executor.log").open("ab") as log:
        line = [sys.executable, "-m", "runtime.roles.executor", "--settings", str(path)]
        process = subprocess.Popen(line, stdout=subprocess.PIPE, stderr=log, cwd=ROOT)
        assert process.stdout is not None
        try:
            assert process.stdout.readline(), (ground.folder / "executor.log").read_text()
            yield
            assert process.poll() is None, (ground.folder / "executor.log").read_text()
        finally:
            process.terminate()
            process.wait(90)
            process.stdout.close()


def insert(ground: Ground, row: ActionRow) -> None:
    values = [value.isoformat(timespec="microseconds") if isinstance(value, datetime) else value for value in row]
    names, marks = ", ".join(f'"{name}"' for name in ActionRow._fields), ", ".join("?" for _ in values)
    execute(ground, f"INSERT INTO actions ({names}) VALUES ({marks})", *values)


@contextlib.contextmanager
def alone(ground: Ground) -> Iterator[None]:
    """Nobody else is within a transaction of the ledger."""
    with contextlib.closing(sqlite3.connect(ground.guard.folder / "ledger.db", timeout=10, isolation_level=None)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        yield
        connection.execute("ROLLBACK")


def execute(ground: Ground, statement: str, *values: Any) -> None:
    with contextlib.closing(sqlite3.connect(ground.guard.folder / "ledger.db", timeout=10)) as connection, connection:
        connection.execute(statement, values)


def _end(ground: Ground, action: str) -> tuple[str, str]:
    with contextlib.closing(sqlite3.connect(ground.guard.folder / "ledger.db", timeout=10)) as connection:
        return tuple(connection.execute("SELECT state, note FROM actions WHERE action_id = ?", (action,)).fetchone())


def _open(ground: Ground, made: Mapping[str, Judged]) -> list[str]:
    busy = {S.PERMITTED, S.CLAIMED, S.SENDING, S.UNKNOWN, S.APPLIED, S.UNDOING}
    return [name for name, each in made.items() if _end(ground, each.row.action_id)[0] in busy]
