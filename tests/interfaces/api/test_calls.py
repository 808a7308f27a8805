"""The API as a program meets it: documents, problems, pages, idempotency keys, limits."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import jsonschema
import pytest

from core.domain.access import Role
from interfaces.api.routes import BASE
from interfaces.api.shapes import schema
from interfaces.web import limits
from tests.interfaces.api.conftest import Api
from tests.interfaces.conftest import Past

AT = datetime(2026, 11, 27, 9, 0, tzinfo=UTC)


def runs(api: Api, *numbers: int) -> None:
    for number in numbers:
        body = {"trigger": "api", "by": "oidc:ana", "text": f"question {number}"}
        at = AT + timedelta(seconds=number)
        api.ports.ledger.record(role="controller", event="run.started", subject=f"run-{number:03}", body=body, at=at)


async def test_what_is_asked_for_waits_in_the_intake_and_says_where_it_will_be_shown(api: Api) -> None:
    answer = await api.of(Role.OPERATOR).post(f"{BASE}/runs", json={"text": "scan shop", "namespaces": ["shop"]})
    assert answer.status_code == 202
    found = answer.json()
    jsonschema.validate(found, schema("Asked"))
    assert answer.headers["Location"] == f"{BASE}/runs/{found['id']}"
    (asked,) = api.ports.intake.open()
    assert (asked.request.id, asked.request.act, asked.request.namespaces, asked.request.trigger) == (found["id"], True, ("shop",), "api")
    assert asked.request.by.startswith("token:operator")
    shown = await api.of(Role.VIEWER).get(answer.headers["Location"])
    jsonschema.validate(shown.json(), schema("RunReport"))


async def test_pages_show_each_run_once_though_runs_begin_meanwhile(api: Api) -> None:
    runs(api, *range(10, 20))
    client, seen, cursor = api.of(Role.VIEWER), [], ""
    for number in range(4):
        found = (await client.get(f"{BASE}/runs", params={"limit": 3, "cursor": cursor})).json()
        jsonschema.validate(found, schema("RunList", paged=True))
        seen += [item["id"] for item in found["items"]]
        cursor = found["next"]
        runs(api, 50 + number, number)  # a newer one and an older one
        if cursor is None:
            break
    assert seen[:10] == [f"run-{number:03}" for number in range(19, 9, -1)]
    assert len(set(seen)) == len(seen)


@pytest.mark.parametrize("cursor", ["none", "WyJ4Il0", "[]", "////", "AAAA", "é", "W" * 999])
async def test_a_cursor_of_something_else_is_refused(api: Api, cursor: str) -> None:
    answer = await api.of(Role.VIEWER).get(f"{BASE}/runs", params={"cursor": cursor})
    assert (answer.status_code, answer.json()["title"]) == (400, "InvalidInput")
    assert "cursor" in answer.json()["mend"]


async def test_a_cursor_of_another_list_is_refused(api: Api) -> None:
    runs(api, 1, 2)
    client = api.of(Role.VIEWER)
    cursor = (await client.get(f"{BASE}/runs", params={"limit": 1})).json()["next"]
    assert (await client.get(f"{BASE}/agents", params={"cursor": cursor})).status_code == 400


async def test_the_same_key_is_one_effect_and_one_answer_also_at_once(api: Api) -> None:
    client, headers = api.of(Role.OPERATOR), {"Idempotency-Key": "k-1"}
    answers = await asyncio.gather(*(client.post(f"{BASE}/runs", json={"text": "scan"}, headers=headers) for _ in range(8)))
    assert {answer.status_code for answer in answers} <= {202, 409}
    assert len(api.ports.intake.open()) == 1
    again = await client.post(f"{BASE}/runs", json={"text": "scan"}, headers=headers)
    assert again.status_code == 202
    assert again.headers["Idempotent-Replayed"] == "true"
    assert again.json()["id"] == api.ports.intake.open()[0].request.id
    other = await client.post(f"{BASE}/runs", json={"text": "another"}, headers=headers)
    assert (other.status_code, other.json()["title"]) == (422, "IdempotencyKeyReused")
    theirs = await api.of(Role.OPERATOR).post(f"{BASE}/runs", json={"text": "another"}, headers=headers)
    assert theirs.status_code == 202, "another caller's keys are their own"


async def test_what_was_refused_leaves_its_key_free(api: Api) -> None:
    client, headers = api.person, {"Idempotency-Key": "k-1"}
    for _ in range(2):
        assert (await client.post(f"{BASE}/stops/resume", json={"reason": "over"}, headers=headers)).status_code == 400
    await client.post(f"{BASE}/stops", json={"reason": "drill"})
    assert (await client.post(f"{BASE}/stops/resume", json={"reason": "over"}, headers=headers)).status_code == 200


async def test_a_machine_asks_and_stops_and_its_word_is_no_persons(api: Api, settings: Any) -> None:
    past = Past(settings.data_dir)
    past.settings = settings
    await asyncio.to_thread(past.asked, "act-0001")
    for path in ("approve", "deny"):
        answer = await api.of(Role.ADMIN).post(f"{BASE}/actions/act-0001/{path}", json={"reason": "yes"})
        assert (answer.status_code, answer.json()["title"]) == (403, "Refused")
        assert "machine" in answer.json()["detail"]
    assert past.approvals("act-0001") == []
    answer = await api.person.post(f"{BASE}/actions/act-0001/approve", json={"reason": "yes"})
    assert answer.status_code == 200, answer.text
    jsonschema.validate(answer.json(), schema("Approval"))
    assert [item.decision for item in past.approvals("act-0001")] == ["approved"]


@pytest.mark.parametrize(
    ("call", "status", "title"),
    [
        ({"method": "GET", "url": "/runs/run-none"}, 404, "NotFound"),
        ({"method": "POST", "url": "/actions/act-none/approve", "json": {"reason": "x"}}, 404, "NotFound"),
        ({"method": "GET", "url": "/nothing"}, 404, "Not Found"),
        ({"method": "DELETE", "url": "/runs"}, 405, "Method Not Allowed"),
        ({"method": "GET", "url": "/runs", "params": {"limit": 0}}, 422, "InvalidInput"),
        ({"method": "GET", "url": "/runs", "params": {"colour": "red"}}, 422, "InvalidInput"),
        ({"method": "POST", "url": "/runs", "json": {}}, 422, "InvalidInput"),
        ({"method": "POST", "url": "/runs", "json": {"text": "x", "extra": 1}}, 422, "InvalidInput"),
        ({"method": "POST", "url": "/runs", "content": b"{", "headers": {"Content-Type": "application/json"}}, 422, "InvalidInput"),
        ({"method": "POST", "url": "/runs", "content": b"text=x"}, 415, "send application/json"),
        ({"method": "POST", "url": "/runs", "json": {"text": "x" * (limits.LARGEST + 1)}}, 413, "Content Too Large"),
    ],
)
async def test_each_mistake_has_a_problem_document_with_its_mend(api: Api, call: dict[str, Any], status: int, title: str) -> None:
    answer = await api.person.request(**call | {"url": BASE + call["url"]})
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
    assert answer.json()["title"] == title
    assert answer.json()["status"] == status


async def test_a_body_without_a_length_is_counted_as_it_comes(api: Api) -> None:
    async def endless() -> Any:
        for _ in range(40):
            yield b" " * 64 * 1024

    answer = await api.person.post(f"{BASE}/runs", content=endless(), headers={"Content-Type": "application/json"})
    assert answer.status_code == 413


async def test_what_was_sent_is_not_in_the_answer_that_refuses_it(api: Api) -> None:
    answer = await api.person.post(f"{BASE}/runs", json={"text": {"password": "hunter2horse"}})
    assert answer.status_code == 422
    assert "hunter2" not in answer.text


def test_who_calls_too_often_waits_and_others_do_not() -> None:
    now = [0.0]
    rate = limits.Rate(60, lambda: now[0])
    assert [rate.wait("a") for _ in range(10)] == [0.0] * 10
    assert 0 < rate.wait("a") <= 1
    assert rate.wait("b") == 0
    now[0] += 1
    assert rate.wait("a") == 0
    assert rate.wait("a") > 0
    assert limits.Rate(0).wait("a") == 0


async def test_too_many_requests_say_when_to_come_again(api: Api, settings: Any) -> None:
    from interfaces.web.app import build
    from interfaces.web.callers import LocalToken
    from interfaces.web.house import House

    few = settings.model_copy(update={"web": settings.web.model_copy(update={"requests_per_minute": 6})})
    app = build(House(api.offers, few, "http://day2.test", (LocalToken("t", few.access, "api"),)))
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://day2.test", headers={"Authorization": "Bearer t"}) as client:
        assert (await client.get(f"{BASE}/stops")).status_code == 200
        answer = await client.get(f"{BASE}/stops")
    assert answer.status_code == 429
    assert int(answer.headers["Retry-After"]) >= 1
