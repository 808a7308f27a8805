"""One action from permit to verified, and one that misses and is taken back, by the real processes under the whole guard."""

import asyncio
import contextlib
import json
import sqlite3
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from core.actions.scale_workload import ScaleWorkload
from core.domain.approval import Approval
from core.domain.evidence import observe
from core.domain.ledger import ActionRow, Ledger
from core.domain.outcome import TERMINAL, ActionState
from core.domain.proposal import Effect, Proposal
from core.domain.target import Target
from gate import approvals, keys
from gate.audit import verify_ledger
from gate.door import LedgerDoor
from gate.executing.hands import ROLE as EXECUTOR
from runtime import serving
from runtime.roles import deciding, everything
from runtime.services import reconciling, server_log
from runtime.settings import FlowSettings, GateSettings, KubernetesSettings, PolicySettings, Settings, StoreSettings
from tests.cluster.guarded import GRANTS, Guarded, guarded
from tests.cluster.test_whole_runs import deploy
from tools.clocks import HttpClock
from tools.stores.admissions import SqlAdmissions

if TYPE_CHECKING:
    from tests.controlplane.rig import ControlPlane

PATIENCE_SECONDS = 300.0
pytestmark = pytest.mark.timeout(PATIENCE_SECONDS + 60)


class Clock:
    """The gate's clock: real time, and a test may jump ahead where all wait. The webhook keeps the real one."""

    def __init__(self) -> None:
        self.ahead = timedelta(0)
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                text = json.dumps({"now": outer.now().isoformat()}).encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  the signature is the base's
                return

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def now(self) -> datetime:
        return datetime.now(UTC) + self.ahead

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@pytest.fixture
def clock() -> Iterator[Clock]:
    found = Clock()
    yield found
    found.close()


@pytest.fixture(scope="module")
def guard(control_plane: "ControlPlane", tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guarded]:
    with guarded(control_plane, tmp_path_factory.mktemp("guarded-runs")) as found:
        yield found


def settings_of(guard: Guarded, clock: Clock, namespace: str, folder: Path) -> Settings:
    wanted = folder / "documents.yaml"
    spec = {"scope": {"namespaces": [namespace]}, "serves": "performance", "priority": 90, "autonomy": {"*": "auto"}}
    documents: list[dict[str, Any]] = [{"kind": "Objective", "metadata": {"name": "runs"}, "spec": spec}]
    for agent, kinds in GRANTS.items():
        documents.append({"kind": "Grant", "metadata": {"name": agent}, "spec": {"agent": agent, "capabilities": list(kinds)}})
    wanted.write_text(yaml.safe_dump_all({"apiVersion": "day2.dev/v1alpha1", **item} for item in documents))
    return Settings(
        profile="demo",
        clock=clock.url,
        kubernetes=KubernetesSettings(
            kubeconfig=guard.files["reader"], judge_kubeconfig=guard.files["judge"], executor_kubeconfig=guard.files["executor"]
        ),
        store=StoreSettings(data_dir=guard.folder),
        policy=PolicySettings(objectives=wanted),
        flow=FlowSettings(poll_seconds=0.05),
        gate=GateSettings(webhook_url=guard.url, webhook_ca_file=guard.ca),
    )


def proposed(guard: Guarded, path: str, namespace: str, now: datetime, action_id: str) -> Proposal:
    live = guard.plane.get(path)
    cluster = str(guard.plane.get("/api/v1/namespaces/kube-system")["metadata"]["uid"])
    target = Target(cluster=cluster, group="apps", kind="Deployment", namespace=namespace, name="web", uid=live["metadata"]["uid"])
    return Proposal(
        action=ScaleWorkload(id=action_id, target=target, from_replicas=2, to_replicas=3),
        agent="scaling",
        run="run-1",
        why="traffic grows",
        evidence=(observe("metric", target, "rate", "12", now),),
        effect=Effect(summary="enough copies"),
        expires_at=now + timedelta(hours=2),
    )


class Play:
    """The processes of one data folder around one action."""

    def __init__(self, settings: Settings, clock: Clock, ledger: Ledger, action_id: str) -> None:
        self.settings, self.clock, self.ledger, self.action_id = settings, clock, ledger, action_id
        self._decide = deciding.door(settings, ledger, HttpClock(clock.url), name="test")
        self._decided = False

    def row(self) -> ActionRow:
        found = self.ledger.get(self.action_id)
        assert found is not None
        return found

    async def until(self, *states: ActionState) -> ActionRow:
        """Approves where people are asked, and lets the gate's time pass where it waits to look."""
        end = asyncio.get_running_loop().time() + PATIENCE_SECONDS
        while (row := self.row()).state not in {*states, *TERMINAL}:
            assert asyncio.get_running_loop().time() < end, f"{row.state}: {row.note} {row.verdict}"
            if row.state is ActionState.NEEDS_APPROVAL and not self._decided:
                self._decide(self.action_id, by="approver@example.com", approve=True, reason="read the diff")
                self._decided = True
            if row.next_look_at and row.state is ActionState.APPLIED:
                self.clock.ahead += max(timedelta(0), row.next_look_at - self.clock.now())
            await asyncio.sleep(0.1)
        return row


async def play(guard: Guarded, clock: Clock, namespace: str, folder: Path, action_id: str, *, quota: int = 0) -> tuple[ActionRow, str]:
    """The action's end, and the path of its target. With a `quota` of pods, made between permit and write, it cannot come true."""
    path = await asyncio.to_thread(deploy, guard.plane, namespace)
    settings = settings_of(guard, clock, namespace, folder)
    proposal = await asyncio.to_thread(proposed, guard, path, namespace, clock.now(), action_id)
    with everything.ledger(settings) as ledger:
        async with serving.children() as family:
            await everything.start_role(family, "judge", settings)
            assert (await LedgerDoor(ledger, HttpClock(clock.url)).submit(proposal, by="operator@example.com")).action_id == action_id
            one = Play(settings, clock, ledger, action_id)
            row = await one.until(ActionState.PERMITTED)
            assert row.state is ActionState.PERMITTED, f"{row.note} {row.verdict}"
            if quota:
                body = {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "q"}, "spec": {"hard": {"pods": str(quota)}}}
                answer = await asyncio.to_thread(guard.plane.request, "POST", f"/api/v1/namespaces/{namespace}/resourcequotas", body)
                answer.raise_for_status()
            await everything.start_role(family, "executor", settings)
            row = await one.until()
            assert verify_ledger(ledger).whole
            assert_the_server_tells_the_same(guard, ledger, namespace, action_id)
            return row, path


def assert_the_server_tells_the_same(guard: Guarded, ledger: Ledger, namespace: str, action_id: str) -> None:
    """Its audit log and our chains, joined by permit: nothing unexplained, nothing missing, and it saw what we say was stored."""
    found = [event for event in server_log.events(guard.plane.layout.audit_log) if f"/namespaces/{namespace}/" in event.request_u_r_i]
    records = [row for row in ledger.chain(1, 10_000) if row.subject == action_id]
    told = reconciling.reconcile(found, records)
    assert told.problems == ()
    stored = sum(use.stored is True for use in reconciling.uses(records).values())
    assert (told.writes, told.matched, told.uncovered) == (stored, stored, 0)


async def test_an_action_is_applied_and_verified_under_the_guard(guard: Guarded, clock: Clock, namespace: str, tmp_path: Path) -> None:
    row, path = await play(guard, clock, namespace, tmp_path, "act-guarded1")
    assert row.state is ActionState.VERIFIED, row.note
    assert (await asyncio.to_thread(guard.plane.get, path))["status"]["readyReplicas"] == 3
    assert uses(guard, "act-guarded1", row) == ["forward"]


async def test_an_action_that_misses_is_taken_back_through_the_guard(guard: Guarded, clock: Clock, namespace: str, tmp_path: Path) -> None:
    row, path = await play(guard, clock, namespace, tmp_path, "act-guarded2", quota=2)
    assert row.state is ActionState.ROLLED_BACK, row.note
    assert (await asyncio.to_thread(guard.plane.get, path))["spec"]["replicas"] == 2
    assert uses(guard, "act-guarded2", row) == ["forward", "undo"]


# ------------------------------------------------------------------ people's answers, written by hand
@pytest.mark.bypass
async def test_answers_that_no_door_signed_do_not_count_whatever_the_row_says(
    guard: Guarded, clock: Clock, namespace: str, tmp_path: Path
) -> None:
    """Somebody writes approvals into the ledger, and that the action is approved; judge and executor run. Then a person does approve."""
    path = await asyncio.to_thread(deploy, guard.plane, namespace)
    settings = settings_of(guard, clock, namespace, tmp_path)
    proposal = await asyncio.to_thread(proposed, guard, path, namespace, clock.now(), "act-guarded4")
    with everything.ledger(settings) as ledger:
        async with serving.children() as family:
            one = Play(settings, clock, ledger, "act-guarded4")
            for role in ("judge", "executor"):
                await everything.start_role(family, role, settings)
            await LedgerDoor(ledger, HttpClock(clock.url)).submit(proposal, by="operator@example.com")
            await stands(one, ActionState.NEEDS_APPROVAL)
            for approval in forged(guard, one.row(), clock.now()):
                assert ledger.approve(approval)
            for _ in range(3):
                write_by_hand(guard, "UPDATE actions SET state = 'approved' WHERE action_id = 'act-guarded4'")
                await stands(one, ActionState.NEEDS_APPROVAL)
            assert (await asyncio.to_thread(guard.plane.get, path))["spec"]["replicas"] == 2
            assert (await one.until()).state is ActionState.VERIFIED


async def stands(one: Play, state: ActionState) -> None:
    """Raises AssertionError when it is permitted instead, or never comes to stand there."""
    end = asyncio.get_running_loop().time() + PATIENCE_SECONDS
    while (row := one.row()).state is not state:
        assert row.state in (ActionState.SUBMITTED, ActionState.APPROVED), f"{row.state}: {row.note}"
        assert asyncio.get_running_loop().time() < end, row.state
        await asyncio.sleep(0.05)


def forged(guard: Guarded, row: ActionRow, now: datetime) -> Iterator[Approval]:
    """Unsigned; by a key that is no door's; by a door, of another action; and by one who asked, in another spelling."""
    good = Approval(
        id="apr-forged0", action_id=row.action_id, action_digest=row.digest, decision="approved", by="boss@example.com", door="test",
        reason="x", at=now, expires_at=now + timedelta(hours=1),
    )  # fmt: skip
    folder = guard.folder / "keys"
    door, other = keys.signer(folder, f"{keys.DOOR}test"), keys.signer(folder, EXECUTOR)
    yield good
    yield approvals.sign(good.model_copy(update={"id": "apr-forged1", "by": "chief@example.com"}), other)
    elsewhere = approvals.sign(good.model_copy(update={"id": "apr-forged2", "by": "head@example.com", "action_id": "act-other"}), door)
    yield elsewhere.model_copy(update={"action_id": row.action_id})
    yield approvals.sign(good.model_copy(update={"id": "apr-forged3", "by": "OPERATOR@example.com"}), door)


def write_by_hand(guard: Guarded, statement: str) -> None:
    with contextlib.closing(sqlite3.connect(guard.folder / "ledger.db", timeout=10)) as connection, connection:
        connection.execute(statement)


def uses(guard: Guarded, action_id: str, row: ActionRow) -> list[str]:
    """What the webhook let through for the action's two permits."""
    from gate import permits

    book = SqlAdmissions(guard.ledger_url)
    try:
        tokens = [token for token in (row.permit, row.undo_permit) if token]
        found = [book.admitted("api", permits.read(token, guard.judge.verifier).jti) for token in tokens]
        return [item.use for item in found if item]
    finally:
        book.close()


async def test_without_the_guard_the_executor_writes_nothing_and_says_why(
    guard: Guarded, clock: Clock, namespace: str, tmp_path: Path
) -> None:
    guard.remove()
    try:
        row, path = await play(guard, clock, namespace, tmp_path, "act-guarded3")
        assert row.state is ActionState.FAILED
        assert "the guard is not in force: ValidatingAdmissionPolicy day2-guard is missing" in row.note
        assert (await asyncio.to_thread(guard.plane.get, path))["spec"]["replicas"] == 2
        with everything.ledger(settings_of(guard, clock, namespace, tmp_path)) as ledger:
            assert "guard.altered" in [entry.event for entry in ledger.chain()]
    finally:
        await asyncio.to_thread(guard.install)
