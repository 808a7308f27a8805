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


SILENCE = timedelta(hours=12)


def hours(count: float) -> datetime:
    return AT + timedelta(hours=count)


def lapse(kept: Incidents, at: datetime) -> int:
    return kept.lapse(at=at, silence=SILENCE)


def test_an_incident_of_which_nothing_is_heard_any_more_has_lapsed(kept: Incidents) -> None:
    take(kept, alert("A"), alert("B"), alert(pod="cart-0"))
    take(kept, alert("A"), at=hours(4))
    assert lapse(kept, hours(11.9)) == 0
    assert lapse(kept, hours(12)) == 2
    assert lapse(kept, hours(12)) == 0
    cart, checkout = sorted(kept.recent(), key=lambda one: one.place.workload)
    assert (checkout.state, checkout.firing, checkout.lapsed) == ("open", 1, 1)
    assert (cart.state, cart.firing, cart.closed_at, cart.moves) == ("lapsed", 0, hours(12), 2)
    assert lapse(kept, hours(16)) == 1
    found = kept.get(checkout.id)
    assert found is not None
    assert (found.state, found.lapsed, found.closed_at) == ("lapsed", 2, hours(16))
    assert [len(kept.recent(state=state)) for state in ("open", "lapsed", "resolved")] == [0, 2, 0]
    assert kept.waiting(9) == []
    assert [one.lapsed for one in kept.alerts(cart.id)] == [True]


def test_a_repetition_is_written_down_only_now_and_then(kept: Incidents) -> None:
    take(kept, alert())
    (incident,) = kept.recent()
    take(kept, alert(), at=minutes(9))
    assert [one.at for one in kept.alerts(incident.id)] == [AT]
    take(kept, alert(), at=minutes(10))
    assert [one.at for one in kept.alerts(incident.id)] == [minutes(10)]


def test_what_lapsed_and_is_told_again_goes_on_as_the_same_incident(kept: Incidents) -> None:
    first = take(kept, alert())
    lapse(kept, hours(12))
    again = take(kept, alert(), at=hours(13))
    assert (again.repeated, again.incidents) == (1, first.incidents)
    (incident,) = kept.recent()
    assert (incident.state, incident.firing, incident.alerts, incident.lapsed, incident.reopened) == ("open", 1, 1, 0, 1)
    assert incident.moves == 3
    assert lapse(kept, hours(24)) == 0
    take(kept, alert(ends=hours(14)), at=hours(14))
    assert [(one.state, one.closed_at) for one in kept.recent()] == [("resolved", hours(14))]


def test_an_end_that_is_told_after_all_makes_it_resolved(kept: Incidents) -> None:
    take(kept, alert())
    lapse(kept, hours(12))
    assert take(kept, alert(ends=hours(1)), at=hours(13)).resolved == 1
    (incident,) = kept.recent()
    assert (incident.state, incident.firing, incident.lapsed) == ("resolved", 0, 0)
    assert [(one.alert.ends_at, one.lapsed) for one in kept.alerts(incident.id)] == [(hours(1), False)]


def test_an_alert_lasts_until_its_sender_said_or_says_anew(kept: Incidents) -> None:
    take(kept, alert() | {"endsAt": hours(1).isoformat()})
    take(kept, alert() | {"endsAt": hours(2).isoformat()}, at=minutes(5))
    assert lapse(kept, hours(1.9)) == 0
    assert lapse(kept, hours(3)) == 1
    assert [(one.state, one.closed_at) for one in kept.recent()] == [("lapsed", hours(2))]


def test_an_end_that_is_past_is_an_end_whatever_the_status_says(kept: Incidents) -> None:
    take(kept, alert())
    take(kept, alert() | {"endsAt": minutes(5).isoformat()}, at=minutes(6))
    assert [(one.state, one.closed_at) for one in kept.recent()] == [("resolved", minutes(5))]


def test_a_storm_that_nobody_ends_lapses_whole(kept: Incidents) -> None:
    count = 1_100  # more than are ended at a time
    take(kept, *(alert(pod=f"web{number}-0") for number in range(count)))
    found = [lapse(kept, hours(13)) for _ in range(4)]
    assert sum(found) == count
    assert found[-1] == 0
    assert {one.state for one in kept.recent(limit=count)} == {"lapsed"}


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
