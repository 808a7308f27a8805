"""A child ends with its parent: it looks for it now and then, in a thread that keeps nothing alive."""

import threading

from runtime import processes


def test_a_parent_that_is_there_is_looked_at_once_in_its_time() -> None:
    again, gone, looks = threading.Event(), threading.Event(), []

    def now() -> int:
        looks.append(1)
        if len(looks) > 1:
            again.set()
        return 7 if len(looks) == 1 else 0

    processes.watch_parent(7, 60.0, now=now, gone=gone.set)
    assert not again.wait(0.2)
    assert (len(looks), gone.is_set()) == (1, False)


def test_a_parent_that_is_another_one_now_ends_us() -> None:
    gone = threading.Event()
    processes.watch_parent(7, 0.01, now=iter([7, 7, 1]).__next__, gone=gone.set)
    assert gone.wait(90)


def test_a_process_that_is_done_does_not_wait_for_its_watch() -> None:
    left, asked = threading.Event(), threading.Event()

    def now() -> int:
        asked.set()
        return 7 if not left.is_set() else 0

    processes.watch_parent(7, 0.01, now=now, gone=lambda: None)
    assert asked.wait(90)
    assert [thread.daemon for thread in threading.enumerate() if thread.name == "parent-watch"][-1:] == [True]
    left.set()
