"""A simulator process for tests: started on a free loopback port, ended with the test. Kubeconfigs for each identity the product has."""

import base64
import contextlib
import json
import os
import secrets
import ssl
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import httpx

ROOT = Path(__file__).resolve().parents[2]
IDENTITIES = ("reader", "judge", "executor")


@dataclass(frozen=True)
class Simulated:
    """A running simulator. `ca` is the PEM file of its certificate authority."""

    url: str
    kubeconfigs: dict[str, Path]
    ca: Path
    pid: int

    def advance(self, seconds: float) -> None:
        answer = httpx.post(
            f"{self.url}/simulator/clock", json={"advance_seconds": seconds}, verify=_trust(self.ca), trust_env=False, timeout=60
        )
        answer.raise_for_status()

    def fault(self, **fault: object) -> None:
        answer = httpx.post(f"{self.url}/simulator/faults", json=fault, verify=_trust(self.ca), trust_env=False)
        answer.raise_for_status()


@contextlib.contextmanager
def simulated(
    folder: Path, world: str = "small", seed: int = 7, rate: float = 0.0, identities: Sequence[str] = IDENTITIES
) -> Iterator[Simulated]:
    tokens = {name: secrets.token_urlsafe(16) for name in identities}
    users = [
        word
        for name, token in tokens.items()
        for word in ("--user", f"system:serviceaccount:day2-system:{name}={token}#system:serviceaccounts")
    ]
    admin = folder / "admin.kubeconfig"
    command = [sys.executable, "-m", "simulator.serving", "--world", world, "--seed", str(seed), "--port", "0", "--rate", str(rate)]
    process = subprocess.Popen(
        [*command, "--kubeconfig", str(admin), "--parent-pid", str(os.getpid()), *users], stdout=subprocess.PIPE, cwd=ROOT
    )
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line, "the simulator did not start"
        yield _described(json.loads(line)["url"], admin, tokens, process.pid)
    finally:
        process.terminate()
        process.wait(10)
        if process.stdout:
            process.stdout.close()


def _described(url: str, admin: Path, tokens: dict[str, str], pid: int) -> Simulated:
    document = json.loads(admin.read_text())
    ca = admin.with_name("ca.pem")
    ca.write_bytes(base64.b64decode(document["clusters"][0]["cluster"]["certificate-authority-data"]))
    kubeconfigs = {"admin": admin}
    for name, token in tokens.items():
        document["users"][0]["user"] = {"token": token}
        kubeconfigs[name] = admin.with_name(f"{name}.kubeconfig")
        kubeconfigs[name].write_text(json.dumps(document))
    return Simulated(url, kubeconfigs, ca, pid)


def _trust(ca: Path) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(ca))
