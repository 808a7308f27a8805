"""Callers at one time share a commit; each is told what became of his own, and nobody before it is durable."""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest

from tools.stores.grouping import Commits


class Disk:
    """Keeps groups as they are committed. While `gate` is closed, a commit takes its time."""

    def __init__(self) -> None:
        self.groups: list[list[int]] = []
        self.gate = threading.Event()
        self.gate.set()
        self.begun = threading.Semaphore(0)
        self.at_once = 0

    def commit(self, group: Sequence[int]) -> list[str]:
        self.at_once += 1
        assert self.at_once == 1
        self.begun.release()
        assert self.gate.wait(30)
        self.groups.append(list(group))
        self.at_once -= 1
        return [f"kept {number}" for number in group]


def waiting(commits: Commits[int, str], number: int) -> Callable[[], bool]:
    return lambda: len(commits._waiting) == number


def eventually(true: Callable[[], bool]) -> None:
    pause = threading.Event()
    for _ in range(3000):
        if true():
            return
        pause.wait(0.01)
    raise AssertionError("it never came to that")


def test_one_caller_has_a_commit_of_its_own() -> None:
    disk = Disk()
    assert Commits(disk.commit).add(7) == "kept 7"
    assert disk.groups == [[7]]


def test_callers_that_come_during_a_commit_share_the_next_one_in_the_order_in_which_they_came() -> None:
    disk = Disk()
    disk.gate.clear()
    commits = Commits(disk.commit)
    with ThreadPoolExecutor(8) as pool:
        first = pool.submit(commits.add, 0)
        disk.begun.acquire()
        others = []
        for number in range(1, 6):
            others.append(pool.submit(commits.add, number))
            eventually(waiting(commits, number + 1))
        assert not any(future.done() for future in (first, *others))
        disk.gate.set()
        assert [future.result(30) for future in (first, *others)] == [f"kept {number}" for number in range(6)]
    assert disk.groups == [[0], [1, 2, 3, 4, 5]]


def test_nobody_is_told_before_the_commit_that_covers_his_own() -> None:
    disk = Disk()
    disk.gate.clear()
    commits = Commits(disk.commit)
    with ThreadPoolExecutor(2) as pool:
        told = pool.submit(commits.add, 1)
        disk.begun.acquire()
        assert not told.done()
        assert disk.groups == []
        disk.gate.set()
        assert told.result(30) == "kept 1"


def test_a_flood_is_cut_into_commits_of_bounded_size() -> None:
    disk = Disk()
    disk.gate.clear()
    commits = Commits(disk.commit, most=3)
    with ThreadPoolExecutor(9) as pool:
        first = pool.submit(commits.add, 0)
        disk.begun.acquire()
        others = [pool.submit(commits.add, number) for number in range(1, 8)]
        eventually(waiting(commits, 8))
        disk.gate.set()
        assert {future.result(30) for future in (first, *others)} == {f"kept {number}" for number in range(8)}
    assert [len(group) for group in disk.groups] == [1, 3, 3, 1]


def test_a_commit_that_fails_is_told_to_all_who_shared_it_and_the_next_one_goes_on() -> None:
    disk = Disk()
    disk.gate.clear()

    def failing(group: Sequence[int]) -> list[str]:
        kept = disk.commit(group)
        if 1 in group:
            raise OSError("the disk is full")
        return kept

    commits = Commits(failing)
    with ThreadPoolExecutor(4) as pool:
        first = pool.submit(commits.add, 0)
        disk.begun.acquire()
        others = [pool.submit(commits.add, number) for number in (1, 2)]
        eventually(waiting(commits, 3))
        disk.gate.set()
        assert first.result(30) == "kept 0"
        for future in others:
            with pytest.raises(OSError, match="full"):
                future.result(30)
    assert commits.add(3) == "kept 3"


def test_a_thousand_callers_are_all_kept_once() -> None:
    disk = Disk()
    commits = Commits(disk.commit)
    with ThreadPoolExecutor(16) as pool:
        assert list(pool.map(commits.add, range(1000))) == [f"kept {number}" for number in range(1000)]
    assert sorted(number for group in disk.groups for number in group) == list(range(1000))
