"""Schedules, their ticks, and what their runs came to, as documents with their columns and views."""

from collections.abc import Sequence
from datetime import datetime

from core.domain.report import Report
from core.domain.timetable import Tick
from interfaces.rendering.envelopes import Json, envelope, moment, plain
from interfaces.rendering.screens import Screen
from interfaces.rendering.tables import Column
from runtime.services import reporting
from runtime.services.reporting import Digest
from runtime.services.schedules import Standing

COLUMNS = (
    Column("NAME", "name"),
    Column("STATE", "state"),
    Column("WHEN", "when"),
    Column("ZONE", "timeZone"),
    Column("CEILING", "ceiling"),
    Column("NEXT", lambda item: item["next"][0]["local"] if item["next"] else "-"),
    Column("LAST", lambda item: item["last"]["state"] if item["last"] else "-"),
    Column("TEXT", "text", wide=True),
    Column("NAMESPACES", "namespaces", wide=True),
    Column("REPORTS TO", "reportTo", wide=True),
    Column("SOURCE", "source", wide=True),
)
REPORT_COLUMNS = (
    Column("RUN", "run"),
    Column("SCHEDULE", "schedule"),
    Column("TICK", "tick"),
    Column("ENDED", lambda item: item["ended"] if item["complete"] else "goes on"),
    Column("SEEN", lambda item: sum(item["severities"].values())),
    Column("DONE", lambda item: len(item["done"])),
    Column("REFUSED", lambda item: len(item["refused"])),
    Column("LEFT", lambda item: len(item["left"])),
    Column("SAVED", lambda item: f"{item['saved']['amount']} {item['saved']['currency']}"),
)
NEXT_COLUMNS = (Column("LOCAL", "local"), Column("UTC", "utc"))


def _time(item: Standing, tick: datetime) -> Json:
    return {"utc": moment(tick), "local": tick.astimezone(item.schedule.timezone).strftime("%a %Y-%m-%d %H:%M %Z")}


def item(found: Standing) -> Json:
    schedule = found.schedule
    windows = {
        name: [{"days": list(window.days), "from": window.begins, "to": window.ends} for window in getattr(schedule.windows, name)]
        for name in ("run", "write")
    }
    return {
        "name": schedule.name,
        "state": "suspended" if schedule.suspended else "paused" if found.pause else "active",
        "when": schedule.cron or f"every {_span(schedule.every_seconds)}",
        "timeZone": schedule.zone,
        "ceiling": schedule.ceiling.value,
        "text": schedule.text,
        "agents": list(schedule.agents),
        "namespaces": list(schedule.namespaces),
        "windows": windows,
        "jitterSeconds": schedule.jitter_seconds,
        "catchUp": schedule.catch_up,
        "overlap": schedule.overlap,
        "budget": {"writesPerRun": schedule.budget.writes_per_run, "writesPerDay": schedule.budget.writes_per_day},
        "reportTo": list(schedule.report_to),
        "source": found.source,
        "by": found.by,
        "paused": plain({"by": found.pause.by, "reason": found.pause.reason, "at": found.pause.at}) if found.pause else None,
        "next": [_time(found, tick) for tick in found.next],
        "last": tick_item(found.last) if found.last else None,
    }


def _span(seconds: int) -> str:
    size, letter = next((size, letter) for size, letter in ((86400, "d"), (3600, "h"), (60, "m"), (1, "s")) if seconds % size == 0)
    return f"{seconds // size}{letter}"


def tick_item(tick: Tick) -> Json:
    found: Json = plain(tick)
    return found


def listed(found: Sequence[Standing]) -> Json:
    return envelope("ScheduleList", items=[item(one) for one in found])


def document(found: Standing, ticks: Sequence[Tick] = ()) -> Json:
    return envelope("ScheduleStatus") | item(found) | {"ticks": [tick_item(tick) for tick in ticks]}


def upcoming(found: Standing) -> Json:
    return envelope("FireTimeList", items=[_time(found, tick) for tick in found.next], metadata={"schedule": found.schedule.name})


def tick_document(tick: Tick) -> Json:
    return envelope("Tick") | tick_item(tick)


def report_item(found: Report) -> Json:
    shown: Json = plain(found)
    return shown | {"severities": found.severities, "headline": reporting.headline(found)}


def report_list(found: Sequence[Report]) -> Json:
    return envelope("ReportList", items=[report_item(one) for one in found])


def report_document(found: Report) -> Json:
    return envelope("Report") | report_item(found)


def digest(found: Digest) -> Json:
    return envelope(
        "WeeklyDigest",
        items=found.rows,
        since=found.since,
        until=found.until,
        saved_micro_usd=found.saved_micro_usd,
        days=found.days,
        waits=found.waits,
        done=found.done,
        failed=found.failed,
    )


DIGEST_COLUMNS = (
    Column("SCHEDULE", "schedule"),
    *(Column(name.upper(), name) for name in ("ticks", "ran", "failed", "skipped", "done", "refused", "left", "writes")),
    Column("SAVED", lambda item: f"{item['saved']['amount']} {item['saved']['currency']}"),
)


def view(screen: Screen, found: Json) -> None:
    screen.line(f"{found['name']}  {found['state']}  {found['when']} ({found['timeZone']})", "bold")
    screen.wrapped(found["text"] or "looks at everything", indent=2, hang=2)
    where = ", ".join(found["namespaces"]) or "all namespaces"
    budget = found["budget"]
    day = f", {budget['writesPerDay']} a day" if budget["writesPerDay"] else ""
    screen.line(f"  ceiling {found['ceiling']}; {where}; at most {budget['writesPerRun']} writes a run{day}")
    for name in ("run", "write"):
        for window in found["windows"][name]:
            screen.line(f"  may {name} {','.join(window['days'])} {window['from']} to {window['to']}")
    if found["paused"]:
        screen.wrapped(f"paused by {found['paused']['by']} since {found['paused']['at']}: {found['paused']['reason']}", indent=2, hang=4)
    for time in found["next"]:
        screen.line(f"  next {time['local']}  {time['utc']}")
    for tick in found["ticks"]:
        screen.wrapped(f"{tick['at']}  {tick['state']:<8} {tick['runId']}  {tick['note']}", indent=2, hang=4)


def tick_view(screen: Screen, found: Json) -> None:
    screen.line(f"{found['schedule']} runs as {found['runId']}; it begins at the scheduler's next look.")


def report_view(screen: Screen, found: Json) -> None:
    screen.line(found["headline"], "bold")
    screen.line(
        f"  run {found['run']}, tick {found['tick']}, ceiling {found['ceiling'] or '-'}{'' if found['complete'] else '; it goes on'}"
    )
    for title, name in (("Done", "done"), ("Refused", "refused"), ("Left to people", "left"), ("Not ended yet", "open"), ("Seen", "seen")):
        if found[name]:
            screen.line(title)
        for line in found[name]:
            note = f": {line['note']}" if line["note"] else ""
            screen.wrapped(f"{line['what']} ({line['state']}) {line['id']}{note}", indent=2, hang=4)
    for line in found["missing"]:
        screen.wrapped(f"not asked: {line}", indent=2, hang=4)
