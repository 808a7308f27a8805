"""How much of an answer is read from an endpoint: a model's answer has a few KiB, whatever the endpoint sends."""

from collections.abc import AsyncIterator

import httpx

LARGEST = 256 * 1024


class _Limited(httpx.AsyncByteStream):
    """The same bytes, until there are too many."""

    def __init__(self, inner: httpx.AsyncByteStream) -> None:
        self._inner = inner

    async def __aiter__(self) -> AsyncIterator[bytes]:
        read = 0
        async for chunk in self._inner:
            read += len(chunk)
            if read > LARGEST:
                raise httpx.ReadError(f"the answer has more than {LARGEST} bytes")
            yield chunk

    async def aclose(self) -> None:
        await self._inner.aclose()


async def limit(response: httpx.Response) -> None:
    """An event hook for responses. A packed answer is refused: a few bytes could unpack to anything."""
    if response.headers.get("content-encoding", "identity") != "identity":
        raise httpx.DecodingError("the answer is packed, although we did not ask for it")
    if isinstance(response.stream, httpx.AsyncByteStream):
        response.stream = _Limited(response.stream)
