"""Faults that the last rollout brought, and whether the revision before it is without them. Called by the table of this agent.

A rollout is the cause only where it changed the part of the template that the fault is in: a ConfigMap that was deleted is missing for
every revision that names it, and no way back mends that.
"""

from collections.abc import Callable, Mapping
from typing import Any

from agents import rolling_back
from agents.desk import Desk
from agents.sizes import limited, of_pod
from agents.workloads import rollout_of
from core.cluster.objects import PodSpec
from core.domain.finding import Finding
from core.domain.proposal import Proposal


def _references(spec: PodSpec) -> Any:
    containers = (*spec.init_containers, *spec.containers)
    return spec.volumes, [(one.name, [each for each in one.env if each.value_from], one.env_from) for one in containers]


def _claims(spec: PodSpec) -> Any:
    return [volume.persistent_volume_claim for volume in spec.volumes if volume.persistent_volume_claim]


def _placing(spec: PodSpec) -> Any:
    return of_pod(spec), spec.node_selector, spec.affinity, spec.tolerations, spec.priority_class_name


def _identity(spec: PodSpec) -> Any:
    return spec.service_account_name, spec.priority_class_name


def _images(spec: PodSpec) -> Any:
    return [(one.name, one.image) for one in (*spec.init_containers, *spec.containers)]


def _probes(spec: PodSpec) -> Any:
    return [(one.name, one.image, one.liveness_probe, one.readiness_probe, one.startup_probe, one.ports) for one in spec.containers]


def _whole(spec: PodSpec) -> Any:
    return spec


PARTS: Mapping[str, Callable[[PodSpec], Any]] = {
    "REL-109": _whole,
    "REL-110": _references,
    "REL-111": _whole,
    "REL-112": _whole,
    "REL-113": _images,
    "REL-114": _probes,
    "REL-115": _probes,
    "REL-116": _probes,
    "REL-121": _references,
    "REL-125": _placing,
    "REL-126": _placing,
    "REL-127": _placing,
    "REL-128": _placing,
    "REL-129": _claims,
    "REL-130": of_pod,
    "REL-131": _whole,
    "REL-132": _identity,
    "REL-133": _whole,
    "REL-144": _whole,
    "REL-155": lambda spec: (spec.dns_policy, spec.dns_config, spec.host_network),
    "REL-167": _claims,
}
"""By the code of the check: what of a template it looks at. Commands and arguments are not decoded, so for them any change may be it."""
PLAN = (
    "Back to the revision before, where a rollout of the last day changed that part of the template and the revision before proved itself:"
    " current for an hour, or with ready pods now. Not where the rollout is marked as a migration (`day2.dev/migration`)."
)
OUTSIDE = frozenset(("REL-110", "REL-121", "REL-125", "REL-127", "REL-130", "REL-132", "REL-167"))
"""What else than a rollout may bring: the earlier revision's pods may serve only because they were there before. Of the rest, pods of the
revision before that serve beside those that do not are proof enough."""
HIDDEN = frozenset(("REL-109", "REL-111", "REL-112", "REL-133", "REL-144"))
"""Faults of what the slim objects do not hold: two templates that look alike may still differ there."""


def undo_change(desk: Desk, finding: Finding) -> Proposal | None:
    """Back to the revision before. None where it has the same fault in its template, or did not prove itself."""
    rollout = rollout_of(desk.snapshot, finding.subject.uid)
    part = PARTS.get(finding.code)
    if rollout is None or rollout.previous is None or part is None:
        return None
    now, before = rollout.current.spec.template.spec, rollout.previous.spec.template.spec
    beside = finding.code not in OUTSIDE and rollout.previous.status.ready_replicas > 0
    if part(now) == part(before) and not (finding.code in HIDDEN or beside):
        return None
    return rolling_back.plan_for(desk, finding, rollout)


def undo_cut(desk: Desk, finding: Finding) -> Proposal | None:
    """Where the rollout cut the memory limit that is too small now: the one before is known to have been enough."""
    rollout = rollout_of(desk.snapshot, finding.subject.uid)
    if rollout is None or rollout.previous is None:
        return None
    now, before = (_limits(each.spec.template.spec) for each in (rollout.current, rollout.previous))
    cut = any(0 < now[name] < before.get(name, 0) for name in now)
    return rolling_back.plan_for(desk, finding, rollout) if cut else None


def _limits(spec: PodSpec) -> dict[str, int]:
    return {each.name: limited(each).memory_mib for each in spec.containers}
