"""Objects with nulls, strange types and hostile text: no check stops, and what is printed is bounded."""

import json
import random
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

import pytest

from agents.catalogue import AGENTS
from agents.consulting import consult
from core.cluster import decoding
from core.cluster.observed import OBSERVED
from core.cluster.queries import Query, Sample, Series
from core.cluster.snapshot import Snapshot
from core.domain.money import PriceList, PriceSource
from core.domain.objective import Objectives
from core.domain.values import Json

KIND_NAMES = tuple(sorted({kind for agent in AGENTS for detector in agent.detectors for kind in detector.kinds}))
ODD = (
    None,
    "",
    "\u202egnp.exe\n\x1b[31m",
    "x" * 5000,
    -1,
    0,
    10**30,
    1.5,
    True,
    [],
    {},
    [None],
    {"a": None},
    "1e99",
    "NaN",
    "99999999999999999999Ei",
    "2026-13-45",
)
MUTANTS = 10


class Kept:
    """Metrics of the shop, asked once for all mutants."""

    def __init__(self, source: Any) -> None:
        self.source = source
        self.known: dict[Any, Any] = {}

    async def instant(self, query: Query, at: datetime) -> tuple[Sample, ...]:
        if query not in self.known:
            self.known[query] = await self.source.instant(query, at)
        return self.known[query]  # type: ignore[no-any-return]

    async def range(self, query: Query, start: datetime, end: datetime, step_seconds: int) -> tuple[Series, ...]:
        place = (query, start, step_seconds)
        if place not in self.known:
            self.known[place] = await self.source.range(query, start, end, step_seconds)
        return self.known[place]  # type: ignore[no-any-return]


class Reader:
    """Gives the mutated lists as the adapter would: by the same decoder."""

    def __init__(self, lists: dict[str, list[Json]], now: datetime) -> None:
        self.lists, self.now = lists, now

    async def snapshot(self, kinds: Sequence[str], namespaces: Sequence[str] = ()) -> Snapshot:
        decoded = {kind: decoding.decode_page(kind, json.dumps({"items": self.lists[kind]}).encode()) for kind in kinds}
        return Snapshot("c-1", self.now, {kind: page.items for kind, page in decoded.items()})

    async def log(self, namespace: str, pod: str, container: str, *, previous: bool = False, lines: int = 40) -> str:
        return "panic: \x1b[2J\u202e" + "x" * 100_000


def spoil(value: Any, chance: random.Random, share: float) -> Any:
    """The same document with some of its values replaced."""
    if chance.random() < share:
        return chance.choice(ODD)
    if isinstance(value, dict):
        return {key: spoil(item, chance, share) for key, item in value.items()}
    return [spoil(item, chance, share) for item in value] if isinstance(value, list) else value


@pytest.mark.parametrize("share", [0.002, 0.02])
async def test_no_check_stops_at_an_odd_object(share: float, box: Callable[..., Any]) -> None:
    shop = box("shop")
    lists = {kind: list(await shop.reader.list(OBSERVED[kind])) for kind in KIND_NAMES}
    metrics = Kept(shop.metrics)
    told = set()
    for seed in range(MUTANTS):
        chance = random.Random(f"{seed}/{share}")
        spoiled = {kind: [spoil(item, chance, share) for item in items] for kind, items in lists.items()}
        for agent in AGENTS:
            answer = await consult(
                agent,
                reader=Reader(spoiled, shop.running.clock.now()),  # type: ignore[arg-type]
                metrics=metrics,
                objectives=Objectives(),
                prices=PriceList(source=PriceSource(name="none", at=shop.running.clock.now())),
                now=shop.running.clock.now(),
                run="r",
            )
            told |= {
                f"{item.check}: {item.reason}" for item in answer.coverage.not_run if "stopped" in item.reason or "while" in item.reason
            }
            assert all(len(finding.title) <= 200 and "\x1b" not in finding.model_dump_json() for finding in answer.findings)
    assert told == set()
