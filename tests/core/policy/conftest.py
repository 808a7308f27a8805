from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

import pytest

from core.domain.action import Action, Change, Risk
from core.domain.api_request import Right
from core.domain.evidence import observe
from core.domain.money import Saving
from core.domain.proposal import Effect, Proposal
from core.domain.target import Target

NOW = datetime(2026, 1, 5, 12, 0, tzinfo=UTC)


class TurnKnob(Action):
    """A kind of its own, so that these tests hold whatever the catalogue holds."""

    risk: ClassVar[Risk] = Risk.MEDIUM
    reversible: ClassVar[bool] = True
    rights: ClassVar[tuple[Right, ...]] = ()
    knob: int = 1


@pytest.fixture(scope="session")
def now() -> datetime:
    return NOW


@pytest.fixture(scope="session")
def make_target() -> Callable[..., Target]:
    def make(name: str = "catalog", *, kind: str = "Deployment", uid: str = "", namespace: str = "shop", cluster: str = "c-1") -> Target:
        return Target(cluster=cluster, group="apps", kind=kind, namespace=namespace, name=name, uid=uid or f"u-{kind}-{name}".lower())

    return make


@pytest.fixture(scope="session")
def make_action(make_target: Callable[..., Target]) -> Callable[..., Action]:
    def make(action_id: str = "act-0001", *, target: Target | None = None, kind: str = "set_requests", knob: int = 1) -> Action:
        return TurnKnob(id=action_id, kind=kind, target=target or make_target(), knob=knob)

    return make


@pytest.fixture(scope="session")
def make_proposal(make_action: Callable[..., Action]) -> Callable[..., Proposal]:
    def make(action_id: str, *, agent: str = "finops", priority: int = 50, saving: int = 0, cpu: int = 0, **rest: Any) -> Proposal:
        knob = rest.pop("knob", int(action_id[-4:], 36))
        action = make_action(action_id, target=rest.pop("target", None), knob=knob)
        return Proposal(
            action=action,
            agent=agent,
            run="run-1",
            why="because",
            priority=priority,
            evidence=(observe("object", action.target, "spec.replicas", "4", NOW),),
            effect=Effect(
                summary="better",
                saving=Saving(paper_micro_usd=saving),
                capacity_cpu_milli=cpu,
                **{f"capacity_{name}": rest.pop(name, 0) for name in ("memory_mib", "gpus", "pods")},
            ),
            expires_at=rest.pop("expires_at", NOW + timedelta(hours=1)),
            changes=tuple(Change(path=path, old=old, new=new) for path, old, new in rest.pop("changes", ())),
            **rest,
        )

    return make
