"""`make` on machines that lack things, are interrupted, or have odd paths: each on a small checkout with a PATH of its own."""

import json
import os
import re
import signal
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest

import uv_tool

DEBIAN = """
import importlib.util, sys, sysconfig
if sys.prefix == sys.base_prefix:
    stdlib = sysconfig.get_path("stdlib")
    original = sysconfig.get_path
    sysconfig.get_path = lambda name, *rest, **more: {folder!r} if name == "stdlib" else original(name, *rest, **more)
    if {without_pip}:
        sys.modules["pip"] = None
    if {without_ensurepip}:
        sys.modules["ensurepip"] = sys.modules["venv"] = None
"""


def python_like(folder: Path, *, without_pip: bool = False, without_ensurepip: bool = False) -> str:
    """A `python3` whose installation is externally managed (PEP 668) and lacks what the test says; nothing else of it is changed."""
    folder.mkdir()
    (folder / "EXTERNALLY-MANAGED").write_text("[externally-managed]\nError=this Python belongs to the system\n", encoding="utf-8")
    site = DEBIAN.format(folder=str(folder), without_pip=without_pip, without_ensurepip=without_ensurepip)
    (folder / "sitecustomize.py").write_text(site, encoding="utf-8")
    return f"#!/bin/sh\nPYTHONPATH='{folder}' exec '{os.path.realpath(sys.executable)}' \"$@\"\n"


def needs_pip() -> None:
    if subprocess.run([os.path.realpath(sys.executable), "-c", "import pip"], capture_output=True, check=False).returncode:
        pytest.skip("this machine's Python has no pip, so it cannot play one that has")


def test_a_path_with_spaces_and_quotes_works_and_the_second_run_says_nothing(checkout_in) -> None:
    checkout = checkout_in('it\'s a "day 2" $HOME')
    first = checkout.make("demo", "ARGS=--fast --seed 'a b'")
    again = checkout.make("demo")
    assert first.returncode == 0, first.stderr
    assert f"door ['demo', '--fast', '--seed', 'a b'] {checkout.root}" in first.stdout
    assert "[4/4] day2ops itself" in first.stderr
    assert (again.returncode, again.stderr) == (0, "")


def test_a_key_and_a_kubeconfig_reach_the_product_as_they_are_and_the_home_folder_stays_empty(checkout, tmp_path: Path) -> None:
    done = checkout.make("demo", OPENAI_API_KEY="a-key", KUBECONFIG="/nowhere/config")
    assert "seen a-key /nowhere/config" in done.stdout, done.stderr
    assert list((tmp_path / "home").iterdir()) == []


def test_progress_fits_sixty_columns_of_ascii_in_a_c_locale(checkout) -> None:
    done = checkout.make("demo", LC_ALL="C", COLUMNS="60", TERM="dumb")
    assert done.returncode == 0, done.stderr
    assert done.stderr.isascii()
    assert max(len(line) for line in done.stderr.splitlines()) <= 60


def test_installed_packages_are_compiled_even_where_python_may_not_write_bytecode(checkout) -> None:
    done = checkout.make("demo", PYTHONDONTWRITEBYTECODE="1")
    assert done.returncode == 0, done.stderr
    assert list((checkout.root / ".venv-demo").rglob("idna/__pycache__/*.pyc"))
    assert list((checkout.root / "interfaces").rglob("*.pyc"))


def test_a_foreign_python_path_does_not_reach_the_product(checkout, tmp_path: Path) -> None:
    foreign = tmp_path / "foreign" / "interfaces"
    foreign.mkdir(parents=True)
    (foreign / "__init__.py").write_text("raise SystemExit('the foreign package won')", encoding="utf-8")
    done = checkout.make("demo", PYTHONPATH=str(foreign.parent))
    assert "door ['demo']" in done.stdout, done.stderr + done.stdout


def test_a_python_that_is_too_old_is_named_with_the_mend_in_one_line(checkout) -> None:
    checkout.python_is('#!/bin/sh\ncase "$2" in *exit*) exit 1;; esac\necho 3.9.2\n')
    done = checkout.make("demo")
    said = done.stderr.splitlines()[0]
    assert done.returncode == 2
    assert "needs Python 3.11 or newer; python3 is 3.9.2. Mend: " in said
    assert "make PYTHON=" in said


def test_no_python_at_all_is_said(checkout) -> None:
    (checkout.tools / "python3").unlink()
    done = checkout.run("sh", "toolchain/python.sh", "toolchain/environment.py", "demo")
    assert (done.returncode, done.stdout) == (2, "")
    assert "there is no python3 here. Mend: " in done.stderr


def test_the_newer_python_beside_an_old_python3_is_found(checkout) -> None:
    (checkout.tools / "python3.12").symlink_to(os.path.realpath(sys.executable))
    checkout.python_is("#!/bin/sh\nexit 1\n")
    assert "door ['demo']" in checkout.make("demo").stdout


@pytest.mark.slow
def test_uv_is_brought_by_a_pip_that_refuses_to_install_and_has_no_ensurepip(checkout, tmp_path: Path) -> None:
    needs_pip()
    checkout.python_is(python_like(tmp_path / "system", without_ensurepip=True))
    refused = checkout.run("python3", "-m", "pip", "install", "--dry-run", "--no-index", "idna")
    refused_for_real = checkout.run("python3", "-m", "pip", "install", "--no-index", "idna")
    done = checkout.make("demo", UV="")
    assert "externally-managed" in refused.stderr + refused_for_real.stderr
    assert "door ['demo']" in done.stdout, done.stderr
    assert [path.name for path in (checkout.root / ".cache").glob("uv-*")] == [brought(checkout.root)]


@pytest.mark.slow
def test_uv_is_brought_by_a_venv_where_python_has_no_pip(checkout, tmp_path: Path) -> None:
    if subprocess.run([os.path.realpath(sys.executable), "-c", "import ensurepip"], capture_output=True, check=False).returncode:
        pytest.skip("this machine's Python has no ensurepip, so it cannot play one that has")
    checkout.python_is(python_like(tmp_path / "system", without_pip=True))
    done = checkout.make("demo", UV="")
    assert "door ['demo']" in done.stdout, done.stderr


def test_without_pip_ensurepip_and_uv_the_package_to_install_is_named(checkout, tmp_path: Path) -> None:
    checkout.python_is(python_like(tmp_path / "system", without_pip=True, without_ensurepip=True))
    done = checkout.run("sh", "toolchain/python.sh", "toolchain/environment.py", "demo", UV="")
    assert done.returncode == 2
    assert "has neither pip nor ensurepip, and there is no uv. Mend: " in done.stderr


def test_settings_that_redirect_installations_do_not_reach_ours(checkout, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    done = checkout.make(
        "demo",
        PIP_TARGET=str(elsewhere),
        PIP_USER="1",
        UV_REQUIRE_HASHES="1",
        UV_SYSTEM_PYTHON="1",
        VIRTUAL_ENV=str(elsewhere),
        UV_CONSTRAINT="/nowhere",
    )
    assert done.returncode == 0, done.stderr
    assert not elsewhere.exists()


def test_an_old_uv_on_the_path_is_passed_over(uv: Path, tmp_path: Path, root: Path) -> None:
    old = tmp_path / "uv"
    old.write_text("#!/bin/sh\necho 'uv 0.4.30 (abc 2024-11-04)'\n", encoding="utf-8")
    old.chmod(0o755)
    assert uv_tool.version_of(old) == (0, 4, 30)
    assert uv_tool.find(root, {"UV": str(old)}) != old
    assert uv_tool.find(root, {"UV": str(uv)}) == uv


def test_a_second_run_after_an_interrupt_makes_the_half_environment_anew(checkout, uv: Path, tmp_path: Path) -> None:
    reached = tmp_path / "reached"
    os.mkfifo(reached)
    half = checkout.root / ".venv-demo"
    stuck = tmp_path / "stuck-uv"
    stuck.write_text(
        f"#!/bin/sh\ncase \"$*\" in *sync*) echo now > '{reached}'; exec sleep 60;; esac\nexec '{uv}' \"$@\"\n", encoding="utf-8"
    )
    stuck.chmod(0o755)
    (checkout.tools / "sleep").symlink_to("/bin/sleep")
    command = ["sh", "toolchain/python.sh", "toolchain/environment.py", "demo"]
    variables = {**checkout.variables, "UV": str(stuck)}
    # Who runs the tests in the background of a script hands down that Ctrl-C is ignored.
    heard = partial(signal.signal, signal.SIGINT, signal.SIG_DFL)
    with subprocess.Popen(
        command, cwd=checkout.root, env=variables, start_new_session=True, stderr=subprocess.PIPE, text=True, preexec_fn=heard
    ) as process:
        reached.read_text(encoding="utf-8")  # blocks until the installation is under way
        os.killpg(process.pid, signal.SIGINT)
        said = process.communicate(timeout=30)[1]
    (half / "left-over").touch()
    assert process.returncode == 130
    assert "run make again" in said
    assert not list(half.glob("day2ops-ready*"))

    done = checkout.make("demo")
    assert "door ['demo']" in done.stdout, done.stderr
    assert not (half / "left-over").exists()


def test_two_makes_at_once_wait_for_each_other(checkout) -> None:
    command = ["sh", "toolchain/python.sh", "toolchain/environment.py", "demo"]
    both = [subprocess.Popen(command, cwd=checkout.root, env=checkout.variables, stderr=subprocess.PIPE, text=True) for _ in range(2)]
    said = [process.communicate(timeout=90)[1] for process in both]
    assert [process.returncode for process in both] == [0, 0], said
    assert sum("ready in" in text for text in said) == 1


def test_a_package_that_does_not_match_its_hash_is_refused_and_nothing_counts_as_ready(checkout) -> None:
    tamper(checkout.root / "requirements" / "demo.txt")
    done = checkout.make("demo")
    assert done.returncode == 2
    assert "Mend: check the package index and proxy" in done.stderr
    assert not (checkout.root / ".venv-demo" / "day2ops-ready.json").exists()


def test_a_build_requirement_that_does_not_match_its_hash_is_refused(checkout) -> None:
    tamper(checkout.root / "requirements" / "build.txt")
    done = checkout.make("demo", UV_CACHE_DIR=str(checkout.root / ".cache" / "fresh"))
    assert done.returncode == 2
    assert "day2ops itself: failed" in done.stderr


def test_a_changed_lock_or_a_damaged_marker_brings_the_environment_up_to_date(checkout) -> None:
    assert checkout.make("demo").returncode == 0
    venv = checkout.root / ".venv-demo"
    marker = venv / "day2ops-ready.json"
    (venv / "kept").touch()
    checkout.locks("certifi")
    changed = checkout.make("demo")
    assert changed.returncode == 0, changed.stderr
    assert (venv / "kept").exists(), "the same Python needs no new environment"
    assert not list(venv.rglob("idna"))
    assert list(venv.rglob("certifi"))

    whole = json.loads(marker.read_text(encoding="utf-8"))
    marker.write_text('{"packages": ', encoding="utf-8")
    assert "ready in" in checkout.make("demo").stderr
    assert json.loads(marker.read_text(encoding="utf-8")) == whole


def test_a_moved_checkout_gets_a_new_environment(checkout) -> None:
    assert checkout.make("demo").returncode == 0
    moved = checkout.root.with_name("moved")
    checkout.root.rename(moved)
    done = subprocess.run(["make", "demo"], cwd=moved, env=checkout.variables, capture_output=True, text=True, check=False)
    assert f"door ['demo'] {moved}" in done.stdout, done.stderr


def test_packages_are_fetched_from_the_index_that_pip_is_configured_for(checkout, listener, tmp_path: Path) -> None:
    configured = tmp_path / "home" / ".config" / "pip" / "pip.conf"
    configured.parent.mkdir(parents=True)
    configured.write_text(f"[global]\nindex-url = http://{listener.address}/simple\n", encoding="utf-8")
    done = checkout.make("demo", **offline_but_for(checkout))
    assert done.returncode == 2
    assert "GET /simple/idna/" in listener.heard
    assert "Mend: check the package index and proxy" in done.stderr


def test_packages_are_fetched_through_the_proxy_of_the_shell(checkout, listener) -> None:
    through = {**offline_but_for(checkout), "PIP_INDEX_URL": "http://packages.example/simple", "HTTP_PROXY": f"http://{listener.address}"}
    assert checkout.make("demo", **through).returncode == 2
    assert "GET http://packages.example/simple/idna/" in listener.heard


def offline_but_for(checkout) -> dict[str, str]:
    """A first installation: nothing cached, no patience; the machine's own index settings set aside."""
    return {"UV_CACHE_DIR": str(checkout.root / ".cache" / "fresh"), "UV_HTTP_RETRIES": "0", "NO_PROXY": "", "PIP_FIND_LINKS": ""}


def test_a_folder_that_may_not_be_written_is_said_in_one_line(checkout) -> None:
    (checkout.root / ".cache").write_text("a file where a folder should be", encoding="utf-8")
    done = checkout.run("sh", "toolchain/python.sh", "toolchain/environment.py", "demo")
    assert done.returncode == 2
    assert "Mend: free the disk or the rights of" in done.stderr
    assert "Traceback" not in done.stderr


def tamper(lock: Path) -> None:
    lock.write_text(re.sub(r"sha256:[0-9a-f]{8}", "sha256:00000000", lock.read_text(encoding="utf-8")), encoding="utf-8")


def brought(root: Path) -> str:
    return f"uv-{uv_tool.pinned_version(root)}"
