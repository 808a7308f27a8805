"""Did it do what it should? Looks at what the action did not write: status of controllers and kubelets, metrics of the workload.

One function per signal, in one table. Without data there is no success: a required signal that nobody can tell is a miss at the deadline.
"""

import json
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any, Literal, NamedTuple

from core.cluster import quantities
from core.cluster.kinds import ENDPOINT_SLICE, KINDS
from core.cluster.placing import tolerated
from core.cluster.queries import Query, Sample, Shape
from core.domain.check import Check, Look, Signal
from core.domain.errors import Day2Error
from core.domain.ledger import ActionRow
from core.domain.values import Json, at_path, bounded, canonical
from gate import workloads
from gate.executing.hands import Hands

GUARDS = frozenset({Signal.LATENCY_P99, Signal.ERROR_RATIO})
"""What people promised. Bad twice in a row, with the change itself complete, ends the watch; during a rollout it may still pass."""

LONGEST_WINDOW, SHORTEST_WINDOW = 300, 60

Answer = tuple[bool | None, str]


class Scene(NamedTuple):
    """What one look is about. `since` is when the write was sent; `live` the check's target now, None when it is gone."""

    hands: Hands
    check: Check
    live: Json | None
    since: datetime
    before: Json


async def look(hands: Hands, row: ActionRow, check: Check) -> tuple[Look, ...]:
    """One look at each expectation. A source that does not answer is no data, not a failure."""
    kept = json.loads(row.before)
    live = await hands.reader.get(KINDS[check.target.kind], check.target.namespace, check.target.name)
    scene = Scene(hands, check, live, datetime.fromisoformat(kept["at"]), kept["before"])
    looks = []
    for expectation in check.expectations:
        try:
            held, seen = await _SIGNALS[expectation.signal](scene, expectation.bound)
        except Day2Error as error:
            held, seen = None, str(error)
        except (TypeError, ValueError, KeyError, AttributeError) as error:  # the cluster answered something that no API server answers
            held, seen = None, f"unreadable: {type(error).__name__}"
        looks.append(Look(signal=expectation.signal, held=held, seen=bounded(seen, 200)))
    return tuple(looks)


def decide(check: Check, looks: tuple[Look, ...], before: tuple[Look, ...], *, last: bool) -> Literal["verified", "missed", "wait"]:
    """Pure. `before` is the look before this one, `last` whether the watch is over."""
    required = {expectation.signal for expectation in check.expectations if expectation.required}
    failing = {item.signal for item in looks if item.held is False}
    still = failing & {item.signal for item in before if item.held is False}
    complete = all(item.held for item in looks if item.signal in required)
    if Signal.LEASE_HELD in failing or Signal.RESTARTS_STEADY in still or (still & GUARDS and complete):
        return "missed"
    sure = bool(before) or not guarded(check)  # one short window of a metric may lie mostly within the rollout
    if complete and not failing and (last or (check.early and sure)):
        return "verified"
    return "missed" if last else "wait"


def guarded(check: Check) -> bool:
    return any(expectation.signal in GUARDS for expectation in check.expectations)


def first_look_seconds(check: Check) -> int:
    """After settling; where a promise is watched, not before a whole window of the metric lies after the write."""
    return max(check.settle_seconds, SHORTEST_WINDOW) if guarded(check) else check.settle_seconds


def previous(row: ActionRow) -> tuple[Look, ...]:
    return tuple(Look.model_validate_json(canonical(item)) for item in json.loads(row.looks or "[]"))


def kept(looks: tuple[Look, ...]) -> str:
    return canonical([item.model_dump(mode="json") for item in looks]).decode()


def sentence(looks: tuple[Look, ...]) -> str:
    """What people read: the bad news if there is any."""
    bad = [item for item in looks if item.held is False]
    return "; ".join(f"{item.signal.value.replace('_', ' ')}: {item.seen}" for item in bad or looks)


async def _rollout_complete(scene: Scene, _: int) -> Answer:
    if scene.live is None:
        return False, "the workload is gone"
    status = scene.live.get("status") or {}
    return workloads.rolled_out(scene.live), f"{status.get('updatedReplicas', 0)} updated, {status.get('availableReplicas', 0)} available"


async def _pods_ready(scene: Scene, bound: int) -> Answer:
    pods = await _pods(scene)
    count = sum(workloads.ready(pod) for pod in pods)
    return count >= bound, f"{count} of at least {bound} pods ready"


async def _restarts_steady(scene: Scene, _: int) -> Answer:
    restarted = workloads.restarted_since(await _pods(scene), scene.since)
    return not restarted, f"restarted: {', '.join(restarted[:5])}" if restarted else "no restart"


async def _latency_p99(scene: Scene, bound: int) -> Answer:
    return await _worst(scene, Shape.LATENCY_P99, bound, "ms")


async def _error_ratio(scene: Scene, bound: int) -> Answer:
    return await _worst(scene, Shape.ERROR_RATIO, bound, "per mille")


async def _worst(scene: Scene, shape: Shape, bound: int, unit: str) -> Answer:
    """The worst of the services before the target's pods, over a window that starts after the write."""
    if not bound:
        return True, "nobody set a bound"
    if scene.hands.metrics is None:
        return None, "there is no metrics source"
    now = scene.hands.clock.now()
    window = min(LONGEST_WINDOW, int((now - scene.since).total_seconds()) // SHORTEST_WINDOW * SHORTEST_WINDOW)
    if not window:
        return None, "too early to tell: the window would begin before the write"
    samples = await scene.hands.metrics.instant(Query(shape, scene.check.target.namespace, rate_seconds=window), now)
    services = await _services(scene)
    values = [_thousandths(sample) for sample in samples if sample.label("service") in services]
    if not values:
        return None, "no data for its services"
    return max(values) <= bound, f"{max(values)} {unit}, bound {bound}"


def _thousandths(sample: Sample) -> int:
    return round(sample.value * 1000)


async def _services(scene: Scene) -> set[str]:
    """Names of the services whose selector takes the target's pods."""
    marks = workloads.labels(workloads.template(await workloads.scaled_by(scene.hands.reader, scene.live or {})))
    found = await scene.hands.reader.list(KINDS["Service"], scene.check.target.namespace)
    return {
        str(at_path(service, "metadata.name"))
        for service in found
        if (chosen := at_path(service, "spec.selector")) and all(marks.get(key) == value for key, value in chosen.items())
    }


async def _pods_gone(scene: Scene, _: int) -> Answer:
    pods = [pod for pod in await _pods(scene) if at_path(pod, "spec.nodeName") and at_path(pod, "status.phase") not in workloads.FINISHED]
    return not pods, f"{len(pods)} pods still hold a node"


async def _pod_replaced(scene: Scene, _: int) -> Answer:
    if scene.live is not None and at_path(scene.live, "metadata.uid") == scene.check.target.uid:
        return False, "it is still there"
    owner = next((item for item in at_path(scene.before, "metadata.ownerReferences") or () if item.get("controller")), None)
    if owner is None or owner.get("kind") not in KINDS:
        return True, "it is gone, and nothing owned it"
    parent = await scene.hands.reader.get(KINDS[str(owner["kind"])], scene.check.target.namespace, str(owner.get("name")))
    wanted, count = at_path(parent or {}, "spec.replicas") or 0, at_path(parent or {}, "status.readyReplicas") or 0
    return count >= wanted, f"it is gone; its owner has {count} of {wanted} ready"


async def _resize_done(scene: Scene, _: int) -> Answer:
    pod = scene.live
    if pod is None:
        return False, "the pod is gone"
    waiting = [
        item
        for item in at_path(pod, "status.conditions") or ()
        if str(item.get("type")).startswith("PodResize") and item.get("status") == "True"
    ]
    if waiting:
        return False, f"{waiting[0].get('type')}: {waiting[0].get('message') or waiting[0].get('reason') or ''}"
    wanted = {item["name"]: at_path(item, "resources.requests") or {} for item in at_path(pod, "spec.containers") or ()}
    actual = {item["name"]: at_path(item, "resources.requests") or {} for item in at_path(pod, "status.containerStatuses") or ()}
    wrong = [name for name, asked in wanted.items() if _amounts(actual.get(name, {})) != _amounts(asked)]
    if wrong:
        return False, f"the kubelet does not report it yet for {', '.join(wrong)}"
    restarted = workloads.restarted_since([pod], scene.since)
    return not restarted, "resized in place" if not restarted else "it restarted"


def _amounts(requests: dict[str, Any]) -> dict[str, Any]:
    return {name: quantities.parse(value) for name, value in requests.items()}


async def _node_cordoned(scene: Scene, _: int) -> Answer:
    if scene.live is None or not at_path(scene.live, "spec.unschedulable"):
        return False, "the node takes pods"
    young = [pod for pod in await _pods(scene) if (bound := _bound_at(pod)) and bound > scene.since and not _of_daemon(pod)]
    return not young, f"{len(young)} pods were bound since" if young else "no pod was bound since"


def _bound_at(pod: Json) -> datetime | None:
    conditions = at_path(pod, "status.conditions") or ()
    times = [item.get("lastTransitionTime") for item in conditions if item.get("type") == "PodScheduled" and item.get("status") == "True"]
    return workloads.moment(times[0] if times else at_path(pod, "status.startTime"))


def _of_daemon(pod: Json) -> bool:
    return any(item.get("kind") == "DaemonSet" for item in at_path(pod, "metadata.ownerReferences") or ())


async def _node_released(scene: Scene, _: int) -> Answer:
    taint = ("node.kubernetes.io/out-of-service", "nodeshutdown", "NoExecute")
    pods = [pod for pod in await _pods(scene) if not tolerated(at_path(pod, "spec.tolerations") or (), *taint)]
    volumes = await scene.hands.reader.list(KINDS["VolumeAttachment"])
    held = sum(at_path(each, "spec.nodeName") == scene.check.target.name for each in volumes)
    return not pods and not held, f"{len(pods)} pods and {held} volumes are still bound to it"


async def _pods_admitted(scene: Scene, _: int) -> Answer:
    return await _refused(scene, "PodSecurity")


async def _refused(scene: Scene, words: str) -> Answer:
    """By what controllers that make pods reported since the write."""
    target = scene.check.target
    events = await scene.hands.reader.list(KINDS["Event"], target.name if target.kind == "Namespace" else target.namespace)
    refused = [
        event
        for event in events
        if event.get("reason") == "FailedCreate" and words in str(event.get("message")) and _after(event, scene.since)
    ]
    return not refused, f"{len(refused)} refusals since" if refused else "no pod was refused"


def _after(event: Json, since: datetime) -> bool:
    when = workloads.moment(at_path(event, "series.lastObservedTime") or event.get("lastTimestamp") or event.get("eventTime"))
    return when is None or when >= since


async def _autoscaler_agrees(scene: Scene, _: int) -> Answer:
    if scene.live is None:
        return False, "the autoscaler is gone"
    low, high = at_path(scene.live, "spec.minReplicas") or 1, at_path(scene.live, "spec.maxReplicas") or 0
    wanted, now = at_path(scene.live, "status.desiredReplicas"), at_path(scene.live, "status.currentReplicas")
    if wanted is None or now is None:
        return None, "it has not looked yet"
    return low <= wanted <= high and low <= now <= high, f"{now} replicas, {wanted} wanted, bounds {low} to {high}"


async def _endpoints_ready(scene: Scene, bound: int) -> Answer:
    slices = await scene.hands.reader.list(ENDPOINT_SLICE, scene.check.target.namespace)
    own = [item for item in slices if workloads.labels(item).get("kubernetes.io/service-name") == scene.check.target.name]
    listed = [each for item in own if item.get("ports") for each in item.get("endpoints") or ()]
    count = sum(len(each.get("addresses") or ()) for each in listed if at_path(each, "conditions.ready") is not False)
    return count >= bound, f"{count} of at least {bound} ready addresses"


async def _quota_admits(scene: Scene, _: int) -> Answer:
    asked, held = (at_path(scene.live or {}, f"{part}.hard") or {} for part in ("spec", "status"))
    if not asked or _amounts(asked) != _amounts(held):
        return False, "the quota controller has not taken the amounts over"
    settled = scene.since + timedelta(seconds=scene.check.settle_seconds)  # until then whoever makes pods may meet the old amounts
    return await _refused(scene._replace(since=settled), "exceeded quota")


async def _node_open(scene: Scene, _: int) -> Answer:
    if scene.live is None or not workloads.ready(scene.live):
        return False, "the node is not ready"
    closed = [item for item in at_path(scene.live, "spec.taints") or () if item.get("key") == "node.kubernetes.io/unschedulable"]
    return not closed, "still tainted as unschedulable" if closed else "ready, and open to new pods"


async def _object_gone(scene: Scene, _: int) -> Answer:
    gone = at_path(scene.live or {}, "metadata.uid") != scene.check.target.uid
    return gone, "the object is gone" if gone else "the object is still there"


async def _lease_held(scene: Scene, _: int) -> Answer:  # noqa: ARG001 - every signal is asked the same way
    return False, "its lease ran out, or was given up"  # whoever holds the lease moves this look away: that it comes is the answer


async def _pods(scene: Scene) -> list[Json]:
    return await workloads.pods_of(scene.hands.reader, scene.live) if scene.live else []


_SIGNALS: dict[Signal, Callable[[Scene, int], Awaitable[Answer]]] = {
    Signal.ROLLOUT_COMPLETE: _rollout_complete,
    Signal.PODS_READY: _pods_ready,
    Signal.RESTARTS_STEADY: _restarts_steady,
    Signal.LATENCY_P99: _latency_p99,
    Signal.ERROR_RATIO: _error_ratio,
    Signal.PODS_GONE: _pods_gone,
    Signal.POD_REPLACED: _pod_replaced,
    Signal.RESIZE_DONE: _resize_done,
    Signal.NODE_CORDONED: _node_cordoned,
    Signal.NODE_RELEASED: _node_released,
    Signal.PODS_ADMITTED: _pods_admitted,
    Signal.AUTOSCALER_AGREES: _autoscaler_agrees,
    Signal.ENDPOINTS_READY: _endpoints_ready,
    Signal.QUOTA_ADMITS: _quota_admits,
    Signal.NODE_OPEN: _node_open,
    Signal.OBJECT_GONE: _object_gone,
    Signal.LEASE_HELD: _lease_held,
}
