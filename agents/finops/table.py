"""All that the FinOps agent looks for, and what it can propose: one row each."""

from agents.desk import Agent, Detector, Planner
from agents.finops import autoscaler_floors, idle_gpus, idle_workloads, remedying, requests
from core.domain.finding import Severity

_WORKLOADS = ("Namespace", "Node", "Pod", "Deployment", "ReplicaSet", "StatefulSet", "HorizontalPodAutoscaler")

_WORDS = (
    "cost", "money", "spend", "save", "saving", "waste", "budget", "bill", "expensive", "cheap", "overprovisioned", "oversized",
    "right-size", "rightsize", "requests", "idle", "unused", "finops", "price",
)  # fmt: skip

AGENT = Agent(
    name="finops",
    version="1.0.0",
    purpose="Finds what is paid for and not used, and gives it back without harm.",
    words=_WORDS,
    detectors=(
        Detector(
            code=requests.CODE,
            name="requests far above use",
            severity=Severity.LOW,
            silent="under an autoscaler, on GPUs, with less than 3 days of history, in a rollout, a day after a restart, for small sums",
            kinds=_WORKLOADS,
            detect=requests.detect,
            queries=requests.queries,
        ),
        Detector(
            code=idle_workloads.CODE,
            name="workload that does nothing",
            severity=Severity.LOW,
            silent="younger than 7 days, under an autoscaler, on GPUs, or with 2 % of its CPU used in any 5 minutes of a week",
            kinds=_WORKLOADS,
            detect=idle_workloads.detect,
            queries=idle_workloads.queries,
        ),
        Detector(
            code=autoscaler_floors.CODE,
            name="autoscaler floor above the need",
            severity=Severity.LOW,
            silent="at a floor of 2, where the load needs the floor for half of the week, or where it follows more than CPU",
            kinds=_WORKLOADS,
            detect=autoscaler_floors.detect,
            ranges=autoscaler_floors.ranges,
        ),
        Detector(
            code=idle_gpus.CODE,
            name="job on idle GPUs",
            severity=Severity.MEDIUM,
            silent="in its first hour, above 3 % of GPU use in any pod, or while members of a gang still wait for a place",
            kinds=("Namespace", "Node", "Pod", "Job"),
            detect=idle_gpus.detect,
            queries=idle_gpus.queries,
        ),
    ),
    planners=(
        Planner((requests.CODE,), "set_requests", remedying.fit_requests),
        Planner((idle_workloads.CODE,), "scale_workload", remedying.stop_idle),
        Planner((autoscaler_floors.CODE,), "set_hpa_bounds", remedying.lower_floor),
        Planner((idle_gpus.CODE,), "suspend_job", remedying.suspend_idle),
    ),
)
