"""A client whose API server is an ASGI application in this process: no port, no network. For evaluations on simulated clusters."""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import httpx

Scope = MutableMapping[str, Any]
Application = Callable[[Scope, Callable[[], Awaitable[Scope]], Callable[[Scope], Awaitable[None]]], Awaitable[None]]


def connect(application: Application, token: str, base: str = "") -> httpx.AsyncClient:
    """As whoever the token names; `base` is the path that the application serves it under."""
    return httpx.AsyncClient(
        transport=httpx.ASGITransport(app=application),
        base_url=f"http://cluster.test{base}",
        headers={"Authorization": f"Bearer {token}", "Accept": "application/json", "Accept-Encoding": "identity"},
        timeout=None,  # noqa: S113  virtual time: an answer takes as long as it takes
        trust_env=False,
    )
