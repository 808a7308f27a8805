"""What the API server refuses in pods and pod templates, and in the in-place resize of a pod. Called by `validation`."""

import json
from collections.abc import Iterator
from typing import Any

from simulator import errors, pod_defaults
from simulator.errors import Cause
from simulator.merging import copy
from simulator.quantities import parse
from simulator.resources import resource
from simulator.store import Store

Json = dict[str, Any]
Causes = Iterator[Cause]
_NODES = resource("", "nodes")
_POD_FROZEN = (
    "Forbidden: pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,"
    "`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),"
    "`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)"
)
_CHANGEABLE = ("tolerations", "activeDeadlineSeconds", "schedulingGates")
_RESIZABLE = ("cpu", "memory")


def spec(pod: Json, path: str) -> Causes:
    """Rules of a pod spec at `path`."""
    containers = pod.get("containers")
    if not containers:
        yield Cause("FieldValueRequired", "Required value", f"{path}.containers")
        return
    names: set[str] = set()
    for field in ("containers", "initContainers"):
        for index, container in enumerate(pod.get(field) or ()):
            yield from _container(container, f"{path}.{field}[{index}]", names)
    volumes = {each.get("name") for each in pod.get("volumes") or ()}
    for index, container in enumerate(containers):
        for at, mount in enumerate(container.get("volumeMounts") or ()):
            if mount.get("name") not in volumes:
                where = f"{path}.containers[{index}].volumeMounts[{at}].name"
                yield Cause("FieldValueNotFound", f"Not found: {json.dumps(mount.get('name'))}", where)


def _container(container: Json, path: str, names: set[str]) -> Causes:
    name = container.get("name")
    if not name:
        yield Cause("FieldValueRequired", "Required value", f"{path}.name")
    elif name in names:
        yield Cause("FieldValueDuplicate", f"Duplicate value: {json.dumps(name)}", f"{path}.name")
    names.add(str(name))
    if not container.get("image"):
        yield Cause("FieldValueRequired", "Required value", f"{path}.image")
    policy = container.get("imagePullPolicy")
    if policy not in ("Always", "IfNotPresent", "Never"):
        text = f'Unsupported value: {json.dumps(policy)}: supported values: "Always", "IfNotPresent", "Never"'
        yield Cause("FieldValueNotSupported", text, f"{path}.imagePullPolicy")
    yield from _resources(container.get("resources") or {}, f"{path}.resources")


def _resources(resources: Json, path: str) -> Causes:
    requests, limits = resources.get("requests") or {}, resources.get("limits") or {}
    for side, amounts in (("limits", limits), ("requests", requests)):
        for name, amount in amounts.items():
            if parse(str(amount)) < 0:
                text = f"Invalid value: {json.dumps(amount)}: must be greater than or equal to 0"
                yield Cause("FieldValueInvalid", text, f"{path}.{side}[{name}]")
    for name, amount in requests.items():
        if name in limits and parse(str(amount)) > parse(str(limits[name])):
            text = f"Invalid value: {json.dumps(amount)}: must be less than or equal to {name} limit of {limits[name]}"
            yield Cause("FieldValueInvalid", text, f"{path}.requests")


def changed(old: Json, new: Json) -> Causes:
    """A pod's spec hardly ever changes: images, deadline, further tolerations, fewer gates."""
    for field, noun in (("containers", "containers"), ("initContainers", "init containers")):
        if len(old["spec"].get(field) or ()) != len(new["spec"].get(field) or ()):
            yield Cause("FieldValueForbidden", f"Forbidden: pod updates may not add or remove {noun}", f"spec.{field}")
            return
    before, after = old["spec"].get("activeDeadlineSeconds"), new["spec"].get("activeDeadlineSeconds")
    if before is not None and (after is None or after > before):
        text = (
            f"Invalid value: {after}: must be less than or equal to previous value"
            if after is not None
            else "must not update from a positive integer to nil value"
        )
        yield Cause("FieldValueInvalid", text, "spec.activeDeadlineSeconds")
    gates = [each["name"] for each in old["spec"].get("schedulingGates") or ()]
    added = [(index, each["name"]) for index, each in enumerate(new["spec"].get("schedulingGates") or ()) if each["name"] not in gates]
    for index, name in added:
        text = f"Forbidden: only deletion is allowed, but found new scheduling gate '{name}'"
        yield Cause("FieldValueForbidden", text, f"spec.schedulingGates[{index}].name")
    if added:
        return
    if _comparable(old["spec"]) != _comparable(new["spec"]):
        yield Cause("FieldValueForbidden", _POD_FROZEN, "spec")
        return
    kept = new["spec"].get("tolerations") or []
    if any(each not in kept for each in old["spec"].get("tolerations") or ()):
        yield Cause(
            "FieldValueForbidden", "Forbidden: existing toleration can not be modified except its tolerationSeconds", "spec.tolerations"
        )


def _comparable(pod: Json) -> Json:
    kept = {field: value for field, value in pod.items() if field not in _CHANGEABLE}
    for field in ("containers", "initContainers"):
        if field in kept:
            kept[field] = [{key: value for key, value in each.items() if key != "image"} for each in kept[field]]
    return kept


def resize(old: Json, new: Json) -> list[Cause]:
    """A resize changes CPU and memory of containers, keeps the quality-of-service class, and nothing else."""
    before, after = copy(old["spec"]), copy(new["spec"])
    if len(before["containers"]) != len(after["containers"]):
        return [Cause("FieldValueForbidden", "Forbidden: containers may not be added or removed on resize", "spec.containers")]
    causes = list(_resize_amounts(before, after))
    for one, other in zip(before["containers"], after["containers"], strict=True):
        one.pop("resources", None)
        other.pop("resources", None)
        one.pop("resizePolicy", None)
        other.pop("resizePolicy", None)
    if before != after:
        causes.append(Cause("FieldValueForbidden", "Forbidden: only cpu and memory resources are mutable", "spec"))
    was, would = pod_defaults.qos_class(old["spec"]), pod_defaults.qos_class(new["spec"])
    if was != would:
        text = f"Invalid value: {json.dumps(would)}: Pod QOS Class may not change as a result of resizing"
        causes.append(Cause("FieldValueInvalid", text, "spec"))
    return causes


def only_resources(old: Json, asked: Json) -> Json:
    """The stored pod with nothing but the asked resources of its containers: a resize ignores the rest."""
    wanted = {each.get("name"): each for each in asked.get("spec", {}).get("containers") or ()}
    containers = []
    for container in old["spec"]["containers"]:
        told = wanted.get(container["name"], container)
        containers.append({**container, **{field: told[field] for field in ("resources", "resizePolicy") if field in told}})
    meta = {**old["metadata"], "resourceVersion": asked["metadata"].get("resourceVersion", "")}
    return {**old, "metadata": meta, "spec": {**old["spec"], "containers": containers}}


def _resize_amounts(before: Json, after: Json) -> Causes:
    for index, (one, other) in enumerate(zip(before["containers"], after["containers"], strict=True)):
        for side in ("requests", "limits"):
            had, has = (one.get("resources") or {}).get(side) or {}, (other.get("resources") or {}).get(side) or {}
            path = f"spec.containers[{index}].resources.{side}"
            if _fixed(had) != _fixed(has):
                yield Cause("FieldValueForbidden", "Forbidden: only cpu and memory resources are mutable", path)
            if any(name in had and name not in has for name in _RESIZABLE):
                yield Cause("FieldValueForbidden", f"Forbidden: resource {side} cannot be removed", path)


def _fixed(amounts: Json) -> Json:
    return {name: amount for name, amount in amounts.items() if name not in _RESIZABLE}


def on_capable_node(pod: Json) -> None:
    """422 while the containers do not report their resources: no kubelet that resizes has them."""
    statuses = pod.get("status", {}).get("containerStatuses") or []
    if pod.get("status", {}).get("phase") in ("Succeeded", "Failed"):
        raise errors.invalid(
            "", "Pod", pod["metadata"]["name"], [Cause("FieldValueForbidden", "Forbidden: Pod is in a terminal phase", "")]
        )
    if pod["spec"].get("nodeName") and not any("resources" in each for each in statuses):
        cause = Cause("FieldValueForbidden", "Forbidden: Pod running on node without support for resize", "spec")
        raise errors.invalid("", "Pod", pod["metadata"]["name"], [cause])


def fits_node(store: Store, old: Json, new: Json) -> None:
    """403 with cause NodeCapacity for a resize that the whole node could not hold."""
    node = store.peek(_NODES, None, new["spec"].get("nodeName", ""))
    if node is None:
        return
    allocatable = node.get("status", {}).get("allocatable") or {}
    for name, factor in (("cpu", 1000), ("memory", 1)):
        if name not in allocatable:
            continue
        asked = sum(parse(str(each)) for each in _requests(new, name))
        if asked > parse(str(allocatable[name])) and asked > sum(parse(str(each)) for each in _requests(old, name)):
            text = (
                f"node didn't have enough allocatable resources: {name}, requested: {int(asked * factor)}, "
                f"allocatable: {int(parse(str(allocatable[name])) * factor)}"
            )
            raise errors.forbidden("", "pods", new["metadata"]["name"], text, [Cause("NodeCapacity", text)])


def _requests(pod: Json, name: str) -> list[Any]:
    found = [(each.get("resources") or {}).get("requests") or {} for each in pod["spec"].get("containers") or ()]
    return [each[name] for each in found if name in each]
