"""SEC-107: service accounts in use that can become cluster-admin in a few steps. Called by the table of this agent."""

from collections.abc import Iterator

from agents.desk import Desk
from agents.reporting import counted, derived, found, seen
from agents.security.admin_accounts import account, admin_bindings, mounts_token
from agents.workloads import controlled
from core.cluster.escalation import Identity, Rights, Step, path_to_admin
from core.domain.finding import Finding, Severity

CODE = "SEC-107"


def detect(desk: Desk) -> Iterator[Finding]:
    """Of the accounts that workloads run under, with their token mounted. Who is cluster-admin already is told of by SEC-105."""
    rights = Rights(desk.snapshot)
    for (namespace, name), users in sorted(_in_use(desk).items()):
        if (namespace, name) in admin_bindings(desk.snapshot):
            continue
        path = path_to_admin(rights, Identity("ServiceAccount", namespace, name))
        item = desk.snapshot.find("ServiceAccount", namespace, name)
        if path and item is not None:
            yield _finding(desk, item, users, path)


def _in_use(desk: Desk) -> dict[tuple[str, str], list[str]]:
    found_here: dict[tuple[str, str], list[str]] = {}
    for workload in controlled(desk.snapshot):
        namespace, spec = workload.item.metadata.namespace, workload.item.spec.template.spec
        if mounts_token(desk.snapshot, namespace, spec):
            found_here.setdefault((namespace, account(spec)), []).append(workload.name)
    return found_here


def _finding(desk: Desk, item: object, users: list[str], path: tuple[Step, ...]) -> Finding:
    subject = desk.snapshot.target("ServiceAccount", item)
    way = [
        derived(desk, subject, f"step {number}: {step.technique}, by {step.role}", f"becomes {step.to}")
        for number, step in enumerate(path, 1)
    ]
    return found(
        desk,
        CODE,
        Severity.HIGH,
        subject,
        f"service account {subject.name} can become cluster-admin in {counted(len(path), 'step')}: it {path[0].technique}",
        f"Whoever enters a pod of {users[0]} can do anything in the whole cluster.",
        seen(desk, "ServiceAccount", item, "used by", ", ".join(users[:5])),
        *way,
    )
