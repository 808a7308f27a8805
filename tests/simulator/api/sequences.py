"""Sequences of calls that a real API server and the simulator must answer alike: objects and their changes.

`record.py` runs them on the real one and writes `recorded.json`; `test_recorded.py` runs them on the simulator and compares.
`{ns}` is a fresh namespace, `{web}` the name of a cluster-scoped object of our own. `sequences_of_access` and `sequences_of_lives`
go on where this one ends.
"""

from typing import Any

from tests.simulator.api.steps import CORE, DEPLOYMENTS, JSON, MERGE, PATCH, RBAC, STRATEGIC, WEB, Step


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
BUDGET: dict[str, Any] = {
    "apiVersion": "policy/v1",
    "kind": "PodDisruptionBudget",
    "metadata": {"name": "b"},
    "spec": {"selector": {"matchLabels": {"a": "b"}}},
}
HPA: dict[str, Any] = {
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
SERVICE: dict[str, Any] = {
    "apiVersion": "v1",
    "kind": "Service",
    "metadata": {"name": "s"},
    "spec": {"selector": {"a": "b"}, "ports": [{"port": 80}]},
}
_POLICY = {
    "apiVersion": "networking.k8s.io/v1",
    "kind": "NetworkPolicy",
    "metadata": {"name": "n"},
    "spec": {"podSelector": {}, "ingress": [{}]},
}
CONFIG = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c"}, "data": {"a": "1", "b": "2"}}
ROLE = {
    "apiVersion": "rbac.authorization.k8s.io/v1",
    "kind": "Role",
    "metadata": {"name": "r"},
    "rules": [{"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}],
}
BINDING = {
    "apiVersion": "rbac.authorization.k8s.io/v1",
    "kind": "RoleBinding",
    "metadata": {"name": "r"},
    "subjects": [{"kind": "User", "name": "bob"}],
    "roleRef": {"kind": "Role", "name": "r", "apiGroup": "rbac.authorization.k8s.io"},
}
NODE = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": "{web}"}}
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
    Step("after a dry-run create", "GET", WEB),
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
    Step("create with a number for a label", "POST", CORE + "/configmaps", {**CONFIG, "metadata": {"name": "x", "labels": {"a": 1}}}),
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
    Step("autoscaler", "POST", "/apis/autoscaling/v2/namespaces/{ns}/horizontalpodautoscalers?dryRun=All", HPA, whole=True),
    Step(
        "autoscaler with bounds the wrong way",
        "POST",
        "/apis/autoscaling/v2/namespaces/{ns}/horizontalpodautoscalers",
        {**HPA, "spec": {**HPA["spec"], "minReplicas": 9}},
    ),
    Step(
        "budget with both bounds",
        "POST",
        "/apis/policy/v1/namespaces/{ns}/poddisruptionbudgets",
        {**BUDGET, "spec": {"minAvailable": 1, "maxUnavailable": 1}},
    ),
    Step("service", "POST", CORE + "/services?dryRun=All", SERVICE, whole=True),
    Step("service without ports", "POST", CORE + "/services", {**SERVICE, "spec": {}}),
    Step("network policy", "POST", "/apis/networking.k8s.io/v1/namespaces/{ns}/networkpolicies", _POLICY, whole=True),
    Step("claim", "POST", CORE + "/persistentvolumeclaims?dryRun=All", _CLAIM, whole=True),
    Step("configmap", "POST", CORE + "/configmaps", CONFIG, whole=True),
    Step("role", "POST", RBAC + "/roles", ROLE, whole=True),
    Step("role binding", "POST", RBAC + "/rolebindings", BINDING, whole=True),
    Step("role binding to another role", "PATCH", RBAC + "/rolebindings/r", {"roleRef": {"name": "x"}}, MERGE),
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
    Step("get", "GET", WEB, whole=True),
    Step("get an absent one", "GET", DEPLOYMENTS + "/absent"),
    Step("get an absent resource", "GET", "/apis/apps/v1/namespaces/{ns}/gadgets"),
    Step("get an absent group", "GET", "/apis/example.test/v1/namespaces/{ns}/gadgets"),
    Step("list by a selector that cannot be read", "GET", DEPLOYMENTS + "?labelSelector=a%3D%3D%3Db"),
    Step("list by an unknown field", "GET", DEPLOYMENTS + "?fieldSelector=spec.replicas%3D1"),
    Step("scale", "GET", WEB + "/scale", whole=True),
    # changes
    Step("dry-run patch", "PATCH", WEB + "?dryRun=All&fieldManager=tester", _IMAGE, STRATEGIC, whole=True),
    Step("no dry-run at all", "PATCH", WEB + "?dryRun=Some", _IMAGE, STRATEGIC),
    Step("merge patch", "PATCH", WEB + "?fieldManager=tester", {"metadata": {"annotations": {"a": "1"}}}, MERGE, whole=True),
    Step(
        "merge patch that changes nothing",
        "PATCH",
        WEB + "?fieldManager=tester",
        {"metadata": {"annotations": {"a": "1"}}},
        MERGE,
        whole=True,
    ),
    Step("merge patch that removes", "PATCH", WEB + "?fieldManager=tester", {"metadata": {"annotations": {"a": None}}}, MERGE, whole=True),
    Step("strategic image", "PATCH", WEB + "?fieldManager=painter", _IMAGE, STRATEGIC, whole=True),
    Step("strategic adds a container", "PATCH", WEB + "?fieldManager=tester", _SIDECAR, STRATEGIC, whole=True),
    Step("strategic orders containers", "PATCH", WEB + "?fieldManager=tester", _ORDER, STRATEGIC, whole=True),
    Step("strategic removes a container", "PATCH", WEB + "?fieldManager=tester", _NO_SIDECAR, STRATEGIC, whole=True),
    Step("strategic env", "PATCH", WEB + "?fieldManager=tester", _ENV, STRATEGIC, whole=True),
    Step("strategic env delete", "PATCH", WEB + "?fieldManager=tester", _ENV_DELETE, STRATEGIC, whole=True),
    Step("tolerations are set", "PATCH", WEB + "?fieldManager=tester", _TOLERATE, STRATEGIC, whole=True),
    Step("tolerations are replaced", "PATCH", WEB + "?fieldManager=tester", _TOLERATE_AGAIN, STRATEGIC, whole=True),
    Step("strategy retains keys", "PATCH", WEB + "?fieldManager=tester", _RECREATE, STRATEGIC, whole=True),
    Step("strategy comes back with defaults", "PATCH", WEB + "?fieldManager=tester", _ROLLING, STRATEGIC, whole=True),
    Step("json patch", "PATCH", WEB + "?fieldManager=tester", [{"op": "replace", "path": "/spec/minReadySeconds", "value": 3}], PATCH),
    Step(
        "json patch adds",
        "PATCH",
        WEB + "?fieldManager=tester",
        [{"op": "add", "path": "/spec/minReadySeconds", "value": 3}],
        PATCH,
        whole=True,
    ),
    Step("json patch test fails", "PATCH", WEB, [{"op": "test", "path": "/spec/replicas", "value": 9}], PATCH),
    Step("json patch with an unknown operation", "PATCH", WEB, [{"op": "jump", "path": "/spec"}], PATCH),
    Step("patch with text for a number", "PATCH", WEB, {"spec": {"replicas": "two"}}, MERGE),
    Step("patch of the selector", "PATCH", WEB, {"spec": {"selector": {"matchLabels": {"x": "y"}}}}, MERGE),
    Step("patch of the name", "PATCH", WEB, {"metadata": {"name": "other"}}, MERGE),
    Step("patch with an old version", "PATCH", WEB, {"metadata": {"resourceVersion": "1"}, "spec": {"paused": True}}, MERGE),
    Step("patch with a foreign uid", "PATCH", WEB, {"metadata": {"uid": "no"}, "spec": {"paused": True}}, MERGE),
    Step("patch of an absent one", "PATCH", DEPLOYMENTS + "/absent", {"spec": {"paused": True}}, MERGE),
    Step("patch of an unknown type", "PATCH", WEB, "x", "text/plain"),
    Step("put with an old version", "PUT", WEB, {**deployment(), "metadata": {"name": "web", "resourceVersion": "1"}}),
    Step("put under another name", "PUT", DEPLOYMENTS + "/other", deployment()),
    Step("put of an absent one", "PUT", DEPLOYMENTS + "/absent", deployment("absent")),
    Step("put without a version", "PUT", WEB + "?fieldManager=putter", deployment(), whole=True),
    Step("scale by patch", "PATCH", WEB + "/scale?dryRun=All", {"spec": {"replicas": 3}}, MERGE),
    Step("scale below zero", "PATCH", WEB + "/scale", {"spec": {"replicas": -3}}, MERGE),
    Step("scale by text", "PATCH", WEB + "/scale", {"spec": {"replicas": "many"}}, MERGE),
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
    Step("node", "POST", "/api/v1/nodes?dryRun=All", NODE),
    # deletion
    Step("delete with a foreign uid", "DELETE", WEB, {"preconditions": {"uid": "no"}}),
    Step("delete with an old version", "DELETE", WEB, {"preconditions": {"resourceVersion": "1"}}),
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
    Step("post to an object", "POST", WEB, deployment()),
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
