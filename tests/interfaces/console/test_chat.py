"""The web chat inside the console's frame: the same login, the same navigation, and errors as pages."""

import html
from datetime import timedelta
from pathlib import Path

import pytest

from interfaces.web.callers import local_token
from tests.contracts.consoles import Browser, World, finding
from tests.interfaces.console.test_pages import HOSTILE, held

WATCHING = "day2-watching"


@pytest.fixture
async def browser(tmp_path: Path) -> Browser:
    made = Browser(World(tmp_path))
    await made.log_in()
    return made


async def said(browser: Browser, text: str, site: str = "same-origin") -> int:
    answer = await browser.client.post("/chat/messages", data={"text": text}, headers={"sec-fetch-site": site})
    return answer.status_code


async def test_the_conversation_has_the_navigation_around_it(browser: Browser) -> None:
    assert await said(browser, "status") == 303
    answer = await browser.get("/chat")
    assert 'href="/chat" aria-current="page"' in answer.text
    assert '<script src="/chat/static/chat.js" defer>' in answer.text
    assert "nothing is stopped" in answer.text
    assert answer.headers["referrer-policy"] == "same-origin", "the forms of the frame say where they come from"
    assert "unsafe-inline" not in answer.headers["content-security-policy"]


async def test_who_is_not_logged_in_is_led_to_the_login_and_back(tmp_path: Path) -> None:
    stranger = Browser(World(tmp_path))
    answer = await stranger.get("/chat")
    assert answer.status_code == 303
    assert answer.headers["location"].startswith("/login?next=%2Fchat")


async def test_a_program_with_a_token_gets_a_page_of_its_own(browser: Browser) -> None:
    world = browser.world
    program = Browser(world)
    assert (await program.get("/chat", authorization="Bearer wrong")).status_code == 401
    assert local_token(world.settings) not in (await browser.get("/chat")).text


async def test_what_is_refused_is_a_page_with_its_mend(browser: Browser) -> None:
    answer = await browser.client.post("/chat/presses", data={"verb": "destroy", "subject": "x"}, headers={"sec-fetch-site": "same-origin"})
    assert answer.status_code == 400
    assert "'destroy' is no button" in html.unescape(answer.text)
    assert "use the buttons of a card" in answer.text
    assert await said(browser, "stop writes", site="cross-site") == 403
    assert browser.world.ports.ledger.stops() == []


async def test_a_page_that_watches_by_itself_keeps_no_session_alive(browser: Browser) -> None:
    clock, idle = browser.world.ports.clock, timedelta(minutes=browser.world.settings.web.idle_minutes)
    for _ in range(4):
        clock.advance(idle.total_seconds() / 3)  # type: ignore[attr-defined]
        watched = await browser.get("/chat/lines", **{WATCHING: "1"})
    assert watched.status_code == 401


@pytest.mark.parametrize("text", HOSTILE)
async def test_what_others_wrote_is_text_in_the_conversation_too(browser: Browser, text: str) -> None:
    world = browser.world
    world.run("run-1", [finding(1, title=text, name="cart", text=text)], text=text)
    await world.action(why=text, text=text, message=text, note=text)
    for words in (text, "show act-0001", "why act-0001", "show run-1", "who approved act-0001"):
        assert await said(browser, words) == 303
    for path in ("/chat", "/chat/lines"):
        page = (await browser.get(path)).text
        held(page)
        assert not {"\u202e", "\u2066", "\x1b", "\u200b"} & set(page)
    assert world.ports.ledger.approvals("act-0001") == []
