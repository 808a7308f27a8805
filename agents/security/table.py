"""All that the security agent looks for, and what it can propose: one row each."""

from agents.desk import Agent, Detector, Planner
from agents.security import (
    admin_accounts,
    default_accounts,
    escalations,
    exposed,
    literals,
    namespaces,
    network_policies,
    node_paths,
    privileged_pods,
    privileged_rollouts,
    remedying,
    templates,
)
from core.domain.finding import Severity

_BOUND = ("Namespace", "Pod", "Deployment", "StatefulSet", "DaemonSet", "ServiceAccount")
_POLICIES = ("Namespace", "Pod", "NetworkPolicy", "Deployment", "ReplicaSet", "StatefulSet", "DaemonSet", "Job", "CronJob")
_ENTRANCES = ("Namespace", "Pod", "Service", "Ingress", "NetworkPolicy", "Deployment", "ReplicaSet", "StatefulSet", "DaemonSet", "Job")
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
            looks=(
                "Namespaces with pods and without the label `pod-security.kubernetes.io/enforce`, and the strictest level that "
                "all running pods and all pod templates meet."
            ),
            plan=(
                "Enforce that level; warn and audit at the next. None where only privileged is left. A CronJob without any Job to"
                " show its template caps the level at baseline."
            ),
            limits=(
                "The standards are those of Kubernetes 1.37; an older API server may refuse what they allow, and its"
                " own dry-run has the last word."
            ),
            kinds=_NAMESPACES,
            detect=namespaces.detect_missing,
        ),
        Detector(
            code=privileged_pods.CODE,
            name="bare pod that reaches into its node",
            severity=Severity.HIGH,
            silent="for pods that a controller owns, static pods, and system namespaces",
            looks="Pods without a controller that are privileged or share the node's process, IPC or network namespace.",
            plan="Delete the pod. There is no way back, so it always needs a person.",
            limits="A pod that somebody started by hand an hour ago is found as well as one of last year.",
            kinds=("Namespace", "Pod"),
            detect=privileged_pods.detect,
        ),
        Detector(
            code=privileged_rollouts.CODE,
            name="rollout that made a workload privileged",
            severity=Severity.HIGH,
            silent="where the revision before was privileged as well, or the rollout is older than 7 days",
            looks=(
                "Deployments whose current revision is privileged or shares a namespace of the node, where the proven revision "
                "before did not."
            ),
            plan="Back to that revision.",
            limits="StatefulSets and DaemonSets keep their revisions elsewhere and are not looked at.",
            kinds=("Namespace", "Pod", "Deployment", "ReplicaSet"),
            detect=privileged_rollouts.detect,
        ),
        Detector(
            code=namespaces.WEAK,
            name="namespace weaker than its pods need",
            severity=Severity.LOW,
            silent="at baseline or the objective's level, with a written reason, and where a pod needs what is enforced",
            looks=(
                "Namespaces that enforce less than baseline, or less than an objective's `podSecurity`, although all pods and "
                "templates meet more."
            ),
            plan="Enforce the strictest level that all of them meet.",
            limits="The annotation `day2.dev/reason` on the namespace keeps the check silent.",
            kinds=_NAMESPACES,
            detect=namespaces.detect_weak,
        ),
        Detector(
            code=admin_accounts.CODE,
            name="workload with cluster-admin",
            severity=Severity.HIGH,
            silent="where the token is not mounted, and in system namespaces",
            looks="Workloads whose service account a ClusterRoleBinding makes cluster-admin, and whose pods mount its token.",
            plan=(
                "Back to the revision before, where a rollout of the last 7 days brought the account or the token. Otherwise a "
                "finding and no plan: narrowing a role is no action of the catalogue yet."
            ),
            limits="Only the role `cluster-admin` itself; equally mighty roles of other names are not found.",
            kinds=("Namespace", "Pod", "Deployment", "ReplicaSet", "StatefulSet", "DaemonSet", "ServiceAccount", "ClusterRoleBinding"),
            detect=admin_accounts.detect,
        ),
        Detector(
            code=templates.CODE,
            name="workload that its namespace should refuse",
            severity=Severity.HIGH,
            silent="in system namespaces, with a written reason on the namespace, and for what baseline or the objective's level allows",
            looks=(
                "Pod templates of Deployments, StatefulSets and DaemonSets against every check of the Pod Security Standards: of baseline, "
                "or of an objective's `podSecurity`."
            ),
            mend=(
                "The evidence has the smallest strategic merge patch of the template that passes. Volumes of the node have none: the "
                "program must do without."
            ),
            limits="Whether the program still works is seen at its next start: roll the patch out on one replica first.",
            kinds=("Namespace", "Pod", "Deployment", "StatefulSet", "DaemonSet"),
            detect=templates.detect,
        ),
        Detector(
            code=escalations.CODE,
            name="service account that can become cluster-admin",
            severity=Severity.HIGH,
            silent="for accounts that no workload mounts, in system namespaces, and where SEC-105 tells of cluster-admin itself",
            looks=(
                "Roles and bindings, closed over 31 ways in which one right leads to another identity: tokens, secrets, pods under "
                "any account, commands in pods, impersonation, bind and escalate, certificates, webhooks, APIs, nodes."
            ),
            mend=(
                "Take away the right that the first step names, or give it by object name. `kubectl auth can-i --list --as` shows what "
                "is left."
            ),
            limits=(
                "Rights to single objects by name are not weighed, nor what an admission policy would refuse. What an account uses of its "
                "rights is in the API server's audit log, which is not read here."
            ),
            kinds=(*_BOUND, "Role", "ClusterRole", "RoleBinding", "ClusterRoleBinding"),
            detect=escalations.detect,
        ),
        Detector(
            code=literals.SECRET,
            name="secret written out in a template",
            severity=Severity.HIGH,
            silent="for values that name a place (paths, references, URLs without a password), numbers, and anything below 6 characters",
            looks=(
                "Literal values of variables in templates of Deployments, StatefulSets and DaemonSets: keys and tokens by their shape, and "
                "values beside a telling name. The value is never shown."
            ),
            mend="Put it into a Secret, refer to it, and change it: it has been read by too many.",
            limits="Values in ConfigMaps and in command lines are not read.",
            kinds=("Namespace", "Pod", "Deployment", "StatefulSet", "DaemonSet"),
            detect=literals.detect_secrets,
        ),
        Detector(
            code=literals.IMAGE,
            name="image without a version",
            severity=Severity.LOW,
            silent="with a digest, or with any tag but latest",
            looks="Images of templates with the tag latest or none, and no digest.",
            mend="Name the version, best with its digest: the pods' own status shows which one runs now.",
            limits="Whether a version tag was moved in the registry cannot be seen here.",
            kinds=("Namespace", "Pod", "Deployment", "StatefulSet", "DaemonSet"),
            detect=literals.detect_images,
        ),
        Detector(
            code=network_policies.OPEN,
            name="namespace without a default-deny policy",
            severity=Severity.LOW,
            silent="in system namespaces, with a written reason on the namespace, and where policies for Ingress select every pod",
            looks=(
                "Namespaces with pods that no NetworkPolicy isolates against what comes in. Where images of Cilium, Calico, Antrea, Istio, "
                "Linkerd or Consul run in the cluster, whose policies of their own are not read, it is told as info."
            ),
            mend=(
                "`day2 network policies -n NAMESPACE` writes the smallest set by which every known connection goes on, simulated; apply it "
                "first where an hour without a connection is no harm."
            ),
            limits=(
                "Whether the cluster's network plugin enforces policies is not known, nor what meshes refuse. Known connections are those "
                "that variables of pods name, entrances from outside and webhooks: scrapes of metrics and calls to the outside are not."
            ),
            kinds=_POLICIES,
            detect=network_policies.detect_open,
        ),
        Detector(
            code=exposed.SENSITIVE,
            name="database or admin port open to the outside",
            severity=Severity.HIGH,
            silent=(
                "behind internal load balancers and source ranges, where policies let nobody from outside in, and in system namespaces"
            ),
            looks=(
                "Services of type LoadBalancer or NodePort or with external addresses that lead to well-known ports of databases, queues, "
                "etcd, kubelets, container runtimes and SSH on pods."
            ),
            mend="Type ClusterIP and a tunnel for people; or `loadBalancerSourceRanges`, and a network policy with the callers.",
            limits="Ports are known by their number alone. Firewalls before the nodes are not seen, routes of the Gateway API not read.",
            kinds=_ENTRANCES,
            detect=exposed.detect_sensitive,
        ),
        Detector(
            code=exposed.MIGHTY,
            name="pods open to the outside that own their node or the cluster",
            severity=Severity.HIGH,
            silent=("as SEC-111; with a written reason on the namespace; and for pods on their node's network without service or ingress"),
            looks=(
                "Services and ingresses that lead from outside to pods that are privileged, share the node's namespaces, mount paths by "
                "which one owns it, or run as cluster-admin."
            ),
            mend="Take the power from the pod (SEC-105 and SEC-106 say how), or the entrance: let something without power stand before it.",
            limits="An ingress counts as open where the pod's policies let in anybody of another namespace: whoever serves it is one.",
            kinds=(*_ENTRANCES, "ServiceAccount", "ClusterRoleBinding"),
            detect=exposed.detect_mighty,
        ),
        Detector(
            code=network_policies.IDLE,
            name="network policy that selects nothing",
            severity=Severity.LOW,
            silent=(
                "in its first hour, for selectors that mean every pod, in namespaces without pods and templates, and where a CronJob shows "
                "no template"
            ),
            looks="NetworkPolicies whose podSelector fits no running pod and no pod template of their namespace.",
            mend="Correct the selector, or take the policy away: what it was written to guard is open.",
            limits="Pods that people or operators make from time to time, without a workload, are not foreseen.",
            kinds=_POLICIES,
            detect=network_policies.detect_idle,
        ),
        Detector(
            code=network_policies.UNDONE,
            name="network policy that undoes what it says",
            severity=Severity.MEDIUM,
            silent="for a policy whose only words are that everything is open, and for rules that name ports",
            looks=(
                "In one direction of one policy: a rule with neither peers nor ports beside rules that name peers; a block of all "
                "addresses without exceptions beside narrower blocks; or a rule for everybody on every pod of a namespace that another "
                "policy denies by default."
            ),
            mend="Take the open rule away, or the narrow ones, whichever was not meant.",
            limits="What is too wide and not contradicted by anything written is not found.",
            kinds=("NetworkPolicy",),
            detect=network_policies.detect_undone,
        ),
        Detector(
            code=node_paths.CODE,
            name="bare pod or job with a path that owns its node",
            severity=Severity.HIGH,
            silent=(
                "for templates that SEC-106 looks at, pods that SEC-102 tells of, in system namespaces, and with a written reason there"
            ),
            looks=(
                "hostPath volumes of pods without a controller and of jobs: sockets of container runtimes, the root, /etc, /dev, /proc, "
                "directories of the kubelet, the runtimes and etcd, what is under them, and what they are under."
            ),
            mend="Delete the pod, or give it what it needs another way: emptyDir, a CSI volume, the API instead of the socket.",
            limits="Paths are compared as text: links on the node are not followed. PersistentVolumes are not looked at.",
            kinds=("Namespace", "Pod", "Job"),
            detect=node_paths.detect,
        ),
        Detector(
            code=default_accounts.CODE,
            name="rights of the account that every pod gets",
            severity=Severity.MEDIUM,
            silent="where no workload mounts its token, in system namespaces, and where SEC-105 or SEC-107 tells of more",
            looks=(
                "Roles bound to the service account `default` itself, in namespaces where workloads run under it with its token mounted. "
                "Low where those rights lead to no other identity."
            ),
            mend="Give the program that needs the rights an account of its own, and `automountServiceAccountToken: false` to `default`.",
            limits=(
                "Tokens kept in Secrets (legacy) are not looked for: no agent may read Secrets. Rights of groups that all accounts are in "
                "are not counted here."
            ),
            kinds=(*_BOUND, "Role", "ClusterRole", "RoleBinding", "ClusterRoleBinding"),
            detect=default_accounts.detect,
        ),
    ),
    planners=(
        Planner((namespaces.MISSING, namespaces.WEAK), "label_namespace", remedying.enforce),
        Planner((privileged_pods.CODE,), "delete_pod", remedying.remove_bare),
        Planner((privileged_rollouts.CODE,), "rollback_rollout", remedying.undo_privilege),
        Planner((admin_accounts.CODE,), "rollback_rollout", remedying.undo_account),
    ),
    steps=("set_image",),
)
