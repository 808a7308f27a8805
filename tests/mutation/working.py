"""Runs the mutants of the wanted units, module by module, and yields what became of them."""

import gc
import importlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import alterations
import forking
import results
import selecting
import trusted

PRELOADED = (
    "cel_expr_python", "cryptography.x509", "httpx", "jsonpatch", "langgraph.graph", "msgspec", "pydantic", "sqlalchemy.dialects.sqlite",
    "starlette.applications", "uvicorn", "yaml",
)  # fmt: skip
LEAST_SECONDS, TIMES_AS_LONG, IMPORT_SECONDS = 15, 8, 60


@dataclass(frozen=True)
class Task:
    """One unit: what is known of it already, and which of its mutants are tried (None: all)."""

    start: results.Unit
    only: frozenset[str] | None = None

    def wants(self, mutant: alterations.Mutant) -> bool:
        return self.only is None or mutant.text in self.only


Tasks = dict[str, dict[str, Task]]
Units = dict[str, results.Unit]


def run(tasks: Tasks, reach: selecting.Reach, scratch: Path) -> Iterator[tuple[str, Units]]:
    for name in PRELOADED:
        importlib.import_module(name)
    functions = {name: inside for name, units in tasks.items() if (inside := without_import(units))}
    if functions:
        yield from of_functions(functions, reach, scratch)
    for name, units in tasks.items():
        if task := units.get(alterations.MODULE):
            yield name, {alterations.MODULE: of_import(name, task, reach, scratch)}


def without_import(units: dict[str, Task]) -> dict[str, Task]:
    return {unit: task for unit, task in units.items() if unit != alterations.MODULE}


def of_import(name: str, task: Task, reach: selecting.Reach, scratch: Path) -> results.Unit:
    tried = False
    for job in planned(name, {alterations.MODULE: task}, reach, IMPORT_SECONDS):
        happened = ""
        if job.tests:
            if not tried and forking.imported(job, scratch, altered=False) != "survived":
                raise RuntimeError(f"the tests of {name} do not pass in a process of their own: {' '.join(job.tests)}")
            tried = True
            happened = forking.imported(job, scratch)
        count(task, job.mutant, happened)
    return task.start


def of_functions(tasks: Tasks, reach: selecting.Reach, scratch: Path) -> Iterator[tuple[str, Units]]:
    """Collects the tests once, in a child, because it loads what may not be loaded here; each module's results come as a line of JSON."""
    jobs = {name: planned(name, units, reach, LEAST_SECONDS) for name, units in tasks.items()}
    files = sorted({selecting.file_of(test) for module in jobs.values() for job in module for test in job.tests})
    with forking.lines_of_child(lambda tell: forking.collected(files, lambda items: worked(jobs, tasks, items, scratch, tell))) as told:
        for text in told:
            name, units = json.loads(text)
            yield name, units


def planned(name: str, units: dict[str, Task], reach: selecting.Reach, least_seconds: float) -> list[forking.Job]:
    file = trusted.file_of(name)
    source = file.read_text(encoding="utf-8")
    every = [mutant for mutant in alterations.mutants(source) if mutant.unit in units and units[mutant.unit].wants(mutant)]
    chosen = {mutant: reach.tests(name, mutant) for mutant in every}
    return [
        forking.Job(name, file, source, mutant, tests, least_seconds + TIMES_AS_LONG * reach.seconds(tests))
        for mutant, tests in chosen.items()
    ]


def worked(jobs: dict[str, list[forking.Job]], tasks: Tasks, items: forking.Items, scratch: Path, tell: forking.Tell) -> None:
    functions = forking.Functions(trusted.file_of(name) for name in jobs)
    gc.collect()
    gc.freeze()
    tried: set[str] = set()
    sound: set[str] = set()
    for name, module in jobs.items():
        fresh = list(dict.fromkeys(test for job in module for test in job.tests if test in items and test not in tried))
        tried.update(fresh)
        sound |= forking.sound(fresh, items, scratch)
        for job in module:
            tests = [test for test in job.tests if test in sound]
            happened = forking.exchanged(job, tests, items, functions, scratch) if tests else ""
            count(tasks[name][job.mutant.unit], job.mutant, happened)
        tell(json.dumps([name, {unit: task.start for unit, task in tasks[name].items()}]))


def count(task: Task, mutant: alterations.Mutant, happened: str) -> None:
    """Empty: no test reaches it."""
    unit = task.start
    match happened:
        case "killed":
            unit["killed"] += 1
        case "timeout":
            unit["timeout"] += 1
        case "unfit":
            unit["unfit"] += 1
        case "survived":
            unit["survived"].append(mutant.text)
        case _:
            unit["uncovered"].append(mutant.text)
