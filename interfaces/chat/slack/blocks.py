"""What is said as Block Kit, within Slack's limits (https://docs.slack.dev/reference/block-kit/blocks/). Pure.

Bodies are `rich_text`: its text is data, so mrkdwn, mentions and links in a pod's name or a log line stay letters. Only the fallback text
is parsed by Slack, and is escaped for that. `tests/interfaces/chat/slack_server.py` checks every call against the same limits.
"""

import json
from typing import Any

from core.domain.chats import Place
from interfaces.chat import parts
from interfaces.chat.parts import Part, Shape
from interfaces.chat.values import Card, Dialog, Field, Said, Verb

Block = dict[str, Any]
MOST_BLOCKS, HEADER, FALLBACK, TEXT = 50, 150, 3000, 2900
BUTTON, VALUE, URL = 75, 2000, 3000
MODAL_TITLE, MODAL_TEXT, OPTION, METADATA, LABEL, HINT = 24, 3000, 75, 3000, 2000, 150
MOST_PARTS = 40
"""Of a message; the rest is in the console. It leaves room for header, badge, buttons and hints."""
_STYLES = {Verb.APPROVE: "primary", Verb.DENY: "danger", Verb.STOP: "danger"}


def cut(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"


def fallback(text: str) -> str:
    """The one text that Slack parses: escaped as its documentation asks, so no mention and no link comes of it."""
    escaped = ""
    for letter in text:
        piece = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}.get(letter, letter)
        if len(escaped) + len(piece) > FALLBACK:
            return escaped[: FALLBACK - 1] + "…"
        escaped += piece
    return escaped or " "


def message(said: Said) -> Block:
    """`text` and `blocks` of chat.postMessage and its like."""
    shown = parts.shape(said)
    return {"text": fallback(shown.fallback), "blocks": blocks(shown, said)}


def blocks(shown: Shape, said: Said | None = None) -> list[Block]:
    drawn: list[Block] = [{"type": "header", "text": _plain(shown.title, HEADER)}]
    if shown.badge:
        drawn.append({"type": "context", "elements": [_plain(shown.badge, 300)]})
    drawn += [_part(part) for part in shown.parts[:MOST_PARTS]]
    if len(shown.parts) > MOST_PARTS:
        drawn.append(_part(Part("More", (f"{len(shown.parts) - MOST_PARTS} more in the console",))))
    if isinstance(said, Card) and not said.over:
        drawn.append(_expiry(said))
    if shown.commands:
        drawn.append({"type": "context", "elements": [_plain(f"next: {'  |  '.join(shown.commands)}", 1000)]})
    if elements := _buttons(shown, said):
        drawn.append({"type": "actions", "elements": elements})
    return drawn[:MOST_BLOCKS]


def _plain(text: str, most: int) -> Block:
    return {"type": "plain_text", "text": cut(text, most) or " ", "emoji": False}


def _part(part: Part) -> Block:
    """The name in bold, and what is said as it stands."""
    body = cut("\n".join(part.lines), TEXT) or " "
    name: Block = {"type": "text", "text": f"{cut(part.name, 200)}\n", "style": {"bold": True}}
    if part.fixed:
        fixed = {"type": "rich_text_preformatted", "elements": [{"type": "text", "text": body}]}
        return {"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": [name]}, fixed]}
    text: Block = {"type": "text", "text": body}
    return {"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": [name, text] if part.name else [text]}]}


def _expiry(said: Card) -> Block:
    """Both clocks in the reader's own time."""
    clocks = [("decide by", said.expires_at), *([("starts by", said.start_until)] if said.start_until else [])]
    elements: list[Block] = []
    for name, at in clocks:
        elements.append({"type": "text", "text": f"{name} "})
        elements.append(
            {"type": "date", "timestamp": int(at.timestamp()), "format": "{date_short_pretty} {time}", "fallback": f"{at:%Y-%m-%d %H:%MZ}"}
        )
        elements.append({"type": "text", "text": f" ({at:%H:%MZ})  "})
    return {"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": elements}]}


def _buttons(shown: Shape, said: Said | None) -> list[Block]:
    found = [_button(verb, shown.subject) for verb in shown.buttons]
    if shown.link and not (isinstance(said, Card) and said.over):
        found.append({"type": "button", "action_id": "open", "text": _plain(shown.link_text, BUTTON), "url": cut(shown.link, URL)})
    return found


def _button(verb: Verb, subject: str) -> Block:
    button: Block = {"type": "button", "action_id": verb.value, "text": _plain(parts.LABELS[verb], BUTTON), "value": cut(subject, VALUE)}
    return button | ({"style": _STYLES[verb]} if verb in _STYLES else {})


def modal(dialog: Dialog) -> Block:
    """`private_metadata` carries the subject and where to answer; nothing in it allows anything."""
    place = dialog.place
    about: Block = {"type": "section", "text": _plain(dialog.text, MODAL_TEXT)}
    return {
        "type": "modal",
        "callback_id": dialog.verb.value,
        "title": _plain(dialog.title, MODAL_TITLE),
        "submit": _plain(dialog.confirm, MODAL_TITLE),
        "close": _plain("Cancel", MODAL_TITLE),
        "private_metadata": cut(json.dumps({"subject": dialog.subject, "place": [place.conversation, place.thread]}), METADATA),
        "blocks": [about, *(_input(field) for field in dialog.fields)],
    }


def of_metadata(text: str) -> tuple[str, Place]:
    """Raises ValueError for what we did not write."""
    found = json.loads(text)
    conversation, thread = found["place"]
    return str(found["subject"]), Place("slack", str(conversation), str(thread))


def _input(field: Field) -> Block:
    if field.choices:
        options = [{"text": _plain(choice, OPTION), "value": cut(choice, OPTION)} for choice in field.choices]
        first = next((option for option in options if option["value"] == field.value), options[0])
        element: Block = {"type": "static_select", "action_id": field.name, "options": options, "initial_option": first}
    else:
        element = {"type": "plain_text_input", "action_id": field.name, "multiline": True, "max_length": 400}
        if field.value:
            element["initial_value"] = cut(field.value, 400)
        if field.hint:
            element["placeholder"] = _plain(field.hint, HINT)
    return {"type": "input", "block_id": field.name, "label": _plain(field.label, LABEL), "element": element, "optional": field.optional}


def home(shown: Shape) -> Block:
    """The home tab."""
    return {"type": "home", "blocks": blocks(shown)}
