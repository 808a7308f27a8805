"""Faults in what keeps, sizes and ends workloads: storage, autoscalers, budgets, jobs, rollouts, finalizers."""

from typing import Any

from simulator.faults.fault import Cause, Fault, accuses, bare_pod, blames, restarted, rollout
from simulator.faults.ground import Ground, Home
from simulator.faults.pods import ANY, BACK
from simulator.faults.writes import Write, create, delete, made, patch

Json = dict[str, Any]
_APP = "app.kubernetes.io/name"


def _claim(name: str, namespace: str, storage: str | None) -> Json:
    spec: Json = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
    return made("PersistentVolumeClaim", name, namespace, spec=spec | ({"storageClassName": storage} if storage else {}))


def _mounts(home: Home, claim: str, *, after: float = 0) -> Write:
    volumes = [{"name": "scratch", "persistentVolumeClaim": {"claimName": claim}}]
    return rollout(home, pod={"volumes": volumes}, volumeMounts=[{"name": "scratch", "mountPath": "/scratch"}], after=after)


def _class(name: str | None) -> Any:
    return lambda _, home: (create(_claim("scratch", home.namespace, name)), _mounts(home, "scratch", after=1))


def _provisioner(ground: Ground, home: Home) -> tuple[Write, ...]:
    name = f"silver{ground.suffix}"
    kind = made("StorageClass", name, provisioner="csi.gone.example.com", volumeBindingMode="Immediate", reclaimPolicy="Delete")
    return create(kind), create(_claim("scratch", home.namespace, name), after=1), _mounts(home, "scratch", after=2)


def _lost(ground: Ground, home: Home) -> tuple[Write, ...]:
    """The finalizer that guards a volume in use is taken away, as people do who are in a hurry."""
    volume = f"{home.name}-disk{ground.suffix}"
    freed = patch("PersistentVolume", "", volume, {"metadata": {"finalizers": None}}, after=1)
    return delete("PersistentVolume", "", volume), freed, restarted(home, after=30)


def _elsewhere(ground: Ground, home: Home) -> tuple[Write, ...]:
    """A volume of one node, and that node takes no pods any more."""
    tail = ground.suffix
    terms = [{"matchExpressions": [{"key": "kubernetes.io/hostname", "operator": "In", "values": ["node-99"]}]}]
    spec = {
        "capacity": {"storage": "1Gi"},
        "accessModes": ["ReadWriteOnce"],
        "storageClassName": "local-disks",
        "persistentVolumeReclaimPolicy": "Retain",
        "local": {"path": "/mnt/disk"},
        "nodeAffinity": {"required": {"nodeSelectorTerms": terms}},
    }
    volume = made("PersistentVolume", f"local{tail}", spec=spec)
    claim = _claim("scratch", home.namespace, "local-disks")
    claim["spec"]["volumeName"] = f"local{tail}"
    return create(volume), create(claim, after=1), _mounts(home, "scratch", after=5)


def _autoscaler(target: str = "", **more: Any) -> Any:
    def inject(_: Ground, home: Home) -> tuple[Write, ...]:
        metric = {"type": "Resource", "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 60}}}
        spec = {
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": target or home.name},
            "minReplicas": 2,
            "maxReplicas": 6,
            "metrics": [metric],
        }
        return (create(made("HorizontalPodAutoscaler", "extra", home.namespace, spec=spec | more)),)

    return inject


def _unmeasured(_: Ground, home: Home) -> tuple[Write, ...]:
    """No request of CPU, and so no share of it."""
    return (rollout(home, resources={"requests": {"cpu": None}}),)


def _capped(_: Ground, home: Home) -> tuple[Write, ...]:
    return (patch("HorizontalPodAutoscaler", home.namespace, home.name, {"spec": {"minReplicas": 1, "maxReplicas": 2}}),)


def _budget(name: str = "", selects: str = "", **spec: Any) -> Any:
    """A budget of the victim's pods; in the place of its own where it has no name."""

    def inject(_: Ground, home: Home) -> tuple[Write, ...]:
        selector = {"selector": {"matchLabels": {_APP: selects or home.name}}}
        if not name:
            return (
                patch("PodDisruptionBudget", home.namespace, home.name, {"spec": {"minAvailable": None, "maxUnavailable": None, **spec}}),
            )
        return (create(made("PodDisruptionBudget", name, home.namespace, spec={**selector, **spec})),)

    return inject


def _two_budgets(_: Ground, home: Home) -> tuple[Cause, ...]:
    return (Cause("PodDisruptionBudget", home.namespace, "*", ("REL-162",)),)


def _job(name: str, **spec: Any) -> Any:
    template = {"metadata": {"labels": {_APP: name}}, "spec": {**bare_pod(command=["sh", "-c", "exit 4"]), "restartPolicy": "Never"}}
    template["metadata"]["annotations"] = {"rig.day2.dev/state": "failed"}

    def inject(_: Ground, home: Home) -> tuple[Write, ...]:
        return (create(made("Job", name, home.namespace, spec={"backoffLimit": 1, "template": template, **spec})),)

    return inject


def _job_of_missing_image(_: Ground, home: Home) -> tuple[Write, ...]:
    template = {"metadata": {"labels": {_APP: "import"}}, "spec": {**bare_pod("registry.example/import:missing"), "restartPolicy": "Never"}}
    return (create(made("Job", "import", home.namespace, spec={"template": template})),)


def _paused(_: Ground, home: Home) -> tuple[Write, ...]:
    """Stopped half-way: one new pod beside the old ones."""
    held = patch("Deployment", home.namespace, home.name, {"spec": {"minReadySeconds": 300}})
    new = rollout(home, image=f"{home.repository}:v9.9.9", after=1)
    return held, new, patch("Deployment", home.namespace, home.name, {"spec": {"paused": True}}, after=30)


def _held(kind: str) -> Any:
    """A finalizer whose controller is not there, and then a deletion."""

    def inject(_: Ground, home: Home) -> tuple[Write, ...]:
        pod = made(
            "Pod", "errand", home.namespace, metadata={"finalizers": ["example.com/hold"], "labels": {_APP: "errand"}}, spec=bare_pod()
        )
        return create(pod), delete(kind, home.namespace, "errand", after=60)

    return inject


def _namespace_held(ground: Ground, _: Home) -> tuple[Write, ...]:
    name = f"old{ground.suffix}"
    kept = made("ConfigMap", "kept", name, metadata={"finalizers": ["example.com/hold"]}, data={})
    return create(made("Namespace", name)), create(kept, after=2), delete("Namespace", "", name, after=5)


def _namespace(ground: Ground, _: Home) -> tuple[Cause, ...]:
    return (Cause("Namespace", "", f"old{ground.suffix}", ("REL-172",)),)


def _twin(_: Ground, home: Home) -> tuple[Write, ...]:
    """A copy under another name that keeps the labels."""
    labels = {_APP: home.name}
    template = {"metadata": {"labels": labels}, "spec": bare_pod(home.image, name=home.name)}
    return (
        create(
            made(
                "Deployment",
                f"copy-of-{home.name}",
                home.namespace,
                spec={"replicas": 1, "selector": {"matchLabels": labels}, "template": template},
            )
        ),
    )


def _both(*codes: str) -> Any:
    """Either of two that overlap."""
    return lambda _, home: (Cause("Deployment", home.namespace, f"*{home.name}", codes),)


FAULTS = (
    # storage
    Fault(
        id="claim-of-unknown-class",
        family="storage",
        befalls=("worker",),
        inject=_class("gold"),
        cause=accuses("PersistentVolumeClaim", "REL-149", name="scratch"),
        on_rig=True,
    ),
    Fault(
        id="claim-without-default-class",
        family="storage",
        befalls=("worker",),
        inject=_class(None),
        cause=accuses("PersistentVolumeClaim", "REL-149", name="scratch"),
        on_rig=True,
    ),
    Fault(
        id="claim-missing",
        family="storage",
        befalls=ANY,
        inject=lambda _, home: (_mounts(home, "nowhere"),),
        cause=blames("REL-167", "REL-129"),
        mends=BACK,
        on_rig=True,
    ),
    Fault(
        id="provisioner-gone",
        family="storage",
        befalls=("worker",),
        inject=_provisioner,
        cause=accuses("PersistentVolumeClaim", "REL-164", name="scratch"),
        on_rig=True,
    ),
    Fault(
        id="volume-lost",
        family="storage",
        befalls=("files",),
        inject=_lost,
        cause=accuses("PersistentVolumeClaim", "REL-165", tail="-data"),
        on_rig=True,
    ),
    Fault(id="volume-of-another-node", family="storage", befalls=ANY, inject=_elsewhere, cause=blames("REL-129"), mends=BACK, on_rig=True),
    # autoscalers
    Fault(
        id="autoscaler-of-nothing",
        family="HPA",
        befalls=("middle",),
        inject=_autoscaler("gone"),
        cause=accuses("HorizontalPodAutoscaler", "REL-158", name="extra"),
        on_rig=True,
    ),
    Fault(
        id="autoscaler-without-requests",
        family="HPA",
        befalls=("front",),
        inject=_unmeasured,
        cause=accuses("HorizontalPodAutoscaler", "REL-157"),
    ),
    Fault(
        id="autoscaler-at-its-ceiling",
        family="HPA",
        befalls=("front",),
        inject=_capped,
        cause=accuses("HorizontalPodAutoscaler", "SCA-102"),
        mends=("set_hpa_bounds",),
    ),
    # budgets
    Fault(
        id="budget-never-lets-go",
        family="PDB",
        befalls=("middle", "store"),
        inject=_budget(minAvailable="100%"),
        cause=accuses("PodDisruptionBudget", "REL-159"),
        on_rig=True,
    ),
    Fault(
        id="budget-of-no-disruption",
        family="PDB",
        befalls=("middle", "store"),
        inject=_budget(maxUnavailable=0),
        cause=accuses("PodDisruptionBudget", "REL-159"),
        on_rig=True,
    ),
    Fault(
        id="budget-of-nothing",
        family="PDB",
        befalls=("worker",),
        inject=_budget("guard", "wroker", minAvailable=1),
        cause=accuses("PodDisruptionBudget", "REL-161", name="guard"),
        on_rig=True,
    ),
    Fault(
        id="two-budgets",
        family="PDB",
        befalls=("middle", "store"),
        inject=_budget("again", minAvailable=1),
        cause=_two_budgets,
        on_rig=True,
    ),
    # jobs
    Fault(
        id="job-fails", family="jobs", befalls=("worker",), inject=_job("load"), cause=accuses("Job", "REL-140", name="load"), on_rig=True
    ),
    Fault(
        id="job-of-missing-image",
        family="jobs",
        befalls=("worker",),
        inject=_job_of_missing_image,
        cause=accuses("Job", "REL-117", name="import"),
        on_rig=True,
    ),
    # rollouts and ends
    Fault(
        id="rollout-paused-half-way",
        family="rollout",
        befalls=("worker",),
        inject=_paused,
        cause=blames("REL-134"),
        wait_seconds=90_000,
    ),
    Fault(
        id="pod-held-by-a-finalizer",
        family="finalizer",
        befalls=("worker",),
        inject=_held("Pod"),
        cause=accuses("Pod", "REL-120", name="errand"),
        mends=("clear_finalizers",),
        on_rig=True,
    ),
    Fault(
        id="namespace-held-by-a-finalizer",
        family="finalizer",
        befalls=("worker",),
        inject=_namespace_held,
        cause=_namespace,
        mends=("clear_finalizers",),
        on_rig=True,
    ),
    Fault(id="selectors-overlap", family="selector", befalls=("worker",), inject=_twin, cause=_both("REL-139"), on_rig=True),
)
