"""From this agent's findings to proposals: labels that refuse nothing which runs, the end of bare privileged pods. Called by the table."""

from agents import rolling_back
from agents.desk import Desk
from agents.proposing import propose
from agents.remedies import delete, label
from agents.security import admin_accounts, namespaces
from agents.security.privileged_rollouts import RECENT
from agents.workloads import rollout_of
from core.actions.label_namespace import Level, Mode
from core.cluster.objects import Namespace
from core.domain.finding import Finding
from core.domain.proposal import Proposal


def enforce(desk: Desk, finding: Finding) -> Proposal | None:
    """The strictest level that all pods and templates meet; warnings at the next. None for privileged: that guards nothing."""
    namespace: Namespace | None = desk.snapshot.find("Namespace", "", finding.subject.name)
    state = namespaces.standing(desk, namespace) if namespace is not None else None
    if namespace is None or state is None or state.met == "privileged":
        return None
    above = namespaces.next_level(state.met)
    levels: dict[Mode, Level] = {"enforce": state.met}
    if above != state.met:
        levels |= {"warn": above, "audit": above}
    remedy = label(desk, finding, namespace, levels)
    if remedy is None:
        return None
    return propose(
        desk,
        finding,
        *remedy,
        why=f"{finding.title}, so nothing that runs is refused, now or at its next start.",
        expect=f"new pods below {state.met} are refused"
        + (f"; those below {above} are admitted with a warning" if above != state.met else ""),
    )


def remove_bare(desk: Desk, finding: Finding) -> Proposal | None:
    pod = desk.snapshot.find("Pod", finding.subject.namespace, finding.subject.name)
    if pod is None:
        return None
    return propose(
        desk,
        finding,
        *delete(desk, finding, pod),
        why=f"{finding.title}. No workload is behind it, and none would make it again; a person should say whether it is used.",
        expect="the pod is gone and its hold on the node with it; there is no way back",
    )


def undo_account(desk: Desk, finding: Finding) -> Proposal | None:
    """Only where a recent rollout brought it. Narrowing a role that was always there is no action of the catalogue yet."""
    rollout = rollout_of(desk.snapshot, finding.subject.uid)
    if rollout is None or rollout.previous is None or desk.now - rollout.started_at > RECENT:
        return None
    before = rollout.previous.spec.template.spec
    if admin_accounts.is_admin(desk.snapshot, finding.subject.namespace, before) is not None:
        return None
    return rolling_back.plan(desk, finding, within=RECENT)


def undo_privilege(desk: Desk, finding: Finding) -> Proposal | None:
    return rolling_back.plan(desk, finding, within=RECENT)
