"""One planted fault for each named condition, and its healthy twin: the same objects without what is wrong."""

import base64
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any, NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from core.domain.values import Json
from tests.agents.reliability.conditions.objects import (
    NOW,
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


class Case(NamedTuple):
    """`also` are other conditions that the same fault rightly shows."""

    code: str
    subject: str
    fault: tuple[Json, ...]
    twin: tuple[Json, ...]
    also: frozenset[str] = frozenset()
    name: str = ""


CASES: list[Case] = []


def case(code: str, subject: str, fault: list[Json], twin: list[Json], *also: str, name: str = "") -> None:
    CASES.append(Case(code, subject, tuple(fault), tuple(twin), frozenset(also), name))


WEB = workload()
SET = replica_set(WEB)
FAMILY = [WEB, SET]
HEALTHY = [*FAMILY, pod(SET)]
STATEFUL = workload("StatefulSet", "db", spec={"serviceName": "db"})
DB_SERVICE = service("db", spec={"selector": {"app": "web"}})


def with_status(*statuses: Json, init: bool = False, is_ready: bool = False, **more: Any) -> Json:
    key = "initContainerStatuses" if init else "containerStatuses"
    base = pod(SET, is_ready=is_ready, status={"phase": "Pending" if init else "Running", key: list(statuses)})
    return merged(base, more)


# Containers
for label, status in {
    "fails": waiting("CrashLoopBackOff", name="setup", restarts=5, last={"exitCode": 3, "finishedAt": ago(minutes=2)}),
    "hangs": merged(running("setup", minutes=45), {"ready": False}),
}.items():
    init = {"spec": {"initContainers": [container("setup")]}}
    fault = with_status(status, init=True, **init)
    fault["status"]["containerStatuses"] = [waiting("PodInitializing")]
    ended = {**running("setup"), "state": {"terminated": {"exitCode": 0, "reason": "Completed"}}}
    case(
        "REL-109",
        "apps/deployment/web",
        [*FAMILY, fault],
        [*FAMILY, merged(pod(SET), {**init, "status": {"initContainerStatuses": [ended]}})],
        name=label,
    )

MISSING = {
    "config map": 'configmap "web-env" not found',
    "secret": 'secret "web-key" not found',
    "key": "couldn't find key url in ConfigMap apps/web-env",
}
for label, message in MISSING.items():
    case("REL-110", "apps/deployment/web", [*FAMILY, with_status(waiting("CreateContainerConfigError", message))], HEALTHY, name=label)

case(
    "REL-111",
    "apps/deployment/web",
    [*FAMILY, with_status(waiting("CreateContainerError", "failed to apply seccomp profile"))],
    HEALTHY,
)
NOT_FOUND = 'exec: "/bin/serve": stat /bin/serve: no such file or directory: unknown'
case(
    "REL-112",
    "apps/deployment/web",
    [
        *FAMILY,
        with_status(
            waiting("RunContainerError", NOT_FOUND, restarts=2, last={"exitCode": 128, "reason": "StartError", "message": NOT_FOUND})
        ),
    ],
    HEALTHY,
    name="start error",
)
case(
    "REL-112",
    "apps/deployment/web",
    [*FAMILY, with_status(waiting("CrashLoopBackOff", "back-off", restarts=2, last={"exitCode": 127, "reason": "Error"}))],
    HEALTHY,
    name="exit code",
)
FOREIGN = {"exitCode": 1, "reason": "Error", "message": "exec /bin/serve: exec format error"}
case("REL-113", "apps/deployment/web", [*FAMILY, with_status(waiting("CrashLoopBackOff", restarts=2, last=FOREIGN))], HEALTHY)

PROBED = pod(SET, status={"containerStatuses": [running(restarts=7, minutes=3)]})
PROBES = [
    event(PROBED, "Unhealthy", "Liveness probe failed: HTTP probe failed with statuscode: 500"),
    event(PROBED, "Killing", "Container app failed liveness probe, will be restarted"),
]
case("REL-114", "apps/deployment/web", [*FAMILY, PROBED, *PROBES], [*FAMILY, PROBED])

UNREADY = pod(SET, is_ready=False, status={"containerStatuses": [merged(running(), {"ready": False})]})
REFUSED = event(UNREADY, "Unhealthy", 'Readiness probe failed: Get "http://10.0.0.7:9090/": connect: connection refused')
case(
    "REL-115",
    "apps/deployment/web",
    [*FAMILY, UNREADY, REFUSED],
    [*HEALTHY, event(pod(SET), "Unhealthy", "Readiness probe failed: timeout")],
)

NAMED = container(ports=[{"name": "http", "containerPort": 8080}], readinessProbe={"httpGet": {"path": "/", "port": "http"}})
case(
    "REL-116",
    "apps/deployment/web",
    [*FAMILY, pod(SET, spec={"containers": [merged(NAMED, {"readinessProbe": {"httpGet": {"port": "web"}}})]})],
    [*FAMILY, pod(SET, spec={"containers": [NAMED]})],
)
case(
    "REL-117",
    "apps/statefulset/db",
    [
        STATEFUL,
        DB_SERVICE,
        pod(STATEFUL, "db-0", is_ready=False, status={"phase": "Pending", "containerStatuses": [waiting("ImagePullBackOff", "not found")]}),
    ],
    [STATEFUL, DB_SERVICE, pod(STATEFUL, "db-0")],
    "REL-150",
)

# Lifecycles
GONE = pod(
    SET,
    "web-gone",
    status={"phase": "Failed", "reason": "Evicted", "message": "The node was low on resource: memory.", "containerStatuses": []},
)
case(
    "REL-118",
    "apps/deployment/web",
    [*HEALTHY, GONE],
    [*HEALTHY, merged(GONE, {"status": {"conditions": [condition("Ready", "False", minutes=3000)]}})],
)
PREEMPTED = condition("DisruptionTarget", "True", "PreemptionByScheduler", "preempting to accommodate a higher priority pod", minutes=20)
case(
    "REL-119",
    "apps/deployment/web",
    [*HEALTHY, pod(SET, "web-0", status={"phase": "Failed", "conditions": [PREEMPTED]})],
    [*HEALTHY, pod(SET, "web-0", status={"phase": "Failed", "conditions": [merged(PREEMPTED, {"lastTransitionTime": ago(days=3)})]})],
)
LEAVING = {"deletionTimestamp": ago(minutes=40), "finalizers": ["example.com/hold"]}
case(
    "REL-120",
    "apps/deployment/web",
    [*HEALTHY, pod(SET, "web-old", metadata=LEAVING)],
    [*HEALTHY, pod(SET, "web-old", metadata={**LEAVING, "deletionTimestamp": ago(minutes=1)})],
)
STARTING = pending(SET)
for code, reason, message in (
    ("REL-121", "FailedMount", 'MountVolume.SetUp failed for volume "data": rpc error: connection refused'),
    ("REL-122", "FailedAttachVolume", "Multi-Attach error for volume pvc-1: volume is already exclusively attached to one node"),
    ("REL-123", "FailedCreatePodSandBox", "failed to set up sandbox container: no IP addresses available"),
):
    case(code, "apps/deployment/web", [*FAMILY, STARTING, event(STARTING, reason, message)], [*HEALTHY, event(pod(SET), reason, message)])
GATES = {"nodeName": "", "schedulingGates": [{"name": "example.com/quota"}]}
case(
    "REL-124",
    "apps/deployment/web",
    [*FAMILY, pending(SET, spec=GATES, status={"containerStatuses": []})],
    [*FAMILY, merged(pending(SET, spec=GATES, status={"containerStatuses": []}), {"metadata": {"creationTimestamp": ago(minutes=20)}})],
)

# Scheduling
for code, message in {
    "REL-125": "0/6 nodes are available: 2 node(s) had untolerated taint {gpu: true}, 4 Insufficient cpu. preemption: no.",
    "REL-126": "0/6 nodes are available: 1 node(s) had untolerated taint {gpu: true}, 5 node(s) didn't match Pod's node affinity/selector.",
    "REL-127": "0/6 nodes are available: 2 node(s) were unschedulable, 4 node(s) had untolerated taint {dedicated: db}.",
    "REL-128": "0/6 nodes are available: 1 node(s) had untolerated taint {a: b}, 5 node(s) didn't match pod anti-affinity rules.",
    "REL-129": "0/6 nodes are available: 6 node(s) had volume node affinity conflict. preemption: not helpful.",
}.items():
    case(
        code,
        "apps/deployment/web",
        [*FAMILY, unscheduled(SET, message)],
        [*FAMILY, merged(unscheduled(SET, message), {"metadata": {"creationTimestamp": ago(minutes=1)}})],
    )

# Creation
for code, message in {
    "REL-130": 'pods "web-x" is forbidden: exceeded quota: apps, requested: requests.cpu=1, used: requests.cpu=4, limited: requests.cpu=4',
    "REL-131": 'pods "web-x" is forbidden: violates PodSecurity "restricted:latest": privileged (container "app" must not set it)',
    "REL-132": 'pods "web-x" is forbidden: error looking up service account apps/web: serviceaccount "web" not found',
}.items():
    failing = replica_set(WEB, status={"conditions": [condition("ReplicaFailure", "True", "FailedCreate", message)], "replicas": 0})
    case(code, "apps/deployment/web", [WEB, failing], [WEB, failing, pod(failing)], name="condition")
    case(
        code,
        "apps/statefulset/db",
        [STATEFUL, DB_SERVICE, event(STATEFUL, "FailedCreate", message)],
        [STATEFUL, DB_SERVICE, pod(STATEFUL, "db-0")],
        name="event",
    )

TOO_LATE = condition("Progressing", "False", "ProgressDeadlineExceeded", 'ReplicaSet "web-5d" has timed out progressing.')
case(
    "REL-133",
    "apps/deployment/web",
    [workload(status={"conditions": [TOO_LATE]}), SET, pod(SET)],
    [workload(status={"conditions": [condition("Progressing", "True", "NewReplicaSetAvailable")]}), SET, pod(SET)],
)
HALF = {"replicas": 4, "updatedReplicas": 1, "conditions": [condition("Available", "True", minutes=3000)]}
case(
    "REL-134",
    "apps/deployment/web",
    [workload(spec={"paused": True}, status=HALF), SET, pod(SET)],
    [workload(spec={"paused": True}), SET, pod(SET)],
)
WRITTEN = [{"manager": "kubectl", "operation": "Update", "time": ago(minutes=30)}]
case(
    "REL-135",
    "apps/deployment/web",
    [workload(metadata={"generation": 4, "managedFields": WRITTEN}, status={"observedGeneration": 3}), SET, pod(SET)],
    [
        workload(metadata={"generation": 4, "managedFields": [{**WRITTEN[0], "time": ago(minutes=1)}]}, status={"observedGeneration": 3}),
        SET,
        pod(SET),
    ],
)

# Workloads
THREE = workload("StatefulSet", "db", replicas=3, spec={"serviceName": "db"})
case(
    "REL-136",
    "apps/statefulset/db",
    [THREE, DB_SERVICE, pod(THREE, "db-0"), pod(THREE, "db-1", is_ready=False)],
    [THREE, DB_SERVICE, pod(THREE, "db-0"), pod(THREE, "db-1"), pod(THREE, "db-2")],
    "REL-103",
)
case("REL-137", "apps/statefulset/db", [STATEFUL, pod(STATEFUL, "db-0")], [STATEFUL, DB_SERVICE, pod(STATEFUL, "db-0")])
DAEMON = workload("DaemonSet", "agent", replicas=2)
case(
    "REL-138",
    "apps/daemonset/agent",
    [merged(DAEMON, {"status": {"numberReady": 1}}), pod(DAEMON, "agent-a"), pod(DAEMON, "agent-b", is_ready=False)],
    [DAEMON, pod(DAEMON, "agent-a"), pod(DAEMON, "agent-b")],
    "REL-103",
)
case(
    "REL-139",
    "apps/deployment/web2",
    [WEB, SET, pod(SET), workload(name="web2")],
    [WEB, SET, pod(SET), workload(name="web2", labels={"app": "web2"})],
)


def job(name: str = "load", *, owner: Json | None = None, hours: float = 1, failed: bool = False, done: bool = False, **more: Any) -> Json:
    conditions = [condition("Failed", "True", "BackoffLimitExceeded", "Job has reached the specified backoff limit")] if failed else []
    ended = {"completionTime": ago(minutes=5), "succeeded": 1} if done else {}
    meta = owned_by(owner) if owner else {}
    base = made(
        "Job",
        name,
        days=hours / 24,
        metadata=meta,
        spec={"template": {"spec": {}}},
        status={"conditions": conditions, "failed": 7 * failed, **ended},
    )
    return merged(base, more)


case("REL-140", "apps/job/load", [job(failed=True)], [job(done=True)])
CRON = made("CronJob", "nightly", spec={"schedule": "0 3 * * *", "concurrencyPolicy": "Forbid"}, status={"lastSuccessfulTime": ago(days=4)})
FAILURES = [job(f"nightly-{number}", owner=CRON, hours=24 * number, failed=True) for number in (1, 2, 3)]
case("REL-141", "apps/cronjob/nightly", [CRON, *FAILURES], [CRON, job("nightly-0", owner=CRON, done=True), *FAILURES])
MISSED = event(CRON, "TooManyMissedTimes", "too many missed start times: 101. Set or decrease .spec.startingDeadlineSeconds")
case("REL-142", "apps/cronjob/nightly", [CRON, MISSED], [merged(CRON, {"spec": {"suspend": True}}), MISSED])
case(
    "REL-143",
    "apps/cronjob/nightly",
    [CRON, job("nightly-9", owner=CRON, hours=40, status={"active": 1})],
    [CRON, job("nightly-9", owner=CRON, hours=2, status={"active": 1})],
)
DONE = {"terminated": {"exitCode": 0, "reason": "Completed", "finishedAt": ago(minutes=3)}}
case(
    "REL-144",
    "apps/deployment/web",
    [*FAMILY, pod(SET, status={"containerStatuses": [merged(running(restarts=9, minutes=1), {"lastState": DONE})]})],
    [*FAMILY, pod(SET, status={"containerStatuses": [merged(running(restarts=1), {"lastState": DONE})]})],
)

# Services
case("REL-145", "apps/service/web", [*HEALTHY, service(spec={"selector": {"app": "webb"}})], [*HEALTHY, service()])
WRITE = [{"manager": "kubectl", "operation": "Update", "time": ago(hours=1), "subresource": "scale"}]
CALLER = workload(name="shop", labels={"app": "shop"})
CALLS = {"env": [{"name": "WEB", "value": "http://web.apps.svc.cluster.local:80/"}]}
CALLING = pod(CALLER, "shop-1", metadata={"labels": {"app": "shop"}}, spec={"containers": [container(**CALLS)]})
EMPTY = workload(replicas=0, metadata={"managedFields": WRITE})
case("REL-146", "apps/deployment/web", [EMPTY, service(), CALLER, CALLING], [EMPTY, service()])
case("REL-147", "apps/deployment/shop", [CALLER, CALLING], [CALLER, CALLING, *HEALTHY, service()])
LISTENS = pod(SET, spec={"containers": [container(ports=[{"name": "http", "containerPort": 8080}])]})
case(
    "REL-148",
    "apps/service/web",
    [*FAMILY, LISTENS, service(spec={"ports": [{"port": 80, "targetPort": 9090}]})],
    [*FAMILY, LISTENS, service()],
    name="number",
)
case(
    "REL-148",
    "apps/service/web",
    [*FAMILY, LISTENS, service(spec={"ports": [{"port": 80, "targetPort": "grpc"}]})],
    [*FAMILY, LISTENS, service(spec={"ports": [{"port": 80, "targetPort": "http"}]})],
    name="name",
)
case("REL-150", "apps/service/web", [*FAMILY, UNREADY, service()], [*HEALTHY, service()])
case(
    "REL-151",
    "apps/service/web",
    [*HEALTHY, service(spec={"type": "LoadBalancer"})],
    [*HEALTHY, service(spec={"type": "LoadBalancer"}, status={"loadBalancer": {"ingress": [{"ip": "192.0.2.1"}]}})],
)


def ingress(name: str = "web", backend: str = "web", port: int = 80, **more: Any) -> Json:
    path = {"path": "/", "backend": {"service": {"name": backend, "port": {"number": port}}}}
    return made("Ingress", name, **merged({"spec": {"rules": [{"http": {"paths": [path]}}]}}, more))


case("REL-152", "apps/ingress/web", [*HEALTHY, service(), ingress(backend="wbe")], [*HEALTHY, service(), ingress()], name="service")
case("REL-152", "apps/ingress/web", [*HEALTHY, service(), ingress(port=8080)], [*HEALTHY, service(), ingress()], name="port")
CLASSED = ingress(spec={"ingressClassName": "nginx"})
case("REL-153", "apps/ingress/web", [*HEALTHY, service(), CLASSED], [*HEALTHY, service(), CLASSED, made("IngressClass", "nginx")])

# Paths
CLOSED = made("NetworkPolicy", "web-only", spec={"podSelector": {"matchLabels": {"app": "web"}}, "policyTypes": ["Ingress"], "ingress": []})
OPEN = merged(CLOSED, {"spec": {"ingress": [{"from": [{"podSelector": {"matchLabels": {"app": "shop"}}}]}]}})
AROUND = [*HEALTHY, service(), CALLER]
case("REL-154", "apps/networkpolicy/web-only", [*AROUND, CALLING, CLOSED], [*AROUND, CALLING, OPEN])
for label, settings in {"default": {"dnsPolicy": "Default"}, "none": {"dnsPolicy": "None"}, "host": {"hostNetwork": True}}.items():
    case("REL-155", "apps/deployment/shop", [*AROUND, merged(CALLING, {"spec": settings})], [*AROUND, CALLING], name=label)
DNS = service("kube-dns", namespace="kube-system", metadata={"labels": {"k8s-app": "kube-dns"}}, spec={"selector": {"k8s-app": "kube-dns"}})
DNS_POD = {"namespace": "kube-system", "labels": {"k8s-app": "kube-dns"}}
case(
    "REL-156",
    "kube-system/service/kube-dns",
    [DNS, pod(None, "coredns-1", is_ready=False, metadata=DNS_POD)],
    [DNS, pod(None, "coredns-1", metadata=DNS_POD)],
)


# Limits
def autoscaler(*conditions: Json, target: str = "web") -> Json:
    ref = {"apiVersion": "apps/v1", "kind": "Deployment", "name": target}
    return made("HorizontalPodAutoscaler", "web", spec={"scaleTargetRef": ref, "maxReplicas": 5}, status={"conditions": list(conditions)})


case(
    "REL-157",
    "apps/horizontalpodautoscaler/web",
    [*HEALTHY, autoscaler(condition("ScalingActive", "False", "FailedGetResourceMetric", "missing request for cpu"))],
    [*HEALTHY, autoscaler(condition("ScalingActive", "False", "ScalingDisabled"))],
)
case("REL-158", "apps/horizontalpodautoscaler/web", [*HEALTHY, autoscaler(target="wbe")], [*HEALTHY, autoscaler()])


def budget(name: str = "web", *, allowed: int = 1, healthy: int = 2, desired: int = 1, expected: int = 2, **more: Any) -> Json:
    spec = {"selector": {"matchLabels": {"app": "web"}}, "minAvailable": desired}
    status = {"disruptionsAllowed": allowed, "currentHealthy": healthy, "desiredHealthy": desired, "expectedPods": expected}
    return made("PodDisruptionBudget", name, **merged({"spec": spec, "status": status}, more))


PAIR = [workload(replicas=2), SET, pod(SET), pod(SET, "web-2")]
case("REL-159", "apps/poddisruptionbudget/web", [*PAIR, budget(allowed=0, desired=2)], [*PAIR, budget()])
case("REL-160", "apps/poddisruptionbudget/web", [*FAMILY, UNREADY, budget(allowed=0, healthy=0, expected=1)], [*PAIR, budget()])
case("REL-161", "apps/poddisruptionbudget/web", [*PAIR, budget(spec={"selector": {"matchLabels": {"app": "wbe"}}})], [*PAIR, budget()])
case("REL-162", "apps/poddisruptionbudget/web", [*PAIR, budget(), budget("web-too")], [*PAIR, budget()])
case(
    "REL-163",
    "apps/resourcequota/apps",
    [*HEALTHY, made("ResourceQuota", "apps", status={"hard": {"requests.cpu": "10"}, "used": {"requests.cpu": "9800m"}})],
    [*HEALTHY, made("ResourceQuota", "apps", status={"hard": {"requests.cpu": "10"}, "used": {"requests.cpu": "5"}})],
)


# Storage
def claim(**more: Any) -> Json:
    return made("PersistentVolumeClaim", "data", **merged({"spec": {"storageClassName": "fast"}, "status": {"phase": "Pending"}}, more))


FAST = made("StorageClass", "fast", provisioner="csi.example.com", volumeBindingMode="Immediate")
case("REL-149", "apps/persistentvolumeclaim/data", [claim()], [claim(spec={"volumeName": "pv-1"}, status={"phase": "Bound"})], name="named")
DEFAULT = merged(FAST, {"metadata": {"annotations": {"storageclass.kubernetes.io/is-default-class": "true"}}})
case(
    "REL-149",
    "apps/persistentvolumeclaim/data",
    [claim(spec={"storageClassName": None}), FAST],
    [claim(spec={"storageClassName": None}), DEFAULT],
    name="default",
)
NO_DISK = event(claim(), "ProvisioningFailed", "rpc error: code = ResourceExhausted desc = quota of disks is used up")
case(
    "REL-164",
    "apps/persistentvolumeclaim/data",
    [claim(), FAST, NO_DISK],
    [claim(), merged(FAST, {"volumeBindingMode": "WaitForFirstConsumer"})],
)
case("REL-165", "apps/persistentvolumeclaim/data", [claim(status={"phase": "Lost"}), FAST], [claim(status={"phase": "Bound"}), FAST])
case(
    "REL-166",
    "persistentvolume/pv-1",
    [made("PersistentVolume", "pv-1", status={"phase": "Failed", "message": "no deletable volume plugin matched"})],
    [made("PersistentVolume", "pv-1", status={"phase": "Released"})],
)
MOUNTS = {"volumes": [{"name": "data", "persistentVolumeClaim": {"claimName": "data"}}]}
case(
    "REL-167",
    "apps/deployment/web",
    [*FAMILY, pending(SET, spec=MOUNTS)],
    [*FAMILY, pod(SET, spec=MOUNTS), claim(status={"phase": "Bound"}), FAST],
)


# Platform
def cordoned(**span: float) -> Json:
    taint = {"key": "node.kubernetes.io/unschedulable", "effect": "NoSchedule", "timeAdded": ago(**span)}
    return node(spec={"unschedulable": True, "taints": [taint]})


case("REL-168", "node/node-1", [cordoned(days=9), node("node-2")], [cordoned(hours=2), node("node-2")])


def fenced(**span: float) -> Json:
    taint = {"key": "node.kubernetes.io/out-of-service", "value": "nodeshutdown", "effect": "NoExecute"}
    ready = {"type": "Ready", "status": "True", "reason": "KubeletReady", "lastTransitionTime": ago(**span)}
    return node(spec={"taints": [taint]}, status={"conditions": [ready]})


case("REL-208", "node/node-1", [fenced(minutes=20), node("node-2")], [fenced(minutes=2), node("node-2")])
case(
    "REL-169",
    "node/node-1",
    [node(status={"allocatable": {"pods": "2"}}), node("node-2"), *PAIR],
    [node(), node("node-2"), *PAIR],
)
LARGE = {"spec": {"containers": [container(resources={"requests": {"cpu": "6", "memory": "1Gi"}})]}}
ELSEWHERE = {"spec": {"nodeName": "node-2"}}
case(
    "REL-170",
    "node/node-2",
    [*FAMILY, pod(SET, **LARGE), merged(pod(SET, "web-2", **LARGE), ELSEWHERE)],
    [*FAMILY, pod(SET, **LARGE), pod(SET, "web-2")],
)
case(
    "REL-171",
    "node/node-1",
    [node(status={"nodeInfo": {"kubeletVersion": "v1.31.4"}}), node("node-2")],
    [node(status={"nodeInfo": {"kubeletVersion": "v1.34.0"}}), node("node-2")],
)
LEFT = condition(
    "NamespaceContentRemaining", "True", "SomeResourcesRemain", "Some resources are remaining: widgets.example.com has 1 resource instances"
)


def ending(**span: float) -> Json:
    return made("Namespace", "old", metadata={"deletionTimestamp": ago(**span)}, status={"phase": "Terminating", "conditions": [LEFT]})


case("REL-172", "namespace/old", [ending(hours=3)], [ending(minutes=2)])


def webhook(kind: str = "ValidatingWebhookConfiguration", *, ends: timedelta = timedelta(days=400), **more: Any) -> Json:
    client = {"service": {"namespace": "apps", "name": "web"}, "caBundle": authority(ends)}
    rule = {"operations": ["CREATE"], "resources": ["deployments"], "apiGroups": ["apps"], "apiVersions": ["v1"]}
    one = {
        "name": "check.example.com",
        "clientConfig": client,
        "failurePolicy": "Fail",
        "namespaceSelector": {},
        "objectSelector": {},
        "rules": [rule],
    }
    return made(kind, "check", webhooks=[merged(one, more)])


@cache
def authority(lasts: timedelta) -> str:
    """A CA certificate that ends so long after the tests' now, as a caBundle."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "webhook")])
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(1)
    signed = builder.not_valid_before(datetime(2020, 1, 1, tzinfo=UTC)).not_valid_after(NOW + lasts).sign(key, hashes.SHA256())
    return base64.b64encode(signed.public_bytes(Encoding.PEM)).decode()


case("REL-173", "validatingwebhookconfiguration/check", [webhook()], [webhook(), *HEALTHY, service()], name="no service")
case(
    "REL-173",
    "mutatingwebhookconfiguration/check",
    [webhook("MutatingWebhookConfiguration"), *FAMILY, UNREADY, service()],
    [webhook(failurePolicy="Ignore")],
    "REL-150",
    name="not ready",
)
PODS = [{"operations": ["CREATE"], "resources": ["pods"], "apiGroups": [""], "apiVersions": ["v1"]}]
NOT_ITSELF = {"matchExpressions": [{"key": "kubernetes.io/metadata.name", "operator": "NotIn", "values": ["apps"]}]}
case(
    "REL-174",
    "validatingwebhookconfiguration/check",
    [webhook(rules=PODS), *HEALTHY, service()],
    [webhook(rules=PODS, namespaceSelector=NOT_ITSELF), *HEALTHY, service()],
)
case(
    "REL-175",
    "validatingwebhookconfiguration/check",
    [webhook(ends=timedelta(days=6)), *HEALTHY, service()],
    [webhook(ends=timedelta(days=90)), *HEALTHY, service()],
)


def api(*conditions: Json) -> Json:
    spec = {"group": "metrics.k8s.io", "version": "v1beta1", "service": {"namespace": "kube-system", "name": "metrics-server"}}
    return made("APIService", "v1beta1.metrics.k8s.io", spec=spec, status={"conditions": list(conditions)})


case(
    "REL-176",
    "apiservice/v1beta1.metrics.k8s.io",
    [api(condition("Available", "False", "MissingEndpoints", "endpoints for service/metrics-server have no addresses"))],
    [api(condition("Available", "True", "Passed"))],
)


# Hardware
def with_gpus(offered: str = "4", name: str = "node-1", **labels: str) -> Json:
    room = {"cpu": "8", "memory": "32Gi", "pods": "110"}
    status = {"capacity": {**room, "nvidia.com/gpu": "4"}, "allocatable": {**room, "nvidia.com/gpu": offered}}
    return node(name, status=status, metadata={"labels": {"nvidia.com/gpu.product": "H100", **labels}})


def devices(*taints: Json, slices: int = 1) -> Json:
    pool = {"name": "node-1", "generation": 3, "resourceSliceCount": slices}
    offered = [{"name": "gpu-0", "taints": list(taints)}, {"name": "gpu-1"}]
    return made("ResourceSlice", "node-1-gpus", spec={"driver": "gpu.nvidia.com", "nodeName": "node-1", "pool": pool, "devices": offered})


def driven(version: str, name: str = "node-1", toolkit: str = "12") -> Json:
    labels = {"nvidia.com/cuda.driver-version.full": version, "nvidia.com/cuda.runtime-version.major": "12"}
    return with_gpus("4", name, **labels, **{"nvidia.com/cuda.runtime.major": toolkit})


NEIGHBOURS = [driven("570.86", f"node-{number}") for number in (2, 3)]
case("REL-205", "node/node-1", [with_gpus("3"), node("node-2")], [with_gpus(), node("node-2")])
case("REL-206", "resourceslice/node-1-gpus", [devices({"key": "gpu.nvidia.com/xid", "effect": "NoExecute"})], [devices()], name="tainted")
case("REL-206", "resourceslice/node-1-gpus", [devices(slices=2)], [devices(slices=1)], name="missing")
case("REL-207", "node/node-1", [driven("535.12"), *NEIGHBOURS], [driven("570.86"), *NEIGHBOURS], name="driver")
case("REL-207", "node/node-1", [driven("570.86", toolkit="13"), *NEIGHBOURS], [driven("570.86"), *NEIGHBOURS], name="toolkit")
