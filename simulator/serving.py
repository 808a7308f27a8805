"""The simulator as a process of its own: `python -m simulator.serving --world shop --seed 7 --kubeconfig PATH --parent-pid N`.

It prints one JSON line when it answers, {"url", "port", "kubeconfig"}, and ends with the process that started it.
This module is where the wall's time is: it lets virtual time flow at `rate`, and checks that the parent lives.
"""

import argparse
import asyncio
import base64
import ctypes
import json
import os
import secrets
import signal
import socket
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import uvicorn

from simulator import certificates
from simulator.app import build
from simulator.authn import MASTERS, User
from simulator.certificates import Tls

if TYPE_CHECKING:
    from simulator.worlds.running import Running

_PUMP_SECONDS = 0.25
_LONGEST_STEP_SECONDS = 2 * _PUMP_SECONDS
_PARENT_POLL_SECONDS = 1.0
_PR_SET_PDEATHSIG = 1


def serve(
    world: str,
    port: int = 0,
    host: str = "127.0.0.1",
    *,
    seed: int = 7,
    rate: float = 0.0,
    tls: bool = True,
    kubeconfig_path: Path,
    tokens: Mapping[str, User] | None = None,
    parent_pid: int | None = None,
) -> None:
    """Run until the parent ends or a signal comes. Port 0 takes a free one; the kubeconfig holds an admin token made now."""
    from simulator.worlds.running import start

    admin = secrets.token_urlsafe(24)
    everyone = {admin: User("admin", (MASTERS,)), **(tokens or {})}
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))  # uvicorn raises it again at its end; by default that leaves the keys' folder
    running = start(world, seed, rate)
    application = build(running.store, running.clock, everyone, running.usage, running.metrics_app, running.logs)
    with tempfile.TemporaryDirectory(prefix="simulator-") as folder, socket.create_server((host, port)) as listener:
        made = certificates.make(Path(folder), datetime.now(UTC), host) if tls else None
        # asyncio does it only for sockets whose protocol number was named; without it each answer waits 40 ms for an acknowledgement
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        bound = listener.getsockname()[1]
        url = f"{'https' if made else 'http'}://{host}:{bound}"
        write_kubeconfig(kubeconfig_path, url, admin, made, running.name)
        ready = {"url": url, "port": bound, "kubeconfig": str(kubeconfig_path)}
        asyncio.run(_run(application, listener, made, running, ready, parent_pid))


def write_kubeconfig(path: Path, url: str, token: str, tls: Tls | None, name: str) -> None:
    """A kubeconfig (JSON, which is YAML) with one context, readable by its owner only."""
    cluster: dict[str, Any] = {"server": url}
    if tls:
        cluster["certificate-authority-data"] = base64.b64encode(tls.authority).decode()
    told = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": name,
        "clusters": [{"name": name, "cluster": cluster}],
        "users": [{"name": "admin", "user": {"token": token}}],
        "contexts": [{"name": name, "context": {"cluster": name, "user": "admin", "namespace": "default"}}],
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(mode=0o600)
    path.chmod(0o600)
    path.write_text(json.dumps(told, indent=1) + "\n")


async def _run(
    application: Any, listener: socket.socket, tls: Tls | None, running: "Running", ready: dict[str, Any], parent_pid: int | None
) -> None:
    config = uvicorn.Config(
        application,
        log_level="critical",
        access_log=False,
        lifespan="off",
        timeout_graceful_shutdown=1,
        timeout_keep_alive=75,
        ssl_certfile=tls.certificate if tls else None,
        ssl_keyfile=tls.key if tls else None,
    )
    server = uvicorn.Server(config)
    async with _beside(_flow(running)), _beside(_follow_parent(server, parent_pid)), _beside(_announce(server, ready)):
        await server.serve(sockets=[listener])


@asynccontextmanager
async def _beside(work: Any) -> AsyncIterator[None]:
    """Run `work` as a task for as long as the block lasts."""
    task = asyncio.create_task(work)
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def _announce(server: uvicorn.Server, ready: dict[str, Any]) -> None:
    while not server.started:  # noqa: ASYNC110  uvicorn offers a flag, no event
        await asyncio.sleep(0.01)
    sys.stdout.write(json.dumps(ready) + "\n")
    sys.stdout.flush()


async def _flow(running: "Running") -> None:
    """Let virtual time pass at the clock's rate, a pump at a time.

    A machine that is held up loses virtual time instead of jumping: those who work on the cluster were held up with it, and would find
    permits lapsed and looks missed that no one of them could have been in time for.
    """
    if running.clock.rate <= 0:
        return
    last = time.monotonic()
    while True:
        await asyncio.sleep(_PUMP_SECONDS)
        now = time.monotonic()
        running.clock.advance(min(now - last, _LONGEST_STEP_SECONDS) * running.clock.rate)
        last = now


async def _follow_parent(server: uvicorn.Server, parent_pid: int | None) -> None:
    """End the server when the parent is gone; the kernel's own signal comes first where there is one."""
    if parent_pid is None:
        return
    while os.getppid() == parent_pid:  # noqa: ASYNC110  the kernel tells nobody
        await asyncio.sleep(_PARENT_POLL_SECONDS)
    server.should_exit = True


def _die_with_parent() -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


def _user(text: str) -> tuple[str, User]:
    """NAME=TOKEN or NAME=TOKEN#group,group; the name may hold colons."""
    name, _, rest = text.rpartition("=")
    token, _, groups = rest.partition("#")
    return token, User(name, tuple(filter(None, groups.split(","))))


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m simulator.serving", description="Serve a simulated cluster on loopback.")
    parser.add_argument("--world", default="shop", help="name or path of a world document")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--port", type=int, default=0, help="0 takes a free port")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--rate", type=float, default=0.0, help="virtual seconds per real second; 0: only POST /simulator/clock moves time")
    parser.add_argument("--kubeconfig", type=Path, required=True, help="where to write the admin kubeconfig")
    parser.add_argument("--parent-pid", type=int, help="end when this process is no longer the parent")
    parser.add_argument("--user", action="append", default=[], metavar="NAME=TOKEN#GROUP,GROUP", help="a further user")
    parser.add_argument("--plain-http", action="store_true", help="no TLS; kubectl then sends no token")
    given = parser.parse_args()
    if given.parent_pid is not None:
        _die_with_parent()
    serve(
        given.world,
        given.port,
        given.host,
        seed=given.seed,
        rate=given.rate,
        tls=not given.plain_http,
        kubeconfig_path=given.kubeconfig,
        tokens=dict(_user(each) for each in given.user),
        parent_pid=given.parent_pid,
    )


if __name__ == "__main__":
    main()
