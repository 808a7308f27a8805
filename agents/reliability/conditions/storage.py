"""Claims that are not bound, and volumes that are lost. Called by the table of this agent."""

from collections.abc import Iterator
from datetime import timedelta

from agents.desk import Desk
from agents.recalling import graph_of
from agents.reliability.conditions.signs import Sign, check, events, on_pod, ours, reported
from agents.reporting import seen, told
from agents.workloads import age
from core.cluster.objects import Claim
from core.domain.finding import Severity

PATIENCE = timedelta(minutes=5)
_DEFAULT = "storageclass.kubernetes.io/is-default-class"
_FAILED = frozenset(("ProvisioningFailed", "FailedBinding"))
_WAITS = "WaitForFirstConsumer"


def class_missing(desk: Desk) -> Iterator[Sign]:
    """Bound claims keep their volume whatever happens to the class."""
    for claim in _pending(desk):
        name = claim.spec.storage_class_name
        if name and desk.snapshot.find("StorageClass", "", name) is None and not _waiting_volume(desk, name):
            what = f"waits for a volume of class {name}, which does not exist"
        elif name is None and not any(item.metadata.annotations.get(_DEFAULT) == "true" for item in desk.snapshot.of("StorageClass")):
            what = "waits for a volume of the default class, and the cluster has none"
        else:
            continue
        evidence = (seen(desk, "PersistentVolumeClaim", claim, "spec.storageClassName", name or "none"),)
        yield Sign("PersistentVolumeClaim", claim, what, "The pods that use it wait for ever.", evidence)


def _waiting_volume(desk: Desk, name: str) -> bool:
    """Volumes made by hand share a class name that is no object."""
    return any(volume.spec.storage_class_name == name for volume in desk.snapshot.of("PersistentVolume"))


def not_bound(desk: Desk) -> Iterator[Sign]:
    """Its class is there. A class that waits for the first pod is no fault before one uses the claim."""
    graph = graph_of(desk)
    for claim in _pending(desk):
        found = desk.snapshot.find("StorageClass", "", claim.spec.storage_class_name or "")
        event = next(iter(events(desk, claim.metadata.uid, _FAILED)), None)
        used = bool(graph.users("PersistentVolumeClaim", claim.metadata.namespace, claim.metadata.name))
        if found is None or (event is None and not (used and age(claim.metadata, desk.now) >= 2 * PATIENCE)):
            continue
        if event is None and found.volume_binding_mode == _WAITS:
            continue  # the scheduler has not chosen a node yet: the pod says why
        minutes = int(age(claim.metadata, desk.now).total_seconds() // 60)
        evidence = [seen(desk, "PersistentVolumeClaim", claim, "status.phase", claim.status.phase)]
        if event is not None:
            evidence.append(reported(desk, "PersistentVolumeClaim", claim, event))
        what = f"has waited {minutes} minutes for a volume of class {found.metadata.name}"
        yield Sign("PersistentVolumeClaim", claim, what, "The pods that use it do not start.", tuple(evidence))


def _pending(desk: Desk) -> Iterator[Claim]:
    for claim in desk.snapshot.of("PersistentVolumeClaim"):
        if ours(claim.metadata) and claim.status.phase == "Pending" and age(claim.metadata, desk.now) >= PATIENCE:
            yield claim


def lost(desk: Desk) -> Iterator[Sign]:
    for claim in desk.snapshot.of("PersistentVolumeClaim"):
        if ours(claim.metadata) and claim.status.phase == "Lost":
            what = f"has lost its volume {claim.spec.volume_name}"
            evidence = (seen(desk, "PersistentVolumeClaim", claim, "status.phase", "Lost"),)
            yield Sign("PersistentVolumeClaim", claim, what, "The data behind it is out of reach; pods that use it do not start.", evidence)


def failed(desk: Desk) -> Iterator[Sign]:
    for volume in desk.snapshot.of("PersistentVolume"):
        if volume.status.phase == "Failed":
            what = "could not be reclaimed"
            evidence = (
                seen(desk, "PersistentVolume", volume, "status.phase", "Failed"),
                told(desk, "PersistentVolume", volume, "status.message", volume.status.message),
            )
            yield Sign("PersistentVolume", volume, what, "It is paid for, and no claim can have it.", evidence)


def claim_missing(desk: Desk) -> Iterator[Sign]:
    """A pod that names a claim which nobody made. The scheduler says so too, where it looks at it."""
    graph = graph_of(desk)
    for pod in desk.snapshot.pods:
        if not ours(pod.metadata) or pod.status.phase != "Pending" or age(pod.metadata, desk.now) < PATIENCE:
            continue
        for reference in graph.missing(pod):
            if reference.kind == "PersistentVolumeClaim":
                what = f"names claim {reference.name}, which does not exist"
                yield on_pod(desk, pod, what, "It waits for ever.", seen(desk, "Pod", pod, f"spec.{reference.field}", reference.name))


_CLAIMS = ("Namespace", "PersistentVolumeClaim", "StorageClass")

CHECKS = (
    check(
        "REL-149",
        "claim of a storage class that does not exist",
        Severity.HIGH,
        (*_CLAIMS, "PersistentVolume"),
        class_missing,
        looks="Pending claims whose class is not there, and those of the default class where no class is the default.",
        silent="in the first 5 minutes, once bound, and where volumes made by hand carry the class name",
        mend="Correct the class, or make one the default.",
    ),
    check(
        "REL-164",
        "claim that gets no volume",
        Severity.HIGH,
        (*_CLAIMS, "Pod", "Event"),
        not_bound,
        looks="Pending claims of a class that exists: failed provisioning among the events, or ten minutes of waiting while a pod uses it.",
        silent="in the first 5 minutes, and for classes that wait for the first pod while no provisioning failed",
        mend="The provisioner's message says why: quota, zone, credentials, a driver that does not run.",
    ),
    check(
        "REL-165",
        "claim that lost its volume",
        Severity.CRITICAL,
        ("Namespace", "PersistentVolumeClaim"),
        lost,
        looks="Claims in phase Lost.",
        silent="in every other phase",
        mend="Restore the volume object or the data from a backup before anything is deleted.",
    ),
    check(
        "REL-166",
        "volume that could not be reclaimed",
        Severity.LOW,
        ("PersistentVolume",),
        failed,
        looks="Volumes in phase Failed.",
        silent="in every other phase",
        mend="The message says why its reclaim failed; delete it by hand once the disk is gone.",
    ),
    check(
        "REL-167",
        "pod that names a claim that does not exist",
        Severity.HIGH,
        ("Namespace", "Pod", "PersistentVolumeClaim", "Deployment", "ReplicaSet", "StatefulSet", "DaemonSet", "Job"),
        claim_missing,
        looks="Pending pods with a volume of a claim that is not in the namespace.",
        silent="in the first 5 minutes",
        mend="Make the claim, or correct its name in the template.",
    ),
)
