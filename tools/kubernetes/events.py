"""Creates Kubernetes Events as the notifier, an identity that may do nothing else. No permit travels here, and none is needed."""

from http import HTTPStatus

import httpx

from core.domain.errors import Refused, Unavailable
from core.domain.values import Json
from tools.kubernetes import transport


class HttpEvents:
    """Over a connection with the notifier's own credentials."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client

    async def write(self, event: Json) -> None:
        space = event["metadata"]["namespace"]
        try:
            answer = await self._client.post(f"/apis/events.k8s.io/v1/namespaces/{space}/events", json=event)
        except httpx.HTTPError as error:
            raise transport.unreachable(self._client, error) from error
        code = answer.status_code
        if code == HTTPStatus.CONFLICT:  # this very Event, from before a crash
            return
        if code == HTTPStatus.TOO_MANY_REQUESTS or code >= HTTPStatus.INTERNAL_SERVER_ERROR:
            raise Unavailable("the Kubernetes API", 2.0, reason=f"HTTP {code}")
        if code == HTTPStatus.NOT_FOUND:
            raise Refused((f"namespace {space} is not there any more",))
        transport.raise_for(answer, right="create events.k8s.io/events")
