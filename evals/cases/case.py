"""The form of a case, strictly validated. Read by `reading`, lived through by `evals.running`, counted by `evals.scoring`.

Times are texts such as `90s`, `25m`, `4h`, `7d`, from the beginning of the case; CPU is in milli-cores, memory in MiB, money in US dollars.
"""

import json
import re
from fnmatch import fnmatchcase
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from core.actions.catalogue import CATALOGUE
from core.domain.errors import InvalidDocument
from core.domain.objective import Autonomy
from core.policy import documents, schedules
from core.policy.schedules import Schedule
from simulator.faults.fault import Cause
from simulator.faults.table import BY_ID

Suite = Literal["finops", "reliability", "security", "scaling", "gpu", "conflict", "gate", "healthy", "long-run", "own"]
Said = Literal["allow", "needs_approval", "deny"]
Acts = Literal["never", "end", "always"]
Ends = Literal["verified", "rolled_back", "escalated"]
GROUND = "ground"
"""The world that a seed draws: the healthy cluster that faults are done to."""
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}


def _seconds(value: object) -> object:
    if isinstance(value, str):
        found = re.fullmatch(r"(\d+(?:\.\d+)?)([smhd])", value)
        if found is None:
            raise ValueError("a time is a number and one of s, m, h, d, such as 25m")
        return float(found[1]) * _UNITS[found[2]]
    return value


Seconds = Annotated[float, BeforeValidator(_seconds), Field(ge=0)]


class Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class World(Part):
    """Exactly one source. `change` is laid over the workloads of a world by name; a name that it does not have becomes a workload of
    its own. `with_` (`with` in YAML) is laid over the world itself: prices, nodes, namespaces, objects."""

    name: str = Field(default="", description=f"a shipped world, or `{GROUND}`, which the seed draws")
    file: Path | None = Field(default=None, description="a world of your own")
    inline: dict[str, Any] = {}
    snapshot: Path | None = Field(default=None, description="a look that `day2 snapshot save` kept")
    manifests: Path | None = Field(default=None, description="a file or folder of manifests")
    change: dict[str, dict[str, Any]] = {}
    with_: dict[str, Any] = Field(default={}, alias="with")

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        given = [each for each in (self.name, self.file, self.inline, self.snapshot, self.manifests) if each]
        if len(given) != 1:
            raise ValueError("a world is exactly one of name, file, inline, snapshot, manifests")
        if (self.change or self.with_) and (self.is_drawn or self.is_still):
            raise ValueError("`change` and `with` go with a shipped world, a file or an inline one")
        return self

    @property
    def is_drawn(self) -> bool:
        return self.name == GROUND

    @property
    def is_still(self) -> bool:
        """Nothing moves in it: it can be looked at, and not acted on."""
        return bool(self.snapshot or self.manifests)


class Planted(Part):
    """A fault of the library, and when it is done."""

    id: str
    at: Seconds = 0

    @model_validator(mode="after")
    def _known(self) -> Self:
        if self.id not in BY_ID:
            raise ValueError(f"there is no fault {self.id!r}: docs/faults.md lists them")
        return self


class Edit(Part):
    """What somebody else does to the cluster meanwhile: a merge patch of one object, its creation, or its deletion. Or what machines cost
    from then on, in micro-USD an hour by instance type."""

    at: Seconds = 0
    target: str = Field(default="", description="Kind/namespace/name, Kind/name for what has no namespace")
    patch: dict[str, Any] = {}
    create: dict[str, Any] = {}
    delete: bool = False
    prices: dict[str, Annotated[int, Field(ge=0)]] = {}

    @model_validator(mode="after")
    def _one_change(self) -> Self:
        if sum(map(bool, (self.patch, self.create, self.delete, self.prices))) != 1:
            raise ValueError("an edit is exactly one of patch, create, delete, prices")
        if bool(self.target) == bool(self.prices):
            raise ValueError("an edit has a `target`, unless it is of prices")
        return self


class Asked(Part):
    """An action that somebody asks for, whoever proposes it, and what the judge must say. `from_...` fields are read from the cluster."""

    agent: str = "reliability"
    kind: str
    target: str
    arguments: dict[str, Any] = {}
    why: str = "an evaluation"
    verdict: tuple[Said, ...] = Field(min_length=1, description="any of these is right")
    carried: bool = Field(default=False, description="and it goes the whole way, people approving")
    ends: Ends = Field(default="verified", description="how, where it was carried")

    @model_validator(mode="after")
    def _known(self) -> Self:
        if self.kind not in CATALOGUE:
            raise ValueError(f"there is no action kind {self.kind!r}: docs/actions/README.md lists them")
        return self


class People(Part):
    """What the people of the world declared; one objective for all namespaces, and one more for each agent where `priorities` are given."""

    autonomy: Autonomy = Autonomy.AUTO
    approve: bool = Field(default=True, description="two people approve whatever they are asked")
    priorities: dict[Literal["reliability", "security", "performance", "cost"], int] = {}
    latency_p99_ms: int = 0
    error_per_mille: int = 0
    budget_usd: int = 0
    gpu_allowance: int | None = None
    min_replicas: int = 0
    pod_security: Literal["", "privileged", "baseline", "restricted"] = ""
    frozen: bool = Field(default=False, description="a freeze window is open")


class Cause_(Part):  # noqa: N801  `Cause` is the library's
    """The object at fault, and the checks that name it rightly. Names may hold `*`."""

    target: str
    codes: tuple[str, ...] = Field(min_length=1)

    @property
    def cause(self) -> Cause:
        kind, *rest = self.target.split("/")
        return Cause(kind, rest[0] if len(rest) > 1 else "", rest[-1], self.codes)


class Told(Part):
    """A finding: its check and its subject, either may hold `*`."""

    code: str = "*"
    target: str = "*"

    def fits(self, code: str, place: str) -> bool:
        return fnmatchcase(code, self.code) and fnmatchcase(place.lower(), self.target.lower())


class Done(Part):
    """An action that must have been carried out and verified, or whatever `ends` says. `bounds` are lowest and highest of its arguments, by
    path."""

    kind: str
    target: str = "*"
    bounds: dict[str, tuple[float, float]] = {}
    ends: Ends = "verified"


class Budget(Part):
    """What a case may use. None: not bounded."""

    writes: int | None = None
    tokens: int | None = None
    virtual: Seconds | None = None


class Expected(Part):
    """What must be true. `causes` of planted faults are the library's own label where none are given.

    `well`: nothing is left for the oracle to say of the cluster. `unharmed`: no pod of others went or restarted, no budget was broken.
    `silent`: no incident was told and nothing was proposed. `slo_kept`: no bystander lost a minute of its objective.
    `saves_percent`: of what the oracle's best would save. `claims_within`: what verified actions said that they would save is what the cost
    meter then says, to so many percent. `slo_percent`: of all minutes of all services, whosever fault it is, so many kept their objective.
    """

    causes: tuple[Cause_, ...] | None = None
    elsewhere: bool = Field(default=False, description="incidents on other objects are no mistake")
    findings: tuple[Told, ...] = ()
    not_findings: tuple[Told, ...] = ()
    actions: tuple[Done, ...] = ()
    not_actions: tuple[Told, ...] = Field(default=(), description="`code` is a kind of action here")
    only_actions: tuple[str, ...] | None = Field(default=None, description="kinds; anything else is a mistake")
    held: tuple[str, ...] = Field(default=(), description="kinds that arbitration must hold back")
    well: bool = False
    unharmed: bool = True
    silent: bool = False
    slo_kept: bool = False
    saves_percent: float | None = None
    slo_percent: float | None = Field(default=None, gt=0, le=100)
    claims_within: float | None = Field(default=None, gt=0)
    touches: tuple[str, ...] = Field(default=(), description="Kind/namespace/name of what the cure may restart, besides the causes")
    gives_back: tuple[str, ...] = Field(default=(), description="namespace/name of what is paid for and not used")
    budget: Budget = Budget()


class Case(Part):
    """One case. `quick` ones are in the quick suite."""

    id: str = Field(pattern=r"^[a-z0-9][a-z0-9.-]{0,80}$")
    suite: Suite = "own"
    about: str = Field(default="", max_length=400)
    world: World
    seeds: tuple[int, ...] = Field(default=(1,), min_length=1)
    people: People = People()
    faults: tuple[Planted, ...] = ()
    edits: tuple[Edit, ...] = ()
    asks: tuple[Asked, ...] = ()
    schedules: dict[str, dict[str, Any]] = Field(default={}, description="`spec` of the schedules by which the product runs, by name")
    agents: tuple[str, ...] = Field(default=(), description="who looks; all four where none is named")
    lasts: Seconds | None = Field(default=None, description="when the last look is; after the longest fault, or at once")
    every: Seconds = 300
    acts: Acts = "end"
    settles: Seconds = 900
    quick: bool = False
    expect: Expected = Expected()

    @model_validator(mode="after")
    def _possible(self) -> Self:
        if self.world.is_still and (self.faults or self.edits or self.asks or self.acts != "end"):
            raise ValueError("a snapshot and manifests stand still: no faults, edits, asks or acts")
        if self.schedules and (self.world.is_still or self.asks or self.agents):
            raise ValueError("`schedules` say who looks and acts: no asks, no agents, and a world that moves")
        if self.schedules and any(edit.prices for edit in self.edits):
            raise ValueError("prices stay as they are while schedules run")
        _ = self.timetable
        if self.faults and self.world.name != GROUND:
            raise ValueError(f"faults of the library befall `world: {GROUND}`; elsewhere use recipes of `change` and `edits`")
        return self

    @cached_property
    def timetable(self) -> tuple[Schedule, ...]:
        """The schedules of the case as `day2 schedule add` reads them. Raises ValueError."""
        bodies = [
            {"apiVersion": documents.API_VERSION, "kind": "Schedule", "metadata": {"name": name}, "spec": spec}
            for name, spec in self.schedules.items()
        ]
        try:
            found = [each for body in bodies for each in schedules.read(json.dumps(body), "schedules")]
        except InvalidDocument as error:
            raise ValueError(str(error)) from error
        return documents.of_kind(found, Schedule)

    @property
    def is_real_too(self) -> bool:
        """Whether it can be lived on a real control plane: its world is one that any has room for, and real controllers or the pod's own
        spec make both cause and cure (faults with a mark under rig in docs/faults.md)."""
        alone = len(self.faults) == 1 and not self.edits and not self.asks and self.people == People()
        return self.world.is_drawn and alone and BY_ID[self.faults[0].id].on_rig

    @property
    def length(self) -> float:
        """Seconds of virtual time until the last look."""
        if self.lasts is not None:
            return self.lasts
        return max(
            (each.at + BY_ID[each.id].wait_seconds for each in self.faults), default=max((each.at for each in self.edits), default=0)
        )
