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
            silent="under an autoscaler, on GPUs, with under 3 days of history, in a rollout, a day after restarts, under 2 USD a month",
            looks=(
                "Every Deployment and StatefulSet of fixed size, container by container: the 95th percentile of its 5-minute CPU "
                "rates over 7 days (the highest of its pods) and its highest working set over 14 days."
            ),
            plan=(
                "CPU = p95 x 1.15, rounded up to 25m; memory = peak x 1.25, rounded up to 32 MiB. Only fields that fall by a "
                "tenth move. Limits stay: they reserve nothing. The judge asks for 1.1 and 1.2 of its own measurements."
            ),
            limits=(
                "Usage by 5-minute rates shows no burst of seconds. That is why the write is watched for latency, restarts and "
                "readiness, and taken back when it misses."
            ),
            kinds=_WORKLOADS,
            detect=requests.detect,
            queries=requests.queries,
        ),
        Detector(
            code=idle_workloads.CODE,
            name="workload that does nothing",
            severity=Severity.LOW,
            silent="younger than 7 days, under an autoscaler, on GPUs, or with 2 % of its CPU used in any 5 minutes of a week",
            looks=("The highest 5-minute CPU rate of every Deployment and StatefulSet of fixed size over 7 days, against its request."),
            plan="Zero replicas. The number of before comes back by the undo.",
            limits="CPU alone: a service that must answer once a month looks idle. Read the proposal before approving it.",
            kinds=_WORKLOADS,
            detect=idle_workloads.detect,
            queries=idle_workloads.queries,
        ),
        Detector(
            code=autoscaler_floors.CODE,
            name="autoscaler floor above the need",
            severity=Severity.LOW,
            silent="at a floor of 2, where the load needs the floor for half of the week, or where it follows more than CPU",
            looks=(
                "The CPU of all pods under an autoscaler that follows CPU alone, in half hours over 7 days, turned into replicas "
                "by the autoscaler's own arithmetic: load / (request x target)."
            ),
            plan="The median need as the new floor, never below 2 or below what an objective asks for. The ceiling stays.",
            limits=(
                "It looks back. Where a peak is due, SCA-101 asks for the opposite, and arbitration decides by the priority of "
                "the objectives."
            ),
            kinds=_WORKLOADS,
            detect=autoscaler_floors.detect,
            ranges=autoscaler_floors.ranges,
        ),
        Detector(
            code=idle_gpus.CODE,
            name="job on idle GPUs",
            severity=Severity.MEDIUM,
            silent="in its first hour, above 3 % of GPU use in any pod, or while members of a gang still wait for a place",
            looks="GPU utilisation (DCGM) of every running Job that holds GPUs, as the mean of the last hour of each pod.",
            plan="Suspend the Job: its pods go, the Job stays. What they had computed without saving is lost.",
            limits="A pod without a measurement keeps the check silent for its Job.",
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
