"""What the pods were and when: one segment per pod for each stretch in which nothing about it changed.

The manager's tick calls `observe` after a change. Everything measured is computed from these segments, so that a write shows in the metrics
as soon as, and only when, pods really changed.
"""

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from simulator.controllers import pods as views
from simulator.controllers import scheduling
from simulator.controllers.cluster import moment
from simulator.controllers.fates import errors, gang_size
from simulator.metrics.noise import Floats
from simulator.worlds.matching import Roster
from simulator.worlds.world import Workload, World

Json = dict[str, Any]
FOR_EVER = float("inf")


@dataclass(frozen=True, slots=True)
class Condition:
    """How a pod is, as far as its usage and answers depend on it. Limits 0 mean none."""

    serving: bool
    cpu_request_milli: int
    cpu_limit_milli: int
    memory_limit_mib: int
    working: bool = True
    errors: float = 0.0


@dataclass(slots=True)
class Segment:
    """A stretch of one running pod, in Unix seconds; `born` is when the pod started to run."""

    pod: str
    node: str
    container: str
    born: float
    start: float
    condition: Condition
    gpus: int = 0
    end: float = FOR_EVER


@dataclass(slots=True)
class History:
    """All segments of one workload. `changes` moves with each; whether others call it is a matter of the world."""

    workload: Workload
    segments: list[Segment] = field(default_factory=list)
    changes: int = 0
    is_called: bool = False

    def serving(self, times: Floats) -> dict[Condition, Floats]:
        """How many pods served at each time, by condition."""
        groups: dict[Condition, list[Segment]] = {}
        for segment in self.segments:
            if segment.condition.serving and segment.end > times[0] and segment.start <= times[-1]:
                groups.setdefault(segment.condition, []).append(segment)
        return {condition: _count(group, times) for condition, group in groups.items()}


class Replicas(NamedTuple):
    """What a ReplicaSet asked for and had from `start`, in Unix seconds, to the next of its stretches."""

    start: float
    wanted: int
    ready: int


def _count(segments: list[Segment], times: Floats) -> Floats:
    starts = np.sort(np.array([each.start for each in segments]))
    ends = np.sort(np.array([each.end for each in segments]))
    return (np.searchsorted(starts, times, side="right") - np.searchsorted(ends, times, side="right")).astype(np.float64)


class Timeline:
    """The histories of all workloads of one cluster."""

    def __init__(self, world: World) -> None:
        self.roster = Roster(world)
        self._world = world
        self._called = {key for workload in world.workloads for key, _ in workload.callees}
        self.histories: dict[tuple[str, str], History] = {}
        self.version = 0
        self._open: dict[str, tuple[str, tuple[str, str], Segment]] = {}
        self._looked: dict[str, tuple[Json, bool]] = {}
        self._replicas: dict[tuple[str, str], list[Replicas]] = {}

    def observe(self, at: float, pods: list[Json], impaired: Collection[str] = ()) -> None:
        """Note what changed since the last look. Pods that are not in the list are gone; impaired ones, by uid, answer nobody."""
        gangs = _gangs(pods)
        seen: set[str] = set()
        for pod in pods:
            uid = pod["metadata"]["uid"]
            before, self._looked[uid] = self._looked.get(uid), (pod, uid in impaired)
            if before is not None and before[0] is pod and before[1] == (uid in impaired) and not gang_size(pod):
                seen.add(uid)
                continue
            segment = _segment(pod, at, gangs, self._world, impaired=uid in impaired)
            if segment is None:
                continue
            seen.add(uid)
            known = self._open.get(uid)
            if known is not None and known[2].condition == segment.condition and known[2].born == segment.born:
                continue
            self._close(uid, at)
            self._start(uid, pod, segment)
        for uid in [each for each in self._open if each not in seen]:
            self._close(uid, at)
        for uid in self._looked.keys() - {pod["metadata"]["uid"] for pod in pods}:
            del self._looked[uid]

    def count(self, at: float, replica_sets: list[Json]) -> None:
        """Note the replica counts that changed since the last look; a ReplicaSet that is gone wants nothing."""
        now = {(each["metadata"]["namespace"], each["metadata"]["name"]): each for each in replica_sets}
        for key in {*now, *self._replicas}:
            found, known = now.get(key, {}), self._replicas.setdefault(key, [])
            wanted = int(found.get("spec", {}).get("replicas", 1)) if found else 0
            stretch = Replicas(at, wanted, int(found.get("status", {}).get("readyReplicas", 0)))
            if not known or known[-1][1:] != stretch[1:]:
                known.append(stretch)
                self.version += 1

    def replica_sets(self, namespace: str) -> list[tuple[str, list[Replicas]]]:
        """By name, with their stretches in time order."""
        return [(name, stretches) for (place, name), stretches in sorted(self._replicas.items()) if place == namespace]

    def add(self, workload: Workload, segment: Segment) -> None:
        """A stretch of the past that no replay made."""
        history = self.histories.get(workload.key)
        if history is None:
            history = self.histories[workload.key] = History(workload, is_called=workload.key in self._called)
        history.segments.append(segment)
        history.changes += 1
        self.version += 1

    def of(self, namespace: str) -> list[History]:
        return [history for (place, _), history in sorted(self.histories.items()) if place == namespace]

    def current(self, uid: str) -> tuple[History, Segment] | None:
        """The open segment of a pod that runs now."""
        found = self._open.get(uid)
        return None if found is None else (self.histories[found[1]], found[2])

    def _start(self, uid: str, pod: Json, segment: Segment) -> None:
        workload = self.roster.of_pod(pod) or _unknown(pod)
        self.add(workload, segment)
        self._open[uid] = (segment.pod, workload.key, segment)

    def _close(self, uid: str, at: float) -> None:
        found = self._open.pop(uid, None)
        if found is not None:
            found[2].end = at
            self.histories[found[1]].changes += 1
            self.version += 1


def _unknown(pod: Json) -> Workload:
    """A workload that the world does not describe: idle, small, without traffic."""
    meta = pod["metadata"]
    owners = meta.get("ownerReferences") or [{"name": meta["name"]}]
    return Workload(name=owners[0]["name"], namespace=meta["namespace"])


def _segment(pod: Json, at: float, gangs: dict[str, int], world: World, *, impaired: bool = False) -> Segment | None:
    """The pod's stretch beginning now; None when no container of it runs."""
    status = pod.get("status", {})
    running = [each for each in status.get("containerStatuses", ()) if "running" in each.get("state", {})]
    if not running:
        return None
    first = running[0]
    resources = {field: scheduling.amounts(first.get("resources", {}).get(field, {})) for field in ("requests", "limits")}
    return Segment(
        pod=pod["metadata"]["name"],
        node=pod["spec"].get("nodeName", ""),
        container=first["name"],
        born=moment(first["state"]["running"]["startedAt"]).timestamp(),
        start=at,
        condition=Condition(
            serving=views.is_ready(pod) and "deletionTimestamp" not in pod["metadata"] and not impaired,
            cpu_request_milli=resources["requests"].get("cpu", 0),
            cpu_limit_milli=resources["limits"].get("cpu", 0),
            memory_limit_mib=resources["limits"].get("memory", 0),
            working=_works(pod, gangs),
            errors=errors(world, str(first.get("image", ""))),
        ),
        gpus=scheduling.demand(pod).get("nvidia.com/gpu", 0),
    )


def _owner(pod: Json) -> str:
    owners = pod["metadata"].get("ownerReferences") or [pod["metadata"]]
    uid: str = owners[0]["uid"]
    return uid


def _gangs(pods: list[Json]) -> dict[str, int]:
    """Running members by owner, of pods that are in a gang."""
    counts: dict[str, int] = {}
    for pod in pods:
        if gang_size(pod):
            running = any("running" in each.get("state", {}) for each in pod.get("status", {}).get("containerStatuses", ()))
            counts[_owner(pod)] = counts.get(_owner(pod), 0) + running
    return counts


def _works(pod: Json, gangs: dict[str, int]) -> bool:
    """A member of a gang that is not complete waits."""
    return gangs.get(_owner(pod), 0) >= gang_size(pod)
