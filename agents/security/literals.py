"""SEC-108 and SEC-109: secrets written out in templates, and images whose tag says nothing. Called by the table of this agent.

The value of a variable is looked at and never told: evidence has its length and the place.
"""

import re
from collections.abc import Iterator

from agents.desk import Desk
from agents.reporting import counted, found, seen
from agents.workloads import Controlled, controlled
from core.cluster.objects import Container, Env
from core.domain.finding import Finding, Severity
from core.policy.redaction import redact

SECRET, IMAGE = "SEC-108", "SEC-109"
MOST_SHOWN = 5
SHORTEST = 6
LONG = 20
"""From here on a value may be a key by its shape alone."""
_TELLING = re.compile(r"pass|pwd|secret|key|token|auth|credential|cookie|session|signature", re.IGNORECASE)
_POINTS_ELSEWHERE = re.compile(r"\$\(|^/|^[a-z]+://[^:@\s]+$|^(file|vault|secret|ref|arn|projects)[:/]", re.IGNORECASE)
_NUMBER = re.compile(r"[0-9.]+[a-z]{0,2}")


def detect_secrets(desk: Desk) -> Iterator[Finding]:
    for workload in controlled(desk.snapshot):
        told = [(container, variable) for container in _containers(workload) for variable in container.env if is_secret(variable)]
        if told:
            yield _secrets(desk, workload, told)


def is_secret(variable: Env) -> bool:
    """By the nets that keep secrets out of our own logs: the shape of the value, or the name beside a value that is no switch or path."""
    value = variable.value
    if len(value) < SHORTEST or not (_TELLING.search(variable.name) or "@" in value or len(value) >= LONG):
        return False  # most variables end here: the nets below cost fifty times as much
    value = value.strip()
    if len(value) < SHORTEST or _POINTS_ELSEWHERE.search(value) or _NUMBER.fullmatch(value.lower()):
        return False
    line = f"{variable.name}={value}"
    return redact(line) != line


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
