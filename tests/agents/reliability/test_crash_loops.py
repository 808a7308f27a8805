"""Which containers loop, and which of their last words are worth a quotation."""

import pytest

from agents.reliability.crash_loops import is_looping, telling_line
from core.cluster.objects import ContainerState, ContainerStatus, Running, Terminated, Waiting

BACK_OFF = ContainerState(waiting=Waiting(reason="CrashLoopBackOff"))
FAILED = ContainerState(terminated=Terminated(reason="Error", exit_code=1))
KILLED = ContainerState(terminated=Terminated(reason="OOMKilled", exit_code=137))
RUNNING = ContainerState(running=Running())


@pytest.mark.parametrize(
    ("status", "looping"),
    [
        (ContainerStatus(restart_count=3, state=BACK_OFF, last_state=FAILED), True),
        (ContainerStatus(restart_count=9, state=RUNNING, last_state=FAILED), True),
        (ContainerStatus(restart_count=2, state=BACK_OFF, last_state=FAILED), False),
        (ContainerStatus(restart_count=9, state=RUNNING, last_state=FAILED, ready=True), False),
        (ContainerStatus(restart_count=9, state=BACK_OFF, last_state=KILLED), False),
        (ContainerStatus(restart_count=0, state=RUNNING), False),
    ],
    ids=["backing off", "running again for now", "a slow start", "came to rest", "out of memory", "new"],
)
def test_a_container_loops_when_it_dies_again_and_again(status: ContainerStatus, looping: bool) -> None:
    assert is_looping(status) is looping


def test_the_panic_is_quoted_before_any_error_and_the_last_of_its_sort() -> None:
    assert telling_line(["ERROR one", "panic: first", "panic: second", "ERROR two"]) == "panic: second"
    assert telling_line(["ERROR one", "ERROR two", "goodbye"]) == "ERROR two"
    assert telling_line(["hello", "goodbye"]) == ""
