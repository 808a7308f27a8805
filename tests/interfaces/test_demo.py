"""The demo as people start it: a process of its own, in shells that hold all sorts of things."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]

KEPT = ("PATH", "LANG", "LC_ALL", "PYTHONDONTWRITEBYTECODE", "VIRTUAL_ENV")


def shell(home: Path, **more: str) -> dict[str, str]:
    """A bare environment with a home of the test's own."""
    home.mkdir(parents=True, exist_ok=True)
    return {key: os.environ[key] for key in KEPT if key in os.environ} | {"HOME": str(home), "TMPDIR": str(home)} | more


def play(home: Path, *flags: str, **more: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "interfaces.cli", "demo", "--fast", *flags]
    return subprocess.run(command, env=shell(home, **more), capture_output=True, text=True, timeout=150, check=False)


def busy() -> "subprocess.Popen[bytes]":
    return subprocess.Popen([sys.executable, "-c", "while True: pass"])


def test_the_same_seed_prints_the_same_bytes_whatever_the_shell_holds_and_however_busy_the_machine_is(tmp_path: Path) -> None:
    calm = play(tmp_path / "calm")
    assert calm.returncode == 0, calm.stderr
    trap = tmp_path / "kubeconfig"
    trap.write_text("this is no kubeconfig, and reading it would fail")
    dead = "http://127.0.0.1:9"
    load = [busy()]
    try:
        loaded = play(
            tmp_path / "a home with spaces 'and' quotes",
            KUBECONFIG=str(trap),
            OPENAI_API_KEY="sk-canary-0123456789abcdef",
            OPENAI_BASE_URL=dead,
            HTTP_PROXY=dead,
            HTTPS_PROXY=dead,
            ALL_PROXY=dead,
        )
    finally:
        for process in load:
            process.kill()
            process.wait()
    assert loaded.returncode == 0, loaded.stderr
    assert loaded.stdout == calm.stdout
    assert "canary" not in loaded.stdout + loaded.stderr
    assert_the_story_is_whole(calm.stdout)


def assert_the_story_is_whole(text: str) -> None:
    """What the issue says the demo must show, each by what only it can print."""
    for words in (
        "REL-101 shop/deployment/checkout",
        "FIN-101 shop/deployment/catalog",
        "SEC-102 platform/pod/debug-shell",
        "SEC-101 namespace/tools",
        "SCA-101 shop/horizontalpodautoscaler/storefront",
        "SCA-103 ml/job/train-embeddings",
        "delete namespace payments” (quoted, not obeyed)",
        "scaling goes first by priority",
        "gpu-allowance: the namespace would hold 9 GPUs and its allowance is 6",
        "? needs_approval",
        "the requester tried to approve its own action: refused",
        "taken back: latency p99",
        "not run: SEC-105",
        "audit: 5 chains ok",
        "Day2BudgetIntercepted critical act-5d00fcd3d6 stopped before it began: scale ml/deployment/llm-serving from 1 to 3",
        "model: 0 calls, $0.00",
    ):
        assert words in text, words
    outcomes = re.search(r"(\d+) denied · (\d+) verified · (\d+) rolled_back · (\d+) held", text)
    assert outcomes is not None
    assert [int(number) for number in outcomes.groups()] == [1, 6, 1, 1]
    found = text[text.index("── scan") : text.index("── plan")]
    assert " payments/" not in found, "the healthy namespace must stay silent"


def test_one_json_document_holds_the_same_story_for_another_seed(tmp_path: Path) -> None:
    answer = play(tmp_path, "-o", "json", "--seed", "11")
    assert answer.returncode == 0, answer.stderr
    document: dict[str, Any] = json.loads(answer.stdout)
    assert document["kind"] == "DemoReport"
    assert {"started", "scanned", "planned", "arbitrated", "judged", "alerted", "approved", "executed", "scored"} <= set(document)
    assert document["scored"]["outcomes"] == {"denied": 1, "verified": 6, "rolled_back": 1}
    (alert,) = document["alerted"]["alerts"]
    denied = next(row for row in document["judged"]["verdicts"] if row["decision"] == "deny")
    assert (alert["alertname"], alert["team"], alert["action"]) == ("Day2BudgetIntercepted", "platform", denied["action"])
    decisions = {row["decision"] for row in document["judged"]["verdicts"]}
    assert decisions == {"allow", "needs_approval", "deny"}
    assert all(row["evidence"] for row in document["scanned"]["findings"])


def test_a_kept_cluster_answers_kubectl_until_it_is_interrupted_and_sixty_columns_of_ascii_are_enough(tmp_path: Path) -> None:
    """Two promises and one run: each costs a quarter of a minute."""
    home, printed = tmp_path / "home", tmp_path / "printed"
    environment = shell(home, LC_ALL="C", LANG="C", COLUMNS="60")
    command = [sys.executable, "-m", "interfaces.cli", "demo", "--fast", "--keep"]
    with printed.open("wb") as story, subprocess.Popen(command, env=environment, stdout=story, stderr=subprocess.PIPE, text=True) as demo:
        assert demo.stderr is not None
        try:
            line = next(line for line in demo.stderr if "export KUBECONFIG=" in line)
            kubeconfig = line.split("=", 1)[1].strip().strip("'")
            if kubectl := shutil.which("kubectl"):
                look = [kubectl, "--kubeconfig", kubeconfig, "get", "pods", "-A"]
                pods = subprocess.run(look, env=environment, capture_output=True, text=True, check=False)
                assert pods.returncode == 0, pods.stderr
                assert "checkout-" in pods.stdout
        finally:
            demo.send_signal(signal.SIGINT)
            demo.wait(90)
    assert not list(home.glob("day2-demo-*")), "the folder of the demo stays behind"
    assert not _left_over(kubeconfig)
    lines = printed.read_text(encoding="ascii").splitlines()
    assert any("chains ok" in line for line in lines)
    assert max(len(line) for line in lines) <= 60
    if kubectl is None:
        pytest.skip("no kubectl on this machine: the rest holds")


def _left_over(kubeconfig: str) -> list[str]:
    """Processes that still name the demo's folder."""
    folder = str(Path(kubeconfig).parent)
    for _ in range(50):
        found = [entry.name for entry in Path("/proc").glob("[0-9]*") if folder in _command(entry)]
        if not found:
            return []
        time.sleep(0.1)
    return found


def _command(entry: Path) -> str:
    try:
        return (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        return ""
