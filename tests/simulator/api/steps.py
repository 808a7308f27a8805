"""One call of a recorded sequence, and what of its answer is compared. Read by `sequences`, `record` and `test_recorded`."""

import json
import re
from typing import Any, NamedTuple

JSON = "application/json"
MERGE = "application/merge-patch+json"
STRATEGIC = "application/strategic-merge-patch+json"
PATCH = "application/json-patch+json"
DEPLOYMENTS = "/apis/apps/v1/namespaces/{ns}/deployments"
CORE = "/api/v1/namespaces/{ns}"
WEB = DEPLOYMENTS + "/web"
CLUSTER_RBAC = "/apis/rbac.authorization.k8s.io/v1"
RBAC = CLUSTER_RBAC + "/namespaces/{ns}"


class Step(NamedTuple):
    """One call. `name` is unique and says what is being asked; `whole` compares the whole body, else code, reason, message, details.

    `identity` is admin, or executor: a user day2:executor whose rights are what earlier steps gave it. `ownerless` leaves managedFields
    out, where two versions of a kind name their fields differently.
    """

    name: str
    method: str
    path: str
    body: Any = None
    content_type: str = JSON
    whole: bool = False
    identity: str = "admin"
    headers: tuple[tuple[str, str], ...] = ()
    ownerless: bool = False


OURS = ("recorder", "tester", "painter", "putter")
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")
UID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_PATCHED = re.compile(r"(?<=Invalid value: )\".*(?=: json: cannot)", re.DOTALL)
_DIFFERENCE = re.compile(r"\n@@.*|(?<=json parse error: ).*|(?<=unable to parse requirement: ).*", re.DOTALL)
_VERSION = re.compile(r"(?<=in record \()\d+")
_ADDRESS = re.compile(r"10\.\d+\.\d+\.\d+")


def filled(value: Any, namespace: str, name: str) -> Any:
    """A step's text or body with the names of this run."""
    if isinstance(value, str):
        return value.replace("{ns}", namespace).replace("{web}", name)
    return json.loads(json.dumps(value).replace("{ns}", namespace).replace("{web}", name))


def comparable(step: Step, code: int, body: Any, namespace: str, name: str) -> Any:
    """An answer without what differs from run to run: ids, versions, times, addresses, names of the run, and what controllers wrote."""
    text = json.dumps(body)
    text = _ADDRESS.sub("<address>", UID.sub("<uid>", TIME.sub("<time>", text)))
    kept = json.loads(_VERSION.sub("<version>", text.replace(namespace, "<ns>").replace(name, "<name>")))
    if not isinstance(kept, dict):
        return {"code": code, "text": kept.strip()}
    if kept.get("kind") == "Status":
        return {"code": code, **{field: shortened(kept[field]) for field in ("status", "message", "reason", "details") if kept.get(field)}}
    if step.ownerless:
        kept.get("metadata", {}).pop("managedFields", None)
    return {"code": code, "body": _settled(kept)} if step.whole else {"code": code}


def shortened(value: Any) -> Any:
    """Messages without the whole objects that some of them quote."""
    if isinstance(value, str):
        return _DIFFERENCE.sub("", _PATCHED.sub("<object>", value))
    if isinstance(value, list):
        return [shortened(each) for each in value]
    return {field: shortened(each) for field, each in value.items()} if isinstance(value, dict) else value


def _settled(obj: dict[str, Any]) -> dict[str, Any]:
    """An object without its version and without the marks of controllers and of token volumes."""
    meta = obj.get("metadata", {})
    meta.pop("resourceVersion", None)
    if "managedFields" in meta:
        own = [each for each in meta["managedFields"] if each["manager"] in OURS]
        meta["managedFields"] = sorted(own, key=lambda each: (each["manager"], each.get("subresource", "")))
    if "annotations" in meta:
        meta["annotations"].pop("deployment.kubernetes.io/revision", None)
        if not meta["annotations"]:
            del meta["annotations"]
    if obj.get("kind") == "Namespace":
        obj.get("status", {}).pop("conditions", None)
    if "Review" in obj.get("kind", ""):
        obj.pop("metadata", None)
    if obj.get("kind") in ("Deployment", "Pod"):
        obj.pop("status", None)
    if obj.get("kind") == "Pod":
        obj["spec"].pop("volumes", None)
        for container in obj["spec"]["containers"]:
            container.pop("volumeMounts", None)
    return obj
