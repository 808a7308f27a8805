"""Sequences of calls that a real API server and the simulator must answer alike.

`record.py` runs them on the real one and writes `recorded.json`; `test_recorded.py` runs them on the simulator and compares.
A step is (method, path, body, content type). `{ns}` is a fresh namespace, `{web}` the name of a cluster-scoped object of our own.
"""

import json
import re
from typing import Any, NamedTuple

JSON = "application/json"
MERGE = "application/merge-patch+json"
STRATEGIC = "application/strategic-merge-patch+json"
PATCH = "application/json-patch+json"
DEPLOYMENTS = "/apis/apps/v1/namespaces/{ns}/deployments"
CORE = "/api/v1/namespaces/{ns}"


class Step(NamedTuple):
    """One call. `name` is unique and says what is being asked; `whole` compares the whole body, else code, reason, message, details.

    `identity` is admin, or executor: a user day2:executor whose rights are what earlier steps gave it.
    """

    name: str
    method: str
    path: str
    body: Any = None
    content_type: str = JSON
    whole: bool = False
    identity: str = "admin"
    headers: tuple[tuple[str, str], ...] = ()


def deployment(name: str = "web", **spec: Any) -> dict[str, Any]:
    """A deployment without replicas, so that no controller has work with it."""
    container = {
        "name": "app",
        "image": "web:1.0",
        "ports": [{"containerPort": 80}],
        "resources": {"requests": {"cpu": "0.1", "memory": "64Mi"}},
    }
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "labels": {"app": name}, "annotations": {"owner": "tests"}},
        "spec": {
            "replicas": 0,
            "selector": {"matchLabels": {"app": name}},
            "template": {"metadata": {"labels": {"app": name}}, "spec": {"containers": [container]}},
            **spec,
        },
    }


def pod(name: str = "solo", **spec: Any) -> dict[str, Any]:
    """A pod that no scheduler takes."""
    gates = [{"name": "tests.day2.dev/never"}]
    container = {"name": "app", "image": "web:1.0", "resources": {"requests": {"cpu": "100m"}, "limits": {"cpu": "200m"}}}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name},
        "spec": {"containers": [container], "schedulingGates": gates, **spec},
    }


def _template(path: str, value: Any) -> dict[str, Any]:
    changed = deployment()
    target: Any = changed
    *steps, last = path.split(".")
    for step in steps:
        target = target[int(step)] if step.isdecimal() else target[step]
    target[last] = value
    return changed


_WEB = DEPLOYMENTS + "/web"
_IMAGE = {"spec": {"template": {"spec": {"containers": [{"name": "app", "image": "web:2.0"}]}}}}
_SIDECAR = {"spec": {"template": {"spec": {"containers": [{"name": "side", "image": "side:1"}]}}}}
_NO_SIDECAR = {"spec": {"template": {"spec": {"containers": [{"name": "side", "$patch": "delete"}]}}}}
_ORDER = {
    "spec": {
        "template": {
            "spec": {
                "$setElementOrder/containers": [{"name": "side"}, {"name": "app"}],
                "containers": [{"name": "side", "image": "side:2"}],
            }
        }
    }
}
_ENV = {
    "spec": {"template": {"spec": {"containers": [{"name": "app", "env": [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}]}]}}}
}
_ENV_DELETE = {
    "spec": {
        "template": {"spec": {"containers": [{"name": "app", "env": [{"name": "A", "$patch": "delete"}, {"name": "C", "value": "3"}]}]}}
    }
}
_TOLERATE = {"spec": {"template": {"spec": {"tolerations": [{"key": "a", "operator": "Exists"}]}}}}
_TOLERATE_AGAIN = {"spec": {"template": {"spec": {"tolerations": [{"key": "b", "operator": "Exists"}]}}}}
_RECREATE = {"spec": {"strategy": {"$retainKeys": ["type"], "type": "Recreate"}}}
_ROLLING = {"spec": {"strategy": {"type": "RollingUpdate"}}}
_BUDGET = {
    "apiVersion": "policy/v1",
    "kind": "PodDisruptionBudget",
    "metadata": {"name": "b"},
    "spec": {"selector": {"matchLabels": {"a": "b"}}},
}
_HPA: dict[str, Any] = {
    "apiVersion": "autoscaling/v2",
    "kind": "HorizontalPodAutoscaler",
    "metadata": {"name": "h"},
    "spec": {"scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "absent"}, "maxReplicas": 5},
}
_JOB = {
    "apiVersion": "batch/v1",
    "kind": "Job",
    "metadata": {"name": "j"},
    "spec": {"suspend": True, "template": {"spec": {"restartPolicy": "Never", "containers": [{"name": "c", "image": "i:1"}]}}},
}
_SERVICE = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "s"}, "spec": {"selector": {"a": "b"}, "ports": [{"port": 80}]}}
_POLICY = {
    "apiVersion": "networking.k8s.io/v1",
    "kind": "NetworkPolicy",
    "metadata": {"name": "n"},
    "spec": {"podSelector": {}, "ingress": [{}]},
}
_CONFIG = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c"}, "data": {"a": "1", "b": "2"}}
_ROLE = {
    "apiVersion": "rbac.authorization.k8s.io/v1",
    "kind": "Role",
    "metadata": {"name": "r"},
    "rules": [{"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}],
}
_BINDING = {
    "apiVersion": "rbac.authorization.k8s.io/v1",
    "kind": "RoleBinding",
    "metadata": {"name": "r"},
    "subjects": [{"kind": "User", "name": "bob"}],
    "roleRef": {"kind": "Role", "name": "r", "apiGroup": "rbac.authorization.k8s.io"},
}
_NODE = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": "{web}"}}
_RBAC = "/apis/rbac.authorization.k8s.io/v1/namespaces/{ns}"
_STATEFUL = {
    "apiVersion": "apps/v1",
    "kind": "StatefulSet",
    "metadata": {"name": "db"},
    "spec": {**deployment("db")["spec"], "serviceName": "db"},
}
_DAEMON = {
    "apiVersion": "apps/v1",
    "kind": "DaemonSet",
    "metadata": {"name": "ds"},
    "spec": {
        "selector": {"matchLabels": {"app": "ds"}},
        "template": {
            "metadata": {"labels": {"app": "ds"}},
            "spec": {
                "nodeSelector": {"no": "node"},
                "containers": [{"name": "c", "image": "i", "livenessProbe": {"httpGet": {"port": 80}}}],
            },
        },
    },
}
_CRON = {
    "apiVersion": "batch/v1",
    "kind": "CronJob",
    "metadata": {"name": "cj"},
    "spec": {"schedule": "0 3 * * *", "suspend": True, "jobTemplate": {"spec": _JOB["spec"]}},
}
_CLAIM = {
    "apiVersion": "v1",
    "kind": "PersistentVolumeClaim",
    "metadata": {"name": "pvc"},
    "spec": {"accessModes": ["ReadWriteOnce"], "storageClassName": "none", "resources": {"requests": {"storage": "1024Mi"}}},
}

SEQUENCE: tuple[Step, ...] = (
    # creation and defaults
    Step("dry-run create stores nothing", "POST", DEPLOYMENTS + "?dryRun=All", deployment(), whole=True),
    Step("after a dry-run create", "GET", _WEB),
    Step("create", "POST", DEPLOYMENTS + "?fieldManager=tester", deployment(), whole=True),
    Step("create again", "POST", DEPLOYMENTS, deployment()),
    Step("create in an absent namespace", "POST", "/apis/apps/v1/namespaces/{web}/deployments", deployment()),
    Step(
        "create with another namespace in the body",
        "POST",
        DEPLOYMENTS,
        {**deployment("x"), "metadata": {"name": "x", "namespace": "other"}},
    ),
    Step("create of another kind", "POST", DEPLOYMENTS, {**deployment("x"), "kind": "ReplicaSet"}),
    Step("create without a name", "POST", DEPLOYMENTS, {**deployment("x"), "metadata": {}}),
    Step("create what is no JSON", "POST", DEPLOYMENTS, "{nonsense", JSON),
    Step("create with text for a number", "POST", DEPLOYMENTS, deployment("x", replicas="two")),
    Step("create with a number for a label", "POST", CORE + "/configmaps", {**_CONFIG, "metadata": {"name": "x", "labels": {"a": 1}}}),
    Step("create below zero", "POST", DEPLOYMENTS, deployment("x", replicas=-1)),
    Step("create with a bad name", "POST", DEPLOYMENTS, {**deployment(), "metadata": {"name": "Web_1"}}),
    Step("create with a selector that matches nothing", "POST", DEPLOYMENTS, deployment("x", selector={"matchLabels": {"no": "such"}})),
    Step("create without containers", "POST", DEPLOYMENTS, _template("spec.template.spec.containers", [])),
    Step(
        "create with requests above limits",
        "POST",
        DEPLOYMENTS + "?dryRun=All",
        _template("spec.template.spec.containers.0.resources", {"requests": {"cpu": "2"}, "limits": {"cpu": "1"}}),
    ),
    Step(
        "create with a bad quantity",
        "POST",
        DEPLOYMENTS + "?dryRun=All",
        _template("spec.template.spec.containers.0.resources", {"requests": {"cpu": "two"}}),
    ),
    Step("statefulset", "POST", "/apis/apps/v1/namespaces/{ns}/statefulsets", _STATEFUL, whole=True),
    Step("statefulset frozen field", "PATCH", "/apis/apps/v1/namespaces/{ns}/statefulsets/db", {"spec": {"serviceName": "x"}}, MERGE),
    Step("daemonset", "POST", "/apis/apps/v1/namespaces/{ns}/daemonsets", _DAEMON, whole=True),
    Step("job", "POST", "/apis/batch/v1/namespaces/{ns}/jobs", _JOB, whole=True),
    Step("job completions are immutable", "PATCH", "/apis/batch/v1/namespaces/{ns}/jobs/j", {"spec": {"completions": 3}}, MERGE),
    Step("cronjob", "POST", "/apis/batch/v1/namespaces/{ns}/cronjobs", _CRON, whole=True),
    Step("cronjob bad schedule", "PATCH", "/apis/batch/v1/namespaces/{ns}/cronjobs/cj", {"spec": {"schedule": "now"}}, MERGE),
    Step("autoscaler", "POST", "/apis/autoscaling/v2/namespaces/{ns}/horizontalpodautoscalers?dryRun=All", _HPA, whole=True),
    Step(
        "autoscaler with bounds the wrong way",
        "POST",
        "/apis/autoscaling/v2/namespaces/{ns}/horizontalpodautoscalers",
        {**_HPA, "spec": {**_HPA["spec"], "minReplicas": 9}},
    ),
    Step(
        "budget with both bounds",
        "POST",
        "/apis/policy/v1/namespaces/{ns}/poddisruptionbudgets",
        {**_BUDGET, "spec": {"minAvailable": 1, "maxUnavailable": 1}},
    ),
    Step("service", "POST", CORE + "/services?dryRun=All", _SERVICE, whole=True),
    Step("service without ports", "POST", CORE + "/services", {**_SERVICE, "spec": {}}),
    Step("network policy", "POST", "/apis/networking.k8s.io/v1/namespaces/{ns}/networkpolicies", _POLICY, whole=True),
    Step("claim", "POST", CORE + "/persistentvolumeclaims?dryRun=All", _CLAIM, whole=True),
    Step("configmap", "POST", CORE + "/configmaps", _CONFIG, whole=True),
    Step("role", "POST", _RBAC + "/roles", _ROLE, whole=True),
    Step("role binding", "POST", _RBAC + "/rolebindings", _BINDING, whole=True),
    Step("role binding to another role", "PATCH", _RBAC + "/rolebindings/r", {"roleRef": {"name": "x"}}, MERGE),
    Step("pod", "POST", CORE + "/pods", pod(), whole=True),
    Step("pod spec is frozen", "PATCH", CORE + "/pods/solo", {"spec": {"hostNetwork": True}}, MERGE),
    Step(
        "pod resources are frozen outside resize",
        "PATCH",
        CORE + "/pods/solo",
        {"spec": {"containers": [{"name": "app", "resources": {"requests": {"cpu": "150m"}}}]}},
        STRATEGIC,
    ),
    Step("pod image may change", "PATCH", CORE + "/pods/solo", {"spec": {"containers": [{"name": "app", "image": "web:1.1"}]}}, STRATEGIC),
    # reading
    Step("get", "GET", _WEB, whole=True),
    Step("get an absent one", "GET", DEPLOYMENTS + "/absent"),
    Step("get an absent resource", "GET", "/apis/apps/v1/namespaces/{ns}/gadgets"),
    Step("get an absent group", "GET", "/apis/example.test/v1/namespaces/{ns}/gadgets"),
    Step("list by a selector that cannot be read", "GET", DEPLOYMENTS + "?labelSelector=a%3D%3D%3Db"),
    Step("list by an unknown field", "GET", DEPLOYMENTS + "?fieldSelector=spec.replicas%3D1"),
    Step("scale", "GET", _WEB + "/scale", whole=True),
    # changes
    Step("dry-run patch", "PATCH", _WEB + "?dryRun=All&fieldManager=tester", _IMAGE, STRATEGIC, whole=True),
    Step("no dry-run at all", "PATCH", _WEB + "?dryRun=Some", _IMAGE, STRATEGIC),
    Step("merge patch", "PATCH", _WEB + "?fieldManager=tester", {"metadata": {"annotations": {"a": "1"}}}, MERGE, whole=True),
    Step(
        "merge patch that changes nothing",
        "PATCH",
        _WEB + "?fieldManager=tester",
        {"metadata": {"annotations": {"a": "1"}}},
        MERGE,
        whole=True,
    ),
    Step("merge patch that removes", "PATCH", _WEB + "?fieldManager=tester", {"metadata": {"annotations": {"a": None}}}, MERGE, whole=True),
    Step("strategic image", "PATCH", _WEB + "?fieldManager=painter", _IMAGE, STRATEGIC, whole=True),
    Step("strategic adds a container", "PATCH", _WEB + "?fieldManager=tester", _SIDECAR, STRATEGIC, whole=True),
    Step("strategic orders containers", "PATCH", _WEB + "?fieldManager=tester", _ORDER, STRATEGIC, whole=True),
    Step("strategic removes a container", "PATCH", _WEB + "?fieldManager=tester", _NO_SIDECAR, STRATEGIC, whole=True),
    Step("strategic env", "PATCH", _WEB + "?fieldManager=tester", _ENV, STRATEGIC, whole=True),
    Step("strategic env delete", "PATCH", _WEB + "?fieldManager=tester", _ENV_DELETE, STRATEGIC, whole=True),
    Step("tolerations are set", "PATCH", _WEB + "?fieldManager=tester", _TOLERATE, STRATEGIC, whole=True),
    Step("tolerations are replaced", "PATCH", _WEB + "?fieldManager=tester", _TOLERATE_AGAIN, STRATEGIC, whole=True),
    Step("strategy retains keys", "PATCH", _WEB + "?fieldManager=tester", _RECREATE, STRATEGIC, whole=True),
    Step("strategy comes back with defaults", "PATCH", _WEB + "?fieldManager=tester", _ROLLING, STRATEGIC, whole=True),
    Step("json patch", "PATCH", _WEB + "?fieldManager=tester", [{"op": "replace", "path": "/spec/minReadySeconds", "value": 3}], PATCH),
    Step(
        "json patch adds",
        "PATCH",
        _WEB + "?fieldManager=tester",
        [{"op": "add", "path": "/spec/minReadySeconds", "value": 3}],
        PATCH,
        whole=True,
    ),
    Step("json patch test fails", "PATCH", _WEB, [{"op": "test", "path": "/spec/replicas", "value": 9}], PATCH),
    Step("json patch with an unknown operation", "PATCH", _WEB, [{"op": "jump", "path": "/spec"}], PATCH),
    Step("patch with text for a number", "PATCH", _WEB, {"spec": {"replicas": "two"}}, MERGE),
    Step("patch of the selector", "PATCH", _WEB, {"spec": {"selector": {"matchLabels": {"x": "y"}}}}, MERGE),
    Step("patch of the name", "PATCH", _WEB, {"metadata": {"name": "other"}}, MERGE),
    Step("patch with an old version", "PATCH", _WEB, {"metadata": {"resourceVersion": "1"}, "spec": {"paused": True}}, MERGE),
    Step("patch with a foreign uid", "PATCH", _WEB, {"metadata": {"uid": "no"}, "spec": {"paused": True}}, MERGE),
    Step("patch of an absent one", "PATCH", DEPLOYMENTS + "/absent", {"spec": {"paused": True}}, MERGE),
    Step("patch of an unknown type", "PATCH", _WEB, "x", "text/plain"),
    Step("put with an old version", "PUT", _WEB, {**deployment(), "metadata": {"name": "web", "resourceVersion": "1"}}),
    Step("put under another name", "PUT", DEPLOYMENTS + "/other", deployment()),
    Step("put of an absent one", "PUT", DEPLOYMENTS + "/absent", deployment("absent")),
    Step("put without a version", "PUT", _WEB + "?fieldManager=putter", deployment(), whole=True),
    Step("scale by patch", "PATCH", _WEB + "/scale?dryRun=All", {"spec": {"replicas": 3}}, MERGE),
    Step("scale below zero", "PATCH", _WEB + "/scale", {"spec": {"replicas": -3}}, MERGE),
    Step("scale by text", "PATCH", _WEB + "/scale", {"spec": {"replicas": "many"}}, MERGE),
    Step(
        "status cannot be set by a patch of the object",
        "PATCH",
        CORE + "/pods/solo?dryRun=All",
        {"status": {"phase": "Failed"}},
        MERGE,
        whole=True,
    ),
    Step(
        "resize of a pod on no node",
        "PATCH",
        CORE + "/pods/solo/resize?dryRun=All",
        {"spec": {"containers": [{"name": "app", "resources": {"requests": {"cpu": "150m"}}}]}},
        STRATEGIC,
    ),
    Step(
        "resize of another field",
        "PATCH",
        CORE + "/pods/solo/resize",
        {"spec": {"containers": [{"name": "app", "image": "other:1"}]}},
        STRATEGIC,
    ),
    Step(
        "resize above the limit",
        "PATCH",
        CORE + "/pods/solo/resize",
        {"spec": {"containers": [{"name": "app", "resources": {"requests": {"cpu": "900m"}}}]}},
        STRATEGIC,
    ),
    Step("node", "POST", "/api/v1/nodes?dryRun=All", _NODE),
    # deletion
    Step("delete with a foreign uid", "DELETE", _WEB, {"preconditions": {"uid": "no"}}),
    Step("delete with an old version", "DELETE", _WEB, {"preconditions": {"resourceVersion": "1"}}),
    Step("delete dry-run in the body", "DELETE", CORE + "/configmaps/c", {"dryRun": ["All"]}),
    Step("delete dry-run leaves it", "GET", CORE + "/configmaps/c", whole=True),
    Step(
        "delete with a body ignores the query", "DELETE", CORE + "/configmaps/c?dryRun=All", {"kind": "DeleteOptions", "apiVersion": "v1"}
    ),
    Step("delete has happened", "GET", CORE + "/configmaps/c"),
    Step("delete again", "DELETE", CORE + "/configmaps/c"),
    Step(
        "evict an absent pod",
        "POST",
        CORE + "/pods/absent/eviction",
        {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": "absent"}},
    ),
    Step(
        "evict dry-run",
        "POST",
        CORE + "/pods/solo/eviction?dryRun=All",
        {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": "solo"}},
    ),
    Step(
        "evict with a foreign uid",
        "POST",
        CORE + "/pods/solo/eviction",
        {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": "solo"}, "deleteOptions": {"preconditions": {"uid": "no"}}},
    ),
    Step("evict", "POST", CORE + "/pods/solo/eviction", {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": "solo"}}),
    Step("evicted", "GET", CORE + "/pods/solo"),
    Step("protected namespace", "DELETE", "/api/v1/namespaces/kube-system?dryRun=All"),
    Step("collection with a method it does not have", "PUT", DEPLOYMENTS, deployment()),
    Step("post to an object", "POST", _WEB, deployment()),
    Step(
        "review of a right",
        "POST",
        "/apis/authorization.k8s.io/v1/subjectaccessreviews",
        {"spec": {"user": "bob", "resourceAttributes": {"verb": "get", "resource": "pods", "namespace": "{ns}"}}},
        whole=True,
    ),
    Step(
        "review of no right",
        "POST",
        "/apis/authorization.k8s.io/v1/subjectaccessreviews",
        {"spec": {"user": "bob", "resourceAttributes": {"verb": "list", "resource": "pods", "namespace": "{ns}"}}},
        whole=True,
    ),
    Step("review of nothing", "POST", "/apis/authorization.k8s.io/v1/subjectaccessreviews", {"spec": {"user": "bob"}}),
)

_AGENT = ("Impersonate-User", "day2:agent:finops")
_PERMIT = ("Impersonate-Extra-day2.dev%2Fpermit", "a.b.c")
_BOTH = (_AGENT, _PERMIT)
_CLUSTER_RBAC = "/apis/rbac.authorization.k8s.io/v1"
_LABEL = {"metadata": {"labels": {"x": "y"}}}


def _bound(kind: str, name: str, user: str) -> dict[str, Any]:
    reference = {"kind": kind, "name": name, "apiGroup": "rbac.authorization.k8s.io"}
    subject = {"kind": "User", "name": user, "apiGroup": "rbac.authorization.k8s.io"}
    return {"metadata": {"name": name}, "roleRef": reference, "subjects": [subject]}


def _rules(name: str, *rules: tuple[str, str, str, str]) -> dict[str, Any]:
    """A role of rules (group, resource, verb, name or "")."""
    listed = [{"apiGroups": [group], "resources": [plural], "verbs": [verb]} for group, plural, verb, _ in rules]
    named = [rule[3] for rule in rules]
    return {
        "metadata": {"name": name},
        "rules": [{**rule, **({"resourceNames": [one]} if one else {})} for rule, one in zip(listed, named, strict=True)],
    }


def _as(name: str, method: str, path: str, body: Any = None, *, headers: tuple[tuple[str, str], ...] = _BOTH, whole: bool = False) -> Step:
    return Step(name, method, path, body, MERGE if method == "PATCH" else JSON, whole, "executor", headers)


_IDENTITY = ("authentication.k8s.io", "users", "impersonate:user-info", "day2:agent:finops")
_EXTRA = ("authentication.k8s.io", "userextras/day2.dev/permit", "impersonate:user-info", "")
_ON = ("apps", "deployments", "impersonate-on:user-info:patch", "")
_DRY = _WEB + "?dryRun=All"
_WHO = "/apis/authentication.k8s.io/v1/selfsubjectreviews"

ACCESS: tuple[Step, ...] = (
    Step("access: deployment", "POST", DEPLOYMENTS, deployment()),
    _as("access: list in the cluster", "GET", "/api/v1/pods", headers=()),
    _as("access: list in a namespace", "GET", CORE + "/pods", headers=()),
    _as("access: get a subresource", "GET", _WEB + "/scale", headers=()),
    _as("access: get a namespace", "GET", CORE, headers=()),
    _as("access: watch", "GET", CORE + "/pods?watch=1", headers=()),
    _as("access: delete a collection", "DELETE", CORE + "/pods", headers=()),
    _as("access: an absent resource", "GET", "/apis/apps/v1/namespaces/{ns}/gadgets", headers=()),
    _as("access: a path", "GET", "/metrics", headers=()),
    _as("access: discovery is open", "GET", "/apis", headers=()),
    _as("access: without any right to impersonate", "PATCH", _DRY, _LABEL),
    Step("access: identity role", "POST", _CLUSTER_RBAC + "/clusterroles", _rules("{web}-identity", _IDENTITY, _EXTRA)),
    Step(
        "access: identity binding", "POST", _CLUSTER_RBAC + "/clusterrolebindings", _bound("ClusterRole", "{web}-identity", "day2:executor")
    ),
    Step("access: agent role", "POST", _RBAC + "/roles", _rules("agent", ("apps", "deployments", "patch", ""))),
    Step("access: agent binding", "POST", _RBAC + "/rolebindings", _bound("Role", "agent", "day2:agent:finops")),
    Step("access: settled", "GET", _WEB),
    _as("access: identity without a verb", "PATCH", _DRY, _LABEL),
    Step("access: verb role", "POST", _RBAC + "/roles", _rules("on", _ON)),
    Step("access: verb binding", "POST", _RBAC + "/rolebindings", _bound("Role", "on", "day2:executor")),
    Step("access: settled again", "GET", _WEB),
    _as("access: identity and verb", "PATCH", _DRY, _LABEL),
    _as("access: another verb", "GET", _WEB),
    _as("access: another subresource", "PATCH", _WEB + "/scale", {"spec": {"replicas": 1}}),
    _as("access: another user", "PATCH", _DRY, _LABEL, headers=(("Impersonate-User", "day2:agent:zzz"), _PERMIT)),
    _as("access: masters", "PATCH", _DRY, _LABEL, headers=(*_BOTH, ("Impersonate-Group", "system:masters"))),
    _as("access: a group", "PATCH", _DRY, _LABEL, headers=(*_BOTH, ("Impersonate-Group", "others"))),
    _as("access: a uid", "PATCH", _DRY, _LABEL, headers=(*_BOTH, ("Impersonate-Uid", "1"))),
    _as("access: an extra without a slash", "PATCH", _DRY, _LABEL, headers=(_AGENT, ("Impersonate-Extra-permit", "a"))),
    _as(
        "access: a foreign extra",
        "PATCH",
        _DRY,
        _LABEL,
        headers=(*_BOTH, ("Impersonate-Extra-authentication.kubernetes.io%2Fcredential-id", "x")),
    ),
    _as("access: an empty extra", "PATCH", _DRY, _LABEL, headers=(_AGENT, ("Impersonate-Extra-day2.dev%2Fpermit", ""))),
    _as("access: no extra", "PATCH", _DRY, _LABEL, headers=(_AGENT,)),
    _as("access: a service account", "PATCH", _DRY, _LABEL, headers=(("Impersonate-User", "system:serviceaccount:{ns}:default"),)),
    _as("access: a node", "PATCH", _DRY, _LABEL, headers=(("Impersonate-User", "system:node:n1"),)),
    _as("access: only a group", "PATCH", _DRY, _LABEL, headers=(("Impersonate-Group", "others"),)),
    _as("access: only an extra", "PATCH", _DRY, _LABEL, headers=(_PERMIT,)),
    Step("access: who am I as another", "POST", _WHO, {}, JSON, whole=True, headers=(*_BOTH, ("Impersonate-Group", "people"))),
    Step(
        "access: who is a service account",
        "POST",
        _WHO,
        {},
        JSON,
        whole=True,
        headers=(("Impersonate-User", "system:serviceaccount:{ns}:default"),),
    ),
    Step("access: admin as one who may", "PATCH", _DRY, _LABEL, MERGE, headers=(("Impersonate-User", "day2:agent:finops"),)),
    Step("access: admin as one who may not", "DELETE", _WEB, None, JSON, headers=(("Impersonate-User", "day2:agent:finops"),)),
    Step("access: clean up the binding", "DELETE", _CLUSTER_RBAC + "/clusterrolebindings/{web}-identity"),
    Step("access: clean up the role", "DELETE", _CLUSTER_RBAC + "/clusterroles/{web}-identity"),
)
EVERY = SEQUENCE + ACCESS


_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")
_UID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_PATCHED = re.compile(r"(?<=Invalid value: )\".*(?=: json: cannot)", re.DOTALL)
_DIFFERENCE = re.compile(r"\n@@.*|(?<=json parse error: ).*|(?<=unable to parse requirement: ).*", re.DOTALL)
_VERSION = re.compile(r"(?<=in record \()\d+")
_ADDRESS = re.compile(r"10\.\d+\.\d+\.\d+")


def filled(value: Any, namespace: str, name: str) -> Any:
    """A step's text or body with the names of this run."""
    if isinstance(value, str):
        return value.replace("{ns}", namespace).replace("{web}", name)
    return json.loads(json.dumps(value).replace("{ns}", namespace).replace("{web}", name))


def comparable(step: Step, code: int, body: Any, namespace: str, name: str) -> Any:
    """An answer without what differs from run to run: ids, versions, times, addresses, names of the run, and what controllers wrote."""
    text = json.dumps(body)
    text = _ADDRESS.sub("<address>", _UID.sub("<uid>", _TIME.sub("<time>", text)))
    kept = json.loads(_VERSION.sub("<version>", text.replace(namespace, "<ns>").replace(name, "<name>")))
    if not isinstance(kept, dict):
        return {"code": code, "text": kept.strip()}
    if kept.get("kind") == "Status":
        return {"code": code, **{field: _shortened(kept[field]) for field in ("status", "message", "reason", "details") if kept.get(field)}}
    return {"code": code, "body": _settled(kept)} if step.whole else {"code": code}


def _shortened(value: Any) -> Any:
    """Messages without the whole objects that some of them quote."""
    if isinstance(value, str):
        return _DIFFERENCE.sub("", _PATCHED.sub("<object>", value))
    if isinstance(value, list):
        return [_shortened(each) for each in value]
    return {field: _shortened(each) for field, each in value.items()} if isinstance(value, dict) else value


def _settled(obj: dict[str, Any]) -> dict[str, Any]:
    """An object without its version and without the marks of controllers and of token volumes."""
    meta = obj.get("metadata", {})
    meta.pop("resourceVersion", None)
    if "managedFields" in meta:
        own = [each for each in meta["managedFields"] if each["manager"] != "kube-controller-manager"]
        meta["managedFields"] = sorted(own, key=lambda each: (each["manager"], each.get("subresource", "")))
    if "annotations" in meta:
        meta["annotations"].pop("deployment.kubernetes.io/revision", None)
        if not meta["annotations"]:
            del meta["annotations"]
    if "Review" in obj.get("kind", ""):
        obj.pop("metadata", None)
    if obj.get("kind") in ("Deployment", "Pod"):
        obj.pop("status", None)
    if obj.get("kind") == "Pod":
        obj["spec"].pop("volumes", None)
        for container in obj["spec"]["containers"]:
            container.pop("volumeMounts", None)
    return obj
