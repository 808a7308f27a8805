"""What is known about each unit of the trusted base, in found.json; which survivors are no defects, in equivalent.json.

The table of docs/mutation.md is made of both.
"""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypedDict

import alterations
import trusted

PAGE = trusted.ROOT / "docs" / "mutation.md"
BEGIN, END = "<!-- mutation -->", "<!-- /mutation -->"
FOUND = trusted.HERE / "found.json"
EQUIVALENT = trusted.HERE / "equivalent.json"


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


def write_page(found: Found, modules: Iterable[str], page: Path = PAGE) -> None:
    text = page.read_text(encoding="utf-8")
    page.write_text(re.sub(f"{BEGIN}.*{END}", lambda _: table(found, modules), text, flags=re.DOTALL), encoding="utf-8")


def table(found: Found, modules: Iterable[str]) -> str:
    """Each module with its own commit and date; those of which nothing is known are named below."""
    reasons, every = equivalent(), list(modules)
    rows = {module: of_units(module, found[module]["units"], reasons) for module in every if module in found}
    total = sum(rows.values(), Score(0, 0))
    lines = ["| module | noticed | mutants | a test waited too long | survived | no defect | run at |", "|---|---|---|---|---|---|---|"]
    lines += [f"| `{name}` | {cells(row)} | {found[name]['date']}, {found[name]['commit']} |" for name, row in rows.items()]
    lines += [f"| all of these | {cells(total)} | |"]
    missing = [f"`{module}`" for module in every if module not in found]
    return "\n".join([BEGIN, *lines, "", f"Not run: {', '.join(missing) or 'none'}.", END])


def cells(row: Score) -> str:
    return f"{row.percent:.1f} % | {row.mutants} | {row.timeout} | {row.survived} | {row.equivalent}"


def score(module: str, source: str, found: Found, reasons: Reasons) -> Score:
    """Of the units as they are: one that was changed since is not known, and none of its old mutants counts."""
    digests = alterations.digests(source)
    known = {unit: row for unit, row in found.get(module, {"units": {}})["units"].items() if digests.get(unit) == row["digest"]}
    return replace(of_units(module, known, reasons), units=len(digests))


def tried(row: Unit) -> int:
    return row["killed"] + row["timeout"] + row["unfit"] + len(row["survived"]) + len(row["uncovered"])


def of_units(module: str, units: Mapping[str, Unit], reasons: Reasons) -> Score:
    alive = [f"{unit}: {text}" for unit, row in units.items() for text in [*row["survived"], *row["uncovered"]]]
    excused = [text for text in alive if text in reasons.get(module, {})]
    return Score(
        units=len(units),
        known=len(units),
        killed=sum(row["killed"] for row in units.values()),
        timeout=sum(row["timeout"] for row in units.values()),
        survived=len(alive) - len(excused),
        equivalent=len(excused),
    )
