"""Autoscalers, disruption budgets and quotas that hold up what they should serve. Called by the table of this agent."""

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from agents.desk import Desk
from agents.recalling import graph_of
from agents.reliability.conditions.signs import Sign, check, ours
from agents.reporting import counted, pairs, seen, told
from agents.workloads import age, leaving, ready
from core.cluster import quantities, selecting
from core.domain.finding import Severity

PATIENCE = timedelta(minutes=10)
NEARLY = 0.95
_KINDS = ("Namespace", "Pod", "PodDisruptionBudget")
_SCALED = ("Namespace", "HorizontalPodAutoscaler", "Deployment", "StatefulSet", "ReplicaSet")


def blind(desk: Desk) -> Iterator[Sign]:
    """ScalingActive is also False at zero replicas, by intent."""
    for item in desk.snapshot.of("HorizontalPodAutoscaler"):
        for condition in item.status.conditions if ours(item.metadata) else ():
            since = desk.now - condition.last_transition_time if condition.last_transition_time else timedelta()
            off = condition.type == "ScalingActive" and condition.status == "False" and condition.reason != "ScalingDisabled"
            if off and since >= PATIENCE:
                yield Sign(
                    "HorizontalPodAutoscaler",
                    item,
                    f"does not scale: {condition.reason} for {int(since.total_seconds() // 60)} minutes",
                    "The workload stays at its size whatever the load does.",
                    (
                        seen(desk, "HorizontalPodAutoscaler", item, "status.conditions[ScalingActive].reason", condition.reason),
                        told(desk, "HorizontalPodAutoscaler", item, "status.conditions[ScalingActive].message", condition.message),
                    ),
                )


def target_missing(desk: Desk) -> Iterator[Sign]:
    for item in desk.snapshot.of("HorizontalPodAutoscaler"):
        target = item.spec.scale_target_ref
        known = target.kind in ("Deployment", "StatefulSet", "ReplicaSet")
        if ours(item.metadata) and known and desk.snapshot.find(target.kind, item.metadata.namespace, target.name) is None:
            what = f"scales {target.kind} {target.name}, which does not exist"
            evidence = (seen(desk, "HorizontalPodAutoscaler", item, "spec.scaleTargetRef.name", target.name),)
            yield Sign("HorizontalPodAutoscaler", item, what, "Nothing is scaled; a renamed workload runs at a fixed size.", evidence)


def deadlock(desk: Desk) -> Iterator[Sign]:
    """Not one pod may ever be evicted, though all are well: a drain of their nodes never ends."""
    for item in _budgets(desk):
        status = item.status
        well = status.expected_pods > 0 and status.current_healthy >= status.expected_pods
        if well and status.disruptions_allowed == 0 and status.desired_healthy >= status.expected_pods and status.expected_pods > 1:
            wish = (
                f"minAvailable {item.spec.min_available}"
                if item.spec.min_available is not None
                else f"maxUnavailable {item.spec.max_unavailable}"
            )
            what = f"never lets a pod go: {wish} of {counted(status.expected_pods, 'pod')}, all healthy"
            matters = "No node that one of them stands on can be drained: upgrades and repairs stand still."
            evidence = (
                seen(desk, "PodDisruptionBudget", item, "status.disruptionsAllowed", 0),
                seen(desk, "PodDisruptionBudget", item, "status.desiredHealthy", status.desired_healthy),
            )
            yield Sign("PodDisruptionBudget", item, what, matters, evidence)


def sick_and_stuck(desk: Desk) -> Iterator[Sign]:
    """Pods that are not ready count against the budget: they cannot be evicted, and their node cannot be drained."""
    for item in _budgets(desk):
        chosen = graph_of(desk).selected(item.metadata.namespace, item.spec.selector)
        living = [pod for pod in chosen if not leaving(pod)]
        sick = [pod for pod in living if not ready(pod) and age(pod.metadata, desk.now) >= PATIENCE]
        if sick and len(sick) == len(living) and item.status.disruptions_allowed == 0:
            what = f"guards {counted(len(sick), 'pod')}, none of which is ready: none can be evicted either"
            evidence = (seen(desk, "PodDisruptionBudget", item, "status.currentHealthy", item.status.current_healthy),)
            matters = "A drain waits for pods that serve nobody. unhealthyPodEvictionPolicy AlwaysAllow would let them go."
            yield Sign("PodDisruptionBudget", item, what, matters, evidence)


def guards_nothing(desk: Desk) -> Iterator[Sign]:
    for item in _budgets(desk):
        if age(item.metadata, desk.now) < PATIENCE or item.spec.selector is None:
            continue
        pods = graph_of(desk).selected(item.metadata.namespace, item.spec.selector)
        templates = (
            one for kind in ("Deployment", "StatefulSet", "ReplicaSet") for one in desk.snapshot.of(kind)
            if one.metadata.namespace == item.metadata.namespace
        )  # fmt: skip
        if not pods and not any(selecting.matches(item.spec.selector, one.spec.template.metadata.labels) for one in templates):
            evidence = (seen(desk, "PodDisruptionBudget", item, "status.expectedPods", item.status.expected_pods),)
            yield Sign(
                "PodDisruptionBudget", item, "guards no pod: its selector matches none", "A drain may take all replicas at once.", evidence
            )


def two_budgets(desk: Desk) -> Iterator[Sign]:
    """The eviction subresource answers 500 for a pod under two budgets."""
    graph = graph_of(desk)
    told_of: set[frozenset[str]] = set()
    guarded = Counter(item.metadata.namespace for item in _budgets(desk))
    for pod in desk.snapshot.pods:
        over = graph.budgets_of(pod) if guarded[pod.metadata.namespace] > 1 and not leaving(pod) else ()
        names = frozenset(one.metadata.name for one in over)
        if len(over) > 1 and names not in told_of:
            told_of.add(names)
            what = f"shares pods with {', '.join(sorted(names - {over[0].metadata.name}))}: pods under two budgets cannot be evicted"
            evidence = (seen(desk, "Pod", pod, "metadata.labels", pairs(pod.metadata.labels)),)
            yield Sign(
                "PodDisruptionBudget", over[0], what, "The API server answers an eviction with an error; drains never end.", evidence
            )


def _budgets(desk: Desk) -> Iterator[Any]:
    return (item for item in desk.snapshot.of("PodDisruptionBudget") if ours(item.metadata))


def quota_nearly_used(desk: Desk) -> Iterator[Sign]:
    """Of what a rollout needs: pods, CPU, memory and GPUs."""
    for item in desk.snapshot.of("ResourceQuota"):
        hard, used = item.status.get("hard") or {}, item.status.get("used") or {}
        for name in sorted(hard) if ours(item.metadata) else ():
            share = _share(name, used.get(name), hard[name])
            if share >= NEARLY:
                what = f"is used up to {share:.0%} for {name}: {used.get(name)} of {hard[name]}"
                evidence = (
                    seen(desk, "ResourceQuota", item, f"status.used[{name}]", used.get(name)),
                    seen(desk, "ResourceQuota", item, f"status.hard[{name}]", hard[name]),
                )
                yield Sign("ResourceQuota", item, what, "The next rollout or replica may not find room in it.", evidence)
                break


def _share(name: str, used: Any, hard: Any) -> float:
    """0 for what is no share of anything: absent, zero, or a resource that rollouts do not need more of."""
    bare = name.removeprefix("requests.").removeprefix("limits.")
    try:
        match bare:
            case "cpu":
                mine, all_of = quantities.cpu_milli(used or 0), quantities.cpu_milli(hard)
            case "memory":
                mine, all_of = quantities.memory_mib(used or 0), quantities.memory_mib(hard)
            case "pods":
                mine, all_of = quantities.count(used or 0), quantities.count(hard)
            case _:
                return 0.0
    except ValueError:
        return 0.0
    return mine / all_of if all_of else 0.0


CHECKS = (
    check(
        "REL-157",
        "autoscaler that cannot see",
        Severity.HIGH,
        ("Namespace", "HorizontalPodAutoscaler"),
        blind,
        looks="The condition ScalingActive of autoscalers, False for ten minutes for another reason than ScalingDisabled.",
        silent="in the first 10 minutes, and while the workload is at zero by intent",
        mend="The message says what is missing: requests in the template, the metrics API, the metric itself.",
    ),
    check(
        "REL-158",
        "autoscaler of a workload that does not exist",
        Severity.MEDIUM,
        _SCALED,
        target_missing,
        looks="spec.scaleTargetRef against the Deployments, StatefulSets and ReplicaSets of the namespace.",
        silent="for targets of other kinds",
        mend="Correct the name, or remove the autoscaler.",
    ),
    check(
        "REL-159",
        "disruption budget that never lets go",
        Severity.MEDIUM,
        _KINDS,
        deadlock,
        looks="Budgets that ask for as many healthy pods as there are, of two pods or more, all healthy.",
        silent="for single pods, which may be guarded on purpose, and while any pod is unhealthy",
        mend="minAvailable below the number of replicas, or maxUnavailable of one or more.",
    ),
    check(
        "REL-160",
        "disruption budget over sick pods only",
        Severity.MEDIUM,
        _KINDS,
        sick_and_stuck,
        looks="Budgets all of whose pods have not been ready for ten minutes, and that allow no disruption.",
        silent="in the first 10 minutes, and while any pod is ready",
        mend="Mend the pods; unhealthyPodEvictionPolicy AlwaysAllow lets a drain pass meanwhile.",
    ),
    check(
        "REL-161",
        "disruption budget without pods",
        Severity.LOW,
        (*_KINDS, "Deployment", "StatefulSet", "ReplicaSet"),
        guards_nothing,
        looks="Budgets whose selector matches no pod and no template.",
        silent="in the first 10 minutes, and for workloads at zero",
        mend="Correct the selector.",
    ),
    check(
        "REL-162",
        "pods under two disruption budgets",
        Severity.MEDIUM,
        _KINDS,
        two_budgets,
        looks="Pods that more than one budget selects.",
        silent="for pods that have ended",
        mend="Leave one budget for each set of pods.",
    ),
    check(
        "REL-163",
        "quota nearly used up",
        Severity.LOW,
        ("Namespace", "ResourceQuota"),
        quota_nearly_used,
        looks="CPU, memory and pods of quotas, used to 95 % or more.",
        silent="below 95 %, and for other resources",
        mend="Raise it within the budget, or ask for less: see the findings of the finops agent for the namespace.",
    ),
)
