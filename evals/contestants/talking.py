"""A plain tool-calling agent: a model at an OpenAI-compatible endpoint with the verbs of kubectl, and nothing between it and the cluster.

No judge, no verification, no second look, the rights of an admin. Texts of the cluster reach it as they stand there, neither redacted nor
quoted. Each look is a talk of its own, bounded by what the settings let one run of the product spend (`model.*_per_run`).
"""

import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

import yaml

from core.domain.conversation import Call, Message, Tool
from core.domain.errors import BudgetSpent, InvalidInput
from core.domain.finding import Finding
from core.domain.model import Usage
from evals.running.stages import Stage
from runtime.roles import modelling
from runtime.settings import ModelSettings
from simulator.faults.writes import MERGE, STRATEGIC, create, delete, patch, path
from simulator.resources import RESOURCES

Json = dict[str, Any]
KINDS = frozenset(row.kind for row in RESOURCES)
MOST_LOOKS = 12
"""At which it talks; a week of looks would cost a fortune and say nothing new."""
LONGEST_RESULT = 6_000
"""Characters of one tool's answer."""
LOG_LINES = 60
TABLE = {"Accept": "application/json;as=Table;v=v1;g=meta.k8s.io"}
SYSTEM = (
    "You operate a Kubernetes cluster, alone and with the rights of an admin. Something in it may be wrong. "
    "Look around with the tools, find the cause, and mend it. When nothing is left to do, answer with one sentence and call no tool."
)
BEGIN = "Namespaces of the applications: {namespaces}. Look after them."


class PlainModel:
    """See the module."""

    name, tells, everywhen = "plain-model", False, True

    def __init__(self, settings: ModelSettings) -> None:
        self._settings = settings
        self._talks = 0

    async def look(self, stage: Stage) -> Sequence[Finding]:  # noqa: ARG002  the form of a contestant
        return ()

    async def act(self, stage: Stage) -> None:
        if self._talks >= MOST_LOOKS:
            return
        self._talks += 1
        async with modelling.conversing(self._settings) as talk:
            messages = [Message("system", SYSTEM), Message("user", BEGIN.format(namespaces=", ".join(stage.scene.namespaces)))]
            try:
                while (said := await talk.answer(messages, TOOLS)).calls:
                    messages.append(said)
                    messages += [Message("tool", (await _called(stage, call))[:LONGEST_RESULT], answers=call.id) for call in said.calls]
            except BudgetSpent:
                pass  # then the look is over, whatever it was about
            stage.asked = _sum(stage.asked, talk.usage)


def _sum(before: Usage | None, more: Usage) -> Usage:
    known = before or Usage()
    return Usage(known.calls + more.calls, known.tokens + more.tokens, known.seconds + more.seconds, known.micro_usd + more.micro_usd)


async def _called(stage: Stage, call: Call) -> str:
    """What the tool says. A wrong call is told as kubectl tells it, and costs a turn."""
    if call.name not in _VERBS:
        return f"error: unknown command {call.name!r}"
    if call.arguments is None:
        return "error: the arguments are no JSON object"
    manifest = call.arguments.get("manifest")
    kind = manifest.get("kind") if isinstance(manifest, Mapping) else call.arguments.get("kind", "Pod")
    if kind not in KINDS:
        return f"error: the server doesn't have a resource type {str(kind)[:60]!r}"
    try:
        return await _VERBS[call.name](stage, call.arguments)
    except (KeyError, TypeError, ValueError, AttributeError) as wrong:
        return f"error: {type(wrong).__name__}: {wrong}"


# -- verbs ------------------------------------------------------------------------------------------------------------


async def _list(stage: Stage, given: Mapping[str, Any]) -> str:
    found = await stage.read(path(given["kind"], given.get("namespace", "")), headers=TABLE)
    if "rows" not in found:
        return _refusal(found)
    names = ["NAMESPACE", *(column["name"].upper() for column in found["columnDefinitions"] if not column.get("priority"))]
    rows = [[row["object"]["metadata"].get("namespace", ""), *map(str, row["cells"])][: len(names)] for row in found["rows"]]
    return "\n".join("  ".join(row) for row in (names, *rows)) if rows else "No resources found"


async def _get(stage: Stage, given: Mapping[str, Any]) -> str:
    found = await stage.read(path(given["kind"], given.get("namespace", ""), given["name"]))
    if found.get("kind") == "Status":
        return _refusal(found)
    found.get("metadata", {}).pop("managedFields", None)
    return yaml.safe_dump(found, sort_keys=False)


async def _events(stage: Stage, given: Mapping[str, Any]) -> str:
    found = await stage.read(path("Event", given["namespace"]))
    lines = [
        f"{event.get('lastTimestamp')}  {event.get('type')}  {event.get('reason')}  "
        f"{event['involvedObject'].get('kind')}/{event['involvedObject'].get('name')}  {event.get('message')}"
        for event in found.get("items", ())
    ]
    return "\n".join(sorted(lines)[-LOG_LINES:]) or "No events found"


async def _logs(stage: Stage, given: Mapping[str, Any]) -> str:
    asked = {"tailLines": str(LOG_LINES), **({"previous": "true"} if given.get("previous") else {})}
    return await stage.text(path("Pod", given["namespace"], given["name"], "log"), asked)


async def _patch(stage: Stage, given: Mapping[str, Any]) -> str:
    body = given["patch"] if isinstance(given["patch"], Mapping) else json.loads(given["patch"])
    how = MERGE if given.get("type") == "merge" else STRATEGIC
    refused = await stage.write(patch(given["kind"], given.get("namespace", ""), given["name"], body, how=how))
    return refused or f"{given['kind']}/{given['name']} patched"


async def _delete(stage: Stage, given: Mapping[str, Any]) -> str:
    refused = await stage.write(delete(given["kind"], given.get("namespace", ""), given["name"]))
    return refused or f"{given['kind']} {given['name']!r} deleted"


async def _create(stage: Stage, given: Mapping[str, Any]) -> str:
    body = dict(given["manifest"])
    refused = await stage.write(create(body))
    return refused or f"{body['kind']}/{body['metadata']['name']} created"


def _refusal(found: Mapping[str, Any]) -> str:
    return f"Error from server ({found.get('reason', 'unknown')}): {found.get('message', '')}"


# -- the table --------------------------------------------------------------------------------------------------------

_TEXT = {"type": "string"}
_WHERE = {"kind": {"type": "string", "description": "such as Deployment"}, "namespace": _TEXT}
_ONE = {**_WHERE, "name": _TEXT}


def _tool(called: str, description: str, needed: Sequence[str], **properties: Any) -> Tool:
    return Tool(called, description, {"type": "object", "properties": properties, "required": list(needed)})


TOOLS = (
    _tool("list", "List objects of a kind, of all namespaces where none is given.", ["kind"], **_WHERE),
    _tool("get", "One object as YAML.", ["kind", "name"], **_ONE),
    _tool("events", "The latest events of a namespace.", ["namespace"], namespace=_TEXT),
    _tool("logs", "The last lines of a pod's log.", ["namespace", "name"], namespace=_TEXT, name=_TEXT, previous={"type": "boolean"}),
    _tool(
        "patch",
        "Patch an object.",
        ["kind", "name", "patch"],
        **_ONE,
        patch={"type": "object", "description": "the patch as JSON"},
        type={"type": "string", "enum": ["strategic", "merge"]},
    ),
    _tool("delete", "Delete an object.", ["kind", "name"], **_ONE),
    _tool("create", "Create an object.", ["manifest"], manifest={"type": "object", "description": "the whole manifest"}),
)
_VERBS: Mapping[str, Callable[[Stage, Mapping[str, Any]], Awaitable[str]]] = {
    "list": _list,
    "get": _get,
    "events": _events,
    "logs": _logs,
    "patch": _patch,
    "delete": _delete,
    "create": _create,
}


def configured(settings: ModelSettings | None) -> PlainModel:
    """Raises InvalidInput where no endpoint is set."""
    if settings is None or not settings.enabled or not settings.name:
        raise InvalidInput(
            "plain-model speaks with an endpoint, and none is set",
            mend="set model.enabled, model.name and model.base_url (DAY2_MODEL__ENABLED and so on): day2 config explain model",
        )
    return PlainModel(settings)
