"""Replicas, sizes and levels as the judge reads them off an object and off the API server's answer to a dry run."""

from typing import Any

import pytest

from core.cluster.placing import Amounts
from core.domain.action import Live
from gate.judging import amounts, rollouts

Json = dict[str, Any]


def container(name: str = "app", requests: Any = None, limits: Any = None, **more: Any) -> Json:
    return {"name": name, "resources": {"requests": requests, "limits": limits}} | more


def workload(*containers: Json, kind: str = "Deployment", replicas: int | None = 2, status: Any = None, **spec: Any) -> Json:
    counted = {} if replicas is None else {"replicas": replicas}
    return {"kind": kind, "spec": counted | {"template": {"spec": {"containers": list(containers)}}} | spec, "status": status or {}}


@pytest.mark.parametrize(
    ("live", "count"),
    [
        (workload(replicas=3), 3),
        (workload(replicas=None), 1),
        (workload(replicas=0, kind="StatefulSet"), 0),
        (workload(replicas=4, kind="ReplicaSet"), 4),
        (workload(kind="DaemonSet", status={"desiredNumberScheduled": 5}), 5),
        (workload(kind="DaemonSet"), 0),
        ({"kind": "Job", "spec": {"parallelism": 8}}, 8),
        ({"kind": "Job", "spec": {}}, 1),
        ({"kind": "Job", "spec": {"parallelism": 8, "suspend": True}}, 0),
        ({"kind": "Pod"}, 1),
        ({"kind": "Node", "spec": None}, None),
    ],
)
def test_an_object_asks_for_so_many_pods(live: Json, count: int | None) -> None:
    assert amounts.replicas(live) == count


def test_all_pods_together_hold_their_containers_and_each_is_a_place() -> None:
    live = workload(container(requests={"cpu": "500m", "memory": "1Gi"}), container("log", {"nvidia.com/gpu": "2"}), replicas=3)
    assert rollouts.whole(live, rolling=False) == Amounts(1500, 3072, 6, 3)
    assert rollouts.whole({"kind": "Node", "spec": {}}, rolling=None) == Amounts()
    assert rollouts.whole(live, rolling=True).pods == 4, "one on top while it rolls"


@pytest.mark.parametrize(
    ("first", "held"),
    [
        ([], Amounts(1000, 0, 0, 1)),
        ([container("setup", {"cpu": "3"})], Amounts(3000, 0, 0, 1)),
        ([container("setup", {"cpu": "500m"})], Amounts(1000, 0, 0, 1)),
        ([container("mesh", {"cpu": "200m"}, restartPolicy="Always")], Amounts(1200, 0, 0, 1)),
        ([container("mesh", {"cpu": "200m"}, restartPolicy="Always"), container("setup", {"cpu": "3"})], Amounts(3200, 0, 0, 1)),
        (None, Amounts(1000, 0, 0, 1)),
    ],
    ids=["none", "a large one", "a small one", "a sidecar", "a sidecar beside a large one", "nothing said"],
)
def test_a_pod_holds_what_runs_together_or_what_its_largest_start_needs(first: Any, held: Amounts) -> None:
    assert amounts.size({"spec": {"containers": [container(requests={"cpu": "1"})], "initContainers": first}}) == held


def test_what_is_not_asked_for_is_what_is_allowed_as_the_api_server_has_it() -> None:
    found = amounts.resources(container(requests={"cpu": "100m", "amd.com/gpu": "1"}, limits={"cpu": "1", "memory": "2Gi"}))
    assert found == amounts.Resources(100, 2048, 2048, 1)
    assert amounts.resources({"name": "app"}) == amounts.Resources(None, None, None, 0)
    assert amounts.resources(container(requests={"cpu": "0"})).cpu_milli == 0


def test_a_sum_with_an_unset_part_is_unset() -> None:
    both = workload(container(requests={"cpu": "1", "memory": "1Gi"}), container("log", {"cpu": "2"}))
    assert amounts.of_container(both, "") == amounts.Resources(3000, None, None, 0)
    assert amounts.of_container(both, "log") == amounts.Resources(2000, None, None, 0)
    assert amounts.of_container(workload(), "") == amounts.Resources(None, None, None, 0)


@pytest.mark.parametrize(
    ("old", "new", "name"),
    [
        ({"a": {"cpu": "1"}, "b": {"cpu": "1"}}, {"a": {"cpu": "1"}, "b": {"cpu": "1"}}, ""),
        ({"a": {"cpu": "1"}, "b": {"cpu": "1"}}, {"a": {"cpu": "900m"}, "b": {"cpu": "500m"}}, "b"),
        (
            {"a": {"cpu": "1", "memory": "1Gi"}, "b": {"memory": "1Gi"}},
            {"a": {"cpu": "1m", "memory": "1Gi"}, "b": {"memory": "900Mi"}},
            "b",
        ),
        ({"a": {"cpu": "1"}, "b": {"cpu": "1"}}, {"a": {"cpu": "3"}, "b": {"cpu": "2"}}, "b"),
        ({"a": {"cpu": "1"}, "b": {"cpu": "1"}}, {"a": {"cpu": "3"}}, "a"),
        ({"a": {}, "b": {"cpu": "1"}}, {"a": {"cpu": "1"}, "b": {"cpu": "900m"}}, "b"),
        ({"a": {"cpu": "1"}}, {"a": {}}, "a"),
    ],
    ids=["none", "the deepest cut", "memory before CPU", "the smallest growth", "one is gone", "nothing was set", "nothing is set"],
)
def test_the_container_that_is_told_is_the_one_that_is_cut_most(old: Any, new: Any, name: str) -> None:
    before, after = (workload(*(container(key, value) for key, value in each.items())) for each in (old, new))
    assert amounts.changed_container(before, after) == name
    assert amounts.changed_container(before, None) == ""


class Touches:
    def __init__(self, found: int | Exception) -> None:
        self.found = found

    def pods_touched(self, _: Live) -> int:
        if isinstance(self.found, Exception):
            raise self.found
        return self.found


def sizes(before: Json, after: Json | None, touched: int | Exception = 3) -> dict[str, Any]:
    return amounts.sizes(Touches(touched), Live(before, {}), before, after)  # type: ignore[arg-type]


def test_sizes_before_and_after_are_those_of_the_container_that_changes() -> None:
    old = workload(container(requests={"cpu": "2", "memory": "1Gi"}), container("log", {"cpu": "1"}), status={"readyReplicas": 1})
    new = workload(container(requests={"cpu": "1", "memory": "1Gi"}, limits={"memory": "3Gi"}), container("log", {"cpu": "1"}), replicas=5)
    assert sizes(old, new) == {
        "replicas": 2,
        "replicas_ready": 1,
        "replicas_after": 5,
        "unscheduled": False,
        "pods_touched": 3,
        "requests_cpu_milli_before": 2000,
        "requests_cpu_milli_after": 1000,
        "requests_memory_mib_before": 1024,
        "requests_memory_mib_after": 1024,
        "limits_memory_mib_after": 3072,
    }


def test_without_an_answer_or_with_one_of_another_kind_only_what_stands_now_is_told() -> None:
    old = workload(container(requests={"cpu": "2"}))
    for after in (None, {"kind": "Status"}):
        found = sizes(old, after)
        assert {name for name, value in found.items() if value is None} >= {
            "replicas_after",
            "requests_cpu_milli_after",
            "limits_memory_mib_after",
        }
        assert (found["replicas"], found["requests_cpu_milli_before"]) == (2, 2000)


@pytest.mark.parametrize("error", [TypeError("x"), ValueError("x"), KeyError("x")])
def test_a_blast_radius_that_cannot_be_counted_is_not_told(error: Exception) -> None:
    assert sizes(workload(), None, error)["pods_touched"] is None


@pytest.mark.parametrize(("node", "ready", "told"), [("n", "True", (False, 1)), ("n", "False", (False, 0)), ("", "False", (True, 0))])
def test_a_pod_is_ready_or_not_and_may_have_no_node(node: str, ready: str, told: tuple[bool, int]) -> None:
    pod = {"kind": "Pod", "spec": {"nodeName": node}, "status": {"conditions": [{"type": "Ready", "status": ready}]}}
    found = sizes(pod, None)
    assert (found["unscheduled"], found["replicas_ready"]) == told


def test_jobs_tell_their_ready_pods_in_a_field_of_their_own() -> None:
    assert sizes({"kind": "Job", "spec": {"parallelism": 8}, "status": {"ready": 5}}, None)["replicas_ready"] == 5
    assert sizes({"kind": "Node", "spec": {}}, None)["replicas_ready"] is None


def test_bounds_of_an_autoscaler_and_levels_of_a_namespace() -> None:
    def scaler(low: int | None, high: int) -> Json:
        return {"kind": "HorizontalPodAutoscaler", "spec": {"minReplicas": low, "maxReplicas": high}}

    assert amounts.levels(scaler(None, 5), scaler(2, 9)) == {"hpa_min_before": 1, "hpa_min_after": 2, "hpa_max_after": 9}
    assert amounts.levels(scaler(3, 5), scaler(None, 5)) == {"hpa_min_before": 3, "hpa_min_after": 1, "hpa_max_after": 5}
    assert amounts.levels(scaler(3, 5), None) == {"hpa_min_before": 3}

    def namespace(level: str) -> Json:
        return {"kind": "Namespace", "metadata": {"labels": {"pod-security.kubernetes.io/enforce": level} if level else {}}}

    for level, said in (("", ""), ("restricted", "restricted"), ("odd", "unknown")):
        told = amounts.levels(namespace(level), namespace("baseline"))
        assert told == {"pod_security_before": said, "pod_security_after": "baseline"}
    assert amounts.levels(namespace(""), None) == {}
    assert amounts.levels(workload(), workload()) == {}


def rolled(strategy: Any = None, *, count: int = 10, new: int = 10, kind: str = "Deployment", key: str = "strategy") -> tuple[int, int]:
    before = workload(
        container(requests={"cpu": "1"}), kind=kind, replicas=count, status={"desiredNumberScheduled": count}, **{key: strategy}
    )
    after = workload(container(requests={"cpu": "2"}), kind=kind, replicas=new, status={"desiredNumberScheduled": new})
    return rollouts.steps(before, after)


@pytest.mark.parametrize(
    ("strategy", "told"),
    [
        (None, (2, 0)),
        ({"type": "Recreate"}, (10, 0)),
        ({"rollingUpdate": {"maxUnavailable": 0, "maxSurge": "25%"}}, (0, 3)),
        ({"rollingUpdate": {"maxUnavailable": "15%", "maxSurge": 0}}, (1, 0)),
        ({"rollingUpdate": {"maxUnavailable": 0, "maxSurge": 0}}, (1, 0)),
        ({"rollingUpdate": {"maxUnavailable": 20, "maxSurge": 1}}, (10, 0)),
        ({"rollingUpdate": {"maxUnavailable": 0, "maxSurge": 4}}, (0, 4)),
    ],
)
def test_a_rollout_misses_and_adds_as_its_strategy_says(strategy: Any, told: tuple[int, int]) -> None:
    assert rolled(strategy) == told


@pytest.mark.parametrize("kind", ["StatefulSet", "DaemonSet"])
def test_others_than_deployments_go_one_by_one_unless_told(kind: str) -> None:
    assert rolled(kind=kind, key="updateStrategy") == (1, 0)
    assert rolled({"rollingUpdate": {"maxUnavailable": "50%"}}, kind=kind, key="updateStrategy") == (5, 0)
    assert rolled({"rollingUpdate": {"maxUnavailable": 0, "maxSurge": 2}}, kind=kind, key="updateStrategy") == (0, 2)


def test_what_grows_is_no_step_of_a_rollout() -> None:
    assert rolled({"type": "Recreate"}, new=12) == (10, 0)
    assert rolled({"rollingUpdate": {"maxUnavailable": 0, "maxSurge": 1}}, new=12) == (0, 1)
    assert rolled({"type": "Recreate"}, new=3) == (10, 0)
    same = workload(container(), replicas=2)
    assert rollouts.steps(same, same | {"spec": same["spec"] | {"replicas": 5}}) == (0, 0)
    assert rollouts.steps(same, None) == (0, 0)
    assert rollouts.steps({"kind": "Node", "spec": {}}, {"kind": "Node", "spec": {"unschedulable": True}}) == (0, 0)
