"""The terminal: the same conversation for the account that types; a decision shows its card, asks for a reason, and once more."""

import io
from collections.abc import Sequence

import pytest

from core.domain.access import Caller, Role
from interfaces.chat import cards
from interfaces.chat.sitting import Sitting
from interfaces.chat.terminal import TerminalChat, view
from interfaces.rendering.screens import Screen
from runtime.services import carding
from tests.interfaces.chat.stage import HOSTILE, Stage


class Terminal:
    """What was printed, and the answers that will be typed."""

    def __init__(self, stage: Stage, answers: Sequence[str] | None, *roles: Role, patience: float = 0.0) -> None:
        self.out = io.StringIO()
        self.asked: list[str] = []
        self._answers = None if answers is None else list(answers)
        caller = Caller("local:ana", frozenset(roles or {Role.ADMIN}), "terminal")
        self.sat = Sitting(stage.offers, caller, TerminalChat(Screen(self.out, width=100), self.question), patience=patience)

    def question(self, text: str) -> str | None:
        self.asked.append(text)
        return self._answers.pop(0) if self._answers is not None else None

    async def says(self, text: str) -> str:
        before = len(self.out.getvalue())
        await self.sat.said(text)
        return self.out.getvalue()[before:]


async def test_approving_shows_the_card_then_asks_why_then_once_more(stage: Stage) -> None:
    await stage.asked("act-0001")
    terminal = Terminal(stage, ["checked", "y"])
    said = await terminal.says("approve act-0001")
    assert said.index("Scale shop/") < said.index("Approve this action?")
    assert len(terminal.asked) == 2
    (approval,) = stage.ledger.approvals("act-0001")
    assert (approval.by, approval.reason) == ("local:ana", "checked")
    assert "You approved act-0001." in said


@pytest.mark.parametrize("answers", [["checked", "n"], ["checked", ""], None])
async def test_without_a_yes_nothing_is_decided(stage: Stage, answers: list[str] | None) -> None:
    await stage.asked("act-0001")
    terminal = Terminal(stage, answers)
    said = await terminal.says("approve act-0001")
    assert "nothing was decided" in said
    assert stage.ledger.approvals("act-0001") == []


async def test_denying_takes_a_preset_by_default_and_own_words(stage: Stage) -> None:
    await stage.asked("act-0001")
    await Terminal(stage, ["", "the sale is on", "yes"]).says("deny act-0001")
    assert [item.reason for item in stage.ledger.approvals("act-0001")] == ["not now: the sale is on"]


async def test_what_is_of_high_risk_is_left_to_the_commands_that_confirm_by_name(stage: Stage) -> None:
    await stage.asked("act-0001", risky=True)
    said = await Terminal(stage, ["x", "y"]).says("approve act-0001")
    assert "day2 approve act-0001 --confirm=NAME" in said
    assert stage.ledger.approvals("act-0001") == []


async def test_a_viewer_may_look_and_not_decide(stage: Stage) -> None:
    await stage.asked("act-0001")
    terminal = Terminal(stage, ["x", "y"], Role.VIEWER)
    said = await terminal.says("approve act-0001")
    assert "may not call actions.approve" in said
    assert terminal.asked == []


async def test_a_run_is_asked_about_before_it_is_started(stage: Stage) -> None:
    said = await Terminal(stage, ["n"]).says("fix shop")
    assert "nothing was done" in said
    assert stage.ports.intake.open() == []
    await Terminal(stage, ["y"]).says("fix shop")
    assert [item.request.act for item in stage.ports.intake.open()] == [True]


async def test_what_was_not_understood_or_refused_is_told_to_a_script(stage: Stage) -> None:
    terminal = Terminal(stage, None, Role.VIEWER)
    for text, failed in (("status", False), ("tell me a joke", True), ("stop writes", True), ("approvals", False)):
        await terminal.says(text)
        assert terminal.sat.failed == failed, text
    assert stage.ledger.stops() == []


async def test_a_question_that_nobody_takes_says_who_would(stage: Stage) -> None:
    said = await Terminal(stage, None).says("why is checkout slow?")
    assert "day2 serve" in said


async def test_a_document_for_programs_has_the_same_words(stage: Stage) -> None:
    await stage.asked("act-0001")
    terminal = Terminal(stage, None)
    await terminal.sat.said("approvals", quiet=True)
    assert terminal.out.getvalue() == ""
    (item,) = terminal.sat.document()["items"]
    assert item["parts"][0]["name"] == "act-0001"


async def test_the_card_has_its_eleven_fields_and_hostile_text_moves_no_cursor(stage: Stage) -> None:
    await stage.asked("act-0001", why=f"{HOSTILE}\x1b[2J\r\u202e")
    out = io.StringIO()
    drawn = cards.card(await carding.carded(stage.ports, "act-0001"), stage.talk.house)
    view(Screen(out, width=80), drawn)
    shown = out.getvalue()
    assert "\x1b" not in shown
    assert "\u202e" not in shown
    order = [
        shown.index(word)
        for word in ("Scale shop", "prod-eu", "Asked by", "Change", "Why", "Effect", "Verdict", "Undo", "Confidence", "Approval")
    ]
    assert order == sorted(order)
    assert all(len(line) <= 80 for line in shown.splitlines() if "http" not in line)
    assert drawn.summary.startswith("[prod-eu] ? pending: Scale shop/")
    assert drawn.details
