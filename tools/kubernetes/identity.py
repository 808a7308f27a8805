"""Who the API server says we are: SelfSubjectReview (authentication.k8s.io/v1, Kubernetes 1.28 and later)."""

from http import HTTPStatus
from typing import NamedTuple

import httpx

from core.domain.errors import NotAuthenticated, Unavailable
from tools.kubernetes import transport

PATH = "/apis/authentication.k8s.io/v1/selfsubjectreviews"
REVIEW = {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"}
NOBODY = ("system:anonymous", "system:unauthenticated")


class Identity(NamedTuple):
    user: str
    groups: tuple[str, ...]


async def whoami(client: httpx.AsyncClient) -> Identity:
    """Raises NotAuthenticated for nobody in particular, Unavailable where the server does not answer this question."""
    try:
        response = await client.post(PATH, json=REVIEW)
    except httpx.HTTPError as error:
        raise transport.unreachable(client, error) from error
    if response.status_code in (HTTPStatus.NOT_FOUND, HTTPStatus.METHOD_NOT_ALLOWED):
        raise Unavailable("SelfSubjectReview", 60.0, reason="the API server is older than 1.28")
    transport.raise_for(response, right="create authentication.k8s.io/selfsubjectreviews")
    status = response.json().get("status") or {}
    found = status.get("userInfo") or {}
    user, groups = str(found.get("username") or ""), tuple(str(group) for group in found.get("groups") or ())
    if not user or {user, *groups} & set(NOBODY):
        raise NotAuthenticated(
            "the API server does not know who this is", mend="use a kubeconfig with credentials of your own: --kubeconfig"
        )
    return Identity(user, groups)
