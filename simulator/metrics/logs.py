"""What containers have written: start-up lines, the workload's own lines of the world, and a crashed container's last words."""

from datetime import datetime, timedelta
from typing import Any

from simulator.clock import VirtualClock, micro_stamp
from simulator.controllers.cluster import PODS, moment
from simulator.store import Store
from simulator.worlds.matching import Roster
from simulator.worlds.world import World

Json = dict[str, Any]
EVERY_SECONDS = 30
LONGEST_LINES = 400


class ContainerLogs:
    """Called by the log subresource. Raises KeyError for a container that is not there or has not started."""

    def __init__(self, world: World, store: Store, clock: VirtualClock) -> None:
        self._world = world
        self._store = store
        self._clock = clock
        self._roster = Roster(world)

    def __call__(self, namespace: str, pod: str, container: str, previous: bool = False, tail: int | None = None) -> str:
        found = self._store.peek(PODS, namespace, pod)
        if found is None:
            raise KeyError(f"{namespace}/{pod}")
        lines = self._lines(found, _status(found, container), previous=previous)
        chosen = lines if tail is None else lines[len(lines) - min(tail, len(lines)) :]
        return "".join(f"{line}\n" for line in chosen)

    def _lines(self, pod: Json, status: Json, *, previous: bool) -> list[str]:
        run = (
            status["lastState"].get("terminated")
            if previous
            else status["state"].get("running") or status["state"].get("terminated") or status["lastState"].get("terminated")
        )
        if run is None:
            raise KeyError(
                f"previous terminated container {status['name']!r} not found"
                if previous
                else f"container {status['name']!r} is waiting to start"
            )
        start = moment(run["startedAt"])
        end = moment(run["finishedAt"]) if "finishedAt" in run else self._clock.now()
        lines = [f"{micro_stamp(start)} INFO starting {status['name']} image={status['image']}"]
        image = self._world.images.get(status["image"])
        if "finishedAt" in run:
            words = image.last_words if image else ()
            crashed = [f"{micro_stamp(end)} {line}" for line in words]
            return [*lines, *(crashed or [f"{micro_stamp(end)} {_farewell(run)}"])]
        return [*lines, *self._chatter(pod, start, end)]

    def _chatter(self, pod: Json, start: datetime, end: datetime) -> list[str]:
        """The workload's lines in turn, one each half minute, the newest last."""
        workload = self._roster.of_pod(pod)
        words = workload.logs if workload and workload.logs else ("INFO ready",)
        total = int((end - start).total_seconds()) // EVERY_SECONDS
        first = max(0, total - LONGEST_LINES)
        return [
            f"{micro_stamp(start + timedelta(seconds=EVERY_SECONDS * (index + 1)))} {words[index % len(words)]}"
            for index in range(first, total)
        ]


def _status(pod: Json, container: str) -> Json:
    statuses = pod.get("status", {}).get("containerStatuses", ())
    for status in statuses:
        if status["name"] == container:
            found: Json = status
            return found
    raise KeyError(f"container {container!r}")


def _farewell(run: Json) -> str:
    if run.get("reason") == "OOMKilled":
        return "INFO allocating"
    return "INFO done" if run["exitCode"] == 0 else f"FATAL exit {run['exitCode']}"
