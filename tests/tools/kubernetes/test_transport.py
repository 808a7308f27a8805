"""What answers of an API server mean for the caller. A small server of the test's own answers as scripted."""

import json
from typing import Any

import httpx
import pytest

from core.domain.api_request import ApiRequest
from core.domain.errors import Conflict, NotAuthenticated, NotAuthorised, OutcomeUnknown, Refused, Unavailable
from tools.kubernetes import config, transport
from tools.kubernetes.writer import PERMIT_HEADER, ImpersonatingWriter, PreviewWriter

REQUEST = ApiRequest(
    verb="patch",
    group="apps",
    version="v1",
    resource="deployments",
    namespace="shop",
    name="web",
    content_type="application/strategic-merge-patch+json",
    body={"spec": {"replicas": 2}},
)


class Script:
    """Answers in order, and remembers what was asked. An exception in the script is raised instead."""

    def __init__(self, *answers: httpx.Response | Exception) -> None:
        self.answers = list(answers)
        self.asked: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    @property
    def client(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(base_url="http://127.0.0.1:1", transport=httpx.MockTransport(self))


def status(code: int, message: str = "", headers: dict[str, str] | None = None) -> httpx.Response:
    return httpx.Response(code, json={"kind": "Status", "message": message, "code": code}, headers=headers)


@pytest.fixture
def quick() -> dict[str, str]:
    return {"Retry-After": "0"}


async def test_a_read_outlives_passing_trouble(quick: dict[str, str]) -> None:
    script = Script(status(429, headers=quick), status(503, headers=quick), httpx.Response(200, json={}))
    assert (await transport.read(script.client, "/api", right="get pods")).status_code == 200
    assert len(script.asked) == 3


async def test_a_read_gives_up_after_a_bounded_number_of_tries(quick: dict[str, str]) -> None:
    script = Script(*[status(500, headers=quick) for _ in range(9)])
    with pytest.raises(Unavailable, match="HTTP 500"):
        await transport.read(script.client, "/api", right="get pods")
    assert len(script.asked) == transport.READ_ATTEMPTS


@pytest.mark.parametrize(
    ("code", "error"), [(401, NotAuthenticated), (403, NotAuthorised), (409, Conflict), (422, Refused), (400, Refused)]
)
async def test_each_refusal_says_what_to_do(code: int, error: type[Exception]) -> None:
    with pytest.raises(error):
        await transport.read(Script(status(code, "because")).client, "/api", right="list apps/deployments")


@pytest.mark.parametrize(
    ("right", "group", "resource"),
    [
        ("list pods", "", "pods"),
        ("get pods/log", "", "pods/log"),
        ("patch apps/deployments", "apps", "deployments"),
        ("list metrics.k8s.io/pods", "metrics.k8s.io", "pods"),
    ],
)
def test_a_missing_right_is_named_as_the_rbac_rule_that_grants_it(right: str, group: str, resource: str) -> None:
    line = transport.grant_line(right)
    assert f'apiGroups: ["{group}"], resources: ["{resource}"], verbs: ["{right.split()[0]}"]' in line


async def test_a_lost_reply_to_a_write_is_unknown_and_not_retried() -> None:
    script = Script(httpx.ReadError("connection reset"))
    with pytest.raises(OutcomeUnknown):
        await ImpersonatingWriter(script.client).send(REQUEST, agent="scaling", permit="p")
    assert len(script.asked) == 1


@pytest.mark.parametrize("code", [500, 502, 503, 504])
async def test_a_server_error_after_a_write_is_unknown(code: int) -> None:
    with pytest.raises(OutcomeUnknown):
        await ImpersonatingWriter(Script(status(code)).client).send(REQUEST, agent="scaling", permit="p")


async def test_a_write_that_never_left_is_not_unknown() -> None:
    with pytest.raises(Unavailable):
        await ImpersonatingWriter(Script(httpx.ConnectError("refused")).client).send(REQUEST, agent="scaling", permit="p")


async def test_a_lost_reply_to_a_dry_run_changed_nothing() -> None:
    with pytest.raises(Unavailable):
        await PreviewWriter(Script(httpx.ReadError("reset")).client).preview(REQUEST, agent="scaling")


async def test_the_permit_travels_in_the_extra_and_the_agent_is_impersonated() -> None:
    script = Script(httpx.Response(200, json={}))
    await ImpersonatingWriter(script.client).send(REQUEST, agent="scaling", permit="a.b.c")
    headers = script.asked[0].headers
    assert (headers["Impersonate-User"], headers[PERMIT_HEADER]) == ("day2:agent:scaling", "a.b.c")


@pytest.mark.parametrize("agent", ["", " ", "Scaling", "a/b", "system:masters", "a\nb", "x" * 60])
async def test_an_odd_agent_name_never_becomes_a_request_without_identity(agent: str) -> None:
    script = Script()
    for send in (
        lambda: ImpersonatingWriter(script.client).send(REQUEST, agent=agent, permit="p"),
        lambda: PreviewWriter(script.client).preview(REQUEST, agent=agent),
    ):
        with pytest.raises(Refused):
            await send()
    assert script.asked == []


async def test_a_write_without_a_permit_is_not_sent() -> None:
    script = Script()
    with pytest.raises(Refused, match="without a permit"):
        await ImpersonatingWriter(script.client).send(REQUEST, agent="scaling", permit="")
    assert script.asked == []


async def test_the_dry_run_of_a_delete_stands_in_the_body_where_the_api_server_looks() -> None:
    script = Script(httpx.Response(200, json={}))
    delete = ApiRequest(
        verb="delete",
        version="v1",
        resource="pods",
        namespace="shop",
        name="web-1",
        content_type="application/json",
        body={"preconditions": {"uid": "u"}},
    )
    await ImpersonatingWriter(script.client).send(delete, agent="security", permit="p", dry_run=True)
    sent: dict[str, Any] = json.loads(script.asked[0].content)
    assert sent == {"preconditions": {"uid": "u"}, "dryRun": ["All"]}
    assert not script.asked[0].url.params


@pytest.mark.parametrize(
    ("host", "loopback"), [("127.0.0.1", True), ("localhost", True), ("::1", True), ("10.0.0.1", False), ("cluster.example", False)]
)
def test_loopback_takes_no_proxy(host: str, loopback: bool) -> None:
    assert config.is_loopback(host) is loopback


async def test_requests_are_made_as_the_user_that_was_asked_for_and_with_the_deadline() -> None:
    connection = config.Connection("https://10.0.0.1", "prod", as_user="jane", as_groups=("sre", "ops"), request_seconds=2.0)
    async with transport.connect(connection) as client:
        assert client.headers.get_list("Impersonate-User") == ["jane"]
        assert client.headers.get_list("Impersonate-Group") == ["sre", "ops"]
        assert (client.timeout.read, client.timeout.connect) == (2.0, 2.0)


async def test_nobody_is_impersonated_unasked() -> None:
    async with transport.connect(
        config.Connection("https://10.0.0.1", "prod", as_groups=("system:masters",), request_seconds=None)
    ) as client:
        assert not [name for name in client.headers if name.lower().startswith("impersonate")]
        assert client.timeout.read is None
        assert client.timeout.connect == transport.CONNECT_SECONDS
