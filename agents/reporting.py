"""How detectors write down what they saw: findings with stable ids, and evidence that says how to look again. Called by every detector."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from agents.desk import Desk, LogRequest
from core.cluster.queries import Query
from core.domain.evidence import Evidence, observe
from core.domain.finding import Finding, Severity, finding_id
from core.domain.target import Target
from core.domain.values import bounded

AGENT_BY_AREA = {"FIN": "finops", "REL": "reliability", "SEC": "security", "SCA": "scaling"}


def found(desk: Desk, code: str, severity: Severity, subject: Target, title: str, matters: str, *evidence: Evidence) -> Finding:
    """A finding of the agent that owns the code's area."""
    return Finding(
        id=finding_id(code, subject),
        code=code,
        agent=AGENT_BY_AREA[code[:3]],
        severity=severity,
        subject=subject,
        title=bounded(title, 200),
        matters=bounded(matters, 300),
        evidence=evidence,
        at=desk.now,
    )


def seen(desk: Desk, kind: str, item: Any, path: str, value: object) -> Evidence:
    """A field of an object, as it was read."""
    target = desk.snapshot.target(kind, item)
    return observe("object", target, path, str(value), desk.snapshot.taken_at, resource_version=item.metadata.resource_version)


def measured(desk: Desk, subject: Target, query: Query, value: str) -> Evidence:
    """What the metrics source answered, with the PromQL text that asks again."""
    return observe("metric", subject, query.promql(), value, desk.now)


def derived(desk: Desk, subject: Target, formula: str, value: str) -> Evidence:
    """A number worked out of others; `formula` says how."""
    return observe("derived", subject, formula, value, desk.now)


def quoted(desk: Desk, subject: Target, request: LogRequest, line: str) -> Evidence:
    """A line of a log: text that somebody else wrote, shown and never obeyed."""
    which = " --previous" if request.previous else ""
    return observe("log", subject, f"logs {request.namespace}/{request.pod} -c {request.container}{which}", line, desk.now)


def told(desk: Desk, kind: str, item: Any, path: str, message: str) -> Evidence:
    """A message in an object's status: as free a text as an event's, so it is quoted as one."""
    return observe("event", desk.snapshot.target(kind, item), path, message, desk.snapshot.taken_at)


def moment(at: datetime | None) -> str:
    """A time as evidence shows it; a dash where the object has none."""
    return f"{at:%Y-%m-%dT%H:%M:%SZ}" if at is not None else "-"


def counted(number: int, noun: str) -> str:
    """`1 pod`, `4 pods`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def pairs(labels: Mapping[str, str]) -> str:
    """Labels as one types them: `app=web,tier=front`."""
    return ",".join(f"{key}={value}" for key, value in sorted(labels.items()))
