"""A cluster-admin's account is cut down to what the API server's own log saw of it, and works on with that alone."""

import ssl
from collections.abc import Iterator

import httpx
import pytest
import yaml

from core.cluster.escalation import Identity
from core.cluster.narrowing import documents
from runtime.services import narrowing, server_log
from tests.controlplane.rig import ControlPlane
from tools.clocks import SystemClock
from tools.kubernetes import config, transport
from tools.kubernetes.snapshots import SnapshotReader

SPACE = "observed"
"""Of whose accounts the rig's audit policy logs reads too."""
BOT = Identity("ServiceAccount", SPACE, "bot")
PODS, MAPS = f"/api/v1/namespaces/{SPACE}/pods", f"/api/v1/namespaces/{SPACE}/configmaps"


@pytest.fixture
def token(control_plane: ControlPlane) -> Iterator[str]:
    """Of a service account that may do everything."""
    plane = control_plane
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": SPACE}}
    plane.request("POST", "/api/v1/namespaces", namespace).raise_for_status()
    account = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "bot"}}
    plane.request("POST", f"/api/v1/namespaces/{SPACE}/serviceaccounts", account).raise_for_status()
    plane.kubectl("create", "clusterrolebinding", "observed-bot", "--clusterrole=cluster-admin", f"--serviceaccount={SPACE}:bot")
    try:
        yield plane.kubectl("create", "token", "bot", "-n", SPACE).strip()
    finally:
        plane.kubectl("delete", "clusterrolebinding", "observed-bot", "--ignore-not-found")
        plane.kubectl("delete", "clusterrole,clusterrolebinding", "narrowed:observed:bot", "--ignore-not-found")
        plane.request("DELETE", f"/api/v1/namespaces/{SPACE}")


def client(plane: ControlPlane, token: str) -> httpx.Client:
    context = ssl.create_default_context(cafile=plane.layout.pki("ca.crt"))
    return httpx.Client(base_url=plane.url, headers={"Authorization": f"Bearer {token}"}, verify=context, trust_env=False)


def work(plane: ControlPlane, token: str) -> list[int]:
    """What the bot does every day."""
    with client(plane, token) as bot:
        body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "state"}, "data": {"at": "1"}}
        answers = [
            bot.get(PODS),
            bot.post(MAPS, json=body),
            bot.get(f"{MAPS}/state"),
            bot.put(f"{MAPS}/state", json=body),
            bot.get("/api/v1/nodes"),
            bot.delete(f"{MAPS}/state"),
        ]
        return [answer.status_code for answer in answers]


def strange(plane: ControlPlane, token: str) -> list[int]:
    """What it never did."""
    with client(plane, token) as bot:
        paths = (f"/api/v1/namespaces/{SPACE}/secrets", "/api/v1/pods", f"{MAPS}/other", "/api/v1/namespaces/kube-system/configmaps")
        return [bot.get(path).status_code for path in paths]


async def test_an_admins_account_goes_on_with_what_it_used_and_nothing_else(control_plane: ControlPlane, token: str) -> None:
    plane = control_plane
    done = work(plane, token)
    assert set(done) <= {200, 201}, done
    seen = narrowing.observed(server_log.events(plane.layout.audit_log), BOT)
    assert (seen.requests, seen.forbidden) == (len(done), 0)
    async with transport.connect(config.load(plane.kubeconfig())) as admin:
        snapshot = await SnapshotReader(admin, SystemClock()).snapshot(narrowing.NEEDED)
    found = narrowing.proposed(snapshot, BOT, seen).narrowed
    assert found.before
    assert found.after == ()
    for binding in found.bindings:
        plane.kubectl("delete", binding.kind, binding.name)
    plane.until(lambda: strange(plane, token)[0] == 403, "the old rights are gone")
    plane.kubectl("apply", "-f", "-", text=yaml.safe_dump_all(list(documents(found))))
    plane.until(lambda: work(plane, token)[0] == 200, "the narrowed role is in force")
    assert set(work(plane, token)) <= {200, 201}
    assert strange(plane, token) == [403, 403, 403, 403]
