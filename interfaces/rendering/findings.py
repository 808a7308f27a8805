"""Findings: the `FindingList` document, its table, and the lines under it that say what was checked and what was not."""

from typing import Any

from core.domain.finding import Finding, Severity
from interfaces.rendering import mutes
from interfaces.rendering.envelopes import Json, envelope, plain
from interfaces.rendering.screens import Screen
from interfaces.rendering.tables import Column, print_table
from runtime.services import scanning
from runtime.services.scanning import Scan

MOST_REASONS = 10


def object_of(item: Any) -> str:
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
    Column("OBJECT", object_of),
    Column("FINDING", _title),
    Column("AGENT", "agent", wide=True),
    Column("EVIDENCE", lambda item: [row["id"] for row in item["evidence"]], wide=True),
    Column("MATTERS", "matters", wide=True),
)


def document(result: Scan, view: Json, *, selector: str = "", show_muted: bool = False) -> Json:
    """`view` says where was looked: context, cluster, namespaces, time. `selector` is what was typed."""
    counts = {level.value: sum(finding.severity is level for finding in result.findings) for level in Severity}
    metadata = view | {
        "score": scanning.score(result.findings),
        "counts": counts,
        "knownFromBaseline": result.known,
        "selector": selector,
        "muted": len(result.muted),
        "nextMuteEnds": min((row.mute.until for row in result.muted), default=None),
        "gone": len(result.gone),
    }
    found = envelope("FindingList", items=[item(finding, result) for finding in result.findings], metadata=metadata)
    found["muted"] = [item(row.finding, result) | {"mute": mutes.short(row.mute)} for row in result.muted] if show_muted else []
    found["mutesEnded"] = [mutes.short(mute) for mute in result.ended]
    found["gone"] = plain(result.gone)
    found["coverage"] = plain(result.coverage)
    return found


def item(finding: Finding, result: Scan | None = None) -> Json:
    """A finding as documents have it, with the next command."""
    found: Json = plain(finding)
    return found | {"next": f"day2 plan {finding.id}", "location": plain(result.places.get(finding.id)) if result else None}


def view(screen: Screen, found: Json) -> None:
    items, metadata = found["items"], found["metadata"]
    if items:
        print_table(screen, [column for column in COLUMNS if not column.wide], items)
        screen.line()
    counts = ", ".join(f"{count} {level}" for level, count in metadata["counts"].items() if count)
    where = ", ".join(metadata["namespaces"]) or "all namespaces"
    known = f", {metadata['knownFromBaseline']} known from the baseline" if metadata["knownFromBaseline"] else ""
    gone = f", {metadata['gone']} gone since the baseline" if metadata["gone"] else ""
    labelled = f" under labels {metadata['selector']}" if metadata["selector"] else ""
    following = sum(bool(item["symptomOf"]) for item in items)
    follow = f", {following} of which follow{'s' if following == 1 else ''} from another" if following else ""
    number = f"{_counted(len(items), 'finding')}{f' ({counts})' if counts else ''}{follow}"
    screen.wrapped(f"{number}{known}{gone} in {where}{labelled} of {metadata['context']}; score {metadata['score']}/100", hang=2)
    if metadata["asOf"]:
        screen.wrapped(f"as of {metadata['asOf']}, the time of {metadata['source']}: ages are counted from then", hang=2)
    for row in found["gone"]:
        screen.wrapped(f"gone: {row['id']} {row['severity']} {row['code']} {row['object']}: {row['title']}", hang=6)
    mutes_told(screen, found)
    coverage(screen, found["coverage"])


def changes(screen: Screen, found: Json) -> None:
    """What a later look adds to an earlier one: a line each, with the time."""
    at = found["metadata"]["at"]
    for item in found["items"]:
        screen.wrapped(f"{at} new: {item['id']} {item['severity']} {item['code']} {object_of(item)}: {_title(item)}", hang=6)
    for row in found["gone"]:
        screen.wrapped(f"{at} gone: {row['id']} {row['severity']} {row['code']} {row['object']}: {row['title']}", hang=6)


def mutes_told(screen: Screen, found: Json) -> None:
    """How many are not shown, then which where that was asked for; and, once, whose mute is over."""
    metadata = found["metadata"]
    if metadata["muted"]:
        hint = "" if found["muted"] else "; --show-muted lists them"
        screen.wrapped(f"{metadata['muted']} muted, next ends {metadata['nextMuteEnds']}{hint}", hang=2)
    for row in found["muted"]:
        mute = row["mute"]
        said = f"muted: {row['id']} {row['severity']} {row['code']} {object_of(row)}: {row['title']}"
        screen.wrapped(f"{said}; by {mute['by']} until {mute['until']}: {mute['reason']} ({mute['id']})", hang=7)
    for mute in found["mutesEnded"]:
        screen.wrapped(f"mute over: {mute['about']} since {mute['until']}, by {mute['by']}: {mute['reason']} ({mute['id']})", hang=11)


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


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
