"""Events as the notifier creates them, and what an API server refuses of them: asked of the simulator and of a real one."""

from typing import Any

Json = dict[str, Any]
WRONG: tuple[Json, ...] = (
    *({name: None} for name in ("eventTime", "reportingController", "reportingInstance", "action", "reason", "type")),
    {"type": "Bad"},
    {"note": "x" * 1025},
    {"reason": "x" * 129},
    {"regarding": {"kind": "Node", "name": "n1"}},
)
"""Changes to `event`, each of which makes it one that is refused with 422."""
TAKEN: tuple[Json, ...] = (
    {"note": "x" * 1024},
    {"reason": "x" * 128},
    {"regarding": {"kind": "Deployment", "namespace": "other", "name": "web"}},
)
"""Changes after which it is still taken."""
PLACES = ("default", "kube-system")
"""Namespaces in which Events about objects without a namespace are taken."""


def event(namespace: str, **over: Any) -> Json:
    """One that is taken."""
    found = {
        "apiVersion": "events.k8s.io/v1",
        "kind": "Event",
        "metadata": {"name": "act-1.verified"},
        "eventTime": "2026-11-23T12:20:00.000000Z",
        "reportingController": "day2.dev/notifier",
        "reportingInstance": "finops",
        "action": "scale_workload",
        "reason": "Day2Verified",
        "type": "Normal",
        "regarding": {"apiVersion": "apps/v1", "kind": "Deployment", "namespace": namespace, "name": "web", "uid": "u-1"},
        "note": "act-1 verified",
    } | over
    return {key: value for key, value in found.items() if value is not None}
