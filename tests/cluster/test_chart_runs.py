"""The chart installed into a real API server by the real helm, and one whole action by the processes of its pods.

The pods' documents are admitted, scheduled and played by the control plane; their processes run here, as the chart says, with tokens of
the chart's own accounts. The API server asks the webhook at an address, because no Service has a network here. The ledger is
in sqlite on the claim, as by default, and then in Postgres.
"""

import asyncio
import base64
import json
import re
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import yaml

from core.actions.scale_workload import ScaleWorkload
from core.domain.evidence import observe
from core.domain.ledger import ActionRow, Ledger
from core.domain.outcome import TERMINAL, ActionState
from core.domain.proposal import Effect, Proposal
from core.domain.target import Target
from core.domain.values import Json
from gate.audit import verify_ledger
from gate.door import LedgerDoor
from runtime import settings as configuration
from runtime.roles import everything
from runtime.services import reconciling, server_log
from tests.cluster.charted import CHART, GRANT, NAMESPACE, RELEASE, ROOT, Pods, emptied, in_cluster, merged, volume
from tests.cluster.guarded import free_port
from tests.cluster.test_whole_runs import deploy
from tests.controlplane import certificates
from tools.clocks import SystemClock
from tools.kubernetes import config, identity, transport
from tools.stores import tables
from tools.stores.opening import Database

if TYPE_CHECKING:
    from tests.controlplane.rig import ControlPlane

pytestmark = pytest.mark.timeout(300)
FIRST, OTHERS = "controller", ("webhook", "judge", "notifier", "executor")
ACCOUNTS = {"controller": "reader", "judge": "judge", "executor": "executor", "notifier": "notifier"}


@dataclass
class Release:
    """The chart in mode `act`, managing one namespace."""

    plane: "ControlPlane"
    pods: Pods
    managed: str
    said: dict[str, Json]

    address: str = ""

    @property
    def settings(self) -> configuration.Settings:
        file = self.pods.root("controller") / "etc/day2/day2.yaml"
        return configuration.load({"store.ledger_url": self.address or None}, environment={}, files=(file,)).settings


def values_for(managed: str, ca: str, port: int) -> Json:
    spec = {"scope": {"namespaces": [managed]}, "serves": "performance", "priority": 90, "autonomy": {"*": "auto"}}
    objective = {"apiVersion": "day2.dev/v1alpha1", "kind": "Objective", "metadata": {"name": "runs"}, "spec": spec}
    return {
        "mode": "act",
        "namespaces": [managed],
        "documents": [objective, GRANT],
        "config": {"flow": {"poll_seconds": 0.05}},
        "webhook": {"port": port, "url": f"https://127.0.0.1:{port}", "caBundle": ca, "caSecret": "day2-webhook-ca"},
        "networkPolicy": {"apiServer": {"cidrs": ["127.0.0.1/32"]}},
        "metrics": {"dashboard": True},
    }


def authority(plane: "ControlPlane", folder: Path) -> str:
    """A CA for the webhook, as docs/deploying.md has people make it; its certificate."""
    certificates.save(folder, "ca", *certificates.new_authority("day2-webhook-ca"))
    found = {name: (folder / f"ca.{end}").read_bytes() for name, end in (("tls.crt", "crt"), ("tls.key", "key"))}
    secret(plane, "day2-webhook-ca", "kubernetes.io/tls", found)
    return found["tls.crt"].decode()


def secret(plane: "ControlPlane", name: str, kind: str, content: dict[str, bytes]) -> None:
    data = {key: base64.b64encode(value).decode() for key, value in content.items()}
    meta = {"name": name, "labels": {"app.kubernetes.io/part-of": "day2ops"}}
    body = {"apiVersion": "v1", "kind": "Secret", "type": kind, "metadata": meta, "data": data}
    plane.request("POST", f"/api/v1/namespaces/{NAMESPACE}/secrets", body).raise_for_status()


def with_database(plane: "ControlPlane", address: str, values: Json) -> Json:
    """The same over Postgres, whose address is in a Secret; its tables are made anew."""
    database = Database(address)
    with database.writing() as connection:
        tables.metadata.drop_all(connection)
        connection.exec_driver_sql("DROP TABLE IF EXISTS alembic_version")
    database.close()
    secret(plane, "day2-ledger", "Opaque", {"url": address.encode()})
    change = {
        "ledger": {"existingSecret": "day2-ledger"},
        "persistence": {"accessModes": ["ReadWriteMany"]},
        "networkPolicy": {"sql": {"cidrs": ["127.0.0.1/32"]}},
    }
    return merged(values, change)


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def release(request: pytest.FixtureRequest, control_plane: "ControlPlane", tmp_path_factory: pytest.TempPathFactory) -> Iterator[Release]:
    folder = tmp_path_factory.mktemp("chart")
    address = request.getfixturevalue("postgres") if request.param == "postgres" else ""
    with control_plane.namespace() as managed, emptied(control_plane), volume(control_plane):
        values = values_for(managed, authority(control_plane, folder), free_port())
        if address:
            values = with_database(control_plane, address, values)
        in_cluster(control_plane, "install", RELEASE, str(CHART), values=values)
        pods = Pods(control_plane, folder)
        try:
            said = {FIRST: pods.start(FIRST)}
            with ThreadPoolExecutor(len(OTHERS)) as starting:
                said |= zip(OTHERS, starting.map(pods.start, OTHERS), strict=True)
            yield Release(control_plane, pods, managed, said, address)
        finally:
            pods.stop()
            in_cluster(control_plane, "uninstall", RELEASE)


# ------------------------------------------------------------------ one action
async def test_one_whole_action_by_processes_with_tokens_of_the_charts_own_accounts(release: Release) -> None:
    path = await asyncio.to_thread(deploy, release.plane, release.managed)
    wish = await asyncio.to_thread(proposed, release, path, "act-chart00001")
    with everything.ledger(release.settings) as ledger:
        await LedgerDoor(ledger, SystemClock()).submit(wish, by="operator@example.com")
        row = await until(ledger, ActionState.NEEDS_APPROVAL)
        assert row.state is ActionState.NEEDS_APPROVAL, f"{row.note} {row.verdict}"
        await asyncio.to_thread(approve, release)
        row = await until(ledger)
        assert row.state is ActionState.VERIFIED, f"{row.note}: {release.pods.log('executor')}"
        assert (await asyncio.to_thread(release.plane.get, path))["status"]["readyReplicas"] == 3
        assert verify_ledger(ledger).whole
        told_by_the_server(release, ledger)
    await asyncio.to_thread(release.plane.until, lambda: "act-chart00001.verified" in events(release), "an Event of the notifier")
    found = await asyncio.to_thread(scrape, release)
    assert 'day2_actions_total{capability="scale_workload",outcome="verified"} 1.0' in found


def events(release: Release) -> set[str]:
    items = release.plane.get(f"/apis/events.k8s.io/v1/namespaces/{release.managed}/events")["items"]
    return {item["metadata"]["name"] for item in items}


def proposed(release: Release, path: str, action_id: str) -> Proposal:
    now = datetime.now(UTC)
    cluster = str(release.plane.get("/api/v1/namespaces/kube-system")["metadata"]["uid"])
    uid = release.plane.get(path)["metadata"]["uid"]
    target = Target(cluster=cluster, group="apps", kind="Deployment", namespace=release.managed, name="web", uid=uid)
    return Proposal(
        action=ScaleWorkload(id=action_id, target=target, from_replicas=2, to_replicas=3),
        agent="scaling",
        run="run-1",
        why="traffic grows",
        evidence=(observe("metric", target, "rate", "12", now),),
        effect=Effect(summary="enough copies"),
        expires_at=now + timedelta(hours=2),
    )


async def until(ledger: Ledger, *states: ActionState) -> ActionRow:
    for _ in range(1200):
        row = ledger.get("act-chart00001")
        if row is not None and row.state in {*states, *TERMINAL}:
            return row
        await asyncio.sleep(0.1)
    raise AssertionError(f"{row}")


def approve(release: Release) -> None:
    """The command of docs/deploying.md: inside the controller's pod, with credentials of one's own on its input."""
    page = (ROOT / "docs" / "deploying.md").read_text(encoding="utf-8")
    (script,) = re.findall(r"sh -c '(.*day2 approve .*)'", page)
    line = ("sh", "-c", script.replace("act-...", "act-chart00001"))
    done = release.pods.exec("controller", *line, said=release.plane.kubeconfig().read_text())
    assert done.returncode == 0, done.stderr
    assert not (release.pods.root("controller") / "tmp" / "me").exists(), "they do not stay there"


def told_by_the_server(release: Release, ledger: Ledger) -> None:
    """The API server's own audit log has one write, by the agent's user, made by the executor's account with a token for its pod."""
    log = release.plane.layout.audit_log
    found = [event for event in server_log.events(log) if f"/namespaces/{release.managed}/" in event.request_u_r_i]
    told = reconciling.reconcile(found, [row for row in ledger.chain(1, 10_000) if row.subject == "act-chart00001"])
    assert (told.problems, told.writes, told.matched) == ((), 1, 1)
    lines = [json.loads(line) for line in log.read_text().splitlines() if f"/namespaces/{release.managed}/deployments/web" in line]
    (stored,) = [line for line in lines if line.get("impersonatedUser") and line["verb"] == "patch" and "dryRun" not in line["requestURI"]]
    assert stored["impersonatedUser"]["username"] == "day2:agent:scaling"
    assert stored["user"]["username"] == f"system:serviceaccount:{NAMESPACE}:executor"
    assert "system:masters" not in stored["user"]["groups"]
    assert any(key.startswith("authentication.kubernetes.io/credential-id") for key in stored["user"]["extra"])


def scrape(release: Release) -> str:
    port = release.said["notifier"]["port"]
    if not port:  # another control plane's test has it
        pytest.skip("the port of the chart's metrics is taken on this machine")
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
        return str(answer.read().decode())


# ------------------------------------------------------------------ what stands in the cluster
def test_each_process_is_its_own_account_and_nobodys_else(release: Release) -> None:
    async def who(role: str) -> str:
        found = config.load(release.pods.root(role) / "etc/day2/kubeconfig", server=release.plane.url)
        async with transport.connect(found) as client:
            return (await identity.whoami(client)).user

    names = {role: asyncio.run(who(role)) for role in ACCOUNTS}
    assert names == {role: f"system:serviceaccount:{NAMESPACE}:{account}" for role, account in ACCOUNTS.items()}
    webhook = release.pods.spec("webhook")
    assert not any("projected" in item for item in webhook["volumes"])
    assert not (release.pods.root("webhook") / "var/run").exists(), "the webhook has no token"


def test_no_role_finds_anothers_private_key_or_settings(release: Release) -> None:
    found = {path.name: sorted(item.name for item in path.iterdir()) for path in (release.pods.data / "private").iterdir()}
    leaf, _ = found.pop("webhook")
    assert leaf.endswith(".pem")
    own = {role: [f"{role}.json", f"{role}.settings.json"] for role in ("judge", "executor", "notifier")}
    beside = ["controller.json", "door-cli.json", "scheduler.settings.json"]  # the scheduler is a child in the controller's pod
    assert found == {**own, "controller": beside}
    shared = {path.name for path in (release.pods.data / "shared" / "data" / "keys").iterdir()}
    assert shared == {f"{name}.pub.json" for name in ("controller", "door-cli", "judge", "executor", "notifier")}
    assert not list((release.pods.data / "shared" / "data").glob("*.settings.json")), "nobody changes what another will be told"


def test_every_pod_is_admitted_at_the_restricted_level_and_all_are_on_one_node(release: Release) -> None:
    plane = release.plane

    def pods() -> list[Json]:
        found: list[Json] = plane.get(f"/api/v1/namespaces/{NAMESPACE}/pods?labelSelector=app.kubernetes.io/instance={RELEASE}")["items"]
        return found

    plane.until(lambda: [bool(pod["spec"].get("nodeName")) for pod in pods()] == [True] * (1 + len(OTHERS)), "five pods on nodes", 60)
    if not release.address:  # sqlite: one claim, mounted once
        assert len({pod["spec"]["nodeName"] for pod in pods()}) == 1
    (hook,) = yaml.safe_load_all(in_cluster(plane, "get", "hooks", RELEASE))
    answer = plane.request("POST", f"/api/v1/namespaces/{NAMESPACE}/pods?dryRun=All", hook)
    assert answer.status_code == 201, f"the pod of `helm test`: {answer.text}"
    loose = {**pods()[0], "metadata": {"name": "loose"}, "status": {}}
    loose["spec"] = {"containers": [{"name": "a", "image": "app:1"}]}
    answer = plane.request("POST", f"/api/v1/namespaces/{NAMESPACE}/pods?dryRun=All", loose)
    assert (answer.status_code, "restricted" in answer.text) == (403, True), "the level holds"


def test_nothing_of_ours_may_write_by_itself_and_the_doctor_says_so(release: Release) -> None:
    done = release.pods.exec("controller", "day2", "doctor", "-o", "json")
    assert done.returncode == 0, done.stdout + done.stderr
    lines = {item["check"]: item for item in json.loads(done.stdout)["items"]}
    assert lines["guard"]["state"] == "ok", lines["guard"]
    assert lines["audit chain"]["state"] == "ok"
