"""What the API server fills in when a field is left out. The store applies it to every object it creates or changes.

`fill` is the defaulting of a kind, which belongs to the writer; `admit` is what admission and allocation add, which is nobody's.

Source of the values: https://kubernetes.io/docs/reference/kubernetes-api/ (the defaults named with each field).
"""

from collections.abc import Callable
from typing import Any
from zlib import crc32

from simulator import pod_defaults
from simulator.quantities import canonical
from simulator.resources import Resource

Json = dict[str, Any]
_RBAC = "rbac.authorization.k8s.io"


def fill(row: Resource, obj: Json) -> None:
    """Set the defaults of `obj` in place; it belongs to the caller."""
    filler = _FILLERS.get(row.plural)
    if filler is not None:
        filler(obj)


def admit(row: Resource, obj: Json) -> None:
    """Add in place what the server decides: addresses, priority, service account, the first status."""
    admitter = _ADMITTERS.get(row.plural)
    if admitter is not None:
        admitter(obj)


def _absent(into: Json, **values: Any) -> None:
    for field, value in values.items():
        into.setdefault(field, value)


def _deployment(obj: Json) -> None:
    spec = _workload(obj)
    _absent(spec, replicas=1, revisionHistoryLimit=10, progressDeadlineSeconds=600)
    strategy = spec.setdefault("strategy", {})
    strategy.setdefault("type", "RollingUpdate")
    if strategy["type"] == "RollingUpdate":
        _absent(strategy.setdefault("rollingUpdate", {}), maxSurge="25%", maxUnavailable="25%")


def _replicated(obj: Json) -> None:
    spec = _workload(obj)
    spec.setdefault("replicas", 1)


def _stateful_set(obj: Json) -> None:
    spec = _workload(obj)
    _absent(spec, replicas=1, podManagementPolicy="OrderedReady", revisionHistoryLimit=10)
    spec.setdefault("persistentVolumeClaimRetentionPolicy", {"whenDeleted": "Retain", "whenScaled": "Retain"})
    strategy = spec.setdefault("updateStrategy", {})
    strategy.setdefault("type", "RollingUpdate")
    if strategy["type"] == "RollingUpdate":
        _absent(strategy.setdefault("rollingUpdate", {}), maxUnavailable=1, partition=0)


def _daemon_set(obj: Json) -> None:
    spec = _workload(obj)
    annotations = obj["metadata"].setdefault("annotations", {})
    annotations.setdefault("deprecated.daemonset.template.generation", "1")
    spec.setdefault("revisionHistoryLimit", 10)
    strategy = spec.setdefault("updateStrategy", {})
    strategy.setdefault("type", "RollingUpdate")
    if strategy["type"] == "RollingUpdate":
        _absent(strategy.setdefault("rollingUpdate", {}), maxSurge=0, maxUnavailable=1)


def _workload(obj: Json) -> Json:
    spec: Json = obj.setdefault("spec", {})
    if isinstance(spec.get("template"), dict):
        pod_defaults.fill_spec(spec["template"].setdefault("spec", {}))
    return spec


def _job(obj: Json) -> None:
    spec = obj.setdefault("spec", {})
    if "parallelism" not in spec and "completions" not in spec:
        spec["completions"] = 1
    _absent(spec, parallelism=1, backoffLimit=6, completionMode="NonIndexed", suspend=False, podReplacementPolicy="TerminatingOrFailed")
    spec.setdefault("manualSelector", False)
    if isinstance(spec.get("template"), dict):
        pod_defaults.fill_spec(spec["template"].setdefault("spec", {}))


def _admit_job(obj: Json) -> None:
    """The selector that only this job's pods match."""
    obj.setdefault("status", {})
    spec, meta = obj["spec"], obj["metadata"]
    if spec["manualSelector"] or spec.get("selector"):
        return
    own = {"batch.kubernetes.io/controller-uid": meta["uid"]}
    spec["selector"] = {"matchLabels": own}
    named = {**own, "batch.kubernetes.io/job-name": meta["name"], "controller-uid": meta["uid"], "job-name": meta["name"]}
    template = spec.setdefault("template", {})
    template["metadata"] = {**template.get("metadata", {}), "labels": {**template.get("metadata", {}).get("labels", {}), **named}}
    if not meta.get("labels"):
        meta["labels"] = dict(template["metadata"]["labels"])


def _cron_job(obj: Json) -> None:
    spec = obj.setdefault("spec", {})
    _absent(spec, concurrencyPolicy="Allow", suspend=False, successfulJobsHistoryLimit=3, failedJobsHistoryLimit=1)
    jobs = spec.get("jobTemplate") or {}
    template = jobs.get("spec", {}).get("template")
    if isinstance(template, dict):
        jobs.setdefault("metadata", {})
        template.setdefault("metadata", {})
        pod_defaults.fill_spec(template.setdefault("spec", {}))


def _autoscaler(obj: Json) -> None:
    spec = obj.setdefault("spec", {})
    spec.setdefault("minReplicas", 1)
    if not spec.get("metrics"):
        spec["metrics"] = [{"type": "Resource", "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 80}}}]
    behavior = spec.get("behavior")
    if behavior:
        down, up = behavior.setdefault("scaleDown", {}), behavior.setdefault("scaleUp", {})
        _absent(down, selectPolicy="Max", policies=[{"type": "Percent", "value": 100, "periodSeconds": 15}])
        rise = [{"type": "Pods", "value": 4, "periodSeconds": 15}, {"type": "Percent", "value": 100, "periodSeconds": 15}]
        _absent(up, selectPolicy="Max", stabilizationWindowSeconds=0, policies=rise)


def _service(obj: Json) -> None:
    spec = obj.setdefault("spec", {})
    _absent(spec, type="ClusterIP", sessionAffinity="None")
    for port in spec.get("ports") or ():
        _absent(port, protocol="TCP", targetPort=port.get("port"))
    if spec["type"] != "ExternalName":
        spec.setdefault("internalTrafficPolicy", "Cluster")


def _admit_service(obj: Json) -> None:
    """Cluster address and node ports, as the allocators give them."""
    spec = obj["spec"]
    obj.setdefault("status", {"loadBalancer": {}})
    if spec["type"] == "ExternalName":
        return
    address = spec.get("clusterIP") or _address(obj["metadata"]["uid"])
    spec["clusterIP"] = address
    _absent(spec, clusterIPs=[address], ipFamilies=["IPv4"], ipFamilyPolicy="SingleStack")
    if spec["type"] in ("NodePort", "LoadBalancer"):
        spec.setdefault("externalTrafficPolicy", "Cluster")
        for index, port in enumerate(spec.get("ports") or ()):
            port.setdefault("nodePort", 30_000 + (crc32(obj["metadata"]["uid"].encode()) + index) % 2_768)


def _address(uid: str) -> str:
    """An address of the service range that follows from the uid."""
    number = crc32(uid.encode()) % (1 << 20)
    return f"10.{96 + (number >> 16)}.{(number >> 8) & 255}.{number % 254 + 1}"


def _network_policy(obj: Json) -> None:
    spec = obj.setdefault("spec", {})
    spec.setdefault("podSelector", {})
    spec.setdefault("policyTypes", ["Ingress", "Egress"] if spec.get("egress") else ["Ingress"])
    for direction in ("ingress", "egress"):
        for rule in spec.get(direction) or ():
            for port in rule.get("ports") or ():
                port.setdefault("protocol", "TCP")


def _namespace(obj: Json) -> None:
    labels = obj["metadata"].setdefault("labels", {})
    labels["kubernetes.io/metadata.name"] = obj["metadata"]["name"]


def _admit_namespace(obj: Json) -> None:
    obj.setdefault("spec", {"finalizers": ["kubernetes"]})
    obj.setdefault("status", {"phase": "Active"})


def _claim(obj: Json) -> None:
    spec = obj.setdefault("spec", {})
    spec.setdefault("volumeMode", "Filesystem")
    _canonical(spec.get("resources", {}).get("requests"))


def _admit_claim(obj: Json) -> None:
    if "status" not in obj:
        obj["status"] = {"phase": "Pending"}
        obj["metadata"].setdefault("finalizers", ["kubernetes.io/pvc-protection"])


def _volume(obj: Json) -> None:
    _absent(obj.setdefault("spec", {}), persistentVolumeReclaimPolicy="Retain", volumeMode="Filesystem")
    _canonical(obj["spec"].get("capacity"))
    if isinstance(obj["spec"].get("hostPath"), dict):
        obj["spec"]["hostPath"].setdefault("type", "")


def _admit_volume(obj: Json) -> None:
    if "status" not in obj:
        obj["status"] = {"phase": "Pending", "lastPhaseTransitionTime": obj["metadata"].get("creationTimestamp")}
        obj["metadata"].setdefault("finalizers", ["kubernetes.io/pv-protection"])


def _secret(obj: Json) -> None:
    import base64  # only secrets need it

    obj.setdefault("type", "Opaque")
    plain = obj.pop("stringData", None)
    if plain:
        encoded = {key: base64.b64encode(str(value).encode()).decode() for key, value in plain.items()}
        obj["data"] = {**(obj.get("data") or {}), **encoded}


def _node(obj: Json) -> None:
    obj.setdefault("spec", {})
    status = obj.setdefault("status", {})
    _canonical(status.get("capacity"))
    _canonical(status.get("allocatable"))


def _quota(obj: Json) -> None:
    _canonical(obj.setdefault("spec", {}).get("hard"))


def _event(obj: Json) -> None:
    """The fields that are written out even when they are empty."""
    _absent(obj, eventTime=None, firstTimestamp=None, lastTimestamp=None, reportingComponent="", reportingInstance="", source={})


def _lease(obj: Json) -> None:
    obj.setdefault("spec", {})


def _slice(obj: Json) -> None:
    for endpoint in obj.get("endpoints") or ():
        endpoint.setdefault("conditions", {})
    for port in obj.get("ports") or ():
        _absent(port, name="", protocol="TCP")


def _binding(obj: Json) -> None:
    for subject in obj.get("subjects") or ():
        if subject.get("kind") in ("User", "Group"):
            subject.setdefault("apiGroup", _RBAC)
    if isinstance(obj.get("roleRef"), dict):
        obj["roleRef"].setdefault("apiGroup", _RBAC)


def _priority_class(obj: Json) -> None:
    obj.setdefault("preemptionPolicy", "PreemptLowerPriority")


def _storage_class(obj: Json) -> None:
    _absent(obj, reclaimPolicy="Delete", volumeBindingMode="Immediate")


def _canonical(amounts: Json | None) -> None:
    for name, amount in (amounts or {}).items():
        if amounts is not None:
            amounts[name] = pod_defaults.quantity(amount, canonical)


def _pod_template(obj: Json) -> None:
    pod_defaults.fill_spec(obj.setdefault("template", {}).setdefault("spec", {}))


def _endpoints(obj: Json) -> None:
    for subset in obj.get("subsets") or ():
        for port in subset.get("ports") or ():
            port.setdefault("protocol", "TCP")


def _limits(obj: Json) -> None:
    for limit in obj.get("spec", {}).get("limits") or ():
        for field in ("max", "min", "default", "defaultRequest"):
            _canonical(limit.get(field))
        if limit.get("type") == "Container":
            _limit_of_containers(limit)


def _limit_of_containers(limit: Json) -> None:
    """A default falls back to the maximum, a default request to the default limit, then to the minimum."""
    for field, others in (("default", ("max",)), ("defaultRequest", ("default", "min"))):
        for other in others:
            for name, amount in (limit.get(other) or {}).items():
                limit.setdefault(field, {}).setdefault(name, amount)


def _definition(obj: Json) -> None:
    spec = obj.setdefault("spec", {})
    spec.setdefault("conversion", {"strategy": "None"})
    names = spec.setdefault("names", {})
    _absent(names, singular=str(names.get("kind", "")).lower(), listKind=f"{names.get('kind', '')}List")


def _admit_definition(obj: Json) -> None:
    """Established at once, as no other definition is asked for its names."""
    spec, moment = obj["spec"], obj["metadata"].get("creationTimestamp")
    told = (
        ("NamesAccepted", "NoConflicts", "no conflicts found"),
        ("Established", "InitialNamesAccepted", "the initial names have been accepted"),
    )
    conditions = [
        {"type": kind, "status": "True", "lastTransitionTime": moment, "reason": reason, "message": message}
        for kind, reason, message in told
    ]
    stored = [each.get("name") for each in spec.get("versions") or () if each.get("storage")]
    obj.setdefault("status", {"conditions": conditions, "acceptedNames": spec["names"], "storedVersions": stored})


_FILLERS: dict[str, Callable[[Json], None]] = {
    "pods": pod_defaults.fill_pod,
    "deployments": _deployment,
    "replicasets": _replicated,
    "replicationcontrollers": _replicated,
    "statefulsets": _stateful_set,
    "daemonsets": _daemon_set,
    "jobs": _job,
    "cronjobs": _cron_job,
    "horizontalpodautoscalers": _autoscaler,
    "services": _service,
    "networkpolicies": _network_policy,
    "namespaces": _namespace,
    "persistentvolumeclaims": _claim,
    "persistentvolumes": _volume,
    "secrets": _secret,
    "podtemplates": _pod_template,
    "endpoints": _endpoints,
    "limitranges": _limits,
    "customresourcedefinitions": _definition,
    "nodes": _node,
    "resourcequotas": _quota,
    "leases": _lease,
    "endpointslices": _slice,
    "rolebindings": _binding,
    "clusterrolebindings": _binding,
    "priorityclasses": _priority_class,
    "storageclasses": _storage_class,
}

_STATUSES: dict[str, Json] = {
    "deployments": {},
    "replicasets": {"replicas": 0},
    "replicationcontrollers": {"replicas": 0},
    "statefulsets": {"replicas": 0, "availableReplicas": 0},
    "daemonsets": {"currentNumberScheduled": 0, "desiredNumberScheduled": 0, "numberMisscheduled": 0, "numberReady": 0},
    "cronjobs": {},
    "horizontalpodautoscalers": {"currentMetrics": None, "desiredReplicas": 0},
    "poddisruptionbudgets": {"currentHealthy": 0, "desiredHealthy": 0, "disruptionsAllowed": 0, "expectedPods": 0},
    "ingresses": {"loadBalancer": {}},
    "resourcequotas": {},
}
"""The status that an object shows before its controller has seen it."""


def _first_status(plural: str) -> Callable[[Json], None]:
    def admit_status(obj: Json) -> None:
        obj.setdefault("status", dict(_STATUSES[plural]))

    return admit_status


_ADMITTERS: dict[str, Callable[[Json], None]] = {
    **{plural: _first_status(plural) for plural in _STATUSES},
    "pods": pod_defaults.admit_pod,
    "jobs": _admit_job,
    "services": _admit_service,
    "events": _event,
    "namespaces": _admit_namespace,
    "persistentvolumeclaims": _admit_claim,
    "persistentvolumes": _admit_volume,
    "customresourcedefinitions": _admit_definition,
}
