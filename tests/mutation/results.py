"""What is known about each unit of the trusted base, in found.json; which survivors are no defects, in equivalent.json."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

import alterations
import base

FOUND = base.HERE / "found.json"
EQUIVALENT = base.HERE / "equivalent.json"


class Unit(TypedDict, total=False):
    digest: str
    killed: int
    timeout: int  # a test waited longer than it ever does: noticed
    unfit: int  # not a program, or in place nowhere: no mutant
    survived: list[str]
    uncovered: list[str]  # no test reaches the line: survived as well


class Module(TypedDict):
    commit: str
    date: str
    tests: list[str]  # files that reach it, the most reaching first
    units: dict[str, Unit]


Found = dict[str, Module]
Reasons = Mapping[str, Mapping[str, str]]


@dataclass(frozen=True)
class Score:
    units: int
    known: int  # of these, the ones whose result is of the code as it is now
    killed: int = 0
    timeout: int = 0
    survived: int = 0  # with the uncovered, without the equivalent
    equivalent: int = 0

    @property
    def mutants(self) -> int:
        return self.killed + self.timeout + self.survived

    @property
    def percent(self) -> float:
        return 100 * (self.killed + self.timeout) / self.mutants if self.mutants else 100.0

    def __add__(self, other: "Score") -> "Score":
        return Score(*(getattr(self, name) + getattr(other, name) for name in self.__dataclass_fields__))


def read(place: Path = FOUND) -> Found:
    found: Found = json.loads(place.read_text(encoding="utf-8")) if place.exists() else {}
    return found


def write(found: Found, place: Path = FOUND) -> None:
    place.write_text(json.dumps(found, indent=1, sort_keys=True, ensure_ascii=False) + "\n", encoding="utf-8")


def equivalent(place: Path = EQUIVALENT) -> Reasons:
    reasons: Reasons = json.loads(place.read_text(encoding="utf-8")) if place.exists() else {}
    return reasons


def score(module: str, source: str, found: Found, reasons: Reasons) -> Score:
    """Of the units as they are: one that was changed since is not known, and none of its old mutants counts."""
    digests = alterations.digests(source)
    known = {unit: result for unit, result in found.get(module, {"units": {}})["units"].items() if digests.get(unit) == result["digest"]}
    alive = [f"{unit}: {text}" for unit, result in known.items() for text in [*result["survived"], *result["uncovered"]]]
    excused = [text for text in alive if text in reasons.get(module, {})]
    return Score(
        units=len(digests),
        known=len(known),
        killed=sum(result["killed"] for result in known.values()),
        timeout=sum(result["timeout"] for result in known.values()),
        survived=len(alive) - len(excused),
        equivalent=len(excused),
    )
