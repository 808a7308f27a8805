"""Runs the mutants of the wanted units, module by module, and yields what became of them."""

import gc, os, time
import importlib
import json
from collections.abc import Iterator
from pathlib import Path

import alterations
import base
import forking
import results
import selecting

PRELOADED = ("cel_expr_python", "httpx", "sqlalchemy", "sqlalchemy.dialects.sqlite", "pydantic", "msgspec", "yaml", "cryptography.x509", "uvicorn", "starlette.applications", "langgraph.graph", "jsonpatch")  # fmt: skip
LEAST_SECONDS, TIMES_AS_LONG = 15, 8
REACHES: list[selecting.Reach] = []


def run(wanted: dict[str, list[str]], reach: Path, durations: Path, scratch: Path) -> Iterator[tuple[str, dict[str, results.Unit]]]:
    known = selecting.Reach(reach, durations)
    REACHES[:] = [known]
    for name in PRELOADED:
        importlib.import_module(name)
    rest = {name: others for name, units in wanted.items() if (others := [unit for unit in units if unit != alterations.MODULE])}
    if rest:
        yield from of_functions(rest, known, scratch)
    for name, units in wanted.items():
        if alterations.MODULE in units:
            yield name, {alterations.MODULE: of_import(name, known, scratch)}


def files(name: str) -> list[str]:
    return REACHES[0].files(name)


def of_import(name: str, reach: selecting.Reach, scratch: Path) -> results.Unit:
    file = base.file_of(name)
    source = file.read_text(encoding="utf-8")
    unit = blank(source, alterations.MODULE)
    for number, mutant in enumerate(m for m in alterations.mutants(source) if m.unit == alterations.MODULE):
        tests = reach.tests(name, mutant)
        if not tests:
            count(unit, mutant, "uncovered")
            continue
        job = forking.Job(name, file, source, mutant, tests, 60 + TIMES_AS_LONG * reach.seconds(tests))
        if not number and forking.imported(job, scratch / "tmp", altered=False) != "survived":
            print(f"    the tests of {name} do not pass in a process of their own: {tests[:3]} ...", flush=True)
            unit["digest"] = ""
            break
        count(unit, mutant, forking.imported(job, scratch / "tmp"))
    return unit


def of_functions(wanted: dict[str, list[str]], reach: selecting.Reach, scratch: Path) -> Iterator[tuple[str, dict[str, results.Unit]]]:
    """Collects the tests once, in a child, because it loads what may not be loaded here; each module's results come as a line of JSON."""
    jobs = {name: planned(name, units, reach) for name, units in wanted.items()}
    test_files = sorted({selecting.file_of(test) for module in jobs.values() for job in module for test in job.tests})
    with forking.lines_of_child(
        lambda tell: forking.collected(test_files, lambda items: worked(jobs, wanted, items, scratch, tell))
    ) as told:
        for text in told:
            name, units = json.loads(text)
            yield name, units


def planned(name: str, units: list[str], reach: selecting.Reach) -> list[forking.Job]:
    file = base.file_of(name)
    source = file.read_text(encoding="utf-8")
    every = [mutant for mutant in alterations.mutants(source) if mutant.unit in units]
    chosen = {mutant: reach.tests(name, mutant) for mutant in every}
    return [
        forking.Job(name, file, source, mutant, tests, LEAST_SECONDS + TIMES_AS_LONG * reach.seconds(tests))
        for mutant, tests in chosen.items()
    ]


def worked(
    jobs: dict[str, list[forking.Job]], wanted: dict[str, list[str]], items: forking.Items, scratch: Path, tell: forking.Tell
) -> None:
    functions = forking.Functions(base.file_of(name) for name in jobs)
    gc.collect()
    gc.freeze()
    tried: set[str] = set()
    sound: dict[str, float] = {}
    for name, module in jobs.items():
        source = base.file_of(name).read_text(encoding="utf-8")
        units = {unit: blank(source, unit) for unit in wanted[name]}
        fresh = list(dict.fromkeys(test for job in module for test in job.tests if test in items and test not in tried))
        tried.update(fresh)
        sound |= forking.sound(fresh, items, scratch / "sound")
        for job in module:
            t0 = time.monotonic()
            tests = tuple(test for test in job.tests if test in sound)
            happened = forking.exchanged(job, tests, items, functions, scratch / "tmp") if tests else "uncovered"
            if os.environ.get("DBG"):
                print(f"{time.monotonic() - t0:.2f} {happened} {len(tests)} {job.mutant.name}", flush=True)
            count(units[job.mutant.unit], job.mutant, happened)
        tell(json.dumps([name, units]))


def blank(source: str, unit: str) -> results.Unit:
    return {"digest": alterations.digests(source)[unit], "killed": 0, "timeout": 0, "unfit": 0, "survived": [], "uncovered": []}


def count(unit: results.Unit, mutant: alterations.Mutant, happened: str) -> None:
    if happened == "survived":
        unit["survived"].append(mutant.text)
    elif happened == "uncovered":
        unit["uncovered"].append(mutant.text)
    elif happened == "killed":
        unit["killed"] += 1
    elif happened == "timeout":
        unit["timeout"] += 1
    else:
        unit["unfit"] += 1
