"""What the judge itself read about the action's target and surroundings. A proposer supplies none of it.

None means "not known": a rule that needs the value then errs, and an error is a denial. Rules that can live without it say so.
"""

from typing import Any

from pydantic import Field

from core.domain.values import Moment, Value


class ChangeFact(Value):
    """One field the API server said it would move, from the judge's own dry-run."""

    path: str
    old: Any = None
    new: Any = None


class Facts(Value):
    """All quantities are integers in the unit of their name."""

    read_at: Moment
    cluster: str
    # the target
    exists: bool
    uid: str = ""
    uid_matches: bool = False
    generation: int = 0
    resource_version: str = ""
    kind: str = ""
    namespace: str = ""
    name: str = ""
    deleting: bool = False
    labels: dict[str, str] = Field(default_factory=dict)
    protected: bool = Field(default=False, description="system namespace, the platform's own, or marked day2.dev/protected")
    opted_out: bool = Field(default=False, description="day2.dev/opt-out on the object or its namespace")
    gitops_owner: str = Field(default="", description="Argo CD or Flux application that writes this object, from labels and managedFields")
    owner_kind: str = ""
    autoscaled_by: str = Field(default="", description="HPA that owns spec.replicas, of a pod those of what made it")
    autoscaler_pods: int | None = Field(default=None, description="of how many pods it takes the mean use of CPU; 0 where it does not")
    autoscaler_min: int | None = Field(default=None, description="how far down that autoscaler may go; None without one")
    # the workload behind it
    replicas: int | None = None
    replicas_ready: int | None = None
    replicas_after: int | None = None
    rollout_in_progress: bool | None = None
    rollout_stuck: bool = Field(default=False, description="its time to progress is over; it goes on only when something else is changed")
    unscheduled: bool = Field(default=False, description="a pod that no node has taken yet: it has done nothing that could be lost")
    pods_touched: int | None = None
    rollout_missing: int = Field(default=0, description="pods that its update strategy lets be missing while a new template comes")
    disruptions_allowed: int | None = Field(default=None, description="least over the matching PDBs; None without one")
    has_pdb: bool = False
    previous_healthy_seconds: int | None = Field(default=None, description="how long, of two days, the revision to go back to was complete")
    privileged: bool = False
    # what it would become
    requests_cpu_milli_before: int | None = None
    requests_cpu_milli_after: int | None = None
    requests_memory_mib_before: int | None = None
    requests_memory_mib_after: int | None = None
    limits_memory_mib_after: int | None = None
    hpa_min_before: int | None = None
    hpa_min_after: int | None = None
    hpa_max_after: int | None = None
    cpu_milli_room_before: int | None = Field(default=None, description="CPU that all of its pods may ask for, at an autoscaler's ceiling")
    cpu_milli_room_after: int | None = None
    pod_security_before: str = ""
    pod_security_after: str = ""
    pods_violating_after: int | None = Field(
        default=None, description="pods that pod security will refuse: of a namespace, or the next of a workload"
    )
    # usage, from the metrics source and a second source
    cpu_milli_p95: int | None = None
    cpu_milli_p99: int | None = None
    memory_mib_max: int | None = None
    cpu_milli_demand: int | None = Field(default=None, description="most CPU that all of its pods used at once, at the hours of a week")
    usage_coverage_percent: int | None = None
    usage_days: int | None = None
    age_hours: int | None = Field(default=None, description="since the target was created")
    usage_age_seconds: int | None = Field(default=None, description="since the last hour with usage samples, in whole hours")
    requests_cpu_milli_live_max: int | None = Field(default=None, description="metrics.k8s.io: most CPU of one of its pods now")
    requests_memory_mib_live_max: int | None = Field(default=None, description="metrics.k8s.io: largest working set of its pods now")
    oom_killed_recently: bool | None = None
    # surroundings
    nodes_ready: int = 0
    nodes_schedulable: int = 0
    pods_homeless: int | None = Field(default=None, description="pods that would find no node: new ones, or those of nodes closed or lost")
    namespace_gpus_used: int = 0
    namespace_gpus_after: int = 0
    gpu_allowance: int | None = None
    monthly_cost_delta_micro_usd: int | None = None
    budget_left_micro_usd: int | None = None
    min_replicas_floor: int = 0
    freeze_window: str = Field(default="", description="name of the freeze window that is open now")
    quota_exceeded: bool = False
    # history, from the ledger
    open_actions_on_target: int = 0
    actions_on_target_24h: int = 0
    seconds_since_opposite: int | None = Field(default=None, description="since an action moved the same field the other way")
    denied_recently: bool = False
    denied_until: str = Field(default="", description="until when the denial of the same wish holds")
    actions_in_run: int = 0
    autonomy: str = Field(default="observe", description="granted level for this capability and scope")
    capability_granted: bool = False
    evidence_age_seconds: int | None = Field(default=None, description="age of the oldest observation the judge could confirm")
    evidence_elsewhere: tuple[str, ...] = Field(default=(), description="other namespaces its evidence speaks of; a claim can only deny")
    # an experiment
    experiment: str = Field(default="", description="id of the experiment whose fault this says it is; a claim, for which rules ask more")
    chaos_allowed: bool = Field(default=False, description="the namespace, or the cluster-wide object, has day2.dev/chaos: allowed")
    error_budget_percent: int | None = Field(default=None, description="left of what objectives allow, over an hour; of experiments only")
    # the dry run
    dry_run_ok: bool = False
    dry_run_message: str = ""
    changes: tuple[ChangeFact, ...] = ()
    rights_ok: bool = False
    rights_missing: tuple[str, ...] = ()
    stop: str = Field(default="", description="scope and reason of an emergency stop that covers this")
    approvals: tuple[str, ...] = Field(default=(), description="subjects of valid approvals bound to this digest")
    requested_by: str = ""
