"""Branch coverage of the trusted base by the quick tests, and which test reaches which line: `make coverage`.

Prints what no test reaches, module by module, and fails below the floor. The data stays in .cache/coverage, where the runner of mutants
looks for the tests of a line.
"""

import argparse
import json
import os
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

import trusted

FLOOR = 100.0
"""Percent of lines and branches together. Where there is no Postgres, what only Postgres does is not reached."""
ROOMS = ("core", "gate", "graph", "runtime", "tools")
CACHE = trusted.ROOT / ".cache" / "coverage"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tests", nargs="*", default=[f"tests/{room}" for room in ROOMS])
    parser.add_argument("--quick", action="store_true", help="measure only, say nothing")
    parser.add_argument("--report", action="store_true", help="of what was measured before")
    parser.add_argument("--jobs", default="2")
    parser.add_argument("--data", type=Path, default=CACHE / "data")
    parser.add_argument("--durations", type=Path, default=CACHE / "durations.json")
    chosen = parser.parse_args()
    CACHE.mkdir(parents=True, exist_ok=True)
    files = trusted.files(trusted.modules())
    settings = CACHE / f"settings-{os.getpid()}.ini"
    settings.write_text(
        configuration(chosen.data, [file.relative_to(trusted.ROOT).as_posix() for file in files.values()]), encoding="utf-8"
    )
    try:
        if not chosen.report and (failed := measure(chosen.tests, settings, chosen.durations, chosen.jobs)):
            return failed
        return 0 if chosen.quick else report(settings)
    finally:
        settings.unlink()


def configuration(data: Path, files: list[str]) -> str:
    included = "".join(f"    {file}\n" for file in files)
    forms = "[report]\nexclude_also =\n    raise NotImplementedError\n"  # of a base class, which every kind replaces
    return f"[run]\nbranch = true\nrelative_files = true\nparallel = true\ndata_file = {data}\ninclude =\n{included}{forms}"


def measure(tests: list[str], settings: Path, durations: Path, jobs: str) -> int:
    options = ["-q", "-n", jobs, "--dist", "worksteal", "-m", "not cluster and not slow", "-p", "durations"]
    covering = ["--cov", f"--cov-config={settings}", "--cov-context=test", "--cov-report="]
    environment = os.environ | {"PYTHONPATH": str(trusted.HERE), "DAY2_DURATIONS": str(durations)}
    command = [sys.executable, "-m", "pytest", *options, *covering, *tests]
    return subprocess.run(command, cwd=trusted.ROOT, env=environment, check=False).returncode


def report(settings: Path) -> int:
    place = CACHE / "report.json"
    command = [sys.executable, "-m", "coverage", "json", "-q", f"--rcfile={settings}", "-o", str(place)]
    subprocess.run(command, cwd=trusted.ROOT, check=True)
    measured = json.loads(place.read_text(encoding="utf-8"))
    rooms: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    for file, found in sorted(measured["files"].items()):
        summary = found["summary"]
        room = rooms["/".join(file.split("/")[:2]) if file.count("/") > 1 else file.split("/")[0]]
        room[0] += summary["covered_lines"] + summary["covered_branches"]
        room[1] += summary["num_statements"] + summary["num_branches"]
        if missing := [*map(str, found["missing_lines"]), *(f"{a}→{b if b > 0 else 'end'}" for a, b in found["missing_branches"])]:
            print(f"{file:<36} {' '.join(missing)}")
    for name, (covered, every) in sorted(rooms.items()):
        print(f"{name:<36} {100 * covered / every:6.2f} %   {every - covered} of {every} lines and branches not reached")
    percent = measured["totals"]["percent_covered"]
    print(f"{'the trusted base':<36} {percent:6.2f} %   the floor is {FLOOR:.2f} %")
    return 1 if percent < FLOOR else 0


if __name__ == "__main__":
    sys.exit(main())
