"""Claims and volumes: bound by hand-made volumes first, then by a class with a provisioner; lost when their volume is gone.

A volume that this controller provisions for a class that waits for its first pod is tied to that pod's node. Called by the scheduler too,
which asks where a pod's claims let it go.
"""

from collections.abc import Iterator
from datetime import datetime

from core.cluster import quantities
from simulator.controllers import events
from simulator.controllers.cluster import PODS, Cluster, Json
from simulator.resources import resource

SOURCE = "persistentvolume-controller"
CLAIMS, VOLUMES = resource("", "persistentvolumeclaims"), resource("", "persistentvolumes")
CLASSES = resource("storage.k8s.io", "storageclasses")
BOUND = "pv.kubernetes.io/bind-completed"
DEFAULT = "storageclass.kubernetes.io/is-default-class"
GUARD = "kubernetes.io/pv-protection"
STATIC = "kubernetes.io/no-provisioner"
UNBOUND = "pod has unbound immediate PersistentVolumeClaims"


def reconcile(cluster: Cluster) -> datetime | None:
    cluster.each(cluster.all(CLAIMS), _one)
    return cluster.each(cluster.all(VOLUMES), _volume)


def _one(cluster: Cluster, claim: Json) -> None:
    meta, phase = claim["metadata"], claim.get("status", {}).get("phase")
    if "deletionTimestamp" in meta:
        return
    if BOUND in meta.get("annotations", {}):
        if cluster.store.peek(VOLUMES, None, claim["spec"].get("volumeName", "")) is None and phase != "Lost":
            cluster.set_status(CLAIMS, claim, {**claim["status"], "phase": "Lost"})
            text = "Bound claim has lost its PersistentVolume. Data on the volume is lost!"
            events.record(cluster, claim, "ClaimLost", text, source=SOURCE, warning=True)
        return
    if phase in (None, "Pending"):
        _bind(cluster, claim)


def _volume(cluster: Cluster, volume: Json) -> None:
    """Guarded while it is bound, as by the PV protection controller; released once its claim is gone."""
    meta = volume["metadata"]
    bound = volume.get("status", {}).get("phase") == "Bound"
    held = meta.get("finalizers", [])
    if "deletionTimestamp" in meta:
        if GUARD in held and not bound:
            cluster.update(VOLUMES, {**volume, "metadata": {**meta, "finalizers": [each for each in held if each != GUARD]}})
        return
    if GUARD not in held:
        cluster.update(VOLUMES, {**volume, "metadata": {**meta, "finalizers": [*held, GUARD]}})
        return
    wanted = volume["spec"].get("claimRef")
    if volume.get("status", {}).get("phase", "Pending") == "Pending":
        cluster.set_status(VOLUMES, volume, {"phase": "Bound" if wanted else "Available"})
    elif wanted and volume["status"]["phase"] == "Bound" and wanted.get("uid"):
        claim = cluster.store.peek(CLAIMS, wanted["namespace"], wanted["name"])
        if claim is None or claim["metadata"]["uid"] != wanted["uid"]:
            cluster.set_status(VOLUMES, volume, {"phase": "Released"})


def _bind(cluster: Cluster, claim: Json) -> None:
    found = next((volume for volume in cluster.all(VOLUMES) if _fits(volume, claim)), None)
    storage = class_of(cluster, claim)
    named = claim["spec"].get("volumeName")
    if found is None and not named and storage is not None and storage.get("provisioner") != STATIC:
        if waits(storage) and not _used(cluster, claim):
            return _pend(cluster, claim, "WaitForFirstConsumer", "waiting for first consumer to be created before binding", warning=False)
        if storage["provisioner"] in _PROVISIONERS:
            found = cluster.create(VOLUMES, _provisioned(claim, storage))
    if found is None:
        return _pend(cluster, claim, *_why(claim, storage))
    return _tie(cluster, claim, found)


_PROVISIONERS = ("csi.simulator.day2.dev", "rancher.io/local-path", "ebs.csi.aws.com", "pd.csi.storage.gke.io", "disk.csi.azure.com")
"""Drivers that run here. Of any other a claim waits for ever."""


def class_of(cluster: Cluster, claim: Json) -> Json | None:
    name = claim["spec"].get("storageClassName")
    if name is None:
        return next(
            (each for each in cluster.all(CLASSES) if each["metadata"].get("annotations", {}).get(DEFAULT) == "true"),
            None,
        )
    return cluster.store.peek(CLASSES, None, name) if name else None


def waits(storage: Json) -> bool:
    return bool(storage.get("volumeBindingMode") == "WaitForFirstConsumer")


def _used(cluster: Cluster, claim: Json) -> bool:
    meta = claim["metadata"]
    pods = cluster.store.list(PODS, meta["namespace"])
    return any(meta["name"] in claims_of(pod) for pod in pods if pod["spec"].get("nodeName"))


def _fits(volume: Json, claim: Json) -> bool:
    spec, ref = volume["spec"], volume["spec"].get("claimRef")
    if claim["spec"].get("volumeName", volume["metadata"]["name"]) != volume["metadata"]["name"]:
        return False
    if ref and (ref["namespace"], ref["name"]) != (claim["metadata"]["namespace"], claim["metadata"]["name"]):
        return False
    if volume.get("status", {}).get("phase", "Available") not in ("Available", "Bound" if ref else "Available"):
        return False
    asked = claim["spec"].get("resources", {}).get("requests", {}).get("storage", "0")
    same = spec.get("storageClassName", "") == (claim["spec"].get("storageClassName") or "")
    return same and quantities.memory_mib(spec["capacity"]["storage"]) >= quantities.memory_mib(asked)


def _provisioned(claim: Json, storage: Json) -> Json:
    meta = claim["metadata"]
    spec = {
        "capacity": {"storage": claim["spec"].get("resources", {}).get("requests", {}).get("storage", "1Gi")},
        "accessModes": claim["spec"].get("accessModes", ["ReadWriteOnce"]),
        "storageClassName": storage["metadata"]["name"],
        "persistentVolumeReclaimPolicy": storage.get("reclaimPolicy", "Delete"),
        "claimRef": {"kind": "PersistentVolumeClaim", "namespace": meta["namespace"], "name": meta["name"], "uid": meta["uid"]},
        "csi": {"driver": storage["provisioner"], "volumeHandle": f"vol-{meta['uid']}"},
    }
    return {"apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": f"pvc-{meta['uid']}"}, "spec": spec}


def _tie(cluster: Cluster, claim: Json, volume: Json) -> None:
    meta, name = claim["metadata"], volume["metadata"]["name"]
    ref = {"kind": "PersistentVolumeClaim", "namespace": meta["namespace"], "name": meta["name"], "uid": meta["uid"]}
    cluster.update(VOLUMES, {**volume, "spec": {**volume["spec"], "claimRef": ref}})
    tied = cluster.store.peek(VOLUMES, None, name)
    if tied is not None:
        cluster.set_status(VOLUMES, tied, {"phase": "Bound"})
    notes = {**meta.get("annotations", {}), BOUND: "yes"}
    cluster.update(CLAIMS, {**claim, "metadata": {**meta, "annotations": notes}, "spec": {**claim["spec"], "volumeName": name}})
    live = cluster.store.peek(CLAIMS, meta["namespace"], meta["name"])
    if live is not None:
        status = {"phase": "Bound", "accessModes": volume["spec"].get("accessModes", []), "capacity": volume["spec"]["capacity"]}
        cluster.set_status(CLAIMS, live, status)


def _why(claim: Json, storage: Json | None) -> tuple[str, str]:
    name = claim["spec"].get("storageClassName")
    if storage is not None and storage.get("provisioner") != STATIC:
        text = (
            f"Waiting for a volume to be created either by the external provisioner '{storage['provisioner']}' or manually by the system "
            "administrator. If volume creation is delayed, please verify that the provisioner is running and correctly registered."
        )
        return "ExternalProvisioning", text
    if name and storage is None:
        return "ProvisioningFailed", f'storageclass.storage.k8s.io "{name}" not found'
    return "FailedBinding", "no persistent volumes available for this claim and no storage class is set"


def _pend(cluster: Cluster, claim: Json, reason: str, message: str, *, warning: bool = True) -> None:
    if claim.get("status", {}).get("phase") != "Pending":
        cluster.set_status(CLAIMS, claim, {"phase": "Pending"})
    told: set[tuple[str, str]] = cluster.memo.setdefault("claims told", set())
    if (claim["metadata"]["uid"], reason) not in told:
        told.add((claim["metadata"]["uid"], reason))
        events.record(cluster, claim, reason, message, source=SOURCE, warning=warning and reason != "ExternalProvisioning")


# -- what the scheduler asks ------------------------------------------------------------------------------------------


def claims_of(pod: Json) -> list[str]:
    found = []
    for volume in pod["spec"].get("volumes") or ():
        if "persistentVolumeClaim" in volume:
            found.append(str(volume["persistentVolumeClaim"]["claimName"]))
        elif "ephemeral" in volume:
            found.append(f"{pod['metadata']['name']}-{volume['name']}")
    return found


def hindrance(cluster: Cluster, pod: Json) -> str:
    """Why the pod's claims let it go nowhere, said of the pod; empty when they do not hold it."""
    namespace = pod["metadata"]["namespace"]
    for name in claims_of(pod):
        claim = cluster.store.peek(CLAIMS, namespace, name)
        if claim is None:
            return f'persistentvolumeclaim "{name}" not found'
        phase = claim.get("status", {}).get("phase")
        if phase == "Lost":
            return f'persistentvolumeclaim "{name}" bound to non-existent persistentvolume "{claim["spec"].get("volumeName", "")}"'
        storage = class_of(cluster, claim)
        late = storage is not None and waits(storage) and storage.get("provisioner") in _PROVISIONERS
        if phase != "Bound" and not late:
            return UNBOUND
    return ""


def terms(cluster: Cluster, pod: Json) -> Iterator[Json]:
    """The node affinity of each volume that the pod would bring."""
    for name in claims_of(pod):
        claim = cluster.store.peek(CLAIMS, pod["metadata"]["namespace"], name) or {"spec": {}}
        volume = cluster.store.peek(VOLUMES, None, claim["spec"].get("volumeName", "")) if claim["spec"].get("volumeName") else None
        required = ((volume or {}).get("spec", {}).get("nodeAffinity") or {}).get("required")
        if required:
            yield required
