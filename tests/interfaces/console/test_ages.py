"""The audit page's picture: every record is in one bar, and a bar leads to exactly its own."""

import html
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from core.domain.outcome import ActionState
from interfaces.console.pictures import ages
from tests.contracts.consoles import Browser, World, lived

START = datetime(2026, 11, 26, 10, 0, 0, 700_000, tzinfo=UTC)


def record(seconds: float, event: str = "submitted") -> dict[str, str]:
    return {"at": (START + timedelta(seconds=seconds)).isoformat(), "event": event}


def test_records_of_one_moment_have_no_picture() -> None:
    assert ages.drawn([]) is None
    assert ages.drawn([record(0), record(0)]) is None


@pytest.mark.parametrize("whole", [0.5, 23.9, 24, 90, 3600, 86_400 * 40])
def test_the_first_and_the_last_record_lie_within_the_bounds_of_a_bar(whole: float) -> None:
    rows = [record(0), record(whole / 2), record(whole)]
    found = ages.drawn(rows)
    assert found is not None
    for row in rows:
        at = datetime.fromisoformat(row["at"]).replace(tzinfo=None)
        mine = [part for part in found.parts if datetime.fromisoformat(part.since) <= at < datetime.fromisoformat(part.until)]
        assert len(mine) == 1, row
    assert all(0 <= part.x <= 100 for part in found.parts)


def test_a_bar_is_as_high_as_what_it_holds_and_bad_ends_lie_lowest() -> None:
    found = ages.drawn([record(0), record(1, "denied"), record(2, "verified"), record(3, "rolled_back"), record(240)])
    assert found is not None
    assert found.most == 4
    full, last = found.parts
    assert [(layer.word, layer.y, layer.height) for layer in full.layers] == [("denied", 50, 50), ("verified", 25, 25), ("other", 0, 25)]
    assert [(layer.word, layer.height) for layer in last.layers] == [("other", 25)]
    assert "4 records, 2 of what was refused" in full.said


async def test_a_bar_of_the_page_leads_to_its_own_records(tmp_path: Path) -> None:
    world = World(tmp_path)
    await lived(world)
    await world.action(ActionState.VERIFIED, name="late")
    browser = Browser(world)
    await browser.log_in()
    bars = re.findall(r'<a href="(/audit\?since=[^"]*)" aria-label="(\d+) records', (await browser.get("/audit?limit=1000")).text)
    assert len(bars) > 1
    for link, number in bars:
        assert (await browser.get(html.unescape(link))).text.count("<tr data-row>") == int(number)
