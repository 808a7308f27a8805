"""All that the security agent looks for, and what it can propose: one row each."""

from agents.desk import Agent, Detector, Planner
from agents.security import admin_accounts, namespaces, privileged_pods, privileged_rollouts, remedying
from core.domain.finding import Severity

_NAMESPACES = ("Namespace", "Pod", "Deployment", "StatefulSet", "DaemonSet", "Job", "CronJob")

_WORDS = (
    "security", "secure", "privileged", "privilege", "pod security", "hostpid", "root", "harden", "hardening", "exposure",
    "vulnerable", "attack", "compliance", "namespace label", "service account", "cluster-admin", "rbac", "permissions",
)  # fmt: skip

AGENT = Agent(
    name="security",
    version="1.0.0",
    purpose="Finds what may do more than it needs, and narrows it without refusing anything that runs.",
    words=_WORDS,
    detectors=(
        Detector(
            code=namespaces.MISSING,
            name="namespace without pod security",
            severity=Severity.MEDIUM,
            silent="in system namespaces, and in those without pods",
            kinds=_NAMESPACES,
            detect=namespaces.detect_missing,
        ),
        Detector(
            code=privileged_pods.CODE,
            name="bare pod that reaches into its node",
            severity=Severity.HIGH,
            silent="for pods that a controller owns, static pods, and system namespaces",
            kinds=("Namespace", "Pod"),
            detect=privileged_pods.detect,
        ),
        Detector(
            code=privileged_rollouts.CODE,
            name="rollout that made a workload privileged",
            severity=Severity.HIGH,
            silent="where the revision before was privileged as well, or the rollout is older than 7 days",
            kinds=("Namespace", "Pod", "Deployment", "ReplicaSet"),
            detect=privileged_rollouts.detect,
        ),
        Detector(
            code=namespaces.WEAK,
            name="namespace weaker than its pods need",
            severity=Severity.LOW,
            silent="at baseline or the objective's level, with a written reason, and where a pod needs what is enforced",
            kinds=_NAMESPACES,
            detect=namespaces.detect_weak,
        ),
        Detector(
            code=admin_accounts.CODE,
            name="workload with cluster-admin",
            severity=Severity.HIGH,
            silent="where the token is not mounted, and in system namespaces",
            kinds=("Namespace", "Pod", "Deployment", "ReplicaSet", "StatefulSet", "DaemonSet", "ServiceAccount", "ClusterRoleBinding"),
            detect=admin_accounts.detect,
        ),
    ),
    planners=(
        Planner((namespaces.MISSING, namespaces.WEAK), "label_namespace", remedying.enforce),
        Planner((privileged_pods.CODE,), "delete_pod", remedying.remove_bare),
        Planner((privileged_rollouts.CODE,), "rollback_rollout", remedying.undo_privilege),
        Planner((admin_accounts.CODE,), "rollback_rollout", remedying.undo_account),
    ),
)
