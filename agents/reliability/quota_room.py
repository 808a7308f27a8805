"""How much more a namespace's quota must allow for the pods that cannot be made. Called by the table of this agent."""

import math
from collections.abc import Callable, Mapping
from typing import NamedTuple

from agents import sizes
from agents.desk import Desk
from agents.proposing import propose
from agents.remedies import allow
from agents.reporting import counted
from agents.sizes import Size
from agents.workloads import Controlled, workload_at
from core.actions.raise_quota import MOST
from core.cluster import quantities
from core.cluster.objects import PodSpec, Quota
from core.domain.finding import Finding
from core.domain.proposal import Proposal

CPU_STEP, MEMORY_STEP = 100, 64


class Reading(NamedTuple):
    """How one resource of a quota is read, how much of it a pod takes, and how a new amount is written."""

    read: Callable[[str | int | float], int]
    takes: Callable[["Asked"], int]
    text: Callable[[int], str]


class Asked(NamedTuple):
    """Of one pod: requests and limits."""

    requests: Size
    limits: Size


def _stepped(step: int, text: Callable[[int], str]) -> Callable[[int], str]:
    return lambda amount: text(math.ceil(amount / step) * step)


_CPU, _MEMORY = _stepped(CPU_STEP, quantities.cpu_text), _stepped(MEMORY_STEP, quantities.memory_text)
_READINGS: Mapping[str, Reading] = {
    "cpu": Reading(quantities.cpu_milli, lambda pod: pod.requests.cpu_milli, _CPU),
    "requests.cpu": Reading(quantities.cpu_milli, lambda pod: pod.requests.cpu_milli, _CPU),
    "limits.cpu": Reading(quantities.cpu_milli, lambda pod: pod.limits.cpu_milli, _CPU),
    "memory": Reading(quantities.memory_mib, lambda pod: pod.requests.memory_mib, _MEMORY),
    "requests.memory": Reading(quantities.memory_mib, lambda pod: pod.requests.memory_mib, _MEMORY),
    "limits.memory": Reading(quantities.memory_mib, lambda pod: pod.limits.memory_mib, _MEMORY),
    f"requests.{sizes.GPU}": Reading(quantities.count, lambda pod: pod.requests.gpus, str),
    "pods": Reading(quantities.count, lambda _: 1, str),
    "count/pods": Reading(quantities.count, lambda _: 1, str),
}


def raise_quota(desk: Desk, finding: Finding) -> Proposal | None:
    """The first quota that is short, by what the missing pods need. None where that is more than twice the amount and the use, or where it
    holds only some pods."""
    workload = workload_at(desk.snapshot, finding.subject.uid)
    if workload is None:
        return None
    missing, asked = _missing(workload), _asked(workload.item.spec.template.spec)
    for quota in desk.snapshot.of("ResourceQuota"):
        if quota.metadata.namespace != finding.subject.namespace or quota.spec.scopes or quota.spec.scope_selector:
            continue
        amounts = _amounts(quota, asked, missing)
        if amounts:
            said = ", ".join(f"{name} from {quota.spec.hard[name]} to {to}" for name, to in sorted(amounts.items()))
            return propose(
                desk,
                finding,
                *allow(desk, finding, quota, amounts),
                why=f"{finding.title}. {counted(missing, 'pod')} would fit with {said}; the budget decides whether that is paid for.",
                expect=f"{counted(missing, 'pod')} of {workload.name} can be made",
                takes=asked.requests.times(missing),
                pods=missing,
            )
    return None


def _missing(workload: Controlled) -> int:
    """At least one: where all are there, it is the extra pod of a rollout that finds no room."""
    wanted = workload.item.status.desired_number_scheduled if workload.kind == "DaemonSet" else workload.replicas
    return max(1, wanted - len(workload.pods))


def _asked(spec: PodSpec) -> Asked:
    limits = Size()
    for container in spec.containers:
        limits = limits.plus(sizes.limited(container))
    return Asked(sizes.of_pod(spec), limits)


def _amounts(quota: Quota, asked: Asked, missing: int) -> dict[str, str]:
    """Empty where the quota is not what is short, or cannot be helped."""
    found: dict[str, str] = {}
    used = quota.status.get("used") or {}
    for name, hard in quota.spec.hard.items():
        reading = _READINGS.get(name)
        if reading is None:
            continue
        try:
            most, in_use = reading.read(hard), reading.read(used.get(name, 0))
        except ValueError:
            return {}
        needed = in_use + reading.takes(asked) * missing
        if needed > most:
            found[name] = reading.text(needed)
            if reading.read(found[name]) > MOST * max(most, in_use):
                return {}
    return found
