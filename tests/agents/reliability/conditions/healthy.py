"""A healthy cluster with everything that looks like trouble and is none: rollouts under way, pods of a moment ago, sizes of zero by intent,
finished and long-failed Jobs, evictions of last week, events of things that healed."""

import random
from collections.abc import Iterator

from core.domain.values import Json
from tests.agents.reliability.conditions.cases import DNS, DNS_POD, autoscaler, budget, ingress, job, webhook
from tests.agents.reliability.conditions.objects import (
    ago,
    condition,
    container,
    event,
    made,
    merged,
    node,
    owned_by,
    pending,
    pod,
    replica_set,
    running,
    service,
    unscheduled,
    waiting,
    workload,
)

NAMESPACES = 40
_RESTRICTED = {f"pod-security.kubernetes.io/{mode}": "restricted" for mode in ("enforce", "warn", "audit")}
_SAFE = {
    "allowPrivilegeEscalation": False,
    "runAsNonRoot": True,
    "capabilities": {"drop": ["ALL"]},
    "seccompProfile": {"type": "RuntimeDefault"},
}


def cluster(seed: int) -> list[Json]:
    """All objects, in an order of the seed's own."""
    dice = random.Random(seed)
    found = [*_platform(), *(item for number in range(NAMESPACES) for item in _namespace(f"team-{number:02d}", dice))]
    dice.shuffle(found)
    return found


def _platform() -> Iterator[Json]:
    for number in range(1, 13):
        yield node(f"node-{number}", status={"allocatable": {"cpu": "64", "memory": "256Gi", "pods": "110"}})
    taint = {"key": "node.kubernetes.io/unschedulable", "effect": "NoSchedule", "timeAdded": ago(hours=1)}
    yield node("node-13", spec={"unschedulable": True, "taints": [taint]})
    yield node("node-14", status={"conditions": [condition("Ready", "False", "KubeletNotReady", minutes=1)]})
    yield made("Namespace", "kube-system", status={"phase": "Active"})
    yield made("Namespace", "leaving", metadata={"deletionTimestamp": ago(minutes=1)}, status={"phase": "Terminating"})
    yield DNS
    yield pod(None, "coredns-1", metadata=DNS_POD)
    yield made("StorageClass", "standard", provisioner="csi.example.com", volumeBindingMode="WaitForFirstConsumer")
    yield made("IngressClass", "edge")
    yield made("PersistentVolume", "pv-old", status={"phase": "Released"})
    yield merged(webhook(), {"webhooks": [{**webhook()["webhooks"][0], "clientConfig": {"url": "https://check.example.com"}}]})
    spec = {"group": "metrics.k8s.io", "version": "v1beta1", "service": {"namespace": "kube-system", "name": "metrics-server"}}
    yield made("APIService", "v1beta1.metrics.k8s.io", spec=spec, status={"conditions": [condition("Available", "True", "Passed")]})


def _namespace(name: str, dice: random.Random) -> Iterator[Json]:
    yield made("Namespace", name, metadata={"labels": _RESTRICTED}, status={"phase": "Active"})
    for item in (*_web(name, dice), *_state(dice), *_batch(dice), *_wishes(dice)):
        yield _moved(item, name, dice)


def _moved(item: Json, namespace: str, dice: random.Random) -> Json:
    """Into a namespace of its own, its uids and those of its owners with it; pods on any of the nodes."""
    meta = item["metadata"]
    owners = [{**owner, "uid": f"{namespace}-{owner['uid']}"} for owner in meta.get("ownerReferences", ())]
    over = {"metadata": {"namespace": namespace, "uid": f"{namespace}-{meta['uid']}"} | ({"ownerReferences": owners} if owners else {})}
    moved = merged(item, over)
    if item["kind"] == "Event":
        involved = item["involvedObject"]
        moved = merged(moved, {"involvedObject": {"namespace": namespace, "uid": f"{namespace}-{involved['uid']}"}})
    if item["kind"] == "Pod" and item["spec"]["nodeName"]:
        moved = merged(moved, {"spec": {"nodeName": f"node-{dice.randint(1, 12)}"}})
    template = moved.get("spec", {}).get("template", moved if item["kind"] == "Pod" else None)
    for one in template["spec"].get("containers", ()) if template else ():
        one["securityContext"] = _SAFE
    return moved


def _web(name: str, dice: random.Random) -> Iterator[Json]:
    """A Deployment behind service, ingress, autoscaler, budget and policy; in some namespaces in the middle of a rollout."""
    replicas = dice.randint(2, 5)
    rolling = dice.random() < 0.4
    conditions = [condition("Progressing", "True", "ReplicaSetUpdated"), condition("Available", "True")]
    status = {"conditions": conditions, "updatedReplicas": replicas - rolling, "readyReplicas": replicas - rolling}
    web = workload(replicas=replicas, status=status)
    current = replica_set(web, replicas=replicas)
    yield from (web, current)
    for number in range(replicas - rolling):
        ports = {"ports": [{"name": "http", "containerPort": 8080}], "readinessProbe": {"httpGet": {"path": "/", "port": "http"}}}
        yield pod(current, f"web-{number}", hours=dice.uniform(0.1, 400), spec={"containers": [container(**ports)]})
    if rolling:
        young = {"creationTimestamp": ago(seconds=dice.randint(1, 100))}
        fresh = dice.choice(
            (pending(current), pod(current, is_ready=False, status={"containerStatuses": [merged(running(minutes=0.5), {"ready": False})]}))
        )
        yield merged(fresh, {"metadata": {"name": "web-young", "uid": "pod-web-young", **young}})
    yield service(spec={"ports": [{"port": 80, "targetPort": dice.choice((8080, "http"))}]})
    yield ingress(spec={"ingressClassName": "edge"})
    yield budget(healthy=replicas, expected=replicas)
    yield autoscaler(condition("ScalingActive", "True", "ValidMetricFound"), condition("AbleToScale", "True"))
    rule = {"from": [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": name}}}]}
    yield made("NetworkPolicy", "inside", spec={"podSelector": {}, "policyTypes": ["Ingress"], "ingress": [rule]})
    caller = workload(name="caller", labels={"app": "caller"})
    calls = {"env": [{"name": "WEB", "value": f"http://web.{name}.svc:80"}]}
    yield caller
    yield pod(caller, "caller-1", metadata={"labels": {"app": "caller"}}, spec={"containers": [container(**calls)]})
    healed = pod(current, "web-0")
    yield event(healed, "Unhealthy", "Readiness probe failed: connection refused", minutes=dice.choice((5, 90)))
    yield event(web, "ScalingReplicaSet", "Scaled up replica set web-5d4f8c7b9d to 3", kind="Normal")


def _state(dice: random.Random) -> Iterator[Json]:
    """A StatefulSet with a volume, and a DaemonSet."""
    store = workload("StatefulSet", "store", labels={"app": "store"}, replicas=2, spec={"serviceName": "store"})
    volume = {"volumes": [{"name": "data", "persistentVolumeClaim": {"claimName": "data"}}]}
    yield store
    yield service("store", spec={"selector": {"app": "store"}, "clusterIP": "None"})
    for number in range(2):
        yield pod(store, f"store-{number}", metadata={"labels": {"app": "store"}}, spec=volume)
    yield made("PersistentVolumeClaim", "data", spec={"storageClassName": "standard", "volumeName": "pv-1"}, status={"phase": "Bound"})
    spare = {"spec": {"storageClassName": "standard"}, "status": {"phase": "Pending"}}
    yield made("PersistentVolumeClaim", "not-used-yet", **spare)
    daemon = workload("DaemonSet", "logs", labels={"app": "logs"}, replicas=3)
    yield daemon
    for number in range(3):
        yield pod(daemon, f"logs-{number}", hours=dice.uniform(1, 900), metadata={"labels": {"app": "logs"}})


def _batch(dice: random.Random) -> Iterator[Json]:
    yield job("load", done=True)
    failed = job("import", hours=100, failed=True)
    yield merged(failed, {"status": {"conditions": [condition("Failed", "True", "BackoffLimitExceeded", minutes=60 * 99)]}})
    nightly = made(
        "CronJob", "nightly", spec={"schedule": "0 3 * * *", "concurrencyPolicy": "Forbid"}, status={"lastSuccessfulTime": ago(hours=9)}
    )
    yield nightly
    for number in range(3):
        yield job(f"nightly-{number}", owner=nightly, hours=9 + 24 * number, done=number != 1, failed=number == 1)
    yield made("CronJob", "off", spec={"schedule": "* * * * *", "suspend": True})
    ended = {"metadata": {"labels": {"app": "load"}}, "status": {"phase": "Succeeded", "conditions": [], "containerStatuses": []}}
    yield merged(pod(job("load", done=True), "load-x", hours=dice.uniform(0.2, 40)), ended)


def _wishes(dice: random.Random) -> Iterator[Json]:
    """What people meant so: a workload at zero with its service, a paused one, a quota half used, a pod that has been put out long ago."""
    old = [{"manager": "kubectl", "operation": "Update", "time": ago(days=20)}]
    yield workload(name="parked", labels={"app": "parked"}, replicas=0, metadata={"managedFields": old})
    yield service("parked", spec={"selector": {"app": "parked"}})
    kept = workload(name="kept", labels={"app": "kept"}, spec={"paused": True})
    yield kept
    yield pod(kept, "kept-1", metadata={"labels": {"app": "kept"}})
    used = f"{dice.randint(0, 8)}"
    yield made("ResourceQuota", "team", status={"hard": {"requests.cpu": "10", "pods": "50"}, "used": {"requests.cpu": used, "pods": "12"}})
    put_out = {
        "phase": "Failed",
        "reason": "Evicted",
        "conditions": [condition("Ready", "False", minutes=60 * 80)],
        "containerStatuses": [],
    }
    yield pod(kept, "kept-0", hours=200, metadata={"labels": {"app": "kept"}}, status=put_out)
    late = merged(
        unscheduled(kept, "0/14 nodes are available: 14 Insufficient cpu.", "kept-2"),
        {"metadata": {"labels": {"app": "kept"}, "creationTimestamp": ago(seconds=40)}},
    )
    yield late
    crashed = {"exitCode": 1, "reason": "Error", "finishedAt": ago(days=3)}
    restarted = merged(running(restarts=2, minutes=4000), {"lastState": {"terminated": crashed}})
    yield pod(kept, "kept-3", hours=300, metadata={"labels": {"app": "kept"}}, status={"containerStatuses": [restarted]})
    yield merged(
        pod(kept, "kept-4", is_ready=False, metadata={"labels": {"app": "kept"}, "creationTimestamp": ago(seconds=30)}),
        {"status": {"containerStatuses": [waiting("ErrImagePull", "i/o timeout")], "phase": "Pending"}, "metadata": owned_by(kept)},
    )
