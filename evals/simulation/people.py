"""People and other writers: they approve, deny, say nothing, click twice, forge, stop everything, and change the cluster in between.

What they decide is queued, and done either after a while or in the middle of another process's work, between two of its calls.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from core.domain.ledger import ActionRow
from core.domain.outcome import ActionState
from evals.simulation import scenery
from evals.simulation.cluster import Json, Key, Write
from evals.simulation.scenery import NAMESPACE, WORKLOADS
from runtime.roles import simulated
from runtime.services.demonstrating import Decide

if TYPE_CHECKING:
    from evals.simulation.processes import Process
    from evals.simulation.world import World

REQUESTER, NAMES = "asker", ("ann", "bert", "cleo")
SCOPES = ("all", f"namespace={NAMESPACE}", f"agent={scenery.SCALING}")
OPEN = tuple(
    state
    for state in ActionState
    if state in (ActionState.SUBMITTED, ActionState.NEEDS_APPROVAL, ActionState.APPROVED, ActionState.PERMITTED)
)


class _Shown:
    """The ledger of a door that looked at the action, was held up, and writes only now what was decided on it."""

    def __init__(self, ledger: Any, row: ActionRow) -> None:
        self._ledger = ledger
        self._row = row

    def get(self, action_id: str) -> ActionRow:
        assert action_id == self._row.action_id  # noqa: S101  it is made for one card
        return self._row

    def __getattr__(self, name: str) -> Any:
        return getattr(self._ledger, name)


class Crowd:
    """Everybody who is not day2. `process` is the door's."""

    def __init__(self, world: "World", process: "Process") -> None:
        self._world = world
        self._door = process
        self._around = process.around()
        self._asked: set[str] = set()

    async def decide(self) -> None:
        """Look at what waits for people, from time to time, and make up their minds about it once."""
        world = self._world
        while True:
            await asyncio.sleep(world.chance.uniform(2, 30))
            for row in self._around.ledger.in_states(ActionState.NEEDS_APPROVAL):
                if row.action_id not in self._asked:
                    self._asked.add(row.action_id)
                    self._hear_about(row)
            if world.happens(0.02):
                self._cancel_something()

    def _hear_about(self, row: ActionRow) -> None:
        """Mostly three people; sometimes only who asked for it, or only somebody with a pen of his own."""
        world = self._world
        around = replace(self._around, ledger=_Shown(self._around.ledger, row)) if world.happens(world.faults.slow_door) else self._around
        decide = simulated.forge(around) if world.happens(world.faults.forged) else simulated.decide(around)
        for name in (REQUESTER,) if world.happens(0.1) else NAMES:
            self._make_up_their_mind(row, name, decide)

    def _make_up_their_mind(self, row: ActionRow, name: str, decide: Decide) -> None:
        world = self._world
        mood = world.chance.random()
        if mood < 0.30:
            return
        approve = mood < 0.88
        spellings = (name, f" {name.upper()}") if world.happens(world.faults.duplicate) else (name,)
        for spelling in spellings:
            world.later(lambda by=spelling: decide(row.action_id, by=by, approve=approve, reason="simulated"))  # type: ignore[misc]

    def _cancel_something(self) -> None:
        rows = self._around.ledger.in_states(*OPEN)
        if rows:
            row = self._world.chance.choice(rows)
            self._world.later(lambda: _at_once(simulated.cancel(self._around, row.action_id, by="ann")))

    async def stop_and_resume(self) -> None:
        world = self._world
        for _ in range(world.faults.stops):
            await asyncio.sleep(world.chance.uniform(10, 200))
            scope, mode = world.chance.choice(SCOPES), world.chance.choice(("all", "forward"))
            world.later(lambda scope=scope, mode=mode: simulated.stop(self._around, scope=scope, mode=mode, by="ann"))  # type: ignore[misc]
            await asyncio.sleep(world.chance.uniform(20, 200))
            self.resume()
        while True:  # a stop that was lost on its way is lifted when it does come
            await asyncio.sleep(60)
            self.resume()

    def resume(self) -> None:
        for row in self._around.ledger.stops():
            simulated.resume_writes(self._around, scope=row.scope, by="ann")

    async def edit(self) -> None:
        """Somebody with kubectl, an autoscaler that appears, somebody who deletes and makes anew."""
        world, chance = self._world, self._world.chance
        while world.loop.time() < world.calm_after:
            await asyncio.sleep(chance.uniform(5, 90))
            if world.happens(world.faults.edits):
                key: Key = ("deployments", NAMESPACE, chance.choice(WORKLOADS))
                world.later(self._edit(key, chance.randrange(6)))

    def _edit(self, key: Key, what: int) -> Callable[[], Any]:
        cluster, chance = self._world.cluster, self._world.chance
        match what:
            case 0 | 1:
                number = chance.randrange(1, 8)
                return lambda: cluster.edit(key, "kubectl", lambda item: item["spec"].update(replicas=number))
            case 2:
                image = f"registry.example/{key[2]}:{chance.randrange(2, 9)}"
                return lambda: cluster.edit(key, "kubectl", lambda item: _image(item, image))
            case 3:
                return lambda: scenery.mark(cluster, key, "note", str(chance.randrange(9)))
            case 4:
                return lambda: self._anew(key)
            case _:
                return lambda: scenery.disturb(cluster, chance)

    def _anew(self, key: Key) -> None:
        cluster = self._world.cluster
        live = cluster.live(key)
        if live is not None:
            cluster.delete(key, "kubectl")
            cluster.put(scenery.deployment(key[2], cluster.new_uid(key[2]), int(live["spec"]["replicas"])), "kubectl")

    def revert(self, write: Write) -> None:
        """A GitOps controller that does not want what day2 wrote."""
        world = self._world
        if write.by.startswith("day2:") and write.stored and write.before and write.after and world.happens(world.faults.reverts):
            spec = write.before["spec"]
            again = lambda item: item.update(spec=spec)  # noqa: E731
            world.loop.call_later(world.chance.uniform(1, 60), world.cluster.edit, write.key, "gitops-twin", again)


def _image(item: Json, image: str) -> None:
    item["spec"]["template"]["spec"]["containers"][0]["image"] = image


def _at_once(awaitable: Awaitable[Any]) -> Any:
    """A coroutine that never waits, run to its end here and now."""
    coroutine: Any = awaitable
    try:
        coroutine.send(None)
    except StopIteration as done:
        return done.value
    raise RuntimeError("it waits")


GOOD_WISHES = (timedelta(minutes=4), timedelta(minutes=20), timedelta(hours=2))
