"""What holds for every kind: its request, its way back, its check."""

from collections.abc import Callable
from typing import Any

import pytest

from core.actions import states
from core.actions.catalogue import CATALOGUE
from core.domain.action import Guards, Live
from core.domain.api_request import ApiRequest
from core.domain.check import Signal
from core.domain.errors import Conflict, Refused
from core.domain.values import Json, canonical

KINDS = sorted(CATALOGUE)
MAKING = {"cut_network"}
REMOVING = {"delete_pod", "evict_pod", "replace_machine"}
PATCHING = sorted(set(KINDS) - REMOVING - MAKING)
REVERSIBLE = sorted(kind for kind in KINDS if CATALOGUE[kind].reversible and kind not in MAKING)
Apply = Callable[[ApiRequest, Json], Json]


def delta(old: Json, new: Json) -> tuple[states.Leaf, ...]:
    return states.delta(states.desired(old), states.desired(new))


@pytest.mark.parametrize("kind", sorted(set(KINDS) - MAKING))
def test_a_request_names_its_target_and_carries_its_uid(kind: str, cases: Any) -> None:
    action, live = cases[kind]
    request = action.request(live)
    assert (request.name, request.namespace) == (action.target.name, action.target.namespace)
    assert action.target.uid in canonical(request.body).decode()


@pytest.mark.parametrize("kind", sorted(MAKING))
def test_what_is_made_has_the_actions_own_name_and_belongs_to_the_target(kind: str, cases: Any) -> None:
    action, live = cases[kind]
    request = action.request(live)
    made = request.body
    assert request.makes
    assert action.id in request.name
    assert (made["metadata"]["name"], made["metadata"]["namespace"]) == (request.name, action.target.namespace)
    assert [owner["uid"] for owner in made["metadata"]["ownerReferences"]] == [action.target.uid]


@pytest.mark.parametrize("kind", sorted(MAKING))
def test_the_way_back_from_making_is_to_delete_what_was_made_and_only_as_it_was_made(kind: str, cases: Any) -> None:
    action, live = cases[kind]
    request, undo = action.request(live), action.inverse(live)
    assert (undo.verb, undo.path) == ("delete", request.path)
    assert {request.right, undo.right} <= set(action.rights)
    stored = {**request.body, "metadata": {**request.body["metadata"], "uid": "uid-new", "resourceVersion": "8", "managedFields": []}}
    inverse = states.inverse_hash({}, request.body)
    assert states.undo_matches(inverse, stored, {})
    assert not states.undo_matches(inverse, {**stored, "spec": {**stored["spec"], "policyTypes": ["Egress"]}}, {})


@pytest.mark.parametrize(
    ("directions", "told"), [(["Ingress"], "no Ingress"), (["Egress"], "no Egress"), (["Ingress", "Egress"], "no Ingress and no Egress")]
)
def test_what_is_made_is_told_as_one_change_from_nothing_with_all_that_it_cuts(directions: list[str], told: str, cases: Any) -> None:
    action, live = cases["cut_network"]
    cut = type(action).model_validate(action.model_dump() | {"directions": tuple(directions)})
    (change,) = cut.changes(live)
    assert (change.path, change.old, change.new) == (f"networkpolicy/{cut.request(live).name}", None, told)


@pytest.mark.parametrize("kind", KINDS)
def test_a_re_created_object_is_a_conflict(kind: str, cases: Any) -> None:
    action, live = cases[kind]
    other = {**live.object, "metadata": {**live.object["metadata"], "uid": "uid-other"}}
    with pytest.raises(Conflict, match="uid"):
        action.request(Live(other, live.related))


@pytest.mark.parametrize("kind", sorted(set(KINDS) - {"clear_finalizers"}))
def test_an_object_on_its_way_out_is_a_conflict(kind: str, cases: Any) -> None:
    action, live = cases[kind]
    leaving = {**live.object, "metadata": {**live.object["metadata"], "deletionTimestamp": "2026-01-05T13:00:00Z"}}
    with pytest.raises(Conflict, match="deleted"):
        action.request(Live(leaving, live.related))


@pytest.mark.parametrize("kind", PATCHING)
def test_a_request_moves_what_the_changes_say_and_nothing_else(kind: str, cases: Any, applied: Apply) -> None:
    action, live = cases[kind]
    moved = delta(live.object, applied(action.request(live), live.object))
    assert moved
    assert {leaf.path for leaf in moved} == {change.path for change in action.changes(live)}


@pytest.mark.parametrize("kind", PATCHING)
def test_the_same_request_twice_changes_nothing_more(kind: str, cases: Any, applied: Apply) -> None:
    action, live = cases[kind]
    once = applied(action.request(live), live.object)
    assert delta(once, applied(action.request(live), once)) == ()


@pytest.mark.parametrize("kind", sorted(set(PATCHING) - {"rollback_rollout"}))
def test_an_object_that_is_already_there_cannot_be_written_again(kind: str, cases: Any, applied: Apply) -> None:
    action, live = cases[kind]
    once = applied(action.request(live), live.object)
    with pytest.raises((Conflict, Refused), match=r"now; the proposal saw|already"):
        action.request(Live(once, live.related))


@pytest.mark.parametrize("kind", REVERSIBLE)
def test_an_inverse_puts_back_what_stood_there(kind: str, cases: Any, applied: Apply) -> None:
    action, live = cases[kind]
    before = live.object
    after = applied(action.request(live), before)
    undo = action.inverse(live)
    assert undo is not None
    back = applied(undo, after)
    assert delta(before, back) == ()
    assert states.undo_matches(states.inverse_hash(before, after), after, back)
    assert undo.right in action.rights


@pytest.mark.parametrize("kind", REVERSIBLE)
def test_an_inverse_is_no_match_once_somebody_moved_our_field(kind: str, cases: Any, applied: Apply) -> None:
    action, live = cases[kind]
    after = applied(action.request(live), live.object)
    undo = action.inverse(live)
    assert not states.undo_matches(states.inverse_hash(live.object, after), live.object, applied(undo, live.object))


@pytest.mark.parametrize("kind", sorted(set(REVERSIBLE) - {"rollback_rollout"}))
def test_an_inverse_still_matches_after_others_moved_other_fields(kind: str, cases: Any, applied: Apply) -> None:
    action, live = cases[kind]
    after = applied(action.request(live), live.object)
    moved = {
        **after,
        "metadata": {**after["metadata"], "annotations": {"touched": "yes"}, "resourceVersion": "99", "generation": 9},
        "spec": {**after.get("spec", {}), "paused": False},
        "status": {"replicas": 1},
    }
    undo = action.inverse(live)
    assert states.undo_matches(states.inverse_hash(live.object, after), moved, applied(undo, moved))


@pytest.mark.parametrize("kind", sorted(kind for kind in KINDS if not CATALOGUE[kind].reversible))
def test_a_kind_without_a_way_back_says_so(kind: str, cases: Any) -> None:
    action, live = cases[kind]
    assert action.inverse(live) is None


@pytest.mark.parametrize("kind", KINDS)
def test_the_pre_state_holds_while_others_move_other_fields_and_breaks_when_ours_move(kind: str, cases: Any, applied: Apply) -> None:
    action, live = cases[kind]
    pinned = states.pre_hash(action, live.object)
    noisy = {**live.object, "status": {**live.object.get("status", {}), "noise": 1}}
    assert states.pre_hash(action, noisy) == pinned
    if kind in REMOVING:
        moved = {**live.object, "metadata": {**live.object["metadata"], "resourceVersion": "8"}}
    elif kind in MAKING:
        moved = {**live.object, "spec": {**live.object["spec"], "selector": {"matchLabels": {"app": "other"}}}}
    else:
        moved = applied(action.request(live), live.object)
    assert states.pre_hash(action, moved) != pinned


@pytest.mark.parametrize("kind", KINDS)
def test_a_check_looks_at_what_the_action_did_not_write(kind: str, cases: Any) -> None:
    action, live = cases[kind]
    check = action.check(live, Guards(latency_p99_ms=300, error_per_mille=10))
    assert check.target == (action.related()[0] if kind == "edit_config" else action.target)
    assert any(item.required for item in check.expectations)
    assert check.settle_seconds < check.watch_seconds
    guards = {item.signal: item for item in check.expectations if item.signal in (Signal.LATENCY_P99, Signal.ERROR_RATIO)}
    assert all(not item.required for item in guards.values())


@pytest.mark.parametrize("kind", KINDS)
def test_a_check_without_promises_has_no_guards(kind: str, cases: Any) -> None:
    action, live = cases[kind]
    signals = {item.signal for item in action.check(live, Guards()).expectations}
    assert not signals & {Signal.LATENCY_P99, Signal.ERROR_RATIO}


PODS = {
    "cut_network": 4,
    "set_image": 4,
    "edit_config": 4,
    "scale_workload": 2,
    "set_requests": 4,
    "rollback_rollout": 4,
    "restart_rollout": 4,
    "delete_pod": 1,
    "evict_pod": 1,
    "suspend_job": 5,
}


@pytest.mark.parametrize("kind", KINDS)
def test_the_blast_radius_is_counted_in_pods(kind: str, cases: Any) -> None:
    action, live = cases[kind]
    assert action.pods_touched(live) == PODS.get(kind, 0)


@pytest.mark.parametrize("kind", KINDS)
def test_a_sentence_names_the_target_on_one_line(kind: str, cases: Any) -> None:
    sentence = cases[kind].action.sentence()
    assert cases[kind].action.target.name in sentence
    assert "\n" not in sentence
