"""An agent in a process of its own is asked there; when it is killed in mid-life the controller's own one works again."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from core.actions.roles import manifests
from core.domain.request import Request
from runtime.roles import agent, everything
from runtime.settings import FlowSettings, KubernetesSettings, PrometheusSettings, RegistrySettings, Settings, StoreSettings
from tests.contracts.adapters import GRANTS, Cluster
from tests.contracts.simulated import ROOT, simulated
from tools.kubernetes.installing import install


@pytest.mark.timeout(120)
async def test_an_agent_of_its_own_is_asked_and_missed_when_it_is_gone(tmp_path: Path) -> None:
    with simulated(tmp_path, "small") as cluster:
        async with Cluster(cluster.kubeconfigs, "unused").client() as admin:
            await install(admin, manifests(GRANTS))
        settings = Settings(
            clock=cluster.url,
            kubernetes=KubernetesSettings(kubeconfig=cluster.kubeconfigs["reader"]),
            prometheus=PrometheusSettings(url=f"{cluster.url}/prometheus", ca_file=cluster.ca),
            store=StoreSettings(data_dir=tmp_path / "data"),
            registry=RegistrySettings(lease_seconds=3, renew_seconds=1),
            flow=FlowSettings(consult_seconds=8),
        )
        async with everything.opened(settings, children=()) as running:
            process = apart(
                "security", settings, json.loads((tmp_path / "data" / "registry" / "address.json").read_text())["url"], tmp_path
            )
            os.kill(process.pid, signal.SIGSTOP)
            stopped = await running.controller.run(asked("run-stopped", running))
            os.kill(process.pid, signal.SIGCONT)
            alive = await running.controller.run(asked("run-alive", running))
            process.kill()
            process.wait(10)
            await until_gone(running)
            alone = await running.controller.run(asked("run-alone", running))
    assert [row["agent"] for row in stopped["missing"]] == ["security"]
    assert [row["code"] for row in stopped["findings"]] == ["DAY-101"]
    assert alive["missing"] == alone["missing"] == []
    assert alive["coverage"] == alone["coverage"]


def apart(name: str, settings: Settings, url: str, folder: Path) -> "subprocess.Popen[bytes]":
    path = folder / "agent.settings.json"
    path.write_text(agent.settings_for(settings, url, parent=os.getpid()).model_dump_json())
    command = [sys.executable, "-m", "runtime.roles.agent", "--settings", str(path), "--agent", name]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdout.readline(), "the agent did not start"
    process.stdout.close()
    return process


async def until_gone(running: everything.Everything) -> None:
    registry = running.controller.registry
    assert registry is not None
    for _ in range(100):
        if all(len(member.instances) == 1 for member in await registry.members()):
            return
        await asyncio.sleep(0.1)
    raise AssertionError("the killed agent's lease did not expire")


def asked(name: str, running: everything.Everything) -> Request:
    return Request.model_validate(
        {"id": name, "trigger": "cli", "by": "local:tester", "at": running.reading.clock.now(), "agents": ("security",)}
    )
