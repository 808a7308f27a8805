"""All that the reliability agent looks for, and what it can propose: one row each."""

from agents import rolling_back
from agents.desk import Agent, Detector, Planner
from agents.reliability import (
    broken_changes,
    crash_loops,
    image_pulls,
    memory,
    quota_room,
    remedying,
    rollout_errors,
    service_drift,
    sick_nodes,
    stale_config,
    wedged_pods,
)
from agents.reliability.conditions import (
    containers,
    creation,
    hardware,
    lifecycles,
    limits,
    paths,
    platform,
    scheduling,
    services,
    storage,
    workloads,
)
from agents.reliability.experiments import weaknesses
from core.domain.finding import Severity

_ROLLOUTS = ("Namespace", "Pod", "Deployment", "ReplicaSet")
_OWNED = (*_ROLLOUTS, "StatefulSet", "DaemonSet", "Job")

_PLANS = dict.fromkeys(broken_changes.PARTS, broken_changes.PLAN) | {
    "REL-120": "Without the finalizers that are not Kubernetes' own, where the pod's node answers. Two people decide.",
    "REL-130": (
        "Back to the revision before, where a rollout of the last day asks for more; else as much more quota as the missing pods need, to"
        " twice the amount at most. The judge prices the raise as if all of it were used."
    ),
    "REL-145": (
        "The selector that was last applied, or the labels of the one workload that fits, where the Service was changed after its pods"
        " began; back to the revision before, where that is the one it chose."
    ),
    "REL-148": (
        "The target port that was last applied, or the one that the pods declare, where the Service was changed after its pods began;"
        " back to the revision before, where that one listened."
    ),
    "REL-172": "Without the finalizers that are not Kubernetes' own, of the object in it that is held the longest. Two people decide.",
    "REL-208": "Take the taint off, where no condition of the node is bad. Two people decide: it was fenced for a reason.",
    "REL-168": "Uncordon it, where no condition of it is bad. A person decides, because somebody closed it.",
}
"""Of the named conditions that something in the catalogue mends; the others say what a person does."""
_CONDITIONS = tuple(
    row._replace(plan=_PLANS.get(row.code, ""))
    for rows in (
        containers.CHECKS,
        lifecycles.CHECKS,
        scheduling.CHECKS,
        creation.CHECKS,
        workloads.CHECKS,
        services.CHECKS,
        paths.CHECKS,
        limits.CHECKS,
        storage.CHECKS,
        platform.CHECKS,
        hardware.CHECKS,
    )
    for row in rows
)

_WORDS = (
    "broken", "crash", "crashing", "crashloop", "restart", "restarts", "down", "outage", "failing", "error", "errors",
    "unhealthy", "oom", "memory", "rollback", "rollout", "deploy", "release", "stuck", "node", "incident", "not ready", "pull",
    "image", "why",
)  # fmt: skip

AGENT = Agent(
    name="reliability",
    version="1.0.0",
    purpose="Finds what is broken and why, and proposes the smallest change that mends it.",
    words=_WORDS,
    detectors=(
        Detector(
            code=crash_loops.SINCE_ROLLOUT,
            name="crash loop since a rollout",
            severity=Severity.CRITICAL,
            silent="a day after the rollout, below 3 restarts, when the kernel killed the container for memory, and once it is ready again",
            looks=(
                "Containers of a Deployment's current revision that wait in CrashLoopBackOff, or that are not ready after a bad "
                "exit, with 3 restarts or more, where the rollout is a day old at most."
            ),
            plan=(
                "Back to the newest earlier revision that was current for an hour or that has ready pods now. Without one there "
                "is a finding and no plan."
            ),
            limits=(
                "The line of the last log that names a panic or an error is quoted as evidence. A line that speaks to machines is"
                " quoted too, and obeyed by nobody."
            ),
            kinds=_ROLLOUTS,
            detect=crash_loops.detect,
            logs=crash_loops.logs,
        ),
        Detector(
            code=memory.KILLED_CODE,
            name="container killed for memory",
            severity=Severity.HIGH,
            silent="without a memory limit, a day after the last kill, and after a resize since",
            looks="Containers whose last or present end was OOMKilled within a day, from their own status: no metrics needed.",
            plan=(
                "Back to the revision before, where the rollout cut the limit. Else twice the limit, because nobody saw how much it"
                " wanted: in the template of a workload, in place for a bare pod. A request that stood at the limit goes with it."
            ),
            limits="A leak grows into any limit. The second finding for the same workload is the hint.",
            kinds=_OWNED,
            detect=memory.detect_killed,
        ),
        Detector(
            code=wedged_pods.CODE,
            name="pod that runs but does not answer",
            severity=Severity.MEDIUM,
            silent="within 15 minutes, without an answering sibling of the same template, and on a node that is not ready",
            looks=(
                "Pods that have run for 15 minutes without being ready, with every container running, while a sibling of the same"
                " template is ready."
            ),
            plan="Delete the pod; its controller makes a new one.",
            limits="What was in the pod's memory and in its empty directories is lost.",
            kinds=("Namespace", "Node", "Pod", "Deployment", "ReplicaSet", "StatefulSet", "DaemonSet"),
            detect=wedged_pods.detect,
        ),
        Detector(
            code=sick_nodes.CODE,
            name="sick node that takes new pods",
            severity=Severity.HIGH,
            silent="on a cordoned node, in the first 2 minutes of not ready, in the first 5 of any other condition, below 3 flaps an hour",
            looks=(
                "Node conditions: not ready for 2 minutes; pressure, network, kernel or runtime trouble for 5 (kubelet and node "
                "problem detector); three or more times not ready within an hour."
            ),
            plan=(
                "Cordon it, where at most a fifth of the nodes (three at most) are sick and two well ones are left. Pods that run"
                " there stay."
            ),
            limits="Where many nodes are sick at once the cause is elsewhere: findings, and no plan.",
            kinds=("Node", "Pod", "Event"),
            detect=sick_nodes.detect,
        ),
        Detector(
            code=image_pulls.CODE,
            name="rollout whose image cannot be pulled",
            severity=Severity.HIGH,
            silent="in the first 2 minutes of a pod",
            looks=(
                "Containers that wait for an image: ErrImagePull, ImagePullBackOff, InvalidImageName, ErrImageNeverPull, ImageInspectError."
            ),
            plan="Back to the newest earlier revision that proved itself, where the rollout is a day old at most, as for REL-101.",
            limits="A registry that is down for all images looks the same, and a rollback does not mend it.",
            kinds=_ROLLOUTS,
            detect=image_pulls.detect,
        ),
        Detector(
            code=stale_config.CODE,
            name="pods with the configuration of before",
            severity=Severity.MEDIUM,
            silent="for mounted files, in a rollout, in the first 5 minutes, and where nobody knows when the ConfigMap changed",
            looks="ConfigMaps that environment variables come from, written (managedFields) after the containers started.",
            plan="A rolling restart in the steps of the workload's own update strategy. There is no way back.",
            limits="A write that changed only labels counts as well. Secrets are not read.",
            kinds=("Namespace", "Pod", "Deployment", "ReplicaSet", "StatefulSet", "DaemonSet", "ConfigMap"),
            detect=stale_config.detect,
        ),
        Detector(
            code=memory.NEAR_CODE,
            name="container near its memory limit",
            severity=Severity.MEDIUM,
            silent="without a memory limit, below 92 % of it, and where a kill was already told of",
            looks="Running containers whose working set is at 92 % of their limit or above, from metrics.",
            plan="The limit x 1.5: in place, without a restart, where one pod alone is near its limit; otherwise in the template.",
            limits="One look, not a trend: a container that always stands at 93 % is found as well.",
            kinds=_OWNED,
            detect=memory.detect_near,
            queries=memory.queries,
        ),
        Detector(
            code=crash_loops.OTHERWISE,
            name="crash loop that no rollout explains",
            severity=Severity.HIGH,
            silent="below 3 restarts, when the kernel killed the container for memory, and where a rollout of the last day is the suspect",
            looks="Crash loops as for REL-101, also of StatefulSets and DaemonSets, that no rollout of the last day explains.",
            plan="Nothing: no action of the catalogue mends an unknown cause. The last words are quoted as evidence.",
            limits="Bare pods and Jobs are not looked at.",
            kinds=(*_ROLLOUTS, "StatefulSet", "DaemonSet"),
            detect=crash_loops.detect_otherwise,
            logs=crash_loops.logs,
        ),
        Detector(
            code=rollout_errors.CODE,
            name="errors since a rollout",
            severity=Severity.HIGH,
            silent=(
                "until the rollout is complete, in its first 3 minutes, after 6 hours, below 200 requests, where the test is unsure, "
                "and where another rollout since which more fails too may be why"
            ),
            looks=(
                "Requests of the service an hour before a Deployment's rollout against those since, by a beta-binomial test: found"
                " where the share of failed ones rose by more than one percentage point with a probability of 95 % or more."
            ),
            plan="Back to the newest earlier revision that proved itself, as for REL-101; not where it is marked as a migration.",
            limits="What fails since the same minute for another reason, such as a dependency, looks the same.",
            kinds=(*_ROLLOUTS, "Service"),
            detect=rollout_errors.detect,
            ranges=rollout_errors.ranges,
        ),
        *_CONDITIONS,
    ),
    planners=(
        Planner((crash_loops.SINCE_ROLLOUT, image_pulls.CODE, rollout_errors.CODE), "rollback_rollout", rolling_back.plan),
        Planner((memory.KILLED_CODE,), "rollback_rollout", broken_changes.undo_cut),
        Planner((memory.KILLED_CODE, memory.NEAR_CODE), "resize_pod", remedying.resize_one),
        Planner((memory.KILLED_CODE, memory.NEAR_CODE), "set_requests", remedying.raise_memory),
        Planner((wedged_pods.CODE,), "delete_pod", remedying.replace_pod),
        Planner((sick_nodes.CODE,), "cordon_node", remedying.cordon_sick),
        Planner((stale_config.CODE,), "restart_rollout", remedying.restart_stale),
        Planner(("REL-145", "REL-148"), "rollback_rollout", service_drift.undo_departure),
        Planner(("REL-145",), "set_service", service_drift.correct_selector),
        Planner(("REL-148",), "set_service", service_drift.correct_port),
        Planner(tuple(broken_changes.PARTS), "rollback_rollout", broken_changes.undo_change),
        Planner(("REL-130",), "raise_quota", quota_room.raise_quota),
        Planner(("REL-168",), "uncordon_node", remedying.open_node),
        Planner(("REL-208",), "fence_node", remedying.lift_fence),
        Planner(("REL-127",), "uncordon_node", remedying.open_place),
        Planner(("REL-120",), "clear_finalizers", remedying.release_pod),
        Planner(("REL-172",), "clear_finalizers", remedying.empty_namespace),
    ),
    steps=("cordon_node", "delete_pod", "evict_pod", "fence_node", "fence_stopped_node", "replace_machine"),
    learned=(weaknesses.LEARNED,),
)
