"""Every screen on a desk and a phone, light and dark: nothing serious by axe-core, no error, nothing from outside, no scroll sideways."""

import json
from collections.abc import Iterator
from typing import Literal

import httpx
import pytest
from playwright.sync_api import Browser, expect

from core.domain.access import Role
from core.domain.outcome import ActionState
from tests.browser.conftest import Served, looking, pictured, serving
from tests.contracts.alertmanagers import alert, notification
from tests.contracts.consoles import sick
from tests.contracts.doors import caller

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
    "audit": "/audit",
    "verified": "/audit?verify=1",
    "weekly": "/reports/weekly",
    "evals": "/evals",
    "stop": "/stop",
}
SHOWN = {"now", "approvals", "proposal", "live", "chat", "incident", "findings", "savings", "audit"}
"""Those whose pictures are in the docs."""


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serving(tmp_path_factory.mktemp("screens")) as made:
        made.do(_at_work(made))
        with httpx.Client(base_url=made.url, follow_redirects=True) as client:
            client.get(made.login)
            for path, fields in (
                ("messages", {"text": "approvals"}),
                ("presses", {"verb": "deny", "subject": "act-0011"}),  # its dialog stands in the conversation
                ("messages", {"text": "show act-0009"}),
            ):
                client.post(f"/chat/{path}", data=fields, headers={"sec-fetch-site": "same-origin"}).raise_for_status()
        yield made


@pytest.fixture(scope="module")
def screens(served: Served) -> dict[str, str]:
    (incident,) = served.do(served.world.house.offers.call(caller(Role.VIEWER), "incidents.list"))
    return SCREENS | {"incident": f"/incidents/{incident.id}"}


async def _at_work(served: Served) -> None:
    """A run that goes on: one change is done, one is watched, one waits for people."""
    world = served.world
    await world.action(ActionState.VERIFIED, name="basket", run="run-6")
    await world.action(ActionState.APPLIED, name="web", agent="reliability", run="run-6")
    await world.action(ActionState.NEEDS_APPROVAL, name="recommender", run="run-6")
    await world.house.offers.call(
        caller(Role.SENDER), "alerts.receive", notification(alert(pod="web-7d9f8c6b5d-x2x4z", starts=world.ports.clock.now()))
    )
    await world.ports.beyond.desk.settled()
    (incident,) = await world.house.offers.call(caller(Role.VIEWER), "incidents.list")
    world.run(incident.run, sick(), text="why does KubePodCrashLooping fire?")


@pytest.mark.parametrize(("wide", "high", "scheme"), [(1440, 900, "light"), (1440, 900, "dark"), (390, 844, "light"), (390, 844, "dark")])
def test_every_screen_is_sound(
    chromium: Browser, served: Served, screens: dict[str, str], wide: int, high: int, scheme: Literal["light", "dark"]
) -> None:
    problems = []
    with looking(chromium, served.url, wide, high, scheme=scheme) as seen:
        seen.page.goto(served.login)
        for name, path in screens.items():
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


def test_everything_can_be_read_and_decided_without_a_script(chromium: Browser, served: Served, screens: dict[str, str]) -> None:
    with looking(chromium, served.url, 1440, 900, script=False) as seen:
        row = served.do(served.world.action(name="no-script"))
        seen.page.goto(served.login)
        for path in screens.values():
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
        seen.page.keyboard.type("ga")
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


def test_the_palette_leads_by_words_and_by_ids_and_decides_nothing(chromium: Browser, served: Served) -> None:
    with looking(chromium, served.url, 1440, 900) as seen:
        page = seen.page
        page.goto(served.login)
        page.locator(".live.on").wait_for()
        page.keyboard.press("Control+k")
        page.get_by_role("combobox").wait_for()
        page.keyboard.type("audit")
        expect(page.get_by_role("option", selected=True)).to_have_text("Audit")
        assert seen.serious() == []
        page.keyboard.press("Enter")
        page.wait_for_url("**/audit")
        page.locator(".live.on").wait_for()
        page.keyboard.press("Control+k")
        page.keyboard.type("act-0009")
        page.keyboard.press("ArrowDown")
        page.keyboard.press("ArrowUp")
        page.keyboard.press("Enter")
        page.wait_for_url("**/actions/act-0009")
        page.locator(".live.on").wait_for()
        for key, path in (("]", "spec.replicas"), ("]", "metadata.annotations.note"), ("[", "spec.replicas")):
            page.keyboard.press(key)
            assert path in page.locator(".hunk:focus").inner_text()
        page.keyboard.press("Control+k")
        page.keyboard.press("Escape")
        expect(page.locator("#palette")).to_be_hidden()
        assert seen.problems == []
    assert served.world.ports.ledger.approvals("act-0009") == []


def test_the_brackets_turn_the_pages_of_a_list(chromium: Browser, served: Served) -> None:
    for number in range(100, 160):
        served.do(_ran(served, f"run-{number}"))
    with looking(chromium, served.url, 1440, 900) as seen:
        seen.page.goto(served.login)
        seen.page.goto(f"{served.url}/runs")
        seen.page.locator(".live.on").wait_for()
        seen.page.keyboard.press("]")
        seen.page.wait_for_url("**/runs?*offset=50")
        seen.page.locator(".live.on").wait_for()
        seen.page.keyboard.press("[")
        seen.page.wait_for_url("**/runs?*offset=0")


async def _ran(served: Served, run_id: str) -> None:
    served.world.run(run_id)


def test_several_of_low_risk_are_ticked_and_approved_with_one_reason(chromium: Browser, served: Served) -> None:
    rows = [served.do(served.world.action(kind="cordon_node", name=f"node-{number}", agent="reliability")) for number in (1, 2, 3)]
    with looking(chromium, served.url, 390, 844) as seen:
        page = seen.page
        page.goto(served.login)
        page.goto(f"{served.url}/approvals")
        page.get_by_text("3 of kind cordon node").click()
        for row in rows[:2]:
            page.locator(f'[name="tick.{row.action_id}"]').check()
        page.get_by_label("Why (kept in the audit chain with each)").fill("the rack is rewired")
        assert seen.serious() == []
        assert seen.overflow() <= 0
        page.get_by_role("button", name="Approve those ticked").click()
        expect(page.locator(".said")).to_contain_text("2 approved")
        assert seen.problems == []
    decided = [len(served.world.ports.ledger.approvals(row.action_id)) for row in rows]
    assert decided == [1, 1, 0]


def test_a_changed_rule_is_replayed_and_the_chain_is_handed_out(chromium: Browser, served: Served) -> None:
    with looking(chromium, served.url, 1440, 900) as seen:
        page = seen.page
        page.goto(served.login)
        page.goto(f"{served.url}/policies")
        page.locator("#replay-rules").fill(page.locator("#replay-rules").input_value().replace("'payments'", "'shop'"))
        page.get_by_role("button", name="Replay").click()
        expect(page.locator("#replay [role=status], #replay [role=alert]")).to_be_visible()
        assert seen.serious() == []
        page.goto(f"{served.url}/audit?event=verified")
        with page.expect_download() as saved:
            page.get_by_role("link", name="Export CloudEvents").click()
        lines = saved.value.path().read_text(encoding="utf-8").splitlines()
        assert lines
        assert {json.loads(line)["type"] for line in lines} == {"dev.day2.verified.v1"}
        assert seen.problems == []
