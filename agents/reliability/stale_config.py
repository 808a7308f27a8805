"""REL-106: pods that run with the values that a ConfigMap had when they started. Called by the table of this agent.

Environment variables are read once, at the start; a change of the ConfigMap reaches them only by a restart. Mounted files follow by
themselves and are left alone.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta

from agents.desk import Desk
from agents.reporting import found, seen
from agents.workloads import SCALABLE, Controlled, controlled, settled
from core.cluster.objects import ConfigMap, Container, Pod, PodSpec
from core.domain.finding import Finding, Severity

CODE = "REL-106"
PATIENCE = timedelta(minutes=5)  # a rollout often follows its configuration


def detect(desk: Desk) -> Iterator[Finding]:
    for workload in controlled(desk.snapshot, (*SCALABLE, "DaemonSet")):
        if not settled(workload):
            continue
        for name in sorted(config_maps(workload.item.spec.template.spec)):
            config = desk.snapshot.find("ConfigMap", workload.item.metadata.namespace, name)
            if config is not None and (stale := stale_pods(desk, workload, config)):
                yield _finding(desk, workload, config, stale)
                break


def config_maps(spec: PodSpec) -> set[str]:
    """The ConfigMaps that environment variables of these containers come from."""
    return {name for container in (*spec.init_containers, *spec.containers) for name in _named(container) if name}


def _named(container: Container) -> Iterator[str]:
    for env in container.env:
        if env.value_from is not None and env.value_from.config_map_key_ref:
            yield _name(env.value_from.config_map_key_ref)
    for source in container.env_from:
        if source.config_map_ref:
            yield _name(source.config_map_ref)


def _name(reference: dict[str, object]) -> str:
    name = reference.get("name")
    return name if isinstance(name, str) else ""


def changed_at(config: ConfigMap) -> datetime | None:
    """When somebody last wrote it, from its managed fields; without those nothing is known."""
    return max((entry.time for entry in config.metadata.managed_fields if entry.time is not None), default=None)


def stale_pods(desk: Desk, workload: Controlled, config: ConfigMap) -> tuple[Pod, ...]:
    changed = changed_at(config)
    if changed is None or desk.now - changed < PATIENCE:
        return ()
    return tuple(pod for pod in workload.pods if (started := started_at(pod)) is not None and started < changed)


def started_at(pod: Pod) -> datetime | None:
    """The earliest start of a container that still runs: one that restarted since has the new values."""
    starts = [status.state.running.started_at for status in pod.status.container_statuses if status.state.running is not None]
    return min((start for start in starts if start is not None), default=None)


def _finding(desk: Desk, workload: Controlled, config: ConfigMap, stale: tuple[Pod, ...]) -> Finding:
    changed = changed_at(config)
    return found(
        desk,
        CODE,
        Severity.MEDIUM,
        desk.snapshot.target(workload.kind, workload.item),
        f"{workload.item.metadata.name}: {len(stale)} of {len(workload.pods)} pods run with old values of ConfigMap {config.metadata.name}",
        "What was changed in the configuration has no effect yet, and the next restart would bring it unwatched.",
        seen(desk, "ConfigMap", config, "metadata.managedFields[].time", f"{changed:%Y-%m-%dT%H:%M:%SZ}" if changed else ""),
        seen(desk, "Pod", stale[0], "status.containerStatuses[].state.running.startedAt", f"{started_at(stale[0]):%Y-%m-%dT%H:%M:%SZ}"),
    )
