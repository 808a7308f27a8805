"""Each write that Kubernetes knows of things worth taking, by each identity of ours: with the rights that we hold, and with all there are.

With the rights that we hold, RBAC ends nearly all of it. Given every right by mistake, admission alone must hold the same line.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

from core.actions.roles import ACCOUNTS, NAMESPACE
from tests.cluster.bypass.attempts import APPLY, JSON, JSON_PATCH, MERGE, MODES, SHAPED, STRATEGIC, Attempt, Call, calling
from tests.cluster.bypass.victims import ADMISSION, CONTAINER, HOOK, NOTHING, RBAC, event, item, pods_of, signing_request, workload

CORE, APPS, EVENTS = "/api/v1/namespaces/{ns}", "/apis/apps/v1/namespaces/{ns}", "/apis/events.k8s.io/v1/namespaces/{ns}/events"
RULES, POLICIES = f"/apis/{RBAC}/v1", f"/apis/{ADMISSION}/v1"
LABEL = {"metadata": {"labels": {"taken": "1"}}}
MASTER = {"apiGroup": RBAC, "kind": "ClusterRole", "name": "cluster-admin"}
ME = {"kind": "ServiceAccount", "name": "executor", "namespace": NAMESPACE}


class Write(NamedTuple):
    """`unseen`: API policies are not asked about it, files are. `actual`: it cannot be dry-run; a connection, or a token."""

    name: str
    method: str
    path: str
    body: Any = None
    content_type: str = JSON
    unseen: bool = False
    actual: bool = False

    def by(self, who: str) -> Call:
        return Call(who, self.method, self.path, self.body, self.content_type)


def patched(name: str, path: str, body: Any = None, content_type: str = MERGE, **more: Any) -> Write:
    return Write(f"patch {name}", "PATCH", path, body or LABEL, content_type, **more)


def created(name: str, path: str, body: Any, **more: Any) -> Write:
    return Write(f"create {name}", "POST", path, body, **more)


def deleted(name: str, path: str, **more: Any) -> Write:
    return Write(f"delete {name}", "DELETE", path, **more)


def connected(name: str, path: str, method: str = "GET") -> Write:
    return Write(f"{method.lower()} {name}", method, path, actual=True)


REPLICAS = {"spec": {"replicas": 9}}
SCALE = {**item("autoscaling/v1", "Scale", "web", spec={"replicas": 9}), "metadata": {"name": "web", "namespace": "{ns}"}}
IMAGE = {"spec": {"template": {"spec": {"containers": [{"name": "web", "image": "evil:1"}]}}}}
SSA = {**workload("Deployment", "web", replicas=9), "metadata": {"name": "web"}}
TOKEN = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {}}
BIND = {"apiVersion": "v1", "kind": "Binding", "metadata": {"name": "waiting"}, "target": {"kind": "Node", "name": "{node}"}}
EVICT = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": "lone"}}
TAINT = {"spec": {"taints": [{"key": "x", "effect": "NoExecute"}]}}
CRD: Any = item(
    "apiextensions.k8s.io/v1", "CustomResourceDefinition", "things.bypass.example",
    spec={
        "group": "bypass.example", "scope": "Namespaced", "names": {"plural": "things", "kind": "Thing"},
        "versions": [{"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": {"type": "object"}}}],
    },
)  # fmt: skip
MUTATION: Any = item(
    f"{ADMISSION}/v1", "MutatingAdmissionPolicy", "bypass-new",
    spec={
        "reinvocationPolicy": "Never", "matchConstraints": {"resourceRules": NOTHING},
        "mutations": [{"patchType": "ApplyConfiguration", "applyConfiguration": {"expression": "Object{}"}}],
    },
)  # fmt: skip
API_SERVICE: Any = item(
    "apiregistration.k8s.io/v1", "APIService", "v1.bypass.example",
    spec={
        "group": "bypass.example", "version": "v1", "groupPriorityMinimum": 1, "versionPriority": 1,
        "service": {"name": "x", "namespace": "{ns}"},
    },
)  # fmt: skip
SMALLER: Any = {"spec": {"containers": [{"name": "web", "resources": {"requests": {"cpu": "90m"}}}]}}
FRESH = workload("Deployment", "fresh", replicas=0)
JOB: Any = item(
    "batch/v1", "Job", "new", spec={"suspend": True, "template": {"spec": {"restartPolicy": "Never", "containers": [CONTAINER]}}}
)
DEBUGGER: Any = {"spec": {"ephemeralContainers": [{"name": "e", "image": "evil:1"}]}}
ROBOTS: Any = {
    **item("v1", "Secret", "robots", type="kubernetes.io/service-account-token"),
    "metadata": {"name": "robots", "annotations": {"kubernetes.io/service-account.name": "robot"}},
}
CREATES_PODS = {"rules": [{"apiGroups": [""], "resources": ["pods"], "verbs": ["create"]}]}
EVERYTHING = {"rules": [{"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}]}
ANYBODY: Any = {"subjects": [{"kind": "User", "name": "x", "apiGroup": RBAC}]}
INSIDE = item(f"{RBAC}/v1", "RoleBinding", "new", roleRef=MASTER, subjects=[ME])
WIDE = item(f"{RBAC}/v1", "ClusterRoleBinding", "bypass-new", roleRef=MASTER, subjects=[ME])
NAMED = item(f"{RBAC}/v1", "ClusterRoleBinding", "day2-new", roleRef=MASTER, **ANYBODY)
POLICY: Any = item(
    f"{ADMISSION}/v1", "ValidatingAdmissionPolicy", "bypass-new",
    spec={"matchConstraints": {"resourceRules": NOTHING}, "validations": [{"expression": "true"}]},
)  # fmt: skip
VALIDATING = item(f"{ADMISSION}/v1", "ValidatingWebhookConfiguration", "bypass-new", webhooks=[HOOK])
MUTATING = item(f"{ADMISSION}/v1", "MutatingWebhookConfiguration", "bypass-new", webhooks=[HOOK])
REQUESTED = signing_request("bypass-new", "day2:agent:scaling")
FINALIZED = item("v1", "Namespace", "{ns}", spec={"finalizers": []})
TOLD: Any = {**item("v1", "Event", "bypass-core", reason="x"), "involvedObject": {"kind": "Pod", "namespace": "{ns}", "name": "lone"}}
HORIZONTAL = "/apis/autoscaling/v2/namespaces/{ns}/horizontalpodautoscalers"
SIGNINGS = "/apis/certificates.k8s.io/v1/certificatesigningrequests"
WARNED: Any = {"spec": {"validationActions": ["Warn"]}}
PRIORITY = item("scheduling.k8s.io/v1", "PriorityClass", "bypass-new", value=1)
APPROVED = {"status": {"conditions": [{"type": "Approved", "status": "True", "reason": "x", "message": "x"}]}}

WRITES: tuple[Write, ...] = (
    # what the catalogue writes, in each form that a patch has
    patched("deployment", f"{APPS}/deployments/web", REPLICAS),
    patched("deployment strategic", f"{APPS}/deployments/web", IMAGE, STRATEGIC),
    patched("deployment json", f"{APPS}/deployments/web", [{"op": "replace", "path": "/spec/replicas", "value": 9}], JSON_PATCH),
    patched("deployment apply", f"{APPS}/deployments/web?fieldManager=x&force=true", SSA, APPLY),
    patched("statefulset", f"{APPS}/statefulsets/web", REPLICAS),
    patched("daemonset", f"{APPS}/daemonsets/web", IMAGE, STRATEGIC),
    patched("job", "/apis/batch/v1/namespaces/{ns}/jobs/web", {"spec": {"suspend": False}}),
    patched("autoscaler", f"{HORIZONTAL}/web", {"spec": {"maxReplicas": 99}}),
    patched("autoscaler v1", "/apis/autoscaling/v1/namespaces/{ns}/horizontalpodautoscalers/web", {"spec": {"maxReplicas": 99}}),
    patched("pod resize", f"{CORE}/pods/lone/resize", SMALLER, STRATEGIC),
    patched("node", "/api/v1/nodes/{node}", {"spec": {"unschedulable": True}}),
    patched("namespace", "/api/v1/namespaces/{ns}"),
    deleted("pod", f"{CORE}/pods/lone"),
    # their neighbours
    patched("deployment scale", f"{APPS}/deployments/web/scale", REPLICAS),
    Write("put deployment scale", "PUT", f"{APPS}/deployments/web/scale", SCALE),
    patched("statefulset scale", f"{APPS}/statefulsets/web/scale", REPLICAS),
    patched("deployment status", f"{APPS}/deployments/web/status", {"status": {"replicas": 7}}),
    Write("put deployment", "PUT", f"{APPS}/deployments/web", SSA),
    created("deployment", f"{APPS}/deployments", workload("Deployment", "new", replicas=0)),
    patched("deployment by apply that creates", f"{APPS}/deployments/fresh?fieldManager=x", FRESH, APPLY),
    deleted("deployment", f"{APPS}/deployments/web"),
    deleted("all deployments", f"{APPS}/deployments"),
    deleted("statefulset", f"{APPS}/statefulsets/web"),
    deleted("daemonset", f"{APPS}/daemonsets/web"),
    created("job", "/apis/batch/v1/namespaces/{ns}/jobs", JOB),
    deleted("job", "/apis/batch/v1/namespaces/{ns}/jobs/web"),
    patched("cronjob", "/apis/batch/v1/namespaces/{ns}/cronjobs/web", {"spec": {"suspend": False}}),
    deleted("autoscaler", f"{HORIZONTAL}/web"),
    created("pod", f"{CORE}/pods", item("v1", "Pod", "new", spec=pods_of("new")["spec"])),
    patched("pod image", f"{CORE}/pods/lone", {"spec": {"containers": [{"name": "web", "image": "evil:1"}]}}, STRATEGIC),
    patched("pod status", f"{CORE}/pods/lone/status", {"status": {"reason": "x"}}),
    patched("pod with an ephemeral container", f"{CORE}/pods/lone/ephemeralcontainers", DEBUGGER, STRATEGIC),
    deleted("all pods", f"{CORE}/pods"),
    created("eviction", f"{CORE}/pods/lone/eviction", EVICT),
    created("binding", f"{CORE}/pods/waiting/binding", BIND),
    connected("pod exec", f"{CORE}/pods/lone/exec?command=id&stdout=true"),
    connected("pod exec", f"{CORE}/pods/lone/exec?command=id&stdout=true", "POST"),
    connected("pod attach", f"{CORE}/pods/lone/attach?stdout=true"),
    connected("pod portforward", f"{CORE}/pods/lone/portforward?ports=80", "POST"),
    connected("pod proxy", f"{CORE}/pods/lone/proxy/"),
    connected("pod proxy", f"{CORE}/pods/lone/proxy/shutdown", "POST"),
    connected("service proxy", f"{CORE}/services/web/proxy/"),
    connected("node proxy", "/api/v1/nodes/{node}/proxy/pods"),
    # what gives power
    Write("create account token", "POST", f"{CORE}/serviceaccounts/robot/token", TOKEN, actual=True),
    Write("create token of the judge", "POST", "/api/v1/namespaces/{system}/serviceaccounts/judge/token", TOKEN, actual=True),
    created("account", f"{CORE}/serviceaccounts", item("v1", "ServiceAccount", "new")),
    created("account of ours", "/api/v1/namespaces/{system}/serviceaccounts", item("v1", "ServiceAccount", "bypass-new")),
    deleted("account of ours", "/api/v1/namespaces/{system}/serviceaccounts/executor"),
    created("secret", f"{CORE}/secrets", item("v1", "Secret", "new", stringData={"a": "2"})),
    created("account token secret", f"{CORE}/secrets", ROBOTS),
    patched("secret", f"{CORE}/secrets/web", {"stringData": {"a": "2"}}),
    deleted("secret", f"{CORE}/secrets/web"),
    created("role", f"{RULES}/namespaces/{{ns}}/roles", item(f"{RBAC}/v1", "Role", "new", rules=[])),
    patched("role", f"{RULES}/namespaces/{{ns}}/roles/web", CREATES_PODS),
    created("role binding", f"{RULES}/namespaces/{{ns}}/rolebindings", INSIDE),
    patched("role binding", f"{RULES}/namespaces/{{ns}}/rolebindings/web", ANYBODY),
    created("cluster role", f"{RULES}/clusterroles", item(f"{RBAC}/v1", "ClusterRole", "bypass-new", rules=[])),
    patched("cluster role", f"{RULES}/clusterroles/bypass-role"),
    patched("a role of ours", f"{RULES}/clusterroles/day2-reader", EVERYTHING),
    deleted("a role of ours", f"{RULES}/clusterroles/day2-reader"),
    created("cluster role binding", f"{RULES}/clusterrolebindings", WIDE),
    created("cluster role binding of a day2 name", f"{RULES}/clusterrolebindings", NAMED),
    patched("cluster role binding", f"{RULES}/clusterrolebindings/bypass-binding"),
    deleted("a binding of ours", f"{RULES}/clusterrolebindings/day2-reader"),
    created("signing request", SIGNINGS, REQUESTED),
    patched("signing request approval", f"{SIGNINGS}/bypass-csr/approval", APPROVED),
    created("policy", f"{POLICIES}/validatingadmissionpolicies", POLICY, unseen=True),
    patched("policy", f"{POLICIES}/validatingadmissionpolicies/bypass-policy", {"spec": {"failurePolicy": "Ignore"}}, unseen=True),
    deleted("policy", f"{POLICIES}/validatingadmissionpolicies/bypass-policy", unseen=True),
    patched("policy binding", f"{POLICIES}/validatingadmissionpolicybindings/bypass-policy", WARNED, unseen=True),
    deleted("policy binding", f"{POLICIES}/validatingadmissionpolicybindings/bypass-policy", unseen=True),
    created("mutating policy", f"{POLICIES}/mutatingadmissionpolicies", MUTATION, unseen=True),
    created("webhook", f"{POLICIES}/validatingwebhookconfigurations", VALIDATING),
    created("mutating webhook", f"{POLICIES}/mutatingwebhookconfigurations", MUTATING),
    patched("webhook", f"{POLICIES}/validatingwebhookconfigurations/bypass-hook"),
    deleted("webhook", f"{POLICIES}/validatingwebhookconfigurations/bypass-hook"),
    created("resource definition", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions", CRD),
    created("API service", "/apis/apiregistration.k8s.io/v1/apiservices", API_SERVICE),
    # what holds the workloads
    deleted("namespace", "/api/v1/namespaces/{ns}"),
    created("namespace", "/api/v1/namespaces", item("v1", "Namespace", "bypass-new")),
    Write("put namespace finalize", "PUT", "/api/v1/namespaces/{ns}/finalize", FINALIZED),
    deleted("node", "/api/v1/nodes/{node}"),
    patched("node taint", "/api/v1/nodes/{node}", TAINT),
    patched("node status", "/api/v1/nodes/{node}/status", {"status": {"allocatable": {"cpu": "1"}}}, STRATEGIC),
    created("config map", f"{CORE}/configmaps", item("v1", "ConfigMap", "new", data={"a": "2"})),
    patched("config map", f"{CORE}/configmaps/web", {"data": {"a": "2"}}),
    deleted("all config maps", f"{CORE}/configmaps"),
    created("config map of ours", "/api/v1/namespaces/{system}/configmaps", item("v1", "ConfigMap", "bypass-new")),
    patched("service", f"{CORE}/services/web", {"spec": {"selector": {"app": "evil"}}}),
    deleted("claim", f"{CORE}/persistentvolumeclaims/web"),
    patched("quota", f"{CORE}/resourcequotas/web", {"spec": {"hard": {"pods": "1"}}}),
    deleted("limit range", f"{CORE}/limitranges/web"),
    deleted("disruption budget", "/apis/policy/v1/namespaces/{ns}/poddisruptionbudgets/web"),
    deleted("network policy", "/apis/networking.k8s.io/v1/namespaces/{ns}/networkpolicies/web"),
    created("priority class", "/apis/scheduling.k8s.io/v1/priorityclasses", PRIORITY),
    patched("lease", "/apis/coordination.k8s.io/v1/namespaces/{ns}/leases/web", {"spec": {"holderIdentity": "x"}}),
    created("event", EVENTS, event("bypass-new")),
    created("core event", f"{CORE}/events", TOLD),
    deleted("all events", EVENTS),
)  # fmt: skip  # one row each, so that the table can be read as one


def identified(write: Write, who: str) -> Call:
    """As an account of ours, as the judge's preview user, or as the executor's agent user with a permit that nobody signed."""
    if who == "agent":
        return write.by("executor").impersonating("day2:agent:scaling", SHAPED)
    return write.by("judge").impersonating("day2:preview:scaling") if who == "preview" else write.by(who)


IDENTITIES = (*ACCOUNTS, "agent", "preview", "direct agent")


def as_granted() -> Iterator[Attempt]:
    """With files each write is tried by one of them in turn: RBAC answers first, and it knows nothing of files."""
    for place, write in enumerate(WRITES):
        for number, who in enumerate(IDENTITIES):
            modes = MODES if number == place % len(IDENTITIES) else ("api",)
            yield calling("rights", f"{write.name} by {who}", identified(write, who), group=write.name, modes=modes)


def misgranted() -> Iterator[Attempt]:
    """One identity for each write, in turn: admission knows accounts and users by their prefix alone."""
    for place, write in enumerate(WRITES):
        modes = ("static",) if write.unseen else MODES
        for who in (IDENTITIES[place % len(ACCOUNTS)], ("agent", "preview", "direct agent")[place % 3]):
            more: dict[str, Any] = {"modes": modes, "misgranted": True, "stopped_by": frozenset({"policy", "webhook"})}
            yield calling("misgranted", f"{write.name} by {who}", identified(write, who), **more)
