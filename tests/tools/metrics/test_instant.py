"""What a Prometheus answers to judge and executor, and what is no answer. A server of the test's own, on the loopback, answers as told."""

import json
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import parse_qs

import pytest

from core.cluster.queries import Query, Shape
from core.domain.errors import InvalidInput, Unavailable
from tools.metrics.instant import LARGEST_ANSWER, PlainMetrics

AT = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
QUERY = Query(Shape.CPU_RATE, "shop")


class Prometheus(ThreadingHTTPServer):
    status, content = 200, b"{}"
    asked: list[tuple[str, dict[str, list[str]], str | None]]


class Answering(BaseHTTPRequestHandler):
    server: Prometheus

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        self.server.asked.append((self.path, parse_qs(body), self.headers.get("Authorization")))
        self.send_response(self.server.status)
        self.send_header("Content-Length", str(len(self.server.content)))
        self.end_headers()
        self.wfile.write(self.server.content)

    def log_message(self, *_: Any) -> None:
        """Silent."""


@pytest.fixture
def server() -> Iterator[Prometheus]:
    with Prometheus(("127.0.0.1", 0), Answering) as found:
        found.asked = []
        Thread(target=found.serve_forever, args=(0.01,), daemon=True).start()
        yield found
        found.shutdown()


@pytest.fixture
async def metrics(server: Prometheus) -> AsyncIterator[PlainMetrics]:
    found = PlainMetrics(f"http://127.0.0.1:{server.server_address[1]}/", token="t0ken")
    yield found
    await found.close()


def answer(*rows: Any) -> bytes:
    return json.dumps({"status": "success", "data": {"result": list(rows)}}).encode()


async def test_finite_samples_come_in_the_order_of_their_labels_with_our_token(server: Prometheus, metrics: PlainMetrics) -> None:
    rows = [{"metric": {"pod": name}, "value": [5, text]} for name, text in (("b", "2.5"), ("a", "1"), ("c", "NaN"), ("d", "+Inf"))]
    server.content = answer(*rows)
    assert [(item.label("pod"), item.at, item.value) for item in await metrics.instant(QUERY, AT)] == [("a", 5.0, 1.0), ("b", 5.0, 2.5)]
    path, form, token = server.asked[0]
    assert (path, form["time"], form["query"], token) == ("/api/v1/query", [f"{AT.timestamp():.3f}"], [QUERY.promql()], "Bearer t0ken")


async def test_a_range_asks_for_its_steps_and_leaves_out_what_is_no_number(server: Prometheus, metrics: PlainMetrics) -> None:
    server.content = answer({"metric": {"pod": "a"}, "values": [[1, "1"], [2, "NaN"], [3, "3"]]})
    (found,) = await metrics.range(QUERY, AT - timedelta(hours=1), AT, 60)
    assert (found.times, found.values) == ((1.0, 3.0), (1.0, 3.0))
    path, form, _ = server.asked[0]
    assert (path, form["start"], form["end"], form["step"]) == (
        "/api/v1/query_range", [f"{AT.timestamp() - 3600:.3f}"], [f"{AT.timestamp():.3f}"], ["60"]
    )  # fmt: skip


@pytest.mark.parametrize(
    "content",
    [b"", b"<html>", b"[]", b"{}", b'{"data": null}', b'{"data": {}}', b'{"data": {"result": null}}', answer(7), answer({"metric": {}}),
     answer({"metric": {}, "value": [1]}), answer({"metric": {}, "value": [1, "much"]}), answer({"metric": [], "value": [1, "1"]})],
    ids=lambda content: content.decode()[-40:],
)  # fmt: skip
async def test_an_answer_without_a_result_is_no_answer_and_no_crash(server: Prometheus, metrics: PlainMetrics, content: bytes) -> None:
    server.content = content
    with pytest.raises(Unavailable, match="no result"):
        await metrics.instant(QUERY, AT)


@pytest.mark.parametrize("status", [302, 400, 401, 500])
async def test_another_status_is_no_answer(server: Prometheus, metrics: PlainMetrics, status: int) -> None:
    server.status, server.content = status, answer()
    with pytest.raises(Unavailable, match=f"HTTP {status}"):
        await metrics.instant(QUERY, AT)


async def test_no_token_is_sent_where_there_is_none(server: Prometheus) -> None:
    server.content = answer()
    metrics = PlainMetrics(f"http://localhost:{server.server_address[1]}")
    assert await metrics.instant(QUERY, AT) == ()
    await metrics.close()
    assert server.asked[0][2] is None


@pytest.mark.parametrize(("host", "status"), [("127.0.0.1", 500), ("localhost", 500), ("prometheus.example", 200)])
async def test_a_proxy_is_asked_for_others_and_never_for_this_machine(
    server: Prometheus, monkeypatch: pytest.MonkeyPatch, host: str, status: int
) -> None:
    with Prometheus(("127.0.0.1", 0), Answering) as proxy:
        Thread(target=proxy.serve_forever, args=(0.01,), daemon=True).start()
        proxy.asked, proxy.content, server.status = [], answer(), 500
        for name in ("NO_PROXY", "no_proxy", "ALL_PROXY", "all_proxy", "http_proxy"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{proxy.server_address[1]}")
        metrics = PlainMetrics(f"http://{host}:{server.server_address[1]}")
        if status == 200:
            assert await metrics.instant(QUERY, AT) == ()
        else:
            with pytest.raises(Unavailable, match="HTTP 500"):
                await metrics.instant(QUERY, AT)
        await metrics.close()
        assert (len(server.asked), len(proxy.asked)) == ((0, 1) if status == 200 else (1, 0))
        proxy.shutdown()


async def test_an_answer_that_is_too_large_is_no_answer(server: Prometheus, metrics: PlainMetrics) -> None:
    server.content = answer().ljust(LARGEST_ANSWER + 1)
    with pytest.raises(Unavailable, match=f"{LARGEST_ANSWER + 1} bytes"):
        await metrics.instant(QUERY, AT)


def test_a_ca_file_that_is_none_is_an_error_at_once(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="No such file"):
        PlainMetrics("https://prometheus.example", ca_file=tmp_path / "none.pem")


@pytest.mark.parametrize("url", ["prometheus:9090", "ftp://prometheus", "http://", ""])
def test_what_is_no_address_is_refused(url: str) -> None:
    with pytest.raises(InvalidInput):
        PlainMetrics(url)
