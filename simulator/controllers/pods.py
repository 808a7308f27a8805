"""What controllers ask of pods: alive, ready, available; and how they make one from a template."""

import json
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

from simulator.controllers.cluster import Cluster, Json, moment, owner_reference
from simulator.controllers.conditions import find, is_true

_LETTERS = "bcdfghjklmnpqrstvwxz2456789"


def is_active(pod: Json) -> bool:
    """Counts for its owner: not ended and not asked to go."""
    return "deletionTimestamp" not in pod["metadata"] and pod.get("status", {}).get("phase") not in ("Succeeded", "Failed")


def is_ready(pod: Json) -> bool:
    return is_true(pod, "Ready")


def available_at(pod: Json, min_ready_seconds: int) -> datetime | None:
    """When a ready pod counts as available; None while it is not ready."""
    ready = find(pod.get("status", {}).get("conditions", []), "Ready")
    if ready is None or ready["status"] != "True":
        return None
    return moment(ready["lastTransitionTime"]) + timedelta(seconds=min_ready_seconds)


def is_available(pod: Json, min_ready_seconds: int, now: datetime) -> bool:
    at = available_at(pod, min_ready_seconds)
    return at is not None and at <= now


def from_template(owner: Json, template: Json, **meta: Any) -> Json:
    """A pod of `owner`. `meta` adds to the metadata: a name or generateName, and labels."""
    extra = meta.pop("labels", {})
    template_meta = template.get("metadata", {})
    labels = {**template_meta.get("labels", {}), **extra}
    metadata: Json = {**meta, "namespace": owner["metadata"]["namespace"], "labels": labels}
    if template_meta.get("annotations"):
        metadata["annotations"] = dict(template_meta["annotations"])
    metadata["ownerReferences"] = [owner_reference(owner)]
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": dict(template["spec"])}


def template_hash(template: Json) -> str:
    """A short name for a pod template, equal for equal templates. Not the API server's hash, but of its alphabet."""
    number = int(sha256(json.dumps(_plain(template), sort_keys=True).encode()).hexdigest()[:12], 16)
    letters = []
    for _ in range(9):
        number, index = divmod(number, len(_LETTERS))
        letters.append(_LETTERS[index])
    return "".join(letters)


def hash_of(cluster: Cluster, owner: Json) -> str:
    """The hash of an owner's template, worked out once per generation."""
    kept: dict[str, tuple[int, str]] = cluster.memo.setdefault("template-hashes", {})
    uid, generation = owner["metadata"]["uid"], owner["metadata"].get("generation", 0)
    if kept.get(uid, (-1, ""))[0] != generation:
        kept[uid] = (generation, template_hash(owner["spec"]["template"]))
    return kept[uid][1]


def _plain(value: Any) -> Any:
    """Without what means nothing: nulls and empty lists."""
    if isinstance(value, dict):
        return {key: _plain(each) for key, each in value.items() if each is not None and each != []}
    if isinstance(value, list):
        return [_plain(each) for each in value]
    return value


def resolve(value: int | str | None, total: int, *, up: bool, default: str = "25%") -> int:
    """An int-or-percent of `total`, rounded up or down."""
    wanted = default if value is None else value
    if isinstance(wanted, int):
        return wanted
    percent = int(wanted.rstrip("%"))
    return -(-total * percent // 100) if up else total * percent // 100


def deletion_rank(cluster: Cluster, pod: Json) -> tuple[bool, bool, bool, float, int, float, str]:
    """Sorts pods so that the first to delete come first: unbound, pending, not ready, restarted, young (the ReplicaSet's own order)."""
    status = pod.get("status", {})
    ready = find(status.get("conditions", []), "Ready")
    since = moment(ready["lastTransitionTime"]).timestamp() if ready is not None and ready["status"] == "True" else cluster.now.timestamp()
    restarts = max((each.get("restartCount", 0) for each in status.get("containerStatuses", ())), default=0)
    return (
        bool(pod["spec"].get("nodeName")),
        status.get("phase") != "Pending",
        is_ready(pod),
        -since,
        -restarts,
        -moment(pod["metadata"]["creationTimestamp"]).timestamp(),
        pod["metadata"]["name"],
    )
