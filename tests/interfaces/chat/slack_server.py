"""A Slack Web API on loopback that refuses what Slack's documentation does not allow, and remembers what was said.

Limits: https://docs.slack.dev/reference/block-kit/ and the pages of each method. `deliver` plays Slack's side: signed, again, late, forged.
"""

import hashlib
import hmac
import itertools
import json
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from aiohttp import web
from aiohttp.test_utils import TestServer

Plain = dict[str, Any]
TEXT_KEYS = {"type", "text", "emoji", "verbatim"}
BUTTON = {"type", "text", "action_id", "value", "url", "style", "confirm", "accessibility_label"}
BLOCKS: dict[str, set[str]] = {
    "header": {"type", "text", "block_id"},
    "section": {"type", "text", "fields", "accessory", "block_id", "expand"},
    "context": {"type", "elements", "block_id"},
    "actions": {"type", "elements", "block_id"},
    "rich_text": {"type", "elements", "block_id"},
    "divider": {"type", "block_id"},
    "input": {"type", "label", "element", "hint", "optional", "block_id", "dispatch_action"},
}
RICH = {"rich_text_section", "rich_text_preformatted", "rich_text_list", "rich_text_quote"}
SPANS = {
    "text": {"type", "text", "style"},
    "link": {"type", "url", "text", "unsafe", "style"},
    "date": {"type", "timestamp", "format", "url", "fallback"},
}


class Bad(Exception):
    """What Slack would answer with `invalid_blocks` or its like."""


def need(held: bool, said: str) -> None:
    if not held:
        raise Bad(said)


def of_keys(item: Plain, keys: set[str], what: str) -> None:
    need(set(item) <= keys, f"{what} has no {sorted(set(item) - keys)}")


def a_text(item: Plain, most: int, what: str, kinds: tuple[str, ...] = ("plain_text",)) -> None:
    of_keys(item, TEXT_KEYS, what)
    need(item.get("type") in kinds, f"{what} may not be {item.get('type')}")
    need(
        isinstance(item.get("text"), str) and 1 <= len(item["text"]) <= most, f"{what} has {len(item.get('text', ''))} of {most} characters"
    )
    need(item["type"] == "mrkdwn" or "verbatim" not in item, f"{what}: verbatim is for mrkdwn")


def blocks(found: list[Plain], most: int) -> None:
    need(1 <= len(found) <= most, f"{len(found)} blocks of {most}")
    names = [block["block_id"] for block in found if "block_id" in block]
    need(len(names) == len(set(names)), "a block_id stands twice")
    for block in found:
        kind = block.get("type", "")
        need(kind in BLOCKS, f"there is no block {kind!r}")
        of_keys(block, BLOCKS[kind], kind)
        CHECKS[kind](block)


def _header(block: Plain) -> None:
    a_text(block["text"], 150, "header")


def _section(block: Plain) -> None:
    need("text" in block or "fields" in block, "a section needs text or fields")
    if "text" in block:
        a_text(block["text"], 3000, "section", ("plain_text", "mrkdwn"))
    for item in block.get("fields", []):
        a_text(item, 2000, "field", ("plain_text", "mrkdwn"))
    need(len(block.get("fields", [])) <= 10, "more than 10 fields")


def _context(block: Plain) -> None:
    need(1 <= len(block["elements"]) <= 10, "context has 1 to 10 elements")
    for item in block["elements"]:
        a_text(item, 3000, "context", ("plain_text", "mrkdwn"))


def _actions(block: Plain) -> None:
    need(1 <= len(block["elements"]) <= 25, "actions have 1 to 25 elements")
    names = [item.get("action_id") for item in block["elements"]]
    need(len(names) == len(set(names)), "an action_id stands twice")
    for item in block["elements"]:
        need(item.get("type") == "button", "only buttons are used here")
        of_keys(item, BUTTON, "button")
        a_text(item["text"], 75, "button")
        need(len(item.get("action_id", "")) <= 255, "action_id")
        need(len(item.get("value", "")) <= 2000, "value")
        need(len(item.get("url", "")) <= 3000, "url")
        need(item.get("style", "primary") in ("primary", "danger"), "style")


def _rich(block: Plain) -> None:
    need(bool(block["elements"]), "rich_text needs elements")
    for part in block["elements"]:
        need(part.get("type") in RICH, f"there is no {part.get('type')}")
        need(bool(part["elements"]), "a rich_text part needs elements")
        for span in part["elements"]:
            need(span.get("type") in SPANS, f"there is no span {span.get('type')}")
            of_keys(span, SPANS[span["type"]], span["type"])
            if span["type"] == "text":
                need(isinstance(span["text"], str) and 1 <= len(span["text"]) <= 3000, "a span has 1 to 3000 characters")
                need(part["type"] != "rich_text_preformatted" or "style" not in span, "preformatted text has no style")
            if span["type"] == "date":
                need(isinstance(span["timestamp"], int) and bool(span["format"]) and bool(span["fallback"]), "date")


def _input(block: Plain) -> None:
    a_text(block["label"], 2000, "label")
    element = block["element"]
    if element["type"] == "static_select":
        of_keys(element, {"type", "action_id", "options", "initial_option", "placeholder"}, "select")
        need(1 <= len(element["options"]) <= 100, "options")
        for option in element["options"]:
            a_text(option["text"], 75, "option")
            need(len(option["value"]) <= 150, "option value")
        need(element.get("initial_option") in (None, *element["options"]), "initial_option is no option")
    else:
        need(element["type"] == "plain_text_input", f"there is no {element['type']}")
        of_keys(element, {"type", "action_id", "multiline", "max_length", "min_length", "initial_value", "placeholder"}, "text input")
        need(element.get("max_length", 1) <= 3000, "max_length")
        if "placeholder" in element:
            a_text(element["placeholder"], 150, "placeholder")


CHECKS = {
    "header": _header,
    "section": _section,
    "context": _context,
    "actions": _actions,
    "rich_text": _rich,
    "input": _input,
    "divider": lambda _block: None,
}


def fallback(text: Any) -> None:
    """It is parsed for mentions and links: nothing of a cluster may become one."""
    need(isinstance(text, str) and 0 < len(text) <= 4000, "text has 1 to 4000 characters")
    need("<" not in text and ">" not in text, f"text is not escaped: {text!r}")


def view(found: Plain) -> None:
    need(found["type"] in ("modal", "home"), "view type")
    blocks(found["blocks"], 100)
    need(len(found.get("private_metadata", "")) <= 3000, "private_metadata")
    if found["type"] == "modal":
        of_keys(found, {"type", "callback_id", "title", "submit", "close", "private_metadata", "blocks"}, "modal")
        for name in ("title", "submit", "close"):
            a_text(found[name], 24, name)
        need(len(found["callback_id"]) <= 255, "callback_id")


@dataclass
class Slack:
    """What a workspace saw. `limited` answers the next calls of a method with 429; `slow` makes a call fail with 500."""

    messages: dict[tuple[str, str], Plain] = field(default_factory=dict)
    history: list[tuple[str, Plain]] = field(default_factory=list)
    ephemeral: list[Plain] = field(default_factory=list)
    views: list[Plain] = field(default_factory=list)
    homes: dict[str, Plain] = field(default_factory=dict)
    files: list[Plain] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    limited: Counter[str] = field(default_factory=Counter)
    failing: Counter[str] = field(default_factory=Counter)
    calls: Counter[str] = field(default_factory=Counter)
    sockets: list[web.WebSocketResponse] = field(default_factory=list)
    acknowledged: list[Plain] = field(default_factory=list)
    channels: tuple[str, ...] = ("C0HOME", "C0TEAM", "D0ANA")
    _number: itertools.count = field(default_factory=lambda: itertools.count(1))  # type: ignore[type-arg]
    server: TestServer | None = None

    async def start(self) -> str:
        app = web.Application()
        app.router.add_post("/api/{method}", self._call)
        app.router.add_get("/api/{method}", self._call)
        app.router.add_post("/upload/{name}", self._upload)
        app.router.add_get("/socket", self._socket)
        self.server = TestServer(app)
        await self.server.start_server()
        return f"{self.server.make_url('/api/')}"

    async def stop(self) -> None:
        assert self.server is not None
        await self.server.close()

    def thread(self, ts: str) -> list[Plain]:
        return [message for message in self.messages.values() if message.get("thread_ts") == ts]

    def last(self) -> Plain:
        return list(self.messages.values())[-1]

    async def _call(self, request: web.Request) -> web.Response:
        method = request.match_info["method"]
        self.calls[method] += 1
        if self.limited[method] > 0:
            self.limited[method] -= 1
            return web.json_response({"ok": False, "error": "ratelimited"}, status=429, headers={"Retry-After": "0"})
        if self.failing[method] > 0:
            self.failing[method] -= 1
            return web.json_response({"ok": False, "error": "internal_error"}, status=500)
        body = await _body(request)
        try:
            answer = METHODS[method](self, body)
        except Bad as error:
            self.refused.append(f"{method}: {error}")
            answer = {"ok": False, "error": "invalid_arguments", "detail": str(error)}
        return web.json_response(answer)

    async def _upload(self, request: web.Request) -> web.Response:
        await request.read()
        return web.Response(text="OK")

    async def _socket(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        await socket.send_json({"type": "hello", "num_connections": 1})
        self.sockets.append(socket)
        async for message in socket:
            self.acknowledged.append(json.loads(message.data))
        return socket

    def post(self, body: Plain) -> Plain:
        fallback(body.get("text"))
        blocks(body["blocks"], 50)
        need(body.get("parse", "none") == "none" and not body.get("link_names"), "text would be parsed")
        if body["channel"] not in self.channels and not body["channel"].startswith("U"):
            return {"ok": False, "error": "channel_not_found"}
        if "thread_ts" in body and not body["thread_ts"].replace(".", "").isdigit():
            return {"ok": False, "error": "invalid_thread_ts"}
        ts = f"{1_790_000_000 + next(self._number)}.000100"
        self.messages[body["channel"], ts] = body
        self.history.append((ts, body))
        return {"ok": True, "ts": ts, "channel": body["channel"], "message": body}

    def edit(self, body: Plain) -> Plain:
        fallback(body.get("text"))
        blocks(body["blocks"], 50)
        key = (body["channel"], body["ts"])
        if key not in self.messages:
            return {"ok": False, "error": "message_not_found"}
        self.messages[key] = self.messages[key] | body
        self.history.append((body["ts"], body))
        return {"ok": True, "ts": body["ts"], "channel": body["channel"]}

    def whisper(self, body: Plain) -> Plain:
        fallback(body.get("text"))
        blocks(body["blocks"], 50)
        self.ephemeral.append(body)
        return {"ok": True, "message_ts": "1.1"}

    def open(self, body: Plain) -> Plain:
        found = body["view"] if isinstance(body["view"], dict) else json.loads(body["view"])
        view(found)
        if not body["trigger_id"].startswith("T"):
            return {"ok": False, "error": "expired_trigger_id"}
        number = next(self._number)
        self.views.append(found | {"id": f"V{number}"})
        return {"ok": True, "view": self.views[-1]}

    def publish(self, body: Plain) -> Plain:
        found = body["view"] if isinstance(body["view"], dict) else json.loads(body["view"])
        view(found)
        self.homes[body["user_id"]] = found
        return {"ok": True, "view": found}

    def upload_url(self, body: Plain) -> Plain:
        need(int(body["length"]) > 0, "length")
        need(len(body.get("alt_txt", "")) <= 1000, "alt_txt")
        assert self.server is not None
        name = f"F{next(self._number)}"
        self.files.append({"id": name, "alt": body.get("alt_txt", ""), "name": body["filename"]})
        return {"ok": True, "upload_url": str(self.server.make_url(f"/upload/{name}")), "file_id": name}

    def uploaded(self, body: Plain) -> Plain:
        for item in json.loads(body["files"]) if isinstance(body["files"], str) else body["files"]:
            next(row for row in self.files if row["id"] == item["id"])["channel"] = body.get("channel_id")
        return {"ok": True, "files": []}

    def connection(self, _body: Plain) -> Plain:
        assert self.server is not None
        return {"ok": True, "url": str(self.server.make_url("/socket")).replace("http", "ws", 1)}


METHODS = {
    "auth.test": lambda _slack, _body: {"ok": True, "user_id": "UBOT", "bot_id": "BBOT", "team_id": "T1", "url": "https://x.slack.com/"},
    "chat.postMessage": Slack.post,
    "chat.update": Slack.edit,
    "chat.postEphemeral": Slack.whisper,
    "views.open": Slack.open,
    "views.publish": Slack.publish,
    "files.getUploadURLExternal": Slack.upload_url,
    "files.completeUploadExternal": Slack.uploaded,
    "apps.connections.open": Slack.connection,
}


async def _body(request: web.Request) -> Plain:
    if "json" in request.headers.get("Content-Type", ""):
        found: Plain = await request.json()
        return found
    return {**request.query, **dict(await request.post())}


def signed(secret: str, body: str, *, at: float | None = None, forged: bool = False) -> dict[str, str]:
    """Headers as Slack sends them."""
    stamp = str(int(time.time() if at is None else at))
    seal = hmac.new(b"another" if forged else secret.encode(), f"v0:{stamp}:{body}".encode(), hashlib.sha256).hexdigest()
    kind = "application/json" if body.startswith("{") else "application/x-www-form-urlencoded"
    return {"x-slack-request-timestamp": stamp, "x-slack-signature": f"v0={seal}", "content-type": kind}


def mention(text: str, user: str, ts: str, *, channel: str = "C0TEAM", thread: str = "", event: str = "") -> str:
    said = {"type": "app_mention", "user": user, "text": f"<@UBOT> {text}", "ts": ts, "channel": channel, "event_ts": ts}
    body = {"type": "event_callback", "team_id": "T1", "api_app_id": "A1", "event_id": event or f"Ev{ts}", "event": said}
    return json.dumps(body | ({"event": said | {"thread_ts": thread}} if thread else {}))


def pressed(message: Plain, ts: str, verb: str, user: str, trigger: str, *, channel: str = "C0HOME") -> str:
    """A press on a button as it stands on this message."""
    value = next((item.get("value", "") for item in buttons(message) if item["action_id"] == verb), "")
    return press(value, ts, verb, user, trigger, channel=channel, thread=message.get("thread_ts", ""))


def press(subject: str, ts: str, verb: str, user: str, trigger: str, *, channel: str = "C0HOME", thread: str = "") -> str:
    """A press that Slack delivers, whatever stands there by now."""
    body = {
        "type": "block_actions",
        "team": {"id": "T1"},
        "user": {"id": user},
        "trigger_id": trigger,
        "channel": {"id": channel},
        "container": {"type": "message", "message_ts": ts, "channel_id": channel},
        "message": {"ts": ts} | ({"thread_ts": thread} if thread else {}),
        "actions": [{"type": "button", "action_id": verb, "block_id": "b", "value": subject, "action_ts": ts}],
    }
    return urlencode({"payload": json.dumps(body)})


def submitted(found: Plain, user: str, **fields: str) -> str:
    """A modal that was sent."""
    values = {}
    for block in found["blocks"]:
        if block["type"] == "input":
            name, element = block["block_id"], block["element"]
            given = fields.get(name, "")
            value = (
                {"selected_option": {"value": given or element["initial_option"]["value"]}}
                if element["type"] == "static_select"
                else {"value": given or None}
            )
            values[name] = {element["action_id"]: {"type": element["type"]} | value}
    shown = found | {"state": {"values": values}}
    body = {"type": "view_submission", "team": {"id": "T1"}, "user": {"id": user}, "view": shown, "trigger_id": "Tx"}
    return urlencode({"payload": json.dumps(body)})


def command(text: str, user: str, trigger: str, channel: str = "C0TEAM") -> str:
    return urlencode({"command": "/day2", "text": text, "user_id": user, "channel_id": channel, "trigger_id": trigger, "team_id": "T1"})


def buttons(message: Plain) -> list[Plain]:
    return [item for block in message["blocks"] if block["type"] == "actions" for item in block["elements"]]


def words(message: Plain) -> str:
    """All that a reader sees."""
    return json.dumps(message["blocks"], ensure_ascii=False)
