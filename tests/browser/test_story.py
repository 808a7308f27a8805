"""The product as `day2 serve` has it, on the simulator, and people at its console: ask, approve, watch it live, verified, in the ledger."""

import asyncio
import json
import re
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from playwright.sync_api import Browser, Page, expect

from core.domain.outcome import TERMINAL, ActionState
from core.domain.request import Request
from core.domain.sessions import Session
from interfaces.console.guarding import named
from interfaces.console.sessions import COOKIE
from runtime.roles import everything
from runtime.roles.everything import Everything
from runtime.roles.identifying import account
from runtime.settings import Settings
from tests.browser.conftest import Watched, looking
from tests.contracts.simulated import simulated
from tests.contracts.whole_runs import DOCUMENTS, Namespaces, settings_of
from tests.runtime.test_whole_runs import NAMESPACES, WORLD, _allow
from tools.stores.front import opening
from tools.stores.front.sessions import SqlSessions

pytestmark = [pytest.mark.browser, pytest.mark.timeout(540)]
ANA, BO = "oidc:ana@example.org", "oidc:bo@example.org"
"""Ana approves, Bo asks; neither may do what the other does."""


class Product(NamedTuple):
    """The running product; `run` asks it for something as Bo."""

    running: Everything
    settings: Settings
    login: str
    url: str
    loop: asyncio.AbstractEventLoop

    def enter(self, seen: Watched, by: str) -> None:
        """As the provider's login leaves them: a cookie, and a session that knows its hash."""
        at, secret, database = self.running.reading.clock.now(), f"secret-of-{by}", opening.opened(self.settings.front_url)
        try:
            SqlSessions(database).open(Session(named(secret), by, (), "oidc", at, at, at))
        finally:
            database.close()
        seen.page.context.add_cookies([{"name": COOKIE, "value": secret, "url": self.url}])

    def run(self, run_id: str, agent: str, namespace: str) -> None:
        at = self.running.reading.clock.now()
        text = f"look at {namespace}, and act where it is safe"
        request = Request(id=run_id, trigger="chat", by=BO, text=text, namespaces=(namespace,), agents=(agent,), act=True, at=at)
        asyncio.run_coroutine_threadsafe(self.running.controller.run(request), self.loop).result(120)


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    folder = tmp_path_factory.mktemp("story")
    (folder / "world.yaml").write_text(json.dumps(WORLD), encoding="utf-8")
    with simulated(folder, world=str(folder / "world.yaml"), rate=5.0) as cluster:
        with ThreadPoolExecutor(1) as beside:  # the browser has a loop in this thread
            beside.submit(asyncio.run, _allow(cluster.kubeconfigs["admin"])).result(60)
        prometheus = f"{cluster.url}/prometheus"
        settings = settings_of(folder, cluster.kubeconfigs, NAMESPACES, prometheus=prometheus, ca=cluster.ca, clock=cluster.url)
        _asking(folder, NAMESPACES)
        web = settings.web.model_copy(update={"listen": "127.0.0.1:0"})
        access = settings.access.model_copy(update={"admin": (account(),), "operator": (BO,), "approver": (ANA,)})
        with serving(settings.model_copy(update={"web": web, "access": access})) as made:
            yield made


def _asking(folder: Path, namespaces: Namespaces) -> None:
    """Agents may suggest, and a person decides."""
    documents = DOCUMENTS.format(**namespaces._asdict()).replace('"*": guarded', '"*": suggest')
    (folder / "documents.yaml").write_text(documents, encoding="utf-8")


@contextmanager
def serving(settings: Settings) -> Iterator[Product]:
    """As `day2 serve` does it, on a loop of its own."""
    loop, ready, over = asyncio.new_event_loop(), threading.Event(), asyncio.Event()
    found: list[Any] = []

    async def main() -> None:
        async with everything.opened(settings, children=("judge", "executor", "console")) as running:
            following = asyncio.create_task(running.controller.serve(over, 0.2))
            found.append(running)
            ready.set()
            await over.wait()
            await following

    def work() -> None:
        asyncio.set_event_loop(loop)
        try:
            loop.run_until_complete(main())
        finally:
            ready.set()
            loop.close()

    thread = threading.Thread(target=work)
    thread.start()
    assert ready.wait(60)
    assert found, "the product did not start"
    said = found[0].children.named("console").ready
    try:
        yield Product(found[0], settings, said["login"], said["url"], loop)
    finally:
        loop.call_soon_threadsafe(over.set)
        thread.join(60)


def test_asked_in_the_chat_carded_approved_watched_verified_and_in_the_ledger(chromium: Browser, product: Product) -> None:
    with looking(chromium, product.url, 1440, 900) as bo, looking(chromium, product.url, 1440, 900) as ana:
        product.enter(bo, BO)
        product.enter(ana, ANA)
        ana.page.goto(f"{product.url}/approvals")
        ana.page.locator(".live.on").wait_for()
        run_id = _asked_in_the_chat(bo.page, product)
        (row,) = product.running.ledger.of_run(run_id)
        card = bo.page.locator("#lines article").filter(has_text=row.action_id).filter(has_text="Undo")
        expect(card).to_contain_text("needs 1")  # below the run that proposed it, of itself
        expect(card.get_by_role("button", name="Approve")).to_have_count(1)
        card.get_by_role("button", name="Approve").click()
        expect(bo.page.locator("#lines")).to_contain_text("may not call actions.approve")  # the card is not the authority
        assert product.running.ledger.approvals(row.action_id) == []

        expect(ana.page.locator("[data-new]")).to_be_visible()  # told, and nothing moved under the cursor
        expect(ana.page.locator("[data-row]")).to_have_count(0)
        with bo.page.context.expect_page() as opened:
            bo.page.evaluate(f"window.open('/runs/{run_id}')")
        watched = opened.value
        watched.locator(".live.on").wait_for()
        action = watched.locator(f"#act-row-{row.action_id}")
        expect(action).to_contain_text("needs approval")
        ana.page.locator("[data-new] a").click()
        ana.page.locator(f"#card-{row.action_id}").get_by_role("link", name="Review").click()
        ana.page.locator("#approve-why").fill("read the diff and the evidence")
        ana.page.get_by_role("button", name=re.compile("^Approve")).click()
        ana.page.locator(".said:not([hidden])").wait_for()
        expect(action).to_contain_text("verified")  # of itself: nobody loads the page again
        expect(watched.locator(".story")).to_contain_text("was done and verified")
        expect(ana.page.locator("#action .meta")).to_contain_text("verified")
        expect(ana.page.locator("#approve")).to_have_count(0)
        expect(card).to_contain_text("verified")
        expect(card.get_by_role("button")).to_have_count(0)
        ana.page.goto(f"{product.url}/audit?subject={row.action_id}")
        events = ana.page.locator("main tbody").inner_text()
        assert all(word in events for word in ("submitted", "approval.approved", "permitted", "applied", "verified"))
        ana.page.goto(f"{product.url}/audit?verify=1")
        expect(ana.page.get_by_text("Nothing was changed, removed, inserted, moved or cut off.")).to_be_visible()
        assert bo.problems + ana.problems == []
    found = product.running.ledger.get(row.action_id)
    assert found is not None
    assert found.state is ActionState.VERIFIED
    assert found.submitted_by == BO
    (approval,) = product.running.ledger.approvals(row.action_id)
    assert (approval.by, approval.door, approval.reason) == (ANA, "console", "read the diff and the evidence")


def _asked_in_the_chat(page: Page, product: Product) -> str:
    """Bo looks first, then asks for a run that may propose; the id of that run."""
    page.goto(f"{product.url}/chat")
    page.locator(".live.on").wait_for()
    _say(page, f"right-size {NAMESPACES.large}")
    expect(page.locator("#lines")).to_contain_text("answered")
    assert product.running.ledger.search() == []  # a question proposes nothing to the judge
    _say(page, f"start a run in {NAMESPACES.large}")
    page.get_by_role("button", name="Start the run").click()
    expect(page.locator("#lines")).to_contain_text("has begun")
    expect(page.locator("#lines article").filter(has_text="answered")).to_have_count(2)
    (found,) = product.running.ledger.search()
    return found.run_id


def _say(page: Page, text: str) -> None:
    page.locator("#text").fill(text)
    page.keyboard.press("Enter")
    expect(page.locator("#lines .mine").filter(has_text=text)).to_have_count(1)


def test_a_refusal_is_the_end_and_nothing_is_written(chromium: Browser, product: Product) -> None:
    product.run("run-open", "security", NAMESPACES.open)
    (row,) = product.running.ledger.of_run("run-open")
    with looking(chromium, product.url, 390, 844) as seen:
        page = seen.page
        page.goto(product.login)
        page.goto(f"{product.url}/actions/{row.action_id}")
        page.locator(".live.on").wait_for()
        page.locator("#deny-why").wait_for()
        page.locator("#deny-why").fill("not before the audit")
        page.get_by_role("button", name=re.compile("^Deny")).click()
        expect(page.locator("#action .meta")).to_contain_text("denied")
        expect(page.locator("#approve")).to_have_count(0)
        assert seen.problems == []
    found = product.running.ledger.get(row.action_id)
    assert found is not None
    assert found.state in TERMINAL
    assert found.permit == ""


def test_the_stop_button_asks_why_and_holds_all_writes(chromium: Browser, product: Product) -> None:
    with looking(chromium, product.url, 1440, 900) as seen:
        page = seen.page
        page.goto(product.login)
        page.locator(".live.on").wait_for()
        page.get_by_role("link", name="Stop writes…").click()
        dialog = page.locator("#stop-dialog")
        dialog.wait_for()
        dialog.get_by_role("button", name="Stop writes").click()
        assert product.running.ledger.stops() == []  # without a reason the browser does not send it
        dialog.get_by_label("Why").fill("a drill")
        dialog.get_by_role("button", name="Stop writes").click()
        expect(page.locator(".banner.stopped")).to_contain_text("a drill")
        (stop,) = product.running.ledger.stops()
        assert (stop.scope, stop.reason) == ("all", "a drill")
        page.get_by_role("link", name="Resume…").click()
        page.get_by_label("Why it may go on").fill("the drill is over")
        page.get_by_role("button", name="Resume all").click()
        expect(page.locator(".banner.stopped")).to_have_count(0)
        assert product.running.ledger.stops() == []
        assert seen.problems == []
