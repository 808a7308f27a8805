"""What is particular about creating Events: which fields events.k8s.io wants, and an identity that does not move the cluster's own.

Who reports may come before or after everything else that happens; the names and uids of pods must not depend on it.
"""

from hashlib import sha256
from typing import Any

from simulator import errors
from simulator.clock import micro_stamp
from simulator.routes.calls import Call

Json = dict[str, Any]
GROUP = "events.k8s.io"
NO_NAMESPACE = ("default", "kube-system")
"""Where Events about objects without a namespace may stand."""
LONGEST_NOTE, LONGEST_NAME = 1024, 128
_REQUIRED = ("reportingController", "reportingInstance", "action", "reason")


def admit(call: Call, obj: Json) -> None:
    """Give it a uid of its own, and refuse (422) what the API server refuses."""
    meta = obj["metadata"]
    if meta.get("name"):
        meta["uid"] = _uid(call, meta["name"])
    if causes := [*_place(obj, meta["namespace"]), *(_form(obj) if call.resource.group == GROUP else ())]:
        raise errors.invalid(call.resource.group, "Event", str(meta.get("name", "")), causes)


def _uid(call: Call, name: str) -> str:
    text = f"{call.store.seed}:event:{call.namespace}/{name}:{micro_stamp(call.store.clock.now())}"
    digest = sha256(text.encode()).hexdigest()
    return f"{digest[:8]}-{digest[8:12]}-4{digest[13:16]}-a{digest[17:20]}-{digest[20:32]}"


def _place(obj: Json, namespace: str) -> list[errors.Cause]:
    """An object's own namespace is not compared with the Event's; only where it has none it matters where the Event stands."""
    about = str((obj.get("regarding") or obj.get("involvedObject") or {}).get("namespace", ""))
    if about or namespace in NO_NAMESPACE:
        return []
    return [errors.Cause("FieldValueInvalid", 'Invalid value: "": does not match event.namespace', "involvedObject.namespace")]


def _form(obj: Json) -> list[errors.Cause]:
    found = [errors.Cause("FieldValueRequired", "Required value", name) for name in ("eventTime", *_REQUIRED) if not obj.get(name)]
    found += [
        errors.Cause("FieldValueInvalid", f"Invalid value: must have at most {LONGEST_NAME} characters", name)
        for name in _REQUIRED[1:]
        if len(str(obj.get(name, ""))) > LONGEST_NAME
    ]
    if obj.get("type") not in ("Normal", "Warning"):
        found.append(errors.Cause("FieldValueInvalid", f'Invalid value: "{str(obj.get("type", ""))[:40]}"', "type"))
    if len(str(obj.get("note", "")).encode()) > LONGEST_NOTE:
        found.append(errors.Cause("FieldValueInvalid", f"Invalid value: can have at most {LONGEST_NOTE} characters", "message"))
    return found
