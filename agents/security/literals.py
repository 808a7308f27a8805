"""SEC-108 and SEC-109: secrets written out in templates, and images whose tag says nothing. Called by the table of this agent.

The value of a variable is looked at and never told: evidence has its length and the place.
"""

from collections.abc import Iterator

from agents.desk import Desk
from agents.reporting import counted, found, seen
from agents.workloads import Controlled, controlled
from core.cluster.objects import Container, Env
from core.domain.finding import Finding, Severity
from core.policy.literals import is_secret

SECRET, IMAGE = "SEC-108", "SEC-109"
MOST_SHOWN = 5


def detect_secrets(desk: Desk) -> Iterator[Finding]:
    for workload in controlled(desk.snapshot):
        pairs = ((container, variable) for container in _containers(workload) for variable in container.env)
        told = [(container, variable) for container, variable in pairs if is_secret(variable.name, variable.value)]
        if told:
            yield _secrets(desk, workload, told)


def _secrets(desk: Desk, workload: Controlled, told: list[tuple[Container, Env]]) -> Finding:
    kind, item = workload.kind, workload.item
    names = ", ".join(variable.name for _, variable in told[:3])
    return found(
        desk,
        SECRET,
        Severity.HIGH,
        desk.snapshot.target(kind, item),
        f"{item.metadata.name} has {counted(len(told), 'secret')} written out in its template: {names}",
        "Whoever may read the workload reads it, and so does every copy of its manifest, log of a change and backup.",
        *(
            seen(
                desk,
                kind,
                item,
                f"spec.template.spec.containers[{container.name}].env[{variable.name}].value",
                f"{len(variable.value)} characters, not shown",
            )
            for container, variable in told[:MOST_SHOWN]
        ),
    )


def detect_images(desk: Desk) -> Iterator[Finding]:
    for workload in controlled(desk.snapshot):
        moving = [container for container in _containers(workload) if moves(container.image)]
        if moving:
            yield _images(desk, workload, moving)


def moves(image: str) -> bool:
    """Whether the same text may be another image tomorrow by its own wording: no tag, or `latest`, and no digest."""
    if not image or "@sha256:" in image:
        return False
    tag = image.rpartition("/")[2].partition(":")[2]
    return tag in ("", "latest")


def _images(desk: Desk, workload: Controlled, moving: list[Container]) -> Finding:
    kind, item = workload.kind, workload.item
    return found(
        desk,
        IMAGE,
        Severity.LOW,
        desk.snapshot.target(kind, item),
        f"{item.metadata.name} runs {counted(len(moving), 'image')} without a version: {moving[0].image}",
        "Two pods of one revision may run different programs, and a rollback brings back nothing.",
        *(seen(desk, kind, item, f"spec.template.spec.containers[{one.name}].image", one.image) for one in moving[:MOST_SHOWN]),
    )


def _containers(workload: Controlled) -> tuple[Container, ...]:
    spec = workload.item.spec.template.spec
    return (*spec.init_containers, *spec.containers)
