"""What people may say of what runs by itself, and how a mistake is told."""

import jsonschema
import pytest

from core.domain.errors import InvalidDocument
from core.domain.objective import Autonomy
from core.policy import schedules
from core.policy.schedules import Schedule

HEAD = "apiVersion: day2.dev/v1alpha1\nkind: Schedule\nmetadata: {name: nightly}\nspec:\n"
WHOLE = """\
  cron: "30 2 * * 1-5"
  timeZone: Europe/Berlin
  text: right-size the shop
  agents: [finops]
  namespaces: [shop]
  ceiling: suggest
  windows:
    run: [{from: "22:00", to: "05:00"}]
    write: [{days: [mon, tue], from: "02:00", to: "04:30"}]
  jitter: 10m
  catchUp: none
  overlap: queue
  budget: {writesPerRun: 3, writesPerDay: 5}
  reportTo: [platform]
"""


def one(spec: str) -> Schedule:
    (document,) = schedules.read(HEAD + spec, "s.yaml")
    assert isinstance(document.value, Schedule)
    return document.value


def test_everything_that_may_be_said_is_read() -> None:
    found = one(WHOLE)
    assert (found.cron, found.zone, found.ceiling, found.jitter_seconds) == ("30 2 * * 1-5", "Europe/Berlin", Autonomy.SUGGEST, 600)
    assert [(window.days, window.begins, window.ends) for window in found.windows.write] == [(("mon", "tue"), "02:00", "04:30")]
    assert (found.budget.writes_per_run, found.budget.writes_per_day, found.report_to) == (3, 5, ("platform",))
    assert (found.catch_up, found.overlap, found.by) == ("none", "queue", "schedule:nightly")


@pytest.mark.parametrize(
    ("spec", "ceiling"),
    [("  {every: 1h}", Autonomy.OBSERVE), ("  {every: 1h, act: false}", Autonomy.OBSERVE), ("  {every: 1h, act: true}", Autonomy.AUTO)],
)
def test_an_older_document_means_what_it_meant(spec: str, ceiling: Autonomy) -> None:
    assert one(spec).ceiling is ceiling


@pytest.mark.parametrize(
    ("spec", "line", "words", "mend"),
    [
        ('  text: look\n  cron: "61 * * * *"', 6, "`spec.cron`: `61 * * * *` has a bad minute", "0 3 * * 1-5"),
        ('  cron: "0 0 30 2 *"', 5, "bad day-of-month", "0 3 * * 1-5"),
        ('  cron: "@daily"', 5, "five fields", "0 3 * * 1-5"),
        ('  cron: "0 0 * * * *"', 5, "five fields", "0 3 * * 1-5"),
        ('  cron: ""', 4, "does not say when", "`cron` or `every`"),
        ("  text: look", 4, "does not say when", "`cron` or `every`"),
        ('  cron: "0 3 * * *"\n  every: 1h', 4, "does not say when", "one of the two"),
        ("  every: 1h\n  timeZone: Europe/Berlni", 6, "no time zone 'Europe/Berlni'", "IANA"),
        ("  every: 1h\n  timeZone: berlin", 6, "did you mean Europe/Berlin?", "IANA"),
        ("  every: 1h\n  timeZone: ../../etc/passwd", 6, "no time zone", "IANA"),
        ('  every: 1h\n  windows: {run: [{from: "25:00", to: "03:00"}]}', 6, "`spec.windows.run[0].from`", ""),
        ('  every: 1h\n  windows: {run: [{from: "03:00", to: "03:00"}]}', 6, "the whole day is 00:00 to 24:00", ""),
        ("  every: 1h\n  ceiling: full", 6, "`spec.ceiling`", ""),
        ("  every: 1h\n  act: true\n  ceiling: auto", 4, "leave `act` out", ""),
        ("  every: 1h\n  timezone: UTC", 6, "did you mean `timeZone`?", "known fields"),
        ("  every: 1h\n  jitter: 400m", 6, "`spec.jitter`", ""),
        ("  every: 30s", 5, "`spec.every`", ""),
    ],
)
def test_a_mistake_names_its_line_and_what_to_write_instead(spec: str, line: int, words: str, mend: str) -> None:
    with pytest.raises(InvalidDocument) as caught:
        one(spec + "\n")
    assert (caught.value.file, caught.value.line) == ("s.yaml", line)
    assert words in str(caught.value)
    assert mend in caught.value.mend


def test_the_schema_that_is_shown_takes_what_is_read_and_no_more() -> None:
    from core.policy.marked import parse

    schema = schedules.schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    checker = jsonschema.Draft202012Validator(schema)
    for spec in (WHOLE, "  every: 15m\n", "  every: 1h\n  act: true\n"):
        assert list(checker.iter_errors(next(iter(parse(HEAD + spec, "s.yaml"))).data)) == []
    for spec in ("  text: look\n", "  every: 1h\n  timezone: UTC\n", "  every: soon\n"):
        assert list(checker.iter_errors(next(iter(parse(HEAD + spec, "s.yaml"))).data)) != []
