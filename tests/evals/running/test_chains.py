"""Faults that are felt along the calls: the callee is named and mended, its callers are neither blamed nor touched."""

from typing import Any

import pytest

from evals.cases.case import Case
from evals.running.lives import lived
from evals.running.trial import Trial

BAD = {"faults": ["errors-after-rollout"]}
"""25 minutes before the start."""


def rolled(name: str, to: str, *, minutes: int) -> dict[str, Any]:
    image = f"registry.apps.example/{name}"
    return {"revisions": [{"image": f"{image}:v1", "age_minutes": 12960}, {"image": f"{image}:{to}", "age_minutes": minutes}]}


def of(expect: dict[str, Any], **change: Any) -> Trial:
    case = {"id": "one", "world": {"name": "chain", "change": change}, "expect": expect}
    return lived(Case.model_validate(case), 1, "day2ops")


def cause(*names: str) -> list[dict[str, Any]]:
    return [{"target": f"Deployment/apps/{name}", "codes": ["REL-177"]} for name in names]


HIDDEN = {"env": {"ORDERS_URL": "by-discovery", "HINTS_URL": "by-discovery"}}
"""Then no variable tells whom edge calls, and only times can."""


@pytest.mark.parametrize("known", [{}, HIDDEN], ids=["calls told", "calls not told"])
@pytest.mark.parametrize("minutes", [40, 10], ids=["before its callee", "after its callee"])
def test_a_caller_with_a_harmless_rollout_is_not_blamed_for_its_callee(known: dict[str, Any], minutes: int) -> None:
    trial = of({"causes": cause("orders"), "well": True, "slo_kept": True}, orders=BAD, edge=rolled("edge", "v2", minutes=minutes) | known)
    assert trial.misses == ()
    assert [(action.kind, action.on) for action in trial.actions] == [("rollback_rollout", "Deployment/apps/orders")]


def test_a_caller_whose_own_rollout_is_bad_is_told_together_with_its_callee() -> None:
    trial = of({"causes": cause("orders", "edge"), "well": True}, orders=BAD, edge=rolled("edge", "errors", minutes=60) | HIDDEN)
    assert {told.on for told in trial.told} == {"Deployment/apps/orders", "Deployment/apps/edge"}
    assert {action.on for action in trial.actions} == {"Deployment/apps/orders", "Deployment/apps/edge"}
