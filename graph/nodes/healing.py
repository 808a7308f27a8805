"""The nodes of a healing: each carries one episode out of its own stages, and the last puts the end on record.

What each does stands in `agents.reliability.healing.steps`, by stage.
"""

from collections.abc import Awaitable
from typing import Protocol

from langgraph.runtime import Runtime

from agents.reliability.healing.episode import Stage
from graph.context import HealingContext
from graph.healing import carried, episode_of
from graph.state import HealingState


class Node(Protocol):
    def __call__(self, state: HealingState, runtime: Runtime[HealingContext]) -> Awaitable[HealingState]: ...


def through(*stages: Stage) -> Node:
    """Waits until the episode is in none of these stages any more."""

    async def step(state: HealingState, runtime: Runtime[HealingContext]) -> HealingState:
        return await carried(state, runtime.context, *stages)

    return step


async def close(state: HealingState, runtime: Runtime[HealingContext]) -> HealingState:
    """A kill may have come between the last transition and its checkpoint."""
    runtime.context.record(episode_of(state))
    return state
