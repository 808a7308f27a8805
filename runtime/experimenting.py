"""Starting and resuming experiments over one checkpoint store. Used by the controller and by `day2 chaos run`.

One at a time on a data folder: whoever drives one holds its lock, and the kernel gives that back when the process dies.
"""

import logging
from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import cache
from typing import Any

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.graph.state import CompiledStateGraph
from langsmith import tracing_context

from core.domain.errors import Busy
from core.domain.ledger import Ledger
from core.domain.values import Json, bounded
from core.policy.experiments import Asked
from graph.build import build_experiment
from graph.state import Plain
from graph.trials import ExperimentContext, ExperimentState
from runtime.flows import over
from runtime.ids import Ids
from runtime.services import experiments

log = logging.getLogger(__name__)
MOST_STEPS = 10_000
"""Of the flow: each look is one."""
Lock = Callable[[], AbstractContextManager[Any]]


class Experimenting:
    """`lock` raises Busy while another process drives an experiment on this data folder."""

    def __init__(self, saver: BaseCheckpointSaver[Any], context: ExperimentContext, ledger: Ledger, lock: Lock) -> None:
        self._flow = over(saver, _experiment())
        self._context, self._ledger, self._lock = context, ledger, lock

    async def run(self, asked: Asked, *, by: str, ids: Ids, told: Callable[[str], None] = lambda _: None) -> Plain:
        """To its report. `told` hears the id as soon as it is on record. Raises Busy, InvalidInput."""
        with self._lock():
            await self._carry_on()
            identity = ids.new("exp")
            experiments.start(self._ledger, identity, name=asked.experiment.name, spec=asked.spec, by=by, at=self._context.clock.now())
            told(identity)
            return await self._carried(identity, asked.experiment.name, asked.spec, by)

    async def resume(self) -> None:
        """What another process began and did not end. One that lives is left alone; one that cannot go on does not stop the rest."""
        try:
            with self._lock():
                await self._carry_on()
        except Busy:
            return

    async def report(self, identity: str) -> Plain:
        """Empty where the flow's store does not have it (yet)."""
        stored = await self._flow.aget_state(_thread(identity))
        return dict(stored.values.get("report") or {})

    async def _carry_on(self) -> None:
        for trial in experiments.unfinished(self._ledger):
            try:
                await self._carried(trial.id, trial.name, trial.spec, trial.by)
            except Exception:  # it is on record as given up
                log.exception("experiment %s cannot be carried on", trial.id)

    async def _carried(self, identity: str, name: str, spec: Json, by: str) -> Plain:
        config = _thread(identity)
        stored = await self._flow.aget_state(config)
        if report := stored.values.get("report"):
            return dict(report)
        start = None if stored.values else ExperimentState(id=identity, name=name, spec=spec, by=by)
        try:
            with tracing_context(enabled=False):
                answer = await self._flow.ainvoke(start, config, context=self._context, durability="sync")
        except Exception as error:  # whatever it is: an experiment that cannot go on must not bar all others
            self._given_up(identity, error)
            raise
        return dict(answer["report"])

    def _given_up(self, identity: str, error: Exception) -> None:
        """On record as inconclusive; what is applied goes back by its lease, which nobody renews from now on."""
        self._context.laboratory.release([row.action_id for row in self._ledger.of_run(identity)])
        summary = {"word": "inconclusive", "reasons": [bounded(f"it could not go on: {error}", 200)], "score": 0, "coverage": 0}
        self._context.laboratory.record(experiments.FINISHED, identity, summary)


@cache
def _experiment() -> CompiledStateGraph[Any, Any]:
    return build_experiment().compile()


def _thread(identity: str) -> RunnableConfig:
    return {"configurable": {"thread_id": identity}, "recursion_limit": MOST_STEPS}
