"""Beside a running `day2 serve`: its agents and leases are seen and moved; and Ctrl-C ends a watcher with 130."""

import asyncio
import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from core.domain.errors import Unavailable
from runtime.roles import applying
from runtime.serving import Child, Children

Day2 = Callable[..., Any]
REPOSITORY = Path(__file__).parents[3]
pytestmark = pytest.mark.slow


@contextlib.contextmanager
def running(folder: Path, *words: str, **pipes: Any) -> Iterator[subprocess.Popen[str]]:
    environment = dict(os.environ) | {"PYTHONPATH": str(REPOSITORY)}
    line = [sys.executable, "-m", "interfaces.cli", *words, "--data-dir", str(folder / "data")]
    with subprocess.Popen(line, cwd=folder, env=environment, text=True, **pipes) as process:
        try:
            yield process
        finally:
            process.terminate()
            process.wait(90)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as found:
        return int(found.getsockname()[1])


def scraped(port: int) -> list[str]:
    """The lines that Prometheus would read; the leases are looked at every second."""
    end = time.monotonic() + 30
    while True:
        text = httpx.get(f"http://127.0.0.1:{port}/metrics", trust_env=False).text
        if lines := [line for line in text.splitlines() if not line.startswith("#")]:
            return lines
        assert time.monotonic() < end, "nothing is shown"
        time.sleep(0.1)


@pytest.mark.timeout(180)
def test_agents_of_a_running_product_are_seen_moved_and_routed_around(
    on_cluster: Day2, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ports = {name: free_port() for name in ("CONTROLLER", "NOTIFIER")}
    for name, port in ports.items():
        monkeypatch.setenv(f"DAY2_TELEMETRY__{name}_LISTEN", f"127.0.0.1:{port}")
    with running(tmp_path, "serve", stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as served:
        assert served.stdout is not None
        roles = {"controller", "judge", "executor", "notifier", "console", "scheduler"}
        assert set(json.loads(served.stdout.readline())["ready"]) == roles
        found = on_cluster("agent", "list", "-o", "json").json
        assert found["metadata"]["source"] == "registry"
        assert {row["name"]: row["state"] for row in found["items"]} == dict.fromkeys(
            ("finops", "reliability", "scaling", "security"), "ready"
        )
        assert all(row["leaseSeconds"] > 0 for row in found["items"])
        leases = [line for line in scraped(ports["CONTROLLER"]) if line.startswith("day2_agent_lease_seconds_remaining{")]
        assert len([line for line in leases if float(line.rpartition(" ")[2]) > 0]) == 4
        assert "day2_emergency_stop" in " ".join(scraped(ports["NOTIFIER"]))
        assert on_cluster("agent", "suspend", "finops", "-o", "json").json["state"] == "suspended"
        nobody = on_cluster("route", "what could be cheaper", "-o", "json").json
        assert [(row["agent"], row["asked"]) for row in nobody["items"]] == [("finops", False)]
        assert on_cluster("agent", "resume", "finops", "-o", "json").json["state"] == "ready"
        assert on_cluster("agent", "drain", "nobody").code == 3
        events = [row["event"] for row in on_cluster("audit", "list", "--event", "agent", "-o", "json").json["items"]]
        assert events == ["agent.suspended", "agent.ready"]
        states = {row["check"]: row["state"] for row in on_cluster("doctor", "-o", "json").json["items"]}
        assert states["registry"] == "ok"
    assert served.returncode == 0


def test_ctrl_c_ends_with_130_and_says_that_nothing_is_lost(past: Any, tmp_path: Path) -> None:
    past.asked("act-wait")
    with running(tmp_path, "action", "watch", "act-wait", stdout=subprocess.PIPE, stderr=subprocess.PIPE) as watcher:
        assert watcher.stderr is not None
        assert watcher.stderr.readline().startswith("act-wait  needs_approval")
        watcher.send_signal(signal.SIGINT)
        assert "nothing that was sent is forgotten" in watcher.stderr.read()
    assert watcher.returncode == 130


def test_a_watch_with_a_timeout_ends_with_7(day2: Day2, past: Any) -> None:
    past.asked("act-wait")
    said = day2("action", "watch", "act-wait", "--timeout", "0.3s", "--data-dir", str(past.folder))
    assert said.code == 7


async def test_a_child_that_ends_ends_the_waiting_with_its_log(tmp_path: Path) -> None:
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", "raise SystemExit(3)")
    family = Children([Child("judge", process, {}, tmp_path / "judge.log")])
    with pytest.raises(Unavailable, match="ended with code 3") as caught:
        await applying.while_alive(family, asyncio.sleep(60))
    assert str(tmp_path / "judge.log") in caught.value.mend
