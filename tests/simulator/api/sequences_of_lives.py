"""Lives of objects, and further kinds, as the real API server and the simulator must answer them: deletion, finalizers, defaults."""

from typing import Any

from tests.simulator.api.sequences import BINDING, BUDGET, CONFIG, HPA, NODE, ROLE, SERVICE, pod
from tests.simulator.api.steps import CLUSTER_RBAC, CORE, MERGE, RBAC, Step


def _core(kind: str, name: str, **rest: Any) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": kind, "metadata": {"name": name}, **rest}


def _of(version: str, kind: str, name: str, **rest: Any) -> dict[str, Any]:
    return {"apiVersion": version, "kind": kind, "metadata": {"name": name}, **rest}


_HELD = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "held", "finalizers": ["tests.day2.dev/hold"]}, "data": {"a": "1"}}
_BOUND = {
    **pod("bound"),
    "spec": {"nodeName": "{web}", "terminationGracePeriodSeconds": 20, "containers": [{"name": "app", "image": "web"}]},
}
_RULE = {
    "host": "a.test",
    "http": {"paths": [{"path": "/", "pathType": "Prefix", "backend": {"service": {"name": "s", "port": {"number": 80}}}}]},
}
_ABOUT = {"kind": "Pod", "namespace": "{ns}", "name": "p"}
_PORTS = [{"port": 80, "targetPort": "http"}]
_EVENT = {"involvedObject": _ABOUT, "reason": "Tested", "message": "m", "type": "Normal"}
_NEW_EVENT = {
    "regarding": _ABOUT,
    "reason": "Tested",
    "note": "n",
    "type": "Normal",
    "action": "Testing",
    "eventTime": "2026-11-23T12:20:00.000000Z",
    "reportingController": "tests.day2.dev/it",
    "reportingInstance": "it-1",
}
_SLICE = {"addressType": "IPv4", "endpoints": [{"addresses": ["10.1.2.3"]}], "ports": [{"port": 80}]}
_OLD_HPA = {
    "scaleTargetRef": {"kind": "Deployment", "name": "x", "apiVersion": "apps/v1"},
    "maxReplicas": 3,
    "targetCPUUtilizationPercentage": 70,
}
_SCALING = {"scaleDown": {"stabilizationWindowSeconds": 60}}

LIVES: tuple[Step, ...] = (
    # a life with a finalizer
    Step("lives: held", "POST", CORE + "/configmaps", _HELD, whole=True),
    Step("lives: held is only marked", "DELETE", CORE + "/configmaps/held", whole=True),
    Step("lives: held is still there", "GET", CORE + "/configmaps/held", whole=True),
    Step(
        "lives: no new finalizer now",
        "PATCH",
        CORE + "/configmaps/held",
        {"metadata": {"finalizers": ["tests.day2.dev/hold", "a.test/b"]}},
        MERGE,
    ),
    Step("lives: held is let go", "PATCH", CORE + "/configmaps/held?fieldManager=tester", {"metadata": {"finalizers": None}}, MERGE),
    Step("lives: held is gone", "GET", CORE + "/configmaps/held"),
    # a pod on a node that has no kubelet
    Step("lives: bound pod", "POST", CORE + "/pods", _BOUND, whole=True),
    Step(
        "lives: bound again",
        "POST",
        CORE + "/pods/bound/binding",
        {"metadata": {"name": "bound"}, "target": {"kind": "Node", "name": "n2"}},
    ),
    Step("lives: resize without a kubelet", "PATCH", CORE + "/pods/bound/resize", {"spec": {}}, MERGE),
    Step("lives: bound pod is marked", "DELETE", CORE + "/pods/bound", whole=True),
    Step("lives: bound pod is marked again", "DELETE", CORE + "/pods/bound", whole=True),
    Step("lives: bound pod sooner", "DELETE", CORE + "/pods/bound?gracePeriodSeconds=5", whole=True),
    Step("lives: bound pod at once", "DELETE", CORE + "/pods/bound?gracePeriodSeconds=0"),
    Step("lives: bound pod is gone", "GET", CORE + "/pods/bound"),
    Step("lives: pod without containers", "POST", CORE + "/pods", {**pod("x"), "spec": {"containers": []}}),
    Step("lives: pod with two of a name", "POST", CORE + "/pods", {**pod("x"), "spec": {"containers": [{"name": "a", "image": "i"}] * 2}}),
    Step(
        "lives: pod with a mount of nothing",
        "POST",
        CORE + "/pods",
        {**pod("x"), "spec": {"containers": [{"name": "a", "image": "i", "volumeMounts": [{"name": "v", "mountPath": "/v"}]}]}},
    ),
    # defaults of further kinds
    Step("lives: service account", "POST", CORE + "/serviceaccounts", _core("ServiceAccount", "sa"), whole=True),
    Step("lives: secret", "POST", CORE + "/secrets", _core("Secret", "s", stringData={"a": "b"}), whole=True),
    Step(
        "lives: quota",
        "POST",
        CORE + "/resourcequotas",
        _core("ResourceQuota", "q", spec={"hard": {"cpu": "2000m", "pods": 5}}),
        whole=True,
    ),
    Step("lives: core event", "POST", CORE + "/events", _core("Event", "e1", **_EVENT), whole=True),
    Step(
        "lives: new event",
        "POST",
        "/apis/events.k8s.io/v1/namespaces/{ns}/events",
        _of("events.k8s.io/v1", "Event", "e2", **_NEW_EVENT),
        whole=True,
        ownerless=True,
    ),
    Step("lives: new event as core event", "GET", CORE + "/events/e2", whole=True, ownerless=True),
    Step(
        "lives: lease",
        "POST",
        "/apis/coordination.k8s.io/v1/namespaces/{ns}/leases",
        _of("coordination.k8s.io/v1", "Lease", "l"),
        whole=True,
    ),
    Step(
        "lives: ingress",
        "POST",
        "/apis/networking.k8s.io/v1/namespaces/{ns}/ingresses",
        _of("networking.k8s.io/v1", "Ingress", "i", spec={"rules": [_RULE]}),
        whole=True,
    ),
    Step(
        "lives: slice",
        "POST",
        "/apis/discovery.k8s.io/v1/namespaces/{ns}/endpointslices",
        _of("discovery.k8s.io/v1", "EndpointSlice", "es", **_SLICE),
        whole=True,
        ownerless=True,
    ),
    Step(
        "lives: budget",
        "POST",
        "/apis/policy/v1/namespaces/{ns}/poddisruptionbudgets?dryRun=All",
        {**BUDGET, "spec": {**BUDGET["spec"], "minAvailable": 1}},
        whole=True,
    ),
    Step(
        "lives: budget of a wrong percentage",
        "POST",
        "/apis/policy/v1/namespaces/{ns}/poddisruptionbudgets",
        {**BUDGET, "spec": {"minAvailable": "x%"}},
    ),
    Step(
        "lives: old autoscaler",
        "POST",
        "/apis/autoscaling/v1/namespaces/{ns}/horizontalpodautoscalers",
        _of("autoscaling/v1", "HorizontalPodAutoscaler", "h1", spec=_OLD_HPA),
        whole=True,
        ownerless=True,
    ),
    Step(
        "lives: autoscaler behaviour",
        "POST",
        "/apis/autoscaling/v2/namespaces/{ns}/horizontalpodautoscalers?dryRun=All",
        {**HPA, "spec": {**HPA["spec"], "behavior": _SCALING}},
        whole=True,
    ),
    Step(
        "lives: autoscaler floor of zero",
        "PATCH",
        "/apis/autoscaling/v2/namespaces/{ns}/horizontalpodautoscalers/h1",
        {"spec": {"minReplicas": 0}},
        MERGE,
    ),
    Step("lives: node port", "POST", CORE + "/services?dryRun=All", {**SERVICE, "spec": {**SERVICE["spec"], "ports": _PORTS}}, whole=True),
    Step("lives: headless", "POST", CORE + "/services", {**SERVICE, "spec": {**SERVICE["spec"], "clusterIP": "None"}}, whole=True),
    Step("lives: address is fixed", "PATCH", CORE + "/services/s", {"spec": {"clusterIP": "10.96.9.9"}}, MERGE),
    Step(
        "lives: priority class",
        "POST",
        "/apis/scheduling.k8s.io/v1/priorityclasses?dryRun=All",
        _of("scheduling.k8s.io/v1", "PriorityClass", "{web}", value=5),
        whole=True,
    ),
    Step(
        "lives: storage class",
        "POST",
        "/apis/storage.k8s.io/v1/storageclasses?dryRun=All",
        _of("storage.k8s.io/v1", "StorageClass", "{web}", provisioner="a.test/b"),
        whole=True,
    ),
    Step(
        "lives: cluster role",
        "POST",
        CLUSTER_RBAC + "/clusterroles?dryRun=All",
        _of("rbac.authorization.k8s.io/v1", "ClusterRole", "{web}", rules=ROLE["rules"]),
        whole=True,
    ),
    Step(
        "lives: role without verbs",
        "POST",
        RBAC + "/roles",
        {**ROLE, "metadata": {"name": "x"}, "rules": [{"resources": ["pods"], "apiGroups": [""]}]},
    ),
    Step(
        "lives: binding of nothing",
        "POST",
        RBAC + "/rolebindings",
        {**BINDING, "metadata": {"name": "x"}, "roleRef": {"kind": "Thing", "name": "r"}},
    ),
    Step("lives: node with a wrong taint", "POST", "/api/v1/nodes", {**NODE, "spec": {"taints": [{"key": "a", "effect": "Never"}]}}),
    Step("lives: job", "PATCH", "/apis/batch/v1/namespaces/{ns}/jobs/j?dryRun=All", {"spec": {"suspend": False}}, MERGE),
    Step(
        "lives: job template is immutable once it ran",
        "PATCH",
        "/apis/batch/v1/namespaces/{ns}/jobs/j",
        {"spec": {"parallelism": -1}},
        MERGE,
    ),
    Step("lives: delete of a collection", "DELETE", CORE + "/configmaps?labelSelector=no%3Dsuch", whole=True),
    # a namespace goes
    Step("lives: namespace", "POST", "/api/v1/namespaces", _core("Namespace", "{web}"), whole=True),
    Step("lives: bad namespace", "POST", "/api/v1/namespaces", _core("Namespace", "a.b")),
    Step("lives: namespace held", "POST", "/api/v1/namespaces/{web}/configmaps", _HELD),
    Step("lives: namespace is marked", "DELETE", "/api/v1/namespaces/{web}", whole=True),
    Step(
        "lives: nothing new in a namespace that goes",
        "POST",
        "/api/v1/namespaces/{web}/configmaps",
        {**CONFIG, "metadata": {"name": "late"}},
    ),
    Step("lives: namespace lets go", "PATCH", "/api/v1/namespaces/{web}/configmaps/held", {"metadata": {"finalizers": None}}, MERGE),
)
