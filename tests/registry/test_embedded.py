"""The embedded Valkey: one per folder, attached by others, gone with its owner, and its data back at the next start."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import redis

from core.domain.errors import Unavailable
from registry.cards import Card
from registry.embedded import embedded
from registry.membership import State, opened
from runtime.processes import dies_with_parent

OWNER = """
import sys, time
from pathlib import Path
from registry.embedded import embedded
from runtime.processes import dies_with_parent
with embedded(Path(sys.argv[1]), dies_with_parent if sys.argv[2] == "tied" else None) as url:
    print(url, flush=True)
    time.sleep(60)
"""


@contextmanager
def owner(folder: Path, how: str = "tied") -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Another process that owns the folder."""
    process = subprocess.Popen([sys.executable, "-c", OWNER, str(folder), how], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        yield process, process.stdout.readline().strip()
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def answers(url: str) -> bool:
    with redis.Redis.from_url(url, socket_connect_timeout=1) as client:
        try:
            return bool(client.ping())
        except redis.RedisError:
            return False


async def until_gone(url: str) -> None:
    async with asyncio.timeout(10):
        while answers(url):  # noqa: ASYNC110  another process ends
            await asyncio.sleep(0.02)


def test_it_ends_with_its_block(folder: Path) -> None:
    with embedded(folder, dies_with_parent) as url:
        assert answers(url)
    assert not answers(url)
    assert not (folder / "address.json").exists()


def test_a_second_process_attaches_and_does_not_stop_it(folder: Path) -> None:
    with owner(folder) as (_, url):
        with embedded(folder) as attached:
            assert attached == url
            assert answers(url)
        assert answers(url)


def test_it_listens_on_loopback_behind_a_password_that_only_the_owner_reads(folder: Path) -> None:
    with embedded(folder, dies_with_parent) as url:
        assert "@127.0.0.1:" in url
        with redis.Redis.from_url("redis://" + url.split("@")[1]) as stranger, pytest.raises(redis.AuthenticationError):
            stranger.ping()
        modes = {path.name: path.stat().st_mode & 0o777 for path in folder.iterdir() if path.name in ("address.json", "valkey.conf")}
        assert modes == {"address.json": 0o600, "valkey.conf": 0o600}


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel ties a child to its parent on Linux only")
async def test_a_killed_owner_leaves_no_orphan(folder: Path) -> None:
    with owner(folder) as (process, url):
        assert answers(url)
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        await until_gone(url)


async def test_an_orphan_is_ended_before_another_server_writes_its_files(folder: Path) -> None:
    with owner(folder, "loose") as (process, url):
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        assert answers(url)
        with embedded(folder, dies_with_parent) as own:
            assert own != url
            assert not answers(url)


async def test_a_restart_keeps_what_was_registered(folder: Path, card: Callable[..., Card]) -> None:
    with embedded(folder, dies_with_parent) as url:
        async with opened(url) as registry:
            await registry.register(card(), "one")
            await registry.move("finops", State.SUSPENDED)
    with embedded(folder, dies_with_parent) as url:
        async with opened(url) as registry:
            (member,) = await registry.members()
            assert (member.name, member.state) == ("finops", State.SUSPENDED)
            assert (await registry.changes())[-1].event == "suspended"


async def test_a_server_that_goes_in_the_middle_of_work_is_unavailable_with_its_mend(folder: Path, card: Callable[..., Card]) -> None:
    with embedded(folder, dies_with_parent) as url:
        registry_context = opened(url)
        registry = await registry_context.__aenter__()
        await registry.register(card(), "one")
    with pytest.raises(Unavailable) as caught:
        await registry.renew("finops", "one")
    assert "doctor" in caught.value.mend
    await registry_context.__aexit__(None, None, None)


def test_a_stale_address_file_of_a_dead_owner_is_no_hindrance(folder: Path) -> None:
    folder.mkdir()
    (folder / "address.json").write_text('{"url": "redis://:x@127.0.0.1:1/0", "port": 1, "pid": 1}')
    with embedded(folder, dies_with_parent) as url:
        assert answers(url)


def test_a_garbled_address_file_is_no_hindrance(folder: Path) -> None:
    folder.mkdir()
    (folder / "address.json").write_text("[1,")
    with embedded(folder, dies_with_parent) as url:
        assert answers(url)


def test_a_folder_locked_by_a_process_without_a_server_says_what_to_do(folder: Path, tmp_path: Path) -> None:
    holder = "import fcntl,sys,time; f=open(sys.argv[1],'a+'); fcntl.flock(f, fcntl.LOCK_EX); print('held', flush=True); time.sleep(60)"
    folder.mkdir()
    process = subprocess.Popen([sys.executable, "-c", holder, str(folder / "lock")], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    process.stdout.readline()
    try:
        with pytest.raises(Unavailable, match="locked") as caught, embedded(folder, attach_seconds=0.2):
            pass
        assert "stop the other day2 process" in caught.value.mend
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
