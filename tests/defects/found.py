"""Which defects were noticed by which case: kept as JSON, and shown as a table in docs/defects.md."""

import json
import re
import subprocess
from typing import Any

from tests.defects import planted
from tests.defects.hunting import Noticed
from tests.defects.planted import Defect

FILE = planted.HERE / "found.json"
PAGE = planted.ROOT / "docs" / "defects.md"
BEGIN, END = "<!-- defects -->", "<!-- /defects -->"
Json = dict[str, Any]


def read() -> dict[str, Json]:
    return dict(json.loads(FILE.read_text(encoding="utf-8"))) if FILE.exists() else {}


def of(known: dict[str, Json], defect: Defect) -> Json | None:
    """Noticed as it is planted now: one that was written anew has to be noticed anew."""
    row = known.get(defect.name)
    return row if row is not None and row["defect"] == defect.digest else None


def row(defect: Defect, noticed: Noticed, date: str) -> Json:
    said = noticed.misses[0][:160]
    return {"defect": defect.digest, "case": noticed.case, "misses": said, "tried": noticed.tried, "date": date, "commit": _commit()}


def write(known: dict[str, Json]) -> None:
    """The rows and the table. Rows of defects that are no more are left out."""
    there = {each.name for each in planted.defects()}
    kept = {name: known[name] for name in sorted(known) if name in there}
    FILE.write_text(json.dumps(kept, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    table = "\n".join([BEGIN, *lines(kept), END])
    text = PAGE.read_text(encoding="utf-8")
    PAGE.write_text(re.sub(f"{BEGIN}.*{END}", lambda _: table, text, flags=re.DOTALL), encoding="utf-8")


def lines(known: dict[str, Json]) -> list[str]:
    """Every defect, also the ones that no case noticed."""
    found = ["| planted defect | in | what it is | case that notices | what it misses | date | commit |", "|---|---|---|---|---|---|---|"]
    for each in planted.defects():
        row = of(known, each)
        cells = (f"`{row['case']}`", _cell(row["misses"]), row["date"], row["commit"]) if row else ("not noticed yet", "", "", "")
        found.append(f"| `{each.name}` | {each.part} | {each.what} | {' | '.join(cells)} |")
    return found


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;")


def _commit() -> str:
    command = ["git", "rev-parse", "--short", "HEAD"]
    return subprocess.run(command, cwd=planted.ROOT, capture_output=True, text=True, check=True).stdout.strip()
