"""Faults in where pods may be: requests, quotas, limits, selectors, affinity, taints, priority, admission."""

from typing import Any

from simulator.faults.fault import Fault, bare_pod, blames, restarted, rollout, scaled
from simulator.faults.ground import Ground, Home
from simulator.faults.pods import ANY, BACK
from simulator.faults.writes import Write, create, made, patch

Json = dict[str, Any]
_APP = "app.kubernetes.io/name"


def _asks(**requests: str) -> Any:
    """A rollout with other requests; what is asked of an extended resource is also its limit."""
    extended = {key: value for key, value in requests.items() if "/" in key}
    resources = {"requests": requests, "limits": extended} if extended else {"requests": requests}
    return lambda _, home: (rollout(home, resources=resources),)


def _memory(_: Ground, home: Home) -> tuple[Write, ...]:
    return (rollout(home, resources={"requests": {"memory": "3000Gi"}, "limits": {"memory": "3000Gi"}}),)


def _placed(**spec: Any) -> Any:
    return lambda _, home: (rollout(home, pod=spec),)


def _node_affinity(key: str, *values: str) -> Json:
    terms = [{"matchExpressions": [{"key": key, "operator": "In", "values": list(values)}]}]
    return {"affinity": {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": terms}}}}


def _alone(_: Ground, home: Home) -> tuple[Write, ...]:
    """One pod a node, and more replicas than nodes."""
    rule = {"labelSelector": {"matchLabels": {_APP: home.name}}, "topologyKey": "topology.kubernetes.io/zone"}
    spec = {"affinity": {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [rule]}}}
    return rollout(home, pod=spec), scaled(home, 5, after=60)


def _even(_: Ground, home: Home) -> tuple[Write, ...]:
    """Spread over a topology of which no node has the key."""
    rule = {
        "labelSelector": {"matchLabels": {_APP: home.name}},
        "topologyKey": "example.com/rack",
        "maxSkew": 1,
        "whenUnsatisfiable": "DoNotSchedule",
    }
    return (rollout(home, pod={"topologySpreadConstraints": [rule]}),)


def _host_port(_: Ground, home: Home) -> tuple[Write, ...]:
    """A port of the node, and more replicas than nodes. The namespace is opened for it first."""
    labels = {"pod-security.kubernetes.io/enforce": "privileged"}
    opened = patch("Namespace", "", home.namespace, {"metadata": {"labels": labels}})
    port = {"containerPort": 8080, "hostPort": 8080, "name": "http", "protocol": "TCP"}
    return opened, rollout(home, ports=[port], after=1), scaled(home, 8, after=60)


def _quota(**hard: str) -> Any:
    """A quota below what is used; then a pod goes."""

    def inject(_: Ground, home: Home) -> tuple[Write, ...]:
        quota = made("ResourceQuota", "team", home.namespace, spec={"hard": hard})
        return create(quota), restarted(home, after=30)

    return inject


def _range(_: Ground, home: Home) -> tuple[Write, ...]:
    limit = {"type": "Container", "max": {"memory": "64Mi"}}
    return create(made("LimitRange", "small", home.namespace, spec={"limits": [limit]})), restarted(home, after=30)


def _raised(_: Ground, home: Home) -> tuple[Write, ...]:
    """The namespace is told to refuse what a new template asks for."""
    label = {"pod-security.kubernetes.io/enforce": "restricted"}
    told = patch("Namespace", "", home.namespace, {"metadata": {"labels": label}})
    return told, rollout(home, securityContext={"allowPrivilegeEscalation": True}, after=30)


def _privileged(_: Ground, home: Home) -> tuple[Write, ...]:
    wanted = {"privileged": True, "allowPrivilegeEscalation": True}
    return (rollout(home, securityContext=wanted),)


def _cordoned(ground: Ground, home: Home) -> tuple[Write, ...]:
    """Every node that it may use, and then its pods are made anew."""
    nodes = (patch("Node", "", name, {"spec": {"unschedulable": True}}) for name in ground.pool)
    return *nodes, restarted(home, after=30)


def _tainted(ground: Ground, home: Home) -> tuple[Write, ...]:
    taints = [{"key": "maintenance", "value": "planned", "effect": "NoSchedule"}]
    both = [{"key": f"batch{ground.suffix}", "value": "only", "effect": "NoSchedule"}, *taints]
    nodes = (patch("Node", "", name, {"spec": {"taints": both}}) for name in ground.pool)
    return *nodes, restarted(home, after=30)


def _intolerant(_: Ground, home: Home) -> tuple[Write, ...]:
    return (rollout(home, pod={"tolerations": None}),)


def _unlabelled(ground: Ground, home: Home) -> tuple[Write, ...]:
    nodes = (patch("Node", "", name, {"metadata": {"labels": {"pool": None}}}) for name in ground.pool)
    return *nodes, restarted(home, after=30)


def _important(ground: Ground, home: Home) -> tuple[Write, ...]:
    """A job of a high priority fills the nodes on which others stand."""
    tail = ground.suffix
    high = made("PriorityClass", f"urgent{tail}", value=100_000, globalDefault=False, description="goes first")
    pod = bare_pod(name="main", resources={"requests": {"cpu": "7900m", "memory": "1Gi"}, "limits": {"memory": "1Gi"}})
    tolerated = [{"key": f"batch{tail}", "operator": "Exists"}]
    spec = {**pod, "priorityClassName": f"urgent{tail}", "nodeSelector": {"pool": f"batch{tail}"}, "tolerations": tolerated}
    template = {"metadata": {"labels": {_APP: "rush"}}, "spec": {**spec, "restartPolicy": "Never"}}
    template["metadata"]["annotations"] = {"simulator.day2.dev/run-seconds": "86400", "rig.day2.dev/run-ms": "86400s"}
    job = made("Job", "rush", home.namespace, spec={"parallelism": 2, "completions": 2, "template": template})
    return create(high), create(job, after=1)


FAULTS = (
    Fault(
        id="cpu-beyond-any-node", family="resources", befalls=ANY, inject=_asks(cpu="640"), cause=blames("REL-125"), mends=BACK, on_rig=True
    ),
    Fault(id="memory-beyond-any-node", family="resources", befalls=ANY, inject=_memory, cause=blames("REL-125"), mends=BACK, on_rig=True),
    Fault(
        id="gpu-where-there-is-none",
        family="resources",
        befalls=ANY,
        inject=_asks(**{"nvidia.com/gpu": "1"}),
        cause=blames("REL-125"),
        mends=BACK,
        on_rig=True,
    ),
    Fault(
        id="quota-of-pods-used-up",
        family="quota",
        befalls=("worker",),
        inject=_quota(pods="1"),
        cause=blames("REL-130"),
        mends=("raise_quota",),
        on_rig=True,
    ),
    Fault(
        id="quota-of-cpu-used-up",
        family="quota",
        befalls=("worker", "middle"),
        inject=_quota(**{"requests.cpu": "200m"}),
        cause=blames("REL-130"),
        mends=("raise_quota",),
        on_rig=True,
    ),
    Fault(
        id="quota-asks-for-limits",
        family="quota",
        befalls=("worker",),
        inject=_quota(**{"limits.cpu": "8"}),
        cause=blames("REL-130"),
        on_rig=True,
    ),
    Fault(id="limit-range-too-small", family="quota", befalls=("worker",), inject=_range, cause=blames("REL-131"), on_rig=True),
    Fault(
        id="selector-of-no-node",
        family="affinity",
        befalls=ANY,
        inject=_placed(nodeSelector={"disk": "nvme"}),
        cause=blames("REL-126"),
        mends=BACK,
        on_rig=True,
    ),
    Fault(
        id="affinity-to-no-node",
        family="affinity",
        befalls=ANY,
        inject=_placed(**_node_affinity("topology.kubernetes.io/zone", "zone-z")),
        cause=blames("REL-126"),
        mends=BACK,
        on_rig=True,
    ),
    Fault(id="anti-affinity-without-places", family="affinity", befalls=("worker",), inject=_alone, cause=blames("REL-128"), on_rig=True),
    Fault(id="spread-over-no-topology", family="affinity", befalls=ANY, inject=_even, cause=blames("REL-128"), mends=BACK, on_rig=True),
    Fault(
        id="toleration-gone",
        family="taint",
        befalls=("batch",),
        inject=_intolerant,
        cause=blames("REL-127"),
        mends=BACK,
        on_rig=True,
    ),
    Fault(id="taint-on-every-place", family="taint", befalls=("batch",), inject=_tainted, cause=blames("REL-127"), on_rig=True),
    Fault(
        id="nodes-cordoned",
        family="taint",
        befalls=("batch",),
        inject=_cordoned,
        cause=blames("REL-127"),
        mends=("uncordon_node",),
        on_rig=True,
    ),
    Fault(id="label-of-nodes-gone", family="affinity", befalls=("batch",), inject=_unlabelled, cause=blames("REL-126"), on_rig=True),
    Fault(
        id="preempted-by-a-rush",
        family="preemption",
        befalls=("batch",),
        inject=_important,
        cause=blames("REL-125", "REL-119"),
        on_rig=True,
    ),
    Fault(id="security-level-raised", family="admission", befalls=ANY, inject=_raised, cause=blames("REL-131"), mends=BACK, on_rig=True),
    Fault(
        id="privileged-where-refused", family="admission", befalls=ANY, inject=_privileged, cause=blames("REL-131"), mends=BACK, on_rig=True
    ),
    Fault(
        id="account-missing",
        family="admission",
        befalls=ANY,
        inject=_placed(serviceAccountName="missing-account"),
        cause=blames("REL-132"),
        mends=BACK,
        on_rig=True,
    ),
    Fault(
        id="priority-class-missing",
        family="admission",
        befalls=ANY,
        inject=_placed(priorityClassName="gold"),
        cause=blames("REL-132"),
        mends=BACK,
        on_rig=True,
    ),
    Fault(
        id="gate-never-lifted",
        family="admission",
        befalls=ANY,
        inject=_placed(schedulingGates=[{"name": "example.com/hold"}]),
        cause=blames("REL-124", "REL-133"),
        wait_seconds=4200,
        on_rig=True,
    ),
)
