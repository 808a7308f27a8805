"""Serves one long watch as an API server does, each event a chunk of its own, until its input closes. A process of its own.

Prints its port. `python -m benchmarks.watch_server EVENTS`: the list is empty, the watch then tells of so many pods and stays open.
"""

import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar

from benchmarks import pods

AT_ONCE = 65_536


def lines(count: int) -> list[bytes]:
    """A change each of so many pods."""
    return [b'{"type":"MODIFIED","object":%s}\n' % item for item in pods.encoded(count)]


class Handler(BaseHTTPRequestHandler):
    """The list of pods, and their watch; the version of a server that streams no lists."""

    protocol_version = "HTTP/1.1"
    stream: ClassVar[bytes] = b""
    over: ClassVar[threading.Event] = threading.Event()

    def do_GET(self) -> None:
        if self.path == "/version":
            self._send(b'{"major":"1","minor":"31"}')
        elif "watch=" in self.path:
            self._watched()
        else:
            self._send(b'{"kind":"PodList","metadata":{"resourceVersion":"1"},"items":[]}')

    def _watched(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for start in range(0, len(self.stream), AT_ONCE):
            self.wfile.write(self.stream[start : start + AT_ONCE])
        self.over.wait()

    def _send(self, body: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        pass


def main(count: int) -> None:
    Handler.stream = b"".join(b"%x\r\n%s\r\n" % (len(line), line) for line in lines(count))
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(server.server_port, flush=True)
    sys.stdin.read()
    Handler.over.set()


if __name__ == "__main__":
    main(int(sys.argv[1]))
