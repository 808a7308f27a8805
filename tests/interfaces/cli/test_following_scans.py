"""`day2 scan -w`: everything once, then what is new and what is gone, as the cluster moves."""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from queue import Queue
from typing import Any

import pytest

from core.actions.roles import READER, manifests
from interfaces.cli.sessions import run
from tests.interfaces.conftest import REPOSITORY, Cluster, _running
from tools.kubernetes import config, transport

SECRET = {"name": "DB_PASSWORD", "value": "n0t-a-real-password"}


def deployment(name: str, *env: dict[str, str]) -> dict[str, Any]:
    labels = {"app": name}
    container = {"name": "main", "image": "registry.apps.example/leak:v1", "env": list(env)}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "namespace": "apps"},
        "spec": {
            "replicas": 0,
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": {"containers": [container]}},
        },
    }


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Cluster]:
    """A cluster that this test changes."""
    with _running(tmp_path) as found:
        yield found


async def make(cluster: Cluster, made: dict[str, Any]) -> None:
    async with transport.connect(config.load(cluster.admin)) as admin:
        (await admin.post("/apis/apps/v1/namespaces/apps/deployments", json=made)).raise_for_status()


async def remove(cluster: Cluster, name: str) -> None:
    async with transport.connect(config.load(cluster.admin)) as admin:
        (await admin.delete(f"/apis/apps/v1/namespaces/apps/deployments/{name}")).raise_for_status()


class Following:
    """`day2 scan security -w` in a process of its own; its documents as they come."""

    def __init__(self, cluster: Cluster, *words: str) -> None:
        command = [sys.executable, "-m", "interfaces.cli", "scan", "security", "-w", "-A", "-o", "json", *words]
        environment = {
            **os.environ,
            "HOME": str(cluster.home),
            "DAY2_STORE__DATA_DIR": str(cluster.home / "data"),
            "PYTHONPATH": str(REPOSITORY),
        }
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, cwd=cluster.home, env=environment, text=True)
        self.documents: Queue[Any] = Queue()
        self._reading = threading.Thread(target=self._read, daemon=True)
        self._reading.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        text, decoder = "", json.JSONDecoder()
        for line in self.process.stdout:
            text += line
            try:
                found, _ = decoder.raw_decode(text)
            except ValueError:
                continue
            text = ""
            self.documents.put(found)

    def next(self) -> Any:
        return self.documents.get(timeout=60)

    def __enter__(self) -> "Following":
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.wait()
        self._reading.join()
        assert self.process.stdout is not None
        self.process.stdout.close()


def test_what_is_new_and_what_is_gone_is_told_as_it_comes(own: Cluster) -> None:
    with Following(own) as following:
        first = following.next()
        assert "SEC-108" in first["coverage"]["run"]
        assert not [item for item in first["items"] if item["code"] == "SEC-108"]
        run(make(own, deployment("leak", SECRET)))
        new = following.next()
        assert [(item["code"], item["subject"]["name"]) for item in new["items"]] == [("SEC-108", "leak")]
        assert new["gone"] == []
        run(remove(own, "leak"))
        gone = following.next()
        assert gone["items"] == []
        assert [(row["code"], row["object"]) for row in gone["gone"]] == [("SEC-108", "apps/deployment/leak")]


def test_it_ends_with_its_timeout(cluster: Cluster) -> None:
    with Following(cluster, "--timeout", "1s") as following:
        assert following.next()["items"] is not None
        assert following.process.wait(60) == 7


@pytest.mark.parametrize("words", [("--from", "x.snap"), ("--baseline", "b.json"), ("--fail-on", "high"), ("--detailed-exitcode",)])
def test_what_cannot_be_followed_is_said(day2: Any, words: tuple[str, ...]) -> None:
    said = day2("scan", "-w", *words)
    assert said.code == 64
    assert "-w follows a cluster from its first look on" in said.err


def test_the_reader_may_watch_what_is_followed() -> None:
    rules = [
        rule for item in manifests({}) if item["kind"] == "ClusterRole" and READER in item["metadata"]["name"] for rule in item["rules"]
    ]
    assert len(rules) > 3
    metrics = "metrics.k8s.io"  # not kept by the API server: it can be listed only
    assert all("watch" in rule["verbs"] for rule in rules if "list" in rule["verbs"] and metrics not in rule["apiGroups"])
