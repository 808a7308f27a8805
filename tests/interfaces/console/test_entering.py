"""Logging in, staying in, and out: sessions, forms that are forged, the token, and roles as the services list them."""

import re
from datetime import timedelta
from pathlib import Path

import pytest

from core.domain.access import Role
from core.domain.outcome import ActionState
from core.domain.sessions import Session
from interfaces.console.guarding import HEADERS, named
from interfaces.console.pages.table import ROUTES
from interfaces.console.sessions import COOKIE
from runtime.roles.identifying import account
from runtime.services.offers.table import OFFERS
from tests.contracts.consoles import URL, Browser, World
from tests.contracts.doors import caller

S = ActionState
SENDS = [re.sub(r"\{[^}]+\}", "act-0001", route.path) for route in ROUTES if route.sends]
LOOKS = [re.sub(r"\{[^}]+\}", "act-0001", route.path) for route in ROUTES if not route.sends]


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


@pytest.fixture
def browser(world: World) -> Browser:
    return Browser(world)


def cookie(browser: Browser) -> str:
    return browser.client.cookies.get(COOKIE) or ""


@pytest.mark.parametrize("path", LOOKS)
async def test_nobody_sees_a_page_without_a_login_and_the_link_survives_it(browser: Browser, path: str) -> None:
    answer = await browser.get(f"{path}?q=a%26b")
    assert answer.status_code == 303
    assert answer.headers["location"].startswith("/login?next=%2F")
    assert "a%2526b" in answer.headers["location"]


@pytest.mark.parametrize("path", [*SENDS, "/theme"])
async def test_nobody_sends_a_form_without_a_login(browser: Browser, path: str) -> None:
    answer = await browser.send(path, csrf="x", reason="because")
    assert (answer.status_code, answer.headers["location"].partition("?")[0]) == (303, "/login")


async def test_the_token_in_the_address_leaves_it_at_once(browser: Browser) -> None:
    answer = await browser.log_in()
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    flags = answer.headers["set-cookie"].lower()
    assert "httponly" in flags
    assert "samesite=lax" in flags
    page = await browser.get("/")
    assert page.status_code == 200
    assert account().partition(":")[2] in page.text


async def test_the_token_in_the_form_logs_in_and_leads_on(browser: Browser) -> None:
    page = await browser.get("/login?next=/approvals")
    token = page.text.partition('name="csrf" value="')[2].partition('"')[0]
    from interfaces.web.callers import local_token

    known = local_token(browser.world.settings)
    assert (await browser.send("/login", csrf=token, token="guess", next="/approvals")).status_code == 401
    assert (await browser.send("/login", csrf="forged", token=known, next="/approvals")).status_code == 403
    assert (await browser.send("/login", csrf=token, origin="https://evil.example", token=known)).status_code == 403
    answer = await browser.send("/login", csrf=token, token=known, next="/approvals")
    assert (answer.status_code, answer.headers["location"]) == (303, "/approvals")


@pytest.mark.parametrize("after", ["//evil.example", "https://evil.example", "/\\evil.example", "javascript:alert(1)", "", "/a\r\nb"])
async def test_a_login_never_leads_elsewhere(browser: Browser, after: str) -> None:
    from urllib.parse import urlencode

    from interfaces.web.callers import local_token

    query = urlencode({"token": local_token(browser.world.settings), "next": after})
    assert (await browser.get(f"/login?{query}")).headers["location"] == "/"


async def test_guesses_are_heard_ten_times_in_five_minutes(browser: Browser) -> None:
    assert [(await browser.log_in("guess")).status_code for _ in range(10)] == [401] * 10
    assert (await browser.log_in("guess")).status_code == 429
    assert (await browser.log_in()).status_code == 429
    browser.world.ports.clock.advance(301)  # type: ignore[attr-defined]
    assert (await browser.log_in()).status_code == 303


async def test_only_the_hash_of_a_session_is_kept_and_it_changes_at_every_login(browser: Browser) -> None:
    await browser.log_in()
    first, kept = cookie(browser), browser.world.ports.sessions
    assert kept is not None
    assert kept.get(first) is None
    assert isinstance(kept.get(named(first)), Session)
    await browser.log_in()
    assert cookie(browser) != first
    assert kept.get(named(first)) is None


async def test_a_session_that_somebody_planted_is_worth_nothing(browser: Browser) -> None:
    browser.client.cookies.set(COOKIE, "planted", domain="127.0.0.1")
    assert (await browser.get("/")).status_code == 303


@pytest.mark.parametrize(("step", "times", "code"), [(59, 20, 303), (61, 1, 303), (50, 3, 200)])
async def test_a_session_ends_unused_after_an_hour_and_used_after_twelve(browser: Browser, step: int, times: int, code: int) -> None:
    await browser.log_in()
    for _ in range(times):
        browser.world.ports.clock.advance(timedelta(minutes=step).total_seconds())  # type: ignore[attr-defined]
        answer = await browser.get("/runs")
    assert answer.status_code == code


async def test_logging_out_ends_the_session_on_the_server(browser: Browser) -> None:
    await browser.log_in()
    old = cookie(browser)
    assert (await browser.send("/logout", csrf="forged")).status_code == 403
    assert (await browser.get("/")).status_code == 200
    assert (await browser.send("/logout")).headers["location"] == "/login"
    browser.client.cookies.set(COOKIE, old, domain="127.0.0.1")
    assert (await browser.get("/")).status_code == 303


@pytest.mark.parametrize("path", SENDS)
async def test_a_forged_form_changes_nothing(browser: Browser, path: str) -> None:
    await browser.log_in()
    await browser.world.action()
    before = browser.world.ports.history.place, list(browser.world.ports.ledger.chain())
    for wrong in ({"csrf": ""}, {"csrf": "0" * 64}, {"origin": "https://evil.example"}, {"origin": "null"}, {"origin": ""}):
        answer = await browser.send(path, reason="because", scope="all", text="x", **wrong)
        assert answer.status_code == 403
    assert list(browser.world.ports.ledger.chain()) == before[1]
    assert browser.world.ports.intake.open() == []


@pytest.mark.parametrize("path", [*SENDS, *LOOKS])
async def test_looking_decides_nothing(browser: Browser, path: str) -> None:
    await browser.log_in()
    await browser.world.action()
    before = list(browser.world.ports.ledger.chain())
    token = await browser.csrf()
    await browser.get(f"{path}?reason=because&csrf={token}&scope=all&text=x&confirm=cart&act=approve")
    assert list(browser.world.ports.ledger.chain()) == before
    assert browser.world.ports.intake.open() == []


async def test_a_form_of_another_session_is_refused(browser: Browser) -> None:
    await browser.log_in()
    old = await browser.csrf()
    await browser.log_in()
    assert (await browser.send("/stop", csrf=old, scope="all", reason="x")).status_code == 403


async def test_a_browser_tells_the_origin_of_our_own_forms() -> None:
    """With the policy no-referrer it would say `null`, and every form of ours would be refused."""
    assert HEADERS["Referrer-Policy"] == "same-origin"


async def test_another_name_for_this_host_is_no_origin_of_ours(browser: Browser) -> None:
    """A page of somebody else whose name now leads to this machine sends its own host with its own origin."""
    await browser.log_in()
    token = await browser.csrf()
    headers = {"host": "evil.example:8080", "origin": "http://evil.example:8080", "content-type": "application/x-www-form-urlencoded"}
    sent = await browser.client.post("/stop", content=f"csrf={token}&scope=all&reason=x", headers=headers)
    assert sent.status_code in (303, 403)
    assert browser.world.ports.ledger.stops() == []


async def test_the_token_is_of_this_machine_only(tmp_path: Path) -> None:
    world = World(tmp_path, {"web.public_url": "https://day2.example.org"})
    browser = Browser(world, base="https://day2.example.org")
    answer = await browser.log_in()
    assert answer.status_code == 403
    assert "oidc.issuer" in answer.text


@pytest.mark.parametrize("role", list(Role))
async def test_each_role_sees_and_sends_what_the_services_list_for_it(tmp_path: Path, role: Role) -> None:
    world = World(tmp_path, {f"access.{role.value}": account()})
    browser = Browser(world)
    await world.action(by="oidc:bo@example.org")
    assert (await browser.log_in()).status_code == 303
    can = {row.name for row in world.house.offers.listed(caller(role))}
    page = (await browser.get("/actions/act-0001")).text
    assert ('action="/actions/act-0001/approve"' in page) is ("actions.approve" in can)
    assert ('action="/actions/act-0001/cancel"' in page) is ("actions.cancel" in can)
    assert ('href="/stop"' in page) is ("writes.stop" in can)
    token = page.partition('name="csrf" value="')[2].partition('"')[0]
    for path, name, fields in (
        ("/actions/act-0001/approve", "actions.approve", {"reason": "seen"}),
        ("/stop", "writes.stop", {"scope": "all", "reason": "fire"}),
        ("/resume", "writes.resume", {"scope": "all", "reason": "out"}),
        ("/runs", "questions.ask", {"text": "why?"}),
        ("/findings/mute", "findings.mute", {"what": "REL-101", "reason": "known", "until": "2026-12-01"}),
        ("/policies", "policies.try", {"action": "{}"}),
    ):
        code = (await browser.send(path, csrf=token, **fields)).status_code
        assert (code == 403) is (name not in can), f"{role} {name}: {code}"


def test_every_form_leads_to_a_service_that_says_it_writes_or_reads() -> None:
    assert {"actions.approve", "actions.deny", "writes.stop", "writes.resume"} <= {row.name for row in OFFERS if row.writes}
    assert URL.startswith("http://127.0.0.1")
