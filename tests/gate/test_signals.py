"""What each signal of a verification takes for kept, missed and untold, seen on a cluster that answers from a table."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from core.cluster.queries import Query, Sample, Shape
from core.domain.check import Check, Expectation, Look, Signal
from core.domain.target import Target
from gate.executing import verifying
from tools.metrics.twin import TableMetrics

SINCE = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
BEFORE, AFTER = "2026-11-23T11:59:59Z", "2026-11-23T12:00:00Z"
KINDS_OF_GROUP = {"Deployment": "apps", "HorizontalPodAutoscaler": "autoscaling"}


def aim(kind: str, name: str, namespace: str = "shop") -> Target:
    inside = "" if kind in ("Node", "Namespace") else namespace
    return Target(cluster="cluster-1", group=KINDS_OF_GROUP.get(kind, ""), kind=kind, namespace=inside, name=name, uid="uid-1")


async def look(gate: Any, signal: Signal, target: Target, bound: int = 0, before: Any = None) -> tuple[bool | None, str]:
    """One look of an action that was sent at noon and saw `before`."""
    made = Check(target=target, expectations=(Expectation(signal=signal, bound=bound),), settle_seconds=0, watch_seconds=60)
    action = await gate.submit(gate.proposal(gate.scale()))
    row = gate.row(action)._replace(before=json.dumps({"at": SINCE.isoformat(), "before": before or {}}))
    (found,) = await verifying.look(gate.hands, row, made)
    return found.held, found.seen


def event(message: str = 'pods "cart" is forbidden: violates PodSecurity "restricted:latest"', **fields: Any) -> dict[str, Any]:
    made = {"kind": "Event", "metadata": {"namespace": "shop", "name": "e"}, "reason": "FailedCreate", "message": message}
    return made | {"lastTimestamp": AFTER} | fields


@pytest.mark.parametrize(
    ("found", "held"),
    [
        (event(), False),
        (event(lastTimestamp=BEFORE), True),
        (event(lastTimestamp=BEFORE, series={"lastObservedTime": AFTER}), False),
        (event(lastTimestamp=None, eventTime=BEFORE), True),
        (event(lastTimestamp=None), False),
        (event("exceeded quota"), True),
        (event(reason="Pulled"), True),
        (event(metadata={"namespace": "payments", "name": "e"}), True),
    ],
    ids=[
        "since",
        "before",
        "seen again since",
        "before, in the new field",
        "nobody says when",
        "for another reason",
        "no refusal",
        "elsewhere",
    ],
)
async def test_pods_are_admitted_while_no_refusal_came_since_the_write(gate: Any, found: dict[str, Any], *, held: bool) -> None:
    gate.cluster.put(found)
    for target in (aim("Namespace", "shop"), aim("Deployment", "cart")):
        said = "no pod was refused" if held else "1 refusals since"
        assert await look(gate, Signal.PODS_ADMITTED, target) == (held, said)


@pytest.mark.parametrize(
    ("wanted", "now", "held"),
    [(2, 2, True), (5, 5, True), (1, 2, False), (2, 1, False), (6, 5, False), (5, 6, False), (None, 3, None), (3, None, None)],
)
async def test_an_autoscaler_agrees_when_what_it_wants_and_has_lies_within_its_bounds(
    gate: Any, wanted: int | None, now: int | None, held: bool | None
) -> None:
    status = {"desiredReplicas": wanted, "currentReplicas": now}
    metadata = {"name": "cart", "namespace": "shop", "uid": "uid-1"}
    gate.cluster.put(
        {"kind": "HorizontalPodAutoscaler", "metadata": metadata, "spec": {"minReplicas": 2, "maxReplicas": 5}, "status": status}
    )
    found, seen = await look(gate, Signal.AUTOSCALER_AGREES, aim("HorizontalPodAutoscaler", "cart"))
    assert found is held
    assert seen == ("it has not looked yet" if held is None else f"{now} replicas, {wanted} wanted, bounds 2 to 5")


async def test_an_autoscaler_without_an_upper_bound_agrees_with_nothing(gate: Any) -> None:
    metadata = {"name": "cart", "namespace": "shop"}
    status = {"desiredReplicas": 1, "currentReplicas": 1}
    gate.cluster.put({"kind": "HorizontalPodAutoscaler", "metadata": metadata, "spec": {}, "status": status})
    assert await look(gate, Signal.AUTOSCALER_AGREES, aim("HorizontalPodAutoscaler", "cart")) == (
        False,
        "1 replicas, 1 wanted, bounds 1 to 0",
    )


async def test_an_autoscaler_without_a_lower_bound_holds_one_copy(gate: Any) -> None:
    made = {"kind": "HorizontalPodAutoscaler", "metadata": {"name": "cart", "namespace": "shop"}, "spec": {"maxReplicas": 5}}
    for low, held in ((1, True), (0, False)):
        gate.cluster.put(made | {"status": {"desiredReplicas": low, "currentReplicas": low}})
        assert (await look(gate, Signal.AUTOSCALER_AGREES, aim("HorizontalPodAutoscaler", "cart")))[0] is held


@pytest.mark.parametrize(
    ("signal", "kind", "words"),
    [
        (Signal.AUTOSCALER_AGREES, "HorizontalPodAutoscaler", "gone"),
        (Signal.RESIZE_DONE, "Pod", "gone"),
        (Signal.ROLLOUT_COMPLETE, "Deployment", "gone"),
        (Signal.NODE_CORDONED, "Node", "takes pods"),
    ],
)
async def test_what_is_gone_keeps_no_promise(gate: Any, signal: Signal, kind: str, words: str) -> None:
    held, seen = await look(gate, signal, aim(kind, "nowhere"))
    assert held is False
    assert words in seen


def resized(gate: Any, **status: Any) -> dict[str, Any]:
    """A pod of which 2 cores and 1 GiB are asked."""
    made = gate.pod("cart-9")
    made["spec"]["containers"][0]["resources"]["requests"] = {"cpu": "2", "memory": "1Gi"}
    made["status"]["containerStatuses"][0] |= {"resources": {"requests": {"cpu": "2000m", "memory": "1024Mi"}}} | status
    return dict(gate.cluster.put(made))


async def test_a_resize_is_done_when_the_kubelet_reports_the_amounts_however_it_writes_them(gate: Any) -> None:
    resized(gate)
    assert await look(gate, Signal.RESIZE_DONE, aim("Pod", "cart-9")) == (True, "resized in place")


@pytest.mark.parametrize("reported", [{"cpu": "1", "memory": "1Gi"}, {"cpu": "2"}, None])
async def test_a_resize_that_the_kubelet_does_not_report_is_not_done(gate: Any, reported: Any) -> None:
    resized(gate, resources={"requests": reported} if reported else None)
    assert await look(gate, Signal.RESIZE_DONE, aim("Pod", "cart-9")) == (False, "the kubelet does not report it yet for app")


async def test_a_resize_that_restarted_its_container_did_not_happen_in_place(gate: Any) -> None:
    resized(gate, restartCount=1, lastState={"terminated": {"finishedAt": AFTER}})
    assert await look(gate, Signal.RESIZE_DONE, aim("Pod", "cart-9")) == (False, "it restarted")


@pytest.mark.parametrize(
    ("condition", "seen"),
    [
        ({"type": "PodResizePending", "status": "True", "reason": "Deferred", "message": "no room"}, "PodResizePending: no room"),
        ({"type": "PodResizePending", "status": "True", "reason": "Infeasible"}, "PodResizePending: Infeasible"),
        ({"type": "PodResizeInProgress", "status": "True"}, "PodResizeInProgress: "),
    ],
)
async def test_a_resize_that_waits_says_for_what(gate: Any, condition: dict[str, Any], seen: str) -> None:
    pod = resized(gate)
    pod["status"]["conditions"] = [{"type": "PodResizePending", "status": "False"}, condition]
    assert await look(gate, Signal.RESIZE_DONE, aim("Pod", "cart-9")) == (False, seen)


async def test_a_resize_that_waited_once_is_done_when_it_waits_no_more(gate: Any) -> None:
    resized(gate)["status"]["conditions"] = [{"type": "PodResizePending", "status": "False"}, {"type": "Ready", "status": "True"}]
    assert (await look(gate, Signal.RESIZE_DONE, aim("Pod", "cart-9")))[0] is True


@pytest.mark.parametrize(
    ("phase", "node", "held"),
    [("Running", "node-1", False), ("Succeeded", "node-1", True), ("Failed", "node-1", True), ("Pending", "", True)],
)
async def test_pods_are_gone_when_none_that_still_runs_holds_a_node(gate: Any, phase: str, node: str, *, held: bool) -> None:
    for number in (0, 1):
        pod = gate.cluster.object("Pod", "shop", f"cart-{number}")
        pod["status"]["phase"], pod["spec"]["nodeName"] = phase, node
    assert await look(gate, Signal.PODS_GONE, aim("Deployment", "cart")) == (held, f"{0 if held else 2} pods still hold a node")


def owned(kind: str = "Deployment", *, controller: bool = True) -> dict[str, Any]:
    other = {"kind": "ConfigMap", "name": "cart"}
    return {"metadata": {"ownerReferences": [other, {"kind": kind, "name": "cart", "controller": controller}]}}


async def test_a_pod_is_replaced_when_its_controller_is_whole_again(gate: Any) -> None:
    live, target = gate.cluster.object("Deployment", "shop", "cart"), aim("Pod", "cart-gone")
    for ready, held in ((2, True), (1, False), (None, False)):
        live["status"]["readyReplicas"] = ready
        found = await look(gate, Signal.POD_REPLACED, target, before=owned())
        assert found == (held, f"it is gone; its owner has {ready or 0} of 2 ready")
    for owner in (owned("Sandwich"), owned(controller=False)):
        assert (await look(gate, Signal.POD_REPLACED, target, before=owner))[1] == "it is gone, and nothing owned it"


async def test_a_pod_under_its_old_name_is_replaced_when_its_uid_is_another(gate: Any) -> None:
    pod = gate.cluster.object("Pod", "shop", "cart-0")
    for uid, held in (("uid-1", False), ("uid-2", True)):
        pod["metadata"]["uid"] = uid
        assert (await look(gate, Signal.POD_REPLACED, aim("Pod", "cart-0")))[0] is held


@pytest.mark.parametrize(("bound_at", "held"), [(BEFORE, True), (AFTER, True), ("2026-11-23T12:00:01Z", False)])
async def test_a_node_is_cordoned_when_no_pod_was_bound_to_it_since(gate: Any, bound_at: str, *, held: bool) -> None:
    gate.cluster.object("Node", "", "node-1")["spec"]["unschedulable"] = True
    gate.cluster.object("Pod", "shop", "cart-0")["status"]["startTime"] = bound_at
    said = "no pod was bound since" if held else "1 pods were bound since"
    assert await look(gate, Signal.NODE_CORDONED, aim("Node", "node-1")) == (held, said)
    gate.cluster.object("Node", "", "node-1")["spec"]["unschedulable"] = False
    assert await look(gate, Signal.NODE_CORDONED, aim("Node", "node-1")) == (False, "the node takes pods")


async def test_the_time_of_binding_is_the_schedulers_before_the_kubelets(gate: Any) -> None:
    gate.cluster.object("Node", "", "node-1")["spec"]["unschedulable"] = True
    pod = gate.cluster.object("Pod", "shop", "cart-0")
    pod["status"]["startTime"] = "2026-11-23T12:00:05Z"
    pod["status"]["conditions"] = [
        {"type": "Ready", "status": "True", "lastTransitionTime": "2026-11-23T12:00:06Z"},
        {"type": "PodScheduled", "status": "True", "lastTransitionTime": BEFORE},
    ]
    assert (await look(gate, Signal.NODE_CORDONED, aim("Node", "node-1")))[0] is True
    pod["status"]["conditions"][1]["status"] = "False"
    assert (await look(gate, Signal.NODE_CORDONED, aim("Node", "node-1")))[0] is False


async def test_a_node_is_released_when_no_pod_that_must_go_and_no_volume_is_bound_to_it(gate: Any) -> None:
    pod, other = (gate.cluster.object("Pod", "shop", name) for name in ("cart-0", "cart-1"))
    other["spec"]["nodeName"] = "node-2"
    volume = {"kind": "VolumeAttachment", "metadata": {"name": "csi-1", "uid": "uid-csi"}, "spec": {"nodeName": "node-1"}}
    gate.cluster.put(volume)
    assert await look(gate, Signal.NODE_RELEASED, aim("Node", "node-1")) == (False, "1 pods and 1 volumes are still bound to it")
    pod["spec"]["tolerations"] = [{"operator": "Exists"}]
    assert (await look(gate, Signal.NODE_RELEASED, aim("Node", "node-1")))[1] == "0 pods and 1 volumes are still bound to it"
    volume["spec"]["nodeName"] = "node-2"
    assert (await look(gate, Signal.NODE_RELEASED, aim("Node", "node-1")))[0] is True
    pod["spec"]["tolerations"] = [{"key": "node.kubernetes.io/out-of-service", "operator": "Exists", "effect": "NoSchedule"}]
    assert (await look(gate, Signal.NODE_RELEASED, aim("Node", "node-1")))[0] is False


def service(name: str, **selector: str) -> dict[str, Any]:
    return {"kind": "Service", "metadata": {"name": name, "namespace": "shop", "uid": name}, "spec": {"selector": selector or None}}


def sampled(gate: Any, shape: Shape, seconds: int, **values: float) -> None:
    samples = tuple(Sample((("namespace", "shop"), ("service", name)), 0.0, value) for name, value in values.items())
    gate.hands = replace(gate.hands, metrics=TableMetrics({Query(shape, "shop", rate_seconds=seconds): samples}))


async def test_of_several_services_the_worst_counts_and_those_of_others_do_not(gate: Any) -> None:
    gate.cluster.object("Deployment", "shop", "cart")["spec"]["template"]["metadata"]["labels"]["tier"] = "web"
    for made in (
        service("one", app="cart"),
        service("two", app="cart", tier="web"),
        service("three", app="cart", tier="db"),
        service("four"),
    ):
        gate.cluster.put(made)
    gate.clock.advance(60)
    sampled(gate, Shape.ERROR_RATIO, 60, one=0.001, two=0.0104, three=0.9, four=0.9)
    for bound, held in ((10, True), (9, False)):
        assert await look(gate, Signal.ERROR_RATIO, aim("Deployment", "cart"), bound) == (held, f"10 per mille, bound {bound}")


async def test_behind_an_autoscaler_stand_the_services_of_its_workload(gate: Any) -> None:
    reference = {"scaleTargetRef": {"kind": "Deployment", "name": "cart"}}
    gate.cluster.put(
        {"kind": "HorizontalPodAutoscaler", "metadata": {"name": "cart", "namespace": "shop", "uid": "uid-1"}, "spec": reference}
    )
    gate.cluster.put(service("one", app="cart"))
    gate.clock.advance(60)
    sampled(gate, Shape.LATENCY_P99, 60, one=0.2)
    assert (await look(gate, Signal.LATENCY_P99, aim("HorizontalPodAutoscaler", "cart"), 300))[1] == "200 ms, bound 300"


@pytest.mark.parametrize(("seconds", "window"), [(59, 0), (60, 60), (119, 60), (120, 120), (400, 300)])
async def test_the_window_of_a_metric_begins_after_the_write_and_is_five_minutes_at_most(gate: Any, seconds: int, window: int) -> None:
    gate.cluster.put(service("one", app="cart"))
    gate.clock.advance(seconds)
    sampled(gate, Shape.LATENCY_P99, window or 60, one=0.2)
    held, seen = await look(gate, Signal.LATENCY_P99, aim("Deployment", "cart"), 300)
    assert held is (True if window else None)
    assert seen.startswith("200 ms" if window else "too early to tell")


async def test_without_a_source_or_without_samples_nobody_can_tell(gate: Any) -> None:
    gate.clock.advance(60)
    sampled(gate, Shape.LATENCY_P99, 60, another=0.2)
    assert await look(gate, Signal.LATENCY_P99, aim("Deployment", "cart"), 300) == (None, "no data for its services")
    gate.hands = replace(gate.hands, metrics=None)
    assert await look(gate, Signal.LATENCY_P99, aim("Deployment", "cart"), 300) == (None, "there is no metrics source")


async def test_a_rollout_tells_how_far_it_came(gate: Any) -> None:
    gate.cluster.object("Deployment", "shop", "cart")["status"] |= {"updatedReplicas": 1}
    assert await look(gate, Signal.ROLLOUT_COMPLETE, aim("Deployment", "cart")) == (False, "1 updated, 2 available")


async def test_restarts_are_named(gate: Any) -> None:
    gate.cluster.object("Pod", "shop", "cart-1")["status"]["containerStatuses"][0] |= {
        "restartCount": 1,
        "lastState": {"terminated": {"finishedAt": AFTER}},
    }
    assert await look(gate, Signal.RESTARTS_STEADY, aim("Deployment", "cart")) == (False, "restarted: cart-1/app")
    assert await look(gate, Signal.RESTARTS_STEADY, aim("Pod", "cart-0")) == (True, "no restart")


async def test_what_says_nothing_of_itself_is_read_as_nothing_and_not_as_nonsense(gate: Any) -> None:
    gate.cluster.object("Deployment", "shop", "cart")["status"] = None
    assert await look(gate, Signal.ROLLOUT_COMPLETE, aim("Deployment", "cart")) == (False, "0 updated, 0 available")
    pod = gate.cluster.object("Pod", "shop", "cart-0")
    pod["status"] = {"conditions": None, "containerStatuses": None, "startTime": BEFORE}
    pod["spec"]["containers"] = None
    assert await look(gate, Signal.RESIZE_DONE, aim("Pod", "cart-0")) == (True, "resized in place")
    pod["spec"]["containers"] = [{"name": "app", "resources": None}]
    pod["status"]["containerStatuses"] = [{"name": "app", "resources": None}]
    assert await look(gate, Signal.RESIZE_DONE, aim("Pod", "cart-0")) == (True, "resized in place")
    gate.cluster.object("Node", "", "node-1")["spec"]["unschedulable"] = True
    assert (await look(gate, Signal.NODE_CORDONED, aim("Node", "node-1")))[0] is True


async def test_an_owner_that_is_gone_or_wants_none_is_whole(gate: Any) -> None:
    live = gate.cluster.object("Deployment", "shop", "cart")
    live["spec"]["replicas"], live["status"]["readyReplicas"] = None, None
    assert (await look(gate, Signal.POD_REPLACED, aim("Pod", "cart-gone"), before=owned()))[1].endswith("has 0 of 0 ready")
    del gate.cluster.objects["Deployment", "shop", "cart"]
    found = await look(gate, Signal.POD_REPLACED, aim("Pod", "cart-gone"), before=owned())
    assert found == (True, "it is gone; its owner has 0 of 0 ready")


async def test_a_target_that_is_gone_has_no_services(gate: Any) -> None:
    gate.cluster.put(service("one", app="cart"))
    gate.clock.advance(60)
    sampled(gate, Shape.LATENCY_P99, 60, one=1.0)
    assert await look(gate, Signal.LATENCY_P99, aim("Deployment", "gone"), 300) == (None, "no data for its services")
    assert await look(gate, Signal.LATENCY_P99, aim("Deployment", "cart"), 1000) == (True, "1000 ms, bound 1000")


def of(*held: bool | None) -> tuple[Look, ...]:
    signals = (Signal.PODS_READY, Signal.LATENCY_P99, Signal.RESTARTS_STEADY)
    return tuple(Look(signal=signal, held=value, seen=f"seen {value}") for signal, value in zip(signals, held, strict=False))


def test_people_read_the_bad_news_and_all_news_where_there_are_none() -> None:
    assert verifying.sentence(of(True, False, None)) == "latency p99: seen False"
    assert verifying.sentence(of(True, None)) == "pods ready: seen True; latency p99: seen None"


async def test_what_was_seen_is_kept_and_read_as_it_was(gate: Any) -> None:
    row = gate.row(await gate.submit(gate.proposal(gate.scale())))
    assert verifying.previous(row) == ()
    assert verifying.previous(row._replace(looks=verifying.kept(of(True, False, None)))) == of(True, False, None)


@pytest.mark.parametrize(
    ("signal", "settle", "first"), [(Signal.PODS_READY, 30, 30), (Signal.LATENCY_P99, 30, 60), (Signal.ERROR_RATIO, 90, 90)]
)
def test_where_a_promise_is_watched_the_first_look_has_a_whole_window_behind_it(signal: Signal, settle: int, first: int) -> None:
    made = Check(target=aim("Deployment", "cart"), expectations=(Expectation(signal=signal),), settle_seconds=settle, watch_seconds=600)
    assert verifying.first_look_seconds(made) == first


def endpoints(service: str, *ready: bool | None, ports: bool = True, **fields: Any) -> dict[str, Any]:
    """One address each; None is what a controller that does not say ready means."""
    each = [{"addresses": [f"10.0.0.{number}"], "conditions": {} if yes is None else {"ready": yes}} for number, yes in enumerate(ready)]
    metadata = {"name": f"{service}-x", "namespace": "shop", "labels": {"kubernetes.io/service-name": service}}
    made = {"kind": "EndpointSlice", "metadata": metadata, "endpoints": each, "ports": [{"port": 8080}] if ports else None}
    return made | fields


@pytest.mark.parametrize(
    ("found", "held", "said"),
    [
        (endpoints("cart", True), True, "1 of at least 1 ready addresses"),
        (endpoints("cart", None), True, "1 of at least 1 ready addresses"),
        (endpoints("cart", False), False, "0 of at least 1 ready addresses"),
        (endpoints("cart", True, False, True), True, "2 of at least 1 ready addresses"),
        (endpoints("other", True), False, "0 of at least 1 ready addresses"),
        (endpoints("cart", True, ports=False), False, "0 of at least 1 ready addresses"),
        (endpoints("cart", endpoints=None), False, "0 of at least 1 ready addresses"),
        (endpoints("cart", endpoints=[{"addresses": None}]), False, "0 of at least 1 ready addresses"),
    ],
    ids=["ready", "not said", "not ready", "two of three", "of another", "no port", "none", "no address"],
)
async def test_a_service_answers_when_its_endpoint_controller_lists_ready_addresses(
    gate: Any, found: dict[str, Any], said: str, *, held: bool
) -> None:
    gate.cluster.put(found)
    assert await look(gate, Signal.ENDPOINTS_READY, aim("Service", "cart"), 1) == (held, said)


def quota(spec: Any, status: Any) -> dict[str, Any]:
    metadata = {"name": "team", "namespace": "shop", "uid": "uid-1"}
    return {"kind": "ResourceQuota", "metadata": metadata, "spec": {"hard": spec}, "status": {"hard": status}}


@pytest.mark.parametrize(
    ("made", "held"),
    [
        (quota({"cpu": "2", "pods": "5"}, {"cpu": "2000m", "pods": "5"}), True),
        (quota({"cpu": "2"}, {"cpu": "1"}), False),
        (quota({"cpu": "2"}, None), False),
        (quota(None, None), False),
    ],
    ids=["taken over", "not yet", "no status", "nothing asked"],
)
async def test_a_quota_admits_once_its_controller_took_the_amounts_over(gate: Any, made: dict[str, Any], *, held: bool) -> None:
    gate.cluster.put(made)
    said = "no pod was refused" if held else "the quota controller has not taken the amounts over"
    assert await look(gate, Signal.QUOTA_ADMITS, aim("ResourceQuota", "team")) == (held, said)


async def test_a_quota_that_is_gone_admits_nothing(gate: Any) -> None:
    assert (await look(gate, Signal.QUOTA_ADMITS, aim("ResourceQuota", "team")))[0] is False


@pytest.mark.parametrize(
    ("refused", "settle", "held"),
    [
        (event("exceeded quota: team"), 0, False),
        (event("exceeded quota: team"), 1, True),
        (event("exceeded quota: team", lastTimestamp="2026-11-23T12:00:01Z"), 1, False),
        (event("violates PodSecurity"), 0, True),
    ],
    ids=["since", "while it settles", "after it settled", "for another reason"],
)
async def test_a_quota_admits_while_nobody_is_refused_for_it(gate: Any, refused: dict[str, Any], settle: int, *, held: bool) -> None:
    gate.cluster.put(quota({"pods": "5"}, {"pods": "5"}))
    gate.cluster.put(refused)
    target = aim("ResourceQuota", "team")
    check = Check(target=target, expectations=(Expectation(signal=Signal.QUOTA_ADMITS),), settle_seconds=settle, watch_seconds=60)
    action = await gate.submit(gate.proposal(gate.scale()))
    row = gate.row(action)._replace(before=json.dumps({"at": SINCE.isoformat(), "before": {}}))
    (found,) = await verifying.look(gate.hands, row, check)
    assert found.held is held


def node(ready: str, *taints: str) -> dict[str, Any]:
    spec = {"taints": [{"key": key, "effect": "NoSchedule"} for key in taints] or None}
    status = {"conditions": [{"type": "Ready", "status": ready}]}
    return {"kind": "Node", "metadata": {"name": "node-9", "uid": "uid-1"}, "spec": spec, "status": status}


@pytest.mark.parametrize(
    ("made", "held", "said"),
    [
        (node("True"), True, "ready, and open to new pods"),
        (node("True", "dedicated"), True, "ready, and open to new pods"),
        (node("True", "dedicated", "node.kubernetes.io/unschedulable"), False, "still tainted as unschedulable"),
        (node("False"), False, "the node is not ready"),
        (None, False, "the node is not ready"),
    ],
    ids=["open", "another taint", "still closed", "not ready", "gone"],
)
async def test_a_node_is_open_when_its_controller_took_the_taint_away(gate: Any, made: Any, said: str, *, held: bool) -> None:
    if made:
        gate.cluster.put(made)
    assert await look(gate, Signal.NODE_OPEN, aim("Node", "node-9")) == (held, said)


@pytest.mark.parametrize(("uid", "held"), [("uid-1", False), ("uid-2", True), (None, True)], ids=["there", "another", "gone"])
async def test_an_object_is_gone_when_none_with_its_uid_is_left(gate: Any, uid: str | None, *, held: bool) -> None:
    if uid:
        gate.cluster.put({"kind": "ConfigMap", "metadata": {"name": "kept", "namespace": "shop", "uid": uid}})
    said = "the object is gone" if held else "the object is still there"
    assert await look(gate, Signal.OBJECT_GONE, aim("ConfigMap", "kept")) == (held, said)
