"""What a workload's status says of its rollout."""

from datetime import UTC, datetime
from typing import Any

import pytest

from gate import workloads


def deployment(reason: str, *, updated: int = 1, seen: int = 4) -> dict[str, Any]:
    progressing = {"type": "Progressing", "status": "False" if reason == "ProgressDeadlineExceeded" else "True", "reason": reason}
    return {
        "kind": "Deployment",
        "metadata": {"generation": 4},
        "spec": {"replicas": 3},
        "status": {
            "observedGeneration": seen,
            "replicas": 4,
            "updatedReplicas": updated,
            "availableReplicas": 3,
            "conditions": [progressing],
        },
    }


@pytest.mark.parametrize(
    ("live", "rolling", "stuck"),
    [
        (deployment("ReplicaSetUpdated"), True, False),
        (deployment("ProgressDeadlineExceeded"), True, True),
        (deployment("ProgressDeadlineExceeded", seen=3), True, False),
        ({"kind": "StatefulSet", "metadata": {"generation": 1}, "spec": {"replicas": 1}, "status": {}}, True, False),
        (
            {"kind": "Node", "metadata": {}, "status": {"conditions": [{"type": "Progressing", "reason": "ProgressDeadlineExceeded"}]}},
            None,
            False,
        ),
    ],
    ids=["on its way", "out of time", "a newer template that nobody saw yet", "no word about time", "no rollout at all"],
)
def test_a_rollout_is_stuck_when_its_controller_gave_it_up(live: dict[str, Any], *, rolling: bool | None, stuck: bool) -> None:
    assert (workloads.rolling(live), workloads.stuck(live)) == (rolling, stuck)


def expressions(*items: tuple[str, str]) -> dict[str, Any]:
    return {"matchExpressions": [{"key": key, "operator": operator} for key, operator in items]}


SELECTORS = [
    ("none at all", None, {"app": "cart"}, False),
    ("an empty one", {}, {}, True),
    ("a label", {"matchLabels": {"app": "cart"}}, {"app": "cart", "tier": "web"}, True),
    ("another value", {"matchLabels": {"app": "cart"}}, {"app": "web"}, False),
    ("one of two labels", {"matchLabels": {"app": "cart", "tier": "web"}}, {"app": "cart"}, False),
    ("in", {"matchExpressions": [{"key": "app", "operator": "In", "values": ["cart", "web"]}]}, {"app": "web"}, True),
    ("in, another", {"matchExpressions": [{"key": "app", "operator": "In", "values": ["cart"]}]}, {"app": "web"}, False),
    ("in, without values", {"matchExpressions": [{"key": "app", "operator": "In"}]}, {"app": "web"}, False),
    ("not in", {"matchExpressions": [{"key": "app", "operator": "NotIn", "values": ["cart"]}]}, {"app": "web"}, True),
    ("not in, absent", {"matchExpressions": [{"key": "app", "operator": "NotIn", "values": ["cart"]}]}, {}, True),
    ("not in, but it is", {"matchExpressions": [{"key": "app", "operator": "NotIn", "values": ["cart"]}]}, {"app": "cart"}, False),
    ("exists", {"matchExpressions": [{"key": "app", "operator": "Exists"}]}, {"app": ""}, True),
    ("exists, absent", {"matchExpressions": [{"key": "app", "operator": "Exists"}]}, {"tier": ""}, False),
    ("does not exist", {"matchExpressions": [{"key": "app", "operator": "DoesNotExist"}]}, {"tier": ""}, True),
    ("does not exist, but does", {"matchExpressions": [{"key": "app", "operator": "DoesNotExist"}]}, {"app": ""}, False),
    ("an operator of tomorrow", {"matchExpressions": [{"key": "app", "operator": "Like", "values": ["c*"]}]}, {"app": "cart"}, False),
    ("one of two expressions", expressions(("a", "Exists"), ("b", "Exists")), {"a": ""}, False),
    ("labels fit, the expression does not", {"matchLabels": {"a": "1"}} | expressions(("b", "Exists")), {"a": "1"}, False),
]  # fmt: skip


@pytest.mark.parametrize(("selector", "labels", "held"), [case[1:] for case in SELECTORS], ids=[case[0] for case in SELECTORS])
def test_a_selector_means_what_the_api_server_means_by_it(selector: Any, labels: dict[str, str], *, held: bool) -> None:
    assert workloads.matches(selector, labels) is held


def daemons(*, wanted: int = 3, updated: int = 3, available: int = 3, seen: int | None = 2) -> dict[str, Any]:
    status = {"observedGeneration": seen, "desiredNumberScheduled": wanted, "updatedNumberScheduled": updated, "numberAvailable": available}
    return {"kind": "DaemonSet", "metadata": {"generation": 2}, "spec": {}, "status": status}


def copies(kind: str = "Deployment", wanted: int | None = 3, seen: int = 2, **status: Any) -> dict[str, Any]:
    counts = {"updatedReplicas": 3, "availableReplicas": 3, "replicas": 3}
    spec = {} if wanted is None else {"replicas": wanted}
    return {"kind": kind, "metadata": {"generation": 2}, "spec": spec, "status": {"observedGeneration": seen} | counts | status}


def counted(
    kind: str = "Deployment",
    *,
    replicas: int = 1,
    seen: int | None = 2,
    generation: int | None = 2,
    replicas_now: int | None = None,
    **status: Any,
) -> dict[str, Any]:
    """What a status does not count is not in it."""
    told = {"observedGeneration": seen, "replicas": replicas_now}
    found = status | {key: value for key, value in told.items() if value is not None}
    metadata = {} if generation is None else {"generation": generation}
    return {"kind": kind, "metadata": metadata, "spec": {"replicas": replicas}, "status": found}


PROGRESSING = {"type": "Progressing", "reason": "NewReplicaSetAvailable"}
ROLLOUTS = [
    ("daemons, all", daemons(), True, False),
    ("daemons, more than wanted", daemons(wanted=2), True, False),
    ("daemons, one is old", daemons(updated=2), False, True),
    ("daemons, one is ill", daemons(available=2), False, False),
    ("daemons, of an older template", daemons(seen=1), False, True),
    ("daemons, nobody looked", daemons(seen=None), False, True),
    ("copies, all", copies(), True, False),
    ("copies, scaled in", copies(wanted=2, replicas=2), True, False),
    ("copies, one too many is left", copies(replicas=4), False, True),
    ("copies, one is old", copies(updatedReplicas=2), False, True),
    ("copies, one is ill on its way", copies(availableReplicas=2), False, True),
    ("copies, one fell ill afterwards", copies(availableReplicas=2, conditions=[PROGRESSING]), False, False),
    ("copies, done once and on their way again", copies(replicas=4, conditions=[PROGRESSING]), False, True),
    ("copies, another condition says so", copies(availableReplicas=2, conditions=[PROGRESSING | {"type": "Available"}]), False, True),
    ("copies, of an older template", copies(seen=1), False, True),
    ("copies, one where nobody says how many", copies(wanted=None, updatedReplicas=1, availableReplicas=1, replicas=1), True, False),
    ("copies, none where nobody says how many", copies(wanted=None, updatedReplicas=0, availableReplicas=0, replicas=0), False, True),
    ("in order, on their way", copies("StatefulSet", updatedReplicas=2, currentRevision="a", updateRevision="b"), False, True),
    (
        "in order, one fell ill afterwards",
        copies("StatefulSet", availableReplicas=2, currentRevision="b", updateRevision="b"),
        False,
        False,
    ),
    ("daemons, none wanted", counted("DaemonSet"), True, False),
    ("daemons, one wanted and nothing counted", counted("DaemonSet", desiredNumberScheduled=1), False, True),
    ("daemons, one is new and not yet up", counted("DaemonSet", desiredNumberScheduled=1, updatedNumberScheduled=1), False, False),
    ("daemons, one is up and old", counted("DaemonSet", desiredNumberScheduled=1, numberAvailable=1), False, True),
    ("copies, none wanted and nothing counted", counted(replicas=0), True, False),
    ("copies, one wanted and nothing counted", counted(), False, True),
    ("copies, one is new and not yet up", counted(replicas_now=1, updatedReplicas=1), False, True),
    ("copies, one is up and old", counted(replicas_now=1, availableReplicas=1), False, True),
    ("copies, done once and nothing counted", counted(conditions=[PROGRESSING]), False, False),
    ("without generations", counted(updatedReplicas=1, availableReplicas=1, replicas_now=1, seen=None, generation=None), True, False),
    ("nobody saw the first generation", counted(updatedReplicas=1, availableReplicas=1, seen=None, generation=1), False, True),
    ("no rollout", {"kind": "Job", "metadata": {"generation": 2}, "status": {"observedGeneration": 1}}, None, None),
    ("nothing is known", {"kind": "Deployment"}, False, True),
]


@pytest.mark.parametrize(("live", "done", "going"), [case[1:] for case in ROLLOUTS], ids=[case[0] for case in ROLLOUTS])
def test_a_rollout_is_complete_as_kubectl_decides_and_an_ill_pod_is_no_rollout(live: Any, done: bool | None, going: bool | None) -> None:
    assert (workloads.rolled_out(live), workloads.rolling(live)) == (done, going)


@pytest.mark.parametrize(
    ("live", "found"),
    [
        ({"kind": "Pod", "spec": {"containers": [{"name": "a"}]}}, ["a"]),
        ({"kind": "Deployment", "spec": {"template": {"spec": {"containers": [{"name": "b"}]}}}}, ["b"]),
        ({"kind": "CronJob", "spec": {"jobTemplate": {"spec": {"template": {"spec": {"containers": [{"name": "c"}]}}}}}}, ["c"]),
        ({"kind": "Node", "spec": {}}, []),
        ({"kind": "Deployment", "spec": {"template": None}}, []),
        ({"kind": "Deployment", "spec": {"template": {}}}, []),
    ],
    ids=["a pod", "a workload", "a schedule", "a node", "no template", "an empty one"],
)
def test_containers_are_those_of_the_pods_it_makes(live: dict[str, Any], found: list[str]) -> None:
    assert [item["name"] for item in workloads.containers(live)] == found


@pytest.mark.parametrize("text", [None, "", "yesterday", 7])
def test_what_is_no_time_is_none(text: object) -> None:
    assert workloads.moment(text) is None


async def test_the_pods_of_a_node_are_those_bound_to_it_and_of_a_namespace_all_in_it(gate: Any) -> None:
    gate.cluster.put(gate.pod("far", node="node-2"))
    gate.cluster.put(gate.pod("other", namespace="payments"))

    async def names(live: dict[str, Any]) -> list[str]:
        return [pod["metadata"]["name"] for pod in await workloads.pods_of(gate.cluster, live)]

    assert await names(gate.cluster.object("Node", "", "node-2")) == ["far"]
    assert await names(gate.cluster.object("Namespace", "", "shop")) == ["cart-0", "cart-1", "far"]
    assert await names(gate.cluster.object("Pod", "shop", "cart-1")) == ["cart-1"]
    assert await names(gate.cluster.object("Deployment", "shop", "cart")) == ["cart-0", "cart-1", "far"]
    gate.cluster.put(gate.pod("web-0", "web"))
    assert await names(gate.cluster.object("Deployment", "shop", "cart")) == ["cart-0", "cart-1", "far"]
    assert not workloads.selects(gate.cluster.object("Deployment", "shop", "cart"), gate.pod("other", namespace="payments"))
    gate.cluster.object("Pod", "shop", "far")["metadata"]["deletionTimestamp"] = "2026-11-23T12:00:00Z"
    assert await names(gate.cluster.object("Deployment", "shop", "cart")) == ["cart-0", "cart-1"]


async def test_an_autoscaler_of_something_unknown_stands_for_itself_and_of_something_gone_for_nothing(gate: Any) -> None:
    def scaler(kind: str, name: str = "cart") -> dict[str, Any]:
        return {
            "kind": "HorizontalPodAutoscaler",
            "metadata": {"namespace": "shop"},
            "spec": {"scaleTargetRef": {"kind": kind, "name": name}},
        }

    assert (await workloads.scaled_by(gate.cluster, scaler("Deployment")))["kind"] == "Deployment"
    assert await workloads.scaled_by(gate.cluster, scaler("Deployment", "gone")) == {}
    assert (await workloads.scaled_by(gate.cluster, scaler("Sandwich")))["kind"] == "HorizontalPodAutoscaler"
    live = gate.cluster.object("Deployment", "shop", "cart")
    odd = live | {"spec": {"scaleTargetRef": {"kind": "Deployment", "name": "web"}}}
    assert await workloads.scaled_by(gate.cluster, odd) is odd


@pytest.mark.parametrize(
    ("owners", "made_by"),
    [
        ([], ("Pod", "web-5c9d-x7k2p")),
        ([{"kind": "ReplicaSet", "name": "web-5c9d", "controller": True}], ("Deployment", "web")),
        ([{"kind": "StatefulSet", "name": "web-5c9d", "controller": True}], ("StatefulSet", "web-5c9d")),
        ([{"kind": "Job", "name": "web"}], ("Pod", "web-5c9d-x7k2p")),
        ([{"kind": "Job", "name": "other"}, {"kind": "DaemonSet", "name": "web", "controller": True}], ("DaemonSet", "web")),
    ],
)
def test_who_made_a_pod_is_its_controller_and_behind_a_replica_set_its_deployment(owners: Any, made_by: tuple[str, str]) -> None:
    assert workloads.maker({"kind": "Pod", "metadata": {"name": "web-5c9d-x7k2p", "ownerReferences": owners}}) == made_by


@pytest.mark.parametrize(
    ("condition", "going", "ready"),
    [
        ({"type": "Ready", "status": "True"}, False, True),
        ({"type": "Ready", "status": "False"}, False, False),
        ({"type": "Initialized", "status": "True"}, False, False),
        ({"type": "Ready", "status": "True"}, True, False),
    ],
)
def test_ready_is_what_says_so_and_stays(condition: dict[str, str], *, going: bool, ready: bool) -> None:
    metadata = {"deletionTimestamp": "2026-11-23T12:00:00Z"} if going else {}
    assert workloads.ready({"metadata": metadata, "status": {"conditions": [condition]}}) is ready
    assert workloads.ready({"metadata": {}}) is False


SINCE = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("made", "status", "restarted"),
    [
        ("10:00", {"restartCount": 1, "lastState": {"terminated": {"finishedAt": "2026-11-23T12:00:00Z"}}}, True),
        ("10:00", {"restartCount": 1, "lastState": {"terminated": {"finishedAt": "2026-11-23T11:59:59Z"}}}, False),
        ("10:00", {"restartCount": 0, "lastState": {"terminated": {"finishedAt": "2026-11-23T12:00:00Z"}}}, False),
        ("10:00", {"lastState": {"terminated": {"finishedAt": "2026-11-23T12:00:00Z"}}}, False),
        ("12:00", {"restartCount": 1}, True),
        ("11:59", {"restartCount": 1}, False),
        (None, {"restartCount": 1}, False),
        (None, {"restartCount": 1, "lastState": {"terminated": {"finishedAt": "2026-11-23T12:00:00Z"}}}, True),
    ],
)
def test_a_restart_since_is_one_of_a_container_that_ended_since_or_of_a_pod_made_since(made: Any, status: Any, *, restarted: bool) -> None:
    metadata = {"name": "cart-0"} | ({"creationTimestamp": f"2026-11-23T{made}:00Z"} if made else {})
    pod = {"metadata": metadata, "status": {"containerStatuses": [status | {"name": "app"}]}}
    assert workloads.restarted_since([pod, {"metadata": {}, "status": {"containerStatuses": None}}], SINCE) == (
        ["cart-0/app"] if restarted else []
    )


@pytest.mark.parametrize(
    ("generation", "seen", "condition", "stuck"),
    [
        (None, None, "Progressing", True),
        (1, None, "Progressing", False),
        (2, 2, "Progressing", True),
        (2, 2, "Available", False),
    ],
)
def test_a_controller_gives_up_the_newest_template_that_it_saw(generation: Any, seen: Any, condition: str, *, stuck: bool) -> None:
    given_up = {"type": condition, "reason": "ProgressDeadlineExceeded"}
    assert workloads.stuck(counted(generation=generation, seen=seen, conditions=[given_up])) is stuck
