"""Nodes are healed on the real control plane, under the whole guard: one is lost, and its pod moves and its volume is detached; one is ill
and answers, and it is emptied by evictions that a disruption budget holds back, and its machine is made anew.

Real: the API server with the guard and the webhook, its eviction, the node, taint, garbage, disruption, attach-detach, ReplicaSet and
StatefulSet controllers, the scheduler, judge and executor. Played: the nodes, the driver's attacher, which only says that a volume is
attached, and the Cluster API's controllers: who deletes a Machine finds another and its node. No volume is mounted anywhere: that the old
node still uses it stands in its status, as its kubelet left it.
"""

import asyncio
import contextlib
import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

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
from tests.cluster.test_admission import machines
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
def pool(control_plane: "ControlPlane", namespace: str) -> Iterator[list[str]]:
    """Five nodes that belong together, in one zone of their own, whose volumes the controller attaches, as every kubelet asks for. Each
    test has a pool of its own: one that was just healed cools down."""
    labels = {"node.kubernetes.io/instance-type": namespace, "topology.kubernetes.io/zone": "zone-h"}
    names = control_plane.add_nodes(5, f"heal-{namespace}", labels=labels)
    for name in names:
        note = {"metadata": {"annotations": {"volumes.kubernetes.io/controller-managed-attach-detach": "true"}}}
        control_plane.request("PATCH", f"/api/v1/nodes/{name}", note, content_type=STRATEGIC).raise_for_status()
    yield names
    control_plane.remove_nodes(names)


def settings_of(guard: Guarded, folder: Path, machines: Literal["none", "cluster-api"] = "none") -> Settings:
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
        healing=HealingSettings(machines=machines, poll_seconds=1.0, calm_minutes=1),
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
        "nodeSelector": {"node.kubernetes.io/instance-type": namespace},
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


class Provider:
    """Machines of the Cluster API, one behind each node. Who deletes one loses its node, and another comes."""

    def __init__(self, plane: "ControlPlane", namespace: str, nodes: list[str]) -> None:
        self.plane, self.path, self.namespace = plane, f"/apis/cluster.x-k8s.io/v1beta1/namespaces/{namespace}/machines", namespace
        self.made: list[str] = []
        machines(plane)
        self.behind = {node: self._machine(node) for node in nodes}

    def _machine(self, node: str) -> str:
        name = f"machine-{node}"
        uid = self.plane.get(f"/api/v1/nodes/{node}")["metadata"]["uid"]
        owner = {"apiVersion": "cluster.x-k8s.io/v1beta1", "kind": "MachineSet", "name": "pool", "uid": "0-pool", "controller": True}
        body = {
            "apiVersion": "cluster.x-k8s.io/v1beta1",
            "kind": "Machine",
            "metadata": {"name": name, "ownerReferences": [owner]},
            "status": {"nodeRef": {"name": node, "uid": uid}, "conditions": [{"type": "InfrastructureReady", "status": "True"}]},
        }
        self.plane.request("POST", self.path, body).raise_for_status()
        notes = {"cluster.x-k8s.io/machine": name, "cluster.x-k8s.io/cluster-namespace": self.namespace}
        noted = self.plane.request("PATCH", f"/api/v1/nodes/{node}", {"metadata": {"annotations": notes}}, content_type=STRATEGIC)
        noted.raise_for_status()
        return name

    def control(self) -> None:
        left = {item["metadata"]["name"] for item in self.plane.get(self.path)["items"]}
        for node, machine in list(self.behind.items()):
            if machine not in left:
                self.plane.remove_nodes([node])
                del self.behind[node]
                (new,) = self.plane.add_nodes(1, f"new-{self.namespace}", labels={"node.kubernetes.io/instance-type": self.namespace})
                self.made.append(new)
                self.behind[new] = self._machine(new)


def web(plane: "ControlPlane", namespace: str, node: str, others: list[str]) -> None:
    """Two pods that share a node, of which a budget lets one go; then they may run on any node of the pool."""
    spec = {"nodeSelector": {"node.kubernetes.io/instance-type": namespace}, "containers": [{"name": "web", "image": "app:1"}]}
    template = {"metadata": {"labels": {"app": "web"}}, "spec": spec}
    body = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "web"},
        "spec": {"replicas": 2, "selector": {"matchLabels": {"app": "web"}}, "template": template},
    }
    budget = {
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": {"name": "web"},
        "spec": {"minAvailable": 1, "selector": {"matchLabels": {"app": "web"}}},
    }
    for closed in (True, False):
        for other in others:
            patch = {"spec": {"unschedulable": closed or None}}
            plane.request("PATCH", f"/api/v1/nodes/{other}", patch, content_type=STRATEGIC).raise_for_status()
        if closed:
            plane.request("POST", f"/apis/policy/v1/namespaces/{namespace}/poddisruptionbudgets", budget).raise_for_status()
            plane.request("POST", f"/apis/apps/v1/namespaces/{namespace}/deployments", body).raise_for_status()
            plane.until(lambda: [pod["spec"].get("nodeName") for pod in ready(plane, namespace)] == [node, node], "both pods on one node")


def ready(plane: "ControlPlane", namespace: str) -> list[dict[str, Any]]:
    pods: list[dict[str, Any]] = plane.get(f"/api/v1/namespaces/{namespace}/pods")["items"]
    return [pod for pod in pods if _runs(pod) and "deletionTimestamp" not in pod["metadata"]]


def sicken(plane: "ControlPlane", node: str) -> None:
    """What the node problem detector writes; the kubelet goes on."""
    condition = {"type": "KernelDeadlock", "status": "True", "reason": "DockerHung", "lastTransitionTime": "2026-01-01T00:00:00Z"}
    answer = plane.request("PATCH", f"/api/v1/nodes/{node}/status", {"status": {"conditions": [condition]}}, content_type=STRATEGIC)
    answer.raise_for_status()


async def test_an_ill_node_is_emptied_by_evictions_within_the_budget_and_its_machine_is_made_anew(
    guard: Guarded, pool: list[str], namespace: str, tmp_path: Path
) -> None:
    plane, settings, node = guard.plane, settings_of(guard, tmp_path, "cluster-api"), pool[0]
    provider = await asyncio.to_thread(Provider, plane, namespace, pool)
    await asyncio.to_thread(web, plane, namespace, node, pool[1:])
    least: list[int] = []
    playing = [
        asyncio.create_task(_again(provider.control)),
        asyncio.create_task(_again(lambda: least.append(len(ready(plane, namespace))))),
    ]
    try:
        await asyncio.to_thread(sicken, plane, node)
        async with everything.opened(settings) as product:
            snapshot = await product.reading.reader.snapshot(("Namespace", "Node"))
            now = SystemClock().now()
            known = healings.begun(snapshot, node, now, [], by="operator@example.com", asked="its kernel hangs")
            healings.record(product.ledger, known, now, role="controller")
            product.controller.heal_open()
            playing.append(asyncio.create_task(_approving(settings, product)))
            done = await product.controller.following.heal(known)
            rows = [(row.kind, row.state) for row in product.ledger.of_run(known.id)]
            assert verify_ledger(product.ledger).whole
        assert [stamp.stage.value for stamp in done.stamps] == [
            "suspected", "confirmed", "cordoned", "drained", "released", "replaced", "healed",
        ], done.why  # fmt: skip
        assert rows == [(kind, ActionState.VERIFIED) for kind in ("cordon_node", "evict_pod", "evict_pod", "replace_machine")], (
            "each pod left by one eviction of its own"
        )
        assert min(least) >= 1, "one was always Ready; a look may miss the moment in which one is away"
        assert len(provider.made) == 1
        assert {pod["spec"]["nodeName"] for pod in ready(plane, namespace)} <= {*pool[1:], *provider.made}
    finally:
        for task in playing:
            task.cancel()
        await asyncio.gather(*playing, return_exceptions=True)
        await asyncio.to_thread(plane.remove_nodes, provider.made)


async def _again(step: Callable[[], object]) -> None:
    while True:
        await asyncio.to_thread(step)
        await asyncio.sleep(0.25)


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
