"""The columns that `kubectl get` shows of each kind: one table. Called by `tables`.

A column is named as kubectl names it; a name in brackets shows only with `-o wide`; a name that ends in # holds whole numbers,
in ? yes or no, in @ a time.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any, NamedTuple

from simulator.ages import age, human, since
from simulator.clock import parse
from simulator.pod_status import pod_cells
from simulator.resources import Column, Resource
from simulator.routes.scaling import selector_text

Json = dict[str, Any]
Cells = list[Any]
_TYPES = {"#": "integer", "?": "boolean", "@": "date"}


class Printed(NamedTuple):
    """How one kind is shown."""

    names: tuple[str, ...]
    cells: Callable[[Json, datetime], Cells]

    def definitions(self) -> list[Json]:
        return [_definition(name) for name in self.names]


def of(row: Resource) -> Printed:
    """The columns of a resource; name and age for one without columns of its own, or what its definition says."""
    return _defined(row.columns) if row.definition else _PRINTED.get(row.plural, _PLAIN)


def _defined(declared: tuple[Column, ...]) -> Printed:
    """Columns as a definition declares them. Of JSON paths only plain ones are read."""
    marks = {kind: mark for mark, kind in _TYPES.items()}
    names = [f"[{each.name}{marks.get(each.kind, '')}]" if each.priority else each.name + marks.get(each.kind, "") for each in declared]

    def cells(obj: Json, now: datetime) -> Cells:
        return [_name(obj), *(_cell(obj, each, now) for each in declared)]

    return Printed(("Name", *names), cells)


def _cell(obj: Json, column: Column, now: datetime) -> Any:
    found: Any = obj
    for step in column.path.strip(".").split("."):
        found = found.get(step) if isinstance(found, dict) else None
    return since(found, now) if column.kind == "date" and isinstance(found, str) else found


def _definition(name: str) -> Json:
    wide, shown = name.startswith("["), name.strip("[]")
    kind = _TYPES.get(shown[-1], "string")
    named = "name" if shown in ("Name", "Attacher") else ""
    return {"name": shown.rstrip("#?@"), "type": kind, "format": named, "description": "", "priority": 1 if wide else 0}


def _name(obj: Json) -> str:
    return str(obj["metadata"]["name"])


def _containers(template: Json) -> Cells:
    listed = (template.get("spec") or {}).get("containers") or []
    return [",".join(each.get("name", "") for each in listed), ",".join(each.get("image", "") for each in listed)]


def _selector(spec: Json) -> str:
    return selector_text(spec.get("selector")) or "<none>"


def _parts(obj: Json) -> tuple[Json, Json]:
    return obj.get("spec") or {}, obj.get("status") or {}


def _plain(obj: Json, now: datetime) -> Cells:
    return [_name(obj), age(obj, now)]


def _created(obj: Json, _now: datetime) -> Cells:
    return [_name(obj), obj["metadata"].get("creationTimestamp", "")]


def _deployment(obj: Json, now: datetime) -> Cells:
    spec, status = _parts(obj)
    ready = f"{status.get('readyReplicas', 0)}/{spec.get('replicas', 0)}"
    counts = [str(status.get("updatedReplicas", 0)), str(status.get("availableReplicas", 0))]
    return [_name(obj), ready, *counts, age(obj, now), *_containers(spec.get("template", {})), _selector(spec)]


def _replica_set(obj: Json, now: datetime) -> Cells:
    spec, status = _parts(obj)
    counts = [spec.get("replicas", 0), status.get("replicas", 0), status.get("readyReplicas", 0)]
    return [_name(obj), *counts, age(obj, now), *_containers(spec.get("template", {})), _selector(spec)]


def _stateful_set(obj: Json, now: datetime) -> Cells:
    spec, status = _parts(obj)
    return [
        _name(obj),
        f"{status.get('readyReplicas', 0)}/{spec.get('replicas', 0)}",
        age(obj, now),
        *_containers(spec.get("template", {})),
    ]


def _daemon_set(obj: Json, now: datetime) -> Cells:
    spec, status = _parts(obj)
    fields = ("desiredNumberScheduled", "currentNumberScheduled", "numberReady", "updatedNumberScheduled", "numberAvailable")
    where = selector_text((spec.get("template", {}).get("spec") or {}).get("nodeSelector")) or "<none>"
    return [
        _name(obj),
        *(status.get(field, 0) for field in fields),
        where,
        age(obj, now),
        *_containers(spec.get("template", {})),
        _selector(spec),
    ]


def _job(obj: Json, now: datetime) -> Cells:
    spec, status = _parts(obj)
    true = [each["type"] for each in status.get("conditions") or () if each["status"] == "True" and each["type"] != "SuccessCriteriaMet"]
    ends = status.get("completionTime")
    start = status.get("startTime")
    took = human(((parse(ends) if ends else now) - parse(start)).total_seconds()) if start else ""
    wanted = spec.get("completions") or f"1 of {spec.get('parallelism', 1)}"
    done = f"{status.get('succeeded', 0)}/{wanted}"
    return [_name(obj), true[0] if true else "Running", done, took, age(obj, now), *_containers(spec.get("template", {})), _selector(spec)]


def _cron_job(obj: Json, now: datetime) -> Cells:
    spec, status = _parts(obj)
    last = since(status["lastScheduleTime"], now) if status.get("lastScheduleTime") else "<none>"
    zone, suspended = spec.get("timeZone") or "<none>", bool(spec.get("suspend", False))
    template = (spec.get("jobTemplate", {}).get("spec") or {}).get("template", {})
    return [
        _name(obj),
        spec.get("schedule", ""),
        zone,
        suspended,
        len(status.get("active") or ()),
        last,
        age(obj, now),
        *_containers(template),
        "<none>",
    ]


def _node(obj: Json, now: datetime) -> Cells:
    spec, status = _parts(obj)
    ready = next((each["status"] for each in status.get("conditions") or () if each["type"] == "Ready"), "Unknown")
    shown = {"True": "Ready", "False": "NotReady"}.get(ready, "Unknown") + (",SchedulingDisabled" if spec.get("unschedulable") else "")
    prefix = "node-role.kubernetes.io/"
    roles = ",".join(sorted(key.removeprefix(prefix) for key in obj["metadata"].get("labels") or {} if key.startswith(prefix))) or "<none>"
    info = status.get("nodeInfo") or {}
    addresses = {each["type"]: each["address"] for each in status.get("addresses") or ()}
    told = [addresses.get("InternalIP", "<none>"), addresses.get("ExternalIP", "<none>")]
    system = [info.get(field, "<unknown>") for field in ("osImage", "kernelVersion", "containerRuntimeVersion")]
    return [_name(obj), shown, roles, age(obj, now), info.get("kubeletVersion", ""), *told, *system]


def _service(obj: Json, now: datetime) -> Cells:
    spec, status = _parts(obj)
    ports = ",".join(_port(each) for each in spec.get("ports") or ()) or "<none>"
    outside = spec.get("externalName") or ",".join(each.get("ip", "") for each in (status.get("loadBalancer") or {}).get("ingress") or ())
    if not outside:
        outside = "<pending>" if spec.get("type") == "LoadBalancer" else "<none>"
    return [_name(obj), spec.get("type", ""), spec.get("clusterIP") or "None", outside, ports, age(obj, now), _selector(spec)]


def _port(port: Json) -> str:
    node = f":{port['nodePort']}" if port.get("nodePort") else ""
    return f"{port.get('port')}{node}/{port.get('protocol', 'TCP')}"


def _namespace(obj: Json, now: datetime) -> Cells:
    return [_name(obj), (obj.get("status") or {}).get("phase", ""), age(obj, now)]


def _autoscaler(obj: Json, now: datetime) -> Cells:
    spec, status = _parts(obj)
    target = spec.get("scaleTargetRef") or {}
    shown = ", ".join(_metric(each, status.get("currentMetrics") or []) for each in spec.get("metrics") or ()) or "<none>"
    bounds = [str(spec.get("minReplicas", "<unset>")), str(spec.get("maxReplicas", 0)), str(status.get("currentReplicas", 0))]
    return [_name(obj), f"{target.get('kind')}/{target.get('name')}", shown, *bounds, age(obj, now)]


def _metric(metric: Json, current: list[Json]) -> str:
    told = metric.get("resource") or {}
    target, name = told.get("target") or {}, told.get("name", metric.get("type", ""))
    live = next(
        ((each.get("resource") or {}).get("current") or {} for each in current if (each.get("resource") or {}).get("name") == name), {}
    )
    if "averageUtilization" in target:
        now = f"{live['averageUtilization']}%" if "averageUtilization" in live else "<unknown>"
        return f"{name}: {now}/{target['averageUtilization']}%"
    return f"{live.get('averageValue', '<unknown>')}/{target.get('averageValue', '<auto>')}"


def _budget(obj: Json, now: datetime) -> Cells:
    spec, status = _parts(obj)
    bounds = [str(spec.get(field, "N/A")) for field in ("minAvailable", "maxUnavailable")]
    return [_name(obj), *bounds, status.get("disruptionsAllowed", 0), age(obj, now)]


def _config_map(obj: Json, now: datetime) -> Cells:
    return [_name(obj), len(obj.get("data") or {}) + len(obj.get("binaryData") or {}), age(obj, now)]


def _secret(obj: Json, now: datetime) -> Cells:
    return [_name(obj), obj.get("type", ""), str(len(obj.get("data") or {})), age(obj, now)]


def _event(obj: Json, now: datetime) -> Cells:
    about = obj.get("involvedObject") or obj.get("regarding") or {}
    seen = obj.get("lastTimestamp") or obj.get("deprecatedLastTimestamp") or obj.get("eventTime") or obj.get("firstTimestamp")
    first = obj.get("firstTimestamp") or obj.get("deprecatedFirstTimestamp") or obj.get("eventTime")
    source = (obj.get("source") or obj.get("deprecatedSource") or {}).get("component") or obj.get("reportingComponent", "")
    what = f"{str(about.get('kind', '')).lower()}/{about.get('name', '')}"
    message = str(obj.get("message") or obj.get("note") or "").strip()
    wide = [about.get("fieldPath", ""), source, since(first, now), str(obj.get("count") or obj.get("deprecatedCount") or 1), _name(obj)]
    return [since(seen, now), obj.get("type", ""), obj.get("reason", ""), what, message, *wide]


def _endpoints(obj: Json, now: datetime) -> Cells:
    found = [found for subset in obj.get("subsets") or () for found in _pairs(subset)]
    more = f" + {len(found) - 3} more..." if len(found) > 3 else ""
    return [_name(obj), ",".join(found[:3]) + more or "<none>", age(obj, now)]


def _pairs(subset: Json) -> list[str]:
    return [f"{each['ip']}:{port['port']}" for each in subset.get("addresses") or () for port in subset.get("ports") or ()]


def _slice(obj: Json, now: datetime) -> Cells:
    ports = ",".join(str(each.get("port")) for each in obj.get("ports") or ()) or "<unset>"
    found = [address for each in obj.get("endpoints") or () for address in each.get("addresses") or ()]
    return [_name(obj), obj.get("addressType", ""), ports, ",".join(found[:3]) or "<unset>", age(obj, now)]


_MODES = {"ReadWriteOnce": "RWO", "ReadOnlyMany": "ROX", "ReadWriteMany": "RWX", "ReadWriteOncePod": "RWOP"}


def _modes(listed: list[str] | None) -> str:
    return ",".join(_MODES.get(each, each) for each in listed or ())


def _claim(obj: Json, now: datetime) -> Cells:
    spec, status = _parts(obj)
    bound = [spec.get("volumeName", ""), (status.get("capacity") or {}).get("storage", ""), _modes(status.get("accessModes"))]
    return [
        _name(obj),
        status.get("phase", ""),
        *bound,
        spec.get("storageClassName", ""),
        "<unset>",
        age(obj, now),
        spec.get("volumeMode", ""),
    ]


def _volume(obj: Json, now: datetime) -> Cells:
    spec, status = _parts(obj)
    claim = spec.get("claimRef") or {}
    held = f"{claim['namespace']}/{claim['name']}" if claim else ""
    size = [(spec.get("capacity") or {}).get("storage", ""), _modes(spec.get("accessModes")), spec.get("persistentVolumeReclaimPolicy", "")]
    state = [status.get("phase", ""), held, spec.get("storageClassName", ""), "<unset>", status.get("reason", "")]
    return [_name(obj), *size, *state, age(obj, now), spec.get("volumeMode", "")]


def _quota(obj: Json, now: datetime) -> Cells:
    status = obj.get("status") or {}
    used, hard = status.get("used") or {}, status.get("hard") or (obj.get("spec") or {}).get("hard") or {}
    told = {name: f"{name}: {used.get(name, '0')}/{hard[name]}" for name in sorted(hard)}
    limits = ", ".join(text for name, text in told.items() if name.startswith("limits."))
    requests = ", ".join(text for name, text in told.items() if not name.startswith("limits."))
    return [_name(obj), requests, limits, age(obj, now)]


def _binding(obj: Json, now: datetime) -> Cells:
    reference, subjects = obj.get("roleRef") or {}, obj.get("subjects") or []
    users, groups = (",".join(each["name"] for each in subjects if each["kind"] == kind) for kind in ("User", "Group"))
    accounts = ",".join(f"{each.get('namespace', '')}/{each['name']}" for each in subjects if each["kind"] == "ServiceAccount")
    return [_name(obj), f"{reference.get('kind')}/{reference.get('name')}", age(obj, now), users, groups, accounts]


def _ingress_class(obj: Json, now: datetime) -> Cells:
    return [_name(obj), (obj.get("spec") or {}).get("controller", ""), "<none>", age(obj, now)]


def _pod_template(obj: Json, _now: datetime) -> Cells:
    template = obj.get("template") or {}
    return [_name(obj), *_containers(template), selector_text({"matchLabels": (template.get("metadata") or {}).get("labels") or {}})]


def _attachment(obj: Json, now: datetime) -> Cells:
    spec, status = _parts(obj)
    volume = (spec.get("source") or {}).get("persistentVolumeName", "")
    return [_name(obj), spec.get("attacher", ""), volume, spec.get("nodeName", ""), status.get("attached", False), age(obj, now)]


def _api_service(obj: Json, now: datetime) -> Cells:
    return [_name(obj), "Local", "True", age(obj, now)]


def _definition_of_resource(obj: Json, _now: datetime) -> Cells:
    spec = obj.get("spec") or {}
    names, versions = spec.get("names") or {}, ",".join(each["name"] for each in spec.get("versions") or ())
    shown = [spec.get("scope", ""), versions, obj["metadata"].get("creationTimestamp", "")]
    return [_name(obj), *shown, spec.get("group", ""), names.get("kind", ""), ",".join(names.get("shortNames") or ()), True]


def _network_policy(obj: Json, now: datetime) -> Cells:
    return [_name(obj), selector_text((obj.get("spec") or {}).get("podSelector")) or "<none>", age(obj, now)]


def _ingress(obj: Json, now: datetime) -> Cells:
    spec, status = _parts(obj)
    hosts = ",".join(each.get("host", "*") for each in spec.get("rules") or ()) or "*"
    address = ",".join(each.get("ip") or each.get("hostname", "") for each in (status.get("loadBalancer") or {}).get("ingress") or ())
    return [_name(obj), spec.get("ingressClassName") or "<none>", hosts, address, "80, 443" if spec.get("tls") else "80", age(obj, now)]


def _lease(obj: Json, now: datetime) -> Cells:
    return [_name(obj), (obj.get("spec") or {}).get("holderIdentity", ""), age(obj, now)]


def _priority_class(obj: Json, now: datetime) -> Cells:
    return [_name(obj), obj.get("value", 0), bool(obj.get("globalDefault", False)), age(obj, now), obj.get("preemptionPolicy", "")]


def _storage_class(obj: Json, now: datetime) -> Cells:
    told = [obj.get("provisioner", ""), obj.get("reclaimPolicy", ""), obj.get("volumeBindingMode", "")]
    return [_name(obj), *told, str(obj.get("allowVolumeExpansion", False)).lower(), age(obj, now)]


def _revision(obj: Json, now: datetime) -> Cells:
    owner: Json = next(iter(obj["metadata"].get("ownerReferences") or ()), {})
    controller = f"{owner['kind'].lower()}.apps/{owner['name']}" if owner else "<none>"
    return [_name(obj), controller, str(obj.get("revision", 0)), age(obj, now)]


def _pod(obj: Json, now: datetime) -> Cells:
    cells = pod_cells(obj, now, human)
    return [*cells[:4], age(obj, now), *cells[4:]]


def _columns(text: str) -> tuple[str, ...]:
    return tuple(text.split("|"))


_WORKLOAD = "[Containers]|[Images]|[Selector]"
_PLAIN = Printed(_columns("Name|Age"), _plain)
_PRINTED: dict[str, Printed] = {
    "pods": Printed(_columns("Name|Ready|Status|Restarts|Age|[IP]|[Node]|[Nominated Node]|[Readiness Gates]"), _pod),
    "deployments": Printed(_columns(f"Name|Ready|Up-to-date|Available|Age|{_WORKLOAD}"), _deployment),
    "replicasets": Printed(_columns(f"Name|Desired#|Current#|Ready#|Age|{_WORKLOAD}"), _replica_set),
    "replicationcontrollers": Printed(_columns(f"Name|Desired#|Current#|Ready#|Age|{_WORKLOAD}"), _replica_set),
    "statefulsets": Printed(_columns("Name|Ready|Age|[Containers]|[Images]"), _stateful_set),
    "daemonsets": Printed(_columns(f"Name|Desired#|Current#|Ready#|Up-to-date#|Available#|Node Selector|Age|{_WORKLOAD}"), _daemon_set),
    "jobs": Printed(_columns(f"Name|Status|Completions|Duration|Age|{_WORKLOAD}"), _job),
    "cronjobs": Printed(_columns(f"Name|Schedule|Timezone|Suspend?|Active#|Last Schedule|Age|{_WORKLOAD}"), _cron_job),
    "nodes": Printed(
        _columns("Name|Status|Roles|Age|Version|[Internal-IP]|[External-IP]|[OS-Image]|[Kernel-Version]|[Container-Runtime]"), _node
    ),
    "services": Printed(_columns("Name|Type|Cluster-IP|External-IP|Port(s)|Age|[Selector]"), _service),
    "namespaces": Printed(_columns("Name|Status|Age"), _namespace),
    "horizontalpodautoscalers": Printed(_columns("Name|Reference|Targets|MinPods|MaxPods|Replicas|Age"), _autoscaler),
    "poddisruptionbudgets": Printed(_columns("Name|Min Available|Max Unavailable|Allowed Disruptions#|Age"), _budget),
    "configmaps": Printed(_columns("Name|Data|Age"), _config_map),
    "secrets": Printed(_columns("Name|Type|Data|Age"), _secret),
    "events": Printed(_columns("Last Seen|Type|Reason|Object|Message|[Subobject]|[Source]|[First Seen]|[Count]|[Name]"), _event),
    "endpoints": Printed(_columns("Name|Endpoints|Age"), _endpoints),
    "endpointslices": Printed(_columns("Name|AddressType|Ports|Endpoints|Age"), _slice),
    "persistentvolumeclaims": Printed(
        _columns("Name|Status|Volume|Capacity|Access Modes|StorageClass|VolumeAttributesClass|Age|[VolumeMode]"), _claim
    ),
    "persistentvolumes": Printed(
        _columns("Name|Capacity|Access Modes|Reclaim Policy|Status|Claim|StorageClass|VolumeAttributesClass|Reason|Age|[VolumeMode]"),
        _volume,
    ),
    "resourcequotas": Printed(_columns("Name|Request|Limit|Age"), _quota),
    "limitranges": Printed(_columns("Name|Created At@"), _created),
    "roles": Printed(_columns("Name|Created At@"), _created),
    "clusterroles": Printed(_columns("Name|Created At@"), _created),
    "rolebindings": Printed(_columns("Name|Role|Age|[Users]|[Groups]|[ServiceAccounts]"), _binding),
    "clusterrolebindings": Printed(_columns("Name|Role|Age|[Users]|[Groups]|[ServiceAccounts]"), _binding),
    "networkpolicies": Printed(_columns("Name|Pod-Selector|Age"), _network_policy),
    "ingresses": Printed(_columns("Name|Class|Hosts|Address|Ports|Age"), _ingress),
    "leases": Printed(_columns("Name|Holder|Age"), _lease),
    "priorityclasses": Printed(_columns("Name|Value#|Global-Default?|Age|PreemptionPolicy"), _priority_class),
    "storageclasses": Printed(_columns("Name|Provisioner|ReclaimPolicy|VolumeBindingMode|AllowVolumeExpansion|Age"), _storage_class),
    "controllerrevisions": Printed(_columns("Name|Controller|Revision|Age"), _revision),
    "ingressclasses": Printed(_columns("Name|Controller|Parameters|Age"), _ingress_class),
    "podtemplates": Printed(_columns("Name|Containers|Images|Pod Labels"), _pod_template),
    "volumeattachments": Printed(_columns("Name|Attacher|PV|Node|Attached?|Age"), _attachment),
    "apiservices": Printed(_columns("Name|Service|Available|Age"), _api_service),
    "customresourcedefinitions": Printed(
        _columns("Name|Scope|Versions|Created At@|[Group]|[Kind]|[ShortNames]|[Established?]"), _definition_of_resource
    ),
}
