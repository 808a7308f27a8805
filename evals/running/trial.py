"""What there is to tell of one case on one seed: plain values, kept as JSON. None is "not known", never nought."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

Json = dict[str, Any]


@dataclass(frozen=True)
class Told:
    """An incident: its check, its subject, and when it was first told, in seconds of the case."""

    code: str
    on: str
    at: float


@dataclass(frozen=True)
class Judged:
    """What the judge said of one action, the packs that spoke, and whether a person was asked. `wanted` is empty where no case says.

    `arguments` are its numbers, by path.
    """

    kind: str
    on: str
    said: str
    packs: tuple[str, ...]
    wanted: tuple[str, ...] = ()
    ended: str = ""
    asked: bool = False
    arguments: tuple[tuple[str, float], ...] = ()

    @property
    def right(self) -> bool | None:
        return self.said in self.wanted if self.wanted else None


@dataclass(frozen=True, kw_only=True)
class Trial:
    """`wanted` counts incidents that must be told, `found` those of them that were, `extra` those of others. `misses` are the expectations
    that did not hold, in words; a case without any was passed. `claimed` is what verified actions said that they would save, `metered`
    by how much the cost meter fell from before the first of these to the mean of all that came after the last, both in micro-USD a month;
    `within` is by how many percent the case lets them differ.

    Of a case with schedules: `spent` is what the trial cost, in micro-USD; `missed_minutes` of all `service_minutes` did not keep their
    objective, whosever fault it was; `runs` began by themselves, and of `governed` writes `breaches` are what no schedule allowed."""

    case: str
    suite: str
    seed: int
    contestant: str
    misses: tuple[str, ...] = ()
    broke: str = ""
    told: tuple[Told, ...] = ()
    wanted: int = 0
    found: int | None = None
    extra: int | None = None
    top: bool | None = None
    first: str = ""
    detected: float | None = None
    mended: bool | None = None
    mending: float | None = None
    actions: tuple[Judged, ...] = ()
    asks: tuple[Judged, ...] = ()
    held: tuple[str, ...] = ()
    ills: tuple[str, ...] = ()
    harmed: tuple[str, ...] = ()
    budgets: tuple[str, ...] = ()
    lost_minutes: int | None = None
    silent: bool | None = None
    cost_before: int | None = None
    cost_after: int | None = None
    best: int | None = None
    claimed: int | None = None
    metered: int | None = None
    within: float | None = None
    spent: int | None = None
    service_minutes: int | None = None
    missed_minutes: int | None = None
    runs: int | None = None
    governed: int | None = None
    breaches: tuple[str, ...] | None = None
    writes: int = 0
    tokens: int | None = None
    micro_usd: int | None = None
    model_calls: int | None = None
    model_seconds: float | None = None
    looks: int = 0
    virtual: float = 0.0
    wall: float | None = None

    @property
    def passed(self) -> bool:
        return not self.misses and not self.broke

    @property
    def name(self) -> str:
        return f"{self.case}/{self.seed}"

    @property
    def shown(self) -> bool | None:
        """Whether the meter shows the saving that was claimed. None where the case does not ask, or one of both is not known."""
        if self.within is None or self.claimed is None or self.metered is None:
            return None
        return abs(self.metered - self.claimed) * 100 <= abs(self.claimed) * self.within

    @property
    def undone(self) -> int:
        return sum(each.ended in ("rolled_back", "escalated") for each in self.actions)

    @property
    def harm(self) -> bool:
        return bool(self.harmed or self.budgets or self.undone or (self.lost_minutes or 0))

    def same(self) -> Json:
        """All but the time on this machine's clock: equal for equal runs."""
        return {**as_json(self), "wall": None, "model_seconds": None}


def as_json(trial: Trial) -> Json:
    return asdict(trial)


def of_json(document: Mapping[str, Any]) -> Trial:
    """Raises TypeError for what is no trial."""
    parts: Json = {**document}
    parts["told"] = tuple(Told(**each) for each in parts.get("told", ()))
    for name in ("actions", "asks"):
        parts[name] = tuple(Judged(**{key: _plain(value) for key, value in each.items()}) for each in parts.get(name, ()))
    return Trial(**{name: _plain(value) for name, value in parts.items()})


def _plain(value: Any) -> Any:
    return tuple(map(_plain, value)) if isinstance(value, list) else value
