"""Nobody calls the product: the schedules of a case run it, and what it wrote is held against them."""

from typing import Any

import pytest

from evals.cases.case import Case
from evals.reporting import week
from evals.running.lives import lived
from evals.running.trial import Trial

CRASH = {"spec": {"template": {"spec": {"containers": [{"name": "web", "image": "registry.apps.example/web:crash"}]}}}}
WASTE = {"name": "small", "change": {"worker": {"replicas": 4, "faults": ["overprovisioned"]}}}
ALONE: dict[str, Any] = {
    "id": "half-a-day",
    "world": WASTE,
    "schedules": {
        "mend": {"every": "1h", "agents": ["reliability"], "ceiling": "auto"},
        "right-size": {
            "cron": "30 15 * * *",
            "agents": ["finops"],
            "ceiling": "auto",
            "windows": {"write": [{"from": "15:00", "to": "16:00"}]},
        },
    },
    "edits": [{"at": "130m", "target": "Deployment/apps/web", "patch": CRASH}],
    "lasts": "5h",
    "settles": "30m",
    "expect": {
        "actions": [
            {"kind": "set_requests", "target": "Deployment/apps/worker"},
            {"kind": "rollback_rollout", "target": "Deployment/apps/web"},
        ],
        "touches": ["Deployment/apps/web", "Deployment/apps/worker"],
        "gives_back": ["apps/worker"],
        "saves_percent": 60,
        "slo_percent": 99,
        "well": True,
    },
}


def of(contestant: str = "day2ops", **more: Any) -> Trial:
    return lived(Case.model_validate({**ALONE, **more}), 1, contestant)


@pytest.fixture(scope="module")
def trial() -> Trial:
    return of()


def test_schedules_find_mend_and_save_by_themselves(trial: Trial) -> None:
    assert trial.misses == ()
    assert (trial.governed, trial.breaches) == (2, ())
    assert trial.runs == 5 + 1
    assert [(told.code, told.on) for told in trial.told] == [("REL-101", "Deployment/apps/web"), ("FIN-101", "Deployment/apps/worker")]


def test_what_the_time_cost_is_summed_minute_by_minute(trial: Trial) -> None:
    assert trial.spent is not None
    assert trial.cost_after is not None
    hours = trial.virtual / 3600 / 730
    assert trial.cost_after * hours < trial.spent < week.standing(trial)
    (row,) = week.rows([trial])
    assert row[:2] == ("day2ops", "1 of 1 (21% to 100%)")
    assert row[4] == "0 in 2 writes"


def test_the_same_case_and_seed_live_through_the_same_again(trial: Trial) -> None:
    assert of().same() == trial.same()


def test_a_baseline_has_no_schedules_to_break_and_its_minutes_count(trial: Trial) -> None:
    nobody = of("nothing")
    assert nobody.breaches is None
    assert nobody.runs is None
    assert nobody.service_minutes == trial.service_minutes
    assert nobody.spent is not None
    assert trial.spent is not None
    assert nobody.spent > trial.spent


def test_a_ceiling_leaves_everything_as_it_is() -> None:
    schedules = {"watch": {"every": "1h", "ceiling": "observe"}}
    quiet = of(schedules=schedules, edits=[], expect={"budget": {"writes": 0}})
    assert quiet.misses == ()
    assert quiet.told
    assert quiet.actions == ()


def test_a_schedule_that_cannot_be_is_told_with_its_place() -> None:
    with pytest.raises(ValueError, match="it does not say when"):
        Case.model_validate({**ALONE, "schedules": {"never": {"ceiling": "auto"}}})
    with pytest.raises(ValueError, match="`schedules` say who looks and acts"):
        Case.model_validate({**ALONE, "agents": ["finops"]})
