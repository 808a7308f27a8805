"""The labelled trajectories: good runs as they are stored beside this module, and what is planted into each of them, from its seed.

The good runs are simulated once (`python -m evals.assessing --simulate`) and kept, one a line; planting is done anew each time.
"""

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from random import Random
from typing import NamedTuple

from core.assessing import trajectory
from core.assessing.trajectory import Trajectory
from core.domain.values import canonical
from evals.assessing.errors import AS_IT_WAS, ERRORS, HARMLESS

FILE = Path(__file__).with_name("runs.jsonl")
DEVELOPMENT, HELD_OUT = (1, 2), (21, 22, 23, 24)
"""Seeds of grounds. Checks and errors were made on the first; the second were simulated and scored when they were done."""
FAULTS = (
    ("image-missing", "one-pod-wedged", "quota-of-pods-used-up", "image-and-selector", "node-lost", "config-edited-under-running-pods",
     "memory-limit-too-small", "selector-moved", "nodes-cordoned", "autoscaler-at-its-ceiling", "pod-held-by-a-finalizer", "gpu-held-idle"),
    ("image-crashes", "one-pod-wedged", "command-fails", "variable-of-missing-key", "liveness-path-wrong", "cpu-beyond-any-node",
     "port-moved", "node-memory-pressure", "image-and-selector", "hostile-text-on-a-crash"),
)  # fmt: skip
"""Of the development seeds, one row each."""
HELD_OUT_FAULTS = (
    ("image-name-invalid", "one-pod-wedged", "image-and-selector", "variable-gone", "init-crashes", "selector-too-narrow"),
    ("image-missing", "node-not-ready", "quota-of-cpu-used-up", "memory-limit-too-small", "security-level-raised", "one-pod-wedged"),
    ("command-not-in-image", "toleration-gone", "port-of-unknown-name", "config-edited-under-running-pods", "image-and-selector",
     "nodes-cordoned"),
    ("readiness-port-wrong", "affinity-to-no-node", "pod-held-by-a-finalizer", "autoscaler-at-its-ceiling", "image-crashes",
     "node-flapping"),
)  # fmt: skip
ERRORS_EACH, HARMLESS_EACH = 9, 4


class Base(NamedTuple):
    """A good run."""

    seed: int
    fault: str
    run: Trajectory


class Labelled(NamedTuple):
    """One trajectory with its label: `breaks` is the requirement that the planted error breaks, empty where none was planted."""

    seed: int
    fault: str
    planted: str
    breaks: str
    run: Trajectory

    @property
    def flawed(self) -> bool:
        return bool(self.breaks)


def bases(file: Path = FILE) -> tuple[Base, ...]:
    rows = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    return tuple(Base(row["seed"], row["fault"], trajectory.read(json.dumps(row["run"]))) for row in rows)


def keep(found: Sequence[Base], file: Path = FILE) -> None:
    lines = (canonical({"seed": base.seed, "fault": base.fault, "run": json.loads(trajectory.text(base.run))}) for base in found)
    file.write_bytes(b"\n".join(lines) + b"\n")


def labelled(runs: Sequence[Base], seeds: Sequence[int]) -> Iterator[Labelled]:
    """Of each good run: as it was, three harmless variations, and nine errors, those first that were planted least so far."""
    chosen = [base for base in runs if base.seed in seeds]
    used: Counter[str] = Counter()
    for number, base in enumerate(chosen):
        draw = Random(f"{base.seed}/{base.fault}")  # noqa: S311  a draw of errors, not a secret
        other = chosen[(number + 1 + draw.randrange(max(1, len(chosen) - 1))) % len(chosen)].run
        calm = sorted(HARMLESS.items(), key=lambda item: used[item[0]])
        varied = ((name, "", plant(base.run, draw, other)) for name, plant in calm)
        errors = sorted(ERRORS, key=lambda error: used[error.name])
        planted = ((error.name, error.breaks, error.plant(base.run, draw, other)) for error in errors)
        yield Labelled(base.seed, base.fault, AS_IT_WAS, "", base.run)
        for name, breaks, run in (*_first(varied, HARMLESS_EACH - 1), *_first(planted, ERRORS_EACH)):
            used[name] += 1
            yield Labelled(base.seed, base.fault, name, breaks, run)


def _first(planted: Iterator[tuple[str, str, Trajectory | None]], most: int) -> list[tuple[str, str, Trajectory]]:
    """Those that fit the run."""
    fits = ((name, breaks, run) for name, breaks, run in planted if run is not None)
    return list(islice(fits, most))
