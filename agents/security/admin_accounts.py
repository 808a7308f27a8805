"""SEC-105: workloads whose service account may do everything. Called by the table of this agent."""

from collections.abc import Iterator
from weakref import WeakKeyDictionary

from agents.desk import Desk
from agents.reporting import found, seen
from agents.workloads import Controlled, controlled
from core.cluster.objects import Binding, PodSpec
from core.cluster.snapshot import Snapshot
from core.domain.finding import Finding, Severity

CODE = "SEC-105"
ROLE = "cluster-admin"


def detect(desk: Desk) -> Iterator[Finding]:
    for workload in controlled(desk.snapshot):
        binding = is_admin(desk.snapshot, workload.item.metadata.namespace, workload.item.spec.template.spec)
        if binding is not None:
            yield _finding(desk, workload, binding)


def is_admin(snapshot: Snapshot, namespace: str, spec: PodSpec) -> Binding | None:
    """The binding by which such a pod may do everything, with its token mounted."""
    binding = admin_bindings(snapshot).get((namespace, account(spec)))
    return binding if binding is not None and mounts_token(snapshot, namespace, spec) else None


def account(spec: PodSpec) -> str:
    return spec.service_account_name or "default"


def admin_bindings(snapshot: Snapshot) -> dict[tuple[str, str], Binding]:
    """By namespace and name of the service account that a ClusterRoleBinding makes cluster-admin."""
    if snapshot not in _BINDINGS:
        _BINDINGS[snapshot] = _admin_bindings(snapshot)
    return _BINDINGS[snapshot]


_BINDINGS: WeakKeyDictionary[Snapshot, dict[tuple[str, str], Binding]] = WeakKeyDictionary()


def _admin_bindings(snapshot: Snapshot) -> dict[tuple[str, str], Binding]:
    bindings = [item for item in snapshot.of("ClusterRoleBinding") if item.role_ref.kind == "ClusterRole" and item.role_ref.name == ROLE]
    return {
        (subject.namespace, subject.name): binding
        for binding in sorted(bindings, key=lambda item: item.metadata.name, reverse=True)
        for subject in binding.subjects
        if subject.kind == "ServiceAccount"
    }


def mounts_token(snapshot: Snapshot, namespace: str, spec: PodSpec) -> bool:
    """The pod's own word wins over its account's; without either the token is mounted."""
    if spec.automount_service_account_token is not None:
        return spec.automount_service_account_token
    own = snapshot.find("ServiceAccount", namespace, account(spec))
    return not (own is not None and own.automount_service_account_token is False)


def _finding(desk: Desk, workload: Controlled, binding: Binding) -> Finding:
    item, name = workload.item, account(workload.item.spec.template.spec)
    return found(
        desk,
        CODE,
        Severity.HIGH,
        desk.snapshot.target(workload.kind, item),
        f"{item.metadata.name} runs as service account {name}, which is {ROLE}, with its token mounted",
        "Whoever enters one of its pods may do anything in the whole cluster, and read every secret.",
        seen(desk, workload.kind, item, "spec.template.spec.serviceAccountName", name),
        seen(desk, "ClusterRoleBinding", binding, "roleRef.name", ROLE),
    )
