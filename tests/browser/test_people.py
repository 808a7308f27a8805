"""People at the console in front of a judge and an executor: two at once, too late, after the object changed, and who asked for it.

Both are driven by hand, on a clock by hand: what a test presses is looked at when the test says so, however slow the machine is.
"""

import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any, NamedTuple

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from core.actions.catalogue import parse_action
from core.domain.outcome import TERMINAL, ActionState
from core.domain.proposal import Proposal
from core.domain.sessions import Session
from core.domain.target import Target
from core.domain.verdict import Decision
from gate import keys
from interfaces.console.guarding import named
from interfaces.console.sessions import COOKIE
from runtime.roles import deciding
from tests.browser.conftest import Served, Watched, looking, serving
from tests.contracts.consoles import World
from tests.gate.conftest import CLUSTER, START, Gate, TwinCluster, gated, pod, proposal, scale, small_cluster
from tools.stores.memory import MemoryLedger

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]
ANA, BO, CY = (f"oidc:{name}@example.org" for name in ("ana", "bo", "cy"))
S = ActionState
TOMORROW = START + timedelta(days=1)
HELD_OPEN = timedelta(minutes=20)
"""How long a card waits for people here: less than a session lasts unused."""


class House(NamedTuple):
    """A console over a gate that is driven by hand."""

    served: Served
    gate: Gate
    browser: Browser

    def waits(self, made: Proposal) -> str:
        """Asked for by Bo, and judged: a person decides."""
        self.gate.rules.decision = Decision.NEEDS_APPROVAL
        self.served.do(self.gate.submit(made, by=BO))
        self.judge()
        assert self.state(made.action.id) is S.NEEDS_APPROVAL
        return made.action.id

    def judge(self) -> None:
        self.served.do(self.gate.judge())

    def tried(self) -> None:
        """All that judge and executor do of themselves now."""
        for _ in range(3):
            self.judge()
            self.served.do(self.gate.execute())

    def state(self, action_id: str) -> ActionState:
        return self.gate.row(action_id).state

    def decisions(self, action_id: str) -> list[tuple[str, str]]:
        return sorted((item.by, item.decision) for item in self.gate.ledger.approvals(action_id))

    @contextmanager
    def at(self, by: str, path: str) -> Iterator[Watched]:
        """This person at a page, on a browser of their own."""
        with looking(self.browser, self.served.url, 1440, 900) as seen:
            self.enter(seen, by)
            seen.page.goto(self.served.url + path)
            seen.page.locator(".live.on").wait_for()
            yield seen

    def enter(self, seen: Watched, by: str) -> None:
        """As the provider's login leaves them: a cookie, and a session that knows its hash."""
        now, secret = self.gate.clock.now(), f"secret-of-{by}"
        kept = self.served.world.ports.sessions
        assert kept is not None
        kept.close(named(secret))
        kept.open(Session(named(secret), by, (), "oidc", now, now, now))
        seen.page.context.add_cookies([{"name": COOKIE, "value": secret, "url": self.served.url}])


@pytest.fixture(scope="module")
def house(chromium: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    folder = tmp_path_factory.mktemp("people")
    key = keys.signer(folder / "keys", f"{keys.DOOR}console")
    gate = gated(small_cluster(), MemoryLedger(), folder / "keys")
    gate.bench = replace(gate.bench, approval_time=HELD_OPEN)
    decide = deciding.signed_with(key, gate.ledger, gate.clock, name="console")
    over: dict[str, Any] = {"ledger": gate.ledger, "clock": gate.clock, "gate": gate.door, "decide": decide, "reader": gate.cluster}
    roles = {"access.approver": [ANA, BO], "access.admin": [CY]}
    with serving(folder, roles, lambda folder, settings: World(folder, settings, **over)) as made:
        yield House(made, gate, chromium)


@pytest.fixture(autouse=True)
def fresh(house: House) -> None:
    """Each test begins with the cluster as it was, and nothing that waits."""
    cluster = small_cluster()
    house.gate.cluster.objects.clear()
    house.gate.cluster.objects.update(cluster.objects)
    house.gate.cluster.effects.clear()


def stuck(cluster: TwinCluster, action_id: str, name: str) -> Proposal:
    """A pod that does not go, and the wish to let it go without its finalizer: of high risk, and never undone."""
    held = pod(name)
    held["metadata"] |= {"finalizers": ["example.com/disk"], "deletionTimestamp": "2026-11-23T11:00:00Z"}
    cluster.put(held)
    target = Target(cluster=CLUSTER, kind="Pod", namespace="shop", name=name, uid=f"uid-{name}")
    names = ("example.com/disk",)
    action = parse_action(
        {"id": action_id, "kind": "clear_finalizers", "target": target.model_dump(), "from_finalizers": names, "finalizers": names}
    )
    return proposal(action, expires_at=TOMORROW)


def filled(page: Page, reason: str, name: str = "") -> None:
    page.locator("#approve-why").fill(reason)
    if name:
        page.locator("#approve-name").fill(name)


def press(page: Page) -> None:
    page.get_by_role("button", name="Approve").click(no_wait_after=True)


def test_high_risk_takes_two_people_who_press_at_once_and_is_done_once(house: House) -> None:
    action = house.waits(stuck(house.gate.cluster, "act-stuck", "stuck"))
    held: list[Route] = []
    tabs: list[Watched] = []

    def hold(route: Route) -> None:
        held.append(route)

    with ExitStack() as stack:
        for by in (ANA, CY, ANA):  # the third is a second tab of somebody who is in a hurry
            seen = stack.enter_context(house.at(by, f"/actions/{action}"))
            tabs.append(seen)
            expect(seen.page.locator("#decide")).to_contain_text("2 of 2 people are still needed, other than bo@example.org")
            filled(seen.page, "its disk is gone for good", "stuck")
        for seen in tabs:
            seen.page.route("**/approve", hold)
            press(seen.page)
        while len(held) < len(tabs):
            tabs[0].page.wait_for_timeout(20)  # the browsers' own events come in meanwhile
        assert house.decisions(action) == []
        for route in held:
            route.continue_()
        for seen in tabs:
            seen.page.wait_for_url(re.compile(r"said=|/approve$"))
        assert house.decisions(action) == [(ANA, "approved"), (CY, "approved")]
        house.tried()
        assert [request.name for _, request in house.gate.cluster.effects] == ["stuck"]
        first = tabs[0].page
        first.goto(f"{house.served.url}/actions/{action}")
        expect(first.locator("#approve")).to_have_count(0)
        expect(first.locator("#decide")).to_contain_text("cy@example.org")


def test_one_of_two_is_not_enough_and_who_asked_is_none_of_them(house: House) -> None:
    action = house.waits(stuck(house.gate.cluster, "act-alone", "hung"))
    with house.at(BO, f"/actions/{action}") as seen:
        filled(seen.page, "I know what I do", "hung")
        press(seen.page)
        expect(seen.page.locator("main")).to_contain_text("who asks cannot approve")
    assert house.decisions(action) == []
    with house.at(ANA, f"/actions/{action}") as seen:
        filled(seen.page, "its disk is gone for good", "hung")
        press(seen.page)
        expect(seen.page.locator(".said")).to_contain_text("1 more person is needed")
    house.judge()
    assert house.state(action) is S.NEEDS_APPROVAL
    assert house.gate.cluster.effects == []
    with house.at(CY, f"/actions/{action}") as seen:
        expect(seen.page.locator("#decide")).to_contain_text("1 of 2 people are still needed")
        seen.page.locator("#deny-why").fill("the disk is still there")
        seen.page.get_by_role("button", name="Deny").click()
        expect(seen.page.locator(".said")).to_contain_text("Denied")
        house.judge()
        expect(seen.page.locator("#action .meta")).to_contain_text("denied")
    assert house.gate.cluster.effects == []


def test_a_card_whose_time_is_over_is_refused_and_the_ledger_says_expired(house: House) -> None:
    action = house.waits(proposal(scale(new=4, action_id="act-late"), expires_at=TOMORROW))
    with house.at(ANA, f"/actions/{action}") as seen, house.at(CY, f"/actions/{action}") as other:
        filled(seen.page, "looked at it")
        filled(other.page, "looked at it too")
        house.served.later(21 * 60)
        press(seen.page)  # before the judge has looked again
        expect(seen.page.locator("main h1")).to_contain_text(f"{action} expired at")
        assert house.state(action) is S.NEEDS_APPROVAL
        house.judge()
        assert house.state(action) is S.EXPIRED
        expect(other.page.locator("[data-moved]")).to_be_visible()  # of itself; what she writes is not taken from under her hands
        expect(other.page.locator("#approve-why")).to_have_value("looked at it too")
        press(other.page)
        expect(other.page.locator("main h1")).to_contain_text(f"{action} is expired and waits for nobody")
        seen.page.goto(f"{house.served.url}/actions/{action}")
        expect(seen.page.locator("#decide")).to_contain_text("can be neither approved nor denied")
        seen.page.goto(f"{house.served.url}/audit?subject={action}")
        expect(seen.page.locator("main tbody")).to_contain_text("expired")
        assert [problem for problem in other.problems if "409" not in problem] == []  # what a browser says of a refusal
    assert house.decisions(action) == []
    assert house.gate.cluster.effects == []


def test_a_card_pressed_from_an_old_tab_decides_nothing_any_more(house: House) -> None:
    action = house.waits(proposal(scale(new=3, action_id="act-older"), expires_at=TOMORROW))
    with house.at(ANA, f"/actions/{action}") as seen:
        seen.page.get_by_role("button", name="Pause").click()  # nothing on it changes any more: as a tab of yesterday
        filled(seen.page, "looked at it")
        house.gate.approve(action, "cli:dee", decision="denied")
        house.judge()
        assert house.state(action) is S.DENIED
        press(seen.page)
        expect(seen.page.locator("main h1")).to_contain_text("is denied and waits for nobody")
    assert ANA not in [by for by, _ in house.decisions(action)]


def test_an_object_that_changed_after_the_card_was_drawn_is_not_written(house: House) -> None:
    action = house.waits(proposal(scale(old=2, new=5, action_id="act-moved"), expires_at=TOMORROW))
    with house.at(ANA, f"/actions/{action}") as seen:
        filled(seen.page, "two are too few")
        house.gate.cluster.object("Deployment", "shop", "cart")["spec"]["replicas"] = 7  # somebody was faster, by hand
        house.gate.settle()
        press(seen.page)
        expect(seen.page.locator(".said")).to_contain_text("The judge looks once more")
        house.judge()
        house.served.do(house.gate.execute())
        expect(seen.page.locator("#action .meta")).to_contain_text("denied")
        expect(seen.page.locator("#action")).to_contain_text("Denied:")
        assert seen.problems == []
    assert house.gate.replicas == 7
    assert house.gate.cluster.effects == []


def test_the_stop_button_holds_what_was_approved_until_somebody_resumes(house: House) -> None:
    action = house.waits(proposal(scale(new=6, action_id="act-halted"), expires_at=TOMORROW))
    with house.at(CY, "/approvals") as seen, house.at(ANA, f"/actions/{action}") as other:
        seen.page.get_by_role("link", name="Stop writes…").click()
        stop = seen.page.locator("#stop-dialog")
        stop.get_by_label("Why").fill("a drill")
        stop.get_by_role("button", name="Stop writes").click()
        expect(seen.page.locator(".banner.stopped")).to_contain_text("All writes")
        filled(other.page, "two are too few")
        press(other.page)
        expect(other.page.locator(".banner.stopped")).to_contain_text("a drill")
        house.tried()
        assert house.gate.cluster.effects == []
        assert house.state(action) not in TERMINAL  # held, and not lost
        seen.page.get_by_role("link", name="Resume…").click()
        seen.page.get_by_label("Why it may go on").fill("the drill is over")
        seen.page.get_by_role("button", name="Resume all").click()
        expect(seen.page.locator(".banner.stopped")).to_have_count(0)
        house.tried()
        assert house.gate.replicas == 6
        assert len(house.gate.cluster.effects) == 1
        assert seen.problems + other.problems == []
