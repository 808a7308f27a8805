"""Vulnerabilities by what to mend first, what VEX documents took off the list, and for each image the way to its successor."""

from collections.abc import Mapping, Sequence
from typing import Any

from interfaces.rendering.envelopes import Json, envelope
from interfaces.rendering.screens import Screen
from interfaces.rendering.tables import Column, print_table
from runtime.services.vulnerabilities import Source, Weighed

COLUMNS = (
    Column("PRIORITY", "priority"),
    Column("ID", "id"),
    Column("RISK", lambda row: f"{row['risk']:.3f}"),
    Column("FIX", lambda row: _few(row["fixed"]) or "none yet"),
    Column("IMAGE", "image"),
    Column("WHY", "why"),
    Column("PACKAGES", lambda row: _few(row["packages"]), wide=True),
    Column("RUNS IN", lambda row: _few(row["workloads"]), wide=True),
)
MOST_CLEARED, MOST_PLANS, MOST_ROWS = 10, 5, 40


def _few(texts: Sequence[str]) -> str:
    return ", ".join(texts[:2]) + (f" and {len(texts) - 2} more" if len(texts) > 2 else "")


def document(weighed: Weighed, sources: Sequence[Source], where: Mapping[str, Any]) -> Json:
    ranking = weighed.ranking
    rows = []
    for row in ranking.rows:
        plain = row._asdict()
        place = plain.pop("place")
        rows.append(plain | {"use": place.use, "exposure": place.exposure, "through": place.through, "privileged": place.privileged})
        rows[-1] |= {"workloads": place.workloads, "pods": place.pods, "running": place.running}
    return envelope(
        "VulnerabilityList",
        items=rows,
        metadata={"cluster": where.get("cluster", ""), "at": where.get("at"), "sources": [source._asdict() for source in sources]},
        patches=[patch._asdict() for patch in weighed.patches],
        cleared=[each._asdict() for each in ranking.cleared],
        unusedStatements=ranking.unused,
        problems=[problem._asdict() for problem in weighed.problems],
        skipped=weighed.skipped,
    )


def view(screen: Screen, found: Json) -> None:
    rows = found["items"]
    if rows:
        print_table(screen, COLUMNS, rows[:MOST_ROWS])
    else:
        screen.line("no vulnerability is left to mend")
    if len(rows) > MOST_ROWS:
        screen.line(f"and {len(rows) - MOST_ROWS} more of less risk: -o json")
    for source in found["metadata"]["sources"]:
        day = f", of {source['day']}, {source['ageDays']} days old" if source["day"] and source["ageDays"] is not None else ""
        screen.wrapped(f"{source['form']} {source['file']}: {source['entries']} entries{day}", hang=2)
    _cleared(screen, found)
    for patch in found["patches"][:MOST_PLANS]:
        _plan(screen, patch)
    if len(found["patches"]) > MOST_PLANS:
        screen.line(f"and {len(found['patches']) - MOST_PLANS} more images: -o json")


def _cleared(screen: Screen, found: Json) -> None:
    if found["cleared"]:
        screen.line()
        screen.line(f"Taken off the list by VEX ({len(found['cleared'])}):", "bold")
    for each in found["cleared"][:MOST_CLEARED]:
        screen.wrapped(
            f"{each['id']} {each['package']} of {each['image']}: {each['status']}: {each['why']} ({each['source']})", indent=2, hang=2
        )
    if found["unusedStatements"]:
        screen.line(f"{found['unusedStatements']} VEX statements are about nothing in the reports")


def _plan(screen: Screen, patch: Json) -> None:
    screen.line()
    rest = f"; {patch['left']} without a fix stay" if patch["left"] else ""
    mended = f"{len(patch['vulnerabilities'])} mended within {patch['days']} days, risk {patch['removed']:.3f} less"
    screen.wrapped(f"{patch['priority']} {patch['image']}: {mended}{rest}", hang=2)
    for number, step in enumerate(patch["steps"], 1):
        screen.wrapped(f"{number}. {step}", indent=2, hang=3)
