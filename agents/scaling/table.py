"""All that the scaling agent looks for, and what it can propose: one row each."""

from agents.desk import Agent, Detector, Planner
from agents.scaling import ceilings, fixed_sizes, gangs, gpu_serving, peaks, remedying
from core.domain.finding import Severity

_WORKLOADS = ("Namespace", "Node", "Pod", "Deployment", "ReplicaSet", "StatefulSet", "HorizontalPodAutoscaler")

_WORDS = (
    "scale", "scaling", "capacity", "peak", "traffic", "load", "slow", "latency", "autoscaler", "hpa", "replicas", "gpu", "gpus",
    "gang", "pending", "unschedulable", "saturated", "throttled", "forecast", "queue", "busy",
)  # fmt: skip

AGENT = Agent(
    name="scaling",
    version="1.0.0",
    purpose="Finds what is or will be too small for its load, and what waits for room that never comes.",
    words=_WORDS,
    detectors=(
        Detector(
            code=peaks.CODE,
            name="peak ahead of a slow autoscaler",
            severity=Severity.HIGH,
            silent="without two weeks of history, where last week forecasts better, below a rise by half, with room in the pods of now",
            kinds=_WORKLOADS,
            detect=peaks.detect,
            ranges=peaks.ranges,
        ),
        Detector(
            code=ceilings.CODE,
            name="autoscaler at its ceiling",
            severity=Severity.HIGH,
            silent="within a tenth of the target, and below the ceiling",
            kinds=_WORKLOADS,
            detect=ceilings.detect,
        ),
        Detector(
            code=gangs.CODE,
            name="gang that holds GPUs and cannot start",
            severity=Severity.HIGH,
            silent="in the first 30 minutes, while the bound members compute, and for jobs whose pods work one by one",
            kinds=("Namespace", "Node", "Pod", "Job"),
            detect=gangs.detect,
            queries=gangs.queries,
        ),
        Detector(
            code=fixed_sizes.CODE,
            name="fixed size at its CPU limit",
            severity=Severity.HIGH,
            silent="under an autoscaler, without a CPU limit, in a rollout, and below 90 % of the limit",
            kinds=_WORKLOADS,
            detect=fixed_sizes.detect,
            queries=fixed_sizes.queries,
        ),
        Detector(
            code=gpu_serving.CODE,
            name="service on saturated GPUs",
            severity=Severity.MEDIUM,
            silent="under an autoscaler, in a rollout, and below 90 % of GPU use over 15 minutes",
            kinds=_WORKLOADS,
            detect=gpu_serving.detect,
            queries=gpu_serving.queries,
        ),
    ),
    planners=(
        Planner((peaks.CODE,), "set_hpa_bounds", remedying.raise_floor),
        Planner((ceilings.CODE,), "set_hpa_bounds", remedying.raise_ceiling),
        Planner((gangs.CODE,), "suspend_job", remedying.release),
        Planner((fixed_sizes.CODE,), "scale_workload", remedying.add_replicas),
        Planner((gpu_serving.CODE,), "scale_workload", remedying.add_gpu_replicas),
    ),
)
