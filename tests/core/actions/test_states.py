from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from core.actions import states
from core.actions.catalogue import parse_action
from core.cluster import quantities
from core.domain.action import Live
from core.domain.api_request import ApiRequest
from core.domain.values import Json
from simulator.patching import strategic

scalars = st.none() | st.booleans() | st.integers(-5, 5) | st.sampled_from(["", "a", "b"])
keys = st.sampled_from(["spec", "labels", "requests", "image", "name", "items"])


def named(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.builds(lambda name, rest: {**rest, "name": name}, st.sampled_from(["x", "y", "z"]), st.dictionaries(keys, inner, max_size=2))


values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=3) | st.lists(named(inner), max_size=3),
    max_leaves=12,
)


objects = st.dictionaries(st.sampled_from(["spec", "data", "kind"]), values, max_size=3)


@settings(max_examples=300, deadline=None)
@given(objects)
def test_nothing_changes_between_an_object_and_itself(item: Json) -> None:
    assert states.delta(states.desired(item), states.desired(item)) == ()


@settings(max_examples=300, deadline=None)
@given(objects, objects)
def test_the_delta_back_is_the_delta_with_old_and_new_exchanged(old: Json, new: Json) -> None:
    there, back = states.delta(old, new), states.delta(new, old)
    assert [(leaf.path, leaf.new, leaf.old) for leaf in there] == [tuple(leaf) for leaf in back]
    assert states.inverse_hash(new, old) == states.post_hash("patch", {}, old, new)


@settings(max_examples=300, deadline=None)
@given(objects, objects)
def test_only_what_is_equal_for_a_writer_has_no_delta(old: Json, new: Json) -> None:
    if not states.delta(old, new):
        assert without_empties(old) == without_empties(new)


def without_empties(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            key: without_empties(item)
            for key, item in value.items()
            if item is not None and not (key in ("labels", "requests") and not item)
        }
    return [without_empties(item) for item in value] if isinstance(value, list) else (type(value), value)


def test_true_is_not_one() -> None:
    assert states.delta({"spec": True}, {"spec": 1})
    assert states.delta({"spec": [True]}, {"spec": [1]})
    assert states.delta({"spec": {"a": {"b": [{"c": False}]}}}, {"spec": {"a": {"b": [{"c": 0}]}}})


def test_what_the_server_stamps_is_not_desired() -> None:
    stamped = {"uid": "u", "resourceVersion": "1", "generation": 2, "managedFields": [{}], "creationTimestamp": "t", "name": "n"}
    item = {"metadata": {**stamped, "annotations": {"deployment.kubernetes.io/revision": "3"}}, "status": {"replicas": 1}, "spec": {}}
    assert states.desired(item) == {"metadata": {"name": "n"}, "spec": {}}
    assert item["status"] == {"replicas": 1}


def test_containers_compare_by_name_and_mounts_with_one_name_twice_compare_whole() -> None:
    old = {
        "containers": [{"name": "a", "image": "1"}, {"name": "b"}],
        "volumeMounts": [{"name": "v", "mountPath": "/a"}, {"name": "v", "mountPath": "/b"}],
    }
    new = {
        "containers": [{"name": "a", "image": "2"}, {"name": "b"}],
        "volumeMounts": [{"name": "v", "mountPath": "/c"}, {"name": "v", "mountPath": "/b"}],
    }
    assert [leaf.path for leaf in states.delta(old, new)] == ["containers[a].image", "volumeMounts"]


def test_the_order_of_named_things_is_a_change_too() -> None:
    old, new = {"initContainers": [{"name": "a"}, {"name": "b"}]}, {"initContainers": [{"name": "b"}, {"name": "a"}]}
    assert states.delta(old, new) == (("initContainers", ["a", "b"], ["b", "a"]),)


def test_the_first_label_added_by_us_does_not_own_the_whole_map() -> None:
    bare, ours = {"metadata": {"name": "n"}}, {"metadata": {"name": "n", "labels": {"a": "1"}}}
    theirs = {"metadata": {"name": "n", "labels": {"a": "1", "b": "2"}}}
    asked = {"metadata": {"name": "n", "labels": {"b": "2"}}}
    assert states.undo_matches(states.inverse_hash(bare, ours), theirs, asked)


def deletion(options: Json, item: Json) -> str:
    return states.post_hash("delete", options, item, {})


ASKED = {"preconditions": {"uid": "u", "resourceVersion": "1"}}
RUNNING = {"kind": "Pod", "spec": {"nodeName": "n", "terminationGracePeriodSeconds": 30}, "status": {"phase": "Running"}}


def test_a_delete_is_its_options() -> None:
    assert deletion(ASKED, {}) == deletion(ASKED, {"data": 1})
    assert deletion(ASKED, {}) != deletion({**ASKED, "propagationPolicy": "Orphan"}, {})
    assert deletion(ASKED, RUNNING) != deletion({**ASKED, "gracePeriodSeconds": 0}, RUNNING)


def test_a_delete_is_the_same_as_the_judge_asked_it_and_as_admission_sees_it() -> None:
    seen = {"apiVersion": "meta.k8s.io/v1", "kind": "DeleteOptions", "dryRun": ["All"], **ASKED, "gracePeriodSeconds": 30}
    assert deletion(ASKED, RUNNING) == deletion(seen, RUNNING)
    ended = {**RUNNING, "status": {"phase": "Failed"}}
    assert deletion(ASKED, ended) == deletion({**seen, "gracePeriodSeconds": 0}, ended)


sizes = st.integers(1, 64_000)


@settings(max_examples=100, deadline=None)
@given(
    before=st.fixed_dictionaries(
        {},
        optional={
            "cpu": st.sampled_from(["0", "1", "2500m", "0.5m"]),
            "memory": st.sampled_from(["0", "1", "1Gi", "100M"]),
            "ephemeral-storage": st.just("1Gi"),
        },
    ),
    cpu=sizes,
    memory=sizes,
    noise=st.dictionaries(st.sampled_from(["image", "workingDir"]), st.text(max_size=4), max_size=2),
)
def test_requests_come_back_to_the_byte_whatever_stood_there_and_whatever_others_moved(
    before: dict[str, str], cpu: int, memory: int, noise: dict[str, str]
) -> None:
    container = {"name": "api", "resources": {"requests": before} if before else {}}
    live = workload([{"name": "sidecar"}, container])
    action = parse_action(request_for(live, cpu, memory))
    after = strategic.merge(live, body(action.request(Live(live, {}))))
    moved = strategic.merge(after, {"spec": {"template": {"spec": {"containers": [{"name": "sidecar", **noise}]}}}})
    undo = action.inverse(Live(live, {}))
    assert undo is not None
    back = strategic.merge(moved, body(undo))
    assert states.undo_matches(states.inverse_hash(live, after), moved, back)
    restored = next(item for item in back["spec"]["template"]["spec"]["containers"] if item["name"] == "api")
    assert (restored["resources"].get("requests") or {}) == before


def body(request: ApiRequest) -> Json:
    assert isinstance(request.body, dict)
    return request.body


def workload(containers: list[Json]) -> Json:
    meta = {"name": "cart", "namespace": "shop", "uid": "u", "generation": 1}
    return {"kind": "Deployment", "metadata": meta, "spec": {"replicas": 1, "template": {"spec": {"containers": containers}}}}


def request_for(live: Json, cpu: int, memory: int) -> Json:
    requests = live["spec"]["template"]["spec"]["containers"][1]["resources"].get("requests", {})
    seen = {
        "cpu_milli": quantities.cpu_milli(requests["cpu"]) if "cpu" in requests else None,
        "memory_mib": quantities.memory_mib(requests["memory"]) if "memory" in requests else None,
    }
    target = {"cluster": "c", "group": "apps", "kind": "Deployment", "namespace": "shop", "name": "cart", "uid": "u"}
    wanted = {"cpu_milli": min(cpu, 1_000_000), "memory_mib": memory}
    if seen == wanted:
        wanted["cpu_milli"] += 1
    return {
        "id": "act-0001",
        "kind": "set_requests",
        "target": target,
        "sizings": [{"container": "api", "from_sizes": seen, "to_sizes": wanted}],
    }


def test_a_create_is_what_writers_decide_of_the_new_object() -> None:
    made = {"metadata": {"name": "n", "uid": "u"}, "spec": {"a": 1}, "status": {}}
    assert states.post_hash("create", {}, {}, made) == states.post_hash("create", {}, {}, made | {"status": {"b": 1}})
    assert states.post_hash("create", {}, {}, made) != states.post_hash("create", {}, {}, made | {"spec": {"a": 2}})
    assert states.post_hash("create", {}, {}, made) != states.post_hash("patch", {}, {}, made)
