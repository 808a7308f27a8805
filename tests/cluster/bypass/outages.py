"""A good permit while something of ours is down, stopped, stolen or replaced: then nothing is written, and afterwards it goes on."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import sqlite3
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from core.actions import admission
from core.domain.values import Json
from gate import keys
from tests.cluster.bypass.attempts import Attempt, playing, until
from tests.cluster.bypass.claims import QUIET, USER, _put_back, web

if TYPE_CHECKING:
    import httpx

    from tests.cluster.bypass.ground import Ground

WEBHOOK = frozenset({"webhook"})


def during(outage: Callable[[Ground], contextlib.AbstractContextManager[None]]) -> Callable[[Ground], httpx.Response]:
    """Judged before, sent while it lasts."""

    def act(ground: Ground) -> httpx.Response:
        permit, _, _ = ground.judged(web(ground))
        token = ground.minted(permit)
        with outage(ground):
            answer = ground.sent(web(ground), USER, token)
        until(lambda: ground.sent(web(ground), USER, token, dry_run=True).is_success, lambda: f"going on after {outage.__name__}")
        return answer

    act.__name__ = outage.__name__
    return act


@contextlib.contextmanager
def webhook_dead(ground: Ground) -> Iterator[None]:
    ground.guard.webhook.stop()
    try:
        yield
    finally:
        ground.guard.webhook.start()


@contextlib.contextmanager
def webhook_hangs(ground: Ground) -> Iterator[None]:
    """Stopped in the middle: the API server gives up after its three seconds."""
    process = ground.guard.webhook.process
    assert process is not None
    os.kill(process.pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(process.pid, signal.SIGCONT)


@contextlib.contextmanager
def judge_gone(ground: Ground) -> Iterator[None]:
    """With its key: nobody can say any more what it signed."""
    path = ground.guard.folder / "keys" / "judge.pub.json"
    with _aside(path):
        yield


@contextlib.contextmanager
def judge_replaced(ground: Ground) -> Iterator[None]:
    """Another judge's key stands in its place."""
    path = ground.guard.folder / "keys" / "judge.pub.json"
    other = ground.folder / "other-keys"
    keys.signer(other, keys.JUDGE)
    with _aside(path):
        shutil.copy(other / "judge.pub.json", path)
        path.chmod(0o600)
        yield


@contextlib.contextmanager
def judge_key_open_to_all(ground: Ground) -> Iterator[None]:
    """Whoever may write that file may be the judge: a file that others may write is no key."""
    path = ground.guard.folder / "keys" / "judge.pub.json"
    path.chmod(0o666)
    try:
        yield
    finally:
        path.chmod(0o600)


@contextlib.contextmanager
def ledger_gone(ground: Ground) -> Iterator[None]:
    with _aside(ground.guard.folder / "ledger.db"):
        yield


@contextlib.contextmanager
def ledger_replaced(ground: Ground) -> Iterator[None]:
    """By a copy of itself, which knows no stop and no use of a permit that comes after."""
    path = ground.guard.folder / "ledger.db"
    with _aside(path) as kept:
        shutil.copy(kept, path)
        yield


@contextlib.contextmanager
def ledger_locked(ground: Ground) -> Iterator[None]:
    """By somebody who never ends a transaction."""
    with contextlib.closing(sqlite3.connect(ground.guard.folder / "ledger.db", isolation_level=None)) as connection:
        connection.execute("BEGIN EXCLUSIVE")
        yield


@contextlib.contextmanager
def ledger_without_stops(ground: Ground) -> Iterator[None]:
    with _sql(ground, "ALTER TABLE stops RENAME TO stopped", "ALTER TABLE stopped RENAME TO stops"):
        yield


@contextlib.contextmanager
def ledger_without_memory(ground: Ground) -> Iterator[None]:
    """The table of used permits is gone."""
    with _sql(ground, "ALTER TABLE admissions RENAME TO admitted", "ALTER TABLE admitted RENAME TO admissions"):
        yield


@contextlib.contextmanager
def stopped_for_all(ground: Ground) -> Iterator[None]:
    with _stop(ground, "all", "all"):
        yield


@contextlib.contextmanager
def stopped_forward(ground: Ground) -> Iterator[None]:
    with _stop(ground, "all", "forward"):
        yield


@contextlib.contextmanager
def stopped_for_the_agent(ground: Ground) -> Iterator[None]:
    with _stop(ground, "agent=scaling", "all"):
        yield


@contextlib.contextmanager
def stopped_for_the_namespace(ground: Ground) -> Iterator[None]:
    with _stop(ground, f"namespace={ground.namespace}", "all"):
        yield


def stopped_by_annotation(ground: Ground) -> httpx.Response:
    """Without any process of ours."""
    request = web(ground)
    permit, _, _ = ground.judged(request)
    token, space = ground.minted(permit), "/api/v1/namespaces/{ns}"
    ground.admin("PATCH", space, {"metadata": {"annotations": {admission.STOP: "all"}}})
    try:
        until(lambda: ground.sent(request, USER, token, dry_run=True).status_code == 403, lambda: "the annotation seen")
        ground.mark()
        return ground.sent(request, USER, token)
    finally:
        ground.rest(lambda: ground.admin("PATCH", space, {"metadata": {"annotations": {admission.STOP: None}}}))
        until(lambda: ground.sent(request, USER, token, dry_run=True).is_success, lambda: "the annotation gone")


def stop_lifted_by_an_agent(ground: Ground) -> httpx.Response:
    """With a permit of the judge's own hand."""
    space, agent = "/api/v1/namespaces/{ns}", "only-label-namespace"
    ground.admin("PATCH", space, {"metadata": {"annotations": {admission.STOP: "all"}}})
    told = {
        "resource": "namespaces",
        "group": "",
        "namespace": "",
        "name": ground.namespace,
        "content_type": "application/merge-patch+json",
    }
    request = web(ground, {"metadata": {"annotations": {admission.STOP: None}}}).model_copy(update=told)
    old = ground.get(space)
    new: Json = {**old, "metadata": {**old["metadata"], "annotations": {}}}
    token = ground.minted(ground.guard.permit(request, agent, old, new))
    try:
        ground.mark()
        return ground.sent(request, f"day2:agent:{agent}", token)
    finally:
        ground.rest(lambda: ground.admin("PATCH", space, {"metadata": {"annotations": {admission.STOP: None}}}))


def undo_while_all_is_stopped(ground: Ground) -> httpx.Response:
    """`all` stops undo too."""
    _put_back(ground)
    there, back = web(ground, QUIET, "idle"), web(ground, {"spec": {"minReadySeconds": 0}}, "idle")
    forward, old, new = ground.spent(there)
    token = ground.minted(ground.guard.undo(back, forward, old, new))
    with _stop(ground, "all", "all"):
        ground.mark()
        return ground.sent(back, USER, token)


def undo_after_the_ledger_forgot(ground: Ground) -> httpx.Response:
    """Somebody took the forward's row out of the ledger."""
    _put_back(ground)
    there, back = web(ground, QUIET, "idle"), web(ground, {"spec": {"minReadySeconds": 0}}, "idle")
    forward, old, new = ground.spent(there)
    _execute(ground, "DELETE FROM admissions WHERE jti = ?", forward.jti)
    ground.mark()
    return ground.sent(back, USER, ground.minted(ground.guard.undo(back, forward, old, new)))


@contextlib.contextmanager
def _aside(path: Path) -> Iterator[Path]:
    kept = path.with_name(f"{path.name}.aside")
    path.rename(kept)
    try:
        yield kept
    finally:
        kept.replace(path)


@contextlib.contextmanager
def _sql(ground: Ground, there: str, back: str) -> Iterator[None]:
    _execute(ground, there)
    try:
        yield
    finally:
        _execute(ground, back)


@contextlib.contextmanager
def _stop(ground: Ground, scope: str, mode: str) -> Iterator[None]:
    now = datetime.now(UTC).isoformat(timespec="microseconds")
    _execute(ground, "INSERT INTO stops (scope, mode, by, reason, at) VALUES (?, ?, 'person', 'drill', ?)", scope, mode, now)
    try:
        yield
    finally:
        _execute(ground, "DELETE FROM stops WHERE scope = ?", scope)


def _execute(ground: Ground, statement: str, *values: str) -> None:
    with contextlib.closing(sqlite3.connect(ground.guard.folder / "ledger.db", timeout=10)) as connection, connection:
        connection.execute(statement, values)


OUTAGES = (
    webhook_dead, webhook_hangs, judge_gone, judge_replaced, judge_key_open_to_all, ledger_gone, ledger_replaced, ledger_locked,
    ledger_without_stops, ledger_without_memory, stopped_for_all, stopped_forward, stopped_for_the_agent, stopped_for_the_namespace,
)  # fmt: skip


def attempts() -> Iterator[Attempt]:
    for outage in OUTAGES:
        yield playing("outage", during(outage), stopped_by=WEBHOOK)
    for act in (stopped_by_annotation, stop_lifted_by_an_agent):
        yield playing("outage", act, stopped_by=frozenset({"policy"}))
    for act in (undo_while_all_is_stopped, undo_after_the_ledger_forgot):
        yield playing("outage", act, stopped_by=WEBHOOK)
