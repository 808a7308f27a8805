"""What a container's variables and a pod's volumes name, and what of it is not there. Asked by the kubelets before anything starts."""

from collections.abc import Iterator

from simulator.controllers.cluster import CONFIG_MAPS, Cluster, Json
from simulator.resources import resource

SECRETS = resource("", "secrets")
_KINDS = {"configMap": ("configmap", "ConfigMap", CONFIG_MAPS), "secret": ("secret", "Secret", SECRETS)}


def absent(cluster: Cluster, pod: Json, container: Json) -> str:
    """The kubelet's words for the first ConfigMap, Secret or key that the container's variables need and that is not there."""
    namespace = pod["metadata"]["namespace"]
    for kind, name, key, optional in _named(container):
        word, shown, row = _KINDS[kind]
        found = cluster.store.peek(row, namespace, name)
        if found is None and not optional:
            return f'{word} "{name}" not found'
        if found is not None and key and not optional and key not in {**found.get("data", {}), **found.get("binaryData", {})}:
            return f"couldn't find key {key} in {shown} {namespace}/{name}"
    return ""


def _named(container: Json) -> Iterator[tuple[str, str, str, bool]]:
    """Kind, name, key and whether it is optional; a whole object has no key."""
    for each in container.get("envFrom") or ():
        for kind in _KINDS:
            if ref := each.get(f"{kind}Ref"):
                yield kind, ref["name"], "", bool(ref.get("optional"))
    for each in container.get("env") or ():
        for kind in _KINDS:
            if ref := (each.get("valueFrom") or {}).get(f"{kind}KeyRef"):
                yield kind, ref["name"], ref["key"], bool(ref.get("optional"))


def unmounted(cluster: Cluster, pod: Json) -> str:
    """The event's words for the first volume whose ConfigMap or Secret is not there."""
    namespace = pod["metadata"]["namespace"]
    for volume in pod["spec"].get("volumes") or ():
        for kind, name, keys, optional in _sources(volume):
            word, _, row = _KINDS[kind]
            found = cluster.store.peek(row, namespace, name)
            head = f'MountVolume.SetUp failed for volume "{volume["name"]}" : '
            if found is None and not optional:
                return f'{head}{word} "{name}" not found'
            if found is not None and not optional and keys - {*found.get("data", {}), *found.get("binaryData", {})}:
                return f"{head}references non-existent {'config' if kind == 'configMap' else 'secret'} key: {min(keys)}"
    return ""


def _sources(volume: Json) -> Iterator[tuple[str, str, set[str], bool]]:
    for each in [volume, *((volume.get("projected") or {}).get("sources") or ())]:
        for kind, field in (("configMap", "name"), ("secret", "secretName")):
            if ref := each.get(kind):
                name = ref.get(field) or ref.get("name", "")
                yield kind, name, {item["key"] for item in ref.get("items") or ()}, bool(ref.get("optional"))
