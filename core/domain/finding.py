"""What a detector saw, on one subject, with evidence."""

from enum import StrEnum

from pydantic import Field

from core.domain.evidence import Evidence
from core.domain.target import Target
from core.domain.values import Moment, Value, identifier


class Severity(StrEnum):
    """Ordered from worst to least."""

    CRITICAL = "critical"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"
    INFO = "info"

    def at_least(self, other: "Severity") -> bool:
        order = list(Severity)
        return order.index(self) <= order.index(other)


class Finding(Value):
    """`id` is stable over scans: code, cluster, namespace and object name, never a pod's hash.

    `subject` is the workload where there is one. `symptom_of` is the id of the finding that is the cause, where another one explains this;
    its evidence then holds each link of the way there.
    """

    id: str
    code: str = Field(pattern=r"^(FIN|REL|SEC|SCA|DAY)-\d{3}$")
    agent: str
    severity: Severity
    subject: Target
    title: str = Field(max_length=200, description="one line: what is wrong and why")
    matters: str = Field(max_length=300, description="why it matters to a person")
    evidence: tuple[Evidence, ...] = ()
    symptom_of: str = ""
    at: Moment


def finding_id(code: str, subject: Target) -> str:
    return identifier("fnd", code, subject.cluster, subject.namespace, subject.kind, subject.name)


class NotRun(Value):
    """A check that could not look, and why: not run is not the same as clean."""

    check: str
    reason: str = Field(max_length=300)


class Coverage(Value):
    """Which checks ran. Every answer to a person carries it."""

    run: tuple[str, ...] = ()
    not_run: tuple[NotRun, ...] = ()
