"""SEC-106: workloads whose pods their namespace should refuse, with the smallest change that passes. Called by the table of this agent."""

import json
from collections.abc import Iterator

from agents.desk import Desk
from agents.reporting import counted, derived, found, seen
from agents.security.namespaces import excused, wanted
from agents.workloads import Controlled, controlled
from core.cluster.pod_patching import Patch, patch
from core.cluster.pod_security import LEVELS, Level, Violation, violations
from core.domain.finding import Finding, Severity

CODE = "SEC-106"
MOST_SHOWN = 8


def detect(desk: Desk) -> Iterator[Finding]:
    """Against baseline, or what an objective asks for."""
    for workload in controlled(desk.snapshot):
        namespace = desk.snapshot.find("Namespace", "", workload.item.metadata.namespace)
        if namespace is None or excused(namespace):
            continue
        level = LEVELS[wanted(desk, namespace)]
        broken = violations(workload.item.spec.template, level)
        if broken:
            yield _finding(desk, workload, level, broken)


def _finding(desk: Desk, workload: Controlled, level: Level, broken: tuple[Violation, ...]) -> Finding:
    template = workload.item.spec.template
    change = patch(template, level)
    checks = sorted({item.check for item in broken})
    subject = desk.snapshot.target(workload.kind, workload.item)
    below = bool(violations(template, "baseline"))
    return found(
        desk,
        CODE,
        Severity.HIGH if below else Severity.MEDIUM,
        subject,
        f"{workload.item.metadata.name} breaks {counted(len(checks), 'check')} of {level}: {', '.join(checks)}",
        "Whoever enters one of its pods reaches further than its work needs.",
        *(seen(desk, workload.kind, workload.item, f"spec.template {item.check}", str(item)) for item in broken[:MOST_SHOWN]),
        derived(desk, subject, f"smallest patch of spec.template that passes {level}", _shown(change)),
    )


def _shown(change: Patch) -> str:
    """As one would give it to kubectl patch; what no setting mends is said after it."""
    body = json.dumps(change.body, separators=(",", ":")) if change.body else "no setting mends it"
    left = "; ".join(item.what for item in change.left)
    return f"{body}; left to a person: {left}" if left else body
