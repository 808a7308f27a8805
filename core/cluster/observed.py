"""What agents look at: the kinds that actions aim at and the judge weighs (`core.cluster.kinds`), and those that only explain a fault.

A table of its own, because the judge and the executor read none of the latter: what can write to a cluster stays small.
"""

from core.cluster.kinds import GUARD_KINDS, KINDS, Kind

_ADMISSION = "admissionregistration.k8s.io"

OBSERVED: dict[str, Kind] = KINDS | {
    kind.name: kind
    for kind in (
        Kind("PersistentVolume", "", "v1", "persistentvolumes", namespaced=False),
        Kind("StorageClass", "storage.k8s.io", "v1", "storageclasses", namespaced=False),
        Kind("Ingress", "networking.k8s.io", "v1", "ingresses"),
        Kind("IngressClass", "networking.k8s.io", "v1", "ingressclasses", namespaced=False),
        Kind("PriorityClass", "scheduling.k8s.io", "v1", "priorityclasses", namespaced=False),
        Kind("Role", "rbac.authorization.k8s.io", "v1", "roles"),
        GUARD_KINDS["ClusterRole"],
        GUARD_KINDS["ValidatingWebhookConfiguration"],
        Kind("MutatingWebhookConfiguration", _ADMISSION, "v1", "mutatingwebhookconfigurations", namespaced=False),
        Kind("ResourceSlice", "resource.k8s.io", "v1", "resourceslices", namespaced=False),
        Kind("Lease", "coordination.k8s.io", "v1", "leases"),
        Kind("APIService", "apiregistration.k8s.io", "v1", "apiservices", namespaced=False),
    )
}
"""By kind. An agent may read all of them, and nothing else."""
