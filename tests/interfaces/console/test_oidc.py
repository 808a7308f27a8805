"""Logging in by a provider that speaks the protocol over HTTP: what fits, everything that does not, and a provider that is down."""

import base64
import hashlib
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
import uvicorn
from fastapi import FastAPI, Request
from joserfc import jwt
from joserfc.jwk import RSAKey

from interfaces.console.sessions import COOKIE
from interfaces.web.__main__ import listener
from tests.contracts.consoles import Browser, World

CLIENT = "day2-console"
KEY = RSAKey.generate_key(2048, {"kid": "one", "use": "sig"})
OTHER = RSAKey.generate_key(2048, {"kid": "one", "use": "sig"})


class Provider:
    """An OpenID provider. `claims` and `key` change what it signs; `refuses` is what its token endpoint says instead."""

    def __init__(self) -> None:
        self.url = ""
        self.claims: dict[str, Any] = {}
        self.key: RSAKey = KEY
        self.refuses = ""
        self.asked: dict[str, list[str]] = {}
        self.app = FastAPI()
        self.app.add_api_route("/.well-known/openid-configuration", self.metadata)
        self.app.add_api_route("/keys", lambda: {"keys": [KEY.as_dict(private=False)]})
        self.app.add_api_route("/token", self.token, methods=["POST"], response_model=None)

    def metadata(self) -> dict[str, str]:
        paths = {"authorization_endpoint": "/authorize", "token_endpoint": "/token", "jwks_uri": "/keys"}
        return {"issuer": self.url, **{name: f"{self.url}{path}" for name, path in paths.items()}}

    async def token(self, request: Request) -> Any:
        from fastapi.responses import JSONResponse

        form = parse_qs((await request.body()).decode())
        if self.refuses:
            return JSONResponse({"error": self.refuses}, 400)
        challenge = base64.urlsafe_b64encode(hashlib.sha256(form["code_verifier"][0].encode()).digest()).rstrip(b"=").decode()
        if challenge != self.asked["code_challenge"][0] or form["code"] != ["code-1"]:
            return JSONResponse({"error": "invalid_grant"}, 400)
        now = int(time.time())
        claims = {
            "iss": self.url,
            "aud": CLIENT,
            "sub": "u-17",
            "email": "ana@example.org",
            "email_verified": True,
            "groups": ["sre"],
            "nonce": self.asked["nonce"][0],
            "iat": now,
            "exp": now + 300,
            "auth_time": now,
        }
        signed = jwt.encode({"alg": "RS256", "kid": "one"}, claims | self.claims, self.key)
        return {"access_token": "a", "token_type": "Bearer", "id_token": signed}


@pytest.fixture(scope="module")
def listening() -> Iterator[Provider]:
    made, socket = Provider(), listener("127.0.0.1:0")
    made.url = f"http://127.0.0.1:{socket.getsockname()[1]}"
    server = uvicorn.Server(uvicorn.Config(made.app, log_level="warning", lifespan="off"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [socket]})
    thread.start()
    yield made
    server.should_exit = True
    thread.join(10)
    socket.close()


@pytest.fixture
def provider(listening: Provider) -> Provider:
    listening.claims, listening.key, listening.refuses = {}, KEY, ""
    return listening


@pytest.fixture
def browser(provider: Provider, tmp_path: Path) -> Browser:
    told = {"oidc.issuer": provider.url, "oidc.client_id": CLIENT, "access.approver": "group:sre", "access.viewer": "oidc:bo@example.org"}
    return Browser(World(tmp_path, told))


async def logged_in(browser: Browser, provider: Provider, *, after: str = "/approvals", more: str = "", **changed: str) -> Any:
    sent = await browser.get(f"/login/oidc?{urlencode({'next': after})}{more}")
    assert sent.status_code == 303, sent.text[-400:]
    provider.asked = parse_qs(urlsplit(sent.headers["location"]).query)
    back = {"code": "code-1", "state": provider.asked["state"][0]} | changed
    return await browser.get(f"/login/back?{urlencode(back)}")


async def test_a_person_comes_back_to_where_they_wanted_to_go_with_the_roles_of_their_group(browser: Browser, provider: Provider) -> None:
    answer = await logged_in(browser, provider)
    assert (answer.status_code, answer.headers["location"]) == (303, "/approvals")
    page = (await browser.get("/approvals")).text
    assert "ana@example.org" in page
    assert ">approver<" in page
    asked = provider.asked
    assert (asked["response_type"], asked["code_challenge_method"], asked["scope"]) == (["code"], ["S256"], ["openid email profile"])
    assert len(asked["nonce"][0]) >= 32
    assert len(asked["state"][0]) >= 32


@pytest.mark.parametrize(
    ("claims", "code"),
    [
        ({"nonce": "another"}, 401),
        ({"aud": "somebody-else"}, 401),
        ({"iss": "https://evil.example"}, 401),
        ({"exp": 1000}, 401),
        ({"email_verified": False, "groups": []}, 403),
        ({"email": "stranger@example.org", "groups": []}, 403),
        ({"email": "x" * 300, "groups": ["sre"]}, 401),
        ({"email": "a b\u202e@example.org"}, 401),
    ],
)
async def test_what_does_not_fit_is_no_login(browser: Browser, provider: Provider, claims: dict[str, Any], code: int) -> None:
    provider.claims = claims
    answer = await logged_in(browser, provider)
    assert answer.status_code == code
    assert browser.client.cookies.get(COOKIE) is None
    assert "Try again" in answer.text


async def test_a_signature_of_another_key_is_none(browser: Browser, provider: Provider) -> None:
    provider.key = OTHER
    assert (await logged_in(browser, provider)).status_code == 401


@pytest.mark.parametrize("changed", [{"state": "forged"}, {"code": "stolen"}, {"error": "access_denied"}])
async def test_what_was_not_begun_here_is_no_login(browser: Browser, provider: Provider, changed: dict[str, str]) -> None:
    answer = await logged_in(browser, provider, **changed)
    assert answer.status_code == 401
    assert browser.client.cookies.get(COOKIE) is None


async def test_coming_back_without_having_left_is_no_login(browser: Browser) -> None:
    assert (await browser.get("/login/back?code=code-1&state=x")).status_code == 401


async def test_the_token_of_this_machine_opens_nothing_where_a_provider_is_set(browser: Browser) -> None:
    assert (await browser.log_in()).status_code == 403


async def test_a_provider_that_is_down_is_said_and_where_one_wanted_to_go_is_kept(tmp_path: Path) -> None:
    socket = listener("127.0.0.1:0")
    address = f"http://127.0.0.1:{socket.getsockname()[1]}"
    socket.close()
    browser = Browser(World(tmp_path, {"oidc.issuer": address, "oidc.client_id": CLIENT, "access.admin": "*"}))
    answer = await browser.get("/login/oidc?next=/approvals%3Fmine=1")
    assert answer.status_code == 503
    assert "the login provider is unavailable" in answer.text
    assert 'href="/login/oidc?next=%2Fapprovals%3Fmine%3D1"' in answer.text


async def test_before_something_severe_the_provider_asks_again_and_the_form_comes_back(browser: Browser, provider: Provider) -> None:
    row = await browser.world.action(kind="delete_pod", name="web-1")
    await logged_in(browser, provider)
    browser.world.ports.clock.advance(301)  # type: ignore[attr-defined]
    path, fields = f"/actions/{row.action_id}/approve", {"reason": "it hangs", "confirm": "web-1"}
    asked = await browser.send(path, **fields)
    assert asked.status_code == 401
    assert "/login/oidc?again=1" in asked.text
    back = f"/actions/{row.action_id}?act=approve&reason=it+hangs&confirm=web-1#decide"
    provider.claims = {"email": "eve@example.org"}
    assert (await logged_in(browser, provider, after=back, more="&again=1")).status_code == 401
    provider.claims = {"auth_time": int(time.time()) - 4000}
    assert (await logged_in(browser, provider, after=back, more="&again=1")).status_code == 401
    provider.claims = {}
    again = await logged_in(browser, provider, after=back, more="&again=1")
    assert provider.asked["prompt"] == ["login"]
    assert again.headers["location"] == back
    assert (await browser.send(path, **fields)).status_code == 303
    (kept,) = browser.world.ports.ledger.approvals(row.action_id)
    assert (kept.by, kept.groups) == ("oidc:ana@example.org", ("sre",))


async def test_two_people_are_two_logins(browser: Browser, provider: Provider, tmp_path: Path) -> None:
    row = await browser.world.action()
    await logged_in(browser, provider)
    path = f"/actions/{row.action_id}/approve"
    assert (await browser.send(path, reason="seen")).status_code == 303
    other = Browser(browser.world)
    provider.claims = {"email": "cy@example.org"}
    await logged_in(other, provider)
    assert (await other.send(path, reason="seen too")).status_code == 303
    assert sorted(item.by for item in browser.world.ports.ledger.approvals(row.action_id)) == [
        "oidc:ana@example.org",
        "oidc:cy@example.org",
    ]


async def test_a_role_that_is_taken_away_is_gone_at_once(browser: Browser, provider: Provider) -> None:
    provider.claims = {"email": "bo@example.org", "groups": []}
    row = await browser.world.action()
    await logged_in(browser, provider)
    page = (await browser.get(f"/actions/{row.action_id}")).text
    assert "/approve" not in page
    assert (await browser.send(f"/actions/{row.action_id}/approve", csrf="x", reason="seen")).status_code == 403
