"""Starting, following and resuming the flows. Used by the controller role; the flows themselves are in `graph`.

A thread is an id: the run id, the action id, or the id of a healing's episode. After a kill the same calls continue where the checkpoint
stands; the ledger decides what is still allowed, so a stale or forged checkpoint can ask for nothing that the gate has not permitted.
"""

import asyncio
import logging
from copy import copy
from functools import cache
from typing import Any, TypeVar

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.graph.state import CompiledStateGraph
from langgraph.types import Command
from langsmith import tracing_context

from agents.reliability.healing.episode import Episode
from core.domain.errors import Corrupt, InvalidInput
from core.domain.outcome import TERMINAL
from core.domain.outcome import ActionState as Standing
from core.domain.request import Request
from core.domain.submitting import GateDoor
from graph.build import build_action, build_healing, build_run
from graph.context import ActionContext, HealingContext, RunContext
from graph.state import SCHEMA, ActionState, HealingState, Plain, RunState

log = logging.getLogger(__name__)
Flow = TypeVar("Flow", bound=CompiledStateGraph[Any, Any])


class Flows:
    """The flows compiled over one checkpoint store. Without `healing` no node is healed here."""

    def __init__(self, saver: BaseCheckpointSaver[Any], *, run: RunContext, healing: HealingContext | None = None) -> None:
        self._run_context = run
        self._healing_context = healing
        self._action_context = ActionContext(gate=run.gate)
        self._run = over(saver, _run(run.consult_seconds))
        self._action = over(saver, _action())
        self._healing = over(saver, _healing())

    async def run(self, request: Request) -> Plain:
        """Start or continue a run, to its response. A finished run answers again without working again."""
        config = _thread(request.id)
        stored = await self._run.aget_state(config)
        _same_schema(stored.values)
        if stored.values.get("response"):
            return dict(stored.values["response"])
        start: Any = None if stored.values else {"request": request.model_dump(mode="json"), "consultations": []}
        with tracing_context(enabled=False):  # a variable in the shell must not send the run to a tracing service
            answer = await self._run.ainvoke(start, config, context=self._run_context, durability="sync")
        return dict(answer["response"])

    async def response(self, run_id: str) -> Plain:
        """What a run answered. Raises InvalidInput for a run that is not known or not finished."""
        return await _response(self._run, run_id)

    async def follow(self, action_id: str) -> Standing:
        """Carry one action's thread to its end, over approvals; returns the last standing."""
        config = _thread(action_id)
        while True:
            stored = await self._action.aget_state(config)
            _same_schema(stored.values)
            if stored.values and not stored.tasks:  # `next` is empty too where a kill left a step's writes without its checkpoint
                return Standing(stored.values["standing"])
            pending = [item for task in stored.tasks for item in task.interrupts]
            step: Any = {"action_id": action_id} if not stored.values else None
            if pending:
                standing = await self._decided(action_id)
                step = Command(resume={pending[0].id: {"action_id": action_id, "state": standing.value}})
            with tracing_context(enabled=False):
                await self._action.ainvoke(step, config, context=self._action_context, durability="sync")

    async def heal(self, episode: Episode) -> Episode:
        """Start or continue an episode, to its end. One that has ended answers again without working again."""
        if self._healing_context is None:
            raise InvalidInput("no node is healed by this process", mend="day2 serve")
        config = _thread(episode.id)
        stored = await self._healing.aget_state(config)
        _same_schema(stored.values)
        if stored.values and not stored.tasks:
            return Episode.model_validate(stored.values["episode"], strict=False)
        start: Any = None if stored.values else {"schema": SCHEMA, "episode": episode.model_dump(mode="json")}
        with tracing_context(enabled=False):
            answer = await self._healing.ainvoke(start, config, context=self._healing_context, durability="sync")
        return Episode.model_validate(answer["episode"], strict=False)

    async def _decided(self, action_id: str) -> Standing:
        gate: GateDoor = self._action_context.gate
        return (await gate.until(action_id, Standing.NEEDS_APPROVAL)).state


class Following:
    """The threads of actions and healings of this process: one task each, so that a day-long approval blocks nobody."""

    def __init__(self, flows: Flows) -> None:
        self._flows = flows
        self._tasks: dict[str, asyncio.Task[Standing]] = {}
        self._healing: dict[str, asyncio.Task[Episode]] = {}

    def start(self, action_id: str) -> asyncio.Task[Standing]:
        task = self._tasks.get(action_id)
        if task is None or task.done():
            task = self._tasks[action_id] = asyncio.create_task(self._flows.follow(action_id), name=action_id)
        return task

    def heal(self, episode: Episode) -> asyncio.Task[Episode]:
        task = self._healing.get(episode.id)
        if task is not None and task.done() and not task.cancelled() and (error := task.exception()):
            log.error("%s stopped, and is carried on: %s", episode.id, error)
        if task is None or task.done():
            task = self._healing[episode.id] = asyncio.create_task(self._flows.heal(episode), name=episode.id)
        return task

    async def stop(self) -> None:
        tasks = (*self._tasks.values(), *self._healing.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def response(saver: BaseCheckpointSaver[Any], run_id: str) -> Plain:
    """What a run answered, of a store that another process works on. Raises InvalidInput as `Flows.response`."""
    return await _response(over(saver, _run(0.0)), run_id)


async def _response(run: CompiledStateGraph[RunState, RunContext], run_id: str) -> Plain:
    stored = await run.aget_state(_thread(run_id))
    if not stored.values.get("response"):
        raise InvalidInput(f"no finished run {run_id}", mend="day2 run list")
    return dict(stored.values["response"])


@cache
def _run(consult_seconds: float) -> CompiledStateGraph[RunState, RunContext]:
    return build_run(consult_seconds).compile()


@cache
def _action() -> CompiledStateGraph[ActionState, ActionContext]:
    return build_action().compile()


@cache
def _healing() -> CompiledStateGraph[HealingState, HealingContext]:
    return build_healing().compile()


def over(saver: BaseCheckpointSaver[Any], flow: Flow) -> Flow:
    """The flow over a store. Compiling costs a hundred times more than the store matters, so that is done once per process."""
    own = copy(flow)
    own.checkpointer = saver
    return own


def ended(standing: Standing) -> bool:
    return standing in TERMINAL


def _thread(name: str) -> RunnableConfig:
    return {"configurable": {"thread_id": name}}


def _same_schema(values: Plain) -> None:
    if values and values.get("schema", SCHEMA) != SCHEMA:
        raise Corrupt(
            f"a stored run has schema {values['schema']}, this version reads {SCHEMA}", mend="finish it with the version that started it"
        )
