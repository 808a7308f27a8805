"""The one-word status that `kubectl get pods` shows, worked out as the API server does it. Called by `columns`."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from simulator.clock import parse

Json = dict[str, Any]


def pod_cells(pod: Json, now: datetime, human: Callable[[float], str]) -> list[Any]:
    """Name, ready, status, restarts, IP, node, nominated node, readiness gates."""
    spec, status = pod.get("spec") or {}, pod.get("status") or {}
    states = status.get("containerStatuses") or []
    ready = f"{sum(1 for each in states if each.get('ready'))}/{len(spec.get('containers') or ())}"
    where = [(status.get("podIP") or "<none>"), spec.get("nodeName") or "<none>", status.get("nominatedNodeName") or "<none>", "<none>"]
    return [pod["metadata"]["name"], ready, reason(pod), _restarts(states, now, human), *where]


def reason(pod: Json) -> str:
    """`Running`, `CrashLoopBackOff`, `Init:0/1`, `Terminating` and the like."""
    status = pod.get("status") or {}
    shown = status.get("reason") or status.get("phase") or "Unknown"
    if any(each["type"] == "PodScheduled" and each.get("reason") == "SchedulingGated" for each in status.get("conditions") or ()):
        shown = "SchedulingGated"
    starting = _starting(pod)
    shown = starting or _running(status, shown)
    if pod["metadata"].get("deletionTimestamp"):
        return "Unknown" if status.get("reason") == "NodeLost" else "Terminating"
    return str(shown)


def _starting(pod: Json) -> str:
    """What the first unfinished init container says, "" when all are done."""
    declared = (pod.get("spec") or {}).get("initContainers") or []
    sidecars = {each["name"] for each in declared if each.get("restartPolicy") == "Always"}
    for index, each in enumerate((pod.get("status") or {}).get("initContainerStatuses") or ()):
        state = each.get("state") or {}
        ended, waiting = state.get("terminated"), state.get("waiting")
        if (ended and ended.get("exitCode") == 0) or (each["name"] in sidecars and each.get("started")):
            continue
        if ended:
            return f"Init:{ended.get('reason') or 'ExitCode:' + str(ended.get('exitCode'))}"
        if waiting and waiting.get("reason") not in (None, "", "PodInitializing"):
            return f"Init:{waiting['reason']}"
        return f"Init:{index}/{len(declared)}"
    return ""


def _running(status: Json, shown: str) -> str:
    has_running = False
    for each in reversed(status.get("containerStatuses") or []):
        state = each.get("state") or {}
        waiting, ended = state.get("waiting") or {}, state.get("terminated")
        if waiting.get("reason"):
            shown = waiting["reason"]
        elif ended:
            shown = ended.get("reason") or (f"Signal:{ended['signal']}" if ended.get("signal") else f"ExitCode:{ended.get('exitCode', 0)}")
        elif each.get("ready") and state.get("running") is not None:
            has_running = True
    if shown == "Completed" and has_running:
        is_ready = any(each["type"] == "Ready" and each["status"] == "True" for each in status.get("conditions") or ())
        return "Running" if is_ready else "NotReady"
    return shown


def _restarts(states: list[Json], now: datetime, human: Callable[[float], str]) -> str:
    count = sum(each.get("restartCount", 0) for each in states)
    ends = [((each.get("lastState") or {}).get("terminated") or {}).get("finishedAt") for each in states]
    last = max((each for each in ends if each), default="")
    return f"{count} ({human((now - parse(last)).total_seconds())} ago)" if count and last else str(count)
