"""All that the reliability agent looks for, and what it can propose: one row each."""

from agents import rolling_back
from agents.desk import Agent, Detector, Planner
from agents.reliability import crash_loops, image_pulls, memory, remedying, sick_nodes, stale_config, wedged_pods
from agents.reliability.conditions import (
    containers,
    creation,
    lifecycles,
    limits,
    paths,
    platform,
    scheduling,
    services,
    storage,
    workloads,
)
from core.domain.finding import Severity

_ROLLOUTS = ("Namespace", "Pod", "Deployment", "ReplicaSet")
_OWNED = (*_ROLLOUTS, "StatefulSet", "DaemonSet", "Job")

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
            kinds=_ROLLOUTS,
            detect=crash_loops.detect,
            logs=crash_loops.logs,
        ),
        Detector(
            code=memory.KILLED_CODE,
            name="container killed for memory",
            severity=Severity.HIGH,
            silent="without a memory limit, a day after the last kill, and after a resize since",
            kinds=_OWNED,
            detect=memory.detect_killed,
        ),
        Detector(
            code=wedged_pods.CODE,
            name="pod that runs but does not answer",
            severity=Severity.MEDIUM,
            silent="within 15 minutes, without an answering sibling of the same template, and on a node that is not ready",
            kinds=("Namespace", "Node", "Pod", "Deployment", "ReplicaSet", "StatefulSet", "DaemonSet"),
            detect=wedged_pods.detect,
        ),
        Detector(
            code=sick_nodes.CODE,
            name="sick node that takes new pods",
            severity=Severity.HIGH,
            silent="on a cordoned node, in the first 2 minutes of not ready, in the first 5 of any other condition, below 3 flaps an hour",
            kinds=("Node", "Pod", "Event"),
            detect=sick_nodes.detect,
        ),
        Detector(
            code=image_pulls.CODE,
            name="rollout whose image cannot be pulled",
            severity=Severity.HIGH,
            silent="in the first 2 minutes of a pod",
            kinds=_ROLLOUTS,
            detect=image_pulls.detect,
        ),
        Detector(
            code=stale_config.CODE,
            name="pods with the configuration of before",
            severity=Severity.MEDIUM,
            silent="for mounted files, in a rollout, in the first 5 minutes, and where nobody knows when the ConfigMap changed",
            kinds=("Namespace", "Pod", "Deployment", "ReplicaSet", "StatefulSet", "DaemonSet", "ConfigMap"),
            detect=stale_config.detect,
        ),
        Detector(
            code=memory.NEAR_CODE,
            name="container near its memory limit",
            severity=Severity.MEDIUM,
            silent="without a memory limit, below 92 % of it, and where a kill was already told of",
            kinds=_OWNED,
            detect=memory.detect_near,
            queries=memory.queries,
        ),
        Detector(
            code=crash_loops.OTHERWISE,
            name="crash loop that no rollout explains",
            severity=Severity.HIGH,
            silent="below 3 restarts, when the kernel killed the container for memory, and where a rollout of the last day is the suspect",
            kinds=(*_ROLLOUTS, "StatefulSet", "DaemonSet"),
            detect=crash_loops.detect_otherwise,
            logs=crash_loops.logs,
        ),
        *containers.CHECKS,
        *lifecycles.CHECKS,
        *scheduling.CHECKS,
        *creation.CHECKS,
        *workloads.CHECKS,
        *services.CHECKS,
        *paths.CHECKS,
        *limits.CHECKS,
        *storage.CHECKS,
        *platform.CHECKS,
    ),
    planners=(
        Planner((crash_loops.SINCE_ROLLOUT, image_pulls.CODE), "rollback_rollout", rolling_back.plan),
        Planner((memory.KILLED_CODE, memory.NEAR_CODE), "resize_pod", remedying.resize_one),
        Planner((memory.KILLED_CODE, memory.NEAR_CODE), "set_requests", remedying.raise_memory),
        Planner((wedged_pods.CODE,), "delete_pod", remedying.replace_pod),
        Planner((sick_nodes.CODE,), "cordon_node", remedying.cordon_sick),
        Planner((stale_config.CODE,), "restart_rollout", remedying.restart_stale),
    ),
)
