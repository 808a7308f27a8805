"""What is being deleted is let go of named finalizers, never of those that Kubernetes set."""

from typing import Any

import pytest

from core.actions.catalogue import parse_action
from core.actions.clear_finalizers import protects
from core.domain.action import Live
from core.domain.errors import Conflict, InvalidInput, Refused
from core.domain.values import Json


@pytest.mark.parametrize(
    ("finalizer", "own"),
    [
        ("kubernetes.io/pvc-protection", True),
        ("foregroundDeletion", True),
        ("orphan", True),
        ("batch.kubernetes.io/job-tracking", True),
        ("service.kubernetes.io/load-balancer-cleanup", True),
        ("resource.k8s.io/delete-protection", True),
        ("backup.example/keep", False),
        ("example.com/kubernetes.io", False),
        ("notkubernetes.io/keep", False),
        ("keep", False),
    ],
)
def test_finalizers_of_kubernetes_are_known_by_their_domain(finalizer: str, own: bool, documents: dict[str, Json]) -> None:
    assert protects(finalizer) is own
    if own:
        with pytest.raises(InvalidInput, match="of Kubernetes itself"):
            parse_action(documents["clear_finalizers"] | {"finalizers": [finalizer]})


def action(documents: dict[str, Json], **arguments: Any) -> Any:
    return parse_action(documents["clear_finalizers"] | arguments)


def test_what_is_not_named_stays_in_its_order(documents: dict[str, Json], cases: Any) -> None:
    live = cases["clear_finalizers"].live
    held = ["a.example/1", "backup.example/keep", "b.example/2"]
    there = {**live.object, "metadata": {**live.object["metadata"], "finalizers": held}}
    made = action(documents, from_finalizers=held)
    assert made.request(Live(there, {})).body[-1] == {"op": "add", "path": "/metadata/finalizers", "value": ["a.example/1", "b.example/2"]}
    (change,) = made.changes(Live(there, {}))
    assert (change.old, change.new) == (held, ["a.example/1", "b.example/2"])


def test_all_that_it_has_may_go(documents: dict[str, Json], cases: Any) -> None:
    live = cases["clear_finalizers"].live
    there = {**live.object, "metadata": {**live.object["metadata"], "finalizers": ["backup.example/keep"]}}
    made = action(documents, from_finalizers=["backup.example/keep"])
    assert made.request(Live(there, {})).body[-1]["value"] == []


def test_one_that_it_does_not_have_is_refused(documents: dict[str, Json], cases: Any) -> None:
    with pytest.raises(Refused, match="no such finalizer"):
        action(documents, finalizers=["other.example/keep"]).request(cases["clear_finalizers"].live)


@pytest.mark.parametrize("metadata", [None, {}, {"uid": "uid-data"}, {"uid": "other", "deletionTimestamp": "2026-01-05T13:00:00Z"}])
def test_another_object_or_one_that_nobody_deleted_is_a_conflict(metadata: Any, documents: dict[str, Json]) -> None:
    with pytest.raises(Conflict):
        action(documents).request(Live({"kind": "PersistentVolumeClaim", "metadata": metadata}, {}))


@pytest.mark.parametrize(("kind", "group", "pods"), [("Pod", "", 1), ("ConfigMap", "", 0), ("Job", "batch", 0)])
def test_a_pod_is_one_pod(kind: str, group: str, pods: int, documents: dict[str, Json], cases: Any) -> None:
    target = documents["clear_finalizers"]["target"] | {"kind": kind, "group": group}
    assert action(documents, target=target).pods_touched(cases["clear_finalizers"].live) == pods
