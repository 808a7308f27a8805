"""A node is lost on the real control plane: its pod moves and its volume is detached by the real controllers, under the whole guard.

Real: the API server with the guard and the webhook, the node, taint, garbage, attach-detach and StatefulSet controllers, the scheduler,
judge and executor. Played: the nodes, and the driver's attacher, which only says that a volume is attached. No volume is mounted anywhere:
that the old node still uses it stands in its status, as its kubelet left it.
"""

import asyncio
import contextlib
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from core.domain.outcome import ActionState
from gate.audit import verify_ledger
from runtime.roles import deciding, everything
from runtime.services import healings
from runtime.settings import (
    FlowSettings,
    GateSettings,
    HealingSettings,
    KubernetesSettings,
    PolicySettings,
    Settings,
    StoreSettings,
)
from tests.cluster.guarded import GRANTS, Guarded, guarded
from tools.clocks import SystemClock

if TYPE_CHECKING:
    from tests.controlplane.rig import ControlPlane

pytestmark = pytest.mark.timeout(540)
DRIVER = "disks.example"
STRATEGIC = "application/strategic-merge-patch+json"
PEOPLE = ("first-approver@example.com", "second-approver@example.com")


@pytest.fixture(scope="module")
def guard(control_plane: "ControlPlane", tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guarded]:
    with guarded(control_plane, tmp_path_factory.mktemp("healing")) as found:
        yield found


@pytest.fixture
def pool(control_plane: "ControlPlane") -> Iterator[list[str]]:
    """Five nodes that belong together, in one zone of their own, whose volumes the controller attaches, as every kubelet asks for."""
    labels = {"node.kubernetes.io/instance-type": "healed", "topology.kubernetes.io/zone": "zone-h"}
    names = control_plane.add_nodes(5, "heal", labels=labels)
    for name in names:
        note = {"metadata": {"annotations": {"volumes.kubernetes.io/controller-managed-attach-detach": "true"}}}
        control_plane.request("PATCH", f"/api/v1/nodes/{name}", note, content_type=STRATEGIC).raise_for_status()
    yield names
    control_plane.remove_nodes(names)


def settings_of(guard: Guarded, folder: Path) -> Settings:
    spec = {"scope": {"namespaces": ["*"]}, "serves": "reliability", "priority": 90, "autonomy": {"*": "auto"}, "vouched": {"*": "auto"}}
    documents: list[dict[str, Any]] = [{"kind": "Objective", "metadata": {"name": "healing"}, "spec": spec}]
    for agent, kinds in GRANTS.items():
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
        healing=HealingSettings(poll_seconds=1.0, calm_minutes=1),
    )


class Disk:
    """One volume of a driver that attaches; its attacher is played."""

    def __init__(self, plane: "ControlPlane", namespace: str) -> None:
        self.plane, self.namespace, self.name = plane, namespace, f"disk-{namespace}"
        driver = {"apiVersion": "storage.k8s.io/v1", "kind": "CSIDriver", "metadata": {"name": DRIVER}, "spec": {"attachRequired": True}}
        assert plane.request("POST", "/apis/storage.k8s.io/v1/csidrivers", driver).status_code in (201, 409)
        once = {"accessModes": ["ReadWriteOnce"], "storageClassName": ""}
        volume = {
            **once,
            "capacity": {"storage": "1Gi"},
            "csi": {"driver": DRIVER, "volumeHandle": self.name},
            "claimRef": {"namespace": namespace, "name": "data"},
        }
        claim = {**once, "resources": {"requests": {"storage": "1Gi"}}, "volumeName": self.name}
        self._made("/api/v1/persistentvolumes", "v1", "PersistentVolume", self.name, volume)
        self._made(f"/api/v1/namespaces/{namespace}/persistentvolumeclaims", "v1", "PersistentVolumeClaim", "data", claim)

    def _made(self, path: str, version: str, kind: str, name: str, spec: dict[str, Any]) -> None:
        body = {"apiVersion": version, "kind": kind, "metadata": {"name": name}, "spec": spec}
        self.plane.request("POST", path, body).raise_for_status()

    def attached_to(self) -> list[str]:
        items = self.plane.get("/apis/storage.k8s.io/v1/volumeattachments")["items"]
        return [item["spec"]["nodeName"] for item in items if item["spec"]["source"].get("persistentVolumeName") == self.name]

    def attach(self) -> None:
        """What the driver's attacher does: say that it is so."""
        for item in self.plane.get("/apis/storage.k8s.io/v1/volumeattachments")["items"]:
            if item["spec"]["attacher"] == DRIVER and not item.get("status", {}).get("attached"):
                path = f"/apis/storage.k8s.io/v1/volumeattachments/{item['metadata']['name']}/status"
                self.plane.request("PATCH", path, {"status": {"attached": True}}, content_type="application/merge-patch+json")

    def used_by(self, node: str) -> None:
        """What a kubelet writes while the volume is mounted, and what stays when it dies."""
        status = {"status": {"volumesInUse": [f"kubernetes.io/csi/{DRIVER}^{self.name}"]}}
        self.plane.request("PATCH", f"/api/v1/nodes/{node}/status", status, content_type=STRATEGIC).raise_for_status()

    def remove(self) -> None:
        self.plane.request("DELETE", f"/api/v1/persistentvolumes/{self.name}")


def store(plane: "ControlPlane", namespace: str) -> None:
    """A StatefulSet of one member with the volume, on the pool; it leaves a lost node after five seconds."""
    leaving = [
        {"key": f"node.kubernetes.io/{key}", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 5}
        for key in ("not-ready", "unreachable")
    ]
    pod = {
        "nodeSelector": {"node.kubernetes.io/instance-type": "healed"},
        "tolerations": leaving,
        "containers": [{"name": "db", "image": "app:1", "volumeMounts": [{"name": "data", "mountPath": "/data"}]}],
        "volumes": [{"name": "data", "persistentVolumeClaim": {"claimName": "data"}}],
    }
    template = {"metadata": {"labels": {"app": "db"}}, "spec": pod}
    spec = {"replicas": 1, "serviceName": "db", "selector": {"matchLabels": {"app": "db"}}, "template": template}
    body = {"apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": {"name": "db"}, "spec": spec}
    plane.request("POST", f"/apis/apps/v1/namespaces/{namespace}/statefulsets", body).raise_for_status()


def member(plane: "ControlPlane", namespace: str) -> dict[str, Any]:
    answer = plane.request("GET", f"/api/v1/namespaces/{namespace}/pods/db-0")
    found: dict[str, Any] = answer.json() if answer.is_success else {"metadata": {}, "spec": {}, "status": {}}
    return found


def lose(plane: "ControlPlane", node: str) -> None:
    """Its lease and its status are renewed by nobody from now on."""
    plane.request("PATCH", f"/api/v1/nodes/{node}", {"metadata": {"labels": {"type": "lost"}}}, content_type=STRATEGIC).raise_for_status()


async def test_a_lost_nodes_pod_moves_and_its_volume_is_detached_by_the_real_controllers(
    guard: Guarded, pool: list[str], namespace: str, tmp_path: Path, record_property: Any
) -> None:
    plane, settings = guard.plane, settings_of(guard, tmp_path)
    disk = Disk(plane, namespace)
    attaching = asyncio.create_task(_attaching(disk))
    try:
        await asyncio.to_thread(store, plane, namespace)
        await _until(lambda: bool(disk.attached_to()) and _runs(member(plane, namespace)), "the member with its volume")
        first = member(plane, namespace)
        node = first["spec"]["nodeName"]
        assert disk.attached_to() == [node]
        await asyncio.to_thread(disk.used_by, node)
        await asyncio.to_thread(lose, plane, node)
        lost_at = time.monotonic()
        await _until(lambda: bool(member(plane, namespace)["metadata"].get("deletionTimestamp")), "the member marked for deletion", 90)
        assert disk.attached_to() == [node], "nobody takes a volume from a node that may still write to it"
        async with everything.opened(settings) as product:
            snapshot = await product.reading.reader.snapshot(("Namespace", "Node"))
            now = SystemClock().now()
            episode = healings.begun(snapshot, node, now, [], by="operator@example.com", asked="it does not answer")
            healings.record(product.ledger, episode, now, role="controller")
            product.controller.heal_open()
            healing = product.controller.following.heal(episode)
            approving = asyncio.create_task(_approving(settings, product))
            moved = asyncio.create_task(_moved(disk, first, node))
            done = await healing
            approving.cancel()
            assert [stamp.stage.value for stamp in done.stamps] == [
                "suspected", "confirmed", "cordoned", "fenced", "released", "replaced", "healed",
            ], done.why  # fmt: skip
            rows = product.ledger.of_run(episode.id)
            assert [(row.kind, row.state) for row in rows] == [
                ("cordon_node", ActionState.VERIFIED),
                ("fence_node", ActionState.VERIFIED),
            ]
            assert verify_ledger(product.ledger).whole
        seconds = {stamp.stage.value: round((stamp.at - done.stamps[0].at).total_seconds(), 1) for stamp in done.stamps}
        took = {**seconds, "pod_back_after_loss": round(await moved - lost_at, 1)}
        record_property("seconds", json.dumps(took))
        print(f"\nnode healing on the control plane, seconds: {json.dumps(took)}")
        again = member(plane, namespace)
        assert again["metadata"]["uid"] != first["metadata"]["uid"]
        assert again["spec"]["nodeName"] != node
        assert disk.attached_to() == [again["spec"]["nodeName"]]
    finally:
        attaching.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await attaching
        await asyncio.to_thread(disk.remove)


def _runs(pod: dict[str, Any]) -> bool:
    return any(each["type"] == "Ready" and each["status"] == "True" for each in pod.get("status", {}).get("conditions") or ())


async def _until(holds: Any, what: str, seconds: float = 60) -> None:
    await asyncio.to_thread(lambda: None)
    end = time.monotonic() + seconds
    while not await asyncio.to_thread(holds):
        assert time.monotonic() < end, f"waited {seconds} s for {what}"
        await asyncio.sleep(0.25)


async def _attaching(disk: Disk) -> None:
    while True:
        await asyncio.to_thread(disk.attach)
        await asyncio.sleep(0.5)


async def _moved(disk: Disk, first: dict[str, Any], node: str) -> float:
    """When another member is ready elsewhere, with the volume at its own node."""

    def there() -> bool:
        now = member(disk.plane, disk.namespace)
        return now["metadata"].get("uid") != first["metadata"]["uid"] and _runs(now) and disk.attached_to() == [now["spec"]["nodeName"]]

    await _until(there, f"the member away from {node}", 400)
    return time.monotonic()


async def _approving(settings: Settings, product: everything.Everything) -> None:
    """Two people look at the machine, and say that it is off."""
    decide = deciding.door(settings, product.ledger, SystemClock(), name="test")
    given: set[tuple[str, str]] = set()
    while True:
        for row in product.ledger.in_states(ActionState.NEEDS_APPROVAL):
            for by in PEOPLE:
                if (row.action_id, by) not in given:
                    decide(row.action_id, by=by, approve=True, reason="the machine is off: looked at its power")
                    given.add((row.action_id, by))
        await asyncio.sleep(0.2)
