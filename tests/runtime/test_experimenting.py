"""One experiment at a time on a data folder, and one that cannot go on bars nobody."""

import contextlib
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from langgraph.checkpoint.memory import InMemorySaver

from core.domain.errors import Busy, Unavailable
from core.domain.objective import Objectives
from core.policy import experiments as documents
from gate.door import LedgerDoor
from graph.trials import ExperimentContext
from runtime.experimenting import Experimenting
from runtime.laboratory import Bench
from runtime.seeded_ids import SeededIds
from runtime.services import experiments
from tools.hand_clock import HandClock
from tools.stores.memory import MemoryLedger

NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)
SPEC = {
    "why": "the shop must go on",
    "target": {"namespace": "shop", "name": "web"},
    "hypothesis": [{"name": "ready", "ready": 2}],
    "fault": {"kind": "pod_kill"},
    "duration": "20s",
    "blast": {"pods": 2},
}
ASKED = documents.read(
    json.dumps({"apiVersion": "day2.dev/v1alpha1", "kind": "Experiment", "metadata": {"name": "shop"}, "spec": SPEC}), "experiment.yaml"
)


class Gone:
    """A cluster that answers nobody."""

    def __getattr__(self, name: str) -> Any:
        async def ask(*_: Any, **__: Any) -> Any:
            raise Unavailable("the API server")

        return ask


class Lock:
    def __init__(self) -> None:
        self.taken = False

    @contextlib.contextmanager
    def __call__(self) -> Iterator[None]:
        if self.taken:
            raise Busy("process 7 is already the experiment here")
        yield


@pytest.fixture
def ledger() -> MemoryLedger:
    return MemoryLedger()


def work(ledger: MemoryLedger, lock: Lock) -> Experimenting:
    clock, reader = HandClock(NOON), Gone()
    bench = Bench(ledger, reader, None, clock, Objectives())
    context = ExperimentContext(clock=clock, gate=LedgerDoor(ledger, clock), laboratory=bench, pause_seconds=0)
    return Experimenting(InMemorySaver(), context, ledger, lock)


async def test_one_that_cannot_go_on_is_inconclusive_on_record_and_bars_nobody(ledger: MemoryLedger) -> None:
    with pytest.raises(Unavailable):
        await work(ledger, Lock()).run(ASKED, by="ann", ids=SeededIds(7))
    assert experiments.unfinished(ledger) == []
    (trial,) = experiments.trials(ledger)
    assert trial.summary["word"] == "inconclusive"
    assert "the API server is unavailable" in trial.summary["reasons"][0]


async def test_what_a_dead_process_began_is_ended_before_the_next_one_begins(ledger: MemoryLedger) -> None:
    experiments.start(ledger, "exp-00000001", name="shop", spec=ASKED.spec, by="bob", at=NOON)
    with pytest.raises(Unavailable):
        await work(ledger, Lock()).run(ASKED, by="ann", ids=SeededIds(7))
    assert {trial.by for trial in experiments.trials(ledger)} == {"ann", "bob"}
    assert experiments.unfinished(ledger) == []


async def test_two_never_run_on_one_folder(ledger: MemoryLedger) -> None:
    lock = Lock()
    lock.taken = True
    with pytest.raises(Busy):
        await work(ledger, lock).run(ASKED, by="ann", ids=SeededIds(7))
    assert experiments.trials(ledger) == []


async def test_a_start_leaves_alone_what_another_process_drives(ledger: MemoryLedger) -> None:
    experiments.start(ledger, "exp-00000001", name="shop", spec=ASKED.spec, by="bob", at=NOON)
    lock = Lock()
    lock.taken = True
    await work(ledger, lock).resume()
    assert [trial.id for trial in experiments.unfinished(ledger)] == ["exp-00000001"]
