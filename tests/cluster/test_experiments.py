"""Whole experiments on the real control plane under the whole guard: RBAC, admission and the webhook see each fault and its undo."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from core.actions.catalogue import CATALOGUE
from core.actions.roles import manifests
from core.domain.outcome import ActionState
from core.domain.values import at_path, canonical
from runtime.settings import FlowSettings, GateSettings, KubernetesSettings, PolicySettings, Settings, StoreSettings
from tests.cluster.guarded import GRANTS, Guarded, guarded, put
from tests.cluster.test_guarded_runs import assert_the_server_tells_the_same
from tests.cluster.test_whole_runs import deploy
from tests.contracts import experiments

if TYPE_CHECKING:
    from tests.controlplane.rig import ControlPlane

PATIENCE_SECONDS = 300.0
pytestmark = pytest.mark.timeout(PATIENCE_SECONDS)
ALL = GRANTS | {"reliability": tuple(CATALOGUE)}
OPEN = {"day2.dev/chaos": "allowed"}


@pytest.fixture(scope="module")
def guard(control_plane: "ControlPlane", tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guarded]:
    with guarded(control_plane, tmp_path_factory.mktemp("experiments")) as found:
        for document in manifests(ALL):
            put(control_plane, document)
        yield found


def settings_of(guard: Guarded, folder: Path) -> Settings:
    spec = {"scope": {"namespaces": ["*"]}, "serves": "reliability", "priority": 90, "autonomy": {"*": "auto"}, "vouched": {"*": "auto"}}
    documents: list[dict[str, Any]] = [{"kind": "Objective", "metadata": {"name": "experiments"}, "spec": spec}]
    for agent, kinds in ALL.items():
        documents.append({"kind": "Grant", "metadata": {"name": agent}, "spec": {"agent": agent, "capabilities": list(kinds)}})
    wanted = folder / "documents.yaml"
    wanted.write_text(yaml.safe_dump_all({"apiVersion": "day2.dev/v1alpha1", **item} for item in documents))
    return Settings(
        profile="demo",
        kubernetes=KubernetesSettings(
            kubeconfig=guard.files["reader"], judge_kubeconfig=guard.files["judge"], executor_kubeconfig=guard.files["executor"]
        ),
        store=StoreSettings(data_dir=guard.folder),
        policy=PolicySettings(objectives=wanted),
        flow=FlowSettings(poll_seconds=0.1),
        gate=GateSettings(webhook_url=guard.url, webhook_ca_file=guard.ca),
    )


async def play(guard: Guarded, folder: Path, namespace: str, fault: dict[str, Any], touched: str) -> tuple[dict[str, Any], Any, Any, Any]:
    path = await asyncio.to_thread(deploy, guard.plane, namespace)
    before = await asyncio.to_thread(guard.plane.get, touched.format(deployment=path, namespace=namespace))
    async with experiments.opened(settings_of(guard, folder)) as bench:
        asked = experiments.document(namespace, fault, [experiments.ready(2)], duration="12s", recovery="1m")
        report = await bench.run(asked)
        rows = [bench.product.ledger.get(item["id"]) for item in report["actions"]]
        for row in filter(None, rows):
            assert_the_server_tells_the_same(guard, bench.product.ledger, namespace, row.action_id)
    after = await asyncio.to_thread(guard.plane.get, touched.format(deployment=path, namespace=namespace))
    return report, rows, before, after


async def test_a_network_cut_is_made_and_exactly_it_is_deleted_under_the_guard(guard: Guarded, tmp_path: Path) -> None:
    with guard.plane.namespace(OPEN) as namespace:
        policies = "/apis/networking.k8s.io/v1/namespaces/{namespace}/networkpolicies"
        report, (row,), before, after = await play(guard, tmp_path, namespace, {"kind": "network_cut"}, policies)
        assert (row.kind, row.state) == ("cut_network", ActionState.ROLLED_BACK), row.note
        assert report["verdict"]["word"] == "pass", report["verdict"]
        assert report["leftovers"] == []
        assert (before["items"], after["items"]) == ([], [])
        assert report["undone_seconds"] <= 10


async def test_an_image_that_nobody_has_is_rolled_out_and_taken_back_under_the_guard(guard: Guarded, tmp_path: Path) -> None:
    with guard.plane.namespace(OPEN) as namespace:
        report, (row,), before, after = await play(guard, tmp_path, namespace, {"kind": "image_pull_failure"}, "{deployment}")
        assert (row.kind, row.state) == ("set_image", ActionState.ROLLED_BACK), row.note
        assert report["leftovers"] == []
        assert canonical(at_path(before, "spec")) == canonical(at_path(after, "spec"))
        assert after["metadata"]["generation"] > before["metadata"]["generation"]


async def test_a_namespace_that_nobody_opened_is_left_alone(guard: Guarded, tmp_path: Path) -> None:
    with guard.plane.namespace() as namespace:
        report, rows, before, after = await play(guard, tmp_path, namespace, {"kind": "pod_kill"}, "{deployment}")
        assert (report["verdict"]["word"], rows) == ("inconclusive", [])
        assert before["metadata"]["generation"] == after["metadata"]["generation"]
