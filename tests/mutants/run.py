"""Plants one defect after the other in a copy of the product, and counts the seeds until a promise of the simulation is broken.

`python tests/mutants/run.py [NAME ...]` goes on where it stopped: what was found before, by the same patch, is not looked for again.
The table in docs/simulation.md is written anew after each defect, and names those that no seed has found. Exits 1 when one is not found
within 2,000 seeds.
"""

import argparse
import hashlib
import importlib
import json
import re
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor, as_completed
from datetime import UTC, datetime
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path

import cel_expr_python  # noqa: F401  what takes long to load is loaded once, before the processes part
import httpx  # noqa: F401
import langgraph.graph  # noqa: F401
import sqlalchemy  # noqa: F401
from planting import HERE, ROOT, patches, plant, sentence

FOUND = HERE / "found.json"
PAGE = ROOT / "docs" / "simulation.md"
PACKAGES = ("core", "agents", "gate", "tools", "simulator", "registry", "graph", "runtime", "evals")
SEEDS = 2000
FORK = get_context("fork")
BEGIN, END = "<!-- mutants -->", "<!-- /mutants -->"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*")
    parser.add_argument("--seeds", type=int, default=SEEDS)
    parser.add_argument("--jobs", type=int, default=2)
    chosen = parser.parse_args()
    known: dict[str, dict[str, object]] = json.loads(FOUND.read_text(encoding="utf-8")) if FOUND.exists() else {}
    missed = []
    wanted = [patch for patch in patches(*chosen.names) if chosen.names or not found(known, patch)]
    with ThreadPoolExecutor(chosen.jobs) as pool:
        for future in as_completed(hunts := {pool.submit(hunted, patch, chosen.seeds): patch for patch in wanted}):
            patch, result = hunts[future], future.result()
            print(f"{patch.stem:<34} {result or 'NOT FOUND'}", flush=True)
            known.pop(patch.stem, None)
            if result.get("seed", -1) == -1:
                missed.append(patch.stem)
            if result.get("seed") != -1:
                tried = {"patch": digest(patch), "date": datetime.now(UTC).date().isoformat(), "commit": commit()}
                known[patch.stem] = (result or {"tried": chosen.seeds}) | tried
            FOUND.write_text(json.dumps(known, indent=1, sort_keys=True) + "\n", encoding="utf-8")
            write_table(known)
    return 1 if missed else 0


def found(known: dict[str, dict[str, object]], patch: Path) -> bool:
    """By this very patch: one that was written anew has to be found anew."""
    row = known.get(patch.stem, {})
    return "seed" in row and row["patch"] == digest(patch)


def digest(patch: Path) -> str:
    return hashlib.sha256(patch.read_bytes()).hexdigest()[:16]


def hunted(patch: Path, seeds: int) -> dict[str, object]:
    """The first seed that breaks a promise; empty when none does. The tree itself is not touched."""
    with tempfile.TemporaryDirectory(prefix="day2-mutant-") as name:
        place = Path(name)
        for package in PACKAGES:
            shutil.copytree(ROOT / package, place / package, ignore=shutil.ignore_patterns("__pycache__"))
        plant(patch, place)
        ours, theirs = FORK.Pipe(duplex=False)
        child = FORK.Process(target=hunt, args=(place, seeds, theirs))
        child.start()
        theirs.close()
        try:
            result: dict[str, object] = ours.recv()
        except EOFError:
            result = {"seed": -1, "promise": "it ended without an answer"}
        child.join()
    return result


def hunt(place: Path, seeds: int, answer: Connection) -> None:
    """In a process that has not loaded any of our packages yet: they come from the copy."""
    sys.path.insert(0, str(place))
    try:
        running = importlib.import_module("evals.simulation.running")
        assert Path(str(running.__file__)).is_relative_to(place)
        running.settled()
        for seed in range(seeds):
            outcome = running.run(seed)
            if outcome.broken:
                answer.send({"seed": seed, "promise": outcome.broken[0].promise, "text": outcome.broken[0].text[:200]})
                return
        answer.send({})
    except Exception as error:  # noqa: BLE001  whatever ends it is told in the parent
        answer.send({"seed": -1, "promise": f"it does not run: {error!r}"})


def write_table(known: dict[str, dict[str, object]]) -> None:
    """Between its two marks on the page: every patch, also the ones that were not found."""
    lines = ["| planted defect | what it is | promise broken | seeds needed | date | commit |", "|---|---|---|---|---|---|"]
    lines += [f"| `{patch.stem}` | {sentence(patch)} | {standing(known, patch)} |" for patch in patches()]
    table = "\n".join([BEGIN, *lines, END])
    text = PAGE.read_text(encoding="utf-8")
    PAGE.write_text(re.sub(f"{BEGIN}.*{END}", lambda _: table, text, flags=re.DOTALL), encoding="utf-8")


def standing(known: dict[str, dict[str, object]], patch: Path) -> str:
    """The last four cells of its line."""
    row = known.get(patch.stem, {})
    if found(known, patch):
        return f"{row['promise']} | {int(str(row['seed'])) + 1} | {row['date']} | {row['commit']}"
    if row.get("patch") == digest(patch):
        return f"not found yet | more than {row['tried']} | {row['date']} | {row['commit']}"
    return "not found yet | not tried | |"


def commit() -> str:
    command = ["git", "rev-parse", "--short", "HEAD"]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()


if __name__ == "__main__":
    sys.exit(main())
