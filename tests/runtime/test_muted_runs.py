"""A run proposes nothing for a finding that a person muted, and proposes it again when the mute is over."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from core.actions.roles import manifests
from core.domain.request import Request
from core.policy import mutes
from runtime.roles import everything
from runtime.services import muting
from runtime.settings import KubernetesSettings, PrometheusSettings, Settings, StoreSettings
from tests.contracts.adapters import GRANTS, Cluster
from tests.contracts.simulated import simulated
from tools.kubernetes.installing import install


@pytest.mark.slow
@pytest.mark.timeout(120)
async def test_a_run_leaves_out_what_is_muted(tmp_path: Path) -> None:
    with simulated(tmp_path, "shop") as cluster:
        async with Cluster(cluster.kubeconfigs, "unused").client() as admin:
            await install(admin, manifests(GRANTS))
        settings = Settings(
            clock=cluster.url,
            kubernetes=KubernetesSettings(kubeconfig=cluster.kubeconfigs["reader"]),
            prometheus=PrometheusSettings(url=f"{cluster.url}/prometheus", ca_file=cluster.ca),
            store=StoreSettings(data_dir=tmp_path / "data"),
        )
        async with everything.opened(settings, children=()) as running:
            now = running.reading.clock.now()
            before = await running.controller.run(request("run-before", now))
            wish = before["proposals"][0]
            folder = muting.folder_of(settings.data_dir)
            mute = mutes.made(what=wish["findings"][0], namespaces=(), reason="not now", by="local:jane", at=now, lasts=timedelta(hours=1))
            folder.add(mute)
            muted = await running.controller.run(request("run-muted", now))
            folder.expire(mute.id, by="local:jane", now=now)
            after = await running.controller.run(request("run-after", now))
    assert wish["findings"][0] not in found(muted)
    assert found(before) == found(after) == found(muted) | {wish["findings"][0]}
    assert targets(muted) == targets(before) - {wish["action"]["target"]["uid"]}


def request(name: str, at: object) -> Request:
    return Request.model_validate({"id": name, "trigger": "schedule", "by": "local:tester", "at": at, "agents": ("reliability",)})


def found(response: Any) -> set[str]:
    return {row["id"] for row in response["findings"]}


def targets(response: Any) -> set[str]:
    """Of what was proposed, also of what was held back for another."""
    return {row["action"]["target"]["uid"] for row in response["proposals"]}
