"""Puts documents into a cluster with an admin's rights, once: RBAC for the demo's simulated cluster and for tests.

On a real cluster people do it with kubectl.
"""

from collections.abc import Iterable
from http import HTTPStatus

import httpx

from core.domain.errors import Unavailable
from core.domain.values import Json
from tools.kubernetes import transport

COLLECTIONS = {
    "Namespace": "/api/v1/namespaces",
    "ServiceAccount": "/api/v1/namespaces/{namespace}/serviceaccounts",
    "ClusterRole": "/apis/rbac.authorization.k8s.io/v1/clusterroles",
    "ClusterRoleBinding": "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings",
    "Role": "/apis/rbac.authorization.k8s.io/v1/namespaces/{namespace}/roles",
    "RoleBinding": "/apis/rbac.authorization.k8s.io/v1/namespaces/{namespace}/rolebindings",
}


async def install(client: httpx.AsyncClient, manifests: Iterable[Json]) -> None:
    """Create what is not there; what is there is left as it is. Raises what a refusal means."""
    for manifest in manifests:
        meta = manifest["metadata"]
        path = COLLECTIONS[manifest["kind"]].format(namespace=meta.get("namespace", ""))
        try:
            answer = await client.post(path, json=manifest)
        except httpx.HTTPError as error:
            raise transport.unreachable(client, error) from error
        if answer.status_code == HTTPStatus.CONFLICT:
            continue
        transport.raise_for(answer, right=f"create {path.rsplit('/', 1)[-1]}")
        if answer.status_code == HTTPStatus.NOT_FOUND:
            raise Unavailable("the Kubernetes API", 1.0, reason=f"{path} is not served")
