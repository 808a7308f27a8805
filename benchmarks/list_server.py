"""Serves pods as an API server lists them, with paging, until its input closes. A process of its own: its time is nobody's measurement.

Prints its port. `python -m benchmarks.list_server COUNT`.
"""

import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar
from urllib.parse import parse_qs, urlsplit

from benchmarks import pods

SYSTEM = b'{"kind":"Namespace","apiVersion":"v1","metadata":{"name":"kube-system","uid":"00000000-0000-0000-0000-000000000001"}}'


class Handler(BaseHTTPRequestHandler):
    """Two paths: the pods, and the namespace that tells who the cluster is."""

    protocol_version = "HTTP/1.1"
    items: ClassVar[list[bytes]] = []

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        if url.path == "/api/v1/namespaces/kube-system":
            self._send([SYSTEM])
        elif url.path == "/api/v1/pods":
            query = {key: values[0] for key, values in parse_qs(url.query).items()}
            self._send(list(page(self.items, int(query.get("limit", 0)), int(query.get("continue", 0)))))
        else:
            self.send_error(404)

    def _send(self, parts: list[bytes]) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(sum(map(len, parts))))
        self.end_headers()
        for part in parts:
            self.wfile.write(part)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        pass


def page(items: list[bytes], limit: int, start: int) -> Iterator[bytes]:
    """One page, in parts. The continue token is where the next one starts."""
    end = min(len(items), start + limit) if limit else len(items)
    more = f'"continue":"{end}","remainingItemCount":{len(items) - end},' if end < len(items) else ""
    yield f'{{"kind":"PodList","apiVersion":"v1","metadata":{{{more}"resourceVersion":"1000000"}},"items":['.encode()
    yield b",".join(items[start:end])
    yield b"]}\n"


def main(count: int) -> None:
    Handler.items = pods.encoded(count)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(server.server_port, sum(map(len, Handler.items)), flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main(int(sys.argv[1]))
