"""A Postgres of this machine for tests: on a free loopback port, with nothing durable, ended with the process that asked for it."""

import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import psycopg

from runtime.processes import dies_with_parent

START_SECONDS = 60
NOBODY = "nobody"
"""Postgres refuses to run as root."""


def programs() -> Path | None:
    """The folder with `initdb` and `postgres`: on the path, or where Debian has them. None where there is no Postgres."""
    found = shutil.which("initdb")
    known = [Path(found).resolve().parent] if found else []
    known += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    return next((folder for folder in known if (folder / "initdb").exists() and (folder / "postgres").exists()), None)


@contextmanager
def running(programs: Path) -> Iterator[str]:
    """The address of an empty database. What it said is in the error where it does not start."""
    with tempfile.TemporaryDirectory(prefix="day2-postgres-") as name:
        folder = Path(name)
        as_nobody = {"user": NOBODY, "group": "nogroup"} if os.geteuid() == 0 else {}
        if as_nobody:
            shutil.chown(folder, NOBODY, "nogroup")
        data, port = folder / "data", _free_port()
        made = [programs / "initdb", "-D", data, "-U", "day2", "-A", "trust", "-E", "UTF8", "--no-locale", "--no-sync"]
        subprocess.run(made, check=True, capture_output=True, cwd=folder, **as_nobody)
        wanted = {"listen_addresses": "127.0.0.1", "unix_socket_directories": "", "fsync": "off", "max_connections": "50"}
        options = [word for key, value in wanted.items() for word in ("-c", f"{key}={value}")]
        log = (folder / "log").open("wb")
        process = subprocess.Popen(
            [programs / "postgres", "-D", data, "-p", str(port), *options],
            stdout=log, stderr=log, cwd=folder, preexec_fn=dies_with_parent, **as_nobody,
        )  # fmt: skip
        try:
            _wait(process, port, folder / "log")
            yield f"postgresql+psycopg://day2@127.0.0.1:{port}/postgres"
        finally:
            process.terminate()
            try:
                process.wait(90)  # SIGTERM waits for clients to go
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            log.close()


def _free_port() -> int:
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        port: int = listener.getsockname()[1]
        return port


def _wait(process: "subprocess.Popen[bytes]", port: int, log: Path) -> None:
    end = time.monotonic() + START_SECONDS
    while process.poll() is None and time.monotonic() < end:
        try:
            psycopg.connect(host="127.0.0.1", port=port, user="day2", dbname="postgres", connect_timeout=2).close()
        except psycopg.OperationalError:
            time.sleep(0.05)
        else:
            return
    raise RuntimeError(f"Postgres did not start: {log.read_text(errors='replace')[-2000:]}")
