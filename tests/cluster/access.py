"""The product's identities on the real control plane: the generated RBAC installed, and kubeconfigs with real service account tokens."""

import asyncio
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from core.actions.roles import NAMESPACE, manifests
from tests.controlplane.rig import ControlPlane
from tools.kubernetes import config, transport
from tools.kubernetes.installing import install


def identities(plane: ControlPlane, folder: Path, grants: Mapping[str, Sequence[str]]) -> dict[str, Path]:
    """Kubeconfig files by identity: admin, reader, judge, executor."""
    asyncio.run(_install(plane, grants))
    return kubeconfigs(plane, folder)


def kubeconfigs(plane: ControlPlane, folder: Path, accounts: Sequence[str] = ("reader", "judge", "executor")) -> dict[str, Path]:
    """With tokens of the service accounts, which must be there; and the admin's."""
    files = {"admin": plane.kubeconfig()}
    document = json.loads(plane.kubeconfig().read_text())
    for name in accounts:
        body = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {"expirationSeconds": 3600}}
        answer = plane.request("POST", f"/api/v1/namespaces/{NAMESPACE}/serviceaccounts/{name}/token", body)
        document["users"][0]["user"] = {"token": answer.json()["status"]["token"]}
        files[name] = folder / f"{name}.kubeconfig"
        files[name].touch(0o600)
        files[name].write_text(json.dumps(document))
    return files


async def _install(plane: ControlPlane, grants: Mapping[str, Sequence[str]]) -> None:
    async with transport.connect(config.load(plane.kubeconfig())) as admin:
        await install(admin, manifests(grants))
