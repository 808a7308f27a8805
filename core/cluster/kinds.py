"""The Kubernetes kinds we read or write: one row each. `tools` builds paths from it, the judge resolves targets by it."""

from typing import NamedTuple


class Kind(NamedTuple):
    """Where a kind lives in the API."""

    name: str
    group: str
    version: str
    resource: str
    namespaced: bool = True

    @property
    def api_version(self) -> str:
        return f"{self.group}/{self.version}" if self.group else self.version

    def path(self, namespace: str = "", name: str = "") -> str:
        """URL path of the collection, or of one object. The caller has checked the names."""
        root = f"/apis/{self.group}/{self.version}" if self.group else f"/api/{self.version}"
        scope = f"/namespaces/{namespace}" if namespace and self.namespaced else ""
        return f"{root}{scope}/{self.resource}" + (f"/{name}" if name else "")


KINDS: dict[str, Kind] = {
    kind.name: kind
    for kind in (
        Kind("Namespace", "", "v1", "namespaces", namespaced=False),
        Kind("Node", "", "v1", "nodes", namespaced=False),
        Kind("Pod", "", "v1", "pods"),
        Kind("Service", "", "v1", "services"),
        Kind("ServiceAccount", "", "v1", "serviceaccounts"),
        Kind("ConfigMap", "", "v1", "configmaps"),
        Kind("Event", "", "v1", "events"),
        Kind("ResourceQuota", "", "v1", "resourcequotas"),
        Kind("PersistentVolumeClaim", "", "v1", "persistentvolumeclaims"),
        Kind("Deployment", "apps", "v1", "deployments"),
        Kind("ReplicaSet", "apps", "v1", "replicasets"),
        Kind("StatefulSet", "apps", "v1", "statefulsets"),
        Kind("DaemonSet", "apps", "v1", "daemonsets"),
        Kind("Job", "batch", "v1", "jobs"),
        Kind("CronJob", "batch", "v1", "cronjobs"),
        Kind("HorizontalPodAutoscaler", "autoscaling", "v2", "horizontalpodautoscalers"),
        Kind("PodDisruptionBudget", "policy", "v1", "poddisruptionbudgets"),
        Kind("VolumeAttachment", "storage.k8s.io", "v1", "volumeattachments", namespaced=False),
        Kind("Machine", "cluster.x-k8s.io", "v1beta1", "machines"),
        Kind("MachineSet", "cluster.x-k8s.io", "v1beta1", "machinesets"),
        Kind("NetworkPolicy", "networking.k8s.io", "v1", "networkpolicies"),
        Kind("ClusterRoleBinding", "rbac.authorization.k8s.io", "v1", "clusterrolebindings", namespaced=False),
        Kind("RoleBinding", "rbac.authorization.k8s.io", "v1", "rolebindings"),
    )
}

ENDPOINT_SLICE = Kind("EndpointSlice", "discovery.k8s.io", "v1", "endpointslices")
"""Read to verify what a Service leads to. No action aims at it, and no agent looks at it."""

REPORTER = "day2.dev/notifier"
"""Under which our own notifier reports Events. What it reports is no evidence for anybody of us."""

_ADMISSION = "admissionregistration.k8s.io"
GUARD_KINDS: dict[str, Kind] = {
    kind.name: kind
    for kind in (
        Kind("ValidatingAdmissionPolicy", _ADMISSION, "v1", "validatingadmissionpolicies", namespaced=False),
        Kind("ValidatingAdmissionPolicyBinding", _ADMISSION, "v1", "validatingadmissionpolicybindings", namespaced=False),
        Kind("ValidatingWebhookConfiguration", _ADMISSION, "v1", "validatingwebhookconfigurations", namespaced=False),
        Kind("ClusterRole", "rbac.authorization.k8s.io", "v1", "clusterroles", namespaced=False),
        KINDS["ClusterRoleBinding"],
        KINDS["RoleBinding"],
    )
}
"""What holds the gate in a cluster: people install it, and whoever writes reads it back first. No agent looks at it."""
