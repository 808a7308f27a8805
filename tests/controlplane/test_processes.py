import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.controlplane import programs
from tests.controlplane.processes import DiedError, PortTakenError, Processes, clean

PYTHON = Path(sys.executable)


@pytest.fixture
def processes(tmp_path: Path) -> Iterator[Processes]:
    started = Processes(tmp_path)
    yield started
    started.stop_all()


def appears(path: Path) -> Callable[[], bool]:
    return path.exists


def test_one_that_ends_instead_of_answering_is_told_with_the_end_of_its_log(processes: Processes) -> None:
    child = processes.start("brief", PYTHON, "-c", "import sys; sys.exit('no such flag')")
    with pytest.raises(DiedError, match=r"brief exited with 1.*\n.*no such flag"):
        processes.wait(child, lambda: False)


def test_a_port_taken_by_somebody_else_has_an_error_of_its_own(processes: Processes) -> None:
    code = "import socket; a = socket.socket(); a.bind(('127.0.0.1', 0)); b = socket.socket(); b.bind(a.getsockname())"
    child = processes.start("second", PYTHON, "-c", code)
    with pytest.raises(PortTakenError, match="second exited"):
        processes.wait(child, lambda: False)


def test_the_death_of_another_one_ends_the_waiting(processes: Processes) -> None:
    processes.start("brief", PYTHON, "-c", "import sys; sys.exit(3)")
    waiting = processes.start("patient", PYTHON, "-c", "import time; time.sleep(60)")
    with pytest.raises(DiedError, match="brief exited with 3"):
        processes.wait(waiting, lambda: False)


def test_one_that_never_answers_is_a_timeout(processes: Processes) -> None:
    child = processes.start("patient", PYTHON, "-c", "import time; time.sleep(60)")
    with pytest.raises(TimeoutError, match="patient did not answer"):
        processes.wait(child, lambda: False, timeout_seconds=0.1)


def test_one_that_ignores_the_request_to_stop_is_killed(processes: Processes, tmp_path: Path) -> None:
    flag = tmp_path / "ready"
    code = (
        f"import pathlib, signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); pathlib.Path({str(flag)!r}).touch(); time.sleep(60)"
    )
    child = processes.start("deaf", PYTHON, "-c", code)
    processes.wait(child, appears(flag))
    processes.stop(child, patience_seconds=0.1)
    assert child.process.returncode == -9
    assert processes.pids() == {}


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends children with their parent")
def test_a_killed_owner_takes_its_children_with_it(tmp_path: Path) -> None:
    code = (
        "import sys, time; from pathlib import Path; from tests.controlplane.processes import Processes\n"
        "sleeper = \"import time; print('up', flush=True); time.sleep(60)\"\n"
        "child = Processes(Path(sys.argv[1])).start('child', Path(sys.executable), '-c', sleeper)\n"
        "while not child.log.read_text(): time.sleep(0.01)\n"
        "print(child.process.pid, flush=True); time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE, text=True) as owner:
        assert owner.stdout is not None
        pid = int(owner.stdout.readline())
        assert not ended(pid)
        owner.kill()
    until = time.monotonic() + 10
    while not ended(pid) and time.monotonic() < until:
        time.sleep(0.02)
    assert ended(pid)


def ended(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return True


def test_children_see_no_foreign_cluster_and_no_proxy() -> None:
    assert not {"KUBECONFIG", "HTTPS_PROXY", "https_proxy"} & clean().keys()
    assert clean()["PATH"] == os.environ["PATH"]


def test_no_port_is_offered_twice() -> None:
    ports = programs.free_ports()
    assert len(set(ports)) == len(programs.Ports._fields)
