"""What the attempts are after: one object of each kind worth taking, and the rights that somebody could give us by mistake."""

import base64
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from core.actions.roles import NAMESPACE
from core.domain.values import Json

STRICT = {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}
CONTAINER = {"name": "web", "image": "app:1", "resources": {"requests": {"cpu": "100m"}}}
RBAC = "rbac.authorization.k8s.io"
ADMISSION = "admissionregistration.k8s.io"
NOTHING = [{"apiGroups": ["bypass.example"], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["nothing"]}]
HOOK = {
    "name": "bypass.example.com",
    "clientConfig": {"url": "https://127.0.0.1:1/"},
    "rules": NOTHING,
    "sideEffects": "None",
    "admissionReviewVersions": ["v1"],
    "failurePolicy": "Ignore",
}


def item(version: str, kind: str, name: str, **more: Any) -> Json:
    return {"apiVersion": version, "kind": kind, "metadata": {"name": name}, **more}


def pods_of(name: str) -> Json:
    return {"metadata": {"labels": {"app": name}}, "spec": {"securityContext": STRICT, "containers": [CONTAINER]}}


def workload(kind: str, name: str, **spec: Any) -> Json:
    told = {"selector": {"matchLabels": {"app": name}}, "template": pods_of(name), **spec}
    return item("apps/v1", kind, name, spec=told)


def victims() -> tuple[tuple[str, Json], ...]:
    """(collection, object), in the order in which they are made. Those outside of the namespace are named `bypass-*`."""
    core, apps, batch = "/api/v1/namespaces/{ns}", "/apis/apps/v1/namespaces/{ns}", "/apis/batch/v1/namespaces/{ns}"
    rules, admission = f"/apis/{RBAC}/v1", f"/apis/{ADMISSION}/v1"
    absent = workload("DaemonSet", "web")
    absent["spec"]["template"] = {**pods_of("web"), "spec": {**pods_of("web")["spec"], "nodeSelector": {"nowhere": "1"}}}
    job = {"suspend": True, "template": {"spec": {"restartPolicy": "Never", "containers": [CONTAINER]}}}
    cron = {"suspend": True, "schedule": "0 0 1 1 *", "jobTemplate": {"spec": job}}
    limits = [{"type": "PersistentVolumeClaim", "max": {"storage": "9Gi"}}]
    target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}
    role = {"apiGroup": RBAC, "kind": "ClusterRole", "name": "bypass-role"}
    subject = {"kind": "User", "name": "nobody-in-particular", "apiGroup": RBAC}
    policy = {"matchConstraints": {"resourceRules": NOTHING}, "validations": [{"expression": "true"}]}
    return (
        (f"{apps}/deployments", workload("Deployment", "web", replicas=1)),
        (f"{apps}/deployments", workload("Deployment", "other", replicas=1)),
        (f"{apps}/deployments", workload("Deployment", "idle", replicas=0)),
        (f"{apps}/statefulsets", workload("StatefulSet", "web", replicas=0, serviceName="web")),
        (f"{apps}/daemonsets", absent),
        (f"{batch}/jobs", item("batch/v1", "Job", "web", spec=job)),
        (f"{batch}/cronjobs", item("batch/v1", "CronJob", "web", spec=cron)),
        (f"{core}/pods", item("v1", "Pod", "lone", spec=pods_of("lone")["spec"])),
        (f"{core}/pods", item("v1", "Pod", "waiting", spec=pods_of("waiting")["spec"] | {"schedulerName": "nobody"})),
        (
            "/apis/autoscaling/v2/namespaces/{ns}/horizontalpodautoscalers",
            item("autoscaling/v2", "HorizontalPodAutoscaler", "web", spec={"scaleTargetRef": target, "maxReplicas": 3}),
        ),
        (
            "/apis/policy/v1/namespaces/{ns}/poddisruptionbudgets",
            item("policy/v1", "PodDisruptionBudget", "web", spec={"minAvailable": 0, "selector": {"matchLabels": {"app": "lone"}}}),
        ),
        (
            "/apis/networking.k8s.io/v1/namespaces/{ns}/networkpolicies",
            item("networking.k8s.io/v1", "NetworkPolicy", "web", spec={"podSelector": {}, "policyTypes": ["Ingress"]}),
        ),
        (f"{core}/configmaps", item("v1", "ConfigMap", "web", data={"a": "1"})),
        (f"{core}/secrets", item("v1", "Secret", "web", stringData={"a": "1"})),
        (f"{core}/services", item("v1", "Service", "web", spec={"ports": [{"port": 80}], "selector": {"app": "web"}})),
        (f"{core}/serviceaccounts", item("v1", "ServiceAccount", "robot")),
        (f"{core}/resourcequotas", item("v1", "ResourceQuota", "web", spec={"hard": {"pods": "90"}})),
        (f"{core}/limitranges", item("v1", "LimitRange", "web", spec={"limits": limits})),
        (
            f"{core}/persistentvolumeclaims",
            item(
                "v1", "PersistentVolumeClaim", "web",
                spec={"accessModes": ["ReadWriteOnce"], "storageClassName": "", "resources": {"requests": {"storage": "1Gi"}}},
            ),
        ),
        (f"{rules}/namespaces/{{ns}}/roles", item(f"{RBAC}/v1", "Role", "web", rules=[])),
        (f"{rules}/namespaces/{{ns}}/rolebindings", item(f"{RBAC}/v1", "RoleBinding", "web", roleRef=role, subjects=[subject])),
        ("/apis/events.k8s.io/v1/namespaces/{ns}/events", event("bypass-seen")),
        ("/apis/coordination.k8s.io/v1/namespaces/{ns}/leases", item("coordination.k8s.io/v1", "Lease", "web", spec={})),
        (f"{rules}/clusterroles", item(f"{RBAC}/v1", "ClusterRole", "bypass-role", rules=[])),
        (f"{rules}/clusterrolebindings", item(f"{RBAC}/v1", "ClusterRoleBinding", "bypass-binding", roleRef=role, subjects=[subject])),
        ("/apis/scheduling.k8s.io/v1/priorityclasses", item("scheduling.k8s.io/v1", "PriorityClass", "bypass-class", value=1)),
        (f"{admission}/validatingadmissionpolicies", item(f"{ADMISSION}/v1", "ValidatingAdmissionPolicy", "bypass-policy", spec=policy)),
        (
            f"{admission}/validatingadmissionpolicybindings",
            item(
                f"{ADMISSION}/v1", "ValidatingAdmissionPolicyBinding", "bypass-policy",
                spec={"policyName": "bypass-policy", "validationActions": ["Audit"]},
            ),
        ),
        (
            f"{admission}/validatingwebhookconfigurations",
            item(f"{ADMISSION}/v1", "ValidatingWebhookConfiguration", "bypass-hook", webhooks=[HOOK]),
        ),
        ("/apis/certificates.k8s.io/v1/certificatesigningrequests", signing_request("bypass-csr", "nobody-in-particular")),
    )  # fmt: skip


def event(name: str, **more: Any) -> Json:
    """In the form of the notifier's."""
    about = {"apiVersion": "apps/v1", "kind": "Deployment", "namespace": "{ns}", "name": "web"}
    told = {"eventTime": "2026-11-23T12:00:00.000000Z", "type": "Normal", "action": "Scaled", "reason": "Judged", "regarding": about}
    told |= {"reportingController": "kubelet", "reportingInstance": "n", "note": "x"}
    return item("events.k8s.io/v1", "Event", name, **(told | more))


def signing_request(name: str, user: str) -> Json:
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, user)])
    made = x509.CertificateSigningRequestBuilder().subject_name(subject).sign(ec.generate_private_key(ec.SECP256R1()), hashes.SHA256())
    pem = base64.b64encode(made.public_bytes(serialization.Encoding.PEM)).decode()
    spec = {"request": pem, "signerName": "kubernetes.io/kube-apiserver-client", "usages": ["client auth"]}
    return item("certificates.k8s.io/v1", "CertificateSigningRequest", name, spec=spec)


MISGRANT: tuple[Json, ...] = (
    item(
        f"{RBAC}/v1", "ClusterRole", "day2-misgrant",
        rules=[{"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}, {"nonResourceURLs": ["*"], "verbs": ["*"]}],
    ),
    item(
        f"{RBAC}/v1", "ClusterRoleBinding", "day2-misgrant",
        roleRef={"apiGroup": RBAC, "kind": "ClusterRole", "name": "day2-misgrant"},
        subjects=[
            {"kind": "Group", "name": f"system:serviceaccounts:{NAMESPACE}", "apiGroup": RBAC},
            {"kind": "User", "name": "day2:agent:scaling", "apiGroup": RBAC},
            {"kind": "User", "name": "day2:preview:scaling", "apiGroup": RBAC},
        ],
    ),
)  # fmt: skip
"""Every right there is, for every account of ours and for an agent's two users: then admission alone holds."""
