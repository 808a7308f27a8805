"""The webhook's answers over HTTP: in the API server's form, committed before they are given, silent about the permit."""

import json
import logging
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from joserfc.jwk import OKPKey

from core.actions import states
from core.domain.admissions import Admitted
from core.domain.errors import Corrupt, Unavailable
from core.domain.permit import EXTRA, FORWARD_SECONDS, Permit
from core.domain.values import Json
from gate import permits
from gate.keys import Signer
from gate.webhook import LARGEST, Webhook, application
from tools.hand_clock import HandClock
from tools.stores.memory import MemoryAdmissions

KEY = Signer(OKPKey.generate_key("Ed25519"))
START = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
NOW = int(START.timestamp())
OLD: Json = {"kind": "Node", "metadata": {"name": "n", "uid": "u", "resourceVersion": "1"}, "spec": {}}
NEW: Json = {**OLD, "spec": {"unschedulable": True}}


def token(**changes: Any) -> str:
    claims: dict[str, Any] = dict.fromkeys(("action_digest", "verdict_digest", "request"), "a" * 64)
    claims |= {"jti": "permit-1", "use": "forward", "iss": permits.ISSUER, "agent": "reliability", "action_id": "act-0001", "cluster": "c"}
    claims |= {"uid": "u", "line": "patch /api/v1/nodes/n", "post": states.post_hash("patch", {}, OLD, NEW)}
    return permits.mint(Permit(**claims | {"iat": NOW, "exp": NOW + FORWARD_SECONDS} | changes), KEY)


def review(permit: str, **changes: Any) -> Json:
    user = {"username": "day2:agent:reliability", "groups": ["system:authenticated"], "extra": {EXTRA: [permit]}}
    asked = {
        "uid": "r-1",
        "operation": "UPDATE",
        "resource": {"group": "", "version": "v1", "resource": "nodes"},
        "name": "n",
        "userInfo": user,
    }
    return {"request": asked | {"oldObject": OLD, "object": NEW, "options": {}} | changes}


@pytest.fixture
def book() -> MemoryAdmissions:
    return MemoryAdmissions()


@pytest.fixture
async def client(book: MemoryAdmissions) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(application(Webhook(book, lambda: KEY.verifier, HandClock(START))))
    async with httpx.AsyncClient(transport=transport, base_url="http://webhook") as found:
        yield found


async def ask(client: httpx.AsyncClient, document: Json, path: str = "/verify") -> Json:
    answer = await client.post(path, json=document)
    assert answer.status_code == 200
    found: Json = answer.json()
    assert (found["apiVersion"], found["kind"], found["response"]["uid"]) == ("admission.k8s.io/v1", "AdmissionReview", "r-1")
    return dict(found["response"])


async def test_a_yes_names_action_and_permit_for_the_audit_log(client: httpx.AsyncClient, book: MemoryAdmissions) -> None:
    response = await ask(client, review(token()))
    assert response["allowed"]
    assert response["auditAnnotations"] == {"action": "act-0001", "permit": "permit-1", "use": "forward"}
    assert list(book.rows) == [("api", "permit-1")]


async def test_the_two_registrations_keep_their_own_rows(client: httpx.AsyncClient, book: MemoryAdmissions) -> None:
    for path in ("/verify", "/verify-static"):
        assert (await ask(client, review(token()), path))["allowed"]
    assert sorted(book.rows) == [("api", "permit-1"), ("static", "permit-1")]


async def test_a_no_has_a_reason_and_neither_it_nor_the_log_repeats_the_permit(
    client: httpx.AsyncClient, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    for permit in (token(agent="finops"), token(iat=NOW - 300, exp=NOW - 200), token()[:-4] + "AAAA"):
        response = await ask(client, review(permit))
        assert not response["allowed"]
        assert response["status"]["code"] == 403
        assert response["status"]["message"].startswith("day2 permit: ")
        assert permit not in json.dumps(response)
        assert permit not in caplog.text


async def test_who_loses_the_race_for_a_first_use_is_decided_over_the_winners_row(
    client: httpx.AsyncClient, book: MemoryAdmissions
) -> None:
    class Racing(MemoryAdmissions):
        """Another webhook is a moment quicker, on another version of the object."""

        def admit(self, row: Admitted) -> bool:
            self.rows.setdefault((row.registration, row.jti), row._replace(resource_version="0"))
            return super().admit(row)

    webhook = Webhook(Racing(), lambda: KEY.verifier, HandClock(START))
    assert not webhook.answer(review(token()), "api")["response"]["allowed"]


@pytest.mark.parametrize("failure", [Unavailable("the ledger"), Corrupt("ledger.db was moved or replaced")])
async def test_a_ledger_in_doubt_refuses_and_the_webhook_is_not_ready(
    client: httpx.AsyncClient, book: MemoryAdmissions, failure: Exception
) -> None:
    assert (await client.get("/healthz")).status_code == 200
    book.down = failure
    assert "stopped" in (await ask(client, review(token())))["status"]["message"]
    assert (await client.get("/healthz")).status_code == 503


async def test_a_judge_without_a_key_means_no(book: MemoryAdmissions) -> None:
    def none() -> Any:
        raise Unavailable("the key of the judge")

    assert not Webhook(book, none, HandClock(START)).answer(review(token()), "api")["response"]["allowed"]


async def test_what_is_no_review_is_an_error_which_the_api_server_takes_as_no(client: httpx.AsyncClient) -> None:
    for content in (b"", b"{", b"[]", b"{}", b'{"request": 7}'):
        assert (await client.post("/verify", content=content)).status_code == 400
    assert (await client.post("/verify", content=b" " * (LARGEST + 1))).status_code == 413
    assert (await client.get("/verify")).status_code == 405
    assert not (await ask(client, {"request": {"uid": "r-1"}}))["allowed"]


async def test_a_preview_is_told_the_hash_of_its_change(client: httpx.AsyncClient) -> None:
    user = {"username": "day2:preview:reliability", "groups": ["system:authenticated"]}
    response = await ask(client, review("", userInfo=user, dryRun=True))
    assert response["warnings"] == [f"day2-post {states.post_hash('patch', {}, OLD, NEW)}"]


async def test_a_first_use_that_the_ledger_neither_takes_nor_shows_is_refused(book: MemoryAdmissions) -> None:
    class Losing(MemoryAdmissions):
        """A ledger that shows no row and takes none."""

        asked = 0

        def admit(self, row: Admitted) -> bool:
            self.asked += 1
            return False

    losing = Losing()
    response = Webhook(losing, lambda: KEY.verifier, HandClock(START)).answer(review(token()), "api")["response"]
    assert (response["allowed"], losing.asked) == (False, 1)
    assert response["status"]["message"] == "day2 permit: the permit was used before"


async def test_only_a_refused_permit_is_told_as_one_and_all_else_as_a_stop(client: httpx.AsyncClient, book: MemoryAdmissions) -> None:
    assert "stopped" not in (await ask(client, review(token(agent="finops"))))["status"]["message"]
    book.down = Unavailable("the ledger")
    assert (await ask(client, review(token())))["status"]["message"].startswith("day2 permit: stopped: the ledger")


async def test_a_body_without_a_length_or_over_the_limit_is_not_read_and_the_limit_itself_is(client: httpx.AsyncClient) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        yield b"{}"

    assert (await client.post("/verify", content=chunks())).status_code == 413
    assert (await client.post("/verify", content=b" " * LARGEST)).status_code == 400
    body = json.dumps(review(token())).encode()
    assert (await client.post("/verify", content=body + b" " * (LARGEST - len(body)))).status_code == 200


async def test_an_answer_without_a_uid_names_none(book: MemoryAdmissions) -> None:
    webhook = Webhook(book, lambda: KEY.verifier, HandClock(START))
    for document in ({}, {"request": None}, {"request": {"uid": None}}):
        response = webhook.answer(document, "api")["response"]
        assert (response["uid"], response["allowed"]) == ("", False)
