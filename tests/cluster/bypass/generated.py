"""Attempts from a seed: claims, texts and requests that nobody thought of, the same at each run."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from tests.cluster.bypass.attempts import GATE, Attempt, playing
from tests.cluster.bypass.claims import NINE, USER, web

if TYPE_CHECKING:
    import httpx

    from core.domain.api_request import ApiRequest
    from core.domain.permit import Permit
    from tests.cluster.bypass.ground import Ground

SEED = 4
BOUND = ("iss", "agent", "uid", "generation", "line", "post", "iat", "exp", "use")
"""What the webhook compares with what it sees itself."""
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
FIELDS: tuple[Callable[[random.Random], dict[str, Any]], ...] = (
    lambda dice: {"spec": {"replicas": dice.randint(10, 10_000)}},
    lambda dice: {"spec": {"revisionHistoryLimit": dice.randint(11, 99)}},
    lambda dice: {"spec": {"minReadySeconds": dice.randint(20, 900)}},
    lambda dice: {"metadata": {"labels": {f"l{dice.randint(0, 99)}": str(dice.randint(0, 99))}}},
    lambda dice: {"metadata": {"annotations": {f"a{dice.randint(0, 99)}": "x" * dice.randint(1, 400)}}},
    lambda dice: {"spec": {"template": {"spec": {"terminationGracePeriodSeconds": dice.randint(31, 900)}}}},
    lambda dice: {"spec": {"template": {"spec": {"hostNetwork": True, "priority": dice.randint(0, 0)}}}},
    lambda dice: {"spec": {"template": {"spec": {"containers": [{"name": "web", "image": f"evil:{dice.randint(2, 99)}"}]}}}},
    lambda dice: {"spec": {"strategy": {"rollingUpdate": {"maxSurge": dice.randint(2, 90)}}}},
)


def _claim(dice: random.Random) -> tuple[str, Callable[[Permit], dict[str, Any]]]:
    """Another value of one claim, or of two, signed by the judge."""
    names = dice.sample(BOUND, dice.randint(1, 2))
    noise = dice.randint(1, 10**6)

    def changed(permit: Permit) -> dict[str, Any]:
        values: dict[str, Any] = {
            "iss": f"day2:judge{noise}",
            "agent": f"a{noise}",
            "uid": f"{noise:08d}-0000-0000-0000-000000000000",
            "generation": permit.generation + noise,
            "line": f"{permit.line[:-1]}{noise}",
            "post": f"{noise:064d}",
            "iat": permit.iat + 10 + noise,
            "exp": permit.exp + noise,
            "use": "undo",
        }
        return {name: values[name] for name in names}

    return f"{' and '.join(sorted(names))} {noise}", changed


def _claimed(changed: Callable[[Permit], dict[str, Any]]) -> Callable[[Ground], httpx.Response]:
    def act(ground: Ground) -> httpx.Response:
        request = web(ground)
        permit, _, _ = ground.judged(request)
        return ground.sent(request, USER, ground.minted(permit.model_copy(update=changed(permit))))

    return act


def _bent(place: float, letter: str) -> Callable[[Ground], httpx.Response]:
    """One letter of a good permit, changed. The last one of a part may carry bits that mean nothing, so the part's head is meant."""

    def act(ground: Ground) -> httpx.Response:
        request = web(ground)
        permit, _, _ = ground.judged(request)
        parts = ground.minted(permit).split(".")
        which = int(place * 3)
        at = int((place * 3 - which) * (len(parts[which]) - 2))
        old = parts[which][at]
        new = letter if letter != old else ("B" if old == "A" else "A")
        parts[which] = f"{parts[which][:at]}{new}{parts[which][at + 1 :]}"
        return ground.sent(request, USER, ".".join(parts))

    return act


def _asked(change: dict[str, Any]) -> Callable[[Ground], httpx.Response]:
    """The good permit for NINE, with a request that also, or instead, changes something else."""

    def act(ground: Ground) -> httpx.Response:
        good = web(ground)
        permit, _, _ = ground.judged(good)
        asked: ApiRequest = good.model_copy(update={"body": _merged(NINE, change)})
        return ground.sent(asked, USER, ground.minted(permit))

    return act


def _merged(one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    both = {key: _merged(one[key], other[key]) for key in one.keys() & other.keys() if isinstance(one[key], dict)}
    return {**one, **other, **both}


def attempts(seed: int = SEED) -> Iterator[Attempt]:
    dice = random.Random(seed)
    for _ in range(16):
        name, changed = _claim(dice)
        yield playing("generated", _claimed(changed), f"claim {name}", stopped_by=frozenset({"webhook"}), generated=True)
    for _ in range(14):
        place, letter = dice.random(), dice.choice(LETTERS)
        yield playing("generated", _bent(place, letter), f"letter {place:.4f} {letter}", stopped_by=GATE, generated=True)
    for number in range(18):
        change = FIELDS[number % len(FIELDS)](dice)
        name = f"request {number} {'.'.join(_path(change))}"
        yield playing("generated", _asked(change), name, stopped_by=frozenset({"webhook", "api"}), generated=True)


def _path(change: Any) -> Iterator[str]:
    while isinstance(change, dict):
        key = next(iter(change))
        yield key
        change = change[key]
    if not isinstance(change, list):
        yield str(change)[:12]
