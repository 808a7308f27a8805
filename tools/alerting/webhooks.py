"""One POST to somebody else's address, and its twin. Redirects are not followed: a signed event goes where a person said, or nowhere."""

import ipaddress
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

import httpx

from core.domain.errors import Unavailable
from core.domain.webhooks import Posted

SECONDS = 10.0


class HttpPoster:
    def __init__(self) -> None:
        self._outside = httpx.AsyncClient(timeout=SECONDS, follow_redirects=False)
        self._here = httpx.AsyncClient(timeout=SECONDS, follow_redirects=False, trust_env=False)

    async def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Posted:
        client = self._here if loopback(url) else self._outside
        try:
            async with client.stream("POST", url, content=body, headers=dict(headers)) as answer:  # its body is nobody's business
                return Posted(answer.status_code, _seconds(answer.headers.get("Retry-After", ""), datetime.now(UTC)))
        except (httpx.HTTPError, OSError) as error:
            raise Unavailable("the webhook", reason=type(error).__name__) from error

    async def close(self) -> None:
        await self._outside.aclose()
        await self._here.aclose()


def loopback(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _seconds(told: str, now: datetime) -> float | None:
    """Retry-After is a number of seconds, or a date (RFC 9110)."""
    if told.isdigit() and len(told) < 10:
        return float(told)
    try:
        return max(0.0, (parsedate_to_datetime(told) - now).total_seconds())
    except (ValueError, TypeError):
        return None


class MemoryPoster:
    """The twin: keeps what it was sent, and answers what it is told to, the last of it again and again."""

    def __init__(self, *answers: Posted | Unavailable) -> None:
        self.answers = list(answers) or [Posted(204)]
        self.posts: list[tuple[str, bytes, dict[str, str]]] = []

    async def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Posted:
        self.posts.append((url, body, dict(headers)))
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Unavailable):
            raise answer
        return answer

    async def close(self) -> None:
        """Nothing is open."""
