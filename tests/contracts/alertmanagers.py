"""Notifications as an Alertmanager sends them, and storms of which it is known how many incidents they are."""

import random
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from core.domain.values import digest

AT = datetime(2026, 11, 27, 9, 0, tzinfo=UTC)
ZERO = "0001-01-01T00:00:00Z"


def written(at: datetime) -> str:
    """With nanoseconds, as Go writes it."""
    return at.isoformat(timespec="microseconds").replace("+00:00", "123Z")


def alert(
    name: str = "KubePodCrashLooping",
    namespace: str = "shop",
    pod: str = "checkout-7d9f8c6b5d-x2x4z",
    *,
    starts: datetime = AT,
    ends: datetime | None = None,
    fingerprint: str = "",
    **labels: str,
) -> dict[str, Any]:
    known = {"alertname": name, "namespace": namespace, "pod": pod, "severity": "critical"} | labels
    return {
        "status": "resolved" if ends else "firing",
        "labels": known,
        "annotations": {"summary": f"{pod} restarts again and again"},
        "startsAt": written(starts),
        "endsAt": written(ends) if ends else ZERO,
        "generatorURL": "http://prometheus.example/graph",
        "fingerprint": fingerprint or digest(known)[:16],
    }


def notification(*alerts: Mapping[str, Any], group: str = "{}:{}", truncated: int = 0, **more: Any) -> dict[str, Any]:
    return {
        "version": "4",
        "groupKey": group,
        "truncatedAlerts": truncated,
        "status": "firing",
        "receiver": "day2",
        "groupLabels": {},
        "commonLabels": {},
        "commonAnnotations": {},
        "externalURL": "http://alertmanager.example",
        "alerts": list(alerts),
        "addedLater": {"of": "a newer Alertmanager"},
    } | more


class Storm(NamedTuple):
    """`notifications` in the order in which they come; `places` are the incidents that it is, with how many alerts each and how many of
    them fire in the end."""

    notifications: list[dict[str, Any]]
    places: dict[tuple[str, str], tuple[int, int]]


def storm(seed: int, *, places: int, alerts: int, seconds: float = 60) -> Storm:
    """So many alerts of so many workloads within a minute: grouped by namespace, most of them resolved in it, told twice and more often,
    and resolves that overtake what they resolve."""
    dice = random.Random(seed)
    told: list[tuple[float, str, dict[str, Any]]] = []
    truth: dict[tuple[str, str], tuple[int, int]] = {}
    for number in range(alerts):
        place = number if number < places else dice.randrange(places)
        namespace, workload = f"team-{place % 17}", f"app-{place}"
        begins = dice.uniform(0, seconds / 2)
        starts = AT + timedelta(seconds=begins)
        same = {"name": f"Alert{dice.randrange(9)}", "namespace": namespace, "pod": f"{workload}-7d9f8c6b5d-x2x4z", "starts": starts}
        name = f"{number:016x}"
        over = dice.random() < 0.7
        told.append((begins, namespace, alert(**same, fingerprint=name)))
        if over:
            ends = begins + dice.uniform(1, seconds / 2)
            late = 0.0 if dice.random() < 0.2 else ends  # one in five comes before what it resolves
            told.append((late, namespace, alert(**same, fingerprint=name, ends=AT + timedelta(seconds=ends))))
        if dice.random() < 0.5:
            told.append((begins + dice.uniform(0, seconds), namespace, alert(**same, fingerprint=name)))
        count, firing = truth.get((namespace, workload), (0, 0))
        truth[namespace, workload] = (count + 1, firing + (not over))
    return Storm(list(_grouped(dice, sorted(told, key=lambda item: item[0]))), truth)


def _grouped(dice: random.Random, told: list[tuple[float, str, dict[str, Any]]]) -> Iterator[dict[str, Any]]:
    groups: dict[str, list[dict[str, Any]]] = {}
    for _, namespace, one in told:
        group = groups.setdefault(namespace, [])
        group.append(one)
        if len(group) >= dice.randint(1, 40):
            yield notification(*groups.pop(namespace), group=f'{{}}:{{namespace="{namespace}"}}')
    for namespace, group in groups.items():
        yield notification(*group, group=f'{{}}:{{namespace="{namespace}"}}')
