"""The HTTP client to one API server, and what its answers mean. Used by reader and writer.

Loopback never goes through a proxy, whatever the environment says; everything else honours the usual proxy variables.
"""

import asyncio
import ssl
import tempfile
from collections.abc import Mapping
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import msgspec

from core.domain.errors import Conflict, Day2Error, InvalidInput, NotAuthenticated, NotAuthorised, Refused, Unavailable
from core.domain.values import bounded
from tools.kubernetes.config import Connection, is_loopback

AGENT = "day2ops"
_HEADERS = {"User-Agent": AGENT, "Accept": "application/json"}
CONNECT_SECONDS = 5.0
READ_ATTEMPTS = 4
LONGEST_RETRY_AFTER = 30.0


class Status(msgspec.Struct):
    """The parts of metav1.Status that we use."""

    message: str = ""
    reason: str = ""
    code: int = 0


def connect(connection: Connection, *, connections: int = 20) -> httpx.AsyncClient:
    """An HTTP client with our identity, and so many connections at once. Raises InvalidInput where the certificates cannot be used."""
    host = urlsplit(connection.server).hostname or ""
    return httpx.AsyncClient(
        base_url=connection.server,
        verify=_tls(connection) if connection.server.startswith("https") else True,
        headers=[*_HEADERS.items(), *((("Accept-Encoding", "identity"),) if is_loopback(host) else ()), *_identity(connection)],
        auth=_Bearer(connection),
        timeout=httpx.Timeout(connection.request_seconds, connect=min(CONNECT_SECONDS, connection.request_seconds or CONNECT_SECONDS)),
        trust_env=not is_loopback(host),
        limits=httpx.Limits(max_connections=connections, max_keepalive_connections=10),
    )


def _identity(connection: Connection) -> list[tuple[str, str]]:
    """Whom each request is made as, where not as ourselves. Groups alone would be refused by the server."""
    if not connection.as_user:
        return []
    return [("Impersonate-User", connection.as_user), *(("Impersonate-Group", group) for group in connection.as_groups)]


class _Bearer(httpx.Auth):
    """A token file is read per request: kubelets rotate it."""

    def __init__(self, connection: Connection) -> None:
        self._token = connection.token
        self._file = connection.token_file

    def auth_flow(self, request: httpx.Request) -> Any:
        token = Path(self._file).read_text(encoding="ascii").strip() if self._file else self._token
        if token:
            request.headers["Authorization"] = f"Bearer {token}"
        yield request


def _tls(connection: Connection) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cadata=connection.ca or None)
        if connection.certificate and connection.key:
            with tempfile.TemporaryDirectory(prefix="day2-") as folder:  # 0700; the ssl module takes files only
                pair = Path(folder, "client.pem")
                pair.touch(0o600)
                pair.write_text(connection.certificate + "\n" + connection.key, encoding="ascii")
                context.load_cert_chain(pair)
    except (ssl.SSLError, ValueError) as error:
        raise InvalidInput(
            f"the certificates of context {connection.context!r} cannot be used: {error}",
            mend="fetch a fresh kubeconfig from the cluster's admin",
        ) from error
    return context


async def read(client: httpx.AsyncClient, path: str, *, params: Mapping[str, str] | None = None, right: str) -> httpx.Response:
    """GET with bounded retries for what passes by itself (429, 5xx, a broken connection). `right` is "list apps/deployments" for the mend.

    Raises Unavailable, NotAuthenticated, NotAuthorised, or Day2Error; 404 and 410 come back as responses.
    """
    pause = 0.0
    for attempt in range(READ_ATTEMPTS):
        await asyncio.sleep(pause)
        pause = 0.2 * 2**attempt
        try:
            response = await client.get(path, params=params)
        except httpx.HTTPError as error:
            failure: Day2Error = unreachable(client, error)
        else:
            if response.status_code not in (429, 500, 502, 503, 504):
                raise_for(response, right=right)
                return response
            failure = Unavailable("the Kubernetes API", retry_after(response, pause), reason=f"HTTP {response.status_code}")
            pause = retry_after(response, pause)
        if isinstance(failure, NotAuthenticated):
            break
    raise failure


def unreachable(client: httpx.AsyncClient, error: httpx.HTTPError) -> Day2Error:
    """What a failed connection means for the caller."""
    text = str(error)
    if "CERTIFICATE_VERIFY_FAILED" in text and "expired" in text:
        return NotAuthenticated(
            "the API server's certificate has expired", mend="renew it (kubeadm certs renew all), or fetch a fresh kubeconfig"
        )
    if "CERTIFICATE_VERIFY_FAILED" in text:
        return NotAuthenticated(
            "the API server's certificate is not signed by the kubeconfig's CA", mend="fetch a fresh kubeconfig for this cluster"
        )
    if "ALERT" in text and "CERTIFICATE" in text:
        return NotAuthenticated("the API server refused our client certificate, it may have expired", mend="fetch a fresh kubeconfig")
    return Unavailable(
        f"the Kubernetes API at {client.base_url}",
        2.0,
        reason=bounded(text or type(error).__name__, 120),
        mend="check that the cluster is up and reachable: kubectl --context NAME get --raw /readyz",
    )


def raise_for(response: httpx.Response, *, right: str) -> None:
    """Turn an API server's refusal into our error; 2xx, 404 and 410 pass."""
    code = response.status_code
    if code < HTTPStatus.BAD_REQUEST or code in (HTTPStatus.NOT_FOUND, HTTPStatus.GONE):
        return
    status = status_of(response)
    if code == HTTPStatus.UNAUTHORIZED:
        raise NotAuthenticated(
            "the API server does not accept our credentials", mend="the token or certificate may have expired: fetch a fresh kubeconfig"
        )
    if code == HTTPStatus.FORBIDDEN and "cannot impersonate" in status.message:
        raise NotAuthorised(bounded(status.message, 200), right="impersonate users", mend=grant_line("impersonate users"))
    if code == HTTPStatus.FORBIDDEN:
        raise NotAuthorised(f"not allowed to {right}: {bounded(status.message, 200)}", right=right, mend=grant_line(right))
    if code == HTTPStatus.CONFLICT:
        raise Conflict(bounded(status.message, 300))
    raise Refused((f"{status.reason or code}: {bounded(status.message, 300)}",))


def status_of(response: httpx.Response) -> Status:
    try:
        return msgspec.json.decode(response.content, type=Status)
    except msgspec.DecodeError:
        return Status(message=bounded(response.text, 200), code=response.status_code)


def grant_line(right: str) -> str:
    """The RBAC rule that grants "verb group/resource[/sub]", ready for a Role."""
    verb, _, path = right.partition(" ")
    group, resource = path.split("/", 1) if "." in path.split("/", 1)[0] or path.split("/", 1)[0] in _BARE_GROUPS else ("", path)
    return f'grant it with the rule {{apiGroups: ["{group}"], resources: ["{resource}"], verbs: ["{verb}"]}}'


_BARE_GROUPS = frozenset({"apps", "batch", "autoscaling", "policy"})


def retry_after(response: httpx.Response, default: float) -> float:
    try:
        return min(float(response.headers.get("Retry-After", default)), LONGEST_RETRY_AFTER)
    except ValueError:
        return default
