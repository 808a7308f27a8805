"""Trials over processes, each once: what was lived through with the same case, world, faults and code is taken from the cache.

The cache is a folder of JSON files named by a digest, so a run that was ended goes on where it stopped.
"""

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from functools import cache
from pathlib import Path
from time import perf_counter
from typing import NamedTuple

from core.domain.values import digest
from evals.cases.case import Case
from evals.contestants.table import SPEAKING
from evals.running.lives import lived
from evals.running.trial import Trial, as_json, of_json
from runtime.settings import ModelSettings

ROOT = Path(__file__).parents[2]
ROOMS = ("core", "agents", "gate", "tools", "simulator", "registry", "graph", "runtime", "evals")
"""What a trial depends on: all rooms below the doors."""


class Task(NamedTuple):
    case: Case
    seed: int
    contestant: str


def tasks(cases: Sequence[Case], contestants: Sequence[str]) -> list[Task]:
    """Those of one world one after the other, so that a worker lives through its start once."""
    found = [Task(case, seed, name) for case in cases for seed in case.seeds for name in contestants]
    return sorted(found, key=lambda task: (task.case.world.model_dump_json(), task.seed, task.case.id, task.contestant))


def run(
    wanted: Sequence[Task],
    *,
    jobs: int,
    kept: Path | None = None,
    model: ModelSettings | None = None,
    told: Callable[[Trial, bool], None] = lambda *_: None,
) -> tuple[Trial, ...]:
    """All trials, in order of case, seed, contestant. `told` is called with each as it comes, and whether it came from the cache.

    `model` is the endpoint of contestants that speak with one.
    """
    found: list[Trial] = []
    left: list[tuple[Task, Path | None]] = []
    for task in wanted:
        place = kept / f"{key(task, model)}.json" if kept else None
        known = _known(place)
        if known is None:
            left.append((task, place))
        else:
            found.append(known)
            told(known, True)
    for trial, place in _lived(left, jobs, model):
        _keep(trial, place)
        found.append(trial)
        told(trial, False)
    return tuple(sorted(found, key=lambda trial: (trial.suite, trial.case, trial.seed, trial.contestant)))


def _lived(left: Sequence[tuple[Task, Path | None]], jobs: int, model: ModelSettings | None) -> Iterator[tuple[Trial, Path | None]]:
    if jobs <= 1:
        for task, place in left:
            yield timed(task, model), place
        return
    with ProcessPoolExecutor(jobs) as pool:
        begun = {pool.submit(timed, task, model): place for task, place in left}
        try:
            for done in as_completed(begun):
                yield done.result(), begun[done]
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def timed(task: Task, model: ModelSettings | None = None) -> Trial:
    """With the seconds that it took on this machine."""
    from dataclasses import replace

    begin = perf_counter()
    trial = lived(*task, model)
    return replace(trial, wall=round(perf_counter() - begin, 3))


def key(task: Task, model: ModelSettings | None = None) -> str:
    """What a trial follows from: for who speaks with a model, the model too. Files that a case names are in it by their content."""
    world = task.case.world
    files = [_content(path) for path in (world.file, world.snapshot, world.manifests) if path is not None]
    body = task.case.model_dump(mode="json", by_alias=True, exclude={"seeds", "quick"})
    body["world"] |= dict.fromkeys(("file", "snapshot", "manifests"))
    spoken = [model.base_url, model.name, model.tokens_per_run, model.calls_per_run] if model and task.contestant in SPEAKING else None
    return digest([body, files, task.seed, task.contestant, code(), spoken])


@cache
def code() -> str:
    """A digest of every source and document of the rooms that a trial depends on, results apart."""
    found = hashlib.sha256()
    for room in ROOMS:
        for file in sorted((ROOT / room).rglob("*")):
            if file.suffix in (".py", ".yaml", ".cel") and "suites" not in file.parts:
                found.update(str(file.relative_to(ROOT)).encode() + b"\0" + file.read_bytes())
    return found.hexdigest()


def _content(path: Path) -> str:
    found = hashlib.sha256()
    for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
        if file.is_file():
            found.update(file.name.encode() + b"\0" + file.read_bytes())
    return found.hexdigest()


def _known(place: Path | None) -> Trial | None:
    """A file that cannot be read is lived through again."""
    try:
        return of_json(json.loads(place.read_text(encoding="utf-8"))) if place else None
    except (OSError, ValueError, TypeError):
        return None


def _keep(trial: Trial, place: Path | None) -> None:
    """What broke is not kept: it is tried again."""
    if place is None or trial.broke:
        return
    place.parent.mkdir(parents=True, exist_ok=True)
    part = place.with_suffix(".part")
    part.write_text(json.dumps(as_json(trial), ensure_ascii=False), encoding="utf-8")
    part.replace(place)
