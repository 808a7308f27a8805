"""What answers of an API server mean for the caller. A small server of the test's own answers as scripted."""

import asyncio
import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from core.domain.api_request import ApiRequest
from core.domain.errors import Conflict, InvalidInput, NotAuthenticated, NotAuthorised, OutcomeUnknown, Refused, Unavailable
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
    assert dict(script.asked[0].url.params) == {"dryRun": "All"}  # for the audit log, which shows no bodies


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


def test_a_broken_connection_says_what_to_do_about_it() -> None:
    client = httpx.AsyncClient(base_url="http://127.0.0.1:1")
    cases = {
        "[SSL: CERTIFICATE_VERIFY_FAILED] certificate has expired": (NotAuthenticated, "expired"),
        "[SSL: CERTIFICATE_VERIFY_FAILED] unable to get local issuer": (NotAuthenticated, "not signed by"),
        "[SSL: TLSV13_ALERT_CERTIFICATE_REQUIRED] alert": (NotAuthenticated, "refused our client certificate"),
        "[SSL: TLSV1_ALERT_INTERNAL_ERROR] alert": (Unavailable, "ALERT_INTERNAL"),
        "the certificate store has expired": (Unavailable, "has expired"),
        "NO_CERTIFICATE": (Unavailable, "NO_CERTIFICATE"),
        "": (Unavailable, "ConnectError"),
    }
    for text, (kind, words) in cases.items():
        found = transport.unreachable(client, httpx.ConnectError(text))
        assert type(found) is kind, text
        assert words in str(found)


async def test_a_refused_certificate_is_not_tried_again_and_a_broken_connection_is() -> None:
    script = Script(httpx.ConnectError("CERTIFICATE_VERIFY_FAILED"), httpx.Response(200))
    with pytest.raises(NotAuthenticated):
        await transport.read(script.client, "/api", right="get pods")
    assert len(script.asked) == 1
    script = Script(httpx.ConnectError("refused"), httpx.Response(200, json={}))
    assert (await transport.read(script.client, "/api", right="get pods")).status_code == 200


@pytest.mark.parametrize(("header", "seconds"), [("7", 7.0), ("300", 30.0), ("soon", 1.5), (None, 1.5)])
async def test_a_server_that_names_a_pause_is_heard_within_reason(header: str | None, seconds: float) -> None:
    response = httpx.Response(429, headers={"Retry-After": header} if header else {})
    assert transport.retry_after(response, 1.5) == seconds


async def test_pauses_double_and_the_last_failure_names_its_own() -> None:
    began = asyncio.get_running_loop().time()
    script = Script(status(503), status(503), httpx.Response(200, json={}))
    await transport.read(script.client, "/api", right="get pods")
    assert 0.6 <= asyncio.get_running_loop().time() - began < 5
    script = Script(*[status(503, headers={"Retry-After": "0"})] * 3, status(503, headers={"Retry-After": "9"}))
    with pytest.raises(Unavailable) as failure:
        await transport.read(script.client, "/api", right="get pods")
    assert failure.value.retry_after == 9.0


async def test_a_refusal_to_impersonate_names_that_right() -> None:
    with pytest.raises(NotAuthorised) as refusal:
        await transport.read(Script(status(403, "users cannot impersonate day2:agent:x")).client, "/api", right="get pods")
    assert refusal.value.right == "impersonate users"
    with pytest.raises(NotAuthenticated):
        await transport.read(Script(status(401, "cannot impersonate")).client, "/api", right="get pods")


async def test_a_refusal_that_is_no_status_is_told_in_its_own_words() -> None:
    with pytest.raises(Refused, match="422: <html>no"):
        await transport.read(Script(httpx.Response(422, text="<html>no")).client, "/api", right="get pods")
    assert transport.status_of(httpx.Response(418, text="short and stout")).code == 418


@pytest.mark.parametrize("parts", [{"ca": "no certificate"}, {"certificate": "x", "key": "y"}])
def test_certificates_that_are_none_are_told_with_their_context(parts: dict[str, str]) -> None:
    with pytest.raises(InvalidInput, match="context 'prod' cannot be used"):
        transport.connect(config.Connection("https://10.0.0.1", "prod", **parts))


async def test_a_token_is_read_for_each_request_because_it_is_made_anew(tmp_path: Path) -> None:
    script, file = Script(httpx.Response(200), httpx.Response(200), httpx.Response(200)), tmp_path / "token"
    for token in ("first\n", "second\n"):
        file.write_text(token)
        auth = transport._Bearer(config.Connection("http://127.0.0.1:1", "x", token="old", token_file=str(file)))
        await script.client.get("/", auth=auth)
    await script.client.get("/", auth=transport._Bearer(config.Connection("http://127.0.0.1:1", "x")))
    assert [request.headers.get("Authorization") for request in script.asked] == ["Bearer first", "Bearer second", None]


async def test_loopback_is_asked_without_proxy_and_without_packing() -> None:
    for server, near in (("https://127.0.0.1:6443", True), ("https://10.0.0.1", False)):
        async with transport.connect(config.Connection(server, "x", request_seconds=60.0)) as client:
            assert (client.headers["Accept-Encoding"] == "identity") is near
            assert client.trust_env is not near
            assert client.timeout.connect == transport.CONNECT_SECONDS


async def test_a_write_is_a_request_with_its_manager_and_a_preview_is_one_that_stores_nothing() -> None:
    script = Script(httpx.Response(200, json={}), httpx.Response(200, json={}), httpx.Response(200, json={"kind": "Deployment"}))
    writer = ImpersonatingWriter(script.client, field_manager="ours")
    await writer.send(REQUEST, agent="scaling", permit="p")
    await writer.send(REQUEST, agent="scaling", permit="p", dry_run=True)
    assert await PreviewWriter(script.client).preview(REQUEST, agent="scaling") == {"kind": "Deployment"}
    asked = [dict(request.url.params) for request in script.asked]
    assert asked == [
        {"fieldManager": "ours-scaling"},
        {"fieldManager": "ours-scaling", "dryRun": "All"},
        {"fieldManager": "day2ops-scaling", "dryRun": "All"},
    ]
    first, _, preview = script.asked
    assert (first.method, first.url.path, json.loads(first.content)) == ("PATCH", REQUEST.path, REQUEST.body)
    assert first.headers["Content-Type"] == REQUEST.content_type
    assert (preview.headers["Impersonate-User"], PERMIT_HEADER in preview.headers) == ("day2:preview:scaling", False)


async def test_a_delete_carries_its_options_and_a_name_cannot_leave_its_path() -> None:
    script = Script(httpx.Response(200, json={}), httpx.Response(200, json={}))
    for body in ({"preconditions": {"uid": "u"}}, []):
        delete = ApiRequest(
            verb="delete", version="v1", resource="pods", namespace="shop", name="a%2e", content_type="application/json", body=body
        )
        await ImpersonatingWriter(script.client).send(delete, agent="security", permit="p")
    assert [json.loads(request.content) for request in script.asked] == [{"preconditions": {"uid": "u"}}, {}]
    assert script.asked[0].url.raw_path == b"/api/v1/namespaces/shop/pods/a%252e"


@pytest.mark.parametrize(
    ("code", "error"), [(404, Refused), (410, Refused), (409, Conflict), (422, Refused), (401, NotAuthenticated), (429, Unavailable)]
)
async def test_a_refused_write_was_not_stored(code: int, error: type[Exception]) -> None:
    with pytest.raises(error):
        await ImpersonatingWriter(Script(status(code, "because")).client).send(REQUEST, agent="scaling", permit="p")


async def test_a_busy_server_names_its_pause() -> None:
    for headers, seconds in (({"Retry-After": "4"}, 4.0), ({}, 1.0)):
        with pytest.raises(Unavailable) as failure:
            await ImpersonatingWriter(Script(status(429, "later", headers)).client).send(REQUEST, agent="scaling", permit="p")
        assert failure.value.retry_after == seconds


async def test_a_webhook_that_is_down_is_asked_before_anything_is_stored() -> None:
    with pytest.raises(Unavailable, match="failed calling webhook"):
        await ImpersonatingWriter(Script(status(500, "Internal error: failed calling webhook x")).client).send(
            REQUEST, agent="a", permit="p"
        )
    with pytest.raises(Unavailable, match="HTTP 500"):
        await PreviewWriter(Script(status(500)).client).preview(REQUEST, agent="a")


@pytest.mark.parametrize("code", [403, 429])
async def test_a_refusal_that_repeats_the_permit_does_not_carry_it_on(code: int) -> None:
    answer = status(code, "header p.e.r is not allowed", {"Retry-After": "3"})
    with pytest.raises((NotAuthorised, Unavailable)) as refusal:
        await ImpersonatingWriter(Script(answer).client).send(REQUEST, agent="scaling", permit="p.e.r")
    assert "p.e.r" not in str(refusal.value)
    assert "header (permit) is not allowed" in str(refusal.value)
    assert getattr(refusal.value, "retry_after", 3.0) == 3.0


async def test_what_is_made_is_posted_to_the_place_of_its_kind_under_the_name_in_its_body() -> None:
    script = Script(httpx.Response(201, json={"metadata": {"uid": "u"}}))
    create = ApiRequest(
        verb="create",
        group="networking.k8s.io",
        version="v1",
        resource="networkpolicies",
        namespace="shop",
        name="day2-cut-1",
        content_type="application/json",
        body={"metadata": {"name": "day2-cut-1"}},
    )
    assert await ImpersonatingWriter(script.client).send(create, agent="reliability", permit="p") == {"metadata": {"uid": "u"}}
    (asked,) = script.asked
    assert (asked.method, asked.url.path) == ("POST", "/apis/networking.k8s.io/v1/namespaces/shop/networkpolicies")
    assert json.loads(asked.content) == create.body
