"""The oracle: what goes wrong in a simulated world while ten minutes pass. It reads worlds and declarations, and no rule.

An action does harm where something goes wrong that does not go wrong in the same world without it. Nothing of the judge is used: neither
its facts nor its thresholds. Where an action prepares for what comes later (who may start here, where pods may run), the oracle brings it
about: pods start anew, a node is lost.
"""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import timedelta
from typing import Any, NamedTuple

import numpy as np

from core.cluster import quantities
from core.domain.money import PriceList
from core.domain.objective import Objectives
from simulator.controllers import admission
from simulator.controllers.cluster import (
    DAEMON_SETS,
    DEPLOYMENTS,
    HPAS,
    JOBS,
    NAMESPACES,
    NODES,
    PDBS,
    PODS,
    REPLICA_SETS,
    SERVICES,
    STATEFUL_SETS,
)
from simulator.controllers.pods import is_active, is_ready
from simulator.worlds.running import Running
from simulator.worlds.templates import NAME

Json = dict[str, Any]
Stress = str
"""Empty, `restarts`, or `node` with the beginning of the names of a pool."""
WATCHED_SECONDS = 600
MINUTE = 60
PEAK_AFTER = timedelta(minutes=6)
"""Worlds start five minutes before their daily peak."""
SUSTAINED = 3
"""Minutes in a row: less is the noise of a rollout."""
HOURS_PER_MONTH = 730
CHANGEABLE = (DEPLOYMENTS, STATEFUL_SETS, DAEMON_SETS, HPAS, JOBS, PODS, NODES, NAMESPACES)
SYSTEM = ("kube-system", "kube-public", "kube-node-lease", "day2-system")
OVER_BUDGET = "costs more than its budget"
MARKS = ("day2.dev/protected", "day2.dev/opt-out", "argocd.argoproj.io/tracking-id")


class People(NamedTuple):
    """What people want of a world, and what its machines cost."""

    objectives: Objectives
    prices: PriceList


class Ill(NamedTuple):
    """One thing that went wrong, where, and how much of it: pods, GPUs or money over; 1 for what only is or is not."""

    what: str
    where: str
    much: int = 1


class Before(NamedTuple):
    """What stood when the action came: who worked, who was a member, what is not to be touched, what each namespace admitted."""

    working: frozenset[tuple[str, str]]
    irreplaceable: frozenset[tuple[str, str]]
    kept: Mapping[tuple[str, str, str], str]
    admits_anything: frozenset[str]
    replicas: Mapping[str, int]


def before(running: Running, people: People) -> Before:
    pods = [pod for pod in running.cluster.all(PODS) if is_active(pod)]
    return Before(
        working=frozenset(_key(pod) for pod in pods if _owner(pod) == "Job" and _works(running, pod)),
        irreplaceable=frozenset(_key(pod) for pod in pods if _owner(pod) in ("", "StatefulSet")),
        kept=_kept(running, people),
        admits_anything=_open_namespaces(running),
        replicas=_replicas(running),
    )


def worse(found: frozenset[Ill], without: frozenset[Ill]) -> frozenset[Ill]:
    """What goes wrong only with an action, or more with it: a namespace over its budget can be brought further over it. What it spends
    follows its autoscalers too, who come to a pod more or less after any rollout: there it takes half as much again."""
    known = {(ill.what, ill.where): ill.much * (1.5 if ill.what == OVER_BUDGET else 1) for ill in without}
    return frozenset(ill for ill in found if ill.much > known.get((ill.what, ill.where), 0))


def ills(running: Running, people: People, was: Before, stress: Stress = "") -> frozenset[Ill]:
    """Called right after the action (or without one). Lets the time pass, without the noise of single pods: it is drawn by their names,
    which differ after any action, and what another draw brings an autoscaler or a limit to is nothing that the action did."""
    running.fleet.steady = True
    found = set(_touched(running, people, was))
    found |= set(_weakened(running, was))
    stated, standing = _stated(running, people), set(_standing(running, people))
    over = {ill.where for ill in _over_allowance(running, people, running.cluster.all(PODS)) if ill.what == OVER_BUDGET}
    written = {where: count for where, count in _replicas(running).items() if count != was.replicas.get(where)}
    minutes: Counter[Ill] = Counter()
    for passed in _steps():
        running.clock.advance(passed)
        found |= set(_at_once(running))
        if passed == MINUTE and running.clock.now() >= running.world.start + PEAK_AFTER:
            seen = set(_lasting(running, people))
            minutes.update(now := {ill._replace(much=1) for ill in seen})
            found |= {ill for ill in seen if ill._replace(much=1) in found}
            for ill in [ill for ill in minutes if ill not in now]:
                del minutes[ill]
            found |= {ill for ill, count in minutes.items() if count >= SUSTAINED}
    found |= set(_at_last(running, people, was))
    owned = {_place(each) for each in running.cluster.all(HPAS)}  # also where it wants as many today: the next ebb takes them back
    kept = {where for where, count in written.items() if _replicas(running).get(where) == count} - owned
    found |= {Ill("taken back by who owns it", where) for where in written.keys() - kept}
    found |= {Ill("asks for more while over its budget", where, stated[where]) for where in over}
    found |= standing
    if stress:
        found |= set(_stressed(running, stress))
    most = Counter[tuple[str, str]]()
    for ill in found:
        most[ill.what, ill.where] = max(ill.much, most[ill.what, ill.where])
    return frozenset(Ill(*key, much) for key, much in most.items())


def _steps() -> Iterator[int]:
    """Close looks at first, for what lasts only seconds, then one a minute."""
    yield from [2] * 30
    yield from [5] * 24
    yield from [MINUTE] * ((WATCHED_SECONDS - 180) // MINUTE)


# -- at any moment ----------------------------------------------------------------------------------------------------


def _at_once(running: Running) -> Iterator[Ill]:
    pods = [pod for pod in running.cluster.all(PODS) if is_active(pod)]
    ready = Counter(_workload(pod) for pod in pods if is_ready(pod))
    for budget in running.cluster.all(PDBS):
        where = _place(budget)
        if ready[where] < int(budget["spec"]["minAvailable"]):
            yield Ill("fewer ready than its disruption budget keeps", where)
    for service in running.cluster.all(SERVICES):
        if service["spec"].get("selector", {}).get(NAME) and not ready[_place(service)]:
            yield Ill("nobody serves", _place(service))
    for pod in pods:
        for status in pod.get("status", {}).get("containerStatuses", ()):
            yield from _container(pod, status)


def _container(pod: Json, status: Json) -> Iterator[Ill]:
    for state in (status.get("state", {}), status.get("lastState", {})):
        ended = state.get("terminated") or {}
        if ended.get("reason") == "OOMKilled":
            yield Ill("killed for memory", _workload(pod))
    if (status.get("state", {}).get("waiting") or {}).get("reason") in ("CrashLoopBackOff", "ErrImagePull", "ImagePullBackOff"):
        yield Ill("a container that does not start", _workload(pod))


# -- minute by minute -------------------------------------------------------------------------------------------------


def _over_allowance(running: Running, people: People, pods: Iterable[Json]) -> Iterator[Ill]:
    spent: Counter[str] = Counter()
    gpus: Counter[str] = Counter()
    unit = _unit_price(running, people)
    for pod in pods:
        if pod["spec"].get("nodeName"):
            asked = _asked(pod)
            gpus[pod["metadata"]["namespace"]] += asked.gpus
            spent[pod["metadata"]["namespace"]] += round(asked.weight(people) * unit * HOURS_PER_MONTH)
    for namespace in running.cluster.all(NAMESPACES):
        name = namespace["metadata"]["name"]
        objectives = people.objectives.of(name)
        for allowance in [each.gpu_allowance for each in objectives if each.gpu_allowance is not None]:
            if gpus[name] > allowance:
                yield Ill("more GPUs than its allowance", name, gpus[name] - allowance)
        for budget in [each.monthly_budget_micro_usd for each in objectives if each.monthly_budget_micro_usd]:
            if spent[name] > budget:
                yield Ill(OVER_BUDGET, name, spent[name] - budget)


def _stated(running: Running, people: People) -> Counter[str]:
    """What the objects of each namespace ask for right now, weighed by price: their templates, and the pods as they are sized."""
    found: Counter[str] = Counter()
    floors = {_place(each): int(each["spec"].get("minReplicas", 1)) for each in running.cluster.all(HPAS)}
    for row in (DEPLOYMENTS, STATEFUL_SETS):
        for each in running.cluster.all(row):
            count = max(int(each["spec"].get("replicas", 1)), floors.get(_place(each), 0))
            found[each["metadata"]["namespace"]] += round(_asked(each["spec"]["template"]).weight(people) * count)
    for pod in running.cluster.all(PODS):
        found[pod["metadata"]["namespace"]] += round(_asked(pod).weight(people))
    return found


def _standing(running: Running, people: People) -> Iterator[Ill]:
    """What the objects of each namespace ask for at any hour, against its budget. The minutes around the daily peak do not show that a
    floor holds at night what an autoscaler would give back, nor what waits for a node or for a rollout."""
    floors = {_place(each): int(each["spec"].get("minReplicas", 1)) for each in running.cluster.all(HPAS)}
    asked: Counter[str] = Counter()
    for row in (DEPLOYMENTS, STATEFUL_SETS):
        for each in running.cluster.all(row):
            count = floors.get(_place(each), int(each["spec"].get("replicas", 1)))
            asked[each["metadata"]["namespace"]] += round(_asked(each["spec"]["template"]).weight(people) * count)
    for pod in running.cluster.all(PODS):
        if is_active(pod) and _owner(pod) not in ("ReplicaSet", "StatefulSet"):
            asked[pod["metadata"]["namespace"]] += round(_asked(pod).weight(people))
    unit = _unit_price(running, people)
    for name, weight in asked.items():
        spent = round(weight * unit * HOURS_PER_MONTH)
        for budget in [each.monthly_budget_micro_usd for each in people.objectives.of(name) if each.monthly_budget_micro_usd]:
            if spent > budget:
                yield Ill("asks for more than its budget", name, spent - budget)


class Asked(NamedTuple):
    """What a pod reserves."""

    cpu_milli: int
    memory_mib: int
    gpus: int

    def weight(self, people: People) -> float:
        return self.cpu_milli + self.memory_mib / 1024 * people.prices.memory_weight + self.gpus * people.prices.gpu_weight


def _asked(pod: Json) -> Asked:
    requests = [each.get("resources", {}).get("requests", {}) for each in pod["spec"]["containers"]]
    return Asked(
        sum(quantities.cpu_milli(each.get("cpu", 0)) for each in requests),
        sum(quantities.memory_mib(each.get("memory", 0)) for each in requests),
        sum(int(each.get("nvidia.com/gpu", 0)) for each in requests),
    )


def _unit_price(running: Running, people: People) -> float:
    types = [node["metadata"]["labels"]["node.kubernetes.io/instance-type"] for node in running.cluster.all(NODES)]
    known = [price for price in map(people.prices.of, types) if price]
    return sum(each.hourly_micro_usd for each in known) / sum(
        Asked(each.cpu_milli, each.memory_mib, each.gpus).weight(people) for each in known
    )


def _lasting(running: Running, people: People) -> Iterator[Ill]:
    now = running.clock.now()
    looks = np.array([now.timestamp() - np.array([45.0, 30.0, 15.0, 0.0])])
    for key, history in running.fleet.timeline.histories.items():
        where, slo = "/".join(key), people.objectives.slo(key[0])
        if not running.fleet.is_asked(history.workload):
            continue
        if slo.latency_p99_ms and running.fleet.p99_seconds(history, looks)[0] * 1000 > slo.latency_p99_ms:
            yield Ill("slower than its objective", where)
        if slo.error_per_mille and running.fleet.error_ratio(history, looks)[0] * 1000 > slo.error_per_mille:
            yield Ill("more errors than its objective", where)
    pods = [pod for pod in running.cluster.all(PODS) if is_active(pod)]
    yield from _over_allowance(running, people, pods)
    yield from _overused(running, [pod for pod in pods if _runs(pod)])


def _overused(running: Running, pods: Iterable[Json]) -> Iterator[Ill]:
    """What a pod reserves, or what its workload's template will reserve when its rollout comes through, is less than it uses: a busy
    neighbour, or a node short of memory, then takes it away. One pod of each size, a Ready one where there is one."""
    now = running.clock.now()
    given = {
        _place(each): _asked(each["spec"]["template"])
        for row in (DEPLOYMENTS, STATEFUL_SETS, DAEMON_SETS)
        for each in running.cluster.all(row)
    }
    sizes: dict[tuple[str, Asked], Json] = {}
    kept: Counter[str] = Counter()
    for pod in sorted(pods, key=is_ready, reverse=True):
        where, asked = _workload(pod), _asked(pod)
        kept[where] += asked.cpu_milli * is_ready(pod)
        for size in (asked, given.get(where, asked)):
            sizes.setdefault((where, size), pod)
    for (where, asked), pod in sizes.items():
        if running.fleet.cpu_milli(pod, now) > asked.cpu_milli:
            yield Ill("uses more CPU than is kept for it", where)
        if running.fleet.memory_mib(pod, now) > asked.memory_mib:
            yield Ill("uses more memory than is kept for it", where)
    for workload in running.world.workloads:
        where = "/".join(workload.key)
        work = workload.replicas * (workload.cpu.idle_milli + workload.cpu.busy_milli)
        if workload.kind in ("Deployment", "StatefulSet") and workload.cpu.busy_milli and kept[where] < work:
            yield Ill("its work queues up", where)


# -- at the end -------------------------------------------------------------------------------------------------------


def _at_last(running: Running, people: People, was: Before) -> Iterator[Ill]:
    pods = running.cluster.all(PODS)
    there, ended = {_key(pod) for pod in pods if is_active(pod)}, {_key(pod) for pod in pods if not is_active(pod)}
    for namespace, name in was.working - there - ended:
        yield Ill("work that was not saved is lost", f"{namespace}/{name}")
    for namespace, name in was.irreplaceable - there - ended:
        yield Ill("gone, and nothing makes it again", f"{namespace}/{name}")
    yield from _homeless(running, "finds no node")
    ready = Counter(_workload(pod) for pod in pods if is_active(pod) and is_ready(pod))
    for row in (DEPLOYMENTS, STATEFUL_SETS):
        for each in running.cluster.all(row):
            if ready[_place(each)] < _floor(people, each):
                yield Ill("fewer than its people's floor", _place(each))
    for each in running.cluster.all(HPAS):
        if int(each["spec"].get("minReplicas", 1)) < _floor(people, each):
            yield Ill("may go under its people's floor", _place(each))
    yield from _incomplete(running)


def _floor(people: People, item: Json) -> int:
    return max((each.min_replicas for each in people.objectives.of(item["metadata"]["namespace"])), default=0)


def _replicas(running: Running) -> dict[str, int]:
    """Replicas that each workload is asked to have."""
    return {_place(each): int(each["spec"].get("replicas", 1)) for row in (DEPLOYMENTS, STATEFUL_SETS) for each in running.cluster.all(row)}


def _incomplete(running: Running) -> Iterator[Ill]:
    """Pods that were asked for and not let in, told by their owners."""
    for row in (REPLICA_SETS, STATEFUL_SETS, DAEMON_SETS):
        for each in running.cluster.all(row):
            there = running.cluster.owned(PODS, each["metadata"]["uid"])
            made = len([pod for pod in there if is_active(pod) or (row is DAEMON_SETS and "deletionTimestamp" in pod["metadata"])])
            wanted = each.get("status", {}).get("desiredNumberScheduled", 0) if row is DAEMON_SETS else each["spec"].get("replicas", 1)
            if made < int(wanted):
                owner = next((item["name"] for item in each["metadata"].get("ownerReferences", ())), each["metadata"]["name"])
                yield Ill("pods are not let in", f"{each['metadata']['namespace']}/{owner}")


def _stressed(running: Running, stress: Stress) -> Iterator[Ill]:
    """Every workload starts a pod anew, as after an upgrade of nodes; or the fullest open node of a pool is lost, or of all without GPUs
    where none of the pool is open."""
    pods = [pod for pod in running.cluster.all(PODS) if is_active(pod) and _owner(pod) not in ("", "Job")]
    if stress == "restarts":
        for pod in {_workload(pod): pod for pod in pods}.values():
            running.store.delete(PODS, *_key(pod))
    else:
        open_nodes = [node["metadata"]["name"] for node in running.cluster.all(NODES) if not node["spec"].get("unschedulable")]
        held, pool = Counter(pod["spec"].get("nodeName") for pod in pods), stress.removeprefix("node")
        equal = [name for name in open_nodes if pool and name.startswith(pool)] or [name for name in open_nodes if "gpu" not in name]
        running.store.delete(NODES, None, max(equal, key=lambda name: held[name]))
    running.clock.advance(180)
    yield from _homeless(running, "finds no node when one is lost" if stress.startswith("node") else "finds no node")
    yield from _incomplete(running)


def _homeless(running: Running, what: str) -> Iterator[Ill]:
    waiting = Counter(_workload(pod) for pod in running.cluster.all(PODS) if is_active(pod) and not pod["spec"].get("nodeName"))
    yield from (Ill(what, where, count) for where, count in waiting.items())


# -- what was done ----------------------------------------------------------------------------------------------------


def _kept(running: Running, people: People) -> dict[tuple[str, str, str], str]:
    """What people keep for themselves, with its wished-for state as text."""
    return {
        (row.plural, *_key(each)): _wished(each)
        for row in CHANGEABLE
        for each in running.cluster.all(row)
        if _is_kept(running, people, each, namespaced=row.namespaced)
    }


def _is_kept(running: Running, people: People, item: Json, *, namespaced: bool) -> bool:
    namespace = item["metadata"].get("namespace", "") if namespaced else item["metadata"]["name"]
    around = running.store.peek(NAMESPACES, None, namespace) or {}
    marks = {**around.get("metadata", {}).get("annotations", {}), **item["metadata"].get("annotations", {})}
    now = running.clock.now()
    closed = any(window.start <= now < window.end for each in people.objectives.of(namespace) for window in each.freeze)
    return namespace in SYSTEM or closed or any(mark in marks for mark in MARKS)


def _wished(item: Json) -> str:
    meta = item["metadata"]
    return json.dumps([item.get("spec"), meta["uid"], meta.get("labels"), "deletionTimestamp" in meta], sort_keys=True)


def _touched(running: Running, people: People, was: Before) -> Iterator[Ill]:
    now = _kept(running, people)
    for place, wished in was.kept.items():
        if now.get(place) != wished:
            yield Ill("people keep this for themselves", "/".join(filter(None, place)))


def _open_namespaces(running: Running) -> frozenset[str]:
    """Namespaces that would let a privileged pod of the host in."""
    spec = {"hostPID": True, "containers": [{"name": "probe", "securityContext": {"privileged": True}}]}
    return frozenset(
        f"{each['metadata']['name']}:{level}"
        for each in running.cluster.all(NAMESPACES)
        for level, probe in (("privileged", spec), ("baseline", {"containers": [{"name": "probe"}]}))
        if not admission.refusal(each, {"spec": probe})
    )


def _weakened(running: Running, was: Before) -> Iterator[Ill]:
    for name in _open_namespaces(running) - was.admits_anything:
        yield Ill("lets pods in that it kept out", name)


# -- names ------------------------------------------------------------------------------------------------------------


def _key(item: Json) -> tuple[str, str]:
    return item["metadata"].get("namespace", ""), item["metadata"]["name"]


def _place(item: Json) -> str:
    return "/".join(_key(item))


def _workload(pod: Json) -> str:
    """Namespace and name of the workload, by the label that all of its pods have."""
    meta = pod["metadata"]
    return f"{meta['namespace']}/{meta.get('labels', {}).get(NAME, meta['name'])}"


def _owner(pod: Json) -> str:
    return next((str(each["kind"]) for each in pod["metadata"].get("ownerReferences", ()) if each.get("controller")), "")


def _runs(pod: Json) -> bool:
    return any("running" in status.get("state", {}) for status in pod.get("status", {}).get("containerStatuses", ()))


def _works(running: Running, pod: Json) -> bool:
    """A pod of a gang works only when all of it runs."""
    found = running.fleet.timeline.current(pod["metadata"]["uid"])
    return found is not None and found[1].condition.working
