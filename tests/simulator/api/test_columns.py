"""The cells of a table say what kubectl users read: one word for a pod's state, short ages."""

from datetime import UTC, datetime
from typing import Any

import pytest

from simulator import columns, pod_status
from simulator.ages import human
from simulator.resources import resource

Json = dict[str, Any]
NOW = datetime(2026, 11, 23, 12, 20, tzinfo=UTC)


def pod(phase: str = "Running", state: Json | None = None, *, ready: bool = True, **status: Any) -> Json:
    container = {"name": "app", "ready": ready, "restartCount": 0, "state": state or {"running": {}}}
    conditions = [{"type": "Ready", "status": "True" if ready else "False"}]
    told = {"phase": phase, "containerStatuses": [container], "conditions": conditions, **status}
    return {"metadata": {"name": "p"}, "spec": {"containers": [{"name": "app"}]}, "status": told}


@pytest.mark.parametrize(
    ("obj", "word"),
    [
        (pod(), "Running"),
        (pod("Pending", {"waiting": {"reason": "ImagePullBackOff"}}), "ImagePullBackOff"),
        (pod(state={"waiting": {"reason": "CrashLoopBackOff"}}, ready=False), "CrashLoopBackOff"),
        (pod(state={"terminated": {"reason": "OOMKilled", "exitCode": 137}}, ready=False), "OOMKilled"),
        (pod(state={"terminated": {"exitCode": 3}}, ready=False), "ExitCode:3"),
        (pod("Succeeded", {"terminated": {"reason": "Completed", "exitCode": 0}}, ready=False), "Completed"),
        (pod("Failed", {"terminated": {"reason": "Error", "exitCode": 1}}, reason="Evicted"), "Error"),
        ({**pod(), "metadata": {"name": "p", "deletionTimestamp": "2026-11-23T12:20:00Z"}}, "Terminating"),
        ({"metadata": {"name": "p"}, "spec": {}, "status": {"phase": "Pending"}}, "Pending"),
    ],
)
def test_a_pod_is_summed_up_in_one_word(obj: Json, word: str) -> None:
    assert pod_status.reason(obj) == word


def test_an_init_container_that_is_not_done_is_what_counts() -> None:
    waiting = pod("Pending", {"waiting": {"reason": "PodInitializing"}}, ready=False)
    waiting["spec"]["initContainers"] = [{"name": "one"}, {"name": "two"}]
    done = {"name": "one", "state": {"terminated": {"exitCode": 0}}}
    waiting["status"]["initContainerStatuses"] = [done, {"name": "two", "state": {"running": {}}}]
    assert pod_status.reason(waiting) == "Init:1/2"
    waiting["status"]["initContainerStatuses"] = [done, {"name": "two", "state": {"waiting": {"reason": "CrashLoopBackOff"}}}]
    assert pod_status.reason(waiting) == "Init:CrashLoopBackOff"


def test_restarts_say_when_the_last_one_was() -> None:
    crashed = pod(ready=False)
    crashed["status"]["containerStatuses"][0] |= {"restartCount": 4, "lastState": {"terminated": {"finishedAt": "2026-11-23T12:15:00Z"}}}
    assert columns.of(resource("", "pods")).cells(crashed, NOW)[1:4] == ["0/1", "Running", "4 (5m ago)"]


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        *[(-5, "<invalid>"), (0, "0s"), (119, "119s"), (120, "2m"), (200, "3m20s"), (3000, "50m"), (10_800, "3h"), (12_000, "3h20m")],
        *[(100_000, "27h"), (200_000, "2d7h"), (700_000, "8d"), (70_000_000, "2y80d")],
    ],
)
def test_an_age_has_at_most_two_units(seconds: float, text: str) -> None:
    assert human(seconds) == text


def test_the_target_of_an_autoscaler_shows_what_is_and_what_should_be() -> None:
    target = {"type": "Resource", "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 60}}}
    live = {"type": "Resource", "resource": {"name": "cpu", "current": {"averageUtilization": 52}}}
    spec = {"scaleTargetRef": {"kind": "Deployment", "name": "web"}, "minReplicas": 3, "maxReplicas": 12, "metrics": [target]}
    obj = {"metadata": {"name": "h"}, "spec": spec, "status": {"currentReplicas": 3, "currentMetrics": [live]}}
    assert columns.of(resource("autoscaling", "horizontalpodautoscalers")).cells(obj, NOW)[:6] == [
        "h",
        "Deployment/web",
        "cpu: 52%/60%",
        "3",
        "12",
        "3",
    ]
    obj["status"] = {}
    assert columns.of(resource("autoscaling", "horizontalpodautoscalers")).cells(obj, NOW)[2] == "cpu: <unknown>/60%"
