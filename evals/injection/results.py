"""The stored sums of the full run: `results.json` beside this module, which `docs/injection.md` is made of."""

import json
from pathlib import Path
from typing import NamedTuple

from evals.injection.scoring import Sum, summed

FILE = Path(__file__).with_name("results.json")
LIVES, CASES = 279, 1023
COMMAND = "make eval-injection"


class Results(NamedTuple):
    """`commit` is the last one before the run, `policy` the digest of the rules that judged; `writes` and shown `sentences` in all."""

    date: str
    commit: str
    policy: str
    lives: int
    writes: int
    sentences: int
    fields: tuple[Sum, ...]

    @property
    def total(self) -> Sum:
        return summed(self.fields)


def read(file: Path = FILE) -> Results:
    document = json.loads(file.read_text(encoding="utf-8"))
    fields = tuple(Sum(**each) for each in document["fields"])
    return Results(**{**document, "fields": fields})


def write(results: Results, file: Path = FILE) -> None:
    document = {**results._asdict(), "fields": [each._asdict() for each in results.fields]}
    file.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
