"""Places that are told: an HTTP server on loopback that keeps what it was sent, as Alertmanager's API v2 or as any web hook."""

import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Receiver:
    """`code` is what it answers. Entered with `with`; the port is free again afterwards."""

    code: int = 200
    posts: list[tuple[str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    port: int = 0
    _server: ThreadingHTTPServer | None = None
    _thread: threading.Thread | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def alerts(self, name: str) -> list[dict[str, Any]]:
        """Every sending of this alert, oldest first."""
        told = [alert for path, body in self.posts if path == "/api/v2/alerts" for alert in body]
        return [alert for alert in told if alert["labels"]["alertname"] == name]

    def until(self, holds: Callable[[], Any], seconds: float = 60) -> Any:
        end = time.monotonic() + seconds
        while not (found := holds()):
            assert time.monotonic() < end, f"it was told only {self.posts}"
            time.sleep(0.05)
        return found

    def __enter__(self) -> "Receiver":
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                text = self.rfile.read(int(self.headers["Content-Length"]))
                outer.headers.append(dict(self.headers.items()))
                if outer.code < 300:
                    outer.posts.append((self.path, json.loads(text)))
                self._end(outer.code)

            def do_GET(self) -> None:
                self._end(outer.code)

            def _end(self, code: int) -> None:
                self.send_response(code)
                self.send_header("Content-Length", "2")
                self.end_headers()
                self.wfile.write(b"{}")

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  the signature is the base's
                return

        self._server = ThreadingHTTPServer(("127.0.0.1", self.port), Handler)
        self._server.daemon_threads = True
        self.port = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        assert self._server is not None
        assert self._thread is not None
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
