"""One process per role: who holds the lock is named, and what was given back can be taken again."""

import os
import stat
from pathlib import Path

import pytest

from core.domain.errors import Busy
from tools.stores.locks import RoleLock


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def test_the_holder_is_named_until_it_gives_the_lock_back(tmp_path: Path) -> None:
    (tmp_path / "lock.judge").write_text("4000000000 of before")
    held = RoleLock(tmp_path, "judge").take()
    assert (tmp_path / "lock.judge").read_text() == str(os.getpid())
    RoleLock(tmp_path, "executor").take().release()
    assert stat.S_IMODE((tmp_path / "lock.executor").stat().st_mode) == 0o600
    for _ in range(2):
        with pytest.raises(Busy, match=f"process {os.getpid()} is already the judge"):
            RoleLock(tmp_path, "judge").take()
    held.release()
    held.release()
    RoleLock(tmp_path, "judge").take().release()


def test_who_never_took_it_gives_nothing_back(tmp_path: Path) -> None:
    RoleLock(tmp_path, "judge").release()


def test_a_holder_that_did_not_say_who_it_is_is_unknown(tmp_path: Path) -> None:
    held = RoleLock(tmp_path, "judge").take()
    (tmp_path / "lock.judge").write_text("")
    with pytest.raises(Busy, match="process unknown"):
        RoleLock(tmp_path, "judge").take()
    held.release()


def test_a_refused_lock_keeps_no_file_open(tmp_path: Path) -> None:
    held = RoleLock(tmp_path, "judge").take()
    before = open_files()
    with pytest.raises(Busy):
        RoleLock(tmp_path, "judge").take()
    assert open_files() == before
    held.release()
    assert open_files() == before - 1
