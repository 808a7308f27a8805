"""Numbers are asked for at each scrape; a taken port or a ledger that does not answer stops nothing."""

import socket
from typing import Any, NamedTuple

import httpx

from core.domain.errors import Unavailable
from tools.telemetry import exposition


class Metric(NamedTuple):
    name: str = "day2_test"
    type: str = "gauge"
    help: str = "A test."
    labels: tuple[str, ...] = ("kind",)


def scrape(port: int) -> str:
    answer = httpx.get(f"http://127.0.0.1:{port}/metrics", trust_env=False)
    answer.raise_for_status()
    return answer.text


def test_each_scrape_asks_anew() -> None:
    now = {"value": 1.0}
    with exposition.serving("127.0.0.1:0", [Metric()], lambda: {"day2_test": {("a",): now["value"]}}) as port:
        assert 'day2_test{kind="a"} 1.0' in scrape(port)
        now["value"] = 2.0
        assert 'day2_test{kind="a"} 2.0' in scrape(port)


def test_a_hostile_label_stays_one_line() -> None:
    text = exposition.text([Metric()], lambda: {"day2_test": {('x"}\nday2_emergency_stop 1',): 1.0}})
    assert "\nday2_emergency_stop" not in text


def test_a_ledger_that_does_not_answer_is_an_empty_scrape() -> None:
    def gather() -> Any:
        raise Unavailable("the ledger", 1.0)

    assert exposition.text([Metric()], gather) == ""


def test_a_taken_port_or_none_at_all_is_no_error() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        listen = f"127.0.0.1:{taken.getsockname()[1]}"
        with exposition.serving(listen, [Metric()], dict) as port:
            assert port == 0
    with exposition.serving("", [Metric()], dict) as port:
        assert port == 0
