"""The weekly digest: right sums, and a page that holds all it shows and takes no text for anything but text."""

from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from typing import Any

from core.domain.report import Line, Report
from core.domain.timetable import Tick, TickState
from runtime.services import digests, reporting

MONDAY = datetime(2026, 5, 11, 8, 0, tzinfo=UTC)
HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(2)> `rm` | a\nb ${7*7}"


def report(day: int, schedule: str = "night", **other: Any) -> Report:
    at = MONDAY.replace(hour=2) - timedelta(days=day)
    told = {
        "run": f"run-{schedule}{day}",
        "schedule": schedule,
        "tick": at,
        "ended": "ended",
        "began_at": at,
        "made_at": at,
        "complete": True,
    }
    return Report(**told | other)  # type: ignore[arg-type]


def line(state: str, what: str = "scale shop/web from 4 to 2") -> Line:
    return Line(id="act-0001", what=what, state=state, note=HOSTILE)


def tick(day: int, state: TickState, schedule: str = "night") -> Tick:
    at = MONDAY.replace(hour=2) - timedelta(days=day)
    return Tick(schedule, at, f"run-{schedule}{day}", state, at, note=HOSTILE)


REPORTS = [
    report(0),  # of today: not of the seven whole days before it
    report(1, done=(line("verified"), line("verified")), saved_micro_usd=12_340_000, writes=2),
    report(3, refused=(line("denied"),), left=(line("needs_approval", HOSTILE),)),
    report(7, "look"),
    report(8),
]
TICKS = [
    tick(1, TickState.ENDED),
    tick(2, TickState.MISSED),
    tick(3, TickState.ENDED),
    tick(7, TickState.ENDED, "look"),
    tick(8, TickState.FAILED),
]


def test_a_link_leads_to_the_very_week_and_nowhere_without_an_address() -> None:
    found = reporting.weekly(REPORTS, TICKS, MONDAY)
    assert digests.link("https://day2.example/", found) == "https://day2.example/reports/weekly?until=2026-05-11"
    assert digests.link("", found) == ""
    assert "With plots" not in digests.markdown(found)
    assert reporting.weekly(REPORTS, TICKS, found.until) == found


def test_the_seven_whole_days_before_are_summed_by_day_and_by_schedule() -> None:
    found = reporting.weekly(REPORTS, TICKS, MONDAY)
    assert (found.since, found.until) == (MONDAY.replace(hour=0) - timedelta(days=7), MONDAY.replace(hour=0))
    assert [(day.date[-2:], day.runs, day.done, day.left) for day in found.days if day.runs] == [
        ("04", 1, 0, 0),
        ("08", 1, 0, 1),
        ("10", 1, 2, 0),
    ]
    assert len(found.days) == 7
    night = next(row for row in found.rows if row.schedule == "night")
    assert (night.ticks, night.ran, night.skipped, night.done, night.refused, night.left, night.writes) == (3, 2, 1, 2, 1, 1, 2)
    assert found.saved_micro_usd == 12_340_000
    assert [item.state for item in found.failed] == [TickState.MISSED]


class Page(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))


def test_the_page_loads_and_runs_nothing_and_its_plots_have_words() -> None:
    text = digests.page(reporting.weekly(REPORTS, TICKS, MONDAY))
    page = Page(text)
    assert {tag for tag, _ in page.tags} <= {
        "html",
        "head",
        "meta",
        "title",
        "style",
        "body",
        "header",
        "h1",
        "h2",
        "p",
        "main",
        "svg",
        "rect",
        "text",
        "line",
        "table",
        "thead",
        "tbody",
        "tr",
        "th",
        "td",
        "ul",
        "li",
        "span",
    }
    assert not [name for _, attributes in page.tags for name in attributes if name in ("src", "href") or name.startswith("on")]
    assert [attributes["aria-label"] for tag, attributes in page.tags if tag == "svg"] == [
        "actions done, refused and left to people, by day",
        "savings by day",
    ]
    assert "&lt;script&gt;" in text
    assert "12.34 USD" in text


def test_the_text_has_the_same_sums_and_no_markup_of_strangers() -> None:
    text = digests.markdown(reporting.weekly(REPORTS, TICKS, MONDAY))
    assert "| night | 3 | 2 | 0 | 1 | 2 | 1 | 1 | 2 | 12.34 USD |" in text
    assert "`<script>alert(1)</script><img src=x onerror=alert(2)> 'rm' / a b ${7*7}`" in text


def test_a_week_in_which_nothing_ran_is_a_page_too() -> None:
    found = reporting.weekly([], [], MONDAY)
    assert "0 runs of 0 schedules" in digests.page(found)
    assert digests.markdown(found).startswith("# Autonomous runs")
