"""The document `Experiment`: what should hold while which fault stands, for how long, within which limits. Read by `day2 chaos`.

The judge reads none of it: each fault comes before it as an action of the catalogue, and is asked for what it is.
"""

from collections.abc import Mapping
from typing import Annotated, Any, Literal, NamedTuple, Self

from pydantic import Field, model_validator

from core.cluster.queries import Shape
from core.domain.errors import InvalidInput
from core.domain.values import Json, Value, canonical
from core.policy import documents
from core.policy.forms import CpuMilli, Form, Kind, MemoryMib, Span

KIND = "Experiment"
LONGEST_SECONDS, SHORTEST_SECONDS = 600, 10
NAME = r"^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$"
WorkloadKind = Literal["Deployment", "StatefulSet", "DaemonSet"]
NOWHERE = f"registry.invalid/day2/nothing@sha256:{'0' * 64}"
"""An image that no registry has: names under `invalid` lead nowhere (RFC 2606)."""


class Unit(NamedTuple):
    """How a probe writes a metric's number: whole, in this unit. `by` is the label that says whose it is."""

    name: str
    factor: float
    by: Literal["service", "pod"]


METRICS: Mapping[Shape, Unit] = {
    Shape.REQUEST_RATE: Unit("requests per 1000 s", 1000, "service"),
    Shape.ERROR_RATIO: Unit("per mille", 1000, "service"),
    Shape.LATENCY_P99: Unit("ms", 1000, "service"),
    Shape.CPU_RATE: Unit("milli-cores", 1000, "pod"),
    Shape.MEMORY_NOW: Unit("MiB", 2**-20, "pod"),
    Shape.THROTTLED_RATIO: Unit("per mille", 1000, "pod"),
}
"""Of the closed table of queries, what tells of now."""


class Subject(Value):
    """One workload, by its name or by labels that only it has."""

    namespace: str = Field(pattern=NAME, max_length=63)
    kind: WorkloadKind = "Deployment"
    name: str = Field(default="", pattern=rf"^$|{NAME}")
    labels: dict[str, str] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _named(self) -> Self:
        if bool(self.name) == bool(self.labels):
            raise ValueError("either `name` or `labels` says which workload is meant")
        return self


class Probe(Value):
    """One claim: so many pods of a workload are Ready, or a metric's worst value stays within `least` and `most`.

    `workload` and `service` are the target's where nothing is said.
    """

    name: str = Field(pattern=NAME, max_length=60)
    severity: Literal["critical", "warning"] = "critical"
    ready: int | None = Field(default=None, ge=0, le=10_000)
    workload: str = Field(default="", pattern=rf"^$|{NAME}")
    metric: Shape | None = None
    service: str = Field(default="", pattern=rf"^$|{NAME}")
    most: int | None = Field(default=None, ge=0)
    least: int | None = Field(default=None, ge=0)

    @model_validator(mode="after")
    def _one_claim(self) -> Self:
        if (self.ready is None) == (self.metric is None):
            raise ValueError("a probe has either `ready` or `metric`")
        if self.metric is not None and self.metric not in METRICS:
            raise ValueError(f"`metric` is one of {', '.join(METRICS)}")
        if (self.metric is not None) == (self.most is None and self.least is None):
            raise ValueError("`metric` needs `most` or `least`, and `ready` has neither")
        return self


class PodKill(Value):
    kind: Literal["pod_kill"]
    pods: int = Field(default=1, ge=1, le=100)
    grace: int | None = Field(default=None, ge=1, le=3600)


class NodeCordon(Value):
    kind: Literal["node_cordon"]
    node: str = Field(default="", pattern=rf"^$|{NAME}")


class NodeDrain(Value):
    """The node is closed, and the target's pods on it are deleted."""

    kind: Literal["node_drain"]
    node: str = Field(default="", pattern=rf"^$|{NAME}")


class CpuPressure(Value):
    kind: Literal["cpu_pressure"]
    cpu: CpuMilli = Field(gt=0)
    container: str = ""


class MemoryPressure(Value):
    kind: Literal["memory_pressure"]
    memory: MemoryMib = Field(gt=0)
    container: str = ""


class NetworkCut(Value):
    kind: Literal["network_cut"]
    directions: tuple[Literal["Ingress", "Egress"], ...] = Field(default=("Ingress", "Egress"), min_length=1, max_length=2)


class ConfigCorruption(Value):
    kind: Literal["config_corruption"]
    map: str = Field(pattern=NAME)
    key: str = Field(pattern=r"^[-._a-zA-Z0-9]{1,253}$")
    value: str = Field(default="corrupted by an experiment", max_length=16_384)


class DependencyDown(Value):
    """Another workload of the namespace, which the target needs, has no pods."""

    kind: Literal["dependency_down"]
    workload: str = Field(pattern=NAME)
    of: Literal["Deployment", "StatefulSet"] = "Deployment"


class ImagePullFailure(Value):
    kind: Literal["image_pull_failure"]
    container: str = ""
    image: str = Field(default=NOWHERE, max_length=512)


Fault = Annotated[
    PodKill | NodeCordon | NodeDrain | CpuPressure | MemoryPressure | NetworkCut | ConfigCorruption | DependencyDown | ImagePullFailure,
    Field(discriminator="kind"),
]


class Blast(Value):
    """No more pods than `pods`, than `percent` of the workload, and than its disruption budgets allow; with `spread`, one per zone."""

    pods: int = Field(ge=1, le=100)
    percent: int = Field(default=100, ge=1, le=100)
    spread: bool = True


class Abort(Value):
    """May be stricter than what holds anyway: a critical probe that fails twice in a row, less than a tenth of the error budget."""

    failures: int = Field(default=2, ge=1, le=2)
    budget: int = Field(default=10, ge=10, le=100)


class Experiment(Value):
    """Times are in seconds. `recovery` is how long the hypothesis may take to hold again once the fault is taken back."""

    name: str
    why: str
    target: Subject
    hypothesis: tuple[Probe, ...]
    fault: Fault
    seconds: int
    recovery: int
    blast: Blast
    abort: Abort


class ExperimentForm(Form):
    why: str = Field(min_length=1, max_length=300)
    target: Subject
    hypothesis: tuple[Probe, ...] = Field(min_length=1, max_length=10)
    fault: Fault
    duration: Span
    recovery: Span = 120
    blast: Blast
    abort: Abort = Abort()

    def value(self, name: str) -> Experiment:
        if not SHORTEST_SECONDS <= self.duration <= LONGEST_SECONDS:
            raise ValueError(f"`duration` is between {SHORTEST_SECONDS}s and {LONGEST_SECONDS // 60}m: a longer fault is an outage")
        if self.recovery > LONGEST_SECONDS:
            raise ValueError(f"`recovery` is at most {LONGEST_SECONDS // 60}m")
        names = [probe.name for probe in self.hypothesis]
        if len(set(names)) != len(names):
            raise ValueError("two probes have the same name")
        if not any(probe.severity == "critical" for probe in self.hypothesis):
            raise ValueError("one probe at least is critical: it says when to stop")
        own = {field: getattr(self, field) for field in ExperimentForm.model_fields if field != "duration"}
        return Experiment(name=name, seconds=self.duration, **own)


KINDS: Mapping[str, Kind] = {KIND: Kind(ExperimentForm, ExperimentForm.value)}


class Asked(NamedTuple):
    """An experiment with the text it was read from: `spec` is what is kept, and read again."""

    experiment: Experiment
    spec: Json


def read(text: str, file: str) -> Asked:
    """The one experiment of a file. Raises InvalidDocument with file and line."""
    found = documents.read(text, file, KINDS)
    if len(found) != 1:
        raise InvalidInput(f"{file} holds {len(found)} experiments", mend="one experiment in one file: they never run together")
    value: Any = found[0].value
    return Asked(value, dict(found[0].marked.data["spec"]))


def again(name: str, spec: Json) -> Experiment:
    """The experiment of a kept text. Raises InvalidInput."""
    document = {"apiVersion": documents.API_VERSION, "kind": KIND, "metadata": {"name": name}, "spec": spec}
    return read(canonical(document).decode(), f"experiment {name}").experiment


def schema() -> Json:
    """The JSON Schema of `spec`."""
    return ExperimentForm.model_json_schema()
