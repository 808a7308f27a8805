"""The web chat: a conversation for each person, in fragments that escape everything, and no decision by a GET or from another site."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from starlette.requests import Request

from core.domain.access import Caller, Role
from core.domain.errors import InvalidInput
from interfaces.chat.joining import join, made, secret
from interfaces.web.app import build
from interfaces.web.house import House
from runtime.settings import load
from tests.interfaces.chat.stage import HOSTILE, Stage

ROLES = {"ana": Role.APPROVER, "bo": Role.OPERATOR, "dee": Role.VIEWER}


async def who(request: Request) -> Caller | None:
    """The test's way to know people: a header."""
    name = request.headers.get("x-who")
    return Caller(f"oidc:{name}", frozenset({ROLES[name]}), "console") if name else None


class Browser:
    """One person's page; its requests come from our own site unless told otherwise."""

    def __init__(self, http: httpx.AsyncClient, name: str) -> None:
        self._http, self._headers = http, {"x-who": name}

    async def get(self, path: str = "/chat") -> httpx.Response:
        return await self._http.get(path, headers=self._headers)

    async def post(self, path: str, *, site: str = "same-origin", **form: str) -> httpx.Response:
        return await self._http.post(path, data=form, headers=self._headers | {"sec-fetch-site": site})


@pytest.fixture
async def http(stage: Stage) -> AsyncIterator[httpx.AsyncClient]:
    house = House(stage.offers, load({}, environment={}, files=()).settings, "https://day2.example", ways=(who,))
    app = build(house, (join,))
    chatting = app.state.chatting
    stage.talk, stage.follower = chatting.talk, chatting.follower
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://day2") as client:
        yield client


async def test_asked_carded_and_approved_in_the_page(stage: Stage, http: httpx.AsyncClient) -> None:
    ana = Browser(http, "ana")
    assert (await ana.post("/chat/messages", text="why does cart restart?")).status_code == 303
    (asked,) = stage.ports.intake.open()
    assert asked.request.by == "oidc:ana"
    stage.answered(asked.request.id, findings=[])
    await stage.follower.look()
    assert "nothing was found by the checks that ran" in (await ana.get()).text
    await stage.asked("act-0001")
    await ana.post("/chat/messages", text="approve act-0001")
    page = (await ana.get()).text
    assert 'value="act-0001"' in page
    assert stage.ledger.approvals("act-0001") == []
    await ana.post("/chat/presses", verb="approve", subject="act-0001")
    assert "Approve this action?" in (await ana.get("/chat/lines")).text
    assert stage.ledger.approvals("act-0001") == []
    await ana.post("/chat/dialogs", verb="approve", subject="act-0001", reason="checked")
    (approval,) = stage.ledger.approvals("act-0001")
    assert (approval.by, approval.reason) == ("oidc:ana", "checked")
    lines = (await ana.get("/chat/lines")).text
    assert "You approved act-0001." in lines
    assert "<textarea" not in lines, "the dialog is over"
    assert 'value="approve"' not in lines


async def test_what_a_run_proposed_comes_as_a_card_below_it_to_who_asked_and_to_nobody_else(stage: Stage, http: httpx.AsyncClient) -> None:
    ana, dee = Browser(http, "ana"), Browser(http, "dee")
    await dee.post("/chat/messages", text="why is web slow?")
    await ana.post("/chat/messages", text="why does cart restart?")
    run = stage.ports.intake.open()[-1].request.id
    await stage.asked("act-0001", run=run)
    for _ in range(3):
        await stage.follower.look()
    assert (await ana.get()).text.count('aria-label="Scale shop/deployment/cart from 4 to 2"') == 1
    assert "act-0001" not in (await dee.get()).text


async def test_nobody_reads_another_persons_conversation_and_nobody_without_a_name_reads_any(stage: Stage, http: httpx.AsyncClient) -> None:
    await Browser(http, "ana").post("/chat/messages", text="status")
    assert "Status" in (await Browser(http, "ana").get()).text
    assert "Status" not in (await Browser(http, "dee").get()).text
    for path in ("/chat", "/chat/lines", "/chat/pictures/1"):
        assert (await http.get(path)).status_code == 401
    assert (await http.post("/chat/messages", data={"text": "stop writes"})).status_code == 401
    assert stage.ledger.stops() == []


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
async def test_another_site_can_do_nothing_in_a_readers_name(stage: Stage, http: httpx.AsyncClient, site: str) -> None:
    await stage.asked("act-0001")
    bo = Browser(http, "bo")
    assert (await bo.post("/chat/messages", site=site, text="stop writes")).status_code == 403
    assert (await bo.post("/chat/presses", site=site, verb="approve", subject="act-0001")).status_code == 403
    assert (await bo.post("/chat/dialogs", site=site, verb="deny", subject="act-0001", preset="not now")).status_code == 403
    assert stage.ledger.stops() == []
    answer = await http.post("/chat/messages", data={"text": "stop writes"}, headers={"x-who": "bo", "origin": "https://evil.example"})
    assert answer.status_code == 403
    for path in ("/chat/messages", "/chat/presses", "/chat/dialogs"):
        assert (await bo.get(path)).status_code == 405, "a GET never decides anything"


async def test_a_viewer_is_told_that_a_button_is_not_theirs(stage: Stage, http: httpx.AsyncClient) -> None:
    await stage.asked("act-0001")
    dee = Browser(http, "dee")
    await dee.post("/chat/presses", verb="approve", subject="act-0001")
    assert "may not call actions.approve" in (await dee.get()).text
    await dee.post("/chat/dialogs", verb="approve", subject="act-0001", reason="mine")
    assert stage.ledger.approvals("act-0001") == []


async def test_hostile_text_is_text_and_the_page_loads_nothing_from_elsewhere(stage: Stage, http: httpx.AsyncClient) -> None:
    await stage.asked("act-0001", why=HOSTILE)
    ana = Browser(http, "ana")
    await ana.post("/chat/messages", text=f"show act-0001 {HOSTILE}")
    answer = await ana.get()
    assert "<script>alert" not in answer.text
    assert "unsafe-inline" not in answer.headers["content-security-policy"]
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert answer.text.count("<script") == 1
    assert 'src="http' not in answer.text
    assert "style=" not in answer.text
    for name in ("chat.css", "chat.js"):
        assert (await http.get(f"/chat/static/{name}")).status_code == 200
    assert (await http.get("/chat/static/..%2Fsaid.html")).status_code in (400, 404)


async def test_a_picture_is_its_readers_alone_and_has_words(stage: Stage, http: httpx.AsyncClient) -> None:
    ana = Browser(http, "ana")
    await ana.post("/chat/messages", text="why does cart restart?")
    (asked,) = stage.ports.intake.open()
    from tests.interfaces.chat.stage import answer

    stage.answered(asked.request.id, findings=answer("x", 4)["findings"])
    await stage.follower.look()
    page = (await ana.get()).text
    assert 'alt="Of the 4 findings shown: 4 high."' in page
    path = page.partition('src="/chat/pictures/')[2].partition('"')[0]
    shown = await ana.get(f"/chat/pictures/{path}")
    assert shown.headers["content-type"] == "image/png"
    assert (await Browser(http, "dee").get(f"/chat/pictures/{path}")).status_code == 400


NEVER_SENT: list[tuple[dict[str, str], str]] = [
    ({"verb": "explode", "subject": "x"}, "presses"),
    ({"verb": "", "subject": ""}, "dialogs"),
    ({"text": "x" * 4001}, "messages"),
]


@pytest.mark.parametrize(("form", "path"), NEVER_SENT)
async def test_what_the_page_never_sends_is_refused(http: httpx.AsyncClient, form: dict[str, str], path: str) -> None:
    assert 400 <= (await Browser(http, "ana").post(f"/chat/{path}", **form)).status_code < 500


def test_a_product_without_its_secrets_says_which_setting_is_missing(stage: Stage, tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("xoxb-1\n", encoding="ascii")
    assert secret(token, "slack.token_file") == "xoxb-1"
    cases = {
        "Slack can reach us by no way": {"slack.token_file": token},
        "mattermost.token_file is not set": {"mattermost.url": "http://mm.example"},
        "cannot read": {"slack.token_file": tmp_path / "none"},
        "is no time zone": {"chat.zone": "Nowhere/Nothing"},
        "maps nobody": {"chat.people": "slack:U1"},
        "is mapped to two persons": {"chat.people": "slack:U1=oidc:a,slack:U1=oidc:b"},
    }
    for said, given in cases.items():
        with pytest.raises(InvalidInput, match=said) as refused:
            made(stage.offers, load(given, environment={}, files=()).settings, "https://x.example")
        assert refused.value.mend
        assert "xoxb" not in str(refused.value)
