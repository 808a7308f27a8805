"""Alerts joined to incidents, on sqlite, on Postgres and on its twin: by place and time, whatever order they come in."""

import random
from datetime import datetime, timedelta
from typing import Any

import pytest

from core.domain.incidents import Handed, Incidents, Taken
from runtime.services.alertmanagers import Notification, handed
from tests.contracts.alertmanagers import AT, alert, notification, storm
from tools.stores.front.incidents import MemoryIncidents, SqlIncidents
from tools.stores.opening import Database

AGAIN = timedelta(minutes=30)


@pytest.fixture
def kept(database: Database | None) -> Incidents:
    return SqlIncidents(database) if database else MemoryIncidents()


def read(*alerts: dict[str, Any], at: datetime = AT, **more: Any) -> list[Handed]:
    return handed(Notification.model_validate(notification(*alerts, **more)), at)


def take(kept: Incidents, *alerts: dict[str, Any], at: datetime = AT, **more: Any) -> Taken:
    return kept.take([read(*alerts, at=at, **more)], at=at, again_within=AGAIN)[0]


def minutes(count: float) -> datetime:
    return AT + timedelta(minutes=count)


def test_alerts_of_one_workload_are_one_incident_and_it_is_over_with_the_last_of_them(kept: Incidents) -> None:
    first, second = alert("A"), alert("B", pod="checkout-7d9f8c6b5d-b2b4z", starts=minutes(5))
    taken = take(kept, first)
    assert (taken.new, taken.resolved, taken.repeated) == (1, 0, 0)
    assert take(kept, second, at=minutes(5)).incidents == taken.incidents
    (incident,) = kept.recent()
    assert (incident.place.namespace, incident.place.workload, incident.title) == ("shop", "checkout", "A")
    assert (incident.alerts, incident.firing, incident.open) == (2, 2, True)
    take(kept, alert("A", ends=minutes(9)), at=minutes(9))
    assert [one.open for one in kept.recent()] == [True]
    take(kept, alert("B", pod="checkout-7d9f8c6b5d-b2b4z", starts=minutes(5), ends=minutes(7)), at=minutes(10))
    (incident,) = kept.recent(state="resolved")
    assert (incident.firing, incident.closed_at, incident.opened_at) == (0, minutes(9), AT)
    assert [one.alert.name for one in kept.alerts(incident.id)] == ["B", "A"]


def test_the_same_alert_again_changes_nothing(kept: Incidents) -> None:
    take(kept, alert())
    before = kept.recent()
    assert take(kept, alert(), at=minutes(240)) == Taken(0, 0, 1, (before[0].id,))
    assert kept.recent() == before


def test_over_is_over_though_its_beginning_comes_late_or_again(kept: Incidents) -> None:
    take(kept, alert(ends=minutes(3)), at=minutes(3))
    assert take(kept, alert(), at=minutes(4)).repeated == 1
    (incident,) = kept.recent()
    assert (incident.open, incident.alerts, incident.moves) == (False, 1, 2)


def test_what_fires_again_soon_reopens_and_what_fires_later_is_another(kept: Incidents) -> None:
    take(kept, alert(ends=minutes(10)), at=minutes(10))
    take(kept, alert(starts=minutes(39)), at=minutes(39))
    (incident,) = kept.recent()
    assert (incident.open, incident.reopened, incident.moves) == (True, 1, 3)
    take(kept, alert(starts=minutes(39), ends=minutes(40)), at=minutes(40))
    take(kept, alert(starts=minutes(71)), at=minutes(71))
    assert [(one.open, one.opened_at) for one in kept.recent()] == [(True, minutes(71)), (False, AT)]


def test_another_namespace_cluster_or_workload_is_another_incident(kept: Incidents) -> None:
    take(kept, alert(), alert(namespace="pay"), alert(cluster="west"), alert(pod="cart-0"))
    assert len(kept.recent()) == 4


def test_what_was_left_out_is_remembered(kept: Incidents) -> None:
    take(kept, alert(), truncated=3)
    take(kept, alert(), truncated=9)
    take(kept, alert(), truncated=2)
    assert [one.truncated for one in kept.recent()] == [9]


def test_the_worst_waits_first_and_what_began_waits_no_more(kept: Incidents) -> None:
    take(
        kept, alert(pod="a-0", severity="warning"), alert(pod="b-0", severity="critical", starts=minutes(1)), alert(pod="c-0", severity="x")
    )
    assert sorted(one.place.workload for one in kept.waiting(9)) == ["a", "b", "c"]
    worst = kept.waiting(1)[0]
    assert worst.place.workload == "b"
    kept.begun(worst.id, "run-1", minutes(2))
    assert worst.id not in [one.id for one in kept.waiting(9)]
    assert (kept.runs_since(minutes(2)), kept.runs_since(minutes(3))) == (1, 0)
    found = kept.get(worst.id)
    assert found is not None
    assert (found.run, found.run_at) == ("run-1", minutes(2))
    take(kept, alert("Another", pod="b-0", starts=minutes(3)), at=minutes(3))
    assert [one.run for one in kept.recent() if one.id == worst.id] == ["run-1"]


def test_moves_are_told_once(kept: Incidents) -> None:
    take(kept, alert())
    (incident,) = kept.untold()
    kept.told({incident.id: incident.moves})
    assert kept.untold() == []
    take(kept, alert(ends=minutes(1)), at=minutes(1))
    assert [(one.told, one.moves) for one in kept.untold()] == [(1, 2)]


def test_what_is_long_over_is_forgotten_with_its_alerts(kept: Incidents) -> None:
    take(kept, alert(ends=minutes(1)), alert(pod="b-0"), at=minutes(1))
    gone = kept.recent(state="resolved")[0].id
    assert kept.forget(minutes(1)) == 0
    assert kept.forget(minutes(2)) == 1
    assert kept.alerts(gone) == []
    assert [one.open for one in kept.recent()] == [True]


def test_nothing_handed_in_changes_nothing(kept: Incidents) -> None:
    assert kept.take([[]], at=AT, again_within=AGAIN) == [Taken(0, 0, 0, ())]


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_storm_ends_as_the_incidents_that_it_is_in_any_order(kept: Incidents, seed: int) -> None:
    blown = storm(seed, places=23, alerts=400)
    order = blown.notifications + random.Random(seed).sample(blown.notifications, 20)
    random.Random(seed).shuffle(order)
    later = minutes(5)
    for start in range(0, len(order), 7):
        many = [handed(Notification.model_validate(one), later) for one in order[start : start + 7]]
        kept.take(many, at=later, again_within=AGAIN)
    found = {(one.place.namespace, one.place.workload): (one.alerts, one.firing) for one in kept.recent()}
    assert found == blown.places
    assert len(kept.recent()) == len(blown.places)
