"""The settings file of judge and executor, and their loop."""

import asyncio
import contextlib
import ctypes
import json
import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from core.cluster.queries import Query, Shape
from core.domain.errors import InvalidInput, Refused, Unavailable
from runtime import processes
from runtime.roles import deciders


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "Invalid JSON"),
        ("{}", "data_dir"),
        ('{"data_dir": "d", "ledger_url": "u", "guard": null, "surprise": 1}', "surprise"),
        ('{"data_dir": "d", "ledger_url": "u", "guard": null, "poll_seconds": 0}', "poll_seconds"),
        ('{"data_dir": "d", "ledger_url": "u", "guard": null, "parent": "1"}', "parent"),
    ],
)
def test_a_settings_file_with_a_mistake_is_refused_by_name(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "judge.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InvalidInput, match=said):
        deciders.read(path, deciders.RoleSettings)


def test_a_settings_file_that_is_not_there_is_said_to_be_so(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="cannot read"):
        deciders.read(tmp_path / "none.json", deciders.RoleSettings)


def test_what_is_not_said_has_its_default(tmp_path: Path) -> None:
    path = tmp_path / "judge.json"
    path.write_text('{"data_dir": "d", "ledger_url": "u", "guard": null}', encoding="utf-8")
    found = deciders.read(path, deciders.RoleSettings)
    assert (found.data_dir, found.clock, found.kubeconfig) == (Path("d"), "system", None)


def test_nobody_can_tell_a_role_to_die_at_a_point(tmp_path: Path) -> None:
    path = tmp_path / "executor.json"
    path.write_text('{"data_dir": "d", "ledger_url": "u", "guard": null, "failpoint": "claimed"}', encoding="utf-8")
    with pytest.raises(InvalidInput, match="failpoint"):
        deciders.read(path, deciders.RoleSettings)


async def test_the_loop_goes_on_while_something_is_only_unavailable() -> None:
    stop, steps = asyncio.Event(), []

    async def step() -> int:
        steps.append(len(steps))
        if len(steps) == 1:
            raise Unavailable("the ledger", 0.0)
        stop.set()
        return 0

    await deciders.every(0.001, stop, step)
    assert steps == [0, 1]


async def test_the_loop_ends_with_any_other_error() -> None:
    async def step() -> int:
        raise Refused(("no",))

    with pytest.raises(Refused):
        await deciders.every(0.001, asyncio.Event(), step)


async def test_a_loop_that_was_told_to_stop_takes_no_further_step() -> None:
    stop = asyncio.Event()
    stop.set()

    async def step() -> int:
        raise AssertionError("it took a step")

    await deciders.every(0.001, stop, step)


Settings = deciders.RoleSettings


def settings(folder: Path, **more: object) -> Path:
    path = folder / "role.json"
    path.write_text(json.dumps({"data_dir": "d", "ledger_url": "u", "guard": None} | more), encoding="utf-8")
    return path


def role(folder: Path, run: Callable[[Settings, asyncio.Event], Awaitable[None]]) -> int:
    return deciders.main("judge", run, Settings, ["--settings", str(settings(folder))])


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_role_ends_in_peace_when_it_is_told_to(tmp_path: Path, number: signal.Signals) -> None:
    told: list[str] = []

    async def run(given: Settings, stop: asyncio.Event) -> None:
        told.append(given.ledger_url)
        os.kill(os.getpid(), number)
        await asyncio.wait_for(stop.wait(), 10)

    assert role(tmp_path, run) == 0
    assert told == ["u"]


def test_what_a_person_must_mend_goes_to_standard_error_and_ends_it_with_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    async def run(_: Settings, __: asyncio.Event) -> None:
        raise Refused(("the key can be read by others",), mend="chmod 600")

    assert role(tmp_path, run) == 1
    assert "can be read by others" in capsys.readouterr().err
    assert deciders.main("judge", run, Settings, ["--settings", str(tmp_path / "none")]) == 1
    assert "day2 serve writes it" in capsys.readouterr().err


def test_a_role_says_that_it_is_ready_on_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    deciders.ready("judge", port=7)
    assert json.loads(capsys.readouterr().out) == {"role": "judge", "pid": os.getpid(), "port": 7}


def test_without_a_source_there_are_no_metrics_and_a_token_is_read_from_its_file(tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("s3cret\n", encoding="ascii")
    read = deciders.read(settings(tmp_path), Settings)
    assert deciders.metrics_of(read) is None
    source = deciders.metrics_of(read.model_copy(update={"prometheus_url": "http://127.0.0.1:1", "prometheus_token_file": token}))
    assert source is not None


def test_the_api_server_asks_the_webhook_under_the_host_of_its_address() -> None:
    assert deciders.WebhookSettings().names == ("day2-webhook.day2-system.svc",)
    assert deciders.WebhookSettings(url="https://10.0.0.9:9443/admit").names == ("10.0.0.9",)
    assert deciders.WebhookSettings(url="nonsense").names == ("day2-webhook.day2-system.svc",)


def test_seldom_is_at_once_and_then_not_before_its_time() -> None:
    due, often = deciders.seldom(60.0), deciders.seldom(0.0)
    assert [due(), due(), due()] == [True, False, False]
    assert [often(), often()] == [True, True]
    soon = deciders.seldom(0.05)
    assert soon()
    time.sleep(0.06)
    assert soon()


async def paced(step: Callable[[], Awaitable[int]], seconds: float, stop: asyncio.Event) -> float:
    began = time.monotonic()
    await deciders.every(seconds, stop, step)
    return time.monotonic() - began


@pytest.mark.parametrize(("waits", "least", "most"), [(0, 0.0, 0.8), (1, 0.9, 5.0)])
async def test_the_loop_is_slower_while_something_waits(waits: int, least: float, most: float) -> None:
    async def once() -> float:
        stop, steps = asyncio.Event(), []

        async def step() -> int:
            steps.append(1)
            if len(steps) == 2:
                stop.set()
            return waits

        return await paced(step, 0.01, stop)

    assert least <= min([await once() for _ in range(3)]) < most, "three times, because a machine may be held up once"


async def test_a_system_that_is_away_names_the_pause_within_reason() -> None:
    stop, steps = asyncio.Event(), []

    async def step() -> int:
        steps.append(1)
        if len(steps) == 1:
            raise Unavailable("the ledger", 0.3)
        stop.set()
        return 0

    assert await paced(step, 0.01, stop) >= 0.3


async def test_being_told_to_stop_ends_a_pause_and_other_errors_end_the_process() -> None:
    stop = asyncio.Event()

    async def step() -> int:
        asyncio.get_running_loop().call_later(0.05, stop.set)
        return 0

    assert await paced(step, 60.0, stop) < 10

    async def breaks() -> int:
        raise Refused(("no",))

    with pytest.raises(Refused):
        await deciders.every(0.01, asyncio.Event(), breaks)


def test_a_child_ends_once_its_parent_is_gone() -> None:
    """The middle process starts a child that watches it, and ends at once."""
    child = "import os, time; from runtime.processes import watch_parent; watch_parent(int(os.environ['P']), 0.02); time.sleep(60)"
    started = f"subprocess.Popen([sys.executable, '-c', {child!r}], env=os.environ | {{'P': str(os.getpid())}})"
    middle = f"import os, subprocess, sys; print({started}.pid)"
    told = subprocess.run([sys.executable, "-c", middle], capture_output=True, text=True, check=True)
    pid, deadline = int(told.stdout), time.monotonic() + 30
    while is_running(pid) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not is_running(pid)


def is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.fixture
def death_signal() -> Iterator[Callable[[], int]]:
    """Which signal the kernel sends us when our parent dies; afterwards it is what it was."""
    prctl = ctypes.CDLL(None, use_errno=True).prctl

    def read() -> int:
        found = ctypes.c_int()
        assert prctl(2, ctypes.byref(found), 0, 0, 0) == 0  # PR_GET_PDEATHSIG
        return found.value

    before = read()
    prctl(1, 0, 0, 0, 0)
    yield read
    prctl(1, before, 0, 0, 0)


def test_on_linux_the_kernel_ends_a_child_with_its_parent_and_elsewhere_it_is_not_asked(death_signal: Callable[[], int]) -> None:
    processes.dies_with_parent("darwin")
    assert death_signal() == 0
    processes.dies_with_parent()
    assert death_signal() == signal.SIGTERM


def test_a_parent_is_watched_until_it_is_another() -> None:
    parents, gone = iter([7, 7, 7, 1]), threading.Event()
    processes.watch_parent(7, 0.001, now=lambda: next(parents), gone=gone.set)
    assert gone.wait(10)
    assert next(parents, None) is None  # it looked until then, and no more


def test_a_process_that_does_not_end_in_peace_is_ended_after_a_while() -> None:
    told: list[int] = []
    before = signal.signal(signal.SIGTERM, lambda number, _: told.append(number))
    try:
        began = time.monotonic()
        processes.end(0.1, told.append)
        assert time.monotonic() - began >= 0.1
    finally:
        signal.signal(signal.SIGTERM, before)
    assert told == [signal.SIGTERM, 1]


@pytest.mark.parametrize("named", [True, False])
def test_a_role_dies_with_the_parent_that_its_settings_name(tmp_path: Path, death_signal: Callable[[], int], *, named: bool) -> None:
    told: list[int] = []
    watching, parent = watchers(), os.getppid() if named else 0

    async def run(_: Settings, __: asyncio.Event) -> None:
        told.append(death_signal())

    assert deciders.main("judge", run, Settings, ["--settings", str(settings(tmp_path, parent=parent))]) == 0
    assert (told, watchers() - watching) == (([signal.SIGTERM], 1) if named else ([0], 0))


def watchers() -> int:
    return sum(thread.name == "parent-watch" for thread in threading.enumerate())


@contextlib.contextmanager
def unlogged() -> Iterator[None]:
    """As a process begins: nobody has said yet where a log goes."""
    root, chatty = logging.getLogger(), logging.getLogger("httpx")
    handlers, level, chatty_level = root.handlers[:], root.level, chatty.level
    root.handlers[:] = []
    chatty.setLevel(logging.NOTSET)
    try:
        yield
    finally:
        root.handlers[:] = handlers
        root.setLevel(level)
        chatty.setLevel(chatty_level)


def test_the_log_of_a_role_goes_to_standard_error_without_each_request(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    async def run(_: Settings, __: asyncio.Event) -> None:
        logging.getLogger("day2").info("we began")
        logging.getLogger("httpx").info("GET /api/v1/pods")

    with unlogged():
        assert role(tmp_path, run) == 0
    told = capsys.readouterr()
    assert "INFO day2 we began" in told.err
    assert "GET" not in told.err
    assert told.out == ""


def test_a_role_without_a_settings_file_says_how_it_is_started(capsys: pytest.CaptureFixture[str]) -> None:
    async def run(_: Settings, __: asyncio.Event) -> None:
        raise AssertionError("it ran")

    with pytest.raises(SystemExit) as ended:
        deciders.main("judge", run, Settings, [])
    assert ended.value.code == 2
    assert "--settings" in capsys.readouterr().err


def test_who_waits_for_a_role_reads_its_line_at_once(tmp_path: Path) -> None:
    path = tmp_path / "pipe"
    with path.open("w", encoding="utf-8") as file, contextlib.redirect_stdout(file):
        deciders.ready("judge")
        assert json.loads(path.read_text(encoding="utf-8"))["role"] == "judge"


@pytest.mark.parametrize(("content", "sent"), [("s3cret\n", "Bearer s3cret"), (None, None)])
async def test_metrics_are_asked_for_with_the_token_of_its_file(tmp_path: Path, content: str | None, sent: str | None) -> None:
    token = tmp_path / "token" if content else None
    if token and content:
        token.write_text(content, encoding="ascii")
    asked = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append((await reader.readuntil(b"\r\n\r\n")).decode())
        writer.write(b"HTTP/1.1 500 no\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        address = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        told = {"prometheus_url": address, "prometheus_token_file": token}
        source = deciders.metrics_of(deciders.read(settings(tmp_path), Settings).model_copy(update=told))
        assert source is not None
        with pytest.raises(Unavailable):
            await source.instant(Query(Shape.CPU_RATE, "shop"), datetime(2026, 11, 23, 12, 0, tzinfo=UTC))
        await source.close()
    (request,) = asked
    headers = dict(line.lower().split(": ", 1) for line in request.splitlines()[1:] if ": " in line)
    assert headers.get("authorization") == (sent and sent.lower())
