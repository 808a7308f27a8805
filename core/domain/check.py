"""How an executed action is verified: by sources that the action did not write. Made by the catalogue, run by the executor."""

from enum import StrEnum

from pydantic import Field

from core.domain.target import Target
from core.domain.values import Value


class Signal(StrEnum):
    """What is looked at. Status fields are written by controllers and kubelets, metrics by the workload itself."""

    ROLLOUT_COMPLETE = "rollout_complete"  # the controller reports every replica updated and available
    PODS_READY = "pods_ready"  # at least `bound` pods of the workload are Ready
    RESTARTS_STEADY = "restarts_steady"  # no container of the workload's pods restarted since the write
    LATENCY_P99 = "latency_p99"  # milliseconds at most `bound`, from the metrics source
    ERROR_RATIO = "error_ratio"  # per thousand at most `bound`, from the metrics source
    PODS_GONE = "pods_gone"  # no pod of the target is left that holds a node
    POD_REPLACED = "pod_replaced"  # the uid (of a pod, a machine) is gone; its owner, if any, is back to its Ready count
    RESIZE_DONE = "resize_done"  # the kubelet reports the container's resources as asked, without a restart
    NODE_CORDONED = "node_cordoned"  # no new pod was bound to the node since the write
    NODE_RELEASED = "node_released"  # no pod that cannot stay is left on the node, and no volume is attached to it
    PODS_ADMITTED = "pods_admitted"  # no pod of the namespace is refused or warned about since the write
    AUTOSCALER_AGREES = "autoscaler_agrees"  # the HPA's controller observed the bounds, and replicas moved into them
    ENDPOINTS_READY = "endpoints_ready"  # the endpoint controller lists at least `bound` ready addresses of the service
    QUOTA_ADMITS = "quota_admits"  # the quota controller took the new amounts over, and no pod was refused for a quota since the write
    NODE_OPEN = "node_open"  # the node is Ready, and the node controller took the taint of a cordon away
    OBJECT_GONE = "object_gone"  # no object with the target's uid is left
    LEASE_HELD = "lease_held"  # an experiment's controller renews its lease; a fault is never verified, only taken back


class Expectation(Value):
    """One signal with its bound. Without data the outcome is not clean: a required signal without data is a miss."""

    signal: Signal
    bound: int = 0
    required: bool = True


class Check(Value):
    """Every expectation must hold at the end of the watch; a `trip` that fails on two looks in a row ends it at once.

    `settle_seconds` is the time before the first look that counts; `watch_seconds` the whole time from the write to the decision.
    `early` allows the decision as soon as all hold after settling.
    """

    target: Target
    expectations: tuple[Expectation, ...] = Field(min_length=1)
    settle_seconds: int = Field(ge=0)
    watch_seconds: int = Field(gt=0, le=3600)
    look_every_seconds: int = Field(default=30, gt=0)
    early: bool = False


class Look(Value):
    """What one look saw, in words and by number; kept with the execution."""

    signal: Signal
    held: bool | None = Field(description="None: no data")
    seen: str = Field(max_length=200)
