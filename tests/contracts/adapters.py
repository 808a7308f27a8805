"""What every Kubernetes API that we read and write must do for our adapters. The simulator and the real control plane run the same class.

A subclass gives the fixture `cluster`: a place with its own namespace and an admin connection.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from core.actions.roles import manifests
from core.cluster.decoding import Decoded
from core.cluster.kinds import KINDS
from core.domain.api_request import ApiRequest
from core.domain.errors import Conflict, NotAuthorised, Refused
from tools.hand_clock import HandClock
from tools.kubernetes import config, transport
from tools.kubernetes.following import Pace, following
from tools.kubernetes.installing import install
from tools.kubernetes.snapshots import SnapshotReader
from tools.kubernetes.writer import ImpersonatingWriter, PreviewWriter

STRATEGIC = "application/strategic-merge-patch+json"


@dataclass(frozen=True)
class Cluster:
    """One API server with a namespace of the test's own. Kubeconfigs by identity: admin, reader, judge, executor."""

    kubeconfigs: dict[str, Path]
    namespace: str

    @asynccontextmanager
    async def client(self, identity: str = "admin") -> AsyncIterator[httpx.AsyncClient]:
        async with transport.connect(config.load(self.kubeconfigs[identity])) as client:
            yield client


GRANTS = {"scaling": ("scale_workload", "set_hpa_bounds", "suspend_job")}


async def prepared(cluster: "Cluster") -> "Cluster":
    """The cluster with the generated RBAC and its namespace."""
    async with cluster.client() as admin:
        await install(admin, (*manifests(GRANTS), {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": cluster.namespace}}))
    return cluster


def deployment(namespace: str, name: str, replicas: int = 2) -> dict[str, Any]:
    labels = {"app": name}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "namespace": namespace, "labels": labels},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": labels},
            "template": {
                "metadata": {"labels": labels},
                "spec": {
                    "containers": [
                        {"name": "main", "image": "registry.example/app:v1", "resources": {"requests": {"cpu": "100m", "memory": "64Mi"}}}
                    ]
                },
            },
        },
    }


def patch_request(cluster: Cluster, name: str, uid: str, body: dict[str, Any]) -> ApiRequest:
    return ApiRequest(
        verb="patch",
        group="apps",
        version="v1",
        resource="deployments",
        namespace=cluster.namespace,
        name=name,
        content_type=STRATEGIC,
        body={"metadata": {"uid": uid}} | body,
    )


class AdapterContract:
    """Reading, paging, impersonated writing, previews, refusals."""

    @pytest.fixture
    def clock(self) -> HandClock:
        return HandClock(datetime(2026, 1, 5, 12, 0, tzinfo=UTC))

    async def make(self, cluster: Cluster, *names: str) -> dict[str, str]:
        """Deployments by name to uid."""
        found = {}
        async with cluster.client() as admin:
            for name in names:
                answer = await admin.post(
                    f"/apis/apps/v1/namespaces/{cluster.namespace}/deployments", json=deployment(cluster.namespace, name)
                )
                assert answer.status_code == 201, answer.text
                found[name] = str(answer.json()["metadata"]["uid"])
        return found

    async def test_a_cluster_is_known_by_the_uid_of_its_system_namespace(self, cluster: Cluster, clock: HandClock) -> None:
        async with cluster.client() as admin:
            reader = SnapshotReader(admin, clock)
            system = await reader.get(KINDS["Namespace"], "", "kube-system")
            assert system is not None
            assert await reader.cluster_uid() == system["metadata"]["uid"]

    async def test_an_object_that_is_not_there_is_none_and_not_an_error(self, cluster: Cluster, clock: HandClock) -> None:
        async with cluster.client() as admin:
            assert await SnapshotReader(admin, clock).get(KINDS["Deployment"], cluster.namespace, "nobody") is None

    async def test_a_snapshot_holds_what_was_made_with_its_replica_sets(self, cluster: Cluster, clock: HandClock) -> None:
        uids = await self.make(cluster, "snap-a", "snap-b")
        async with cluster.client() as admin:
            reader = SnapshotReader(admin, clock)
            for _ in range(100):
                snapshot = await reader.snapshot(("Namespace", "Deployment", "ReplicaSet", "Pod"), (cluster.namespace,))
                sets = [item for uid in uids.values() for item in snapshot.owned(uid, "ReplicaSet")]
                if len(sets) == 2:
                    break
                await asyncio.sleep(0.1)
        assert {item.metadata.name: item.metadata.uid for item in snapshot.of("Deployment")} == uids
        assert len(sets) == 2
        assert snapshot.unread == {}

    async def test_a_list_longer_than_a_page_is_whole(self, cluster: Cluster, clock: HandClock) -> None:
        async with cluster.client() as admin:
            for number in range(7):
                body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": f"page-{number}", "namespace": cluster.namespace}}
                assert (await admin.post(f"/api/v1/namespaces/{cluster.namespace}/configmaps", json=body)).status_code == 201
            first = (await admin.get(f"/api/v1/namespaces/{cluster.namespace}/configmaps", params={"limit": "3"})).json()
            second = (
                await admin.get(
                    f"/api/v1/namespaces/{cluster.namespace}/configmaps", params={"limit": "500", "continue": first["metadata"]["continue"]}
                )
            ).json()
            whole = await SnapshotReader(admin, clock).list(KINDS["ConfigMap"], cluster.namespace)
        names = [item["metadata"]["name"] for item in [*first["items"], *second["items"]]]
        assert len(first["items"]) == 3
        assert names == [item["metadata"]["name"] for item in whole]

    async def test_a_burst_of_writes_is_followed_whole_also_when_watches_end(self, cluster: Cluster, clock: HandClock) -> None:
        """The server may end a watch at any time; ours also ends each after a second. At the end the mirror is what a list shows."""
        pace = Pace(first=0.05, longest=1.0, watch=1.0)
        kinds = ("ConfigMap", "Pod", "Deployment")
        async with (
            cluster.client() as admin,
            following(config.load(cluster.kubeconfigs["reader"]), clock, kinds, (cluster.namespace,), pace=pace) as reader,
        ):
            assert await reader.follower.settled(30)
            maps = f"/api/v1/namespaces/{cluster.namespace}/configmaps"

            async def written(first: int) -> None:
                for number in range(first, first + 50):
                    assert (await admin.post(maps, json={"metadata": {"name": f"map-{number}"}})).status_code == 201
                    if number % 2:
                        change = {"data": {"number": str(number)}}
                        await admin.patch(f"{maps}/map-{number}", json=change, headers={"Content-Type": "application/merge-patch+json"})
                    if number % 5 == 0:
                        await admin.delete(f"{maps}/map-{number}")

            await asyncio.gather(*(written(first) for first in range(0, 300, 50)))
            listed = await SnapshotReader(admin, clock).snapshot(("ConfigMap",), (cluster.namespace,))
            wanted = {(item.metadata.name, item.metadata.resource_version) for item in listed.of("ConfigMap")}
            assert len(wanted) >= 240
            async with asyncio.timeout(30):
                while True:
                    held = reader.follower.held("ConfigMap", (cluster.namespace,))
                    if (
                        isinstance(held, Decoded)
                        and {(each.metadata.name, each.metadata.resource_version) for each in held.items} == wanted
                    ):
                        break
                    await asyncio.sleep(0.05)
            assert (await reader.snapshot(kinds, (cluster.namespace,))).unread == {}

    async def test_labels_select(self, cluster: Cluster, clock: HandClock) -> None:
        await self.make(cluster, "chosen", "other")
        async with cluster.client() as admin:
            found = await SnapshotReader(admin, clock).list(KINDS["Deployment"], cluster.namespace, labels={"app": "chosen"})
        assert [item["metadata"]["name"] for item in found] == ["chosen"]

    async def test_a_reader_may_not_write_and_is_told_which_right_is_missing(self, cluster: Cluster) -> None:
        uids = await self.make(cluster, "guarded")
        async with cluster.client("reader") as reader:
            answer = await reader.patch(
                f"/apis/apps/v1/namespaces/{cluster.namespace}/deployments/guarded",
                json={"spec": {"replicas": 9}},
                headers={"Content-Type": STRATEGIC},
            )
            with pytest.raises(NotAuthorised) as refused:
                transport.raise_for(answer, right="patch apps/deployments")
        assert uids
        assert 'apiGroups: ["apps"], resources: ["deployments"], verbs: ["patch"]' in refused.value.mend

    async def test_the_executor_alone_has_no_write_verb(self, cluster: Cluster) -> None:
        await self.make(cluster, "lonely")
        async with cluster.client("executor") as executor:
            path = f"/apis/apps/v1/namespaces/{cluster.namespace}/deployments/lonely"
            plain = await executor.patch(path, json={"spec": {"replicas": 9}}, headers={"Content-Type": STRATEGIC})
            empty = await executor.patch(path, json={"spec": {"replicas": 9}}, headers={"Content-Type": STRATEGIC, "Impersonate-User": ""})
            master = await executor.patch(
                path,
                json={"spec": {"replicas": 9}},
                headers={"Content-Type": STRATEGIC, "Impersonate-User": "x", "Impersonate-Group": "system:masters"},
            )
        assert {plain.status_code, empty.status_code, master.status_code} == {403}

    async def test_the_executor_writes_as_the_agent_and_reads_back_what_was_stored(self, cluster: Cluster, clock: HandClock) -> None:
        uids = await self.make(cluster, "moved")
        request = patch_request(cluster, "moved", uids["moved"], {"spec": {"replicas": 3}})
        async with cluster.client("executor") as executor, cluster.client() as admin:
            preview = await ImpersonatingWriter(executor).send(request, agent="scaling", permit="a.b.c", dry_run=True)
            before = await SnapshotReader(admin, clock).get(KINDS["Deployment"], cluster.namespace, "moved")
            stored = await ImpersonatingWriter(executor).send(request, agent="scaling", permit="a.b.c")
            after = await SnapshotReader(admin, clock).get(KINDS["Deployment"], cluster.namespace, "moved")
        assert before is not None
        assert after is not None
        assert preview["spec"]["replicas"] == 3
        assert before["spec"]["replicas"] == 2
        assert stored["spec"]["replicas"] == after["spec"]["replicas"] == 3
        assert after["metadata"]["generation"] == before["metadata"]["generation"] + 1
        assert any(entry["manager"] == "day2ops-scaling" for entry in after["metadata"]["managedFields"])

    async def test_an_agent_may_do_only_what_its_kinds_need(self, cluster: Cluster) -> None:
        uids = await self.make(cluster, "narrow")
        request = patch_request(cluster, "narrow", uids["narrow"], {"spec": {"replicas": 3}})
        other = request.model_copy(update={"group": "", "resource": "secrets", "name": "any"})
        async with cluster.client("executor") as executor:
            with pytest.raises(NotAuthorised):
                await ImpersonatingWriter(executor).send(other, agent="scaling", permit="a.b.c")

    async def test_a_new_object_under_the_old_name_is_not_written(self, cluster: Cluster) -> None:
        await self.make(cluster, "reborn")
        request = patch_request(cluster, "reborn", "00000000-0000-0000-0000-000000000000", {"spec": {"replicas": 3}})
        async with cluster.client("executor") as executor:
            with pytest.raises((Conflict, Refused)):
                await ImpersonatingWriter(executor).send(request, agent="scaling", permit="a.b.c")

    async def test_the_judge_previews_and_nothing_is_stored(self, cluster: Cluster, clock: HandClock) -> None:
        uids = await self.make(cluster, "previewed")
        request = patch_request(cluster, "previewed", uids["previewed"], {"spec": {"replicas": 4}})
        async with cluster.client("judge") as judge, cluster.client() as admin:
            shown = await PreviewWriter(judge).preview(request, agent="scaling")
            kept = await SnapshotReader(admin, clock).get(KINDS["Deployment"], cluster.namespace, "previewed")
            asked = SnapshotReader(judge, clock)
            allowed = await asked.allowed("day2:agent:scaling", "patch", "apps", "deployments", "", cluster.namespace)
            refused = await asked.allowed("day2:agent:scaling", "delete", "apps", "deployments", "", cluster.namespace)
        assert kept is not None
        assert (shown["spec"]["replicas"], kept["spec"]["replicas"]) == (4, 2)
        assert (allowed, refused) == (True, False)

    async def test_a_mistake_in_the_patch_is_refused_with_the_servers_words(self, cluster: Cluster) -> None:
        uids = await self.make(cluster, "typo")
        request = patch_request(cluster, "typo", uids["typo"], {"spec": {"replicas": -1}})
        async with cluster.client("judge") as judge:
            with pytest.raises(Refused, match="replicas"):
                await PreviewWriter(judge).preview(request, agent="scaling")
