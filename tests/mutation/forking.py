"""One mutant is one forked child of a process that has everything imported and every test collected.

The child exchanges the code of the mutated function in every function object made from it, then runs the tests that reach the changed
line, and stops at the first that fails. What runs at import cannot be exchanged: such a mutant is imported by a child of a process
that has loaded other people's packages only, and collects its few test files anew.
"""

import contextlib
import gc
import importlib.abc
import importlib.machinery
import importlib.util
import os
import resource
import shutil
import signal
import sys
import time
import traceback
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import CodeType, FunctionType, ModuleType

import alterations
import pytest
from _pytest.tmpdir import tmppath_result_key

MEMORY_BYTES = 8 << 30  # a mutant that grows without end harms only itself
QUIET = ("-W", "ignore::pytest.PytestAssertRewriteWarning")  # what others wrote was loaded before, and asserts nothing for us
KILLED, SURVIVED, UNFIT = 10, 11, 12


Items = Mapping[str, pytest.Item]
Tell = Callable[[str], None]


@dataclass(frozen=True)
class Job:
    module: str
    file: Path
    source: str = field(repr=False)
    mutant: alterations.Mutant
    tests: tuple[str, ...]
    limit_seconds: float


class Functions:
    """Every function object there is, by the place of its code. Made once, before the children part."""

    def __init__(self, files: Iterable[Path]) -> None:
        wanted = {str(file) for file in files}
        self._by_code: dict[tuple[str, str, int], list[FunctionType]] = defaultdict(list)
        for found in gc.get_objects():
            if isinstance(found, FunctionType) and found.__code__.co_filename in wanted:
                self._by_code[place_of(found.__code__)].append(found)

    def exchange(self, job: Job) -> int:
        """How many run the mutant now."""
        mutant = job.mutant
        place = (str(job.file), mutant.unit, mutant.first_line)
        whole = compile(alterations.altered(job.source, mutant.number), str(job.file), "exec")
        new = next((code for code in codes(whole) if place_of(code) == place), None)
        functions = self._by_code.get(place, []) if new else []
        for function in functions:
            function.__code__ = new
        return len(functions)


def place_of(code: CodeType) -> tuple[str, str, int]:
    return code.co_filename, code.co_qualname, code.co_firstlineno


def codes(code: CodeType) -> Iterator[CodeType]:
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from codes(constant)


class Collected:
    """A pytest plugin: instead of running the tests it hands the collected ones to `work`."""

    def __init__(self, work: Callable[[Items], None]) -> None:
        self.work = work

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        self.work({item.nodeid: item for item in session.items})
        return True


def collected(files: Sequence[str], work: Callable[[Items], None]) -> int:
    options = ["-q", "-q", "-s", *QUIET, "-p", "no:xdist", "-p", "no:cov", "-m", "not cluster and not slow"]
    return int(pytest.main([*options, *files], plugins=[Collected(work)]))


def exchanged(job: Job, tests: Sequence[str], items: Items, functions: Functions, scratch: Path) -> str:
    """killed, survived, timeout or unfit (the mutant could not be put in place)."""

    def child() -> int:
        try:
            if not functions.exchange(job):
                return UNFIT
        except (ValueError, SyntaxError):  # it closes over other names now, or is no program
            return UNFIT
        return SURVIVED if all(passes(items[test], scratch) for test in tests) else KILLED

    return forked(child, job.limit_seconds, scratch)


def passes(item: pytest.Item, scratch: Path) -> bool:
    """Without pytest's reports: to tell why a test failed takes longer than the test, and nobody asks."""
    item.config._tmp_path_factory._basetemp = scratch  # type: ignore[attr-defined]
    item.stash[tmppath_result_key] = {"setup": True, "call": True}  # so that its temporary folder is taken away
    try:
        item._initrequest()  # type: ignore[attr-defined]
        item.ihook.pytest_runtest_setup(item=item)
        item.ihook.pytest_runtest_call(item=item)
        item.ihook.pytest_runtest_teardown(item=item, nextitem=None)
    except pytest.skip.Exception:
        item.ihook.pytest_runtest_teardown(item=item, nextitem=None)  # the next one may not find what this one began
        return True
    except BaseException:  # noqa: BLE001  whatever it is, somebody noticed
        return False
    return True


def sound(tests: Sequence[str], items: Items, scratch: Path) -> set[str]:
    """Those that pass without a mutant, run like this."""

    def child(tell: Tell) -> None:
        for test in tests:
            if passes(items[test], scratch):
                tell(test)
            else:
                print(f"    fails without a mutant: {test}", file=sys.stderr, flush=True)
                with contextlib.suppress(BaseException):  # or all that come after it would fail as well
                    items[test].ihook.pytest_runtest_teardown(item=items[test], nextitem=None)

    scratch.mkdir(parents=True, exist_ok=True)
    with lines_of_child(child) as told:
        found = set(told)
    shutil.rmtree(scratch, ignore_errors=True)
    return found


@contextlib.contextmanager
def lines_of_child(work: Callable[[Tell], object]) -> Iterator[Iterator[str]]:
    """What a forked child tells, line by line, until it ends."""
    ours, theirs = os.pipe()
    sys.stdout.flush()
    child = os.fork()
    if not child:
        code = 1
        try:
            os.close(ours)
            with os.fdopen(theirs, "w", buffering=1) as out:
                work(lambda text: print(text, file=out, flush=True))
            code = 0
        except BaseException:  # noqa: BLE001  nothing of the child's may run on as its parent
            traceback.print_exc()
        finally:
            os._exit(code)
    os.close(theirs)
    with os.fdopen(ours) as told:
        yield (text.rstrip("\n") for text in told)
    _, status = os.waitpid(child, 0)
    if status:
        raise RuntimeError(f"the child ended with {os.waitstatus_to_exitcode(status)}")


def imported(job: Job, scratch: Path, *, altered: bool = True) -> str:
    """The same for what runs at import, in a child that has imported none of our packages yet."""

    def child() -> int:
        if altered:
            sys.meta_path.insert(0, Altered(job))
        options = ["-q", "-q", "-x", "-s", *QUIET, "-p", "no:xdist", "-p", "no:cov", f"--basetemp={scratch}"]
        return SURVIVED if pytest.main([*options, *job.tests]) == 0 else KILLED

    return forked(child, job.limit_seconds, scratch)


class Altered(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds one module only, and runs its mutant."""

    def __init__(self, job: Job) -> None:
        self.job = job

    def find_spec(self, fullname: str, path: object, target: ModuleType | None = None) -> importlib.machinery.ModuleSpec | None:
        if fullname != self.job.module:
            return None
        search = [str(self.job.file.parent)] if self.job.file.name == "__init__.py" else None
        return importlib.util.spec_from_file_location(fullname, self.job.file, loader=self, submodule_search_locations=search)

    def exec_module(self, module: ModuleType) -> None:
        tree = alterations.altered(self.job.source, self.job.mutant.number)
        exec(compile(tree, str(self.job.file), "exec"), module.__dict__)


def forked(work: Callable[[], int], limit_seconds: float, scratch: Path) -> str:
    scratch.mkdir(parents=True, exist_ok=True)
    child = os.fork()
    if not child:
        code = UNFIT
        with contextlib.suppress(BaseException):
            alone()
            code = KILLED
            code = work()
        os._exit(code)
    try:
        return ended(child, time.monotonic() + limit_seconds)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child, signal.SIGKILL)  # and what its tests started
        shutil.rmtree(scratch, ignore_errors=True)


def alone() -> None:
    os.setpgid(0, 0)
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    silence = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(silence, descriptor)


def ended(child: int, deadline: float) -> str:
    pause = 0.002
    while True:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            # a mutant that ends its process was noticed too
            return {SURVIVED: "survived", UNFIT: "unfit"}.get(os.waitstatus_to_exitcode(status), "killed")
        if time.monotonic() > deadline:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(child, signal.SIGKILL)
            os.waitpid(child, 0)
            return "timeout"
        time.sleep(pause)
        pause = min(pause * 1.5, 0.05)
