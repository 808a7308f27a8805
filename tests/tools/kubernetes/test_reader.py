"""What the judge and the executor read: pages, absence, reviews and versions. A small server of the test's own answers as scripted."""

import json
from typing import Any

import httpx
import pytest

from core.cluster.kinds import KINDS
from core.domain.api_request import Right
from core.domain.errors import NotAuthorised, Refused, Unavailable
from tools.kubernetes.reader import HttpReader

POD, DEPLOYMENT, NODE = KINDS["Pod"], KINDS["Deployment"], KINDS["Node"]


class Server:
    """Answers in order; what is no response is a body. Remembers what was asked."""

    def __init__(self, *answers: Any) -> None:
        self.answers = list(answers)
        self.asked: list[httpx.Request] = []
        self.reader = HttpReader(httpx.AsyncClient(base_url="http://127.0.0.1:1", transport=httpx.MockTransport(self)))

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer if isinstance(answer, httpx.Response) else httpx.Response(200, json=answer)


def page(*names: str, token: str | None = "") -> dict[str, Any]:
    return {"items": [{"metadata": {"name": name}} for name in names], "metadata": {"continue": token}}


def refused(code: int) -> httpx.Response:
    return httpx.Response(code, json={"kind": "Status", "message": "because", "code": code}, headers={"Retry-After": "0"})


def names(found: Any) -> list[str]:
    return [item["metadata"]["name"] for item in found]


async def test_all_pages_are_read_and_each_asks_for_the_next() -> None:
    server = Server(page("a", "b", token="t1"), page("c", token=None))
    assert names(await server.reader.list(POD, "shop", labels={"b": "2", "a": "1"})) == ["a", "b", "c"]
    first, second = server.asked
    assert first.url.path == "/api/v1/namespaces/shop/pods"
    assert dict(first.url.params) == {"limit": "500", "labelSelector": "a=1,b=2"}
    assert dict(second.url.params) == {"limit": "500", "labelSelector": "a=1,b=2", "continue": "t1"}


async def test_without_labels_nothing_is_selected_and_without_a_namespace_all_are_read() -> None:
    server = Server({"items": None, "metadata": None}, page("a"))
    assert await server.reader.list(POD) == []
    assert names(await server.reader.list(DEPLOYMENT)) == ["a"]
    assert [request.url.path for request in server.asked] == ["/api/v1/pods", "/apis/apps/v1/deployments"]
    assert dict(server.asked[0].url.params) == {"limit": "500"}


async def test_a_list_that_expired_is_begun_again_without_what_was_read() -> None:
    server = Server(page("a", token="t1"), refused(410), page("a"), page("never"))
    assert names(await server.reader.list(POD)) == ["a"]
    assert "continue" not in server.asked[2].url.params


async def test_a_list_that_expires_each_time_is_unavailable_after_three() -> None:
    server = Server(*[refused(410)] * 3, page("late"))
    with pytest.raises(Unavailable, match="expired 3 times"):
        await server.reader.list(POD)


async def test_a_kind_that_the_cluster_does_not_serve_is_unavailable_and_not_an_empty_list() -> None:
    with pytest.raises(Unavailable, match="not served"):
        await Server(refused(404)).reader.list(POD)


@pytest.mark.parametrize("kind", [POD, DEPLOYMENT])
async def test_a_missing_right_names_group_and_resource(kind: Any) -> None:
    with pytest.raises(NotAuthorised) as refusal:
        await Server(refused(403)).reader.list(kind)
    assert refusal.value.right == f"list {'apps/' if kind.group else ''}{kind.resource}"
    with pytest.raises(NotAuthorised) as refusal:
        await Server(refused(403)).reader.get(kind, "shop", "a")
    assert refusal.value.right == f"get {'apps/' if kind.group else ''}{kind.resource}"


async def test_what_is_not_there_is_none_and_names_cannot_leave_their_path() -> None:
    server = Server(refused(404), {"kind": "Pod"})
    assert await server.reader.get(POD, "shop", "a") is None
    assert await server.reader.get(POD, "shop", "../secrets/x") == {"kind": "Pod"}
    assert server.asked[1].url.raw_path == b"/api/v1/namespaces/shop/pods/..%2Fsecrets%2Fx"


@pytest.mark.parametrize("content", [b"<html>", b"[]", b"7"])
async def test_an_answer_that_is_no_object_is_unavailable(content: bytes) -> None:
    with pytest.raises(Unavailable, match="the answer is no"):
        await Server(httpx.Response(200, content=content)).reader.get(NODE, "", "n")


async def test_the_cluster_is_known_by_one_namespace_that_is_read_once() -> None:
    server = Server({"metadata": {"uid": "u-1"}})
    assert [await server.reader.cluster_uid(), await server.reader.cluster_uid()] == ["u-1", "u-1"]
    assert [request.url.path for request in server.asked] == ["/api/v1/namespaces/kube-system"]


@pytest.mark.parametrize("answer", [refused(404), {"metadata": {}}, {"metadata": {"uid": None}}])
async def test_a_cluster_without_an_identity_is_unavailable(answer: Any) -> None:
    with pytest.raises(Unavailable, match="identity"):
        await Server(answer).reader.cluster_uid()


@pytest.mark.parametrize(
    ("answer", "found"),
    [
        ({"items": [{"a": 1}]}, ({"a": 1},)),
        ({"items": None}, ()),
        (refused(404), ()),
        (refused(403), ()),
        (httpx.Response(200, content=b"[]"), None),
    ],
)
async def test_usage_that_nobody_measures_is_none(answer: Any, found: Any) -> None:
    server = Server(answer)
    if found is None:
        with pytest.raises(Unavailable):
            await server.reader.usage("shop/x")
    else:
        assert await server.reader.usage("shop/x") == found
    assert server.asked[0].url.raw_path == b"/apis/metrics.k8s.io/v1beta1/namespaces/shop%2Fx/pods"


async def test_usage_is_none_while_its_server_is_down() -> None:
    assert await Server(*[refused(503)] * 4).reader.usage("shop") == ()


@pytest.mark.parametrize(
    ("version", "minor"),
    [
        ({"major": "1", "minor": "36"}, 36),
        ({"major": "1", "minor": "30+"}, 30),
        ({"major": "2", "minor": "1"}, 0),
        ({"major": "1", "minor": "x"}, 0),
        ({"major": "1"}, 0),
        ({}, 0),
    ],
)
async def test_a_version_is_its_minor_number_or_none(version: Any, minor: int) -> None:
    server = Server(version)
    assert await server.reader.minor() == minor
    assert server.asked[0].url.path == "/version"


@pytest.mark.parametrize(("status", "held"), [({"allowed": True}, True), ({"allowed": False}, False), ({}, False), (None, False)])
async def test_a_review_allows_only_what_it_says(status: Any, *, held: bool) -> None:
    server = Server({"status": status}, {"status": status})
    right = Right(verb="patch", group="apps", resource="deployments")
    assert await server.reader.may(right, namespace="shop", name="cart") is held
    assert await server.reader.allowed("ann", "patch", "apps", "deployments", "", "shop") is held
    ours, theirs = (json.loads(request.content) for request in server.asked)
    assert [request.url.path.rpartition("/")[2] for request in server.asked] == ["selfsubjectaccessreviews", "subjectaccessreviews"]
    assert (ours["kind"], theirs["kind"]) == ("SelfSubjectAccessReview", "SubjectAccessReview")
    asked = {"verb": "patch", "group": "apps", "resource": "deployments", "subresource": "", "namespace": "shop"}
    assert asked.items() | {("name", "cart")} <= ours["spec"]["resourceAttributes"].items()
    assert asked.items() <= theirs["spec"]["resourceAttributes"].items()
    assert (theirs["spec"]["user"], theirs["spec"]["groups"]) == ("ann", ["system:authenticated"])


@pytest.mark.parametrize(
    ("answer", "error"), [(httpx.ReadError("cut"), Unavailable), (refused(403), NotAuthorised), (refused(422), Refused)]
)
async def test_a_review_that_is_not_answered_allows_nothing(answer: Any, error: type[Exception]) -> None:
    with pytest.raises(error):
        await Server(answer).reader.may(Right(verb="get", resource="pods"))
