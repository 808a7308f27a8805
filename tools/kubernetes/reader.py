"""Reads full objects of one cluster over HTTP: the adapter behind `core.cluster.reading.ObjectReader`, for judge and executor."""

import re
from collections.abc import Callable, Mapping, Sequence
from http import HTTPStatus
from typing import TypeVar
from urllib.parse import quote

import httpx
import msgspec

from core.cluster.kinds import KINDS, Kind
from core.domain.api_request import Right
from core.domain.errors import NotAuthorised, Unavailable
from core.domain.values import Json
from tools.kubernetes import transport

T = TypeVar("T")
PAGE = 500
LIST_ATTEMPTS = 3


class HttpReader:
    """The client is owned by the caller, who closes it."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client
        self._uid = ""

    async def cluster_uid(self) -> str:
        if not self._uid:
            found = await self.get(KINDS["Namespace"], "", "kube-system")
            self._uid = str((found or {}).get("metadata", {}).get("uid") or "")
            if not self._uid:
                raise Unavailable("the cluster's identity", 5.0, reason="the namespace kube-system has no uid")
        return self._uid

    async def get(self, kind: Kind, namespace: str, name: str) -> Json | None:
        response = await transport.read(
            self._client, kind.path(quote(namespace, safe=""), quote(name, safe="")), right=f"get {resource_of(kind)}"
        )
        return None if response.status_code == HTTPStatus.NOT_FOUND else _object(response.content)

    async def list(self, kind: Kind, namespace: str = "", *, labels: Mapping[str, str] | None = None) -> Sequence[Json]:
        params = {"labelSelector": ",".join(f"{key}={value}" for key, value in sorted(labels.items()))} if labels else {}
        pages = await self.pages(kind, namespace, params, _plain_page)
        return [item for page in pages for item in page]

    async def usage(self, namespace: str) -> Sequence[Json]:
        path = f"/apis/metrics.k8s.io/v1beta1/namespaces/{quote(namespace, safe='')}/pods"
        try:
            response = await transport.read(self._client, path, right="list metrics.k8s.io/pods")
        except (Unavailable, NotAuthorised):
            return ()
        return () if response.status_code == HTTPStatus.NOT_FOUND else tuple(_object(response.content).get("items") or ())

    async def minor(self) -> int:
        """The Kubernetes version 1.N of the server; 0 for what is no version."""
        response = await transport.read(self._client, "/version", right="get /version")
        version = _object(response.content)
        digits = re.match(r"\d+", str(version.get("minor", "")))
        return int(digits[0]) if digits and str(version.get("major")) == "1" else 0

    async def may(self, right: Right, *, namespace: str = "", name: str = "") -> bool:
        """Whether we ourselves hold a right: a SelfSubjectAccessReview. Without a namespace, everywhere; without a name, all of them."""
        attributes = right.model_dump() | {"namespace": namespace, "name": name}
        return await self._review("selfsubjectaccessreviews", {"resourceAttributes": attributes})

    async def allowed(self, user: str, verb: str, group: str, resource: str, subresource: str, namespace: str) -> bool:
        right = Right(verb=verb, group=group, resource=resource, subresource=subresource)
        attributes = right.model_dump() | {"namespace": namespace}
        return await self._review(
            "subjectaccessreviews", {"user": user, "groups": ["system:authenticated"], "resourceAttributes": attributes}
        )

    async def _review(self, resource: str, spec: Json) -> bool:
        kind = {"subjectaccessreviews": "SubjectAccessReview", "selfsubjectaccessreviews": "SelfSubjectAccessReview"}[resource]
        body = {"apiVersion": "authorization.k8s.io/v1", "kind": kind, "spec": spec}
        try:
            response = await self._client.post(f"/apis/authorization.k8s.io/v1/{resource}", json=body)
        except httpx.HTTPError as error:
            raise transport.unreachable(self._client, error) from error
        transport.raise_for(response, right=f"create authorization.k8s.io/{resource}")
        return bool((_object(response.content).get("status") or {}).get("allowed"))

    async def pages(self, kind: Kind, namespace: str, params: Mapping[str, str], read: Callable[[bytes], tuple[T, str]]) -> Sequence[T]:
        """Every page of a list; `read` gives a page's value and the token of the next. A list that expires (410) is begun again."""
        path, right = kind.path(quote(namespace, safe="")), f"list {resource_of(kind)}"
        for _ in range(LIST_ATTEMPTS):
            found: list[T] = []
            token = ""
            while True:
                asked = {"limit": str(PAGE), **params} | ({"continue": token} if token else {})
                response = await transport.read(self._client, path, params=asked, right=right)
                if response.status_code == HTTPStatus.GONE:
                    break
                if response.status_code == HTTPStatus.NOT_FOUND:
                    raise Unavailable(f"the API for {kind.resource}", 60.0, reason="not served by this cluster")
                value, token = read(response.content)
                found.append(value)
                if not token:
                    return found
        raise Unavailable("the Kubernetes API", 5.0, reason=f"the list of {kind.resource} expired {LIST_ATTEMPTS} times")


def _plain_page(body: bytes) -> "tuple[list[Json], str]":
    found = _object(body)
    return list(found.get("items") or ()), str((found.get("metadata") or {}).get("continue") or "")


def _object(body: bytes) -> Json:
    try:
        found = msgspec.json.decode(body)
    except msgspec.DecodeError as error:
        raise Unavailable("the Kubernetes API", 2.0, reason="the answer is no JSON") from error
    if not isinstance(found, dict):
        raise Unavailable("the Kubernetes API", 2.0, reason="the answer is no object")
    return found


def resource_of(kind: Kind) -> str:
    return f"{kind.group}/{kind.resource}" if kind.group else kind.resource
