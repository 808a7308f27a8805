"""The stored results: `results.json` beside this module, which `docs/faults.md` is made of."""

import json
from pathlib import Path
from typing import NamedTuple

from evals.faults.trials import Row, row_of

FILE = Path(__file__).with_name("results.json")
COMMAND = "make eval-faults"
SEEDS = (1, 2)
"""Of grounds. A fault befalls another workload under another name on each."""


class Results(NamedTuple):
    """`commit` is the last one before the run. `quiet` are incidents that were told of healthy grounds."""

    date: str
    commit: str
    seeds: tuple[int, ...]
    quiet: tuple[str, ...]
    rows: tuple[Row, ...]


def read(file: Path = FILE) -> Results:
    document = json.loads(file.read_text(encoding="utf-8"))
    rows = tuple(row_of(each) for each in document.pop("rows"))
    return Results(**{**document, "seeds": tuple(document["seeds"]), "quiet": tuple(document["quiet"])}, rows=rows)


def write(results: Results, file: Path = FILE) -> None:
    """One row a line, so that two runs can be compared."""
    head = {**results._asdict(), "rows": []}
    rows = ",\n".join(json.dumps(row._asdict(), ensure_ascii=False) for row in results.rows)
    file.write_text(json.dumps(head, indent=1).replace('"rows": []', f'"rows": [\n{rows}\n]') + "\n", encoding="utf-8")
