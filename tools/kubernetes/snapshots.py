"""Slim snapshots and logs over HTTP: the adapter behind `core.cluster.looking.ClusterReader`. For agents; the gate reads full objects."""

import asyncio
from collections.abc import Sequence
from http import HTTPStatus
from urllib.parse import quote

import httpx

from core.cluster import decoding
from core.cluster.kinds import KINDS, Kind
from core.cluster.observed import OBSERVED
from core.cluster.snapshot import Snapshot
from core.domain.clock import Clock
from core.domain.errors import Day2Error, NotAuthorised
from core.domain.values import bounded
from core.policy.redaction import redact
from tools.kubernetes import transport
from tools.kubernetes.reader import HttpReader

LOG_BYTES = 16_384
KINDS_AT_ONCE = 4
_ESSENTIAL = frozenset({"Namespace", "Pod"})


class SnapshotReader(HttpReader):
    """As its base, and everything at once. `clock` stamps snapshots."""

    def __init__(self, client: httpx.AsyncClient, clock: Clock) -> None:
        super().__init__(client)
        self._clock = clock

    async def snapshot(self, kinds: Sequence[str], namespaces: Sequence[str] = ()) -> Snapshot:
        gate = asyncio.Semaphore(KINDS_AT_ONCE)

        async def one(name: str) -> decoding.Decoded | str:
            async with gate:
                return await self._decoded(OBSERVED[name], namespaces)

        cluster = await self.cluster_uid()
        answers = dict(zip(kinds, await asyncio.gather(*(one(name) for name in kinds)), strict=True))
        decoded = {name: answer for name, answer in answers.items() if not isinstance(answer, str)}
        return Snapshot(
            cluster=cluster,
            taken_at=self._clock.now(),
            objects={name: answer.items for name, answer in decoded.items()},
            unread={name: answer for name, answer in answers.items() if isinstance(answer, str)},
            poisoned=tuple(poison for answer in decoded.values() for poison in answer.poisoned),
        )

    async def log(self, namespace: str, pod: str, container: str, *, previous: bool = False, lines: int = 40) -> str:
        params = {"container": container, "tailLines": str(lines), "limitBytes": str(LOG_BYTES)} | (
            {"previous": "true"} if previous else {}
        )
        path = KINDS["Pod"].path(quote(namespace, safe=""), quote(pod, safe="")) + "/log"
        response = await transport.read(self._client, path, params=params, right="get pods/log")
        return "" if response.status_code == HTTPStatus.NOT_FOUND else redact(response.text[:LOG_BYTES])

    async def decoded(self, kind: Kind, namespace: str) -> decoding.Decoded:
        """One list, as `pages` reads it. Raises what may not be read or is not served."""

        def read(body: bytes) -> tuple[decoding.Decoded, str]:
            page = decoding.decode_page(kind.name, body)
            return page, page.token

        return decoding.joined(await self.pages(kind, namespace, {}, read))

    async def _decoded(self, kind: Kind, namespaces: Sequence[str]) -> "decoding.Decoded | str":
        """All objects of a kind, or the reason why there are none to be had."""
        scope = namespaces if namespaces and kind.namespaced else ("",)
        try:
            return decoding.joined([await self.decoded(kind, namespace) for namespace in scope])
        except NotAuthorised as error:
            return f"{bounded(str(error), 160)}; {error.mend}"
        except Day2Error as error:
            if kind.name in _ESSENTIAL:
                raise
            return bounded(str(error), 200)
