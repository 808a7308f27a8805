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
            silent="without two weeks of history, where last week forecasts better, at half the usual load, for a small rise, with room",
            looks=(
                "The CPU of all pods under an autoscaler that follows CPU alone, in quarter hours over 14 days. Forecast: profile"
                " of the day (90th percentile over days of the same sort, half-life 4 days) x level of the same weekday last week"
                " x trend."
            ),
            plan=(
                "Raise the floor to the replicas that the next 75 minutes need at the target, at most to the ceiling. The "
                "proposal expires with the peak."
            ),
            limits=(
                'Used only where the back-test beats "as last week" and the weeks resemble each other (r at least 0.5). The floor'
                " stays raised until somebody, or FIN-103, lowers it."
            ),
            kinds=_WORKLOADS,
            detect=peaks.detect,
            ranges=peaks.ranges,
        ),
        Detector(
            code=ceilings.CODE,
            name="autoscaler at its ceiling",
            severity=Severity.HIGH,
            silent="within a tenth of the target, and below the ceiling",
            looks=(
                "Autoscalers at their highest bound with the condition ScalingLimited (TooManyReplicas) and a load above 110 % of"
                " the target."
            ),
            plan="Raise the ceiling to the need and a fifth, at most to twice the bound of now.",
            limits="Only resource metrics with a utilisation target are weighed.",
            kinds=_WORKLOADS,
            detect=ceilings.detect,
        ),
        Detector(
            code=gangs.CODE,
            name="gang that holds GPUs and cannot start",
            severity=Severity.HIGH,
            silent="in the first 30 minutes, while the bound members compute, and for jobs whose pods work one by one",
            looks=(
                "Jobs that say how many pods must run together (`scheduling.day2.dev/min-available`, Volcano's "
                "`scheduling.k8s.io/group-min-member`, or GPU Jobs whose completions equal their parallelism), where fewer are "
                "bound, the others are unschedulable, and the bound ones hold idle GPUs."
            ),
            plan="Suspend the Job: its GPUs are free at once, and it can be resumed when all members have room together.",
            limits="The PodGroup and Workload APIs of Kubernetes 1.36 and later are not read yet.",
            kinds=("Namespace", "Node", "Pod", "Job"),
            detect=gangs.detect,
            queries=gangs.queries,
        ),
        Detector(
            code=fixed_sizes.CODE,
            name="fixed size at its CPU limit",
            severity=Severity.HIGH,
            silent="under an autoscaler, without a CPU limit, in a rollout, and below 90 % of the limit",
            looks="CPU of each pod against its limit, for Deployments and StatefulSets of fixed size.",
            plan="Replicas that bring the use to 65 % of the limit, at most twice as many as now.",
            limits="A workload without a CPU limit is bounded by its node only and is not looked at.",
            kinds=_WORKLOADS,
            detect=fixed_sizes.detect,
            queries=fixed_sizes.queries,
        ),
        Detector(
            code=gpu_serving.CODE,
            name="service on saturated GPUs",
            severity=Severity.MEDIUM,
            silent="under an autoscaler, in a rollout, and below 90 % of GPU use over 15 minutes",
            looks="GPU utilisation (DCGM), mean of 15 minutes, of Deployments and StatefulSets of fixed size that hold GPUs.",
            plan=(
                "Replicas that bring the GPUs to 70 %. Above 95 % the meter is at its end and hides the queue: there the load "
                "counts double."
            ),
            limits="Whether the namespace may hold so many GPUs is the judge's question, not the planner's.",
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
