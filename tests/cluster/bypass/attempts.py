"""What an attempt to write past the gate is, and how an answer says who refused it. The table of all of them is `table`."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import httpx

from tools.kubernetes.writer import PERMIT_HEADER

if TYPE_CHECKING:
    from tests.cluster.bypass.ground import Ground

MERGE, STRATEGIC, JSON_PATCH, APPLY, JSON = (
    "application/merge-patch+json",
    "application/strategic-merge-patch+json",
    "application/json-patch+json",
    "application/apply-patch+yaml",
    "application/json",
)
_WITHOUT_RIGHT = re.compile(r'User \\"[^"]*\\" cannot |cannot impersonate|in extra is not allowed')
SHAPED = "e30.e30.e30"
"""Looks like a permit; nobody signed it."""
MODES = ("api", "static")
"""The guard as objects of the API, and as files of the API server."""
GATE = frozenset({"authentication", "rbac", "policy", "webhook"})
SHAPE = GATE | {"api"}
"""Where the API server may also refuse by its own form checks, before anybody of ours is asked."""


class Call(NamedTuple):
    """One HTTP request. `{ns}`, `{pod}`, `{node}` and other names of the ground stand in path, body and headers.

    `who` is an identity of the ground; `headers` may repeat a name.
    """

    who: str
    method: str
    path: str
    body: Any = None
    content_type: str = JSON
    headers: tuple[tuple[str, str], ...] = ()

    def impersonating(self, user: str, *permits: str) -> Call:
        told = (("Impersonate-User", user), *((PERMIT_HEADER, permit) for permit in permits))
        return self._replace(headers=(*self.headers, *told))

    @property
    def signature(self) -> str:
        """What makes it another attempt than the others."""
        return json.dumps([self.who, self.method, self.path, self.body, self.content_type, self.headers], sort_keys=True)


@dataclass(frozen=True)
class Attempt:
    """One way past the gate. Refused means: the answer is an error, by one of `stopped_by`, and nothing stored has moved.

    `act` prepares what it needs, says `ground.mark()` where that stored anything, and then does the forbidden thing. `signature` is what
    it is distinct by. `misgranted`: made with every right that RBAC can give. Those of one `group` share a look at the store.
    """

    family: str
    name: str
    act: Callable[[Ground], httpx.Response]
    signature: str
    stopped_by: frozenset[str] = GATE
    modes: tuple[str, ...] = MODES
    generated: bool = False
    misgranted: bool = False
    group: str = ""

    @property
    def id(self) -> str:
        return f"{self.family}-{self.name}".replace(" ", "-")


def calling(family: str, name: str, call: Call, **more: Any) -> Attempt:
    """An attempt that is one request."""
    return Attempt(family, name, lambda ground: ground.call(call), call.signature, **more)


def playing(family: str, act: Callable[[Ground], httpx.Response], name: str = "", **more: Any) -> Attempt:
    """An attempt in several steps: a function of this name, whose docstring says what it does."""
    told = name or act.__name__.replace("_", "-")
    return Attempt(family, told, act, f"{act.__module__}.{told}", **more)


def refused_by(answer: httpx.Response) -> str:
    """Who said no; `nobody` for a yes."""
    if answer.status_code < 400:
        return "nobody"
    if answer.status_code == 401:
        return "authentication"
    text = answer.text
    if "day2 permit: " in text or "failed calling webhook" in text:
        return "webhook"
    if answer.status_code == 403 and "day2" in text and "ValidatingAdmissionPolicy" in text:
        return "policy"
    return "rbac" if answer.status_code == 403 and _WITHOUT_RIGHT.search(text) else "api"


def until(holds: Callable[[], bool], what: Callable[[], str], seconds: float = 20.0) -> None:
    """Raises AssertionError that says what it waited for."""
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, what()
        time.sleep(0.05)
