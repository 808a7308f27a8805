"""Findings: the `FindingList` document, its table, and the lines under it that say what was checked and what was not."""

from typing import Any

from core.domain.finding import Severity
from interfaces.rendering.envelopes import Json, envelope, plain
from interfaces.rendering.screens import Screen
from interfaces.rendering.tables import Column, print_table
from runtime.services import scanning
from runtime.services.scanning import Scan

MOST_REASONS = 10


def _object(item: Any) -> str:
    subject = item["subject"]
    where = f"{subject['namespace']}/" if subject["namespace"] else ""
    return f"{where}{subject['kind'].lower()}/{subject['name']}"


def _title(item: Any) -> str:
    """A symptom stands under its cause."""
    return f"- follows: {item['title']}" if item["symptomOf"] else str(item["title"])


COLUMNS = (
    Column("ID", "id"),
    Column("SEVERITY", "severity"),
    Column("CODE", "code"),
    Column("OBJECT", _object),
    Column("FINDING", _title),
    Column("AGENT", "agent", wide=True),
    Column("EVIDENCE", lambda item: [row["id"] for row in item["evidence"]], wide=True),
    Column("MATTERS", "matters", wide=True),
)


def document(result: Scan, view: Json, *, selector: str = "") -> Json:
    """`view` says where was looked: context, cluster, namespaces, time. `selector` is what was typed."""
    counts = {level.value: sum(finding.severity is level for finding in result.findings) for level in Severity}
    items = [
        plain(finding) | {"next": f"day2 plan {finding.id}", "location": plain(result.places.get(finding.id))}
        for finding in result.findings
    ]
    metadata = view | {"score": scanning.score(result.findings), "counts": counts, "knownFromBaseline": result.known, "selector": selector}
    return envelope("FindingList", items=items, coverage=result.coverage, metadata=metadata)


def view(screen: Screen, found: Json) -> None:
    items, metadata = found["items"], found["metadata"]
    if items:
        print_table(screen, [column for column in COLUMNS if not column.wide], items)
        screen.line()
    counts = ", ".join(f"{count} {level}" for level, count in metadata["counts"].items() if count)
    where = ", ".join(metadata["namespaces"]) or "all namespaces"
    known = f", {metadata['knownFromBaseline']} known from the baseline" if metadata["knownFromBaseline"] else ""
    labelled = f" under labels {metadata['selector']}" if metadata["selector"] else ""
    following = sum(bool(item["symptomOf"]) for item in items)
    follow = f", {following} of which follow{'s' if following == 1 else ''} from another" if following else ""
    number = f"{len(items)} finding{'' if len(items) == 1 else 's'}{f' ({counts})' if counts else ''}{follow}"
    screen.wrapped(f"{number}{known} in {where}{labelled} of {metadata['context']}; score {metadata['score']}/100", hang=2)
    coverage(screen, found["coverage"])


def coverage(screen: Screen, rows: Json) -> None:
    """Not run is not the same as clean: each reason once, with how many checks it stopped."""
    screen.wrapped(f"checks run {len(rows['run'])}, not run {len(rows['notRun'])}")
    reasons: dict[str, list[str]] = {}
    for row in rows["notRun"]:
        reasons.setdefault(_shortened(row["reason"]), []).append(row["check"].split(" ")[0])
    for reason, checks in list(reasons.items())[:MOST_REASONS]:
        names = ", ".join(dict.fromkeys(checks))
        screen.wrapped(f"not run: {names}: {reason}", indent=2, hang=2)
    if len(reasons) > MOST_REASONS:
        screen.line(f"  and {len(reasons) - MOST_REASONS} more reasons: day2 scan -o json")


def _shortened(reason: str) -> str:
    """`Pod could not be read: why; Node could not be read: why` as `Pod, Node could not be read: why`."""
    kinds: dict[str, list[str]] = {}
    for part in reason.split("; "):
        kind, said, why = part.partition(" could not be read: ")
        if not said:
            return reason
        kinds.setdefault(why, []).append(kind)
    return "; ".join(f"{', '.join(names)} could not be read: {why}" for why, names in kinds.items())
