"""What code knows of causes: by which evidence a check's claim is seen, and which actions reach the cause rather than its symptoms.

Written from what the codes mean to Kubernetes, not from how the agents find them or what they propose: an assessor that asks the agents
what is right would agree with them always. A code that is not here is unknown to code, and only words can decide.
"""

import re
from collections.abc import Mapping

_WAITS = r"waiting\.reason = (?:{})\b"
_CRASH = r"lastState.* = exit code (?!0\b)\d+|CrashLoopBackOff|restartCount = [1-9]|terminated.*exit code (?!0\b)"
SUPPORT: Mapping[str, re.Pattern[str]] = {
    code: re.compile(pattern)
    for code, pattern in {
        "REL-101": _CRASH,
        "REL-102": r"OOMKilled",
        "REL-103": r"\[Ready\] = not True|Ready.* = (?:not True|False)",
        "REL-104": r"\[Ready\] = (?:False|Unknown)|Pressure\] = True|NotReady|became ready|ready.*times",
        "REL-105": _WAITS.format("ErrImagePull|ImagePullBackOff|InvalidImageName|ErrImageNeverPull|ImageInspectError"),
        "REL-106": r"managedFields.*time = \d{4}-",
        "REL-109": r"initContainerStatuses\[.*(?:running|waiting|exit code)",
        "REL-110": r"CreateContainerConfigError|not found|couldn't find key",
        "REL-112": r"CrashLoopBackOff|StartError|ContainerCannotRun|RunContainerError",
        "REL-113": r"CrashLoopBackOff|exec format|StartError",
        "REL-114": r"failed (?:liveness|startup) probe|(?:Liveness|Startup) probe failed",
        "REL-116": r"(?:readiness|liveness|startup)Probe = \w",
        "REL-120": r"deletionTimestamp = \d",
        "REL-121": r"FailedMount|FailedAttachVolume",
        "REL-125": r"Unschedulable|Insufficient",
        "REL-126": r"Unschedulable|didn't match",
        "REL-127": r"Unschedulable|untolerated|unschedulable",
        "REL-128": r"Unschedulable|topology spread|anti-affinity",
        "REL-129": r"persistentvolumeclaim|PersistentVolum|volume node affinity",
        "REL-130": r"exceeded quota|must specify",
        "REL-131": r"forbidden|violates PodSecurity|denied",
        "REL-132": r"is forbidden|error looking up|no PriorityClass",
        "REL-133": r"ProgressDeadlineExceeded",
        "REL-144": r"terminated\.reason = Completed",
        "REL-145": r"spec\.selector = \S+=\S+",
        "REL-148": r"targetPort = \w+$",
        "REL-155": r"dnsPolicy = (?:Default|None)",
        "REL-172": r"deletionTimestamp = \d|Terminating|finalizers",
        "FIN-101": r"(?:quantile|max)_over_time.* = \d+(?:m| MiB)",
        "FIN-104": r"GPU_UTIL.* = \d+ %",
        "SCA-101": r"MASE [\d.]+ = \d+m at",
        "SCA-103": r"Unschedulable|\d+ waiting",
        "SCA-105": r"GPU_UTIL.* = \d+ %",
        "SEC-101": r"pod-security\.kubernetes\.io/enforce\] = (?:absent|privileged)",
        "SEC-102": r"(?:hostPID|hostNetwork|hostIPC|privileged) = true|hostPath",
        "SCA-102": r"TooManyReplicas|currentReplicas = (\d+) of at most \1\b",
    }.items()
}

_TEMPLATE = frozenset({"rollback_rollout", "set_image"})
REMEDIES: Mapping[str, frozenset[str]] = {
    "REL-101": _TEMPLATE | {"edit_config", "set_requests"},
    "REL-102": _TEMPLATE | {"set_requests", "resize_pod"},
    "REL-103": _TEMPLATE | {"delete_pod", "evict_pod"},
    "REL-104": frozenset({"cordon_node", "fence_node", "fence_stopped_node", "replace_machine"}),
    "REL-105": _TEMPLATE,
    "REL-106": frozenset({"restart_rollout"}),
    "REL-107": frozenset({"set_requests", "resize_pod"}),
    "REL-109": _TEMPLATE,
    "REL-110": _TEMPLATE | {"edit_config"},
    "REL-120": frozenset({"clear_finalizers"}),
    "REL-127": _TEMPLATE | {"uncordon_node"},
    "REL-130": _TEMPLATE | {"raise_quota"},
    "REL-145": _TEMPLATE | {"set_service"},
    "REL-148": _TEMPLATE | {"set_service"},
    "REL-168": frozenset({"uncordon_node"}),
    "REL-172": frozenset({"clear_finalizers"}),
    "FIN-101": frozenset({"set_requests", "resize_pod"}),
    "FIN-102": frozenset({"scale_workload"}),
    "FIN-103": frozenset({"set_hpa_bounds"}),
    "FIN-104": frozenset({"suspend_job"}),
    "SCA-101": frozenset({"set_hpa_bounds"}),
    "SCA-102": frozenset({"set_hpa_bounds"}),
    "SCA-103": frozenset({"suspend_job"}),
    "SCA-104": frozenset({"scale_workload"}),
    "SCA-105": frozenset({"scale_workload"}),
    "SEC-101": frozenset({"label_namespace"}),
    "SEC-102": frozenset({"delete_pod"}),
    "SEC-103": _TEMPLATE,
    "SEC-104": frozenset({"label_namespace"}),
    "SEC-105": _TEMPLATE,
} | dict.fromkeys(
    ("REL-111", "REL-112", "REL-113", "REL-114", "REL-115", "REL-116", "REL-121", "REL-125", "REL-126", "REL-128", "REL-129", "REL-131",
     "REL-132", "REL-133", "REL-144", "REL-155", "REL-167", "REL-177"), _TEMPLATE
)  # fmt: skip
"""By code, the kinds that can take the cause away. A restart, a new pod or more pods of the same template take away no cause that stands
in the template."""

SIGNALS: Mapping[str, frozenset[str]] = {
    "scale_workload": frozenset({"pods_gone", "rollout_complete", "pods_ready"}),
    "set_hpa_bounds": frozenset({"autoscaler_agrees"}),
    "set_requests": frozenset({"rollout_complete", "restarts_steady", "pods_ready"}),
    "resize_pod": frozenset({"resize_done", "restarts_steady"}),
    "rollback_rollout": frozenset({"rollout_complete", "restarts_steady", "pods_ready"}),
    "restart_rollout": frozenset({"rollout_complete", "restarts_steady", "pods_ready"}),
    "delete_pod": frozenset({"pod_replaced"}),
    "cordon_node": frozenset({"node_cordoned"}),
    "suspend_job": frozenset({"pods_gone"}),
    "label_namespace": frozenset({"pods_admitted"}),
    "set_service": frozenset({"endpoints_ready"}),
    "raise_quota": frozenset({"quota_admits"}),
    "uncordon_node": frozenset({"node_open"}),
    "clear_finalizers": frozenset({"object_gone"}),
    "cut_network": frozenset({"restarts_steady", "pods_ready"}),
    "set_image": frozenset({"rollout_complete", "restarts_steady", "pods_ready"}),
    "edit_config": frozenset({"restarts_steady", "pods_ready"}),
    "evict_pod": frozenset({"pod_replaced"}),
    "fence_node": frozenset({"node_released", "restarts_steady"}),
    "fence_stopped_node": frozenset({"node_released", "restarts_steady"}),
    "replace_machine": frozenset({"pod_replaced"}),
}
"""By kind, who besides the action itself sees its effect: controllers and kubelets. Promises of latency and errors may be watched too."""
PROMISES = frozenset({"latency_p99", "error_ratio"})
