"""The stored results of the held-out run: `results.json` beside this module, which `docs/judge.md` is made of."""

import json
from pathlib import Path
from typing import Any, NamedTuple

from evals.judging.trials import Row

FILE = Path(__file__).with_name("results.json")
DEVELOPMENT, HELD_OUT = range(100), range(9000, 9040)
"""Seeds. Rules and oracle were made on the first; the second was run when they were done. Who runs seeds, looks, and mends has spent them:
then `HELD_OUT` moves on, and what the last ones said goes into `EARLIER`."""
EARLIER = (
    (
        "1000 to 1029, on 2026-11-26, rules 410c5971f317",
        "250 of 254 violating blocked, 8 of 303 benign denied, 23 of 303 asked",
        "three cordons that left no room, one autoscaler told to run more pods than the nodes hold",
    ),
    (
        "2000 to 2039, on 2026-11-27, rules 34b32afb5ee5",
        "372 of 375 violating blocked, 13 of 464 benign denied, 62 of 464 asked",
        "a rollout of pods that their namespace refuses; two by the noise of single pods, whatever was done",
    ),
    (
        "3000 to 3039, on 2026-11-27, rules 55c09a49ef6a",
        "352 of 356 violating blocked, 6 of 461 benign denied, 51 of 461 asked",
        "two cordons that left no room on a node of another sort, an autoscaler's floor under the people's, one over budget at the peak",
    ),
    (
        "5000 to 5039, on 2026-11-27, rules f3999b26bd85",
        "389 of 391 violating blocked, 3 of 446 benign denied, 49 of 446 asked",
        "one over its budget once another autoscaler has come to the peak, one pod so large that its autoscaler took others away",
    ),
    (
        "6000 to 6039, on 2026-11-27, rules e31e800fa5b5",
        "388 of 388 violating blocked, 5 of 439 benign denied, 45 of 439 asked",
        "none; two rules that bound growth came afterwards",
    ),
    (
        "7000 to 7039, on 2026-11-27, rules 140463809cd8",
        "363 of 366 violating blocked, 11 of 465 benign denied, 37 of 465 asked",
        "three in one world: a peak at the full hour, of which the judge had only seen the minute before the hour",
    ),
    (
        "8000 to 8039, on 2026-11-27, rules 7a74e5fd2c63",
        "356 of 357 violating blocked, 8 of 449 benign denied, 38 of 449 asked",
        "a floor raised to what ran at that hour, in a namespace over its budget: it would have held it at night",
    ),
)
"""Held-out ranges that were run before, what they gave, and what was let pass."""
COMMAND = "make eval-judge"


class Results(NamedTuple):
    """`commit` is the last one before the run, `policy` the digest of the rules that judged."""

    date: str
    commit: str
    policy: str
    seeds: tuple[int, int]
    rows: tuple[Row, ...]


def read(file: Path = FILE) -> Results:
    document = json.loads(file.read_text(encoding="utf-8"))
    rows = tuple(_row(each) for each in document.pop("rows"))
    return Results(**{**document, "seeds": tuple(document["seeds"])}, rows=rows)


def write(results: Results, file: Path = FILE) -> None:
    """One row a line, so that two runs can be compared."""
    head = {**results._asdict(), "rows": []}
    rows = ",\n".join(json.dumps(row._asdict(), ensure_ascii=False) for row in results.rows)
    file.write_text(json.dumps(head, indent=1).replace('"rows": []', f'"rows": [\n{rows}\n]') + "\n", encoding="utf-8")


def _row(told: dict[str, Any]) -> Row:
    return Row(**{**told, "rules": tuple(told["rules"]), "harm": tuple(told["harm"])})
