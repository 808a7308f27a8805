"""SEC-116: rights of a namespace's account `default`, which every pod has that asks for no account. Called by the table of this agent."""

from collections.abc import Iterator

from agents.desk import Desk
from agents.reporting import counted, derived, found, seen
from agents.security.admin_accounts import account, admin_bindings, mounts_token
from agents.workloads import SYSTEM_NAMESPACES, controlled
from core.cluster.escalation import Grant, Identity, Rights, path_to_admin
from core.cluster.objects import ServiceAccount
from core.domain.finding import Finding, Severity

CODE = "SEC-116"
DEFAULT = "default"
MOST_SHOWN = 5


def detect(desk: Desk) -> Iterator[Finding]:
    """Of accounts whose token some workload mounts. Those that can become cluster-admin are told of by SEC-105 and SEC-107."""
    given = [(item, identity) for item in desk.snapshot.of("ServiceAccount") if (identity := _default(item)) is not None]
    rights = Rights(desk.snapshot) if given else None
    granted = [(item, identity, grants) for item, identity in given if rights and (grants := rights.grants.get(identity))]
    if not granted or rights is None:
        return
    users = _users(desk)
    for item, identity, grants in sorted(granted, key=lambda each: each[1]):
        namespace = identity.namespace
        if namespace in users and (namespace, DEFAULT) not in admin_bindings(desk.snapshot) and not path_to_admin(rights, identity):
            yield _finding(desk, item, users[namespace], grants, bool(rights.steps(identity)))


def _default(item: ServiceAccount) -> Identity | None:
    meta = item.metadata
    return Identity("ServiceAccount", meta.namespace, DEFAULT) if meta.name == DEFAULT and meta.namespace not in SYSTEM_NAMESPACES else None


def _users(desk: Desk) -> dict[str, list[str]]:
    """Workloads by namespace whose pods have the token of `default`."""
    found_here: dict[str, list[str]] = {}
    for workload in controlled(desk.snapshot):
        namespace, spec = workload.item.metadata.namespace, workload.item.spec.template.spec
        if account(spec) == DEFAULT and mounts_token(desk.snapshot, namespace, spec):
            found_here.setdefault(namespace, []).append(workload.name)
    return found_here


def _finding(desk: Desk, item: ServiceAccount, users: list[str], grants: tuple[Grant, ...], leads_on: bool) -> Finding:
    subject = desk.snapshot.target("ServiceAccount", item)
    roles = ", ".join(dict.fromkeys(grant.role for grant in grants))
    return found(
        desk,
        CODE,
        Severity.MEDIUM if leads_on else Severity.LOW,
        subject,
        f"every pod of {item.metadata.namespace} that asks for no account has the rights of {roles}: account default",
        "Rights that one program needed are in the hands of all, and nobody asked for them.",
        seen(desk, "ServiceAccount", item, "metadata.name", DEFAULT),
        derived(desk, subject, f"{counted(len(users), 'workload')} with its token mounted", ", ".join(users[:MOST_SHOWN])),
        *(derived(desk, subject, f"may, by {grant.role}", _shown(grant)) for grant in grants[:MOST_SHOWN]),
    )


def _shown(grant: Grant) -> str:
    where = f"in {grant.namespace}" if grant.namespace else "everywhere"
    return f"{', '.join(grant.rule.verbs)} {', '.join(grant.rule.resources)} {where}"
