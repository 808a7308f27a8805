"""SEC-101 and SEC-104: namespaces that enforce no pod security, or less than their pods already meet. Called by the table of this agent."""

from collections.abc import Iterator
from typing import NamedTuple
from weakref import WeakKeyDictionary

from agents.desk import Desk
from agents.reporting import counted, derived, found, seen
from agents.workloads import SYSTEM_NAMESPACES, pods_in, templates
from core.cluster.objects import Namespace
from core.cluster.pod_security import LEVELS, Level, rank, strictest
from core.domain.finding import Finding, Severity

MISSING = "SEC-101"
WEAK = "SEC-104"
PREFIX = "pod-security.kubernetes.io/"
ENFORCE, WARN, AUDIT = (PREFIX + mode for mode in ("enforce", "warn", "audit"))
REASONS = ("day2.dev/reason", "pod-security.day2.dev/reason")
BASELINE = rank("baseline")
FORMULA = "strictest Pod Security Standard that every running pod and every pod template meets"


class Standing(NamedTuple):
    """What a namespace enforces, and what all of its pods and templates meet. `met` is no more than baseline where a template is unseen."""

    enforced: str
    met: Level
    pods: int


_KNOWN: WeakKeyDictionary[Desk, dict[str, Standing]] = WeakKeyDictionary()


def detect_missing(desk: Desk) -> Iterator[Finding]:
    for namespace in inhabited(desk):
        if ENFORCE not in namespace.metadata.labels:
            yield _missing(desk, namespace, standing(desk, namespace))


def detect_weak(desk: Desk) -> Iterator[Finding]:
    for namespace in inhabited(desk):
        enforced = namespace.metadata.labels.get(ENFORCE)
        if enforced is None or excused(namespace) or rank(enforced) >= wanted(desk, namespace):
            continue
        state = standing(desk, namespace)
        if rank(state.met) > rank(enforced):
            yield _weak(desk, namespace, state)


def inhabited(desk: Desk) -> Iterator[Namespace]:
    """Namespaces with pods, without the cluster's own."""
    lived_in = {pod.metadata.namespace for pod in desk.snapshot.pods}
    for namespace in sorted(desk.snapshot.of("Namespace"), key=lambda item: item.metadata.name):
        if namespace.metadata.name in lived_in - SYSTEM_NAMESPACES and namespace.metadata.deletion_timestamp is None:
            yield namespace


def excused(namespace: Namespace) -> bool:
    """Somebody wrote down why this namespace is loose."""
    return any(namespace.metadata.annotations.get(key, "").strip() for key in REASONS)


def wanted(desk: Desk, namespace: Namespace) -> int:
    """The rank that an objective asks for; baseline where none does."""
    asked = [rank(objective.pod_security) for objective in desk.objectives.of(namespace.metadata.name) if objective.pod_security]
    return max(asked, default=BASELINE)


def standing(desk: Desk, namespace: Namespace) -> Standing:
    """Of one namespace, looked at once for each desk."""
    known = _KNOWN.setdefault(desk, {})
    if namespace.metadata.name not in known:
        known[namespace.metadata.name] = _standing(desk, namespace)
    return known[namespace.metadata.name]


def _standing(desk: Desk, namespace: Namespace) -> Standing:
    name = namespace.metadata.name
    pods = pods_in(desk.snapshot, name)
    met = strictest((*pods, *templates(desk.snapshot, name)))
    if met == "restricted" and unseen_template(desk, name):
        met = "baseline"
    return Standing(namespace.metadata.labels.get(ENFORCE, ""), met, len(pods))


def unseen_template(desk: Desk, namespace: str) -> bool:
    """A CronJob shows its pods only in the Jobs that it made; without one nobody knows what it will run."""
    known = {owner.uid for job in desk.snapshot.of("Job") for owner in job.metadata.owner_references}
    return any(item.metadata.namespace == namespace and item.metadata.uid not in known for item in desk.snapshot.of("CronJob"))


def next_level(level: Level) -> Level:
    """The level above, to warn at; restricted is the last."""
    return LEVELS[min(rank(level) + 1, len(LEVELS) - 1)]


def _missing(desk: Desk, namespace: Namespace, state: Standing) -> Finding:
    name = namespace.metadata.name
    subject = desk.snapshot.target("Namespace", namespace)
    return found(
        desk,
        MISSING,
        Severity.MEDIUM,
        subject,
        f"namespace {name} enforces no pod security; {counted(state.pods, 'pod')} and all templates meet {state.met}",
        "Whoever may create a pod here may create a privileged one, and with it own the node.",
        seen(desk, "Namespace", namespace, f"metadata.labels[{ENFORCE}]", "absent"),
        derived(desk, subject, FORMULA, state.met),
    )


def _weak(desk: Desk, namespace: Namespace, state: Standing) -> Finding:
    name = namespace.metadata.name
    subject = desk.snapshot.target("Namespace", namespace)
    return found(
        desk,
        WEAK,
        Severity.LOW,
        subject,
        f"namespace {name} enforces {state.enforced}, though {counted(state.pods, 'pod')} and all templates meet {state.met}",
        "The door stands wider open than anything inside needs.",
        seen(desk, "Namespace", namespace, f"metadata.labels[{ENFORCE}]", state.enforced),
        derived(desk, subject, FORMULA, state.met),
    )
