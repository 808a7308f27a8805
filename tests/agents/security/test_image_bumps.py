"""A successor goes to the smallest workload first, and to the others only once that one runs it whole."""

import pytest

from agents.desk import Desk
from agents.security import image_bumps
from core.actions.set_image import SetImage
from core.domain.values import Json
from tests.agents.reliability.conditions.objects import NOW, cluster, container, merged, workload

OLD, NEW = "registry.example/app:1", f"registry.example/app@sha256:{'a' * 64}"


def runs(name: str, image: str = OLD, *, replicas: int = 2, whole: bool = True, kind: str = "Deployment") -> Json:
    spec = {"template": {"spec": {"containers": [container(image=image)]}}}
    made = workload(kind, name, replicas=replicas, labels={"app": name}, spec=spec)
    return made if whole else merged(made, {"status": {"availableReplicas": 0, "readyReplicas": 0}})


def planned(*items: Json, old: str = OLD, new: str = NEW) -> list[str]:
    proposals = image_bumps.bumps(Desk(cluster(*items), NOW, "run-1"), old, new)
    assert all(isinstance(proposal.action, SetImage) for proposal in proposals)
    return [proposal.action.target.name for proposal in proposals]


def test_the_smallest_is_first() -> None:
    assert planned(runs("big", replicas=9), runs("small", replicas=1), runs("other", "registry.example/db:1", replicas=1)) == ["small"]


def test_the_others_follow_once_it_runs_whole() -> None:
    assert planned(runs("big", replicas=9), runs("set", kind="StatefulSet"), runs("small", NEW, replicas=1)) == ["big", "set"]


@pytest.mark.parametrize("first", [runs("small", NEW, replicas=1, whole=False), runs("small", NEW, replicas=0)], ids=["not up", "at zero"])
def test_nothing_follows_one_that_is_not_up(first: Json) -> None:
    assert planned(runs("big", replicas=9), first) == []


def test_an_image_that_nobody_runs_plans_nothing() -> None:
    assert planned(runs("big"), old="registry.example/app:2") == []


def test_the_proposal_says_who_named_it_and_what_moves() -> None:
    (proposal,) = image_bumps.bumps(Desk(cluster(runs("web")), NOW, "run-1"), OLD, NEW)
    assert "A person names" in proposal.why
    assert [(change.old, change.new) for change in proposal.changes] == [(OLD, NEW)]
    again = image_bumps.bumps(Desk(cluster(runs("web")), NOW, "run-2"), OLD, NEW)
    assert again[0].action.id != proposal.action.id
