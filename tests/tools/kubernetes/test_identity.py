"""Who the API server says we are, and that nobody in particular is nobody. A small server of the test's own answers as scripted."""

from typing import Any

import httpx
import pytest

from core.domain.errors import Day2Error, NotAuthenticated, NotAuthorised, Unavailable
from tools.kubernetes.identity import Identity, whoami


def client(answer: httpx.Response | Exception) -> httpx.AsyncClient:
    def reply(request: httpx.Request) -> httpx.Response:
        assert (request.method, request.url.path) == ("POST", "/apis/authentication.k8s.io/v1/selfsubjectreviews")
        if isinstance(answer, Exception):
            raise answer
        return answer

    return httpx.AsyncClient(base_url="http://127.0.0.1:1", transport=httpx.MockTransport(reply))


def known(**user: Any) -> httpx.Response:
    return httpx.Response(201, json={"kind": "SelfSubjectReview", "status": {"userInfo": user}})


async def test_a_user_has_a_name_and_groups() -> None:
    found = await whoami(client(known(username="ann", groups=["sre", "system:authenticated"])))
    assert found == Identity("ann", ("sre", "system:authenticated"))


@pytest.mark.parametrize(
    "user",
    [
        {},
        {"username": ""},
        {"username": "", "groups": ["sre"]},
        {"username": "system:anonymous", "groups": ["system:unauthenticated"]},
        {"username": "system:anonymous"},
        {"username": "ann", "groups": ["system:unauthenticated"]},
    ],
)
async def test_nobody_in_particular_decides_nothing(user: dict[str, Any]) -> None:
    with pytest.raises(NotAuthenticated):
        await whoami(client(known(**user)))


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (httpx.Response(401, json={"message": "Unauthorized"}), NotAuthenticated),
        (httpx.Response(403, json={"message": "no"}), NotAuthorised),
        (httpx.Response(404, json={"message": "the server could not find the requested resource"}), Unavailable),
        (httpx.ConnectError("refused"), Unavailable),
    ],
)
async def test_what_the_server_does_not_say_is_not_made_up(answer: Any, error: type[Day2Error]) -> None:
    with pytest.raises(error):
        await whoami(client(answer))
