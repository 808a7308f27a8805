"""Two accounts on one machine: what belongs to one neither breaks nor reaches the other. The second account is really another one."""

import os
import pwd
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import pytest

ROOT = Path(__file__).resolve().parents[2]
PATIENCE_SECONDS = 240
Run = subprocess.CompletedProcess[str]


class Account(NamedTuple):
    """`becoming` starts a program as this account; `sees_all` where it can read what it may not, because Python lies in a closed home."""

    name: str
    uid: int
    gid: int
    becoming: tuple[str, ...] = ()
    sees_all: bool = False


FIRST = Account("first", os.getuid(), os.getgid())


@pytest.fixture(scope="module")
def second() -> Account:
    """An account without rights over ours. Where our Python lies in a closed home, it gets the right to read, never to write."""
    if os.getuid() != 0 or shutil.which("setpriv") is None:
        pytest.skip("only root may start a process as another account, with setpriv")
    found = pwd.getpwnam("nobody")
    plain = ("setpriv", f"--reuid={found.pw_uid}", f"--regid={found.pw_gid}", "--clear-groups", "--inh-caps=-all", "--bounding-set=-all")
    reading = (*plain[:4], "--inh-caps=-all,+dac_read_search", "--ambient-caps=-all,+dac_read_search", "--no-new-privs")
    same = f"import sys; sys.exit(sys.version != {sys.version!r})"  # an unreachable one may be replaced by the system's
    for becoming in (plain, reading):
        if subprocess.run([*becoming, sys.executable, "-c", same], capture_output=True, check=False).returncode == 0:
            return Account(found.pw_name, found.pw_uid, found.pw_gid, becoming, sees_all=becoming is reading)
    pytest.skip("the other account cannot reach this Python")


@pytest.fixture
def shared() -> Iterator[Path]:
    """A folder for everybody's temporary files, as /tmp is; not below pytest's own, which is closed to others."""
    with TemporaryDirectory(prefix="two-users-") as name:
        folder = Path(name)
        folder.chmod(0o1777)
        yield folder


def home_of(shared: Path, account: Account) -> Path:
    """A home that its owner alone may enter, as `useradd -m` makes it."""
    home = shared / account.name
    home.mkdir(mode=0o700, exist_ok=True)
    os.chown(home, account.uid, account.gid)
    return home


def start(shared: Path, account: Account, *words: str) -> "subprocess.Popen[str]":
    home = home_of(shared, account)
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"}
    environment |= {"HOME": str(home), "TMPDIR": str(shared), "LC_ALL": "C.UTF-8"}
    command = [*account.becoming, sys.executable, "-m", "interfaces.cli", *words]
    return subprocess.Popen(
        command, cwd=home, env=environment, text=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )


def ended(process: "subprocess.Popen[str]") -> Run:
    with process:
        try:
            out, err = process.communicate(timeout=PATIENCE_SECONDS)
        finally:
            process.kill()
    return subprocess.CompletedProcess(process.args, process.returncode, out, err)


def day2(shared: Path, account: Account, *words: str) -> Run:
    return ended(start(shared, account, *words))


def described(folder: Path) -> dict[str, tuple[int, int, float]]:
    return {str(path.relative_to(folder)): (path.stat().st_uid, path.stat().st_size, path.stat().st_mtime) for path in folder.rglob("*")}


@pytest.mark.slow
@pytest.mark.timeout(PATIENCE_SECONDS + 60)
def test_two_accounts_play_the_demo_at_once_in_one_temporary_folder(second: Account, shared: Path) -> None:
    both = [start(shared, account, "demo", "--fast") for account in (FIRST, second)]
    try:
        mine, theirs = (ended(process) for process in both)
    finally:
        for process in both:
            with process:
                process.kill()
    assert (mine.returncode, theirs.returncode) == (0, 0), mine.stderr + theirs.stderr
    assert "chains ok" in mine.stdout
    assert "chains ok" in theirs.stdout
    assert sorted(path.name for path in shared.iterdir()) == ["first", second.name], "nothing is left where both write"


def test_the_state_of_one_account_is_closed_to_the_other_and_to_its_day2(second: Account, shared: Path) -> None:
    stopped = day2(shared, FIRST, "stop", "--reason", "drill")
    assert stopped.returncode == 0, stopped.stderr
    folder = home_of(shared, FIRST) / ".local/share/day2"
    before = described(folder)
    assert before
    for parent in (folder.parent, folder.parent.parent, home_of(shared, FIRST)):
        parent.chmod(0o755)  # many systems make homes so: then the folder itself has to be closed
    found = subprocess.run(
        ["find", str(folder), "-readable"], user=second.uid, group=second.gid, extra_groups=[], capture_output=True, check=False
    )
    assert found.stdout == b""
    reads = [] if second.sees_all else [["action", "list"], ["audit", "verify"]]
    for words in (*reads, ["resume", "--reason", "mine"], ["stop", "--reason", "mine"]):
        refused = day2(shared, second, *words, "--data-dir", str(folder))
        assert refused.returncode == 1, (words, refused.stdout, refused.stderr)
        assert refused.stdout == ""
        assert "error: " in refused.stderr
        assert "mend:  " in refused.stderr
        assert "Traceback" not in refused.stderr
    assert described(folder) == before


def test_each_account_has_a_state_of_its_own(second: Account, shared: Path) -> None:
    assert day2(shared, FIRST, "stop", "--reason", "drill").returncode == 0
    theirs = day2(shared, second, "stop", "--reason", "their own drill")
    assert theirs.returncode == 0, theirs.stderr
    for account, reason in ((FIRST, "drill"), (second, "their own drill")):
        folder = home_of(shared, account) / ".local/share/day2"
        assert {path.stat().st_uid for path in (folder, *folder.rglob("*"))} == {account.uid}
        said = day2(shared, account, "audit", "list", "-o", "json")
        assert reason in said.stdout
