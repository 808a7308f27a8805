"""Every page over a past: it says what is known, escapes what others wrote, and answers also where nothing happened yet."""

import html
import json
import re
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from core.domain.outcome import ActionState
from core.domain.report import Line, Report
from interfaces.console.guarding import HEADERS
from interfaces.console.pages.table import ROUTES
from tests.contracts.consoles import WAY, Browser, World, finding, lived

S = ActionState
PAGES = (
    "/",
    "/approvals",
    "/approvals?mine=1",
    "/actions/act-0001",
    "/runs",
    "/runs/run-1",
    "/incidents",
    "/findings",
    "/findings?tab=not-run",
    "/findings?tab=muted",
    "/o/shop/Deployment/web",
    "/agents",
    "/policies",
    "/policies/autonomy-guarded",
    "/schedules",
    "/reports/weekly",
    "/savings",
    "/audit",
    "/audit?verify=1",
    "/audit?by=ana&target=shop/cart&since=2026-11-26T10:00",
    "/evals",
    "/stop",
    "/parts/card/act-0001",
)
HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "x' onfocus='alert(1)' autofocus='",
    "{{ 7*7 }}",
    "javascript:alert(1)//",
    "\u202egnp.exe\u2066",
    "\x1b[31mred\x1b[0m",
    "zero\u200bwidth",
)


class Seen(HTMLParser):
    """The elements of a page, as a browser reads them."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, {name: value or "" for name, value in attrs}))


def held(page: str) -> None:
    """Nothing is inline, nothing comes from elsewhere, and no element is there that no template has."""
    seen = Seen()
    seen.feed(page)
    for tag, attributes in seen.found:
        assert tag not in ("img", "iframe", "object", "embed", "style", "base"), f"<{tag}>"
        assert tag != "script" or attributes.get("src", "").startswith(("/static/", "/chat/static/")), "a script that is not ours"
        assert not [name for name in attributes if name.startswith("on") or (name in ("style", "autofocus") and tag != "input")], attributes
        for name in ("src", "href", "action", "formaction", "hx-get"):
            assert attributes.get(name, "/").startswith(("/", "?", "#")), attributes
            assert not attributes.get(name, "/").startswith("//"), attributes


@pytest.fixture
async def browser(tmp_path: Path) -> Browser:
    made = Browser(World(tmp_path))
    assert (await made.log_in()).status_code == 303
    return made


@pytest.mark.parametrize("path", [path for path in PAGES if "act-" not in path and "run-1" not in path])
async def test_every_page_answers_where_nothing_happened_yet(browser: Browser, path: str) -> None:
    answer = await browser.get(path)
    assert answer.status_code == 200, answer.text[-500:]
    assert answer.headers["content-type"] == "text/html; charset=utf-8"


@pytest.mark.parametrize("path", PAGES)
async def test_every_page_answers_of_a_day_of_work_with_its_headers(browser: Browser, path: str) -> None:
    await lived(browser.world)
    await browser.log_in()
    answer = await browser.get(path)
    assert answer.status_code == 200, answer.text[-500:]
    for name, value in HEADERS.items():
        assert answer.headers[name] == value
    held(answer.text)


async def test_every_route_that_is_looked_at_is_in_these_tests() -> None:
    looked = {re.sub(r"\{[^}]+\}", "*", route.path) for route in ROUTES if not route.sends}
    known = {re.sub(r"(act|run|inc)-\w+|(?<=/o/).*|autonomy-guarded", "*", path.partition("?")[0]) for path in PAGES}
    assert {path.replace("/o/*/*/*", "/o/*") for path in looked} - known == {
        "/parts/waiting",
        "/incidents/*",
        "/audit/export",
        "/actions/*/patch",
    }


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize(
    "path", ["/", "/approvals", "/actions/act-0001", "/runs", "/runs/run-1", "/findings", "/audit", "/o/shop/Deployment/cart"]
)
async def test_what_others_wrote_is_text_on_every_page(browser: Browser, path: str, text: str) -> None:
    world = browser.world
    world.run(
        "run-1",
        [finding(1, title=text, name="cart", text=text), finding(2, symptom_of="fnd-0000000001", title=text, name="cart")],
        text=text,
    )
    await world.action(S.NEEDS_APPROVAL, why=text, text=text, message=text, note=text)
    await world.action(S.DENIED, name="basket", why=text, text=text, message=text, note=text)
    page = (await browser.get(path)).text
    held(page)
    assert "49" not in re.sub(r"<[^>]+>|\d\d:\d\d|[0-9a-f]{8,}", "", page) or "7*7" not in text
    for char in ("\u202e", "\u2066", "\x1b", "\u200b"):
        assert char not in page
    if path == "/actions/act-0001":
        shown = html.unescape(page)
        assert text.isprintable() is (text in shown)
        assert text.isprintable() or "⟨U+" in shown


async def test_hostile_words_of_an_address_are_text_too(browser: Browser) -> None:
    await lived(browser.world)
    await browser.log_in()
    for path in (
        "/findings?q=",
        "/runs?q=",
        "/audit?subject=",
        "/policies?q=",
        "/?said=",
        "/actions/act-0001?reason=",
        "/login?why=",
        "/login?next=",
    ):
        held((await browser.get(path + "%22%3E%3Cimg%20src=x%20onerror=alert(1)%3E")).text)


async def test_the_proposal_page_has_all_that_is_needed_to_decide(browser: Browser) -> None:
    await browser.world.action()
    page = html.unescape((await browser.get("/actions/act-0001")).text)
    for said in (
        "scale shop/deployment/cart from 4 to 2",
        "spec.replicas",
        "p95 of 412m over 14 days",
        "−212 USD/month",
        "180.00 to 240.00, list price",
        "autonomy-guarded",
        "1 failed",
        "automatic when verification misses",
        "1 of 1",
        "other than bo@example.org",
        "quoted from the cluster",
        "day2 action explain act-0001",
    ):
        assert said in page


@pytest.mark.parametrize("state", [state for state in WAY if state is not S.NEEDS_APPROVAL])
async def test_what_is_over_or_works_has_no_buttons_to_decide(browser: Browser, state: ActionState) -> None:
    row = await browser.world.action(state)
    page = (await browser.get(f"/actions/{row.action_id}")).text
    assert "/approve" not in page
    assert "/deny" not in page


async def test_not_run_is_shown_as_equal_and_what_follows_from_what_is_a_picture(browser: Browser) -> None:
    browser.world.run("run-1", [finding(1, name="web"), finding(2, symptom_of="fnd-0000000001", name="web", title="web has no pod")])
    page = (await browser.get("/findings")).text
    assert 'class="node cause"' in page
    assert "explains 1 more" in page
    unseen = (await browser.get("/findings?tab=not-run")).text
    assert "no source of metrics" in unseen
    assert "no run asked this agent yet" in unseen


async def test_a_filter_is_in_the_address(browser: Browser) -> None:
    browser.world.run("run-1", [finding(1, title="one crashes"), finding(2, title="two crashes", code="FIN-101")])
    page = (await browser.get("/findings?agent=finops")).text
    assert "two crashes" in page
    assert "one crashes" not in page


@pytest.mark.parametrize(
    ("path", "code"), [("/actions/act-none", 404), ("/runs/run-none", 404), ("/policies/none", 400), ("/nowhere", 404)]
)
async def test_what_is_not_there_is_said(browser: Browser, path: str, code: int) -> None:
    answer = await browser.get(path)
    assert answer.status_code == code
    assert answer.headers["content-security-policy"]


async def test_a_run_that_has_not_begun_is_a_page_that_follows(browser: Browser) -> None:
    sent = await browser.send("/runs", text="why is shop slow?")
    assert sent.status_code == 303
    page = (await browser.get(sent.headers["location"])).text
    assert "why is shop slow?" in page
    assert "The controller takes it next" in page
    assert 'hx-trigger="sse:run-' in page


async def test_a_story_is_at_most_twelve_sentences_and_hides_nothing_that_failed(browser: Browser) -> None:
    browser.world.run("run-1", [finding(number) for number in range(30)])
    await browser.world.action(S.ROLLED_BACK, note="p99 was 512 ms")
    for number in range(20):
        await browser.world.action(S.VERIFIED, name=f"w{number}")
    page = (await browser.get("/runs/run-1")).text
    story = page.partition('class="story"')[2].partition("</ol>")[0]
    assert 5 < story.count("<li>") <= 12
    assert "missed its check, and was taken back: p99 was 512 ms" in story
    assert page.count("act-row-") == 21


async def test_the_rules_can_be_tried_and_bad_json_is_said_beside_what_was_typed(browser: Browser) -> None:
    page = (await browser.get("/policies")).text
    example = html.unescape(page.partition('name="action"')[2].partition(">")[2].partition("</textarea>")[0])
    tried = await browser.send("/policies", action=example, facts="{}")
    assert tried.status_code == 200
    assert "facts assumed good" in tried.text
    wrong = await browser.send("/policies", action='{"kind": ', facts="{}")
    assert wrong.status_code == 400
    assert "action is no JSON" in wrong.text
    assert "&#34;kind&#34;" in wrong.text


async def test_a_changed_rule_is_replayed_over_what_was_judged(browser: Browser) -> None:
    await browser.world.action()
    page = (await browser.get("/policies")).text
    rules = html.unescape(page.partition('name="rules"')[2].partition(">")[2].partition("</textarea>")[0])
    sent = await browser.send("/policies/simulate", rules=rules.replace("\n", "\r\n"), days="7")
    assert sent.status_code == 200
    assert "1 of 1 verdicts would be others" in sent.text
    assert 'added <span class="mono">payments-asks</span>' in sent.text
    assert "U+000D" not in sent.text, "a browser's line ends are no text of the cluster"
    for text, days in (
        ("kind: [", "7"),
        ("kind: Nothing", "7"),
        (rules.replace("facts.namespace ==", "facts.namespace ="), "7"),
        ("", "0"),
    ):
        wrong = await browser.send("/policies/simulate", rules=text, days=days)
        assert wrong.status_code == 400
        assert 'role="alert"' in wrong.text
    assert [row.event for row in browser.world.ports.ledger.chain(1, 100)].count("policy.loaded") == 0


async def test_the_chain_is_filtered_by_who_what_and_when_and_handed_out(browser: Browser) -> None:
    await browser.world.action(S.VERIFIED, by="oidc:bo@example.org")
    browser.world.ports.clock.advance(1800)  # type: ignore[attr-defined]
    await browser.world.action(name="web", by="oidc:cy@example.org")

    async def subjects(query: str) -> set[str]:
        lines = (await browser.get(f"/audit/export?form=jsonl&{query}")).text.splitlines()
        return {json.loads(line)["subject"] for line in lines}

    assert await subjects("") == {"act-0001", "act-0002"}
    assert await subjects("by=BO@example") == {"act-0001"}
    assert await subjects("target=shop/web") == {"act-0002"}
    assert await subjects("since=2026-11-27T09:20") == {"act-0002"}
    assert await subjects("until=2026-11-27T09:20&event=verified") == {"act-0001"}
    events = (await browser.get("/audit/export?form=cloudevents&event=verified")).text.splitlines()
    assert [json.loads(line)["type"] for line in events] == ["dev.day2.verified.v1"]
    saved = await browser.get("/audit/export?form=csv&event=verified")
    assert saved.headers["content-disposition"] == 'attachment; filename="audit-1-records.csv"'
    for query in ("form=xml", "form=csv&since=yesterday", "form=csv&target=cart"):
        assert (await browser.get(f"/audit/export?{query}")).status_code == 400
    page = (await browser.get("/audit?by=bo&event=verified")).text
    assert "/audit/export?form=jsonl&amp;by=bo&amp;event=verified" in page


async def test_the_first_page_says_how_the_gate_is(browser: Browser) -> None:
    assert "guard not seen yet" in (await browser.get("/")).text
    await browser.world.action(S.VERIFIED)
    assert "guard whole" in (await browser.get("/")).text
    ledger, clock = browser.world.ports.ledger, browser.world.ports.clock
    ledger.record(role="executor", event="guard.altered", subject="guard", body={"found": "the webhook is gone"}, at=clock.now())
    page = (await browser.get("/")).text
    assert "guard altered or missing" in page
    assert "the webhook is gone" in page


async def test_a_mute_has_an_end_and_a_reason_and_can_be_ended(browser: Browser) -> None:
    browser.world.run("run-1", [finding(1, title="one crashes")])
    assert (await browser.send("/findings/mute", what="fnd-0000000001", reason="known", until="")).status_code == 400
    assert (await browser.send("/findings/mute", what="fnd-0000000001", reason="known", until="2026-12-04")).status_code == 303
    assert "one crashes" not in (await browser.get("/findings")).text
    muted = (await browser.get("/findings?tab=muted")).text
    assert "one crashes" in muted
    name = re.search(r'name="mute" value="([^"]+)"', muted)
    assert name is not None
    assert (await browser.send("/findings/expire", mute=name[1])).status_code == 303
    assert "one crashes" in (await browser.get("/findings")).text


async def test_money_of_an_action_counts_once_where_it_stands(browser: Browser) -> None:
    await browser.world.action(S.VERIFIED)
    await browser.world.action(S.VERIFIED, name="web")
    await browser.world.action(S.DENIED, name="api")
    page = (await browser.get("/savings")).text
    assert "realised: 424.00 USD a month in 2 actions" in page
    assert "dropped: 212.00 USD a month in 1 actions" in page
    assert "proposed: 0.00 USD a month in 0 actions" in page


async def test_the_week_that_a_digest_links_to_is_shown_with_plots_and_its_words_are_text(browser: Browser) -> None:
    at = datetime(2026, 5, 10, 2, 0, tzinfo=UTC)
    line = Line(id="act-0001", what="<b>scale</b> shop/web", state="verified")
    told: dict[str, Any] = {"schedule": "night", "tick": at, "ended": "ended", "began_at": at, "made_at": at, "complete": True}
    browser.world.ports.timetable.report(Report(run="run-night1", done=(line,), saved_micro_usd=12_340_000, writes=1, **told))
    await browser.log_in()
    page = (await browser.get("/reports/weekly?until=2026-05-11")).text
    held(page)
    assert "<td>night</td>" in page
    assert 'aria-label="actions done, refused and left to people, by day"' in page
    assert "<title>2026-05-10: 1 done</title>" in page
    assert "12.34 USD" in page
    assert "&lt;b&gt;scale&lt;/b&gt;" in page
    for other in ("/reports/weekly", "/reports/weekly?until=2026-05-10", "/reports/weekly?until=2026-99-99", "/reports/weekly?until=x"):
        answer = await browser.get(other)
        assert answer.status_code in (200, 400)
        assert "<td>night</td>" not in answer.text
