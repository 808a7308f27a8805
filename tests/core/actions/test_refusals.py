"""What each kind will not do, and which of the two refusals it gives."""

import copy
from typing import Any

import pytest

from core.actions.catalogue import parse_action
from core.domain.action import Live
from core.domain.errors import Conflict, InvalidInput, Refused
from core.domain.values import Json


def changed(live: Live, path: str, value: Any) -> Live:
    """The live object with one value put at a dotted path; list items by index."""
    item: Json = copy.deepcopy(live.object)
    *steps, last = path.split("/")
    place: Any = item
    for step in steps:
        place = place[int(step)] if isinstance(place, list) else place.setdefault(step, {})
    place[last] = value
    return Live(item, live.related)


MOVED_ON = [
    ("scale_workload", "spec/replicas", 5),
    ("set_hpa_bounds", "spec/minReplicas", 2),
    ("set_hpa_bounds", "spec/maxReplicas", 11),
    ("set_requests", "spec/template/spec/containers/0/resources/requests/cpu", "1999m"),
    ("set_requests", "spec/template/spec/containers/0/resources/requests", {}),
    ("set_requests", "spec/template/spec/containers/0/name", "renamed"),
    ("resize_pod", "spec/containers/0/resources/limits/memory", "2Gi"),
    ("resize_pod", "status/phase", "Pending"),
    ("rollback_rollout", "metadata/annotations", {"deployment.kubernetes.io/revision": "8"}),
    ("rollback_rollout", "metadata/annotations", {}),
    ("delete_pod", "metadata/ownerReferences", []),
    ("cordon_node", "spec/unschedulable", True),
    ("evict_pod", "metadata/ownerReferences", []),
    ("fence_node", "spec/taints", [{"key": "node.kubernetes.io/out-of-service", "effect": "NoExecute"}]),
    ("replace_machine", "status/nodeRef/name", "n2"),
    ("suspend_job", "spec/suspend", True),
    ("suspend_job", "spec/parallelism", 4),
    ("label_namespace", "metadata/labels", {"pod-security.kubernetes.io/enforce": "restricted"}),
    ("set_service", "spec/selector", {"app": "kart"}),
    ("set_service", "spec/ports/1/targetPort", 9443),
    ("raise_quota", "spec/hard", {"pods": "20"}),
    ("raise_quota", "spec/hard/pods", "25"),
    ("uncordon_node", "spec/unschedulable", False),
    ("clear_finalizers", "metadata/finalizers", ["backup.example/keep"]),
    ("clear_finalizers", "metadata/deletionTimestamp", None),
]


@pytest.mark.parametrize(("kind", "path", "value"), MOVED_ON, ids=lambda part: str(part)[:40])
def test_what_moved_on_since_the_proposal_is_a_conflict(kind: str, path: str, value: Any, cases: Any) -> None:
    action, live = cases[kind]
    with pytest.raises(Conflict):
        action.request(changed(live, path, value))


NOT_POSSIBLE = [
    ("set_hpa_bounds", "metadata/labels", {"app.kubernetes.io/managed-by": "keda-operator"}, "KEDA"),
    ("set_requests", "spec/paused", True, "paused"),
    ("set_requests", "spec/template/spec/containers/0/resources/limits", {"memory": "512Mi"}, "above its limit"),
    ("rollback_rollout", "spec/paused", True, "paused"),
    ("restart_rollout", "spec/paused", True, "paused"),
    ("restart_rollout", "spec/updateStrategy", {"type": "OnDelete"}, "OnDelete"),
    ("restart_rollout", "spec/template/metadata/annotations", {"day2.dev/restart": "act-0001"}, "already"),
    ("resize_pod", "metadata/annotations", {"kubernetes.io/config.mirror": "x"}, "static"),
    ("resize_pod", "status/conditions", [{"type": "PodResizePending", "status": "True"}], "under way"),
    ("resize_pod", "status/containerStatuses", [{"name": "api"}], "does not report"),
    ("resize_pod", "spec/containers/0/resizePolicy", [{"resourceName": "cpu", "restartPolicy": "RestartContainer"}], "restart"),
    ("fence_node", "status/conditions", [{"type": "Ready", "status": "True"}], "answers"),
    ("fence_stopped_node", "status/conditions", [{"type": "Ready", "status": "True"}], "answers"),
    ("replace_machine", "metadata/ownerReferences", [], "MachineSet"),
    ("suspend_job", "status/conditions", [{"type": "Complete", "status": "True"}], "ended"),
    ("suspend_job", "metadata/labels", {"kueue.x-k8s.io/queue-name": "gpus"}, "queue"),
    ("set_service", "spec/type", "ExternalName", "no pods"),
    ("set_service", "spec/ports", [{"port": 80}], "no port 443"),
]


@pytest.mark.parametrize(("kind", "path", "value", "words"), NOT_POSSIBLE, ids=lambda part: str(part)[:40])
def test_what_a_kind_cannot_do_to_such_an_object_is_refused(kind: str, path: str, value: Any, words: str, cases: Any) -> None:
    action, live = cases[kind]
    with pytest.raises(Refused, match=words):
        action.request(changed(live, path, value))


def test_a_rollback_needs_the_very_replica_set_that_was_seen(cases: Any) -> None:
    action, live = cases["rollback_rollout"]
    older = live.related["cart-6"]
    with pytest.raises(Conflict, match="gone"):
        action.request(Live(live.object, {}))
    for path, value in (
        ("uid", "uid-other"),
        ("ownerReferences", [{"uid": "uid-other", "controller": True}]),
        ("annotations", {"deployment.kubernetes.io/revision": "5"}),
    ):
        other = {**older, "metadata": {**older["metadata"], path: value}}
        with pytest.raises(Conflict):
            action.request(Live(live.object, {"cart-6": other}))


def test_a_rollback_to_the_template_that_stands_is_refused(cases: Any) -> None:
    action, live = cases["rollback_rollout"]
    same = {**live.related["cart-6"], "spec": {"template": live.object["spec"]["template"]}}
    with pytest.raises(Refused, match="already"):
        action.request(Live(live.object, {"cart-6": same}))


def test_a_rollback_asks_for_the_replica_set_by_name_and_leaves_the_controllers_label_out(cases: Any) -> None:
    action, live = cases["rollback_rollout"]
    (related,) = action.related()
    assert (related.kind, related.name, related.uid, related.namespace) == ("ReplicaSet", "cart-6", "uid-cart-6", "shop")
    assert "pod-template-hash" not in str(action.request(live).body)
    assert "pod-template-hash" in str(live.related)


RESIZES = [
    ({"limits": {"cpu": "2", "memory": "2Gi"}, "requests": {"cpu": "2", "memory": "2Gi"}}, "Guaranteed"),
    ({}, "BestEffort"),
]


@pytest.mark.parametrize(("resources", "before"), RESIZES, ids=str)
def test_a_resize_that_changes_the_qos_class_is_refused(resources: Json, before: str, cases: Any, documents: Any) -> None:
    live = changed(cases["resize_pod"].live, "spec/containers", [{"name": "api", "resources": resources}])
    cpu = 2000 if resources else None
    sizing = {"container": "api", "from_sizes": {"cpu_milli": cpu}, "to_sizes": {"cpu_milli": 1000}}
    with pytest.raises(Refused, match=f"from {before} to Burstable"):
        parse_action({**documents["resize_pod"], "sizings": [sizing]}).request(live)


def test_a_guaranteed_pod_is_resized_with_request_and_limit_together(cases: Any, documents: Any) -> None:
    resources = RESIZES[0][0]
    live = changed(cases["resize_pod"].live, "spec/containers", [{"name": "api", "resources": resources}])
    sizes = {"cpu_milli": 2000, "cpu_limit_milli": 2000}
    sizing = {"container": "api", "from_sizes": sizes, "to_sizes": {"cpu_milli": 1000, "cpu_limit_milli": 1000}}
    request = parse_action({**documents["resize_pod"], "sizings": [sizing]}).request(live)
    assert request.path.endswith("/pods/cart-7-x/resize")


def test_a_memory_limit_falls_in_steps(cases: Any, documents: Any) -> None:
    def asked(to: int) -> Json:
        sizing = {"container": "api", "from_sizes": {"memory_limit_mib": 3072}, "to_sizes": {"memory_limit_mib": to}}
        return {**documents["resize_pod"], "sizings": [sizing]}

    assert parse_action(asked(2151)).request(cases["resize_pod"].live)
    with pytest.raises(Refused, match="30 %"):
        parse_action(asked(2150)).request(cases["resize_pod"].live)


@pytest.mark.parametrize(
    "levels",
    [
        [],
        [{"mode": "enforce", "to_level": "strict"}],
        [{"mode": "enforce", "to_level": None}],
        [{"mode": "kubernetes.io/metadata.name", "to_level": "baseline"}],
        [{"mode": "enforce", "from_level": "baseline", "to_level": "baseline"}],
        [{"mode": "warn", "to_level": "baseline"}, {"mode": "warn", "to_level": "restricted"}],
    ],
    ids=str,
)
def test_only_pod_security_labels_can_be_written(levels: Any, documents: Any) -> None:
    with pytest.raises(InvalidInput):
        parse_action({**documents["label_namespace"], "levels": levels})


@pytest.mark.parametrize(
    "sizings",
    [
        [],
        [{"container": "api", "from_sizes": {}, "to_sizes": {}}],
        [{"container": "api", "from_sizes": {"cpu_milli": 100}, "to_sizes": {"cpu_milli": 100}}],
        [{"container": "api", "from_sizes": {}, "to_sizes": {"cpu_milli": 0}}],
        [{"container": "api", "from_sizes": {}, "to_sizes": {"cpu_milli": "600m"}}],
        [{"container": "API", "from_sizes": {}, "to_sizes": {"cpu_milli": 1}}],
        [{"container": "api", "from_sizes": {}, "to_sizes": {"gpus": 1}}],
        [{"container": "api", "from_sizes": {}, "to_sizes": {"cpu_milli": 1}}] * 2,
    ],
    ids=str,
)
def test_sloppy_sizes_are_refused(sizings: Any, documents: Any) -> None:
    for kind in ("set_requests", "resize_pod"):
        with pytest.raises(InvalidInput):
            parse_action({**documents[kind], "sizings": sizings})


@pytest.mark.parametrize("bounds", [{"to_min": 13}, {"to_min": 0}, {"to_min": 1, "to_max": 10}, {"to_max": 0}], ids=str)
def test_bounds_out_of_order_are_refused(bounds: dict[str, int], documents: Any) -> None:
    with pytest.raises(InvalidInput):
        parse_action({**documents["set_hpa_bounds"], **bounds})


def test_a_delete_is_pinned_in_its_body_and_not_in_its_query(cases: Any) -> None:
    action, live = cases["delete_pod"]
    request = action.request(live)
    assert request.body == {
        "apiVersion": "v1",
        "kind": "DeleteOptions",
        "preconditions": {"uid": "uid-cart-7-x", "resourceVersion": "7"},
    }


def test_quantities_spelled_differently_are_the_same_to_the_proposer_and_come_back_as_they_were(cases: Any, applied: Any) -> None:
    action, live = cases["set_requests"]
    spelled = changed(live, "spec/template/spec/containers/0/resources/requests", {"cpu": "2000m", "memory": "2097152Ki"})
    after = applied(action.request(spelled), spelled.object)
    back = applied(action.inverse(spelled), after)
    assert back["spec"]["template"]["spec"]["containers"][0]["resources"]["requests"] == {"cpu": "2000m", "memory": "2097152Ki"}


def test_a_delete_asks_for_the_time_that_was_given(cases: Any) -> None:
    action, live = cases["delete_pod"]
    assert "gracePeriodSeconds" not in action.request(live).body
    assert action.model_copy(update={"grace_seconds": 7}).request(live).body["gracePeriodSeconds"] == 7


def test_a_rollback_goes_to_another_revision_and_tells_images_and_then_whether_more_moves(cases: Any, documents: Any) -> None:
    with pytest.raises(InvalidInput, match="nothing would change"):
        parse_action(documents["rollback_rollout"] | {"to_revision": 7})
    action, live = cases["rollback_rollout"]
    path = "spec.template.spec.containers[api].image"
    assert [(change.path, change.old, change.new) for change in action.changes(live)] == [(path, "cart:7", "cart:6")]
    older = copy.deepcopy(live.related["cart-6"])
    older["spec"]["template"]["spec"]["containers"][0]["args"] = ["--slow"]
    assert [change.path for change in action.changes(Live(live.object, {"cart-6": older}))] == [path, "spec.template"]


def test_nobody_but_the_provider_of_this_very_node_proves_that_its_machine_is_stopped(cases: Any) -> None:
    action, live = cases["fence_stopped_node"]
    machine = live.related["pool-a-1"]
    runs = {**machine, "status": {**machine["status"], "conditions": [{"type": "InfrastructureReady", "status": "True"}]}}
    other = {**machine, "status": {**machine["status"], "nodeRef": {"name": "n1", "uid": "uid-of-before"}}}
    for related in ({}, {"pool-a-1": runs}, {"pool-a-1": other}):
        with pytest.raises(Refused, match="no provider says"):
            action.request(Live(live.object, related))
    said = {"key": "node.cloudprovider.kubernetes.io/shutdown", "effect": "NoSchedule"}
    assert action.request(Live({**live.object, "spec": {"taints": [said]}}, {}))


def test_a_node_is_taken_back_only_when_it_answers_and_keeps_its_other_taints(documents: dict[str, Json], cases: Any) -> None:
    _, live = cases["fence_node"]
    action = parse_action(documents["fence_node"] | {"lift": True})
    taints = [{"key": "dedicated", "effect": "NoSchedule"}, {"key": "node.kubernetes.io/out-of-service", "effect": "NoExecute"}]
    fenced = changed(live, "spec/taints", taints)
    with pytest.raises(Refused, match="does not answer yet"):
        action.request(fenced)
    back = action.request(changed(fenced, "status/conditions", [{"type": "Ready", "status": "True"}]))
    assert isinstance(back.body, dict)
    assert back.body["spec"] == {"taints": taints[:1]}
    with pytest.raises(Conflict):
        action.request(changed(live, "status/conditions", [{"type": "Ready", "status": "True"}]))


def test_a_machine_whose_node_takes_pods_is_not_replaced(cases: Any) -> None:
    action, live = cases["replace_machine"]
    node = live.related["n1"]
    with pytest.raises(Refused, match="cordon"):
        action.request(Live(live.object, {"n1": {**node, "spec": {}}}))
    assert action.request(Live(live.object, {})).removes
