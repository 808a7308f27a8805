"""What runs by itself: the document `kind: Schedule`. Read by those who run and show schedules; the judge leaves it alone.

When it is due is decided in `ticks`.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from typing import Annotated, Literal
from zoneinfo import ZoneInfo, available_timezones

from cronsim import CronSim, CronSimError
from pydantic import AfterValidator, Field, model_validator

from core.domain.objective import Autonomy
from core.domain.values import Json, Value, bounded
from core.policy import documents, forms
from core.policy.forms import Form, Kind, Span

Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
DAYS: tuple[Day, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
Clock = Annotated[str, Field(pattern=r"^(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)$")]
LONGEST = 31 * 86400
_FIVE = "write minute, hour, day of the month, month and day of the week, such as `0 3 * * 1-5`: crontab(5)"
_WHEN = "write `cron` or `every`, one of the two"
_A_MONDAY = datetime(2026, 1, 5, tzinfo=UTC)


_zones = cache(available_timezones)


class UnfitError(ValueError):
    """With what helps."""

    def __init__(self, message: str, mend: str) -> None:
        super().__init__(message)
        self.mend = mend


def _zone(name: str) -> str:
    if name not in _zones():
        near = sorted(zone for zone in _zones() if zone.rpartition("/")[2].lower() == name.rpartition("/")[2].lower())
        hint = f"; did you mean {near[0]}?" if near else ""
        raise UnfitError(f"there is no time zone {bounded(name, 60)!r}{hint}", "write an IANA name such as Europe/Berlin, or UTC")
    return name


def _cron(expression: str) -> str:
    if not expression:
        return expression
    if len(expression.split()) != 5:
        raise UnfitError("a cron expression has five fields", _FIVE)
    try:
        next(CronSim(expression, _A_MONDAY))
    except CronSimError as error:
        raise UnfitError(f"`{bounded(expression, 60)}` has a {str(error).lower()}", _FIVE) from error
    except StopIteration:
        raise UnfitError(f"`{bounded(expression, 60)}` never comes", "look at its day and month") from None
    return expression


Zone = Annotated[str, AfterValidator(_zone)]
Cron = Annotated[str, Field(max_length=100), AfterValidator(_cron)]
Channel = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,60}$")]


class Window(Value):
    """A span of the day, on these days, in the schedule's zone. One that ends before it begins goes over midnight."""

    days: tuple[Day, ...] = Field(default=DAYS, min_length=1)
    begins: Clock
    ends: Clock


class Windows(Value):
    """When it may begin a run, and when what it does may be written. Empty: always."""

    run: tuple[Window, ...] = Field(default=(), max_length=20)
    write: tuple[Window, ...] = Field(default=(), max_length=20)


class Budget(Value):
    """The most writes that it may submit in one run, and on one day of its zone. 0 a day: as many as its runs."""

    writes_per_run: int = Field(default=20, ge=0, le=100)
    writes_per_day: int = Field(default=0, ge=0, le=1000)


class Schedule(Value):
    """A request that comes by itself, by `cron` in `zone`, or each `every_seconds`.

    `ceiling` binds below what is granted: observe only looks and shows, with suggest each change waits for a person; guarded and auto give
    no more than the grants do.
    """

    name: str
    cron: Cron = ""
    every_seconds: int = Field(default=0, ge=0, le=LONGEST)
    zone: Zone = "UTC"
    text: str = Field(default="", max_length=4000, description="as if a person had asked")
    agents: tuple[str, ...] = Field(default=(), max_length=20)
    namespaces: tuple[str, ...] = Field(default=(), max_length=200)
    ceiling: Autonomy = Autonomy.OBSERVE
    windows: Windows = Windows()
    jitter_seconds: int = Field(default=0, ge=0, le=6 * 3600)
    catch_up: Literal["none", "last", "all"] = "last"
    overlap: Literal["skip", "queue"] = "skip"
    budget: Budget = Budget()
    report_to: tuple[Channel, ...] = Field(default=(), max_length=20)
    suspended: bool = False

    @model_validator(mode="after")
    def _when(self) -> "Schedule":
        if bool(self.cron) == bool(self.every_seconds):
            raise UnfitError("it does not say when", _WHEN)
        if self.every_seconds and self.every_seconds < 60:
            raise ValueError("`every` is at least 1m")
        return self

    @property
    def by(self) -> str:
        return f"schedule:{self.name}"

    @property
    def timezone(self) -> ZoneInfo:
        return ZoneInfo(self.zone)


class WindowForm(Form):
    days: tuple[Day, ...] = Field(default=DAYS, min_length=1)
    begins: Clock = Field(alias="from")
    ends: Clock = Field(alias="to")

    @model_validator(mode="after")
    def _some_time(self) -> "WindowForm":
        if self.begins in (self.ends, "24:00"):
            raise ValueError("a window begins before 24:00 and ends at another time than it begins; the whole day is 00:00 to 24:00")
        return self


class WindowsForm(Form):
    run: tuple[WindowForm, ...] = Field(default=(), max_length=20)
    write: tuple[WindowForm, ...] = Field(default=(), max_length=20)


class BudgetForm(Form):
    writes_per_run: int = Field(default=20, ge=0, le=100)
    writes_per_day: int = Field(default=0, ge=0, le=1000)


class ScheduleForm(Form):
    """`act` is the older word: true is ceiling `auto`, false is `observe`."""

    cron: Cron = ""
    every: Annotated[Span, Field(ge=60, le=LONGEST)] | None = None
    time_zone: Zone = "UTC"
    text: str = Field(default="", max_length=4000)
    agents: tuple[str, ...] = Field(default=(), max_length=20)
    namespaces: tuple[str, ...] = Field(default=(), max_length=200)
    ceiling: Autonomy | None = None
    act: bool | None = None
    windows: WindowsForm = WindowsForm()
    jitter: Annotated[Span, Field(ge=0, le=6 * 3600)] = 0
    catch_up: Literal["none", "last", "all"] = "last"
    overlap: Literal["skip", "queue"] = "skip"
    budget: BudgetForm = BudgetForm()
    report_to: tuple[Channel, ...] = Field(default=(), max_length=20)
    suspended: bool = False

    def value(self, name: str) -> Schedule:
        if self.ceiling is not None and self.act is not None:
            raise ValueError("`ceiling` and the older `act` say the same thing: leave `act` out")
        if bool(self.cron) == (self.every is not None):
            raise UnfitError("it does not say when", _WHEN)
        said = self.ceiling or (Autonomy.AUTO if self.act else Autonomy.OBSERVE)
        return Schedule(
            name=name,
            cron=self.cron,
            every_seconds=self.every or 0,
            zone=self.time_zone,
            text=self.text,
            agents=self.agents,
            namespaces=self.namespaces,
            ceiling=said,
            windows=Windows(run=_windows(self.windows.run), write=_windows(self.windows.write)),
            jitter_seconds=self.jitter,
            catch_up=self.catch_up,
            overlap=self.overlap,
            budget=Budget(**self.budget.model_dump()),
            report_to=self.report_to,
            suspended=self.suspended,
        )


def _windows(found: tuple[WindowForm, ...]) -> tuple[Window, ...]:
    return tuple(Window(days=item.days, begins=item.begins, ends=item.ends) for item in found)


KINDS: Mapping[str, Kind] = {**forms.KINDS, "Schedule": Kind(ScheduleForm, ScheduleForm.value)}
"""All kinds, with schedules in full."""
ONLY: Mapping[str, Kind] = {"Schedule": KINDS["Schedule"]}


def read(text: str, file: str) -> tuple[documents.Document, ...]:
    """Schedules of one file, and nothing else. Raises InvalidDocument with the line."""
    return documents.unique(documents.read(text, file, ONLY))


def schema() -> Json:
    """The JSON Schema of the document."""
    spec = ScheduleForm.model_json_schema()
    places = spec.pop("$defs")
    span = {"type": "string", "pattern": "^[0-9]{1,6}(s|m|h|d)$"}
    spec["properties"]["every"] = span | {"description": "a span of at least 1m, counted from 1970: every 15m, 1h, 7d"}
    spec["properties"]["jitter"] = span | {"default": "0s"}
    return {
        "title": "Schedule",
        "type": "object",
        "additionalProperties": False,
        "required": ["apiVersion", "kind", "metadata", "spec"],
        "properties": {
            "apiVersion": {"const": documents.API_VERSION},
            "kind": {"const": "Schedule"},
            "metadata": forms.Metadata.model_json_schema(),
            "spec": spec | {"oneOf": [{"required": ["cron"]}, {"required": ["every"]}]},
        },
        "$defs": places,
    }
