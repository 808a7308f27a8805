"""The simulator as a process: one ready line, TLS, a kubeconfig for its owner only, and an end with its parent."""

import json
import os
import signal
import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

Start = Callable[..., dict[str, Any]]
COMMAND = [sys.executable, "-m", "simulator.serving", "--world", "small", "--seed", "7"]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts the process, and gives what its ready line says."""
    running: list[subprocess.Popen[str]] = []

    def begin(*arguments: str) -> dict[str, Any]:
        kubeconfig = tmp_path / f"kubeconfig-{len(running)}"
        command = [*COMMAND, "--kubeconfig", str(kubeconfig), "--parent-pid", str(os.getpid()), *arguments]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        running.append(process)
        assert process.stdout
        ready: dict[str, Any] = json.loads(process.stdout.readline())
        return {**ready, "pid": process.pid}

    yield begin
    for process in running:
        process.terminate()
        process.wait(timeout=20)
        if process.stdout:
            process.stdout.close()


def client(ready: dict[str, Any]) -> httpx.Client:
    kubeconfig = json.loads(Path(ready["kubeconfig"]).read_text())
    import base64

    authority = base64.b64decode(kubeconfig["clusters"][0]["cluster"]["certificate-authority-data"]).decode()
    token = kubeconfig["users"][0]["user"]["token"]
    context = ssl.create_default_context(cadata=authority)
    return httpx.Client(base_url=ready["url"], verify=context, headers={"Authorization": f"Bearer {token}"})


def test_it_answers_over_tls_with_the_token_of_its_kubeconfig(start: Start) -> None:
    ready = start("--user", "system:serviceaccount:shop:reader=t0ken#a,b")
    assert ready["url"] == f"https://127.0.0.1:{ready['port']}"
    assert Path(ready["kubeconfig"]).stat().st_mode & 0o077 == 0
    with client(ready) as http:
        assert http.get("/api/v1/nodes").json()["items"]
        assert http.get("/prometheus/-/ready").status_code == 200
        before = http.get("/simulator/clock").json()["now"]
        assert http.post("/simulator/clock", json={"advance_seconds": 60}).json()["now"] > before
        me = http.post("/apis/authentication.k8s.io/v1/selfsubjectreviews", json={}, headers={"Authorization": "Bearer t0ken"}).json()
        assert {"a", "b", "system:serviceaccounts:shop"} <= set(me["status"]["userInfo"]["groups"])
        assert http.get("/api/v1/nodes", headers={"Authorization": "Bearer wrong"}).status_code == 401


def test_the_same_seed_gives_the_same_cluster(start: Start) -> None:
    texts = []
    for _ in range(2):
        with client(start()) as http:
            http.post("/simulator/clock", json={"advance_seconds": 120})
            texts.append(http.get("/api/v1/pods").content)
    assert texts[0] == texts[1]


def test_it_ends_with_its_parent(tmp_path: Path) -> None:
    code = (
        "import subprocess, sys, os, time\n"
        f"command = {[*COMMAND, '--kubeconfig', str(tmp_path / 'kubeconfig')]!r} + ['--parent-pid', str(os.getpid())]\n"
        "child = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)\n"
        "child.stdout.readline()\n"
        "print(child.pid, flush=True)\n"
        "time.sleep(60)\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert parent.stdout
    child = int(parent.stdout.readline())
    parent.send_signal(signal.SIGKILL)
    parent.wait(timeout=10)
    parent.stdout.close()
    deadline = time.monotonic() + 20
    while _runs(child) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not _runs(child)


def _runs(pid: int) -> bool:
    """False for a process that is gone or only waits to be reaped."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        return False
    return stat.rpartition(")")[2].split()[0] != "Z"


def test_it_leaves_no_keys_behind_when_it_is_told_to_end(tmp_path: Path) -> None:
    command = [*COMMAND, "--kubeconfig", str(tmp_path / "kubeconfig"), "--parent-pid", str(os.getpid())]
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env={**os.environ, "TMPDIR": str(temporary)}) as process:
        assert process.stdout
        assert process.stdout.readline()
        assert list(temporary.iterdir())
        process.terminate()
        process.wait(timeout=20)
    assert list(temporary.iterdir()) == []
