"""REL-105: a rollout whose image cannot be pulled. Called by the table of this agent."""

from collections.abc import Iterator
from datetime import timedelta

from agents.desk import Desk
from agents.reporting import counted, found, moment, seen, told
from agents.workloads import Rollout, age, rollouts
from core.cluster.objects import ContainerStatus, Pod, Waiting
from core.domain.finding import Finding, Severity

CODE = "REL-105"
PATIENCE = timedelta(minutes=2)  # registries blink
REASONS = frozenset(("ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull", "ImageInspectError"))


def detect(desk: Desk) -> Iterator[Finding]:
    for rollout in rollouts(desk.snapshot):
        stuck = [pair for pod in rollout.current_pods if age(pod.metadata, desk.now) >= PATIENCE for pair in unpullable(pod)]
        if stuck:
            yield _finding(desk, rollout, stuck)


def unpullable(pod: Pod) -> Iterator[tuple[Pod, ContainerStatus]]:
    for container in (*pod.status.init_container_statuses, *pod.status.container_statuses):
        if container.state.waiting is not None and container.state.waiting.reason in REASONS:
            yield pod, container


def _finding(desk: Desk, rollout: Rollout, stuck: list[tuple[Pod, ContainerStatus]]) -> Finding:
    item = rollout.workload.item
    pod, container = stuck[0]
    waiting = container.state.waiting or Waiting()
    path = f"status.containerStatuses[{container.name}].state.waiting"
    return found(
        desk,
        CODE,
        Severity.HIGH,
        desk.snapshot.target("Deployment", item),
        f"{item.metadata.name} cannot pull {container.image}: {counted(len(stuck), 'container')} wait ({waiting.reason})",
        f"The rollout stands still with {item.status.ready_replicas} of {rollout.workload.replicas} replicas; pods that go are lost.",
        seen(desk, "Pod", pod, f"{path}.reason", waiting.reason),
        told(desk, "Pod", pod, f"{path}.message", waiting.message),
        seen(desk, "ReplicaSet", rollout.current, "metadata.creationTimestamp", moment(rollout.started_at)),
    )
