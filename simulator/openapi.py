"""OpenAPI v3 and v2 documents: the types as `schemas` has them, and the operations that each resource offers.

Clients read here which kinds there are, how their lists merge, and that dryRun and fieldValidation are understood.
"""

from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any

from simulator import errors
from simulator.resources import RESOURCES, Resource
from simulator.schemas.kinds import Kinds
from simulator.schemas.nodes import builtin, schema_name

Json = dict[str, Any]
_PARAMETERS = ("dryRun", "fieldManager", "fieldValidation")
_INFO: Json = {"title": "Kubernetes", "version": "v1.37.2"}
_V3, _V2 = "#/components/schemas/", "#/definitions/"


def index(kinds: Kinds) -> Json:
    """The list at /openapi/v3."""
    versions = sorted({_root(row) for row in (*RESOURCES, *kinds.rows())})
    return {"paths": {path: {"serverRelativeURL": f"/openapi/v3/{path}"} for path in versions}}


def group_version(path: str, kinds: Kinds) -> Json:
    """The OpenAPI v3 document of one group and version, such as `apis/apps/v1`. 404 for one that is not served."""
    custom = [row for row in kinds.rows() if _root(row) == path]
    if not custom:
        return _builtin_version(path)
    schemas = {_schema_name(row): {**kinds.node(row).raw, "x-kubernetes-group-version-kind": [_marks(row)]} for row in custom}
    return _document(custom, {**schemas, **_reachable(_META)})


@cache
def _builtin_version(path: str) -> Json:
    rows = [row for row in RESOURCES if _root(row) == path]
    if not rows:
        raise errors.no_such_path()
    return _document(rows, _schemas(rows))


def _document(rows: Sequence[Resource], schemas: Json) -> Json:
    paths: Json = {}
    for row in rows:
        paths |= _paths(row)
    return {"openapi": "3.0.0", "info": _INFO, "paths": paths, "components": {"schemas": schemas}}


@cache
def whole() -> Json:
    """The OpenAPI v2 document."""
    paths: Json = {}
    for row in RESOURCES:
        paths |= _paths(row)
    return {"swagger": "2.0", "info": _INFO, "paths": paths, "definitions": _pointed(_schemas(RESOURCES))}


_META = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"


def _root(row: Resource) -> str:
    return f"apis/{row.api_version}" if row.group else f"api/{row.version}"


def _schema_name(row: Resource) -> str:
    return schema_name(row.group, row.version, row.kind) or ".".join([*reversed(row.group.split(".")), row.version, row.kind])


def _marks(row: Resource) -> Json:
    return {"group": row.group, "version": row.version, "kind": row.kind}


def _schemas(rows: Iterable[Resource]) -> Json:
    """The types of the rows and all that these refer to."""
    return _reachable(*(name for row in rows if (name := schema_name(row.group, row.version, row.kind))))


def _reachable(*names: str) -> Json:
    found: Json = {}
    waiting = list(names)
    while waiting:
        name = waiting.pop()
        if name not in found:
            found[name] = builtin()[name]
            waiting += _references(found[name])
    return dict(sorted(found.items()))


def _references(schema: Any) -> list[str]:
    if isinstance(schema, list):
        return [name for each in schema for name in _references(each)]
    if not isinstance(schema, dict):
        return []
    own = [schema["$ref"].rpartition("/")[2]] if isinstance(schema.get("$ref"), str) else []
    return own + [name for each in schema.values() for name in _references(each)]


def _pointed(schema: Any) -> Any:
    """Types as v2 has them: references to definitions, no `allOf` around one, text for what is text or a number."""
    if isinstance(schema, list):
        return [_pointed(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    if len(schema.get("allOf", ())) == 1:
        return _pointed(schema["allOf"][0])
    if "oneOf" in schema:
        return {**{key: value for key, value in schema.items() if key != "oneOf"}, "type": "string"}
    return {key: value.replace(_V3, _V2) if key == "$ref" else _pointed(value) for key, value in schema.items()}


def _paths(row: Resource) -> Json:
    scope = "/namespaces/{namespace}" if row.namespaced else ""
    collection = f"/{_root(row)}{scope}/{row.plural}"
    operations = {"post": "create", "put": "update", "patch": "patch"}
    done = {method: _operation(row, verb) for method, verb in operations.items() if verb in row.verbs}
    single = {method: told for method, told in done.items() if method != "post"}
    read = {"get": _operation(row, "get")}
    return {collection: {**read, **({"post": done["post"]} if "post" in done else {})}, collection + "/{name}": {**read, **single}}


def _operation(row: Resource, verb: str) -> Json:
    parameters = [{"name": name, "in": "query", "schema": {"type": "string"}} for name in _PARAMETERS]
    return {
        "operationId": f"{verb}{row.kind}",
        "parameters": parameters,
        "responses": {"200": {"description": "OK"}},
        "x-kubernetes-action": verb,
        "x-kubernetes-group-version-kind": _marks(row),
    }
