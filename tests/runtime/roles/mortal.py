"""Starts role processes that die (SIGKILL) at one commit of the ledger. Run by the `nursery` fixture; the product knows nothing of it.

A fork server: it has loaded the roles once, so that a process costs a fork. One line of JSON per connection says what to run (`Order`); the
answers are lines too: the process id, what the process prints, where it died, its exit code. All ends when standard input does.

The points are found from outside, by SQLAlchemy's own events: the audit record that a transaction appends names the move, the commit event
comes just before the commit, and the return of the connection to the pool just after it, before anything else is done.
"""

import asyncio
import contextlib
import importlib
import json
import os
import select
import signal
import socket
import sys
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import sqlalchemy as sa

from core.domain.errors import Unavailable
from core.domain.outcome import ActionState
from core.policy.engine import builtin
from gate import keys
from tools.clocks import HttpClock
from tools.kubernetes import config, transport
from tools.stores import ledger, migrating

LOADED = (
    "runtime.roles.judge",
    "runtime.roles.executor",
    "runtime.roles.applying",
    "runtime.roles.console",
    "runtime.roles.deciding",
    "interfaces.cli.launching",
    "interfaces.rendering.actions",
    "interfaces.rendering.approvals",
    "gate.approvals",
    "tools.kubernetes.config",
)
RECORD = {"role", "event", "subject", "body"}
"""Columns by which an insert into the audit chain is known."""


class Point(NamedTuple):
    """Before or after the `nth` commit of this process that appends `record`: `submitted-permitted` for a move, else the event's name."""

    when: str
    record: str
    nth: int = 1

    def __str__(self) -> str:
        return f"{self.when} {self.record}" + (f" #{self.nth}" if self.nth > 1 else "")


def name_of(event: str, body: str) -> str:
    """What one audit record says was done."""
    old = json.loads(body).get("from")
    return f"{old}-{event}" if old else event


def arm(point: Point, reached: Callable[[str], None]) -> None:
    """From now on this process calls `reached`, with the role that made the record, and dies at the point."""
    pending: list[tuple[str, str]] = []
    commits = 0
    committed = ""

    def wrote(_connection: Any, _cursor: Any, _statement: str, _parameters: Any, context: Any, _many: bool) -> None:
        rows = context.compiled_parameters if context is not None and context.compiled is not None else ()
        pending.extend((name_of(row["event"], row["body"]), row["role"]) for row in rows if row.keys() >= RECORD)

    def commits_now(_connection: Any) -> None:
        nonlocal commits, committed
        found = [role for record, role in pending if record == point.record]
        pending.clear()
        commits += len(found)
        if found and commits == point.nth:
            if point.when == "before":
                die(found[0])
            committed = found[0]

    def rolled_back(_connection: Any) -> None:
        pending.clear()

    def returned(_connection: Any, _record: Any) -> None:
        if committed:
            die(committed)

    def die(role: str) -> None:
        reached(role)
        os.kill(os.getpid(), signal.SIGKILL)

    sa.event.listen(sa.Engine, "after_cursor_execute", wrote)
    sa.event.listen(sa.Engine, "commit", commits_now)
    sa.event.listen(sa.Engine, "rollback", rolled_back)
    sa.event.listen(sa.Pool, "checkin", returned)


class Order(NamedTuple):
    """`entry` is `module:function` and gets `argv`; `point` is empty for a process that is to live; `log` is its standard error."""

    entry: str
    argv: list[str]
    log: str
    environment: dict[str, str]
    point: list[Any]


def be(order: Order, answers: int) -> None:
    """In the new process: become the role. Never returns."""
    sink = os.open(order.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(answers, 1)
    os.dup2(sink, 2)
    sys.stdout, sys.stderr = os.fdopen(1, "w", closefd=False), os.fdopen(2, "w", closefd=False)
    os.environ.update(order.environment)
    if order.point:
        arm(Point(*order.point), lambda role: say(1, {"died": role}))
    module, _, function = order.entry.partition(":")
    code = 70
    try:
        code = getattr(importlib.import_module(module), function)(order.argv)
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def keep(connection: socket.socket) -> None:
    """In a process of its own: start what is ordered, and say how it ends."""
    order = Order(**json.loads(connection.makefile("r").readline()))
    child = os.fork()
    if child == 0:
        be(order, connection.fileno())
    say(connection.fileno(), {"pid": child})
    say(connection.fileno(), {"code": os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])})


def warm_up() -> None:
    """Do once, before there are children, what every process does first: imports on demand, compiled queries, compiled rules."""
    builtin()
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{folder}/ledger.db"
        migrating.migrate(url)
        kept = ledger.opened(url, Path(folder, "audit.jsonl"))
        kept.record(role="door", event="warm-up", subject="", body={}, at=datetime.now(UTC))
        kept.in_states(ActionState.SUBMITTED)
        kept.head()
        kept.close()
        keys.signer(Path(folder, "keys"), keys.JUDGE).sign({}, typ="warm-up")
    nowhere = "http://127.0.0.1:1"
    clock = HttpClock(nowhere)
    with contextlib.suppress(Unavailable):
        clock.now()
    clock.close()
    asyncio.run(_asked_in_vain(nowhere))


async def _asked_in_vain(server: str) -> None:
    async with transport.connect(config.Connection(server, "nowhere")) as client:
        with contextlib.suppress(httpx.HTTPError):
            await client.get("/")


def say(descriptor: int, answer: dict[str, Any]) -> None:
    os.write(descriptor, json.dumps(answer).encode() + b"\n")


def main() -> None:
    for module in LOADED:
        importlib.import_module(module)
    warm_up()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # keepers are nobody's to wait for
    listener = socket.create_server(("127.0.0.1", 0))
    print(listener.getsockname()[1], flush=True)
    while True:
        ready, _, _ = select.select([listener, sys.stdin], [], [])
        if sys.stdin in ready:
            os.killpg(0, signal.SIGKILL)  # the test session has ended, and so does everything that was started here
        connection, _ = listener.accept()
        if os.fork() == 0:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            listener.close()
            keep(connection)
            os._exit(0)
        connection.close()


if __name__ == "__main__":
    main()
