"""How long an older revision had all its pods is counted from the metrics source, never guessed from dates."""

from dataclasses import replace
from typing import Any

import pytest

from core.actions.rollback_rollout import RollbackRollout
from core.cluster.queries import Query, Sample, Shape
from core.domain.outcome import ActionState as S
from core.domain.target import Target
from core.policy.engine import builtin
from tools.metrics.twin import TableMetrics

QUERY = Query(Shape.REVISION_COMPLETE, "shop", window_seconds=2 * 86_400, step_seconds=60)


def replica_set(gate: Any, name: str, revision: int) -> None:
    live = gate.cluster.object("Deployment", "shop", "cart")
    template = {**live["spec"]["template"], "spec": {"containers": [{"name": "app", "image": f"registry.example/cart:{revision}"}]}}
    gate.cluster.put(
        {
            "kind": "ReplicaSet",
            "metadata": {
                "name": name,
                "namespace": "shop",
                "uid": f"uid-{name}",
                "annotations": {"deployment.kubernetes.io/revision": str(revision)},
                "creationTimestamp": "2026-11-01T00:00:00Z",
                "ownerReferences": [{"kind": "Deployment", "name": "cart", "uid": "uid-cart", "controller": True}],
            },
            "spec": {"template": template},
        }
    )


@pytest.fixture
def rolled(gate: Any) -> Any:
    gate.cluster.object("Deployment", "shop", "cart")["metadata"]["annotations"] = {"deployment.kubernetes.io/revision": "2"}
    replica_set(gate, "cart-old", 1)
    replica_set(gate, "cart-new", 2)
    return gate


def rollback() -> RollbackRollout:
    target = Target(cluster="cluster-1", group="apps", kind="Deployment", namespace="shop", name="cart", uid="uid-cart")
    return RollbackRollout(
        id="act-roll1", target=target, from_revision=2, to_revision=1, replica_set="cart-old", replica_set_uid="uid-cart-old"
    )


def minutes(old: int, new: int = 0) -> TableMetrics:
    found = [Sample((("namespace", "shop"), ("replicaset", name)), 0.0, count) for name, count in (("cart-old", old), ("cart-new", new))]
    return TableMetrics({QUERY: tuple(found)})


async def healthy(gate: Any, metrics: Any) -> int | None:
    gate.bench = replace(gate.bench, metrics=metrics)
    await gate.submit(gate.proposal(rollback()))
    await gate.judge()
    found: int | None = gate.rules.seen[-1].previous_healthy_seconds
    return found


async def test_the_minutes_with_all_pods_are_counted_for_that_revision_alone(rolled: Any) -> None:
    assert await healthy(rolled, minutes(old=90, new=7)) == 5400


async def test_a_revision_that_was_never_complete_was_never_healthy_however_long_it_was_current(rolled: Any) -> None:
    assert await healthy(rolled, minutes(old=0)) == 0


@pytest.mark.parametrize(
    "metrics", [None, TableMetrics(), TableMetrics(down=frozenset(Shape))], ids=["no source", "no such series", "source down"]
)
async def test_where_nobody_measured_nobody_knows(rolled: Any, metrics: Any) -> None:
    assert await healthy(rolled, metrics) is None


@pytest.mark.parametrize(("metrics", "state"), [(None, S.NEEDS_APPROVAL), (minutes(4), S.NEEDS_APPROVAL), (minutes(5), S.PERMITTED)])
async def test_a_person_decides_about_a_revision_that_is_not_known_to_be_good(rolled: Any, metrics: Any, state: S) -> None:
    rolled.bench = replace(rolled.bench, rules=builtin(), metrics=metrics)
    action = await rolled.submit(rolled.proposal(rollback()))
    await rolled.judge()
    assert rolled.row(action).state is state, rolled.row(action).note
