"""Every screen on a desk and a phone, light and dark: nothing serious by axe-core, no error, nothing from outside, no scroll sideways."""

from collections.abc import Iterator
from typing import Literal

import httpx
import pytest
from playwright.sync_api import Browser

from core.domain.outcome import ActionState
from tests.browser.conftest import Served, looking, pictured, serving

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]
SCREENS = {
    "now": "/",
    "approvals": "/approvals",
    "proposal": "/actions/act-0009",
    "runs": "/runs",
    "run": "/runs/run-4",
    "live": "/runs/run-6",
    "chat": "/chat",
    "findings": "/findings",
    "not-run": "/findings?tab=not-run",
    "muted": "/findings?tab=muted",
    "incidents": "/incidents",
    "object": "/o/shop/Deployment/cart",
    "agents": "/agents",
    "policies": "/policies",
    "policy": "/policies/autonomy-guarded",
    "schedules": "/schedules",
    "savings": "/savings",
    "audit": "/audit?verify=1",
    "evals": "/evals",
    "stop": "/stop",
}
SHOWN = {"now", "approvals", "proposal", "run", "live", "chat", "findings", "savings"}
"""Those whose pictures are in the docs."""


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serving(tmp_path_factory.mktemp("screens")) as made:
        made.do(_at_work(made))
        with httpx.Client(base_url=made.url, follow_redirects=True) as client:
            client.get(made.login)
            for text in ("approvals", "show act-0009"):
                client.post("/chat/messages", data={"text": text}, headers={"sec-fetch-site": "same-origin"}).raise_for_status()
        yield made


async def _at_work(served: Served) -> None:
    """A run that goes on: one change is done, one is watched, one waits for people."""
    world = served.world
    await world.action(ActionState.VERIFIED, name="basket", run="run-6")
    await world.action(ActionState.APPLIED, name="web", agent="reliability", run="run-6")
    await world.action(ActionState.NEEDS_APPROVAL, name="recommender", run="run-6")


@pytest.mark.parametrize(("wide", "high", "scheme"), [(1440, 900, "light"), (1440, 900, "dark"), (390, 844, "light"), (390, 844, "dark")])
def test_every_screen_is_sound(chromium: Browser, served: Served, wide: int, high: int, scheme: Literal["light", "dark"]) -> None:
    problems = []
    with looking(chromium, served.url, wide, high, scheme=scheme) as seen:
        seen.page.goto(served.login)
        for name, path in SCREENS.items():
            seen.page.goto(served.url + path)
            seen.page.locator(".live.on").wait_for()
            problems += [f"{name}: {problem}" for problem in seen.serious()]
            if seen.overflow() > 0:
                problems.append(f"{name}: {seen.overflow()} px wider than the screen")
            if name in SHOWN and (wide, scheme) in ((1440, "light"), (390, "dark")):
                pictured(seen.page, f"{name}-{'desk' if wide > 1000 else 'phone'}")
        problems += seen.problems
    assert problems == []


@pytest.mark.parametrize(("wide", "high", "scheme"), [(1440, 900, "light"), (390, 844, "dark")])
def test_while_all_is_stopped_every_screen_says_so(
    chromium: Browser, served: Served, wide: int, high: int, scheme: Literal["light", "dark"]
) -> None:
    stops = served.world.ports
    stops.halt("all", "all", "oidc:ana@example.org", "payments are down, and nobody knows why yet")
    try:
        with looking(chromium, served.url, wide, high, scheme=scheme) as seen:
            seen.page.goto(served.login)
            seen.page.locator(".live.on").wait_for()
            pictured(seen.page, f"stopped-{'desk' if wide > 1000 else 'phone'}")
            for path in ("/", "/approvals", "/actions/act-0009", "/chat", "/stop"):
                seen.page.goto(served.url + path)
                seen.page.locator(".live.on").wait_for()
                assert "payments are down" in seen.page.locator(".banner.stopped").inner_text()
                assert seen.serious() == []
                assert seen.overflow() <= 0
            assert seen.problems == []
    finally:
        stops.lift("all", "oidc:cy@example.org", "it was the provider")


@pytest.mark.parametrize("path", ["/login", "/", "/approvals", "/actions/act-0009", "/findings", "/chat"])
def test_it_reflows_at_320_pixels(chromium: Browser, served: Served, path: str) -> None:
    with looking(chromium, served.url, 320, 640) as seen:
        seen.page.goto(served.login)
        seen.page.goto(served.url + path)
        assert seen.overflow() <= 0
        small = seen.page.evaluate(
            """[...document.querySelectorAll('a.button, button, input:not([type=hidden]), select, nav a')]
               .filter(e => e.offsetParent).map(e => [e.outerHTML.slice(0, 80), e.getBoundingClientRect()])
               .filter(([, r]) => r.width < 24 || r.height < 24).map(([h, r]) => `${h} ${r.width}x${r.height}`)
               .filter(h => !h.includes('checkbox'))"""
        )
        assert small == []


def test_everything_can_be_read_and_decided_without_a_script(chromium: Browser, served: Served) -> None:
    with looking(chromium, served.url, 1440, 900, script=False) as seen:
        row = served.do(served.world.action(name="no-script"))
        seen.page.goto(served.login)
        for path in SCREENS.values():
            answer = seen.page.goto(served.url + path)
            assert answer is not None
            assert answer.status == 200
            assert seen.page.locator("main").inner_text().strip()
        seen.page.goto(f"{served.url}/approvals")
        seen.page.locator(f"#card-{row.action_id}").get_by_role("link", name="Deny…").click()
        seen.page.locator("#deny-why").fill("there is a freeze")
        seen.page.get_by_role("button", name="Deny no-script").click()
        assert "Denied" in seen.page.locator(".said").inner_text()
    (kept,) = served.world.ports.ledger.approvals(row.action_id)
    assert (kept.decision, kept.reason) == ("denied", "there is a freeze")


def test_the_keyboard_alone_triages_and_no_key_decides(chromium: Browser, served: Served) -> None:
    row = served.do(served.world.action(name="keys"))
    with looking(chromium, served.url, 1440, 900) as seen:
        seen.page.goto(served.login)
        seen.page.locator(".live.on").wait_for()
        seen.page.keyboard.press("g")
        seen.page.keyboard.press("a")
        seen.page.wait_for_url("**/approvals")
        seen.page.locator(".live.on").wait_for()
        rows = seen.page.locator("[data-row]").count()
        for _ in range(rows):
            seen.page.keyboard.press("j")
            if seen.page.locator(f"#card-{row.action_id}[aria-selected=true]").count():
                break
        seen.page.keyboard.press("a")
        dialog = seen.page.locator(f"#approve-{row.action_id}")
        dialog.wait_for()
        assert seen.serious() == []
        pictured(seen.page, "approve-desk")
        assert served.world.ports.ledger.approvals(row.action_id) == []
        seen.page.keyboard.press("Escape")
        dialog.wait_for(state="hidden")
        seen.page.keyboard.press("d")
        seen.page.locator(f"#deny-{row.action_id}").wait_for()
        seen.page.keyboard.type("not now")
        assert served.world.ports.ledger.approvals(row.action_id) == []
        seen.page.keyboard.press("Enter")
        seen.page.locator(".said:not([hidden])").wait_for()
        assert seen.problems == []
    (kept,) = served.world.ports.ledger.approvals(row.action_id)
    assert (kept.decision, kept.reason) == ("denied", "not now")


def test_the_theme_is_kept_and_the_help_opens(chromium: Browser, served: Served) -> None:
    with looking(chromium, served.url, 1440, 900) as seen:
        seen.page.goto(served.login)
        seen.page.get_by_role("button", name="Dark").click()
        seen.page.goto(f"{served.url}/runs")
        assert seen.page.evaluate("document.documentElement.dataset.theme") == "dark"
        seen.page.keyboard.press("?")
        seen.page.get_by_role("heading", name="Keys").wait_for()
        assert seen.serious() == []
        assert seen.problems == []
