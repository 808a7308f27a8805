"""The horizontal pod autoscaler: a port of Kubernetes' replica calculator, stabilisation and policies (v2, CPU utilisation).

desired = ceil(ratio * pods), ratio = use / (request * target); no change within the tolerance (0.1). Pods that are not ready count as using
nothing on the way up; pods without metrics as using nothing on the way up and their whole request on the way down; when that turns the
direction, nothing happens. Source: pkg/controller/podautoscaler/{replica_calculator,horizontal}.go.
"""

import math
from datetime import datetime, timedelta
from typing import NamedTuple

from core.cluster import quantities
from simulator.clock import stamp
from simulator.controllers import events, pods, scheduling
from simulator.controllers.cluster import DEPLOYMENTS, HPAS, PODS, STATEFUL_SETS, Cluster, Json
from simulator.controllers.conditions import put

SOURCE = "horizontal-pod-autoscaler"
SYNC_SECONDS = 15
TOLERANCE = 0.1
_TARGETS = {"Deployment": DEPLOYMENTS, "StatefulSet": STATEFUL_SETS}
_UP = {
    "stabilizationWindowSeconds": 0,
    "selectPolicy": "Max",
    "policies": [{"type": "Pods", "value": 4, "periodSeconds": 15}, {"type": "Percent", "value": 100, "periodSeconds": 15}],
}
_DOWN = {"stabilizationWindowSeconds": 300, "selectPolicy": "Max", "policies": [{"type": "Percent", "value": 100, "periodSeconds": 15}]}


class Measured(NamedTuple):
    """What the calculator worked from. `utilisation` is percent of the request, None without metrics."""

    replicas: int
    utilisation: int | None
    average_milli: int


class Tolerances(NamedTuple):
    """How far the ratio may be off in each direction before anything happens (behavior.scaleUp.tolerance since v1.33)."""

    down: float = TOLERANCE
    up: float = TOLERANCE

    def hold(self, ratio: float) -> bool:
        return 1.0 - self.down <= ratio <= 1.0 + self.up


class PodUse(NamedTuple):
    """One pod as the calculator sees it. `cpu_milli` is None when it has no metrics."""

    request_milli: int
    cpu_milli: float | None
    ready: bool


def reconcile(cluster: Cluster) -> datetime | None:
    due: dict[str, datetime] = cluster.memo.setdefault("hpa-due", {})
    waiting = [hpa for hpa in cluster.store.list(HPAS) if due.get(hpa["metadata"]["uid"], cluster.now) <= cluster.now]
    due.update({hpa["metadata"]["uid"]: cluster.after(SYNC_SECONDS) for hpa in waiting})
    cluster.each(waiting, _one)
    alive = {hpa["metadata"]["uid"] for hpa in cluster.store.list(HPAS)}
    for uid in [each for each in due if each not in alive]:
        del due[uid]
    return min(due.values(), default=None)


# -- the calculator ---------------------------------------------------------------------------------------------------


def desired_replicas(uses: list[PodUse], current: int, target_percent: int, tolerances: Tolerances | None = None) -> Measured:
    """The raw recommendation for a CPU utilisation target (replica_calculator.go, GetResourceReplicas)."""
    tolerances = tolerances or Tolerances()
    measured = [use for use in uses if use.cpu_milli is not None and use.ready]
    if not measured:
        return Measured(current, None, 0)
    used, requested = sum(use.cpu_milli or 0.0 for use in measured), sum(use.request_milli for use in measured)
    utilisation = int(100 * used / requested) if requested else 0
    average = int(used / len(measured))
    ratio = utilisation / target_percent
    unready = [use for use in uses if not use.ready]
    missing = [use for use in uses if use.cpu_milli is None and use.ready]
    if not (missing or (unready and ratio > 1)):
        steady = tolerances.hold(ratio)
        return Measured(current if steady else math.ceil(ratio * len(measured)), utilisation, average)
    padded = [(use.cpu_milli or 0.0, use.request_milli) for use in measured]
    if ratio < 1:
        padded += [(float(use.request_milli), use.request_milli) for use in missing]
    elif ratio > 1:
        padded += [(0.0, use.request_milli) for use in missing + unready]
    new_ratio = 100 * sum(use for use, _ in padded) / (sum(request for _, request in padded) or 1) / target_percent
    turned = (ratio < 1 < new_ratio) or (ratio > 1 > new_ratio)
    count = math.ceil(new_ratio * len(padded))
    wrong_way = (new_ratio < 1 and count > current) or (new_ratio > 1 and count < current)
    if turned or wrong_way or tolerances.hold(new_ratio):
        return Measured(current, utilisation, average)
    return Measured(count, utilisation, average)


# -- one autoscaler ---------------------------------------------------------------------------------------------------


def _one(cluster: Cluster, hpa: Json) -> None:
    reference = hpa["spec"]["scaleTargetRef"]
    row = _TARGETS.get(reference["kind"])
    target = cluster.store.peek(row, hpa["metadata"]["namespace"], reference["name"]) if row else None
    if row is None or target is None:
        _write(cluster, hpa, _failed(cluster, hpa, f'{reference["kind"]}.apps "{reference["name"]}" not found'))
        return
    current = target["spec"].get("replicas", 1)
    if current == 0:
        _write(cluster, hpa, _disabled(cluster, hpa))
        return
    measured = _measure(cluster, hpa, target, current)
    wanted, limited = _bounded(cluster, hpa, current, measured)
    if wanted != current:
        cluster.update(row, {**target, "spec": {**target["spec"], "replicas": wanted}})
        reason = "cpu resource utilization (percentage of request) above target" if wanted > current else "All metrics below target"
        events.record(cluster, hpa, "SuccessfulRescale", f"New size: {wanted}; reason: {reason}", source=SOURCE)
    _write(cluster, hpa, _status(cluster, hpa, target, measured, wanted, limited))


def _measure(cluster: Cluster, hpa: Json, target: Json, current: int) -> Measured:
    percent = _target_percent(hpa)
    if percent is None:
        return Measured(current, None, 0)
    standing = _standing(cluster, target)
    if standing is None:
        return Measured(current, None, 0)
    uses = [each.use(cluster) for each in standing]
    told = {way: _rules(hpa, way).get("tolerance") for way in ("scaleDown", "scaleUp")}
    down, up = (TOLERANCE if each is None else float(quantities.parse(each)) for each in told.values())
    return desired_replicas(uses, current, percent, Tolerances(down, up))


def _target_percent(hpa: Json) -> int | None:
    for metric in hpa["spec"].get("metrics", ()):
        if metric["type"] == "Resource" and metric["resource"]["name"] == "cpu":
            found: int | None = metric["resource"]["target"].get("averageUtilization")
            return found
    old: int | None = hpa["spec"].get("targetCPUUtilizationPercentage")
    return old


def _requests(pod: Json) -> bool:
    """Whether each container asks for CPU: of what it does not ask for there is no share."""
    return all("cpu" in each.get("resources", {}).get("requests", {}) for each in pod["spec"]["containers"])


def members(cluster: Cluster, target: Json) -> list[Json]:
    """The pods that the target's selector selects."""
    return cluster.pods_with(target["metadata"]["namespace"], target["spec"]["selector"].get("matchLabels", {}))


class _Standing(NamedTuple):
    """A pod that counts: all of it but what it uses now."""

    pod: Json
    request_milli: int
    running: bool
    ready: bool

    def use(self, cluster: Cluster) -> PodUse:
        return PodUse(self.request_milli, cluster.load.cpu_milli(self.pod, cluster.now) if self.running else None, self.ready)


def _standing(cluster: Cluster, target: Json) -> list[_Standing] | None:
    """The target's active pods, looked for anew only when any pod changed. None where one asks for no CPU."""
    kept: dict[str, tuple[list[Json], Json, list[_Standing] | None]] = cluster.memo.setdefault("hpa-pods", {})
    every, uid = cluster.all(PODS), target["metadata"]["uid"]
    known = kept.get(uid)
    if known is None or known[0] is not every or known[1] is not target["spec"]:
        active = [pod for pod in members(cluster, target) if pods.is_active(pod)]
        found = None if any(not _requests(pod) for pod in active) else [_stands(pod) for pod in active]
        known = kept[uid] = (every, target["spec"], found)
    return known[2]


def _stands(pod: Json) -> _Standing:
    running = any("running" in each["state"] for each in pod.get("status", {}).get("containerStatuses", ()))
    return _Standing(pod, scheduling.demand(pod).get("cpu", 0), running, running and pods.is_ready(pod))


# -- bounds, policies, stabilisation ----------------------------------------------------------------------------------


def _bounded(cluster: Cluster, hpa: Json, current: int, measured: Measured) -> tuple[int, tuple[str, str, str]]:
    """The replicas to have, and the ScalingLimited condition as (status, reason, message)."""
    low, high = hpa["spec"].get("minReplicas", 1), hpa["spec"]["maxReplicas"]
    if current > high:
        return high, _limit("TooManyReplicas", "more", "maximum")
    if current < low:
        return low, _limit("TooFewReplicas", "less", "minimum")
    stable = _stabilised(cluster, hpa, current, measured.replicas)
    allowed = _by_policy(cluster, hpa, current, stable)
    bounded = max(low, min(high, allowed))
    if bounded < allowed or (bounded == high and measured.replicas > high):
        return bounded, _limit("TooManyReplicas", "more", "maximum")
    if bounded > allowed or (bounded == low and measured.replicas < low):
        return bounded, _limit("TooFewReplicas", "less", "minimum")
    if allowed != stable:
        return bounded, (
            "True",
            "ScaleUpLimit" if stable > current else "ScaleDownLimit",
            "the desired replica count is increasing faster than the maximum scale rate",
        )
    return bounded, ("False", "DesiredWithinRange", "the desired count is within the acceptable range")


def _limit(reason: str, way: str, which: str) -> tuple[str, str, str]:
    return "True", reason, f"the desired replica count is {way} than the {which} replica count"


def _rules(hpa: Json, way: str) -> Json:
    return {**(_UP if way == "scaleUp" else _DOWN), **hpa["spec"].get("behavior", {}).get(way, {})}


def _stabilised(cluster: Cluster, hpa: Json, current: int, recommended: int) -> int:
    """The safest recommendation of each direction's window."""
    kept: list[tuple[datetime, int]] = cluster.memo.setdefault("hpa-advice", {}).setdefault(hpa["metadata"]["uid"], [])
    kept.append((cluster.now, recommended))
    windows = {way: _rules(hpa, way).get("stabilizationWindowSeconds") or 0 for way in ("scaleUp", "scaleDown")}
    longest = timedelta(seconds=max(windows.values()))
    oldest = cluster.now - longest
    kept[:] = [each for each in kept if each[0] >= oldest]
    since = {way: cluster.now - timedelta(seconds=seconds) for way, seconds in windows.items()}
    up = min([recommended, *(count for at, count in kept if at > since["scaleUp"])])
    down = max([recommended, *(count for at, count in kept if at > since["scaleDown"])])
    return up if up > current else min(current, down)


def _by_policy(cluster: Cluster, hpa: Json, current: int, wanted: int) -> int:
    """How far one step may go; changes within a policy's period count against it."""
    moves: list[tuple[datetime, int]] = cluster.memo.setdefault("hpa-moves", {}).setdefault(hpa["metadata"]["uid"], [])
    way = "scaleUp" if wanted > current else "scaleDown"
    rules = _rules(hpa, way)
    limits = []
    for policy in rules.get("policies") or ():
        since = cluster.now - timedelta(seconds=policy["periodSeconds"])
        recent = sum(change for at, change in moves if at > since and (change > 0) == (way == "scaleUp"))
        start = current - recent
        step = policy["value"] if policy["type"] == "Pods" else start * policy["value"] / 100
        limits.append(math.ceil(start + step) if way == "scaleUp" else math.floor(start - step))
    choose = {"Max": max, "Min": min}.get(rules.get("selectPolicy", "Max"))
    if choose is None:
        return current
    if way == "scaleDown":
        choose = min if choose is max else max
    result = (min(wanted, choose(limits)) if way == "scaleUp" else max(wanted, choose(limits))) if limits else wanted
    if result != current:
        moves.append((cluster.now, result - current))
        moves[:] = moves[-50:]
    return result


# -- status -----------------------------------------------------------------------------------------------------------


def _status(cluster: Cluster, hpa: Json, target: Json, measured: Measured, wanted: int, limited: tuple[str, str, str]) -> Json:
    current = target["spec"].get("replicas", 1)
    old = hpa.get("status", {})
    status: Json = {"currentReplicas": target.get("status", {}).get("replicas", current), "desiredReplicas": wanted}
    if measured.utilisation is not None:
        use = {"averageUtilization": measured.utilisation, "averageValue": f"{measured.average_milli}m"}
        status["currentMetrics"] = [{"type": "Resource", "resource": {"name": "cpu", "current": use}}]
    last = stamp(cluster.now) if wanted != current else old.get("lastScaleTime")
    if last:
        status["lastScaleTime"] = last
    conditions: list[Json] = old.get("conditions", [])
    able = (
        ("SucceededRescale", f"the HPA controller was able to update the target scale to {wanted}")
        if wanted != current
        else ("ReadyForNewScale", "recommended size matches current size")
    )
    if wanted == current and measured.replicas < current and limited[1] == "DesiredWithinRange":
        able = ("ScaleDownStabilized", "recent recommendations were higher than current one, applying the highest recent recommendation")
    conditions = put(conditions, "AbleToScale", "True", cluster.now, reason=able[0], message=able[1])
    if measured.utilisation is None:
        conditions = put(
            conditions,
            "ScalingActive",
            "False",
            cluster.now,
            reason="FailedGetResourceMetric",
            message="the HPA was unable to compute the replica count: no metrics returned from resource metrics API",
        )
    else:
        conditions = put(
            conditions,
            "ScalingActive",
            "True",
            cluster.now,
            reason="ValidMetricFound",
            message="the HPA was able to successfully calculate a replica count from cpu resource utilization (percentage of request)",
        )
    status["conditions"] = put(conditions, "ScalingLimited", limited[0], cluster.now, reason=limited[1], message=limited[2])
    return status


def _failed(cluster: Cluster, hpa: Json, why: str) -> Json:
    message = f"the HPA controller was unable to get the target's current scale: {why}"
    conditions = put(
        hpa.get("status", {}).get("conditions", []), "AbleToScale", "False", cluster.now, reason="FailedGetScale", message=message
    )
    return {"currentReplicas": 0, "desiredReplicas": 0, **hpa.get("status", {}), "conditions": conditions}


def _disabled(cluster: Cluster, hpa: Json) -> Json:
    message = "scaling is disabled since the replica count of the target is zero"
    conditions = put(
        hpa.get("status", {}).get("conditions", []), "ScalingActive", "False", cluster.now, reason="ScalingDisabled", message=message
    )
    return {**hpa.get("status", {}), "currentReplicas": 0, "desiredReplicas": 0, "conditions": conditions}


def _write(cluster: Cluster, hpa: Json, status: Json) -> None:
    """Quietly: no controller reads an autoscaler's status."""
    old = hpa.get("status", {})
    if status != old:
        cluster.quietly(lambda: cluster.set_status(HPAS, hpa, status))
