"""Puts one small defect after the other into the trusted base, and counts those that no test notices.

`make mutation` goes on where it stopped: a function that is as it was when its result was written to found.json is not run again. It
needs the reach of each test, which `make coverage` measures. With `--changed`, which is what CI runs, the reach is measured here, for
the changed functions only and by the test files that are known to reach their modules; nothing is written, and survivors beyond the
floor fail it. `--modules gate.keys gate.permits` looks at these only; `--survivors` tries again what survived, where tests were added.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import alterations
import results
import selecting
import trusted
import working

FLOOR = 90.0
REACH = trusted.ROOT / ".cache" / "coverage" / "data"
DURATIONS = trusted.ROOT / ".cache" / "coverage" / "durations.json"
SCRATCH = trusted.ROOT / ".cache" / f"mutation-{os.getpid()}"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--modules", nargs="*", default=[], help="these and what is below them")
    parser.add_argument("--changed", action="store_true", help="measure the reach here, write nothing, fail below the floor")
    parser.add_argument("--survivors", action="store_true", help="also what survived")
    parser.add_argument("--tests", nargs="*", default=[], help="measure the reach here, by these files")
    parser.add_argument("--no-import", action="store_true", help="leave out what runs at import")
    chosen = parser.parse_args()
    names = [name for name in trusted.modules() if not chosen.modules or any(f"{name}.".startswith(f"{one}.") for one in chosen.modules)]
    found = results.read()
    if chosen.changed:  # what was never run is named on the page, and no business of who changed something else
        names = [name for name in names if name in found]
    tasks = {name: units for name in names if (units := due(name, found, chosen))}
    if not tasks:
        print("nothing of the trusted base was changed since its result")
        return 0
    if chosen.changed:
        return changed(tasks, found)
    with reached(chosen.tests) as reach:
        for name, units in working.run(tasks, reach, SCRATCH):
            results.write(taken(name, units, reach))
            say(name, units)
    results.write_page(results.read(), trusted.modules())
    for name in names:
        print(line(name, results.read()))
    return 0


def due(name: str, found: results.Found, chosen: argparse.Namespace) -> dict[str, working.Task]:
    """The units of which nothing is known, or nothing of their code as it is now."""
    known, tasks = found.get(name, {"units": {}})["units"], {}
    source = trusted.file_of(name).read_text(encoding="utf-8")
    mutants = Counter(mutant.unit for mutant in alterations.mutants(source))
    for unit, digest in alterations.digests(source).items():
        row = known.get(unit)
        if unit == alterations.MODULE and (chosen.no_import or (chosen.changed and row is None)):
            continue
        if row is None or row["digest"] != digest or results.tried(row) != mutants[unit]:
            tasks[unit] = working.Task({"digest": digest, "killed": 0, "timeout": 0, "unfit": 0, "survived": [], "uncovered": []})
        elif chosen.survivors and (alive := frozenset([*row["survived"], *row["uncovered"]])):
            tasks[unit] = working.Task({**row, "survived": [], "uncovered": []}, alive)
    return tasks


def changed(tasks: working.Tasks, found: results.Found) -> int:
    print(f"{sum(map(len, tasks.values()))} functions were changed: {', '.join(tasks)}", flush=True)
    files = {file for name in tasks for file in found.get(name, {"tests": ["tests/" + name.split(".")[0]]})["tests"]}
    mine: results.Found = {}
    with reached(sorted(file for file in files if (trusted.ROOT / file).exists())) as reach:
        for name, units in working.run(tasks, reach, SCRATCH):
            known = mine.setdefault(name, {"commit": "", "date": "", "tests": [], "units": {}})
            known["units"] |= units
            say(name, units)
    total = sum((score(name, mine) for name in mine), results.Score(0, 0))
    print(
        f"{total.percent:.1f} % of {total.mutants} mutants noticed, at least {FLOOR:.0f} % should be; make coverage mutation writes it down"
    )
    return 1 if total.percent < FLOOR else 0


@contextmanager
def reached(files: list[str]) -> Iterator[selecting.Reach]:
    """By `make coverage`, or measured now by these files."""
    shutil.rmtree(SCRATCH, ignore_errors=True)
    if not files:
        if not REACH.exists():
            raise SystemExit("no test's reach is known: make coverage")
        yield selecting.Reach(REACH, DURATIONS)
        return
    with tempfile.TemporaryDirectory(prefix="day2-reach-") as place:
        data, durations = Path(place) / "data", Path(place) / "durations.json"
        command = [sys.executable, str(trusted.HERE / "measuring.py"), "--quick", f"--data={data}", f"--durations={durations}", *files]
        if subprocess.run(command, cwd=trusted.ROOT, check=False).returncode:
            raise SystemExit("tests fail without any mutant")
        yield selecting.Reach(data, durations)


def taken(name: str, units: working.Units, reach: selecting.Reach) -> results.Found:
    """The result with these units in it; read anew, for another run may go on beside this one."""
    found = results.read()
    module = found.setdefault(name, {"commit": "", "date": "", "tests": [], "units": {}})
    there = alterations.digests(trusted.file_of(name).read_text(encoding="utf-8"))
    module["units"] = {unit: row for unit, row in (module["units"] | units).items() if unit in there}
    module["commit"], module["date"] = now()
    module["tests"] = sorted({*module["tests"], *reach.files(name)})
    return found


def say(name: str, units: working.Units) -> None:
    print(line(name, results.read()), flush=True)
    for unit, row in units.items():
        for text in row["survived"]:
            print(f"    survived   {unit}: {text}", flush=True)
        for text in row["uncovered"]:
            print(f"    uncovered  {unit}: {text}", flush=True)


def score(name: str, found: results.Found) -> results.Score:
    return results.score(name, trusted.file_of(name).read_text(encoding="utf-8"), found, results.equivalent())


def line(name: str, found: results.Found) -> str:
    seen = score(name, found)
    unknown = f", {seen.units - seen.known} of {seen.units} functions not run" if seen.known < seen.units else ""
    return f"{name:<34} {seen.percent:5.1f} % of {seen.mutants}{unknown}"


def now() -> tuple[str, str]:
    command = ["git", "rev-parse", "--short", "HEAD"]
    commit = subprocess.run(command, cwd=trusted.ROOT, capture_output=True, text=True, check=True).stdout.strip()
    return commit, datetime.now(UTC).date().isoformat()


if __name__ == "__main__":
    sys.exit(main())
