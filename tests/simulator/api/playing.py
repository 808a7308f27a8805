"""A sequence of calls in a namespace of its own: what is sent, with what earlier answers told, and what of the answers is compared.

Later calls quote earlier answers by `{uid:NAME}`, `{rv:NAME}`, `{continue:NAME}` (NAME is the earlier step's). `{ns}` is the namespace,
`{own}` a name for cluster-scoped objects of this run.
"""

import json
import re
from collections.abc import Generator
from typing import Any, NamedTuple

import httpx

from tests.simulator.api.steps import OURS, TIME, UID, Step, shortened

Json = dict[str, Any]
Request = dict[str, Any]
_QUOTED = re.compile(r"\{(uid|rv|continue):([^}\"]*)\}")
_VERSION = re.compile(r"(?<=[( ])\d+(?=\)| in| >|,)")
_AGE = re.compile(r"\d+(ms|s|m|h|d)")
_ADDRESS = re.compile(r"10\.\d+\.\d+\.\d+")
_GENERATED = re.compile(r"\b([Gg]en[-_])[a-z0-9]{5}\b")
_PARSER = re.compile(
    r"(?<=continue key is not valid: ).*|(?<=converting YAML to JSON: ).*|(?<=Code: )\d+|(?<=ResourceVersion: )\d+", re.DOTALL
)
_AGENT = {"User-Agent": "recorder/1"}
_STATUS_BY_CONTROLLERS = frozenset(
    (
        *("Deployment", "Pod", "ReplicaSet", "StatefulSet", "DaemonSet", "Job", "CronJob", "HorizontalPodAutoscaler"),
        *("PodDisruptionBudget", "PersistentVolumeClaim", "ResourceQuota", "CustomResourceDefinition", "Namespace", "PersistentVolume"),
    )
)
_NOT_OURS = ("kube-root-ca.crt",)
_MARKS = ("deployment.kubernetes.io/revision",)


class Sequence(NamedTuple):
    """Calls in their order. `cluster` says that they make cluster-scoped objects, which the last calls remove again."""

    name: str
    steps: tuple[Step, ...]


class Names(NamedTuple):
    """What one run calls its things."""

    namespace: str
    own: str


def play(sequence: Sequence, names: Names) -> Generator[Request, httpx.Response, list[Json]]:
    """Yields what to send as keyword arguments of `client.request`, takes the responses, returns the comparable answers in order."""
    told: dict[str, Any] = {}
    answers: list[Json] = []
    for step in sequence.steps:
        response = yield _request(step, names, told)
        body = _read(response, watched="watch=1" in step.path)
        told[step.name] = body
        answers.append(comparable(response.status_code, body, names))
    return answers


def _request(step: Step, names: Names, told: dict[str, Any]) -> Request:
    def quoted(found: re.Match[str]) -> str:
        earlier = told[found[2]] if isinstance(told[found[2]], dict) else {}
        meta = earlier.get("metadata") or {}
        field = {"uid": "uid", "rv": "resourceVersion", "continue": "continue"}[found[1]]
        return str(meta.get(field) or (earlier.get("details") or {}).get(field) or f"no-{field}")

    def filled(text: str) -> str:
        return _QUOTED.sub(quoted, text.replace("{ns}", names.namespace).replace("{own}", names.own))

    headers = {**_AGENT, **{name: filled(value) for name, value in step.headers}}
    content = None
    if step.body is not None:
        content = filled(step.body if isinstance(step.body, str) else json.dumps(step.body))
        headers["Content-Type"] = step.content_type
    return {"method": step.method, "url": filled(step.path), "content": content, "headers": headers}


def _read(response: httpx.Response, *, watched: bool) -> Any:
    if not response.headers.get("content-type", "").startswith("application/json"):
        return response.text.strip()
    if watched and response.status_code == 200:
        lines = [json.loads(line) for line in response.text.splitlines()]
        return lines if all("type" in line for line in lines) else lines[0]
    return response.json()


def comparable(code: int, body: Any, names: Names) -> Json:
    """An answer without what differs from run to run and what controllers wrote meanwhile."""
    text = _ADDRESS.sub("<address>", UID.sub("<uid>", TIME.sub("<time>", json.dumps(body))))
    text = _GENERATED.sub(r"\1<suffix>", text.replace(names.namespace, "<ns>").replace(names.own, "<own>"))
    plain = json.loads(text)
    return {"code": code, **_plain(plain)}


def _plain(body: Any) -> Json:
    if isinstance(body, list):
        return {"events": [{"type": each["type"], "object": _settled(each["object"])} for each in body]}
    if not isinstance(body, dict):
        return {"text": body}
    if body.get("kind") == "Status":
        kept = {field: shortened(body[field]) for field in ("status", "message", "reason", "details") if body.get(field)}
        if "message" in kept:
            kept["message"] = _PARSER.sub("<>", _VERSION.sub("<version>", kept["message"]))
        if isinstance(kept.get("details"), dict):
            kept["details"].pop("uid", None)
            if "conflict with" in json.dumps(kept["details"]):  # the API server lists conflicts in no order of its own
                kept["details"]["causes"].sort(key=lambda cause: (cause["message"], cause["field"]))
        return kept
    if body.get("kind") == "Table":
        return {"table": _table(body)}
    if body.get("kind") in ("APIResourceList", "APIGroup"):
        return {"body": _discovered(body)}
    if "items" in body:
        meta = {field: "<continue>" if field == "continue" and value else value for field, value in body["metadata"].items()}
        meta.pop("resourceVersion", None)
        items = [_settled(each) for each in body["items"] or () if each["metadata"]["name"] not in _NOT_OURS]
        return {"kind": body.get("kind"), "apiVersion": body.get("apiVersion"), "metadata": meta, "items": items}
    return {"body": _settled(body)}


def _discovered(body: Json) -> Json:
    """Without hashes of stored versions, and in one order."""
    listed = [{field: value for field, value in each.items() if field != "storageVersionHash"} for each in body.get("resources", ())]
    return {**body, "resources": sorted(listed, key=lambda each: str(each["name"]))} if listed else body


def _table(body: Json) -> Json:
    columns = [[each["name"], each["type"], each["format"], each["priority"]] for each in body["columnDefinitions"]]
    rows = [[("<age>" if isinstance(cell, str) and _AGE.fullmatch(cell) else cell) for cell in row["cells"]] for row in body["rows"]]
    return {"columns": columns, "rows": rows, "kinds": sorted({(row.get("object") or {}).get("kind", "") for row in body["rows"]})}


def _settled(obj: Json) -> Json:
    if obj.get("kind") == "Status":
        return _plain(obj)
    meta = obj.get("metadata", {})
    meta.pop("resourceVersion", None)
    if "managedFields" in meta:
        own = [each for each in meta["managedFields"] if each["manager"] in OURS]
        meta["managedFields"] = sorted(own, key=lambda each: (each["manager"], each["operation"], each.get("subresource", "")))
    for mark in _MARKS:
        (meta.get("annotations") or {}).pop(mark, None)
    if meta.get("annotations") == {}:
        del meta["annotations"]
    if obj.get("kind") in _STATUS_BY_CONTROLLERS or (not obj.get("kind") and "spec" in obj):
        obj.pop("status", None)
    if "Review" in obj.get("kind", ""):
        obj.pop("metadata", None)
        (obj.get("status", {}).get("userInfo") or {}).pop("uid", None)
    if obj.get("kind") == "TokenRequest":
        obj["status"].pop("token", None)
    if "containers" in (obj.get("spec") or {}):
        obj["spec"].pop("volumes", None)
        for container in obj["spec"]["containers"]:
            container.pop("volumeMounts", None)
    return obj
