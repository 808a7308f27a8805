"""What an autoscaler's new bounds do: the pods that it would run at the busiest hour of the week, within the old and within the new bounds.

As the autoscaler has it: https://kubernetes.io/docs/tasks/run-application/horizontal-pod-autoscale/#algorithm-details
"""

from core.actions.set_hpa_bounds import SetHpaBounds
from core.cluster.placing import Amounts
from core.domain.action import Action
from core.domain.values import Json, at_path
from gate import workloads
from gate.judging import amounts


def effect(target: Json, after: Json | None, workload: Json, demand_milli: int | None) -> tuple[Json, Json | None]:
    """The workload before and after, with at most as many pods as may come and at least as many as must go; anything else as it is.

    More come where the busiest hour brings more than the old bounds let it bring, or else up to a new floor that is over what runs.
    """
    if workload is target or after is None or amounts.replicas(workload) is None:
        return target, after
    now, low, high = amounts.replicas(workload) or 0, int(at_path(after, "spec.minReplicas") or 1), int(at_path(after, "spec.maxReplicas"))
    old_low, old_high = int(at_path(target, "spec.minReplicas") or 1), int(at_path(target, "spec.maxReplicas"))
    wanted = max(now, _wanted(target, workload, demand_milli) or high)
    most, without = max(low, min(wanted, high)), max(old_low, min(wanted, old_high))
    replicas = most if most > max(now, without) else min(max(now, low), high)
    return workload, workload | {"spec": workload["spec"] | {"replicas": replicas}}


def kept(action: Action, workload: Json, grown: Amounts) -> Amounts:
    """What is paid for on top: with a raised floor at least what that holds at any hour, also where as many pods run right now."""
    higher = action.to_min - action.from_min if isinstance(action, SetHpaBounds) else 0
    return grown.most(amounts.size(workloads.template(workload)).times(higher)) if higher > 0 else grown


def coming(autoscaler: Json, workload: Json, demand_milli: int | None) -> Amounts:
    """What comes on top of what runs, at the busiest hour of the week; nothing where nobody can tell."""
    now, high = amounts.replicas(workload) or 0, int(at_path(autoscaler, "spec.maxReplicas"))
    more = min(_wanted(autoscaler, workload, demand_milli, margin_percent=0) or 0, high) - now
    return amounts.size(workloads.template(workload)).times(max(0, more))


def utilization(autoscaler: Json) -> int | None:
    """The share of the CPU request, in percent, that it keeps its pods at in the mean. None where it follows something else, or more."""
    metrics = at_path(autoscaler, "spec.metrics") or ()
    targets = [at_path(each, "resource.target.averageUtilization") for each in metrics if at_path(each, "resource.name") == "cpu"]
    return int(targets[0]) if len(metrics) == 1 and targets and targets[0] else None


def _wanted(autoscaler: Json, workload: Json, demand_milli: int | None, margin_percent: int = 10) -> int | None:
    """Pods for the demand and a margin. None where the autoscaler follows something else than CPU, or nobody measured."""
    share, each_milli = utilization(autoscaler), amounts.of_container(workload, "").cpu_milli
    if not share or not each_milli or demand_milli is None:
        return None
    return -(-demand_milli * (100 + margin_percent) // (each_milli * share))
