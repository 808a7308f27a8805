"""Schedules of files and of doors side by side: which stands, who may change it, and a mistake that stops nothing."""

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from core.domain.errors import InvalidDocument, InvalidInput
from core.domain.timetable import Pause
from runtime.services import schedules
from tools.stores.front.schedules import MemoryTimetable

AT = datetime(2026, 11, 27, 9, 0, tzinfo=UTC)


def document(name: str, spec: str = "every: 1h") -> str:
    return f"apiVersion: day2.dev/v1alpha1\nkind: Schedule\nmetadata: {{name: {name}}}\nspec: {{{spec}}}\n"


def written(file: Path, text: str, moment: int) -> None:
    file.write_text(text, encoding="utf-8")
    os.utime(file, (moment, moment))


@pytest.fixture
def timetable() -> MemoryTimetable:
    return MemoryTimetable()


def test_a_folder_is_read_again_when_it_changed_and_a_mistake_keeps_what_was_there(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file = tmp_path / "s.yaml"
    written(file, document("one"), 1)
    found = schedules.Documents(tmp_path)
    assert [item.name for item in found()] == ["one"]
    written(file, document("two"), 2)
    assert [item.name for item in found()] == ["two"]
    written(file, document("three", "cron: nonsense"), 3)
    assert [item.name for item in found()] == ["two"]
    assert [item.name for item in found()] == ["two"]
    assert caplog.text.count("s.yaml:4") == 1
    file.unlink()
    assert found() == ()


def test_one_that_cannot_be_is_refused_at_the_start(tmp_path: Path) -> None:
    (tmp_path / "s.yaml").write_text(document("one", "cron: nonsense"), encoding="utf-8")
    with pytest.raises(InvalidDocument, match=r"s\.yaml:4"):
        schedules.Documents(tmp_path)


def test_what_a_door_put_stands_until_a_file_has_its_name(tmp_path: Path, timetable: MemoryTimetable) -> None:
    schedules.put((), timetable, document("one"), "oidc:ana", AT)
    schedules.put((), timetable, document("one", "every: 2h"), "oidc:bo", AT)
    ((found, source, by),) = schedules.in_force((), timetable)
    assert (found.every_seconds, source, by) == (7200, "door", "oidc:bo")
    file = tmp_path / "s.yaml"
    file.write_text(document("one", "every: 3h"), encoding="utf-8")
    files = schedules.Documents(file)()
    ((found, source, by),) = schedules.in_force(files, timetable)
    assert (found.every_seconds, source, by) == (10800, str(file), "")
    for change in (
        lambda: schedules.put(files, timetable, document("one"), "oidc:ana", AT),
        lambda: schedules.remove(files, timetable, "one"),
    ):
        with pytest.raises(InvalidInput, match=r"declared in .*s\.yaml"):
            change()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (document("one") + "---\n" + document("two"), "one schedule is put at a time, these are 2"),
        (
            "apiVersion: day2.dev/v1alpha1\nkind: Grant\nmetadata: {name: g}\nspec: {agent: finops, capabilities: ['*']}\n",
            "kind must be one of Schedule",
        ),
        ("", "these are 0"),
        (document("one") + "#" * 70_000, "more than 64 KiB"),
        (document("one", 'every: 1h, text: "' + "x" * 5000 + '"'), "`spec.text`"),
    ],
)
def test_a_door_takes_one_schedule_and_nothing_else(text: str, words: str, timetable: MemoryTimetable) -> None:
    with pytest.raises(InvalidInput, match=words):
        schedules.put((), timetable, text, "oidc:ana", AT)
    assert timetable.puts() == []


def test_one_that_is_removed_leaves_no_pause_behind(timetable: MemoryTimetable) -> None:
    schedules.put((), timetable, document("one"), "oidc:ana", AT)
    timetable.pause(Pause("one", "oidc:ana", "x", AT))
    schedules.remove((), timetable, "one")
    assert (timetable.pauses(), schedules.standing((), timetable, AT)) == ([], [])
    with pytest.raises(InvalidInput, match="no door made"):
        schedules.remove((), timetable, "one")
    with pytest.raises(InvalidInput, match="no schedule 'one'") as caught:
        schedules.one([], "one")
    assert caught.value.mend == "known: none yet"
