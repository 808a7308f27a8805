"""`python -m tests.defects [NAME ...]`: plants one defect after the other, and looks for a case that notices.

It goes on where it stopped: what was found before, of the same defect, is not looked for again. Cases that plausibly touch a defect come
first; only where none of them notices, all others, the quickest first. The table in docs/defects.md is written anew after each. Exits 1
when a defect is not noticed.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from datetime import UTC, datetime

from tests.defects import found, hunting, planted
from tests.defects.planted import Defect


def main(arguments: Sequence[str] = ()) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.defects", description=__doc__)
    parser.add_argument("names", nargs="*", help="these alone, also where they were found before")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--named", action="store_true", help="no other cases than those that a defect names")
    parser.add_argument("--again", action="store_true", help="all of them, also those that were found before")
    parser.add_argument("--page", action="store_true", help="only write the table anew")
    chosen = parser.parse_args(arguments)
    known = found.read()
    wanted = [each for each in planted.defects(*chosen.names) if chosen.names or chosen.again or found.of(known, each) is None]
    missed = []
    with ThreadPoolExecutor(chosen.jobs) as pool:
        hunts = {pool.submit(hunting.hunted, each, cases(each, named=chosen.named)): each for each in wanted if not chosen.page}
        for hunt in as_completed(hunts):
            defect, noticed = hunts[hunt], hunt.result()
            print(f"{defect.name:<40} {f'{noticed.case}: {noticed.misses[0]}' if noticed else 'NOT NOTICED'}", flush=True)
            known.pop(defect.name, None)
            if noticed is None:
                missed.append(defect.name)
            else:
                known[defect.name] = found.row(defect, noticed, datetime.now(UTC).date().isoformat())
            found.write(known)
    found.write(known)
    return 1 if missed else 0


def cases(defect: Defect, *, named: bool) -> list[str]:
    others = [] if named else [name for name in _quickest() if name not in defect.cases]
    return [*defect.cases, *others]


def _quickest() -> list[str]:
    """By the seconds that the stored run took, from its JSON: nothing of ours may be loaded before the copies are."""
    items = json.loads((planted.ROOT / "evals" / "scoring" / "stored.json").read_text(encoding="utf-8"))["items"]
    took = {item["case"]: item.get("wall", 0.0) for item in items if item["contestant"] == "day2ops" and not item.get("misses")}
    return sorted(took, key=lambda name: took[name])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
