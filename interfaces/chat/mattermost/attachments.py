"""What is said as a Mattermost post with one attachment, within its limits (https://developers.mattermost.com/integrate). Pure.

Mattermost parses Markdown and mentions everywhere: what a cluster says is escaped letter by letter, and names and links are broken.
"""

import hashlib
import hmac
import re
from typing import Any

from interfaces.chat import parts
from interfaces.chat.values import ENDS, GLYPHS, Card, Dialog, Phase, Said, Verb

Plain = dict[str, Any]
POST, FIELD, TEXT, TITLE = 16_383, 2000, 7000, 200
DIALOG_TITLE, DIALOG_TEXT, ELEMENTS, DISPLAY_NAME, HELP = 24, 3000, 5, 24, 150
_MARKS = re.compile(r"([\\`*_{}\[\]()#+\-.!|<>~:$=^])")
_MENTION = re.compile(r"@(?=\w)")
_LINK = re.compile(r"(?i)(\bwww)\\?\.|(:)(?=//)")
_COLOURS = {Phase.VERIFIED: "#0072b2", Phase.DENIED: "#666666", Phase.INCOMPLETE: "#d55e00", Phase.FROZEN: "#d55e00"}


def escaped(text: str) -> str:
    """Letters only: no mark, no mention of anybody, no link."""
    marked = _MARKS.sub(r"\\\1", text)
    return _LINK.sub(lambda found: f"{found[0]}\u200b", _MENTION.sub("@\u200b", marked))


def cut(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"


def fixed(text: str) -> str:
    """A block of code that its own text cannot end."""
    return f"```\n{text.replace('```', 'ʼʼʼ').replace('~~~', 'ʼʼʼ')}\n```"


def post(said: Said, *, callback: str, secret: str) -> Plain:
    """`message` and `props` of a post. `callback` is our address for buttons."""
    shown = parts.shape(said)
    fields = [
        {"title": cut(part.name, TITLE), "value": _value(part), "short": False}
        for part in shown.parts[:40]
    ]  # fmt: skip
    attachment: Plain = {
        "fallback": cut(escaped(shown.fallback), TEXT),
        "title": cut(escaped(shown.title), TITLE),
        "text": cut(escaped(shown.badge), TEXT),
        "fields": fields,
        "color": _COLOURS.get(said.phase, "#999999") if isinstance(said, Card) else "#999999",
    }
    if shown.commands:
        attachment["footer"] = cut(f"next: {'  |  '.join(shown.commands)}", 300)
    if shown.link and not (isinstance(said, Card) and said.phase in ENDS):
        attachment["title_link"] = shown.link
    if shown.buttons:
        attachment["actions"] = [button(verb, shown.subject, callback, secret) for verb in shown.buttons]
    glyph = GLYPHS.get(said.phase, "…") if isinstance(said, Card) else ""
    return {"message": cut(escaped(f"{glyph} {shown.fallback}".strip()), 1000), "props": {"attachments": [attachment]}}


def _value(part: parts.Part) -> str:
    text = cut("\n".join(part.lines), FIELD // 3)  # escaping at most doubles it
    return fixed(text) if part.fixed else escaped(text)


def button(verb: Verb, subject: str, callback: str, secret: str) -> Plain:
    """Mattermost does not sign what it sends: the context, which no client sees, carries a seal."""
    context = {"verb": verb.value, "subject": subject, "seal": seal(secret, verb.value, subject)}
    style = {Verb.APPROVE: "primary", Verb.DENY: "danger", Verb.STOP: "danger"}.get(verb, "default")
    return {
        "id": verb.value,
        "type": "button",
        "name": parts.LABELS[verb],
        "style": style,
        "integration": {"url": callback, "context": context},
    }


def seal(secret: str, *words: str) -> str:
    return hmac.new(secret.encode(), "\0".join(words).encode(), hashlib.sha256).hexdigest()


def dialog(asked: Dialog, trigger: str, callback: str, secret: str) -> Plain:
    """Body of POST /api/v4/actions/dialogs/open."""
    state = "\n".join((asked.verb.value, asked.subject, asked.place.conversation, asked.place.thread))
    elements = [_element(field) for field in asked.fields[:ELEMENTS]]
    drawn = {
        "callback_id": asked.verb.value,
        "title": cut(asked.title, DIALOG_TITLE),
        "introduction_text": cut(escaped(asked.text), DIALOG_TEXT),
        "submit_label": cut(asked.confirm, DISPLAY_NAME),
        "notify_on_cancel": False,
        "state": f"{seal(secret, 'dialog', state)}\n{state}",
        "elements": elements,
    }
    return {"trigger_id": trigger, "url": callback, "dialog": drawn}


def _element(field: Any) -> Plain:
    base = {
        "display_name": cut(field.label, DISPLAY_NAME),
        "name": field.name,
        "optional": field.optional,
        "help_text": cut(field.hint, HELP),
    }
    if field.choices:
        return base | {"type": "select", "options": [{"text": item, "value": item} for item in field.choices], "default": field.value}
    return base | {"type": "textarea", "max_length": 400, "default": field.value}
