"""Defects that are planted in the product to see whether a case of `evals/cases` notices. They are data: `defects.yaml` has them all.

A defect replaces one text that stands exactly once in its file. It is put into a copy; the tree itself is never touched.
"""

import hashlib
import shutil
from pathlib import Path
from typing import Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
FILE = HERE / "defects.yaml"
ROOMS = ("core", "agents", "gate", "tools", "simulator", "registry", "graph", "runtime", "evals")
"""What a trial depends on. Defects are planted in the first three, and in `graph` and `runtime`: what decides."""


class Defect(BaseModel):
    """`cases` are those that plausibly touch it, the most plausible first."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(pattern=r"^[a-z][a-z-]{3,60}$")
    part: Literal["detector", "cause walk", "planner", "arbitration", "rule", "judge", "verifier", "executor"]
    what: str = Field(pattern=r"\.$")
    file: str
    now: str
    then: str
    cases: tuple[str, ...] = Field(min_length=1)

    @property
    def digest(self) -> str:
        """Of what is planted: another order of cases plants the same."""
        return hashlib.sha256("\0".join((self.file, self.now, self.then)).encode()).hexdigest()[:16]


def defects(*names: str) -> tuple[Defect, ...]:
    """In the order of the file: these, or all. Raises ValueError for a name that is not there."""
    every = TypeAdapter(tuple[Defect, ...]).validate_python(yaml.safe_load(FILE.read_text(encoding="utf-8")))
    if unknown := sorted(set(names) - {each.name for each in every}):
        raise ValueError(f"there is no defect {unknown[0]!r} in {FILE.name}")
    return tuple(each for each in every if not names or each.name in names)


def copy(place: Path) -> None:
    """With what Python compiled before: only the file that is changed is compiled anew."""
    for room in ROOMS:
        shutil.copytree(ROOT / room, place / room)


def plant(defect: Defect, place: Path) -> None:
    """Raises ValueError where the text does not stand in the file exactly once."""
    file = place / defect.file
    text = file.read_text(encoding="utf-8")
    if (times := text.count(defect.now)) != 1:
        raise ValueError(f"{defect.name} fits no more: its text stands {times} times in {defect.file}")
    file.write_text(text.replace(defect.now, defect.then), encoding="utf-8")
