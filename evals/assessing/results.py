"""The stored results of the held-out run: `results.json` beside this module, which `docs/assessing.md` is made of."""

import json
from pathlib import Path
from typing import Any, NamedTuple

from evals.assessing.scoring import Row

FILE = Path(__file__).with_name("results.json")
COMMAND = "python -m evals.assessing --write"
BY_CODE = "code"


class Results(NamedTuple):
    """`commit` is the last one before the run. `rows` are of code alone; the others are counts by name, as `Score` orders them."""

    date: str
    commit: str
    seeds: tuple[int, ...]
    rows: tuple[Row, ...]
    models: dict[str, tuple[tuple[int, int], ...]]
    unchecked: dict[str, tuple[tuple[int, int], ...]]
    others: dict[str, tuple[tuple[int, int], ...]]


def read(file: Path = FILE) -> Results:
    told: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    rows = tuple(_row(each) for each in told.pop("rows"))
    counted: dict[str, Any] = {
        name: {key: tuple(map(tuple, each)) for key, each in told.pop(name).items()} for name in ("models", "unchecked", "others")
    }
    return Results(**told | {"seeds": tuple(told["seeds"])}, rows=rows, **counted)


def write(results: Results, file: Path = FILE) -> None:
    """One row a line, so that two runs can be compared."""
    head = {**results._asdict(), "rows": []}
    rows = ",\n".join(json.dumps(row._asdict(), ensure_ascii=False) for row in results.rows)
    file.write_text(json.dumps(head).replace('"rows": []', f'"rows": [\n{rows}\n]') + "\n", encoding="utf-8")


def _row(told: dict[str, Any]) -> Row:
    return Row(**{**told, "violated": tuple(told["violated"]), "unknown": tuple(told["unknown"])})
