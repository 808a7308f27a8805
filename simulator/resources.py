"""What the simulated API server serves: one row per resource. Read by discovery, the routes, the store and the controllers.

`storage` names the row under which objects are kept, when one kind is served by two API groups (events).
"""

from dataclasses import dataclass
from functools import cache
from typing import NamedTuple

_ALL = ("create", "delete", "deletecollection", "get", "list", "patch", "update", "watch")
_READ = ("get", "list", "watch")
_ONE_BY_ONE = tuple(verb for verb in _ALL if verb != "deletecollection")


class Column(NamedTuple):
    """A column that a definition adds to `kubectl get`."""

    name: str
    kind: str
    path: str
    priority: int


@dataclass(frozen=True, slots=True)
class Resource:
    """One resource of the API. `subresources` are advertised in discovery; `generations`: a spec change moves metadata.generation.

    `definition` names the CustomResourceDefinition that adds it, with its `columns` and the paths of its scale (`replicas`).
    """

    group: str
    version: str
    plural: str
    kind: str
    singular: str
    short_names: tuple[str, ...] = ()
    namespaced: bool = True
    verbs: tuple[str, ...] = _ALL
    subresources: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    generations: bool = False
    storage: tuple[str, str] = ("", "")
    definition: str = ""
    columns: tuple[Column, ...] = ()
    replicas: tuple[str, str, str] = ("", "", "")

    @property
    def api_version(self) -> str:
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def key(self) -> tuple[str, str]:
        """Where objects of this resource are kept: (group, plural), shared by all versions."""
        return self.storage if self.storage[1] else (self.group, self.plural)


def _row(
    api: str,
    plural: str,
    kind: str,
    short: str = "",
    *,
    sub: str = "",
    cluster: bool = False,
    everything: bool = False,
    extension: bool = False,
    generations: bool = False,
    verbs: tuple[str, ...] = _ALL,
    storage: tuple[str, str] = ("", ""),
) -> Resource:
    group, _, version = api.rpartition("/")
    return Resource(
        group=group,
        version=version,
        plural=plural,
        kind=kind,
        singular=kind.lower(),
        short_names=tuple(short.split()),
        namespaced=not cluster,
        verbs=verbs,
        subresources=tuple(sub.split()),
        categories=("all",) if everything else ("api-extensions",) if extension else (),
        generations=generations,
        storage=storage,
    )


_POD_SUBRESOURCES = "binding ephemeralcontainers eviction log resize status exec attach portforward proxy"
_RBAC = "rbac.authorization.k8s.io/v1"
_ADMISSION = "admissionregistration.k8s.io/v1"

RESOURCES: tuple[Resource, ...] = (
    _row("v1", "namespaces", "Namespace", "ns", sub="finalize status", cluster=True, verbs=_ONE_BY_ONE),
    _row("v1", "nodes", "Node", "no", sub="status proxy", cluster=True),
    _row("v1", "pods", "Pod", "po", sub=_POD_SUBRESOURCES, everything=True, generations=True),
    _row("v1", "services", "Service", "svc", sub="status proxy", everything=True),
    _row("v1", "endpoints", "Endpoints", "ep"),
    _row("v1", "configmaps", "ConfigMap", "cm"),
    _row("v1", "secrets", "Secret"),
    _row("v1", "serviceaccounts", "ServiceAccount", "sa", sub="token"),
    _row("v1", "events", "Event", "ev"),
    _row("v1", "persistentvolumeclaims", "PersistentVolumeClaim", "pvc", sub="status"),
    _row("v1", "persistentvolumes", "PersistentVolume", "pv", sub="status", cluster=True),
    _row("v1", "resourcequotas", "ResourceQuota", "quota", sub="status"),
    _row("v1", "limitranges", "LimitRange", "limits"),
    _row("v1", "replicationcontrollers", "ReplicationController", "rc", sub="scale status", everything=True, generations=True),
    _row("v1", "podtemplates", "PodTemplate", generations=True),
    _row("apps/v1", "deployments", "Deployment", "deploy", sub="scale status", everything=True, generations=True),
    _row("apps/v1", "replicasets", "ReplicaSet", "rs", sub="scale status", everything=True, generations=True),
    _row("apps/v1", "statefulsets", "StatefulSet", "sts", sub="scale status", everything=True, generations=True),
    _row("apps/v1", "daemonsets", "DaemonSet", "ds", sub="status", everything=True, generations=True),
    _row("apps/v1", "controllerrevisions", "ControllerRevision"),
    _row("batch/v1", "jobs", "Job", sub="status", everything=True, generations=True),
    _row("batch/v1", "cronjobs", "CronJob", "cj", sub="status", everything=True, generations=True),
    _row("autoscaling/v2", "horizontalpodautoscalers", "HorizontalPodAutoscaler", "hpa", sub="status", everything=True, generations=True),
    _row("autoscaling/v1", "horizontalpodautoscalers", "HorizontalPodAutoscaler", "hpa", sub="status", everything=True, generations=True),
    _row("policy/v1", "poddisruptionbudgets", "PodDisruptionBudget", "pdb", sub="status", generations=True),
    _row("networking.k8s.io/v1", "networkpolicies", "NetworkPolicy", "netpol", generations=True),
    _row("networking.k8s.io/v1", "ingresses", "Ingress", "ing", sub="status", generations=True),
    _row("networking.k8s.io/v1", "ingressclasses", "IngressClass", cluster=True, generations=True),
    _row(_RBAC, "roles", "Role"),
    _row(_RBAC, "rolebindings", "RoleBinding"),
    _row(_RBAC, "clusterroles", "ClusterRole", cluster=True),
    _row(_RBAC, "clusterrolebindings", "ClusterRoleBinding", cluster=True),
    _row("coordination.k8s.io/v1", "leases", "Lease"),
    _row("events.k8s.io/v1", "events", "Event", "ev", storage=("", "events")),
    _row("scheduling.k8s.io/v1", "priorityclasses", "PriorityClass", "pc", cluster=True, generations=True),
    _row("storage.k8s.io/v1", "storageclasses", "StorageClass", "sc", cluster=True),
    _row("storage.k8s.io/v1", "volumeattachments", "VolumeAttachment", sub="status", cluster=True),
    _row("resource.k8s.io/v1", "resourceslices", "ResourceSlice", cluster=True, generations=True),
    _row("discovery.k8s.io/v1", "endpointslices", "EndpointSlice", generations=True),
    _row(
        "apiextensions.k8s.io/v1",
        "customresourcedefinitions",
        "CustomResourceDefinition",
        "crd crds",
        sub="status",
        cluster=True,
        extension=True,
        generations=True,
    ),
    _row("apiregistration.k8s.io/v1", "apiservices", "APIService", sub="status", cluster=True, extension=True),
    _row(_ADMISSION, "validatingwebhookconfigurations", "ValidatingWebhookConfiguration", cluster=True, extension=True, generations=True),
    _row(_ADMISSION, "mutatingwebhookconfigurations", "MutatingWebhookConfiguration", cluster=True, extension=True, generations=True),
    _row(
        _ADMISSION, "validatingadmissionpolicies", "ValidatingAdmissionPolicy", sub="status", cluster=True, extension=True, generations=True
    ),
    _row(
        _ADMISSION, "validatingadmissionpolicybindings", "ValidatingAdmissionPolicyBinding", cluster=True, extension=True, generations=True
    ),
    _row(_ADMISSION, "mutatingadmissionpolicies", "MutatingAdmissionPolicy", cluster=True, extension=True, generations=True),
    _row(_ADMISSION, "mutatingadmissionpolicybindings", "MutatingAdmissionPolicyBinding", cluster=True, extension=True, generations=True),
    _row("networking.k8s.io/v1", "ipaddresses", "IPAddress", "ip", cluster=True),
    _row("networking.k8s.io/v1", "servicecidrs", "ServiceCIDR", sub="status", cluster=True),
    _row("storage.k8s.io/v1", "csidrivers", "CSIDriver", cluster=True),
    _row("storage.k8s.io/v1", "csinodes", "CSINode", sub="status", cluster=True),
    _row("storage.k8s.io/v1", "csistoragecapacities", "CSIStorageCapacity"),
    _row("storage.k8s.io/v1", "volumeattributesclasses", "VolumeAttributesClass", "vac", cluster=True),
    _row("resource.k8s.io/v1", "deviceclasses", "DeviceClass", cluster=True, generations=True),
    _row("resource.k8s.io/v1", "devicetaintrules", "DeviceTaintRule", sub="status", cluster=True, generations=True),
    _row("resource.k8s.io/v1", "resourceclaims", "ResourceClaim", sub="status"),
    _row("resource.k8s.io/v1", "resourceclaimtemplates", "ResourceClaimTemplate"),
    _row("node.k8s.io/v1", "runtimeclasses", "RuntimeClass", cluster=True),
    _row("certificates.k8s.io/v1", "certificatesigningrequests", "CertificateSigningRequest", "csr", sub="approval status", cluster=True),
    _row("certificates.k8s.io/v1", "clustertrustbundles", "ClusterTrustBundle", cluster=True),
    _row("certificates.k8s.io/v1", "podcertificaterequests", "PodCertificateRequest", sub="status"),
    _row("flowcontrol.apiserver.k8s.io/v1", "flowschemas", "FlowSchema", sub="status", cluster=True, generations=True),
    _row(
        "flowcontrol.apiserver.k8s.io/v1",
        "prioritylevelconfigurations",
        "PriorityLevelConfiguration",
        sub="status",
        cluster=True,
        generations=True,
    ),
    _row("storagemigration.k8s.io/v1", "storageversionmigrations", "StorageVersionMigration", sub="status", cluster=True, generations=True),
    _row("scheduling.k8s.io/v1beta1", "podgroups", "PodGroup", sub="status", generations=True),
)
"""Stored resources. Metrics and the review kinds keep nothing; they are rows of `METRICS` and `REVIEWS`."""

METRICS: tuple[Resource, ...] = (
    _row("metrics.k8s.io/v1beta1", "nodes", "NodeMetrics", cluster=True, verbs=("get", "list")),
    _row("metrics.k8s.io/v1beta1", "pods", "PodMetrics", verbs=("get", "list")),
)

_CREATE = ("create",)
REVIEWS: tuple[Resource, ...] = (
    _row("authentication.k8s.io/v1", "selfsubjectreviews", "SelfSubjectReview", cluster=True, verbs=_CREATE),
    _row("authentication.k8s.io/v1", "tokenreviews", "TokenReview", cluster=True, verbs=_CREATE),
    _row("authorization.k8s.io/v1", "selfsubjectaccessreviews", "SelfSubjectAccessReview", cluster=True, verbs=_CREATE),
    _row("authorization.k8s.io/v1", "selfsubjectrulesreviews", "SelfSubjectRulesReview", cluster=True, verbs=_CREATE),
    _row("authorization.k8s.io/v1", "subjectaccessreviews", "SubjectAccessReview", cluster=True, verbs=_CREATE),
    _row("authorization.k8s.io/v1", "localsubjectaccessreviews", "LocalSubjectAccessReview", verbs=_CREATE),
)

SERVED: tuple[Resource, ...] = RESOURCES + METRICS + REVIEWS


@cache
def resource(group: str, plural: str, version: str = "") -> Resource:
    """The row of a group and plural (the first listed version when none is named). Raises KeyError when it is not served."""
    for row in SERVED:
        if row.group == group and row.plural == plural and version in ("", row.version):
            return row
    raise KeyError(f"{group}/{version}/{plural} is not served")


@cache
def by_kind(api_version: str, kind: str) -> Resource:
    """The row of an object's apiVersion and kind. Raises KeyError when it is not served."""
    for row in SERVED:
        if row.api_version == api_version and row.kind == kind:
            return row
    raise KeyError(f"{api_version} {kind} is not served")
