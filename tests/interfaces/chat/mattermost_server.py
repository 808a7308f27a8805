"""A Mattermost on loopback that refuses what its documentation does not allow, and remembers what was said."""

import itertools
import json
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from aiohttp.test_utils import TestServer

Plain = dict[str, Any]
TOKEN = "bot-token"


@dataclass
class Mattermost:
    """`limited` answers so many calls with 429. A post has the length limits of the server and of its attachments."""

    posts: dict[str, Plain] = field(default_factory=dict)
    ephemeral: list[Plain] = field(default_factory=list)
    dialogs: list[Plain] = field(default_factory=list)
    files: dict[str, int] = field(default_factory=dict)
    refused: list[str] = field(default_factory=list)
    limited: int = 0
    calls: Counter[str] = field(default_factory=Counter)
    _number: itertools.count = field(default_factory=lambda: itertools.count(1))  # type: ignore[type-arg]
    server: TestServer | None = None

    async def start(self) -> str:
        app = web.Application(client_max_size=8 * 1024 * 1024)
        app.router.add_route("*", "/api/v4/{path:.*}", self._call)
        self.server = TestServer(app)
        await self.server.start_server()
        return str(self.server.make_url("")).rstrip("/")

    async def stop(self) -> None:
        assert self.server is not None
        await self.server.close()

    async def _call(self, request: web.Request) -> web.Response:
        path = request.match_info["path"]
        self.calls[path] += 1
        if request.headers.get("Authorization") != f"Bearer {TOKEN}":
            return web.json_response({"message": "no session"}, status=401)
        if self.limited:
            self.limited -= 1
            return web.json_response({}, status=429, headers={"X-Ratelimit-Reset": "0"})
        if path == "files":
            return await self._file(request)
        body = json.loads(await request.text()) if request.can_read_body else {}
        said = self._mistake(path, body)
        if said:
            self.refused.append(f"{path}: {said}")
            return web.json_response({"message": said}, status=400)
        return web.json_response(self._do(request.method, path, body))

    async def _file(self, request: web.Request) -> web.Response:
        form = await request.post()
        name = f"file{next(self._number)}"
        self.files[name] = len(form["files"].file.read())  # type: ignore[union-attr]
        return web.json_response({"file_infos": [{"id": name}]}, status=201)

    def _mistake(self, path: str, body: Any) -> str:
        post = body.get("post", body) if isinstance(body, dict) else {}
        if path.startswith("posts"):
            if len(post.get("message", "")) > 16_383:
                return "message is too long"
            if post.get("root_id") and self.posts.get(post["root_id"], {"root_id": ""}).get("root_id"):
                return "root_id is no root post"
            for attachment in post.get("props", {}).get("attachments", []):
                ids = [action["id"] for action in attachment.get("actions", [])]
                if len(ids) != len(set(ids)) or not all(name.isalnum() for name in ids):
                    return "ids of actions are letters and digits, each once"
        if path == "actions/dialogs/open":
            asked = body["dialog"]
            if len(asked["title"]) > 24 or len(asked["elements"]) > 5 or not body["trigger_id"]:
                return "dialog"
            if any(
                len(row["display_name"]) > 24 or len(row.get("help_text", "")) > 150 or len(row["name"]) > 300 for row in asked["elements"]
            ):
                return "element"
        return ""

    def _do(self, method: str, path: str, body: Any) -> Plain:
        if path == "posts":
            name = f"post{next(self._number):04}"
            self.posts[name] = body
            return {"id": name}
        if method == "PUT" and path.startswith("posts/"):
            name = path.split("/")[1]
            self.posts[name] |= body
            return {"id": name}
        if path == "posts/ephemeral":
            self.ephemeral.append(body)
        if path == "actions/dialogs/open":
            self.dialogs.append(body)
        return {"id": "me" if path == "users/me" else "direct1", "status": "OK"}


def pressed(post: str, body: Plain, verb: str, user: str, trigger: str) -> Plain:
    """A press on a button as it stands on this post."""
    (attachment,) = body["props"]["attachments"]
    context = next(row["integration"]["context"] for row in attachment["actions"] if row["id"] == verb)
    return {"user_id": user, "post_id": post, "channel_id": body["channel_id"], "trigger_id": trigger, "context": context}


def submitted(opened: Plain, user: str, **fields: str) -> Plain:
    asked = opened["dialog"]
    return {
        "type": "dialog_submission",
        "callback_id": asked["callback_id"],
        "state": asked["state"],
        "user_id": user,
        "submission": fields,
    }
