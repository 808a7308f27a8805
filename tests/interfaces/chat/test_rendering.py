"""The same card in every product: all its fields, hostile text as text, no button at an end."""

from html.parser import HTMLParser

import pytest

from core.domain.chats import Place
from interfaces.chat import cards, html, parts
from interfaces.chat.mattermost import attachments
from interfaces.chat.pressing import dialog
from interfaces.chat.slack import blocks
from interfaces.chat.values import Answer, Card, Notice, Phase, Row, Verb
from runtime.services import carding
from runtime.services.offers.runs import Shown
from tests.interfaces.chat.stage import HOSTILE, Stage, answer

FIELDS = ("State", "Asked by", "Change", "Why", "Effect", "Verdict", "Undo", "Confidence", "Approval")


async def drawn(stage: Stage, **over: object) -> Card:
    await stage.asked("act-0001", **over)  # type: ignore[arg-type]
    return cards.card(await carding.carded(stage.ports, "act-0001"), stage.talk.house)


class Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.seen: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))


def tags(text: str) -> list[tuple[str, dict[str, str | None]]]:
    parser = Tags()
    parser.feed(text)
    return parser.seen


async def test_every_field_that_a_person_needs_is_there_in_its_order(stage: Stage) -> None:
    card = await drawn(stage)
    shape = parts.shape(card)
    assert tuple(part.name for part in shape.parts) == FIELDS
    assert all(any(line.strip() for line in part.lines) for part in shape.parts)
    for word in ("prod-eu", "shop", "cart", "medium", "act-0001"):
        assert word in f"{shape.badge} {shape.title} {shape.fallback}"
    assert "2 pods touched" in repr(shape.parts)
    assert "a person decides here" in repr(shape.parts)
    assert "0/1 approved, needs 1 more, not oidc:bo" in repr(shape.parts)
    assert "needs_approval · 1 pass · 1 fail" in repr(shape.parts)
    assert "  " not in card.blast


async def test_a_page_has_no_tag_of_anybody_else_and_no_script_or_style(stage: Stage) -> None:
    text = str(html.fragment(await drawn(stage, why=HOSTILE)))
    seen = tags(text)
    assert {tag for tag, _ in seen} <= {"article", "h3", "p", "dl", "dt", "dd", "pre", "form", "input", "button", "a", "kbd"}
    assert not [name for _, attributes in seen for name in attributes if name.startswith("on") or name == "style"]
    assert [attributes["href"] for tag, attributes in seen if tag == "a"] == ["/actions/act-0001"]
    assert "&lt;script&gt;" in text


def test_a_link_of_a_fragment_never_leads_elsewhere() -> None:
    assert html.local("https://evil.example/actions/act-1?x=1") == "/actions/act-1"
    assert html.local("javascript:alert(1)") == "alert(1)"
    assert 'href="alert' in str(html.fragment(Notice("x", url="javascript:alert(1)")))


def test_slack_parses_only_the_fallback_and_that_is_escaped() -> None:
    shown = blocks.message(Notice(HOSTILE, (HOSTILE,), (Row(HOSTILE, HOSTILE),)))
    assert "<" not in shown["text"]
    assert "&lt;!here&gt;" in shown["text"]
    assert '"mrkdwn"' not in repr(shown).replace("'", '"')


@pytest.mark.parametrize("length", [0, 1, 2999, 3000, 3001, 9000])
def test_a_fallback_is_never_cut_inside_of_an_escape(length: int) -> None:
    text = blocks.fallback("&" * length)
    assert 1 <= len(text) <= 3000
    assert text.replace("&amp;", "").strip(" …&amp;") == ""


def test_mattermost_gets_letters_no_mention_no_link_and_no_end_of_its_code() -> None:
    shown = attachments.escaped(f"{HOSTILE} www.evil.example @all http://x.example **b** | a |")
    assert "@\u200ball" in shown
    assert "://" not in shown.replace("\u200b", "|")
    assert "\\*\\*b\\*\\*" in shown
    assert attachments.fixed("a ``` b").count("```") == 2


async def test_mattermost_seals_its_buttons_and_fits_its_limits(stage: Stage) -> None:
    card = await drawn(stage, why=HOSTILE)
    post = attachments.post(card, callback="https://day2.example/mattermost/presses", secret="s")
    (attachment,) = post["props"]["attachments"]
    assert [field["title"] for field in attachment["fields"]] == list(FIELDS)
    contexts = [action["integration"]["context"] for action in attachment["actions"]]
    assert {context["subject"] for context in contexts} == {"act-0001"}
    assert len({context["seal"] for context in contexts}) == len(contexts), "a seal is of one button"
    assert all(len(field["value"]) <= 2100 for field in attachment["fields"])
    asked = attachments.dialog(dialog(card, Verb.DENY, Place("mattermost", "c", "t")), "T", "https://x", "s")["dialog"]
    assert len(asked["title"]) <= 24
    assert all(len(element["display_name"]) <= 24 for element in asked["elements"])


@pytest.mark.parametrize("verb", [Verb.APPROVE, Verb.DENY, Verb.EDIT])
async def test_each_dialog_names_the_object_and_the_cluster(stage: Stage, verb: Verb) -> None:
    card = await drawn(stage)
    asked = dialog(card, verb, Place("slack", "C1"))
    assert "shop/" in asked.text
    assert "cart" in asked.text
    assert "prod-eu" in asked.text
    assert len(asked.text) <= 300
    form = str(html.asked(asked))
    assert 'value="act-0001"' in form


def test_every_phase_has_a_word_and_ends_have_no_button() -> None:
    assert len({phase.value for phase in Phase}) == len(Phase)
    assert all(parts.state(phase).strip() for phase in Phase)


def test_an_answer_says_what_ran_what_did_not_and_quotes_what_others_wrote(stage: Stage) -> None:
    shown = cards.answer(Shown(None, None, answer("run-1", 7)), "run-1", stage.talk.house)
    assert isinstance(shown, Answer)
    assert (len(shown.findings), shown.more) == (5, 2)
    assert shown.findings[0].evidence[0].endswith("” (quoted)")
    assert shown.coverage == "checks run 1, not run 1 (FIN-101: no metrics)"
    nobody = cards.answer(Shown(None, None, answer("run-1", 0) | {"nobody": "no agent fits"}), "run-1", stage.talk.house)
    assert "nobody looked: no agent fits" in nobody.coverage
