"""The form of a world document, strictly validated. Read by populating, the controllers' fates and the load model.

CPU is in milli-cores, memory in MiB, money in micro-US-dollars, times of day in UTC.
"""

from datetime import UTC, datetime, timedelta
from graphlib import CycleError, TopologicalSorter
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

Fault = Literal[
    "crash-after-rollout",
    "errors-after-rollout",
    "image-missing",
    "oom",
    "unready-forever",
    "overprovisioned",
    "idle",
    "burst-cliff",
    "privileged",
    "hostpid",
    "gang-stuck",
    "gpu-idle",
    "hpa-floor-too-high",
    "hpa-maxed",
    "cpu-saturated",
    "memory-near-limit",
    "stale-config",
    "peak-ahead",
    "cluster-admin-sa",
]
NodeFault = Literal[
    "not-ready", "memory-pressure", "disk-pressure", "flapping", "lost", "gpu-xid", "gpu-ecc", "gpu-lost", "nic-errors", "fabric-down"
]  # fmt: skip
NamespaceFault = Literal["no-psa-labels"]


def _aware(value: object) -> object:
    """YAML gives a datetime, a dict may give text; both must name their zone."""
    moment = datetime.fromisoformat(value) if isinstance(value, str) else value
    if isinstance(moment, datetime):
        if moment.tzinfo is None:
            raise ValueError("the start of a world needs a time zone")
        return moment.astimezone(UTC)
    return moment


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Peak(_Part):
    """A rise to `rps` that is reached at the time of day `at`, held, and left again."""

    at: str = Field(pattern=r"^[0-2][0-9]:[0-5][0-9]$")
    rps: float = Field(gt=0)
    rise_minutes: float = Field(default=10, gt=0)
    hold_minutes: float = Field(default=50, ge=0)
    fall_minutes: float = Field(default=60, gt=0)
    weekdays_only: bool = False


class Traffic(_Part):
    """Requests per second over the day: a floor at night, a plateau by day, peaks on top, less at weekends."""

    base_rps: float = Field(gt=0)
    night_rps: float | None = None
    peaks: tuple[Peak, ...] = ()
    weekend_factor: float = Field(default=0.7, gt=0, le=1)
    noise: float = Field(default=0.02, ge=0, lt=1)


class CpuModel(_Part):
    """CPU of one pod: idle plus its share of the traffic; `busy_milli` is used whatever the traffic."""

    idle_milli: float = 5
    per_rps_milli: float = 0
    busy_milli: float = 0
    noise: float = 0.06


class MemoryModel(_Part):
    """Working set of one pod. A pod whose `needs_mib` is above its limit is killed a while after its start."""

    base_mib: float = 64
    per_rps_mib: float = 0
    wave_mib: float = 0
    grows_mib_per_hour: float = 0
    needs_mib: int = 0
    noise: float = 0.02


class GpuModel(_Part):
    """How busy a pod's GPUs are. Of a serving workload the work is shared: what the world's replicas do is spread over those that serve.

    `demand_percent` is what each of the world's replicas would do if it could; above `utilisation_percent` work queues.
    """

    utilisation_percent: float = Field(default=0, ge=0, le=100)
    demand_percent: float | None = Field(default=None, ge=0)


class Cliff(_Part):
    """Latency that no 5-minute average foretells: below this CPU request the bursts do not fit any more."""

    below_cpu_request_milli: int
    p99_ms: float


class LatencyModel(_Part):
    """p99 of one pod's answers by saturation = demand / capacity; capacity = rps_per_core * (limit, or request * burst).

    With `servers` a pod is a queue (M/M/c), and waiting grows without bound as saturation nears one. Without, it is never slower below
    70 %, and 1.6 times as slow when full: what a world needs whose p99 was measured under its usual load.
    """

    p99_ms: float = 100
    rps_per_core: float = Field(default=1000, gt=0)
    burst: float = Field(default=2.0, gt=0)
    servers: int | None = Field(default=None, ge=1, description="how many requests a pod works on at the same time")
    error_ratio: float = Field(default=0.0002, ge=0, le=1)
    cliffs: tuple[Cliff, ...] = ()


class Call(_Part):
    """What one request of the caller asks of another workload of the world, one call after the other."""

    to: str = Field(description="a name of the caller's namespace, or namespace/name")
    per_request: float = Field(
        default=1, gt=0, description="how many calls one request makes on average; below one: how often it makes one"
    )
    fallback: bool = Field(default=False, description="a call that fails costs its time, and the request is answered all the same")
    timeout_ms: float = Field(default=10_000, gt=0, description="what is not answered by then has failed")


class Autoscaler(_Part):
    min_replicas: int = Field(ge=0)
    max_replicas: int = Field(ge=1)
    target_cpu_percent: int = Field(default=60, ge=1)


class Revision(_Part):
    """A template that a workload had. Oldest first; the last one is what its spec says now."""

    image: str
    age_minutes: float = Field(ge=0)
    by: str = "kubectl-client-side-apply"
    cause: str = ""
    env: dict[str, str] = {}


class Workload(_Part):
    """One workload with its template, its history and its behaviour. `faults` are recipes that change the defaults below them."""

    name: str
    namespace: str
    kind: Literal["Deployment", "StatefulSet", "DaemonSet", "Job", "CronJob", "Pod"] = "Deployment"
    replicas: int = Field(default=1, ge=0)
    image: str = "registry.shop.example/app:v1.0.0"
    age_hours: float = 24 * 40
    revisions: tuple[Revision, ...] = ()
    cpu_request_milli: int = 250
    cpu_limit_milli: int = 0
    memory_request_mib: int = 256
    memory_limit_mib: int = 256
    gpus: int = 0
    ready_seconds: int = 10
    run_seconds: int = 0
    gang: bool = False
    schedule: str = "0 3 * * *"
    max_unavailable: str | int = "25%"
    max_surge: str | int = "25%"
    security: Literal["restricted", "baseline", "privileged", "privileged-hostpid"] = "restricted"
    service_account: str | None = None
    service: bool = False
    probes: bool = True
    pdb_min_available: int | None = None
    hpa: Autoscaler | None = None
    tolerates: tuple[str, ...] = ()
    node_selector: dict[str, str] = {}
    labels: dict[str, str] = {}
    annotations: dict[str, str] = {}
    template_annotations: dict[str, str] = {}
    env: dict[str, str] = {}
    config_map: str | None = None
    traffic: Traffic | None = None
    cpu: CpuModel = CpuModel()
    memory: MemoryModel = MemoryModel()
    gpu: GpuModel | None = None
    latency: LatencyModel = LatencyModel()
    calls: tuple[Call, ...] = ()
    logs: tuple[str, ...] = ()
    faults: tuple[Fault, ...] = ()

    @property
    def key(self) -> tuple[str, str]:
        return self.namespace, self.name

    @property
    def callees(self) -> tuple[tuple[tuple[str, str], Call], ...]:
        """Whom it calls, by key, and how."""
        places = ((call.to.rpartition("/"), call) for call in self.calls)
        return tuple(((place[0] or self.namespace, place[2]), call) for place, call in places)


class Image(_Part):
    """What a container of this image does, whatever else its template says. `:missing`, `:crash`, `:unready`, `:errors` need no row."""

    behaviour: Literal["run", "crash", "missing", "unready"] = "run"
    unless_env: str = Field(default="", description="it runs well in a container that has this environment variable")
    crash_after_seconds: int = Field(default=3, ge=0)
    exit_code: int = 1
    error_ratio: float = Field(default=0, ge=0, le=1, description="of the requests that its containers answer, on top of what fails anyway")
    last_words: tuple[str, ...] = ()


class Market(_Part):
    """Spot capacity: its machines are taken back at random, each for itself."""

    interruptions_per_hour: float = Field(gt=0, description="of each machine, on average")
    notice_seconds: int = Field(default=120, ge=0)
    returns_after_seconds: int | None = Field(default=300, ge=0, description="until there is a machine again; None: never")


class NodePool(_Part):
    names: tuple[str, ...] = Field(min_length=1)
    cpu_milli: int
    memory_mib: int
    gpus: int = 0
    max_pods: int = 110
    instance_type: str
    zones: tuple[str, ...] = ("a", "b")
    age_hours: float = 24 * 60
    taints: tuple[str, ...] = Field(default=(), description="key=value:Effect")
    labels: dict[str, str] = {}
    faults: dict[str, NodeFault] = Field(default={}, description="by node name")
    market: Market | None = Field(default=None, description="None: nobody takes them back")


class Namespace(_Part):
    name: str
    labels: dict[str, str] = {}
    annotations: dict[str, str] = {}
    pod_security: Literal["baseline", "restricted", "privileged", "none"] = "baseline"
    age_hours: float = 24 * 90
    network_policy: bool = True
    faults: tuple[NamespaceFault, ...] = ()


class Extra(_Part):
    """Any further object, as somebody applied it so many hours before the start."""

    age_hours: float = Field(default=24 * 30, ge=0)
    by: str = "kubectl-client-side-apply"
    object: dict[str, Any]


class Monitoring(_Part):
    """The ills of the metrics source. Kubelets, autoscalers and metrics.k8s.io measure for themselves and have none of them."""

    ended_hours_ago: float | None = Field(
        default=None, ge=0, description="when the last scrape was, before the world's start; None: it goes on"
    )
    shows_percent: int = Field(default=100, ge=0, description="of the CPU and memory that containers really use")


class World(_Part):
    """All of a cluster at its start. `start` is where virtual time begins; what is older was replayed to get there."""

    name: str
    start: Annotated[datetime, BeforeValidator(_aware)]
    seed: int = 7
    history_days: int = Field(default=14, ge=1)
    scrape_seconds: int = Field(default=30, gt=0)
    monitoring: Monitoring = Monitoring()
    nodes: tuple[NodePool, ...] = Field(min_length=1)
    namespaces: tuple[Namespace, ...] = ()
    workloads: tuple[Workload, ...] = ()
    images: dict[str, Image] = {}
    config_maps: dict[str, dict[str, str]] = Field(default={}, description="namespace/name to data")
    objects: tuple[Extra, ...] = ()
    prices: dict[str, int] = Field(default={}, description="micro-USD per hour by instance type")
    objectives: str = Field(default="", description="file of the objectives that belong to this world")

    @model_validator(mode="after")
    def _consistent(self) -> "World":
        known = {namespace.name for namespace in self.namespaces} | set(SYSTEM_NAMESPACES)
        seen: set[tuple[str, str, str]] = set()
        for workload in self.workloads:
            if workload.namespace not in known:
                raise ValueError(f"workload {workload.name} is in namespace {workload.namespace}, which the world does not have")
            identity = (workload.kind, *workload.key)
            if identity in seen:
                raise ValueError(f"workload {workload.namespace}/{workload.name} is there twice")
            seen.add(identity)
        return self

    @model_validator(mode="after")
    def _callable(self) -> "World":
        graph: dict[tuple[str, str], list[tuple[str, str]]] = {workload.key: [] for workload in self.workloads}
        for workload in self.workloads:
            for key, call in workload.callees:
                if key not in graph:
                    raise ValueError(f"workload {'/'.join(workload.key)} calls {call.to}, which the world does not have")
                graph[workload.key].append(key)
        try:
            TopologicalSorter(graph).prepare()
        except CycleError as error:
            circle = " <- ".join("/".join(key) for key in error.args[1])
            raise ValueError(f"workloads call one another in a circle: {circle}") from None
        return self

    @property
    def epoch(self) -> datetime:
        """Where the clock of this world's store starts: before the oldest object. Populating moves it to `start`."""
        ages = [pool.age_hours for pool in self.nodes]
        ages += [namespace.age_hours for namespace in self.namespaces]
        ages += [workload.age_hours for workload in self.workloads]
        ages += [extra.age_hours for extra in self.objects]
        return self.start - timedelta(hours=max(ages) + 24)

    @property
    def history_start(self) -> datetime:
        return self.start - timedelta(days=self.history_days)

    @property
    def scraped_until(self) -> float:
        """Unix seconds of the last sample of the metrics source."""
        ended = self.monitoring.ended_hours_ago
        return float("inf") if ended is None else (self.start - timedelta(hours=ended)).timestamp()


SYSTEM_NAMESPACES = ("default", "kube-system", "kube-public", "kube-node-lease")
