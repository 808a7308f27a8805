"""Redis dies while a run is asked for: the run goes on with the agents of this process, and nothing is lost."""

import json
import os
import signal
from pathlib import Path

import pytest

from core.actions.roles import manifests
from core.domain.request import Request
from runtime.roles import everything
from runtime.settings import KubernetesSettings, PrometheusSettings, RegistrySettings, Settings, StoreSettings
from tests.contracts.adapters import GRANTS, Cluster
from tests.contracts.simulated import simulated
from tools.kubernetes.installing import install


@pytest.mark.timeout(90)
async def test_a_run_goes_on_without_the_registry(tmp_path: Path) -> None:
    with simulated(tmp_path, "small") as cluster:
        async with Cluster(cluster.kubeconfigs, "unused").client() as admin:
            await install(admin, manifests(GRANTS))
        settings = Settings(
            clock=cluster.url,
            kubernetes=KubernetesSettings(kubeconfig=cluster.kubeconfigs["reader"]),
            prometheus=PrometheusSettings(url=f"{cluster.url}/prometheus", ca_file=cluster.ca),
            store=StoreSettings(data_dir=tmp_path / "data"),
            registry=RegistrySettings(lease_seconds=2, renew_seconds=1),
        )
        async with everything.opened(settings, children=()) as running:
            before = await running.controller.run(_request("run-before", running.reading.clock.now()))
            os.kill(json.loads((tmp_path / "data" / "registry" / "address.json").read_text())["pid"], signal.SIGKILL)
            after = await running.controller.run(_request("run-after", running.reading.clock.now()))
        assert sorted(before["asked"]) == sorted(after["asked"]) == ["finops", "reliability", "scaling", "security"]
        assert after["missing"] == []
        assert before["coverage"] == after["coverage"]


def _request(name: str, at: object) -> Request:
    return Request.model_validate({"id": name, "trigger": "cli", "by": "local:tester", "at": at})
