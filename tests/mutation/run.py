"""Puts one small defect after the other into the trusted base, and counts those that no test notices.

`make mutation` goes on where it stopped: a function that is as it was when its result was written to found.json is not run again. It
needs the reach of each test, which `make coverage` measures. With `--changed`, which is what CI runs, the reach is measured here, for
the changed functions only and by the test files that are known to reach their modules; nothing is written, and survivors beyond the
floor fail it. `--modules gate.keys gate.permits` looks at these only.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import alterations
import base
import results

FLOOR = 90.0
REACH = base.ROOT / ".cache" / "coverage" / "data"
DURATIONS = base.ROOT / ".cache" / "coverage" / "durations.json"
SCRATCH = base.ROOT / ".cache" / f"mutation-{os.getpid()}"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--modules", nargs="*", help="these and what is below them")
    parser.add_argument("--changed", action="store_true", help="measure the reach here, write nothing, fail below the floor")
    parser.add_argument("--again", action="store_true", help="also what is known already")
    parser.add_argument("--survivors", action="store_true", help="run again only units of which a mutant survived")
    parser.add_argument("--no-import", action="store_true", help="leave out what runs at import")
    chosen = parser.parse_args()
    names = [name for name in base.modules() if not chosen.modules or any(name == m or name.startswith(m + ".") for m in chosen.modules)]
    found = results.read()
    wanted = {name: units for name in names if (units := due(name, found, chosen))}
    if chosen.changed:
        return changed(wanted, found)
    if not REACH.exists():
        print("no test's reach is known: make coverage", file=sys.stderr)
        return 2
    run(wanted, found, REACH, DURATIONS, write=True)
    for name in names:
        print(line(name, found))
    return 0


def due(name: str, found: results.Found, chosen: argparse.Namespace) -> list[str]:
    """The units of which nothing is known, or nothing of their code as it is now."""
    known = found.get(name, {"units": {}})["units"]
    units = {}
    for unit, digest in alterations.digests(base.file_of(name).read_text(encoding="utf-8")).items():
        fresh = known.get(unit, {}).get("digest") == digest
        alive = fresh and bool(known[unit]["survived"] or known[unit]["uncovered"])
        if (not fresh or chosen.again or (chosen.survivors and alive)) and not (chosen.no_import and unit == alterations.MODULE):
            units[unit] = digest
    return list(units)


def changed(wanted: dict[str, list[str]], found: results.Found) -> int:
    if not wanted:
        print("no function of the trusted base was changed since its result")
        return 0
    print(f"{sum(map(len, wanted.values()))} units were changed: {', '.join(wanted)}", flush=True)
    with tempfile.TemporaryDirectory(prefix="day2-reach-") as place:
        data, durations = Path(place) / "data", Path(place) / "durations.json"
        measuring = [sys.executable, str(base.HERE / "measuring.py"), "--quick", "--data", str(data), "--durations", str(durations)]
        if subprocess.run([*measuring, *test_files(wanted, found)], cwd=base.ROOT, check=False).returncode:
            return 1
        run(wanted, found, data, durations, write=False)
    reasons, total = results.equivalent(), Counter[str]()
    for name, units in wanted.items():
        for unit in units:
            result = found[name]["units"][unit]
            alive = [text for text in [*result["survived"], *result["uncovered"]] if f"{unit}: {text}" not in reasons.get(name, {})]
            total.update(killed=result["killed"] + result["timeout"], survived=len(alive))
    every = total.total()
    percent = 100 * total["killed"] / every if every else 100.0
    print(f"{percent:.1f} % of {every} mutants noticed; the floor is {FLOOR:.0f} %. Their result is written by: make coverage mutation")
    return 1 if percent < FLOOR else 0


def test_files(wanted: dict[str, list[str]], found: results.Found) -> list[str]:
    files = {file for name in wanted for file in found.get(name, {"tests": ["tests/" + name.split(".")[0]]})["tests"]}
    return sorted(file for file in files if (base.ROOT / file).exists())


def run(wanted: dict[str, list[str]], found: results.Found, reach: Path, durations: Path, *, write: bool) -> None:
    import working  # loads pytest and every package that the mutants need

    shutil.rmtree(SCRATCH, ignore_errors=True)
    began = time.monotonic()
    for name, units in working.run(wanted, reach, durations, SCRATCH):
        commit, date = now()
        found.update({other: row for other, row in results.read().items() if other != name} if write else {})  # of a run beside this one
        module = found.setdefault(name, {"commit": commit, "date": date, "tests": [], "units": {}})
        source = base.file_of(name).read_text(encoding="utf-8")
        module["units"] = {unit: row for unit, row in (module["units"] | units).items() if unit in alterations.digests(source)}
        module.update(commit=commit, date=date)
        if files := working.files(name):
            module["tests"] = files
        if write:
            results.write(found)
        print(f"{line(name, found)}   [{time.monotonic() - began:.0f} s]", flush=True)
        for unit, row in units.items():
            for text in row["survived"]:
                print(f"    survived   {unit}: {text}", flush=True)
            for text in row["uncovered"]:
                print(f"    uncovered  {unit}: {text}", flush=True)


def line(name: str, found: results.Found) -> str:
    score = results.score(name, base.file_of(name).read_text(encoding="utf-8"), found, results.equivalent())
    unknown = f", {score.units - score.known} of {score.units} units not run" if score.known < score.units else ""
    return f"{name:<34} {score.percent:5.1f} % of {score.mutants}{unknown}"


def now() -> tuple[str, str]:
    command = ["git", "rev-parse", "--short", "HEAD"]
    commit = subprocess.run(command, cwd=base.ROOT, capture_output=True, text=True, check=True).stdout.strip()
    return commit, datetime.now(UTC).date().isoformat()


if __name__ == "__main__":
    sys.exit(main())
