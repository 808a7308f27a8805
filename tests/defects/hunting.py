"""Cases lived through in a copy of the product, in a process that loads our packages from there and nowhere else."""

import importlib
import sys
from collections.abc import Callable, Sequence
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import cel_expr_python  # noqa: F401  what takes long to load is loaded once, before the processes part
import httpx  # noqa: F401
import langgraph.graph  # noqa: F401
import numpy as np  # noqa: F401
import sqlalchemy  # noqa: F401

from tests.defects import planted
from tests.defects.planted import Defect

FORK = get_context("fork")


class Noticed(NamedTuple):
    """The first case that passes without the defect and not with it, what it misses then, and how many were lived through."""

    case: str
    misses: tuple[str, ...]
    tried: int


def lived(place: Path, case: str) -> tuple[str, ...]:
    """What the case misses on the first of its seeds. Raises ValueError for a case that is not there."""
    ours, theirs = FORK.Pipe(duplex=False)
    child = FORK.Process(target=_live, args=(place, case, theirs))
    child.start()
    theirs.close()
    try:
        said: dict[str, Any] = ours.recv()
    except EOFError:
        said = {"misses": ["not tried: it ended without an answer"]}
    child.join()
    if "unknown" in said:
        raise ValueError(said["unknown"])
    return tuple(said["misses"])


def hunted(defect: Defect, cases: Sequence[str], live: Callable[[Path, str], tuple[str, ...]] = lived) -> Noticed | None:
    """None where no case notices. What only breaks the trial is no finding: such a defect would be seen by anybody."""
    with TemporaryDirectory(prefix="day2-defect-") as name:
        planted.copy(Path(name))
        planted.plant(defect, Path(name))
        for number, case in enumerate(cases, 1):
            misses = live(Path(name), case)
            if misses and not misses[0].startswith("not tried:") and not live(planted.ROOT, case):
                return Noticed(case, misses, number)
    return None


def _live(place: Path, name: str, answer: Connection) -> None:
    for module in [each for each in sys.modules if each.partition(".")[0] in planted.ROOMS]:
        del sys.modules[module]
    sys.path.insert(0, str(place))
    try:
        reading, lives = (importlib.import_module(module) for module in ("evals.cases.reading", "evals.running.lives"))
        assert Path(str(lives.__file__)).is_relative_to(place)
        case = next((each for each in reading.read() if each.id == name), None)
        if case is None:
            answer.send({"unknown": f"there is no case {name!r}"})
            return
        answer.send({"misses": list(lives.lived(case, case.seeds[0], "day2ops").misses)})
    except Exception as error:  # noqa: BLE001  whatever ends it is told in the parent
        answer.send({"misses": [f"not tried: {error!r}"]})
