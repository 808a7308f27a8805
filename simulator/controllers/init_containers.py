"""Init containers: one after the other, each ends a second after its start; one that crashes or hangs keeps the pod from starting.

Called by the kubelets. Fates are those of `fates`: image tags `missing` and `crash` fail, `unready` hangs. Sidecars (restartPolicy
Always) are taken for started at once.
"""

from collections.abc import Callable
from datetime import datetime
from typing import NamedTuple

from simulator.controllers import container_states
from simulator.controllers.cluster import Json
from simulator.controllers.container_states import Situation
from simulator.controllers.fates import Fate

RUN_SECONDS = 1


class Begun(NamedTuple):
    """`incomplete` names what the pod waits for; empty when its own containers may start."""

    statuses: list[Json]
    incomplete: list[str]
    due: datetime | None


def begin(pod: Json, old: list[Json], fate_of: Callable[[Json], Fate], around: Situation) -> Begun:
    """Bring the init containers as far as they get now."""
    known = {each["name"]: each for each in old}
    statuses: list[Json] = []
    waiting: list[str] = []
    due = None
    for container in pod["spec"].get("initContainers") or ():
        if waiting:
            statuses.append(known.get(container["name"]) or queued(container))
            waiting.append(container["name"])
            continue
        fate = _ending(fate_of(container))
        status, at = container_states.step(container, known.get(container["name"]), fate, around)
        ended = status["state"].get("terminated", {})
        done = ended.get("exitCode") == 0 or (container.get("restartPolicy") == "Always" and "running" in status["state"])
        statuses.append({**status, "ready": done})
        if not done:
            waiting.append(container["name"])
            due = at
    return Begun(statuses, waiting, due)


def _ending(fate: Fate) -> Fate:
    """It runs for a moment, unless it hangs."""
    hangs = fate.behaviour in ("unready", "sleep")
    return fate._replace(run_seconds=0 if hangs else RUN_SECONDS, needs_mib=0, grows_mib_per_hour=0.0)


def queued(container: Json) -> Json:
    """The status of a container whose turn has not come."""
    status = container_states.new(container)
    return {**status, "state": {"waiting": {"reason": "PodInitializing"}}}
